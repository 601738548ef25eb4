//! A run whose step can't be done any more.

use super::{rehearsal::rehearse, team::Team};
use crate::{draft, run::abandon};
use domain::{
    approval::ApprovalStatus,
    run::{Outcome, RunStatus, State},
};
use insta::assert_snapshot;
use testkit::scripted_model::ScriptedModel;

#[tokio::test]
async fn it_ends_for_everybody_and_the_session_goes_on() {
    let team = Team::with(ScriptedModel::answering(rehearse)).await;
    team.says("run: make all").await;
    team.says("run: ls").await;
    let run = team.talk().await.run.unwrap();
    let ops = abandon(&team.home, &run, "event 3: not an event")
        .await
        .unwrap();
    draft::commit(&team.home, ops).await.unwrap();
    team.work().await;

    let summary = team.get::<domain::run::RunSummary>(run.as_str()).await;
    assert_eq!(summary.unwrap().status, RunStatus::Failed);
    let state = State::fold(&team.journal(&run).await).unwrap();
    assert!(
        matches!(state.phase, domain::run::Phase::Over(Outcome::Failed { why }) if why.contains("event 3"))
    );
    let cards = team.all_cards().await;
    assert!(
        cards
            .iter()
            .all(|card| card.status == ApprovalStatus::Withdrawn)
    );
    assert_eq!(cards.len(), 1);
    assert_eq!(team.talk().await.run, None, "what waited was done");
    assert_snapshot!(team.transcript(), @r"
    ann> run: make all
    bot> [approval asked] run_command: make all
    ann> run: ls
    bot> [failed] the work could not go on: event 3: not an event
    edit> [withdrawn by nobody] run_command: make all
    bot> [answered] done: ran: ls
    ");
    let again = abandon(&team.home, &run, "again").await.unwrap();
    assert!(again.is_empty(), "it ends once");
    team.audit_holds().await;
}
