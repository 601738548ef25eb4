//! Throttling, conflicts, lost answers, wrong credentials, a table that isn't there: what the store answers, and what is true then.

use super::{
    client, emulator, options,
    proxy::{Fault, Proxy},
    table,
};
use domain::id::CommitId;
use futures::StreamExt;
use ports::{
    archive::{Archive, Item},
    store::{Batch, Op, Store, StoreError},
};
use std::{sync::Arc, time::Duration};
use store_dynamodb::{DynamoStore, Options};
use testkit::contract::{
    Broken, Outcome, all_of,
    store::build::{add, append, batch, claim_one, commit, counter, finish, job, run},
};
use tokio::sync::Barrier;

const THROTTLED: Fault = Fault::Answer("ThrottlingException", "");
const TRANSACT: &str = "TransactWriteItems";

/// A store behind the proxy, and the same table without it.
async fn stores() -> Result<(DynamoStore, Proxy, DynamoStore), Broken> {
    let emulator = emulator()?;
    let direct = client(&emulator);
    let table = table(&direct).await?;
    let proxy = Proxy::before(&emulator).await?;
    let through = DynamoStore::open(client(&proxy.endpoint), &table, options()).await?;
    let direct = DynamoStore::open(direct, &table, options()).await?;
    Ok((through, proxy, direct))
}

fn deed() -> Batch {
    batch(vec![add("c", 1, None), append("r", 0, &["{}"])])
}

/// The deed was done, once.
async fn done(store: &dyn Store, id: &CommitId) -> Outcome {
    assert!(store.was_committed(id).await?);
    assert_eq!(store.counter(&counter("c")).await?, 1);
    assert_eq!(store.head(&run("r")).await?, 1);
    Ok(())
}

fn refused(answer: Result<(), StoreError>) -> Result<String, Broken> {
    match answer {
        Err(StoreError::CannotWrite(text)) => Ok(text),
        other => Err(format!("{other:?}").into()),
    }
}

#[tokio::test]
async fn throttling_is_waited_for() -> Outcome {
    let (store, proxy, _) = stores().await?;
    let deed = deed();
    proxy.faults(TRANSACT, &[THROTTLED, THROTTLED, THROTTLED], Fault::Pass);
    store.commit(deed.clone()).await?;
    assert_eq!(proxy.seen(), 4);
    proxy.faults("GetItem", &[THROTTLED, THROTTLED], Fault::Pass);
    done(&store, &deed.id).await
}

#[tokio::test]
async fn throttling_without_end_is_said() -> Outcome {
    let (store, proxy, direct) = stores().await?;
    let deed = deed();
    proxy.faults(TRANSACT, &[], THROTTLED);
    let answer = store.commit(deed.clone()).await;
    assert!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "{answer:?}"
    );
    assert!(!direct.was_committed(&deed.id).await?);
    proxy.faults(TRANSACT, &[], Fault::Pass);
    store.commit(deed.clone()).await?;
    done(&direct, &deed.id).await
}

/// As DynamoDB tells it when two transactions meet: not as an error of its own, but as the reason of each part.
#[tokio::test]
async fn transactions_that_meet_are_sent_again() -> Outcome {
    let (store, proxy, direct) = stores().await?;
    let met = Fault::Answer(
        "TransactionCanceledException",
        ",\"CancellationReasons\":[{\"Code\":\"None\"},{\"Code\":\"TransactionConflict\"},{\"Code\":\"ThrottlingError\"},{\"Code\":\"None\"}]",
    );
    let deed = deed();
    proxy.faults(
        TRANSACT,
        &[met.clone(), met.clone(), met.clone()],
        Fault::Pass,
    );
    store.commit(deed.clone()).await?;
    assert_eq!(proxy.seen(), 4);
    done(&direct, &deed.id).await?;
    proxy.faults(TRANSACT, &[], met);
    let answer = store.commit(batch(vec![add("c", 1, None)])).await;
    match answer {
        Err(StoreError::Unavailable(text)) => assert!(text.contains("attempts"), "{text}"),
        other => return Err(format!("{other:?}").into()),
    }
    done(&direct, &deed.id).await
}

/// A claim, a renewal: one item's write that meets a transaction.
#[tokio::test]
async fn a_claim_that_meets_a_transaction_waits_for_it() -> Outcome {
    let (store, proxy, _) = stores().await?;
    commit(&store, vec![Op::Enqueue(job("j", None))]).await?;
    let met = Fault::Answer("TransactionConflictException", "");
    proxy.faults("UpdateItem", &[met.clone(), met], Fault::Pass);
    let job = claim_one(&store, 1).await?;
    assert_eq!((job.attempts, job.epoch), (1, 1));
    commit(&store, vec![finish(&job)]).await
}

#[tokio::test]
async fn a_lost_answer_is_no_second_deed() -> Outcome {
    let (store, proxy, direct) = stores().await?;
    let deed = deed();
    proxy.faults(
        TRANSACT,
        &[Fault::Cut, Fault::Lose, Fault::Lose],
        Fault::Pass,
    );
    store.commit(deed.clone()).await?;
    done(&direct, &deed.id).await
}

/// Nobody hears that the deed was done: the answer is that it is unknown, and the commit's id decides.
#[tokio::test]
async fn when_no_answer_comes_the_id_decides() -> Outcome {
    let (store, proxy, direct) = stores().await?;
    let deed = deed();
    proxy.faults(TRANSACT, &[], Fault::Lose);
    let answer = store.commit(deed.clone()).await;
    assert!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "{answer:?}"
    );
    done(&direct, &deed.id).await?;
    proxy.faults(TRANSACT, &[], Fault::Pass);
    store.commit(deed.clone()).await?;
    done(&store, &deed.id).await
}

/// The job is gone because this very commit finished it: that is no conflict.
#[tokio::test]
async fn a_finish_is_repeated_after_a_lost_answer() -> Outcome {
    let (store, proxy, direct) = stores().await?;
    for id in ["1", "2"] {
        let new = Op::Enqueue(job(id, Some("chat")));
        commit(&store, vec![new]).await?;
    }
    let first = claim_one(&store, 1).await?;
    let gone = batch(vec![finish(&first), add("c", 1, None)]);
    proxy.faults(TRANSACT, &[], Fault::Lose);
    let answer = store.commit(gone.clone()).await;
    assert!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "{answer:?}"
    );
    direct.commit(gone).await?;
    assert_eq!(direct.counter(&counter("c")).await?, 1);
    assert_eq!(claim_one(&direct, 1).await?.id.as_str(), "2");
    Ok(())
}

/// A finish has read the job, and not yet its serial key, when somebody enqueues behind it.
#[tokio::test]
async fn who_comes_while_the_head_goes_is_next() -> Outcome {
    let (store, proxy, direct) = stores().await?;
    let new = |id| Op::Enqueue(job(id, Some("chat")));
    commit(&store, vec![new("1")]).await?;
    let first = claim_one(&store, 1).await?;
    let between = Arc::new(Barrier::new(2));
    proxy.faults("/s/chat", &[Fault::Hold(between.clone())], Fault::Pass);
    let came = async {
        between.wait().await;
        let came = commit(&direct, vec![new("2")]).await;
        between.wait().await;
        came
    };
    let (gone, came) = tokio::join!(commit(&store, vec![finish(&first)]), came);
    gone?;
    came?;
    let second = claim_one(&direct, 1).await?;
    assert_eq!(second.id.as_str(), "2");
    commit(&store, vec![finish(&second), new("3")]).await?;
    assert_eq!(claim_one(&direct, 1).await?.id.as_str(), "3");
    Ok(())
}

#[tokio::test]
async fn what_a_person_has_to_do_is_said() -> Outcome {
    let (store, proxy, direct) = stores().await?;
    for (name, expected) in [
        ("ExpiredTokenException", "renew them"),
        ("UnrecognizedClientException", "check the access key"),
        ("InvalidSignatureException", "this machine's clock"),
        ("AccessDeniedException", "the policy is in template.yaml"),
        ("ResourceNotFoundException", "deploy the template"),
    ] {
        proxy.faults(TRANSACT, &[], Fault::Answer(name, ""));
        let text = refused(store.commit(deed()).await)?;
        assert!(text.contains(expected), "{name}: {text}");
        assert_eq!(proxy.seen(), 1, "{name} is not tried again");
    }
    assert_eq!(direct.counter(&counter("c")).await?, 0);
    // And it works again by itself.
    proxy.faults(TRANSACT, &[], Fault::Pass);
    let deed = deed();
    store.commit(deed.clone()).await?;
    done(&direct, &deed.id).await
}

#[tokio::test]
async fn a_table_that_is_not_there() -> Outcome {
    let opened = DynamoStore::open(client(&emulator()?), "nowhere", options()).await;
    let text = refused(opened.map(drop))?;
    assert!(text.contains("there is no table nowhere"), "{text}");
    Ok(())
}

#[tokio::test]
async fn nobody_listens() -> Outcome {
    let opened = DynamoStore::open(client("http://127.0.0.1:1"), "t", options()).await;
    let answer = opened.map(drop);
    assert!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "{answer:?}"
    );
    Ok(())
}

/// Who wanted to copy has died: writing is held back for a while, then it goes on.
#[tokio::test]
async fn a_copy_that_died_holds_nobody_back() -> Outcome {
    let client = client(&emulator()?);
    let table = table(&client).await?;
    let dead = Duration::from_millis(500);
    let quick = Options { dead, ..options() };
    let store = DynamoStore::open(client.clone(), &table, quick).await?;
    commit(&store, vec![add("c", 1, None)]).await?;
    let frozen = client
        .update_item()
        .table_name(&table)
        .key(
            "pk",
            aws_sdk_dynamodb::types::AttributeValue::S("store".to_owned()),
        )
        .key(
            "sk",
            aws_sdk_dynamodb::types::AttributeValue::S("store".to_owned()),
        )
        .update_expression("SET frozen_by = :by, beat = :beat")
        .expression_attribute_values(
            ":by",
            aws_sdk_dynamodb::types::AttributeValue::S("dead".to_owned()),
        )
        .expression_attribute_values(
            ":beat",
            aws_sdk_dynamodb::types::AttributeValue::N("7".to_owned()),
        );
    frozen.send().await?;
    // Another process, which has not looked yet.
    let other = Options { dead, ..options() };
    let other = DynamoStore::open(client, &table, other).await?;
    commit(&other, vec![add("c", 1, None)]).await?;
    assert_eq!(store.counter(&counter("c")).await?, 2);
    Ok(())
}

/// Two processes write while a third one copies: each copy has all of a commit or nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_wait_for_a_copy() -> Outcome {
    let client = client(&emulator()?);
    let table = table(&client).await?;
    let copier = DynamoStore::open(client.clone(), &table, options()).await?;
    let writing = tokio::spawn(all_of(2, move |task| {
        let (client, table) = (client.clone(), table.clone());
        async move {
            let store = DynamoStore::open(client, &table, options()).await?;
            for n in 0..60 {
                let name = format!("t{task}");
                commit(&store, vec![append(&name, n, &["1"]), add(&name, 1, None)]).await?;
            }
            Ok(())
        }
    }));
    let mut copies = 0;
    while !writing.is_finished() || copies == 0 {
        let mut items = copier.export().await?;
        let (mut entries, mut counted) = (0, 0);
        while let Some(item) = items.next().await {
            match item? {
                Item::Entry { .. } => entries += 1,
                Item::Counter { value, .. } => counted += value,
                _ => {}
            }
        }
        assert_eq!(entries, counted);
        copies += 1;
    }
    writing.await??;
    Ok(())
}
