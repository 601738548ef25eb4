//! Several cards at once, and what “Always” added taken back.

use super::team::Team;
use crate::{
    Problem,
    batch::{self, Which},
    decide, modify, rules,
};
use domain::{
    approval::{ApprovalStatus, Choice, Refusal},
    id::short,
    member::Role,
};
use insta::assert_snapshot;

impl Team {
    async fn statuses(&self) -> Vec<ApprovalStatus> {
        let cards = self.all_cards().await;
        cards.iter().map(|card| card.status).collect()
    }
}

#[tokio::test]
async fn all_but_one_are_decided_by_the_same_checks() {
    let team = Team::new().await;
    let viewer = team.joins("vera", Role::Viewer).await;
    team.says("run: make one\nrun: make two\nrun: make three")
        .await;
    let cards = team.cards().await;
    let run = Which::Run(cards[0].run.clone());
    let spared = short(cards[1].id.as_str());
    let typo = batch::choose(&team.home, &team.ann, &run, &["beef00"]).await;
    assert!(matches!(
        typo,
        Err(crate::CommandError::Problem(Problem::NotFound { .. }))
    ));
    let meant = batch::choose(&team.home, &team.ann, &run, &[spared])
        .await
        .unwrap();
    let own = batch::choose(&team.home, &viewer, &Which::Own, &[])
        .await
        .unwrap();
    assert_eq!((meant.len(), own), (2, Vec::new()));
    let refused = batch::decide_all(&team.home, &viewer, &meant, &Choice::Approve)
        .await
        .unwrap();
    assert!(refused.iter().all(|came| came.refused.is_some()));
    assert_eq!(team.statuses().await, [ApprovalStatus::Pending; 3]);
    for _ in 0..2 {
        // The same message handled twice says the same.
        let came = batch::decide_all(&team.home, &team.ann, &meant, &Choice::Approve)
            .await
            .unwrap();
        assert!(came.iter().all(|came| came.refused.is_none()));
    }
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), ["make one"]);
    team.decides(Choice::Approve).await;
    assert_eq!(
        team.fakes.sandbox.started(),
        ["make one", "make two", "make three"]
    );
    assert_snapshot!(team.transcript(), @r#"
    ann> run: make one ⏎ run: make two ⏎ run: make three
    bot> [approval asked] run_command: make one
    bot> [approval asked] run_command: make two
    bot> [approval asked] run_command: make three
    bot> [3 wait]
    edit> [approved by ann] run_command: make one
    edit> [approved by ann] run_command: make three
    ann> (Approve)
    edit> [approved by ann] run_command: make two
    bot> [answered] done: ran: make one | ran: make two | ran: make three
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn a_list_is_bound_to_what_it_showed() {
    let team = Team::new().await;
    team.says("run: make one\nrun: make two").await;
    let listed = batch::choose(&team.home, &team.ann, &Which::All, &[])
        .await
        .unwrap();
    let name = batch::remember(&team.home, &listed).await.unwrap();
    let second = team.cards().await[1].id.clone();
    let tools = &team.run.tools;
    team.does(|| modify::modify(&team.home, tools, &team.ann, &second, ("make all", None)))
        .await
        .unwrap();
    team.work().await;
    let shown = batch::recall(&team.home, &name).await.unwrap();
    assert_eq!(shown, listed);
    let came = batch::decide_all(&team.home, &team.ann, &shown, &Choice::Approve)
        .await
        .unwrap();
    let refused: Vec<Option<Problem>> = came.into_iter().map(|came| came.refused).collect();
    assert_eq!(refused, [None, Some(Problem::Decision(Refusal::Changed))]);
    assert_eq!(batch::since(&team.home, &shown).await.unwrap(), []);
    assert_eq!(
        batch::since(&team.home, &shown[..1]).await.unwrap().len(),
        1
    );
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), ["make one"]);
}

#[tokio::test]
async fn always_is_taken_back_once_by_who_may_configure() {
    let team = Team::new().await;
    let otto = team.joins("otto", Role::Operator).await;
    let of_ann = || domain::permission::parse_rule("allow shell_exec make *").unwrap();
    team.does(|| rules::add(&team.home, &team.ann, of_ann()))
        .await
        .unwrap();
    team.says("run: npm a; npm b").await;
    let card = team.card().await;
    team.does(|| decide::decide(&team.home, &team.ann, &card.id, &Choice::Always, None))
        .await
        .unwrap();
    team.work().await;
    assert_eq!(rules::list(&team.home).await.unwrap().len(), 3);
    assert!(team.all_cards().await[0].standing);
    let id = card.id.as_str();
    let refused = team.does(|| rules::undo(&team.home, &otto, id)).await;
    assert!(matches!(refused, Err(Problem::NotAllowed { .. })));
    let undone = team
        .does(|| rules::undo(&team.home, &team.ann, id))
        .await
        .unwrap();
    assert_eq!(undone.rules.len(), 2);
    let again = team
        .does(|| rules::undo(&team.home, &team.ann, short(id)))
        .await
        .unwrap();
    assert_eq!(again.rules, []);
    let left = rules::list(&team.home).await.unwrap();
    assert_eq!(
        left.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["allow shell_exec “make *”"]
    );
    assert!(!team.all_cards().await[0].standing);
    team.says("run: npm a; npm b").await;
    assert_eq!(team.cards().await.len(), 1, "asked again");
    team.audit_holds().await;
}
