//! Rights that change while something waits: rules that become stricter, members who leave, roles that are taken away.

use super::{
    dying::Moment,
    team::{Ended, LEASE, Team},
};
use crate::{Problem, ask, decide, members, modify, rules};
use domain::{
    approval::{ApprovalStatus, Choice, Question, Refusal},
    id::SessionId,
    member::{Member, Role},
    permission::parse_rule,
};
use insta::assert_snapshot;
use ports::store::StoreError;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

impl Team {
    pub(super) async fn adds(&self, rule: &str) {
        let rule = || parse_rule(rule).unwrap();
        self.does(|| rules::add(&self.home, &self.ann, rule()))
            .await
            .unwrap();
    }

    async fn removes(&self, who: &Member) {
        self.does(|| members::remove(&self.home, &self.ann, &who.id))
            .await
            .unwrap();
    }

    async fn goes_away(&self, who: &Member, deputy: &str) {
        self.does(|| members::away(&self.home, &who.id, HOUR, Some(deputy)))
            .await
            .unwrap();
    }

    async fn votes(&self, who: &Member, choice: Choice) -> Result<ApprovalStatus, Problem> {
        let card = self.card().await;
        let decision = self.choose(who, &card.id, choice).await?;
        Ok(decision.approval.status)
    }
}

#[tokio::test]
async fn a_rule_that_became_stricter_asks_anew() {
    let team = Team::new().await;
    let bob = team.joins("bob", Role::Operator).await;
    let carl = team.joins("carl", Role::Owner).await;
    let dora = team.joins("dora", Role::Owner).await;
    team.says("run: deploy").await;
    let card = team.card().await;
    team.adds("ask shell_exec deploy * by 2 owners").await;
    team.choose(&bob, &card.id, Choice::Approve).await.unwrap();
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), Vec::<String>::new());
    let anew = team.card().await;
    assert_ne!(anew.id, card.id);
    assert_eq!((anew.persons, anew.approvers), (2, Role::Owner));
    for owner in [&carl, &dora] {
        team.choose(owner, &anew.id, Choice::Approve).await.unwrap();
    }
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), ["deploy"]);
    team.audit_holds().await;
}

#[tokio::test]
async fn who_is_removed_meanwhile_decides_and_changes_nothing() {
    let team = Team::new().await;
    let bob = team.joins("bob", Role::Operator).await;
    team.says("run: make").await;
    let card = team.card().await.id;
    let (yes, tools) = (Choice::Approve, &team.run.tools);
    let decision = decide::decide(&team.home, &bob, &card, &yes, None);
    let change = modify::modify(&team.home, tools, &bob, &card, ("make clean", None));
    let drafted = [decision.await.unwrap().ops, change.await.unwrap().ops];
    team.removes(&bob).await;
    for ops in drafted {
        let late = crate::commit(&team.home, ops).await;
        assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    }
    let needed = Role::Operator;
    let not_allowed = Err(Problem::Decision(Refusal::NotAllowed { needed }));
    assert_eq!(team.votes(&bob, Choice::Approve).await, not_allowed);
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), Vec::<String>::new());
}

#[tokio::test]
async fn a_deputy_of_the_requester_and_of_another_votes_for_the_other() {
    let team = Team::new().await;
    team.adds("ask shell_exec deploy * by 2 owners").await;
    let otto = team.joins("otto", Role::Operator).await;
    let carl = team.joins("carl", Role::Owner).await;
    team.says("run: deploy").await;
    for absent in [&team.ann, &carl] {
        team.goes_away(absent, "otto").await;
    }
    let first = team.votes(&otto, Choice::Approve).await;
    assert_eq!(first, Ok(ApprovalStatus::Pending));
    let vote = team.card().await.votes.remove(0);
    assert_eq!((&*vote.by.name, vote.authority()), ("otto", &carl.id));
}

#[tokio::test]
async fn the_vote_of_a_dismissed_deputy_counts_no_more() {
    let team = Team::new().await;
    team.adds("ask shell_exec deploy * by 2 owners").await;
    let otto = team.joins("otto", Role::Operator).await;
    let carl = team.joins("carl", Role::Owner).await;
    let dora = team.joins("dora", Role::Owner).await;
    team.says("run: deploy").await;
    team.goes_away(&carl, "otto").await;
    team.votes(&otto, Choice::Approve).await.unwrap();
    team.does(|| members::back(&team.home, &carl.id))
        .await
        .unwrap();
    let second = team.votes(&dora, Choice::Approve).await;
    assert_eq!(second, Ok(ApprovalStatus::Pending));
    let third = team.votes(&carl, Choice::Approve).await;
    assert_eq!(third, Ok(ApprovalStatus::Approved));
}

#[tokio::test]
async fn who_changed_the_call_is_none_of_the_two_who_approve_it() {
    let team = Team::new().await;
    team.adds("ask shell_exec deploy * by 2 operators").await;
    let bob = team.joins("bob", Role::Operator).await;
    let carl = team.joins("carl", Role::Operator).await;
    let dora = team.joins("dora", Role::Operator).await;
    team.says("run: deploy").await;
    let (card, tools) = (team.card().await.id, &team.run.tools);
    let change = || modify::modify(&team.home, tools, &bob, &card, ("deploy now", None));
    team.does(change).await.unwrap();
    team.work().await;
    let own = team.votes(&bob, Choice::Approve).await;
    assert_eq!(own, Err(Problem::Decision(Refusal::OwnChange)));
    team.goes_away(&bob, "carl").await;
    for other in [&carl, &dora] {
        team.votes(other, Choice::Approve).await.unwrap();
    }
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), ["deploy now"]);
}

#[tokio::test]
async fn that_it_happened_takes_as_many_who_agree() {
    let team = Team::new().await;
    team.adds("ask shell_exec deploy * by 2 operators").await;
    let bob = team.joins("bob", Role::Operator).await;
    let carl = team.joins("carl", Role::Operator).await;
    team.says("run: deploy").await;
    team.votes(&bob, Choice::Approve).await.unwrap();
    team.work().await;
    team.votes(&carl, Choice::Approve).await.unwrap();
    // The copies, the start, then the next model call with the result: nobody wrote down how it ended.
    team.store.die_at(3, Moment::Before);
    assert_eq!(team.work().await, Ended::Died);
    team.store.revive();
    team.waits(LEASE * 2).await;
    assert_eq!(team.card().await.question, Question::Unknown);
    let alone = team.votes(&team.ann, Choice::Happened).await;
    assert_eq!(alone, Err(Problem::Decision(Refusal::OwnRequest)));
    for (who, choice) in [(&bob, Choice::RunAgain), (&carl, Choice::Happened)] {
        let one = team.votes(who, choice).await;
        assert_eq!(one, Ok(ApprovalStatus::Pending));
    }
    let agreed = team.votes(&bob, Choice::Happened).await;
    assert_eq!(agreed, Ok(ApprovalStatus::Approved));
    team.work().await;
    assert_eq!(team.latest().await.status, domain::run::RunStatus::Answered);
}

#[tokio::test]
async fn nothing_starts_in_the_name_of_who_was_removed() {
    let team = Team::new().await;
    let bob = team.joins("bob", Role::Operator).await;
    let place = SessionId::new(&*bob.home);
    for text in ["run: make", "run: make again"] {
        team.does(|| ask::ask(&team.home, &bob, &place, text, None))
            .await
            .unwrap();
        team.work().await;
    }
    team.removes(&bob).await;
    team.votes(&team.ann, Choice::Approve).await.unwrap();
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), Vec::<String>::new());
    assert_eq!(team.cards().await, []);
    assert_snapshot!(team.transcript(), @"
    bot> @chat:bob [approval asked] run_command: make
    ann> (Approve)
    edit> @chat:bob [approved by ann] run_command: make
    bot> @chat:bob [answered] done: Not run: who asked for this run may not run anything any more.
    bot> @chat:bob [not started: NotAllowed { needed: Operator }] run: make again
    ");
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn who_was_removed_gets_no_cards_any_more() {
    let team = Team::new().await;
    team.adds("ask shell_exec deploy * by 2 operators").await;
    let bob = team.joins("bob", Role::Operator).await;
    let carl = team.joins("carl", Role::Operator).await;
    let dora = team.joins("dora", Role::Operator).await;
    team.says("run: deploy").await;
    team.removes(&bob).await;
    let viewer = Role::Viewer;
    team.put(&Member {
        role: viewer,
        ..dora.clone()
    })
    .await;
    team.transcript();
    team.votes(&carl, Choice::Approve).await.unwrap();
    team.work().await;
    assert_snapshot!(team.transcript(), @"
    carl> (Approve)
    edit> [1 of 2: carl] run_command: deploy
    edit> @chat:carl [1 of 2: carl] run_command: deploy
    ");
}
