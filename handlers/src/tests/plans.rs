//! Two stages: a plan is shown, and what is approved holds as long as the plan says the same.

use super::{rehearsal::told, team::Team};
use crate::{CommandError, Problem, modify, queries};
use domain::{
    approval::{Approval, Choice},
    id::ApprovalId,
};
use std::sync::{Arc, Mutex};
use testkit::sandbox::exited;

const DEPLOY: &str = r#"call: run_command = {"command": "apply plan.out", "plan": "show plan.out", "capability": "deploy"}"#;

/// The world that `show plan.out` looks at; `apply plan.out` says what it was.
async fn planning() -> (Team, Arc<Mutex<String>>) {
    let team = Team::new().await;
    let world = Arc::new(Mutex::new("1 to add".to_owned()));
    let seen = Arc::clone(&world);
    team.fakes.sandbox.answer(move |exec| {
        let is_plan = exec.command.starts_with("show");
        assert_eq!(exec.read_only, is_plan, "{}", exec.command);
        exited(0, format!("{}: {}", exec.command, seen.lock().unwrap()))
    });
    (team, world)
}

fn last_told(team: &Team) -> String {
    told(team.model.requests().last().unwrap()).pop().unwrap()
}

async fn addressed(team: &Team, name: &str) -> Result<ApprovalId, Problem> {
    match queries::addressed(&team.home, &team.session, name).await {
        Ok(card) => Ok(card.value.id),
        Err(CommandError::Problem(problem)) => Err(problem),
        Err(error) => panic!("{error}"),
    }
}

fn shown(card: &Approval) -> (&str, &str, &str) {
    (&card.shown.what, &card.shown.plan, &card.shown.diff)
}

#[tokio::test]
async fn the_plan_is_shown_and_the_approved_one_is_applied() {
    let (team, _) = planning().await;
    team.rule("allow shell_exec show *").await;
    team.says(DEPLOY).await;
    let card = team.card().await;
    assert_eq!(
        shown(&card),
        ("apply plan.out", "show plan.out", "show plan.out: 1 to add")
    );
    assert_eq!(card.always, []);
    assert_eq!(team.fakes.sandbox.started(), ["show plan.out"]);
    assert_eq!(addressed(&team, "deploy").await, Ok(card.id));
    let elsewhere = queries::addressed(&team.home, &"telegram:9".into(), "deploy").await;
    assert!(elsewhere.is_err(), "where the card was not shown");
    team.decides(Choice::Approve).await;
    assert_eq!(
        team.fakes.sandbox.started(),
        ["show plan.out", "show plan.out", "apply plan.out"]
    );
    assert_eq!(last_told(&team), "apply plan.out: 1 to add");
    let gone = addressed(&team, "deploy").await;
    assert!(matches!(gone, Err(Problem::NotFound { .. })), "{gone:?}");
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn a_plan_that_says_something_else_after_the_yes_is_asked_about_again() {
    let (team, world) = planning().await;
    team.rule("allow shell_exec show *").await;
    team.says(DEPLOY).await;
    let first = team.card().await;
    "1 to destroy".clone_into(&mut world.lock().unwrap());
    team.decides(Choice::Approve).await;
    let started = team.fakes.sandbox.started();
    assert!(
        !started.contains(&"apply plan.out".to_owned()),
        "{started:?}"
    );
    let second = team.card().await;
    assert_ne!((&second.id, &second.digest), (&first.id, &first.digest));
    assert_eq!(second.shown.diff, "show plan.out: 1 to destroy");
    team.decides(Choice::Approve).await;
    assert_eq!(last_told(&team), "apply plan.out: 1 to destroy");
    team.is_quiet();
}

#[tokio::test]
async fn a_plan_that_no_rule_allows_is_not_made() {
    let (team, _) = planning().await;
    team.says(DEPLOY).await;
    assert!(last_told(&team).starts_with("Not run: its plan needs an approval of its own"));
    team.rule("deny shell_exec show *").await;
    team.says(DEPLOY).await;
    assert!(last_told(&team).starts_with("Not run: its plan is not allowed: rule"));
    assert_eq!(team.all_cards().await.len(), 0);
    assert_eq!(team.fakes.sandbox.started(), Vec::<String>::new());
    team.is_quiet();
}

#[tokio::test]
async fn a_right_to_plan_that_is_taken_away_takes_the_approved_call_with_it() {
    let (team, _) = planning().await;
    team.rule("allow shell_exec show *").await;
    team.says(DEPLOY).await;
    team.rule("deny shell_exec show *").await;
    team.decides(Choice::Approve).await;
    assert!(last_told(&team).starts_with("Not run: its plan is not allowed: rule"));
    assert_eq!(team.fakes.sandbox.started(), ["show plan.out"]);
}

#[tokio::test]
async fn a_plan_that_fails_or_can_not_be_shown_asks_nobody() {
    let (team, _) = planning().await;
    team.rule("allow shell_exec show *").await;
    team.fakes.sandbox.answer(|_| exited(3, "no such plan"));
    team.says(DEPLOY).await;
    assert_eq!(
        last_told(&team),
        "Not run: nothing was asked, because its plan “show plan.out” failed [exit status 3]. Run the plan as a call of its own to see \
         more."
    );
    team.fakes.sandbox.answer(|_| exited(0, vec![0xff, 0xfe]));
    team.says(DEPLOY).await;
    assert!(last_told(&team).contains("no text"));
    team.fakes.sandbox.answer(|_| {
        let mut result = exited(0, "beginning");
        result.output_bytes += 1;
        result
    });
    team.says(DEPLOY).await;
    assert!(last_told(&team).contains("too much for a card: 10 bytes"));
    assert_eq!(team.all_cards().await.len(), 0);
}

#[tokio::test]
async fn a_long_plan_hangs_on_the_card_whole() {
    let (team, world) = planning().await;
    team.rule("allow shell_exec show *").await;
    let long = "line\n".repeat(2000);
    long.clone_into(&mut world.lock().unwrap());
    team.says(DEPLOY).await;
    let shown = team.card().await.shown;
    assert!(long.contains(shown.diff.strip_prefix("show plan.out: ").unwrap()));
    let attached = shown.attachment.unwrap();
    let whole = ports::blob::text(&*team.home.blobs, &attached).await;
    assert_eq!(whole.unwrap(), format!("show plan.out: {long}"));
}

#[tokio::test]
async fn a_changed_call_is_planned_again_and_several_of_a_capability_are_told_apart() {
    let (team, world) = planning().await;
    team.rule("allow shell_exec show *").await;
    team.says(DEPLOY).await;
    let card = team.card().await;
    "2 to add".clone_into(&mut world.lock().unwrap());
    let tools = &team.run.tools;
    let text = ("apply -v plan.out", None);
    team.does(|| modify::modify(&team.home, tools, &team.ann, &card.id, text))
        .await
        .unwrap();
    team.work().await;
    let card = team.card().await;
    assert_eq!(
        shown(&card),
        (
            "apply -v plan.out",
            "show plan.out",
            "show plan.out: 2 to add"
        )
    );
    team.decides(Choice::Approve).await;
    team.says(&format!(
        "{DEPLOY}\n{}",
        DEPLOY.replace("apply", "apply -v")
    ))
    .await;
    let several = addressed(&team, "deploy").await;
    let Err(Problem::Several { name, ids }) = several else {
        panic!("{several:?}");
    };
    assert_eq!((&*name, ids.len()), ("deploy", 2));
    assert_eq!(addressed(&team, ids[0].as_str()).await, Ok(ids[0].clone()));
}

#[tokio::test]
async fn a_capability_is_a_word_and_never_an_id() {
    let (team, _) = planning().await;
    for word in ["", "all", "except", "beef", "Deploy", "two words", "0z"] {
        team.says(&DEPLOY.replace("deploy", word)).await;
        assert!(last_told(&team).contains("“capability” must be"), "{word}");
    }
    for plan in ["", "a\\nb"] {
        team.says(&DEPLOY.replace("show plan.out", plan)).await;
        assert!(last_told(&team).contains("“plan” must be"), "{plan}");
    }
    assert_eq!(team.all_cards().await.len(), 0);
}
