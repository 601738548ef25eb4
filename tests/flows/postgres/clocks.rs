//! Two machines on one database whose clocks are minutes apart.

use super::{
    super::{Program, Team, race::joins},
    away::{begins, ends},
};
use crate::database::Database;
use tests::servers::telegram::FakeTelegram;

/// Its machine's clock is so many seconds ahead of the others', or behind.
async fn beside_a_clock_that_is_wrong(seconds: &str) {
    let tg = FakeTelegram::start().await;
    let mut program = Program::new(&tg).on(Database::postgres());
    // One run keeps it busy; the next one is the other's.
    program.set("COUNTERSIGN_WORKERS", "1");
    program.up().await;
    let mut other = program.beside().for_runs();
    let mut team = Team::of(tg, program).await;
    let bob = joins(&team, (1002, "Bob"), "operator").await;
    let card = begins(&team, 1).await;
    other.set("COUNTERSIGN_CRASH_SKEW", seconds);
    other.up().await;
    assert!(
        other.printed().contains("clock differs"),
        "{}",
        other.printed()
    );
    let asked = bob.send("run: echo two");
    // Whoever looks for work finds first what nobody holds any more; and its answer is due when it was written.
    bob.wait_for_message(|m| m.id > asked && !m.silent && m.text.contains("two"))
        .await;
    ends(&team, 1).await;
    let answer = team
        .ann
        .wait_for_message(|m| m.id > card && m.is_bots() && !m.silent)
        .await;
    assert!(answer.text.contains("run_command"), "{}", answer.text);
    assert_eq!(team.effects(), 1);
    team.program.quiet().await;
    team.program.assert_well();
    other.assert_well();
}

#[tokio::test]
async fn who_is_ahead_takes_no_work_away_and_delays_none() {
    beside_a_clock_that_is_wrong("600").await;
}

#[tokio::test]
async fn who_is_behind_finds_its_work_in_time() {
    beside_a_clock_that_is_wrong("-600").await;
}
