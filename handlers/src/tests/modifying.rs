//! A person changes a call instead of only saying yes or no.

use super::{rehearsal::told, team::Team};
use crate::{Problem, decide, modify, rules};
use domain::{
    approval::{Approval, ApprovalStatus, Choice, Refusal},
    id::ApprovalId,
    member::{Member, Role},
    permission::parse_rule,
};
use insta::assert_snapshot;

impl Team {
    async fn modifies(
        &self,
        who: &Member,
        id: &ApprovalId,
        text: &str,
    ) -> Result<Approval, Problem> {
        let tools = &self.run.tools;
        self.does(|| modify::modify(&self.home, tools, who, id, (text, None)))
            .await
    }

    pub(super) async fn rule(&self, rule: &str) {
        let rule = || parse_rule(rule).unwrap();
        self.does(|| rules::add(&self.home, &self.ann, rule()))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_changed_call_needs_a_yes_of_its_own() {
    let team = Team::new().await;
    team.says("run: rm -r build").await;
    let first = team.card().await;
    team.modifies(&team.ann, &first.id, "rm -r build/cache")
        .await
        .unwrap();
    // Nobody has judged it yet: neither the old nor the new call can be approved.
    let early = team.choose(&team.ann, &first.id, Choice::Approve).await;
    assert_eq!(early, Err(Problem::Decision(Refusal::Changed)));
    team.work().await;
    let second = team.card().await;
    assert_eq!(
        (team.all_cards().await.len(), &second.id),
        (1, &first.id),
        "the same card"
    );
    assert_ne!(second.digest, first.digest);
    let change = second.change.clone().unwrap();
    assert_eq!((&*change.by, &*change.was), ("ann", "rm -r build"));
    // A button of the old card.
    let old = Some(first.digest.short());
    let late = team
        .does(|| decide::decide(&team.home, &team.ann, &first.id, &Choice::Approve, old))
        .await;
    assert_eq!(late, Err(Problem::Decision(Refusal::Changed)));
    assert_eq!(team.fakes.sandbox.started(), Vec::<String>::new());
    team.decides(Choice::Approve).await;
    assert_eq!(team.fakes.sandbox.started(), ["rm -r build/cache"]);
    assert_snapshot!(told(team.model.requests().last().unwrap()).join("\n"), @r#"
    [A person changed this call before they decided about it. Its arguments were: {"command":"rm -r build/cache"}]
    ran: rm -r build/cache
    "#);
    assert_snapshot!(team.transcript(), @r#"
    ann> run: rm -r build
    bot> [approval asked] run_command: rm -r build
    ann> (Approve)
    edit> [changed by ann] run_command: rm -r build/cache
    ann> (Approve)
    edit> [approved by ann] run_command: rm -r build/cache
    bot> [answered] done: [A person changed this call before they decided about it. Its arguments were: {"command":"rm -r build/cache"}]
    ran: rm -r build/cache
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn what_a_rule_would_allow_is_asked_about_when_a_person_wrote_it() {
    let team = Team::new().await;
    team.rule("allow shell_exec ls *").await;
    team.says("run: make").await;
    let card = team.card().await;
    team.modifies(&team.ann, &card.id, "ls -l").await.unwrap();
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), Vec::<String>::new());
    let card = team.card().await;
    assert!(
        card.shown.because.starts_with("a person changed it; rule "),
        "{}",
        card.shown.because
    );
    assert_eq!(card.always, []);
    team.decides(Choice::Approve).await;
    assert_eq!(team.fakes.sandbox.started(), ["ls -l"]);
}

#[tokio::test]
async fn a_change_that_cannot_be_done_is_taken_back() {
    let team = Team::new().await;
    team.rule("deny shell_exec rm *").await;
    team.says("run: make").await;
    let card = team.card().await;
    team.modifies(&team.ann, &card.id, "rm -r /").await.unwrap();
    team.work().await;
    let again = team.card().await;
    assert_eq!(
        (&again.id, &again.digest, &again.change),
        (&card.id, &card.digest, &None)
    );
    team.decides(Choice::Approve).await;
    assert_eq!(team.fakes.sandbox.started(), ["make"]);
    assert_snapshot!(told(team.model.requests().last().unwrap()).join("\n"), @"ran: make");
    assert_snapshot!(team.transcript(), @r#"
    ann> run: make
    bot> [approval asked] run_command: make
    bot> [change refused] rule 00000000000000000000000000000003: deny shell_exec “rm *” (about “rm -r /”)
    edit> [changed by nobody] run_command: make
    ann> (Approve)
    edit> [approved by ann] run_command: make
    bot> [answered] done: ran: make
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

/// What the agent proposed became forbidden too while it waited: nothing is left to decide.
#[tokio::test]
async fn a_change_of_what_is_forbidden_meanwhile_ends_the_card() {
    let team = Team::new().await;
    team.says("run: make").await;
    let card = team.card().await;
    team.rule("deny shell_exec *").await;
    team.modifies(&team.ann, &card.id, "ls").await.unwrap();
    team.work().await;
    assert_eq!(team.all_cards().await[0].status, ApprovalStatus::Withdrawn);
    assert_snapshot!(team.transcript(), @r#"
    ann> run: make
    bot> [approval asked] run_command: make
    bot> [change refused] rule 0000000000000000000000000000000c: deny shell_exec (about “ls”)
    edit> [withdrawn by nobody] run_command: make
    bot> [answered] done: Not run: rule 0000000000000000000000000000000c: deny shell_exec (about “make”).
    "#);
    team.is_quiet();
}

#[tokio::test]
async fn a_change_that_is_none_says_so_and_nothing_happens() {
    let team = Team::new().await;
    let viewer = team.joins("vera", Role::Viewer).await;
    team.workspace().put("a.txt", "one two");
    team.says(r#"call: edit_file = {"path": "a.txt", "old": "two", "new": "three"}"#)
        .await;
    let card = team.card().await;
    let before = team.fakes.store.commits();
    let mut said = Vec::new();
    for text in [
        r#"{"path": "a.txt", "old": "two"}"#,
        r#"{"path": "a.txt", "old": "two", "new": "x", "mode": 7}"#,
        r#"{"path": "../a.txt", "old": "two", "new": "x"}"#,
        r#"{"path": 5, "old": "two", "new": "x"}"#,
        "three",
    ] {
        let refused = team.modifies(&team.ann, &card.id, text).await.unwrap_err();
        let Problem::Invalid(sentence) = refused else {
            panic!("{refused:?}")
        };
        said.push(sentence);
    }
    assert_snapshot!(said.join("\n"), @r#"
    “new” is missing.
    There is no argument “mode”; there are: new, old, path.
    “../a.txt” is outside the workspace
    “path” must be of type string.
    That is what the call says already.
    "#);
    let refused = team.modifies(&viewer, &card.id, "four").await;
    let needed = Role::Operator;
    assert_eq!(
        refused,
        Err(Problem::Decision(Refusal::NotAllowed { needed }))
    );
    assert_eq!(team.fakes.store.commits(), before, "nothing changed");
    assert_eq!(team.card().await, card);

    // It could be done as far as anybody can tell without looking at the file.
    team.modifies(
        &team.ann,
        &card.id,
        r#"{"path": "a.txt", "old": "five", "new": "x"}"#,
    )
    .await
    .unwrap();
    team.work().await;
    assert_eq!(team.card().await.digest, card.digest);
    team.modifies(&team.ann, &card.id, "four").await.unwrap();
    team.work().await;
    team.decides(Choice::Approve).await;
    assert_eq!(team.workspace().text("a.txt").as_deref(), Some("one four"));
    let late = team.modifies(&team.ann, &card.id, "five").await;
    let approved = Refusal::Settled(ApprovalStatus::Approved);
    assert_eq!(late, Err(Problem::Decision(approved)));
    team.is_quiet();
}

/// The run ends while a change waits to be judged: the card goes with it.
#[tokio::test]
async fn a_cancelled_run_takes_a_changed_card_along() {
    let team = Team::new().await;
    team.says("run: make").await;
    let card = team.card().await;
    team.modifies(&team.ann, &card.id, "make all")
        .await
        .unwrap();
    let run = team.latest().await.id;
    team.does(|| crate::cancel::cancel(&team.home, &team.ann, &run))
        .await
        .unwrap();
    team.work().await;
    assert_eq!(team.all_cards().await[0].status, ApprovalStatus::Withdrawn);
    team.is_quiet();
}
