//! What is remembered: by whom, for whom, and what came from outside.

use super::{
    dying::Moment,
    rehearsal::told,
    team::{Ended, LEASE, Team, member},
};
use crate::{
    ask, commit_with,
    memory::{self, Whose},
    rules, sessions,
};
use domain::{
    approval::Choice,
    id::SessionId,
    member::{Member, Role},
    memory::{HEAD, Layer},
    message::Message,
    permission::parse_rule,
    run::Event,
};
use serde_json::json;

fn remember(layer: &str, text: &str) -> String {
    let arguments = json!({"layer": layer, "text": text});
    format!("call: remember = {arguments}")
}

async fn rule(team: &Team, text: &str) {
    let rule = parse_rule(text).unwrap();
    team.does(|| rules::add(&team.home, &team.ann, rule.clone()))
        .await
        .unwrap();
}

/// What the latest run was told of memories before its prompt.
fn at_hand(team: &Team) -> String {
    let request = team.model.requests().pop().unwrap();
    let texts = request.messages.iter().filter_map(|message| match message {
        Message::User { text } => text.head().strip_prefix(HEAD),
        _ => None,
    });
    texts.collect::<String>().trim().to_owned()
}

/// Somebody writes in their own chat, or in a group.
async fn says(team: &Team, who: &Member, place: &str, text: &str) {
    let session = SessionId::new(place);
    commit_with(&team.home, || {
        ask::ask(&team.home, who, &session, text, None)
    })
    .await
    .unwrap();
    team.work().await;
}

/// A member whose own chat is one with the bot alone.
async fn joins(team: &Team, name: &str) -> Member {
    let member = member(name, Role::Operator, &format!("chat:{name}"));
    team.put(&member).await;
    member
}

#[tokio::test]
async fn what_one_run_remembers_the_next_one_knows() {
    let team = Team::new().await;
    team.says(&remember("session", "Invoices go into out/."))
        .await;
    let card = team.card().await;
    insta::assert_snapshot!(
        format!("{}\n{}\n{}\n{}\n{}", card.shown.what, card.shown.diff, card.shown.impact, card.shown.rollback, card.shown.because),
        @r#"
    Remember for this conversation: Invoices go into out/.
    +- Invoices go into out/.
    Later tasks of this conversation will know it. The file has 25 bytes then.
    /memory session undo
    no rule speaks about the memory “session”
    "#
    );
    team.decides(Choice::Approve).await;
    team.says(&remember("agent", "Ann is the treasurer.")).await;
    team.decides(Choice::Always).await;
    team.says(&remember("agent", "Tuesday is closed.")).await;
    team.says("say: hello").await;
    insta::assert_snapshot!(at_hand(&team), @r#"
    ## session: this conversation
    - Invoices go into out/.

    ## agent: you, whoever you work for
    - Ann is the treasurer.
    - Tuesday is closed.
    "#);
    team.says(r#"call: recall = {"query": "closed"}"#).await;
    insta::assert_snapshot!(told(&team.model.requests().pop().unwrap()).join("\n"), @r#"
    ## agent: you, whoever you work for
    - Tuesday is closed.
    "#);
    insta::assert_snapshot!(team.transcript(), @r#"
    ann> call: remember = {"layer":"session","text":"Invoices go into out/."}
    bot> [approval asked] remember: Remember for this conversation: Invoices go into out/.
    ann> (Approve)
    edit> [approved by ann] remember: Remember for this conversation: Invoices go into out/.
    bot> [answered] done: Remembered (session):
    +- Invoices go into out/.
    ann> call: remember = {"layer":"agent","text":"Ann is the treasurer."}
    bot> [approval asked] remember: Remember for this agent: Ann is the treasurer.
    ann> (Always)
    edit> [approved by ann] remember: Remember for this agent: Ann is the treasurer.
    bot> [answered] done: Remembered (agent):
    +- Ann is the treasurer.
    ann> call: remember = {"layer":"agent","text":"Tuesday is closed."}
    bot> [answered] done: Remembered (agent):
    +- Tuesday is closed.
    ann> say: hello
    bot> [answered] hello
    ann> call: recall = {"query": "closed"}
    bot> [answered] done: ## agent: you, whoever you work for
    - Tuesday is closed.
    "#);
    let events = team.events(&team.latest().await.id).await;
    let is_tainted = |event: &Event| matches!(event, Event::CallFinished { taint: Some(_), .. });
    assert!(!events.iter().any(is_tainted));
    // The conversation's own goes with the conversation, the agent's stays.
    team.does(|| sessions::renew(&team.home, &team.ann, &team.session))
        .await
        .unwrap();
    team.says("say: hello").await;
    insta::assert_snapshot!(at_hand(&team), @r#"
    ## agent: you, whoever you work for
    - Ann is the treasurer.
    - Tuesday is closed.
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn a_members_memory_is_theirs_alone() {
    let team = Team::new().await;
    rule(&team, "allow memory").await;
    let (bob, cid) = (joins(&team, "bob").await, joins(&team, "cid").await);
    says(
        &team,
        &bob,
        "chat:bob",
        &remember("member", "Bob likes tables."),
    )
    .await;
    says(&team, &bob, "chat:bob", "say: hello").await;
    assert!(at_hand(&team).contains("Bob likes tables."));
    for (who, place) in [
        (&cid, "chat:cid"),
        (&team.ann, "chat:1"),
        (&cid, "chat:group"),
        (&bob, "chat:group"),
    ] {
        says(&team, who, place, r#"call: recall = {"query": ""}"#).await;
        let request = team.model.requests().pop().unwrap();
        let all = serde_json::to_string(&request.messages).unwrap();
        assert!(!all.contains("tables"), "{} at {place}: {all}", who.name);
    }
    // Where others read along, nobody's own is written either.
    says(
        &team,
        &bob,
        "chat:group",
        &remember("member", "Bob is ill."),
    )
    .await;
    let request = team.model.requests().pop().unwrap();
    insta::assert_snapshot!(told(&request).last().unwrap(), @"What is remembered about a member is theirs alone: it is there in their own chat, not where others read along.");
    let layer = Layer::Member(bob.id.clone());
    for other in [&team.ann, &cid] {
        assert!(
            team.does(|| memory::set(&team.home, other, &layer, ""))
                .await
                .is_err()
        );
        assert!(
            team.does(|| memory::undo(&team.home, other, &layer))
                .await
                .is_err()
        );
        assert!(memory::history(&team.home, other, &layer).await.is_err());
    }
    let whose = Whose::of_run(
        (&SessionId::new("chat:group"), 1),
        &"assistant".into(),
        &bob.id,
    );
    assert!(whose.layer("member").is_err() && whose.layers().len() == 2);
    team.is_quiet();
}

#[tokio::test]
async fn what_comes_from_outside_asks_says_so_and_taints_again() {
    let team = Team::new().await;
    rule(&team, "allow memory").await;
    team.workspace().put("notes.md", "The port is 8080.\n");
    team.says(&format!(
        "read: notes.md\nthen\n{}",
        remember("agent", "The port is 8080.")
    ))
    .await;
    let card = team.card().await;
    assert!(
        card.always.is_empty() && card.shown.tainted_by == ["notes.md"],
        "{:?}",
        card.shown
    );
    insta::assert_snapshot!(card.shown.diff, @"+- The port is 8080. [from outside: notes.md]");
    team.decides(Choice::Approve).await;
    // In another conversation, of somebody else: it is not at hand, and who recalls it is tainted.
    let bob = joins(&team, "bob").await;
    let prompt = format!(
        "call: recall = {{\"query\": \"port\"}}\nthen\n{}",
        remember("member", "8080 is the port.")
    );
    says(&team, &bob, "chat:bob", &prompt).await;
    insta::assert_snapshot!(at_hand(&team), @r#"
    ## agent: you, whoever you work for

    (1 more: recall finds them)
    "#);
    let card = team.card().await;
    insta::assert_snapshot!(format!("{}\n{}", card.shown.tainted_by.join(", "), card.shown.diff), @r#"
    notes.md
    +- 8080 is the port. [from outside: notes.md]
    "#);
    team.decides(Choice::Deny {
        reason: String::new(),
    })
    .await;
    // Without looking there, nothing is tainted.
    says(&team, &bob, "chat:2", &remember("session", "hello")).await;
    assert_eq!(team.cards().await.len(), 0);
    team.is_quiet();
}

#[tokio::test]
async fn people_edit_memories_and_take_changes_back() {
    let team = Team::new().await;
    let layer = Layer::Agent("assistant".into());
    let (home, ann) = (&team.home, &team.ann);
    team.does(|| memory::set(home, ann, &layer, "# Team\n- a\n"))
        .await
        .unwrap();
    team.does(|| memory::add(home, ann, &layer, "b"))
        .await
        .unwrap();
    let long = "- something\n".repeat(1500);
    team.does(|| memory::set(home, ann, &layer, &long))
        .await
        .unwrap();
    assert_eq!(
        memory::show(home, &layer).await.unwrap().text,
        long.trim_end()
    );
    let too_long = long.repeat(3);
    assert!(
        team.does(|| memory::set(home, ann, &layer, &too_long))
            .await
            .is_err()
    );
    let mut said = String::new();
    for _ in 0..4 {
        let undone = team.does(|| memory::undo(home, ann, &layer)).await;
        let text = memory::show(home, &layer).await.unwrap().text;
        said.push_str(&format!(
            "{:?}\n{text}\n---\n",
            undone.map(|written| written.undoes)
        ));
    }
    insta::assert_snapshot!(said, @r#"
    Ok(Some(3))
    # Team
    - a
    - b

    ---
    Ok(Some(2))
    # Team
    - a
    ---
    Ok(Some(1))

    ---
    Err(Invalid("Nothing was changed there that could be taken back."))

    ---
    "#);
    let viewer = member("eve", Role::Viewer, "chat:eve");
    assert!(
        team.does(|| memory::set(home, &viewer, &layer, ""))
            .await
            .is_err()
    );
    let past = memory::history(home, ann, &layer).await.unwrap();
    let deeds: Vec<&str> = past.iter().map(|past| past.deed.as_str()).collect();
    assert_eq!(
        deeds,
        [
            "changed", "changed", "changed", "undone", "undone", "undone"
        ]
    );
    team.audit_holds().await;
}

/// The process dies at each commit of a run that remembers: in the end it stands there once.
#[tokio::test]
async fn it_is_remembered_once_whenever_the_process_dies() {
    for moment in [Moment::Before, Moment::After] {
        for commit in 1.. {
            assert!(commit < 20, "it never ends");
            let team = Team::new().await;
            rule(&team, "allow memory").await;
            let prompt = format!(
                "{}\nthen\nsay: thanks",
                remember("agent", "Tuesday is closed.")
            );
            team.writes(&prompt).await.unwrap();
            team.store.die_at(commit, moment);
            let died = team.work().await == Ended::Died;
            team.store.revive();
            team.waits(LEASE * 2).await;
            let memory = memory::show(&team.home, &Layer::Agent("assistant".into())).await;
            assert_eq!(
                memory.unwrap().text,
                "- Tuesday is closed.\n",
                "commit {commit}"
            );
            assert_eq!(team.all_cards().await.len(), 0);
            if !died {
                break;
            }
        }
    }
}
