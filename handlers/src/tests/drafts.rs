//! Agents from plain words: the draft is a call like any other that needs an owner's yes.

use super::{
    dying::Moment,
    team::{Ended, LEASE, Team, alone},
};
use domain::{
    Micros,
    approval::{Approval, Choice},
    member::Role,
    run::RunStatus,
};
use serde_json::json;
use std::time::Duration;

fn call(name: &str, more: serde_json::Value) -> String {
    let mut draft = json!({
        "name": name, "description": "Reviews our PRs.", "system_prompt": "You review.\nCall finish.", "tier": "strong",
        "preset": "read-only",
    });
    draft
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    format!("call: create_agent = {draft}")
}

#[tokio::test]
async fn the_card_shows_the_draft_and_what_it_could_do_and_that_is_made() {
    let team = Team::new().await;
    team.says("run: ls\nrun: rm x").await;
    team.decides(Choice::Approve).await;
    team.says(&call("reviewer", json!({}))).await;
    let card = team.card().await;
    assert_eq!(card.approvers, Role::Owner);
    assert_eq!(card.always, []);
    insta::assert_snapshot!(card.shown.what, @r#"
    reviewer — Reviews our PRs.
    Model: strong · preset: read-only

    Allowed: list_files, read_file, run_command (git log), search_files
    Denied: create_agent, create_skill, edit_file, remember (session; agent; member), run_command (cargo test; make; git commit -m x; git push; rm notes.md; curl https://example.org), write_file
    Of the latest 2 calls here: 1 allowed, 0 asked, 1 denied

    You review.
    Call finish.
    "#);
    assert!(crate::agents::find(&team.home, "reviewer").await.is_err());
    team.decides(Choice::Approve).await;
    let mut agent = crate::agents::find(&team.home, "reviewer")
        .await
        .unwrap()
        .value;
    // Each look at the clock counts, also those of whoever starts this world.
    (agent.created_at, agent.updated_at) = (Micros(1), Micros(2));
    insta::assert_snapshot!(serde_json::to_string(&agent).unwrap(), @r#"{"id":"reviewer","name":"reviewer","description":"Reviews our PRs.","system_prompt":"You review.\nCall finish.","model":"strong","provider":"tier","fallbacks":[],"skills":[],"knowledge_ids":[],"permissions":{"preset":"read-only","rules":[]},"metadata":{},"status":"active","version":1,"created_at":1,"updated_at":2}"#);
    let past = crate::agents::history(&team.home, alone(&team.ann), "reviewer")
        .await
        .unwrap();
    assert_eq!((past.len(), past[0].by.as_str()), (1, "ann"));
    team.audit_holds().await;
    team.is_quiet();
}

#[tokio::test]
async fn what_is_wrong_with_a_draft_the_model_is_told_and_nobody_is_asked() {
    let team = Team::new().await;
    let mut said = Vec::new();
    for more in [
        json!({"name": "Not A Name"}),
        json!({"name": "coder"}),
        json!({"name": "undo"}),
        json!({"preset": "godlike"}),
        json!({"colour": "blue"}),
        json!({"knowledge": ["handbook"]}),
        json!({"skills": ["flying"]}),
        json!({"system_prompt": " "}),
        json!({"template": "nobody"}),
        json!({"tier": "huge"}),
    ] {
        team.transcript();
        team.says(&call("x", more)).await;
        assert_eq!(team.cards().await, []);
        let transcript = team.transcript();
        said.push(transcript.lines().last().unwrap_or_default().to_owned());
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    bot> [answered] done: Not run: “Not A Name” is not a name: use 1 to 40 of a-z, 0-9 and -, not starting with -.
    bot> [answered] done: Not run: “coder” is the name of another agent already.
    bot> [answered] done: Not run: “undo” can’t be an agent’s name: it is a word of the command /agent.
    bot> [answered] done: Not run: there is no preset “godlike”; there are ask-first, read-only, development, full-access.
    bot> [answered] done: Not run: the draft is wrong: unknown field `colour`, expected one of `name`, `description`, `system_prompt`, `tier`, `preset`, `skills`, `knowledge`, `template`.
    bot> [answered] done: Not run: there is no collection “handbook”; there are: .
    bot> [answered] done: Not run: there is no skill “flying”.
    bot> [answered] done: Not run: the draft is wrong: system_prompt is empty.
    bot> [answered] done: Not run: the draft is wrong: there is no template “nobody”.
    bot> [answered] done: Not run: the draft is wrong: unknown variant `huge`, expected one of `fast`, `standard`, `strong`.
    "#);
}

#[tokio::test]
async fn who_makes_agents_is_not_among_the_calls_that_are_counted() {
    let team = Team::new().await;
    team.says("run: ls\nrun: rm x").await;
    team.decides(Choice::Approve).await;
    for name in ["reviewer", "poet"] {
        team.says(&call(name, json!({}))).await;
        let shown = team.card().await.shown.what;
        assert!(shown.contains("Of the latest 2 calls here:"), "{shown}");
        team.decides(Choice::Stop).await;
    }
}

#[tokio::test]
async fn a_draft_is_asked_again_when_the_rules_change_what_it_could_do() {
    let team = Team::new().await;
    team.says(&call("reviewer", json!({}))).await;
    let card = team.card().await;
    let rule = domain::permission::parse_rule("allow shell_exec make *").unwrap();
    team.does(|| crate::rules::add(&team.home, &team.ann, rule.clone()))
        .await
        .unwrap();
    team.decides(Choice::Approve).await;
    let again = team.card().await;
    assert_ne!((&again.id, &again.digest), (&card.id, &card.digest));
    assert!(again.shown.what.contains("Allowed") && again.shown.what.contains("make"));
    assert!(crate::agents::find(&team.home, "reviewer").await.is_err());
    team.decides(Choice::Stop).await;
    assert_eq!(team.latest().await.status, RunStatus::Denied);
    assert!(crate::agents::find(&team.home, "reviewer").await.is_err());
    team.is_quiet();
}

#[tokio::test]
async fn only_an_owner_decides_and_no_rule_lets_it_happen() {
    let team = Team::new().await;
    let bob = team.joins("bob", Role::Operator).await;
    let rule = domain::permission::parse_rule("allow self_change").unwrap();
    team.does(|| crate::rules::add(&team.home, &team.ann, rule.clone()))
        .await
        .unwrap();
    let (session, text) = ("chat:bob".into(), call("bobs", json!({})));
    team.does(|| crate::ask::ask(&team.home, &bob, &session, &text, None))
        .await
        .unwrap();
    team.work().await;
    let card: Approval = team.card().await;
    assert!(team.choose(&bob, &card.id, Choice::Approve).await.is_err());
    team.decides(Choice::Approve).await;
    let past = crate::agents::history(&team.home, alone(&team.ann), "bobs")
        .await
        .unwrap();
    assert_eq!(past[0].by, "ann");
}

#[tokio::test]
async fn it_is_made_once_wherever_the_process_dies() {
    for commit in 0..10 {
        for moment in [Moment::Before, Moment::After] {
            let team = Team::new().await;
            team.says(&call("reviewer", json!({}))).await;
            let card = team.card().await;
            team.choose(&team.ann, &card.id, Choice::Approve)
                .await
                .unwrap();
            team.store.die_at(commit, moment);
            while team.work().await == Ended::Died {
                team.store.revive();
                team.fakes.clock.advance(LEASE + Duration::from_secs(1));
            }
            let at = format!("{moment:?} commit {commit}");
            let past = crate::agents::history(&team.home, alone(&team.ann), "reviewer").await;
            assert_eq!(past.unwrap().len(), 1, "{at}");
            assert_eq!(team.latest().await.status, RunStatus::Answered, "{at}");
        }
    }
}
