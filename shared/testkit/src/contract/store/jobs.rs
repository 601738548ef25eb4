//! Jobs: who is handed out when, and who waits behind whom.

use super::build::{
    claim, claim_of, claim_one, commit, commit_at, conflict, finish, job, names, postpone,
    set_aside,
};
use crate::contract::Outcome;
use domain::{Micros, id::JobId};
use ports::store::{Backlog, Conflict, ConflictReason, Job, NewJob, Op, Priority, Store};
use std::sync::Arc;

async fn enqueue(store: &dyn Store, jobs: Vec<NewJob>) -> Outcome {
    for job in jobs {
        commit(store, vec![Op::Enqueue(job)]).await?;
    }
    Ok(())
}

fn due(id: &str, at: i64) -> NewJob {
    NewJob {
        due: Micros(at),
        ..job(id, None)
    }
}

pub async fn a_job_is_claimed_when_it_is_due(store: Arc<dyn Store>) -> Outcome {
    enqueue(&*store, vec![due("j", 50)]).await?;
    assert_eq!(claim(&*store, 49, 10).await?.jobs, []);
    let claimed = claim(&*store, 50, 10).await?.jobs;
    let expected = Job {
        id: JobId::from("j"),
        team: super::build::team(),
        name: "test".to_owned(),
        lane: "run".to_owned(),
        serial: None,
        payload: "{\"of\":\"j\"}".to_owned(),
        due: Micros(50),
        attempts: 1,
        epoch: 1,
        lost_before: false,
        last_error: None,
        set_aside: false,
    };
    assert_eq!(claimed, std::slice::from_ref(&expected));
    assert_eq!(store.job(&JobId::from("j")).await?, Some(expected));
    assert_eq!(claim(&*store, 51, 10).await?.jobs, [], "it is leased");
    commit(&*store, vec![finish(&claimed[0])]).await?;
    assert_eq!(store.job(&JobId::from("j")).await?, None);
    assert_eq!(claim(&*store, 1000, 10).await?.jobs, []);
    Ok(())
}

pub async fn lanes_are_kept_apart(store: Arc<dyn Store>) -> Outcome {
    let lane = |id: &str, lane: &str, at| NewJob {
        lane: lane.to_owned(),
        ..due(id, at)
    };
    let made = vec![
        lane("a", "run", 3),
        lane("b", "send", 2),
        lane("c", "tick", 1),
    ];
    enqueue(&*store, made).await?;
    let send = claim_of(&*store, &["send"], 10, 10).await?;
    assert_eq!(names(&send.jobs), ["b"]);
    assert_eq!(claim_of(&*store, &["other"], 10, 10).await?.jobs, []);
    let rest = claim_of(&*store, &["run", "send", "tick"], 10, 10).await?;
    assert_eq!(names(&rest.jobs), ["c", "a"]);
    Ok(())
}

pub async fn urgent_jobs_come_first(store: Arc<dyn Store>) -> Outcome {
    let with = |id: &str, priority, at| NewJob {
        priority,
        ..due(id, at)
    };
    let made = vec![
        with("low", Priority::Low, 1),
        with("late", Priority::Normal, 9),
        with("same", Priority::Normal, 4),
        with("again", Priority::Normal, 4),
        with("high", Priority::High, 8),
        with("soon", Priority::High, 11),
    ];
    enqueue(&*store, made).await?;
    assert_eq!(names(&claim(&*store, 10, 2).await?.jobs), ["high", "same"]);
    let rest = claim(&*store, 10, 10).await?.jobs;
    assert_eq!(names(&rest), ["again", "late", "low"]);
    Ok(())
}

pub async fn a_serial_key_is_done_in_order(store: Arc<dyn Store>) -> Outcome {
    // The second is due before the first and more urgent, and still waits.
    let second = NewJob {
        priority: Priority::High,
        ..job("2", Some("chat"))
    };
    let first = NewJob {
        due: Micros(5),
        ..job("1", Some("chat"))
    };
    let made = vec![
        first,
        second,
        job("3", Some("chat")),
        job("other", Some("else")),
    ];
    enqueue(&*store, made).await?;
    assert_eq!(names(&claim(&*store, 4, 10).await?.jobs), ["other"]);
    for expected in ["1", "2", "3"] {
        let claimed = claim(&*store, 10, 10).await?.jobs;
        assert_eq!(names(&claimed), [expected]);
        assert_eq!(claim(&*store, 10, 10).await?.jobs, []);
        commit(&*store, vec![finish(&claimed[0])]).await?;
    }
    Ok(())
}

pub async fn order_within_a_batch_counts(store: Arc<dyn Store>) -> Outcome {
    let ops = ["z", "a", "m"].map(|id| Op::Enqueue(job(id, Some("chat"))));
    commit(&*store, ops.to_vec()).await?;
    let head = claim_one(&*store, 1).await?;
    // The next step of a chain is enqueued in the commit that finishes this one, and goes behind what waits.
    let next = Op::Enqueue(job("0", Some("chat")));
    commit(&*store, vec![next, finish(&head)]).await?;
    let mut order = vec![head.id.to_string()];
    while order.len() < 4 {
        let head = claim_one(&*store, 1).await?;
        commit(&*store, vec![finish(&head)]).await?;
        order.push(head.id.to_string());
    }
    assert_eq!(order, ["z", "a", "m", "0"]);
    // Finished and enqueued the other way round.
    commit(&*store, vec![Op::Enqueue(job("p", Some("chat")))]).await?;
    let head = claim_one(&*store, 1).await?;
    let next = Op::Enqueue(job("q", Some("chat")));
    commit(&*store, vec![finish(&head), next]).await?;
    assert_eq!(claim_one(&*store, 1).await?.id, JobId::from("q"));
    Ok(())
}

pub async fn a_postponed_head_blocks_its_key(store: Arc<dyn Store>) -> Outcome {
    let made = vec![job("1", Some("chat")), job("2", Some("chat"))];
    enqueue(&*store, made).await?;
    let head = claim_one(&*store, 1).await?;
    commit(&*store, vec![postpone(&head, 100, true)]).await?;
    let waiting = claim(&*store, 50, 10).await?;
    assert_eq!(waiting.jobs, []);
    assert_eq!(waiting.next, Some(Micros(100)));
    let again = claim_one(&*store, 100).await?;
    assert_eq!((again.id.as_str(), again.attempts), ("1", 2));
    assert_eq!(again.due, Micros(100));
    assert_eq!(again.last_error.as_deref(), Some("later"));
    commit(&*store, vec![finish(&again)]).await?;
    assert_eq!(claim_one(&*store, 100).await?.id, JobId::from("2"));
    Ok(())
}

pub async fn setting_aside_frees_the_key(store: Arc<dyn Store>) -> Outcome {
    let made = vec![
        job("1", Some("chat")),
        job("2", Some("chat")),
        job("3", Some("chat")),
    ];
    enqueue(&*store, made).await?;
    let head = claim_one(&*store, 1).await?;
    commit(&*store, vec![set_aside(&head)]).await?;
    let kept = store.job(&JobId::from("1")).await?;
    let kept = kept.map(|job| (job.set_aside, job.last_error));
    assert_eq!(kept, Some((true, Some("poison".to_owned()))));
    let second = claim_one(&*store, 1000).await?;
    assert_eq!(second.id, JobId::from("2"));
    commit(&*store, vec![finish(&second)]).await?;
    assert_eq!(claim_one(&*store, 1000).await?.id, JobId::from("3"));
    // Long after: what is set aside is never handed out, and blocks nobody who comes later.
    enqueue(&*store, vec![job("4", Some("chat"))]).await?;
    let third = claim_one(&*store, 5000).await?;
    assert!(third.lost_before);
    commit(&*store, vec![finish(&third)]).await?;
    assert_eq!(claim_one(&*store, 5000).await?.id, JobId::from("4"));
    Ok(())
}

pub async fn next_tells_when_to_look_again(store: Arc<dyn Store>) -> Outcome {
    assert_eq!(claim(&*store, 0, 1).await?.next, None);
    let tick = NewJob {
        lane: "tick".to_owned(),
        ..due("t", 20)
    };
    let low = NewJob {
        priority: Priority::Low,
        ..due("a", 70)
    };
    let made = vec![tick, low, due("b", 500), due("c", 10)];
    enqueue(&*store, made).await?;
    assert_eq!(claim(&*store, 0, 1).await?.next, Some(Micros(10)));
    let claimed = claim(&*store, 10, 5).await?;
    assert_eq!(names(&claimed.jobs), ["c"]);
    assert_eq!(claimed.next, Some(Micros(70)));
    let claimed = claim(&*store, 70, 5).await?;
    assert_eq!(names(&claimed.jobs), ["a"]);
    assert_eq!(claimed.next, Some(Micros(110)), "the lease of c ends");
    let both = claim_of(&*store, &["run", "tick"], 15, 1).await?;
    assert_eq!(both.next, Some(Micros(20)));
    Ok(())
}

pub async fn a_job_is_enqueued_once(store: Arc<dyn Store>) -> Outcome {
    enqueue(&*store, vec![job("j", None)]).await?;
    let again = Op::Enqueue(due("j", 9));
    let reason = ConflictReason::JobExists;
    let met = conflict(&*store, vec![again.clone()]).await?;
    assert_eq!(met, Conflict { op: 0, reason });
    let claimed = claim_one(&*store, 1).await?;
    assert_eq!(claimed.due, Micros(0));
    conflict(&*store, vec![again.clone()]).await?;
    commit(&*store, vec![finish(&claimed)]).await?;
    commit(&*store, vec![again]).await?;
    assert_eq!(claim_one(&*store, 9).await?.epoch, 1);
    Ok(())
}

pub async fn the_backlog_is_counted_by_lane(store: Arc<dyn Store>) -> Outcome {
    assert_eq!(store.backlog(Micros(0)).await?, []);
    let send = NewJob {
        lane: "send".to_owned(),
        ..due("s", 90)
    };
    let made = vec![
        job("1", Some("chat")),
        job("2", Some("chat")),
        job("3", None),
        due("4", 60),
        send,
    ];
    enqueue(&*store, made).await?;
    let first = claim_one(&*store, 1).await?;
    commit(&*store, vec![set_aside(&first)]).await?;
    assert_eq!(claim_one(&*store, 2).await?.id, JobId::from("2"));
    let run = |due, later, leased| Backlog {
        lane: "run".to_owned(),
        due,
        later,
        leased,
        set_aside: 1,
    };
    let send = Backlog {
        lane: "send".to_owned(),
        due: 0,
        later: 1,
        leased: 0,
        set_aside: 0,
    };
    let now = store.backlog(Micros(50)).await?;
    assert_eq!(now, [run(1, 1, 1), send.clone()]);
    let once_due = store.backlog(Micros(60)).await?;
    assert_eq!(once_due, [run(2, 0, 1), send]);
    let lost = store.backlog(Micros(102)).await?;
    assert_eq!(lost[0], run(3, 0, 0), "a lease that ran out is due");
    Ok(())
}

/// That it is also as quick as without them is the adapters' own to show: nothing here measures time.
pub async fn a_flood_of_one_key_blocks_nobody(store: Arc<dyn Store>) -> Outcome {
    for hundred in 0..5 {
        let flood = (0..90).map(|i| Op::Enqueue(job(&format!("{hundred}-{i:02}"), Some("flood"))));
        commit(&*store, flood.collect()).await?;
    }
    enqueue(
        &*store,
        vec![job("alone", None), job("other", Some("other"))],
    )
    .await?;
    let claimed = claim(&*store, 1, 100).await?.jobs;
    assert_eq!(names(&claimed), ["0-00", "alone", "other"]);
    for expected in ["0-01", "0-02"] {
        let head = claim(&*store, 1, 100).await?.jobs;
        assert_eq!(names(&head), [""; 0]);
        let leased = if expected == "0-01" {
            claimed[0].clone()
        } else {
            store_job(&*store, "0-01").await?
        };
        commit(&*store, vec![finish(&leased)]).await?;
        assert_eq!(claim_one(&*store, 1).await?.id, JobId::from(expected));
    }
    Ok(())
}

pub async fn long_queues_take_turns(store: Arc<dyn Store>) -> Outcome {
    let old = ["a1", "b1", "a2", "b2", "a3", "b3"];
    enqueue(&*store, old.map(|id| job(id, Some(&id[..1]))).to_vec()).await?;
    // Somebody who comes at 10 is served before what has waited behind others of its own key since 0.
    commit_at(&*store, 10, vec![Op::Enqueue(due("late", 10))]).await?;
    let mut order = Vec::new();
    for now in 11..20 {
        let Some(head) = claim(&*store, now, 1).await?.jobs.pop() else {
            break;
        };
        order.push(head.id.to_string());
        let gone = if head.id.as_str() == "a2" {
            set_aside(&head)
        } else {
            finish(&head)
        };
        commit_at(&*store, now, vec![gone]).await?;
    }
    assert_eq!(order, ["a1", "b1", "late", "a2", "b2", "a3", "b3"]);
    // A turn never comes before its time.
    let first = job("c1", Some("c"));
    let second = NewJob {
        serial: Some("c".to_owned()),
        ..due("c2", 90)
    };
    enqueue(&*store, vec![first, second]).await?;
    let head = claim_one(&*store, 30).await?;
    commit_at(&*store, 31, vec![finish(&head)]).await?;
    assert_eq!(claim(&*store, 89, 1).await?.next, Some(Micros(90)));
    Ok(())
}

async fn store_job(store: &dyn Store, id: &str) -> Result<Job, crate::contract::Broken> {
    let job = store.job(&JobId::from(id)).await?;
    job.ok_or_else(|| format!("the job {id} is gone").into())
}
