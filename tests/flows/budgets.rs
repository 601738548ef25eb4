//! Money: a ceiling asks, a tap adds, a stop is said, and a killed program loses none of it.

use super::{Program, Team};
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::servers::{
    model::{Dialect, Gate, Reply, Script},
    telegram::Message,
};

/// The card that waits, and the label on its first button.
async fn card(team: &Team, after: i64) -> (Message, String) {
    let is = |m: &Message| m.id > after && m.text.contains("needs more") && !m.buttons().is_empty();
    let card = team.ann.wait_for_message(is).await;
    let plus = card.buttons()[0][0].label.clone();
    assert!(plus.starts_with("+ $"), "{plus}");
    (card, plus)
}

#[tokio::test]
async fn at_the_ceiling_a_tap_adds_and_the_run_goes_on() {
    let script = Script::answering(|_| Reply::text("Here I am."));
    let (mut team, model) = Team::with_model(Dialect::Anthropic, script).await;
    team.ask("/budget team 0.05", "$0 of $0.05").await;
    let asked = team.ann.send("Hello?");
    let (question, plus) = card(&team, asked).await;
    assert!(
        question.text.contains("of $0.05 is spent"),
        "{}",
        question.text
    );
    assert_eq!(model.requests().len(), 0, "nothing is asked before");
    team.ann.tap(question.id, &plus);
    team.ann
        .wait_for_message(|m| m.id > asked && m.text.contains("Here I am."))
        .await;
    team.ann
        .wait_for_message(|m| m.id == question.id && m.text.contains("more, by Ann"))
        .await;
    let cost = team.ask("/cost", "By day").await;
    assert!(cost.contains("assistant") && cost.contains("Ann"), "{cost}");
    let list = team.ask("/budget", "Team: $0.00").await;
    assert!(!list.contains("of $0.05"), "raised for good: {list}");
    team.ask("/budget team off", "is gone").await;
    team.program.assert_well();
}

#[tokio::test]
async fn a_stop_at_the_ceiling_is_said() {
    let script = Script::answering(|_| Reply::text("dear"));
    let (mut team, model) = Team::with_model(Dialect::Anthropic, script).await;
    team.ask("/budget run 0.001", "Each run: $0.0010").await;
    let asked = team.ann.send("Hello?");
    let (question, _) = card(&team, asked).await;
    team.ann.tap(question.id, "Stop");
    team.ann
        .wait_for_message(|m| m.id > asked && m.text.contains("reached its budget ($0 spent"))
        .await;
    assert_eq!(model.requests().len(), 0);
    team.program.assert_well();
}

#[tokio::test]
async fn a_program_killed_between_reservation_and_settlement_loses_no_money() {
    let gate = Gate::new();
    let (held, count) = (gate.clone(), AtomicUsize::new(0));
    let script = Script::answering(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::text("lost").held_by(&held),
        _ => Reply::text("Here is the answer."),
    });
    let (mut team, model) = Team::with_model(Dialect::Anthropic, script).await;
    team.ask("/budget day 5", "of $5.00").await;
    team.ann.send("Hello?");
    model.wait_for_requests(1).await;
    team.program.kill().await;
    gate.open();
    team.program.leases_run_out();
    team.program.up().await;
    team.ann.wait_for_text("Here is the answer.").await;
    let cost = team.ask("/cost", "today (UTC)").await;
    let today = cost
        .lines()
        .find_map(|line| line.strip_suffix(" today (UTC)"))
        .unwrap()
        .to_owned();
    let list = team.ask("/budget", "of $5.00").await;
    assert!(
        today != "$0" && list.contains(&format!("Day: {today} of")),
        "{cost}\n{list}"
    );
    team.program.assert_well();
}

#[tokio::test]
async fn budgets_on_the_command_line() {
    let program = Program::alone();
    let (status, out, err) = program
        .run(&["budgets", "set", "agent", "coder", "3"])
        .await;
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let (_, out, _) = program.run(&["budgets", "list"]).await;
    assert!(
        out.contains("agent:coder") && out.contains("$3.00"),
        "{out}"
    );
    let (status, _, err) = program
        .run(&["budgets", "set", "agent", "coder", "lots"])
        .await;
    assert!(status != 0 && err.contains("no amount"), "{err}");
    let (status, ..) = program
        .run(&["budgets", "set", "agent", "coder", "off"])
        .await;
    assert_eq!(status, 0);
}
