use super::*;
use crate::present::English;
use domain::{MicroUsd, Micros};
use handlers::Home;
use ports::{
    Progress,
    progress::{Doing, Report},
    repo::sent::SENT_MESSAGES,
};
use std::time::Duration;
use testkit::home::TestHome;

/// A team at noon.
fn home() -> (TestHome, Home) {
    let fakes = TestHome::default();
    let clock = TestClock::at(Micros(12_000_000));
    let home = Home {
        team: fakes.team.clone(),
        store: fakes.store.clone(),
        blobs: fakes.blobs.clone(),
        clock: Arc::new(clock),
        chance: fakes.chance.clone(),
        presenter: Arc::new(English),
    };
    (fakes, home)
}

fn report(doing: Doing) -> Report {
    Report {
        run: "r1".into(),
        session: "telegram:7".into(),
        agent: "coder".to_owned(),
        doing,
        step: 2,
        cost: MicroUsd(20_000),
        started_at: Micros(0),
    }
}

fn using(what: &str) -> Report {
    report(Doing::Using {
        tool: "run_command".to_owned(),
        what: what.to_owned(),
    })
}

/// The next request that is not the typing action.
async fn shown(stub: &mut Stub) -> (String, String) {
    loop {
        let (method, body) = stub.asked().await;
        if method != "sendChatAction" {
            return (method, body["text"].as_str().unwrap_or_default().to_owned());
        }
    }
}

#[tokio::test]
async fn one_message_is_sent_edited_and_turned_into_a_line() {
    let mut stub = Stub::start().await;
    let pace = Pace {
        first: Duration::ZERO,
        edits: Duration::ZERO,
        idle: Duration::from_secs(600),
    };
    let status = StatusMessages::new(stub.api.clone(), home().1, pace, rates());
    status.report(using("ls"));
    assert_eq!(
        shown(&mut stub).await,
        (
            "sendMessage".to_owned(),
            "🔧 run_command ls\ncoder · 2 steps · 12 s · $0.02".to_owned()
        )
    );
    status.report(using("cargo test"));
    assert_eq!(
        shown(&mut stub).await,
        (
            "editMessageText".to_owned(),
            "🔧 run_command cargo test\ncoder · 2 steps · 12 s · $0.02".to_owned()
        )
    );
    status.report(report(Doing::Over));
    assert_eq!(
        shown(&mut stub).await,
        (
            "editMessageText".to_owned(),
            "coder · 2 steps · 12 s · $0.02".to_owned()
        )
    );
    // Parked on a person the message goes; what comes after begins a new one.
    status.report(using("again"));
    assert_eq!(shown(&mut stub).await.0, "sendMessage");
    status.report(report(Doing::Waiting));
    assert_eq!(shown(&mut stub).await.0, "deleteMessage");
}

#[tokio::test]
async fn a_quick_run_shows_nothing_and_other_surfaces_are_passed_over() {
    let mut stub = Stub::start().await;
    let pace = Pace {
        first: Duration::from_secs(600),
        ..Pace::default()
    };
    let status = StatusMessages::new(stub.api.clone(), home().1, pace, rates());
    status.report(Report {
        session: "terminal:main".into(),
        ..using("ls")
    });
    status.report(using("ls"));
    assert_eq!(stub.asked().await.0, "sendChatAction");
    status.report(report(Doing::Over));
    drop(status);
    // The run's task is over when its last sender is: nothing else may have been asked.
    stub.api.me().await.unwrap();
    assert_eq!(stub.asked().await.0, "GetMe");
}

#[tokio::test]
async fn a_process_that_is_frozen_leaves_its_message_and_begins_no_request_any_more() {
    let mut stub = Stub::start().await;
    let (fakes, home) = home();
    let pace = Pace {
        first: Duration::ZERO,
        edits: Duration::ZERO,
        idle: Duration::ZERO,
    };
    let status = StatusMessages::new(stub.api.clone(), home.clone(), pace, rates());
    status.report(using("ls"));
    assert_eq!(shown(&mut stub).await.0, "sendMessage");
    status.rest().await;
    assert_eq!(fakes.store.records(&SENT_MESSAGES).len(), 1);
    // What is thawed is the same process.
    status.report(report(Doing::Over));
    status.rest().await;
    assert_eq!(shown(&mut stub).await.0, "editMessageText");
    assert_eq!(fakes.store.records(&SENT_MESSAGES).len(), 0);
}

#[tokio::test]
async fn a_message_that_a_process_left_is_taken_over_by_the_next_one() {
    let mut stub = Stub::start().await;
    let (fakes, home) = home();
    let pace = Pace {
        first: Duration::ZERO,
        edits: Duration::ZERO,
        idle: Duration::from_secs(600),
    };
    let process = || StatusMessages::new(stub.api.clone(), home.clone(), pace, rates());
    let died = process();
    died.report(using("ls"));
    let kept = || fakes.store.records(&SENT_MESSAGES).len();
    // The request is on its way before its answer is written down.
    while kept() == 0 {
        tokio::task::yield_now().await;
    }
    let next = process();
    next.report(using("cargo test"));
    let quick = Pace {
        first: Duration::from_secs(600),
        ..pace
    };
    let last = StatusMessages::new(stub.api.clone(), home.clone(), quick, rates());
    let mut methods = vec![shown(&mut stub).await.0, shown(&mut stub).await.0];
    // Also by one that has nothing to show of its own.
    last.report(report(Doing::Waiting));
    methods.push(shown(&mut stub).await.0);
    assert_eq!(methods, ["sendMessage", "editMessageText", "deleteMessage"]);
    while kept() > 0 {
        tokio::task::yield_now().await;
    }
    died.report(report(Doing::Over));
    next.report(report(Doing::Over));
}

#[tokio::test]
async fn a_status_waits_while_telegram_wants_it_to() {
    let mut stub = Stub::start().await;
    let pace = Pace {
        first: Duration::ZERO,
        edits: Duration::ZERO,
        idle: Duration::from_secs(600),
    };
    let rates = rates();
    rates.hold(7, Duration::from_secs(600));
    let status = StatusMessages::new(stub.api.clone(), home().1, pace, rates);
    status.report(using("ls"));
    assert_eq!(stub.asked().await.0, "sendChatAction");
    status.report(report(Doing::Over));
    stub.api.me().await.unwrap();
    assert_eq!(stub.asked().await.0, "GetMe");
}
