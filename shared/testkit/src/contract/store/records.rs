//! Records: versions, checks, deletion, and that a document comes back as it was.

use super::build::{agent, batch, commit, conflict, create, named, put};
use crate::contract::Outcome;
use domain::id::TeamId;
use ports::store::{Conflict, ConflictReason, Expect, Key, MAX_DOCUMENT_BYTES, Op, Record, Store};
use std::sync::Arc;

fn version(op: usize, found: Option<u64>) -> Conflict {
    let reason = ConflictReason::Version { found };
    Conflict { op, reason }
}

pub async fn a_record_counts_its_versions(store: Arc<dyn Store>) -> Outcome {
    assert_eq!(store.get(&agent("a")).await?, None);
    commit(&*store, vec![create("a", "{}")]).await?;
    for version in 1..4 {
        let doc = named("ann", version);
        let next = put(agent("a"), &doc, Expect::Version(version as u64));
        commit(&*store, vec![next]).await?;
        let record = Record {
            id: "a".to_owned(),
            version: version as u64 + 1,
            doc,
        };
        assert_eq!(store.get(&agent("a")).await?, Some(record));
    }
    Ok(())
}

pub async fn a_put_meets_another_version(store: Arc<dyn Store>) -> Outcome {
    let over = |expect| put(agent("a"), "{\"x\":1}", expect);
    let met = conflict(&*store, vec![over(Expect::Version(1))]).await?;
    assert_eq!(met, version(0, None));
    commit(&*store, vec![create("a", "{}")]).await?;
    for expect in [
        Expect::Absent,
        Expect::Version(2),
        Expect::Version(0),
        Expect::Version(u64::MAX),
    ] {
        let met = conflict(&*store, vec![create("b", "{}"), over(expect)]).await?;
        assert_eq!(met, version(1, Some(1)), "{expect:?}");
    }
    let kept = store.get(&agent("a")).await?.map(|record| record.doc);
    assert_eq!(kept.as_deref(), Some("{}"));
    Ok(())
}

pub async fn a_check_holds_or_conflicts(store: Arc<dyn Store>) -> Outcome {
    let check = |id: &str, expect| Op::Check {
        key: agent(id),
        expect,
    };
    commit(&*store, vec![create("a", "{}")]).await?;
    let holds = vec![
        check("a", Expect::Version(1)),
        check("b", Expect::Absent),
        create("c", "{}"),
    ];
    commit(&*store, holds).await?;
    assert!(store.get(&agent("c")).await?.is_some());
    for (id, expect, found) in [
        ("a", Expect::Absent, Some(1)),
        ("a", Expect::Version(2), Some(1)),
        ("b", Expect::Version(1), None),
    ] {
        let met = conflict(&*store, vec![create("d", "{}"), check(id, expect)]).await?;
        assert_eq!(met, version(1, found));
    }
    assert_eq!(store.get(&agent("d")).await?, None);
    let unchanged = store.get(&agent("a")).await?.map(|record| record.version);
    assert_eq!(unchanged, Some(1), "a check writes nothing");
    Ok(())
}

pub async fn a_delete_names_the_version(store: Arc<dyn Store>) -> Outcome {
    let delete = |version| Op::Delete {
        key: agent("a"),
        version,
    };
    assert_eq!(conflict(&*store, vec![delete(1)]).await?, version(0, None));
    commit(&*store, vec![create("a", "{}")]).await?;
    let met = conflict(&*store, vec![delete(2)]).await?;
    assert_eq!(met, version(0, Some(1)));
    commit(&*store, vec![delete(1)]).await?;
    assert_eq!(store.get(&agent("a")).await?, None);
    Ok(())
}

pub async fn a_record_made_again_begins_at_one(store: Arc<dyn Store>) -> Outcome {
    commit(&*store, vec![create("a", "{}")]).await?;
    let second = put(agent("a"), "{}", Expect::Version(1));
    commit(&*store, vec![second]).await?;
    let delete = Op::Delete {
        key: agent("a"),
        version: 2,
    };
    commit(&*store, vec![delete]).await?;
    commit(&*store, vec![create("a", "{}")]).await?;
    let record = store.get(&agent("a")).await?;
    assert_eq!(record.map(|record| record.version), Some(1));
    Ok(())
}

pub async fn teams_do_not_see_each_other(store: Arc<dyn Store>) -> Outcome {
    let theirs = Key {
        team: TeamId::from("away"),
        ..agent("a")
    };
    commit(&*store, vec![create("a", "{}")]).await?;
    assert_eq!(store.get(&theirs).await?, None);
    let make = put(theirs.clone(), named("x", 1), Expect::Absent);
    commit(&*store, vec![make]).await?;
    let ours = store.query(super::build::all()).await?.records;
    assert_eq!(ours.len(), 1);
    assert_eq!(ours[0].doc, "{}");
    let in_our_index = store.query(super::build::by_name("x")).await?;
    assert_eq!(in_our_index.records, []);
    // The same id of two teams, in one batch, is two things.
    let both = vec![
        put(agent("a"), "{}", Expect::Version(1)),
        put(theirs, "{}", Expect::Version(1)),
    ];
    commit(&*store, both).await?;
    Ok(())
}

pub async fn odd_texts_come_back_unchanged(store: Arc<dyn Store>) -> Outcome {
    let odd = [
        "nul \u{0} inside",
        "four bytes 🦀𝕏",
        "quotes ' \" \\ and ; -- drop",
        "\u{feff}mark, \u{202e}turn, \u{1}control",
        "",
    ];
    for (i, text) in odd.iter().enumerate() {
        // NUL is escaped in JSON, and so is in every document; the id takes the text as it is, where it has any.
        let doc = named(text, 1);
        let id = format!("{i}{}", text.replace('\0', ""));
        commit(&*store, vec![create(&id, &doc)]).await?;
        let record = store.get(&agent(&id)).await?;
        assert_eq!(record.map(|record| record.doc), Some(doc.clone()));
        // An indexed field holds no NUL: Postgres has no text with one.
        if !text.contains('\0') {
            let page = store.query(super::build::by_name(text)).await?;
            assert_eq!(super::build::ids(&page.records), [id.as_str()], "{text:?}");
        }
        let entry = batch(vec![super::build::append(&id, 0, &[&doc])]);
        store.commit(entry).await?;
        let entries = store.read(&super::build::run(&id), 0, 10).await?;
        assert_eq!(entries, [doc]);
    }
    Ok(())
}

pub async fn large_documents_are_kept(store: Arc<dyn Store>) -> Outcome {
    let prompt = |text: &str| serde_json::json!({ "name": "x", "prompt": text }).to_string();
    let frame = prompt("").len();
    let doc = prompt(&"é".repeat((MAX_DOCUMENT_BYTES - frame) / 2));
    assert!(doc.len() >= MAX_DOCUMENT_BYTES - 1);
    let mut ops: Vec<Op> = (0..20).map(|i| create(&format!("a{i}"), &doc)).collect();
    let long = "i".repeat(200);
    ops.push(create(&long, &doc));
    commit(&*store, ops).await?;
    for id in ["a0", "a19", &long] {
        let record = store.get(&agent(id)).await?;
        assert_eq!(record.map(|record| record.doc).as_ref(), Some(&doc));
    }
    Ok(())
}
