use super::*;
use domain::{MicroUsd, Micros};
use ports::{
    Clock, Progress,
    progress::{Doing, Report},
};
use std::time::Duration;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Micros {
        Micros(12_000_000)
    }
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
    let status = StatusMessages::new(stub.api.clone(), Arc::new(Noon), pace);
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
    let status = StatusMessages::new(stub.api.clone(), Arc::new(Noon), pace);
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
