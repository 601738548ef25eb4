//! Rights that change while something waits: rules that become stricter, members who leave, roles that are taken away.

use super::team::Team;
use crate::rules;
use domain::{approval::Choice, member::Role, permission::parse_rule};

impl Team {
    async fn adds(&self, rule: &str) {
        let rule = || parse_rule(rule).unwrap();
        self.does(|| rules::add(&self.home, &self.ann, rule()))
            .await
            .unwrap();
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
