//! Leases: who may still speak for a job.

use super::build::{
    LEASE, agent, append, claim, claim_one, commit, conflict, create, fenced, finish, job, names,
    postpone, run, set_aside,
};
use crate::contract::{Outcome, all_of};
use domain::{Micros, id::JobId};
use ports::store::{Job, Op, Renewal, Store};
use std::sync::Arc;

async fn one(store: &dyn Store, serial: Option<&str>) -> Result<Job, crate::contract::Broken> {
    commit(store, vec![Op::Enqueue(job("j", serial))]).await?;
    claim_one(store, 0).await
}

/// The end of a lease that began at 0.
fn end() -> i64 {
    Micros(0).plus(LEASE).0
}

pub async fn a_lost_lease_is_claimed_again(store: Arc<dyn Store>) -> Outcome {
    let first = one(&*store, Some("chat")).await?;
    commit(&*store, vec![Op::Enqueue(job("behind", Some("chat")))]).await?;
    assert_eq!(claim(&*store, end() - 1, 9).await?.jobs, []);
    let second = claim(&*store, end(), 9).await?.jobs;
    let expected = Job {
        attempts: 2,
        epoch: first.epoch + 1,
        lost_before: true,
        ..first.clone()
    };
    assert_eq!(second, std::slice::from_ref(&expected));
    assert_eq!(store.job(&first.id).await?, Some(expected));
    assert_eq!(conflict(&*store, vec![finish(&first)]).await?, fenced(0));
    commit(&*store, vec![finish(&second[0])]).await?;
    assert_eq!(names(&claim(&*store, end(), 9).await?.jobs), ["behind"]);
    Ok(())
}

pub async fn a_postponed_job_was_not_lost(store: Arc<dyn Store>) -> Outcome {
    one(&*store, None).await?;
    let lost = claim_one(&*store, end()).await?;
    assert!(lost.lost_before);
    commit(&*store, vec![postpone(&lost, 0, true)]).await?;
    let job = claim_one(&*store, end()).await?;
    assert!(!job.lost_before);
    assert_eq!((job.attempts, job.epoch), (3, 3));
    Ok(())
}

pub async fn an_uncounted_attempt_is_taken_back(store: Arc<dyn Store>) -> Outcome {
    let mut job = one(&*store, None).await?;
    for epoch in 2..5 {
        commit(&*store, vec![postpone(&job, 0, false)]).await?;
        let waiting = store.job(&job.id).await?.map(|job| job.attempts);
        assert_eq!(waiting, Some(0));
        job = claim_one(&*store, 0).await?;
        assert_eq!(
            (job.attempts, job.epoch),
            (1, epoch),
            "the fence still grows"
        );
    }
    Ok(())
}

pub async fn a_fenced_finish_undoes_the_batch(store: Arc<dyn Store>) -> Outcome {
    let slow = one(&*store, None).await?;
    let quick = claim_one(&*store, end()).await?;
    for end in [finish(&slow), postpone(&slow, 5, true), set_aside(&slow)] {
        let ops = vec![append("r", 0, &["{}"]), create("a", "{}"), end];
        assert_eq!(conflict(&*store, ops).await?, fenced(2));
    }
    assert_eq!(store.head(&run("r")).await?, 0);
    assert_eq!(store.get(&agent("a")).await?, None);
    assert_eq!(store.job(&quick.id).await?, Some(quick.clone()));
    commit(&*store, vec![append("r", 0, &["{}"]), finish(&quick)]).await?;
    assert_eq!(conflict(&*store, vec![finish(&quick)]).await?, fenced(0));
    Ok(())
}

pub async fn a_commit_holds_its_lease(store: Arc<dyn Store>) -> Outcome {
    let hold = |job: &Job| Op::Hold {
        job: job.id.clone(),
        epoch: job.epoch,
    };
    let slow = one(&*store, None).await?;
    commit(&*store, vec![hold(&slow), append("r", 0, &["{}"])]).await?;
    assert_eq!(
        store.job(&slow.id).await?,
        Some(slow.clone()),
        "it writes nothing"
    );
    let quick = claim_one(&*store, end()).await?;
    let late = vec![append("r", 1, &["{}"]), hold(&slow)];
    assert_eq!(conflict(&*store, late).await?, fenced(1));
    commit(&*store, vec![hold(&quick), append("r", 1, &["{}"])]).await?;
    commit(&*store, vec![postpone(&quick, 0, true)]).await?;
    assert_eq!(conflict(&*store, vec![hold(&quick)]).await?, fenced(0));
    Ok(())
}

pub async fn only_a_leased_job_is_given_back(store: Arc<dyn Store>) -> Outcome {
    commit(&*store, vec![Op::Enqueue(job("j", None))]).await?;
    let never = Op::Finish {
        job: JobId::from("j"),
        epoch: 0,
    };
    assert_eq!(conflict(&*store, vec![never]).await?, fenced(0));
    let first = claim_one(&*store, 0).await?;
    commit(&*store, vec![postpone(&first, 0, true)]).await?;
    for end in [finish(&first), postpone(&first, 5, true), set_aside(&first)] {
        assert_eq!(conflict(&*store, vec![end]).await?, fenced(0));
    }
    let second = claim_one(&*store, 0).await?;
    commit(&*store, vec![set_aside(&second)]).await?;
    assert_eq!(conflict(&*store, vec![finish(&second)]).await?, fenced(0));
    let absent = Op::Finish {
        job: JobId::from("nobody"),
        epoch: 1,
    };
    assert_eq!(conflict(&*store, vec![absent]).await?, fenced(0));
    Ok(())
}

pub async fn a_renewal_keeps_the_lease(store: Arc<dyn Store>) -> Outcome {
    let job = one(&*store, None).await?;
    let renewed = store.renew(&job.id, job.epoch, Micros(1000)).await?;
    assert_eq!(renewed, Renewal::Held);
    let waiting = claim(&*store, 999, 1).await?;
    assert_eq!(waiting.jobs, []);
    assert_eq!(waiting.next, Some(Micros(1000)));
    let other = claim_one(&*store, 1000).await?;
    let renewed = store.renew(&job.id, job.epoch, Micros(5000)).await?;
    assert_eq!(renewed, Renewal::Lost);
    let renewed = store.renew(&other.id, other.epoch, Micros(5000)).await?;
    assert_eq!(renewed, Renewal::Held);
    commit(&*store, vec![postpone(&other, 6000, true)]).await?;
    let renewed = store.renew(&other.id, other.epoch, Micros(7000)).await?;
    assert_eq!(renewed, Renewal::Lost);
    let renewed = store.renew(&JobId::from("nobody"), 1, Micros(1)).await?;
    assert_eq!(renewed, Renewal::Lost);
    Ok(())
}

pub async fn a_signal_reaches_the_lease(store: Arc<dyn Store>) -> Outcome {
    let signal = |serial: &str| Op::Signal {
        serial: serial.to_owned(),
    };
    commit(&*store, vec![signal("chat")]).await?;
    let job = one(&*store, Some("chat")).await?;
    let renew = |job: &Job| (job.id.clone(), job.epoch);
    let (id, epoch) = renew(&job);
    commit(&*store, vec![signal("other")]).await?;
    assert_eq!(store.renew(&id, epoch, Micros(100)).await?, Renewal::Held);
    commit(&*store, vec![signal("chat")]).await?;
    for _ in 0..2 {
        let renewed = store.renew(&id, epoch, Micros(100)).await?;
        assert_eq!(renewed, Renewal::Signalled);
    }
    // The next claim begins without it.
    let (id, epoch) = renew(&claim_one(&*store, 100).await?);
    assert_eq!(store.renew(&id, epoch, Micros(200)).await?, Renewal::Held);
    Ok(())
}

/// Somebody enqueues behind the head of a key at the moment when it is finished: that job is the next head, whoever was first.
pub async fn who_comes_while_the_head_goes_is_next(store: Arc<dyn Store>) -> Outcome {
    let new = |i: usize| Op::Enqueue(job(&format!("j{i:02}"), Some("chat")));
    commit(&*store, vec![new(0)]).await?;
    for i in 1..=40 {
        let head = claim_one(&*store, 0).await?;
        let (gone, came) = tokio::join!(
            commit(&*store, vec![finish(&head)]),
            commit(&*store, vec![new(i)])
        );
        gone?;
        came?;
    }
    assert_eq!(claim_one(&*store, 0).await?.id.as_str(), "j40");
    Ok(())
}

/// Eight claim at once, of jobs with and without serial keys: each job goes to one, and no key to two at a time.
pub async fn no_job_goes_to_two_claimers(store: Arc<dyn Store>) -> Outcome {
    for i in 0..60 {
        let key = format!("k{}", i % 6);
        let serial = (i % 2 == 0).then_some(key.as_str());
        commit(&*store, vec![Op::Enqueue(job(&format!("j{i:02}"), serial))]).await?;
    }
    let claimed = all_of(8, |_| {
        let store = store.clone();
        async move {
            let mut mine = Vec::new();
            loop {
                let jobs = claim(&*store, 0, 3).await?.jobs;
                if jobs.is_empty() && store.backlog(Micros(0)).await?.is_empty() {
                    return Ok(mine);
                }
                for job in jobs {
                    // Finished twice would be fenced, and fail the case.
                    commit(&*store, vec![finish(&job)]).await?;
                    mine.push(job.id.to_string());
                }
                tokio::task::yield_now().await;
            }
        }
    })
    .await?;
    let mut all: Vec<String> = claimed.concat();
    all.sort();
    let expected: Vec<String> = (0..60).map(|i| format!("j{i:02}")).collect();
    assert_eq!(all, expected);
    Ok(())
}
