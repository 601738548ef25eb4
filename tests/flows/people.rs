//! People and agents: a question to the person, members with roles, rules by hand.

use super::{
    Team,
    team::{code_of, short_id},
};
use tests::servers::telegram::User;

#[tokio::test]
async fn an_agent_asks_and_the_next_message_is_the_answer() {
    let team = Team::start().await;
    let question = team.ask("ask: Which colour?", "Which colour?").await;
    assert!(question.contains("assistant asks"), "{question}");
    team.ask("blue, with a bit of green", "blue, with a bit of green")
        .await;
    team.ask("/approvals", "Nothing").await;
    let again = team.ask("run: echo over", "over").await;
    assert!(!again.contains("asks"), "the question is over: {again}");
}

#[tokio::test]
async fn an_operator_runs_and_approves_but_makes_no_rules() {
    let team = Team::start().await;
    let code = code_of(&team.ask("/invite operator", "?start=").await);
    let bob = team.tg.private_chat(&User::new(1002, "Bob"));
    bob.send(&format!("/start {code}"));
    bob.wait_for_text("an operator").await;

    bob.send("run: echo bob >> effects");
    let card = bob.wait_for_button("Approve").await;
    let always = card.button("Always").map(|button| button.data.unwrap());
    if let Some(data) = always {
        let tap = bob.tap_data(card.id, &data);
        assert!(
            bob.wait_for_answer(&tap).await.contains("owner"),
            "“Always” takes an owner"
        );
    }
    bob.tap(card.id, "Approve");
    bob.wait_for_message(|m| m.id == card.id && m.text.contains("Approved by Bob"))
        .await;
    bob.wait_for_message(|m| m.id > card.id && m.text.contains("effects"))
        .await;
    assert_eq!(team.effects(), 1);
    for command in [
        "/rules add allow shell_exec rm *",
        "/invite owner",
        "/agents archive assistant",
    ] {
        let asked = bob.send(command);
        let refusal = bob.wait_for_message_after(asked).await;
        assert!(
            refusal.text.contains("owner"),
            "{command}: {}",
            refusal.text
        );
    }
    team.ask("/settings", "Bob").await;
}

#[tokio::test]
async fn an_invitation_is_for_one_person() {
    let team = Team::start().await;
    let code = code_of(&team.ask("/invite viewer", "?start=").await);
    for (id, name, expected) in [(1002, "Bob", "a viewer"), (6666, "Eve", "used")] {
        let person = team.tg.private_chat(&User::new(id, name));
        person.send(&format!("/start {code}"));
        person.wait_for_text(expected).await;
    }
    assert!(!team.ask("/settings", "Members").await.contains("Eve"));
}

#[tokio::test]
async fn rules_by_hand_allow_deny_and_go_again() {
    let team = Team::start().await;
    let added = team
        .ask("/rules add allow shell_exec touch *", "touch")
        .await;
    let rule = short_id(&added);
    let asked = team.ann.send("run: touch effects");
    let answer = team
        .ann
        .wait_for_message(|m| m.id > asked && m.text.contains("touch effects"))
        .await;
    assert!(
        answer.buttons().is_empty(),
        "a rule allows it: {}",
        answer.text
    );

    team.ask("/rules add deny shell_exec touch *", "deny").await;
    let refused = team.ask("run: touch effects", "touch effects").await;
    assert!(
        refused.contains("deny shell_exec"),
        "the rule that forbids is named: {refused}"
    );

    team.ask(&format!("/rules remove {rule}"), "gone").await;
    let left = team.ask("/rules", "deny shell_exec").await;
    assert!(!left.contains("allow shell_exec touch"), "{left}");
    team.ask("/rules add allow nonsense", "not a resource")
        .await;
    team.ask("/rules remove 000000", "no rule").await;
}

#[tokio::test]
async fn a_zone_is_chosen_and_times_are_shown_in_it() {
    let team = Team::start().await;
    team.ask("/settings zone Asia/Tokyo", "Asia/Tokyo").await;
    team.ann.send("run: touch effects");
    let card = team.ann.wait_for_button("Approve").await;
    assert!(card.text.contains("JST"), "{}", card.text);
    team.ask("/settings zone Mars/Olympus", "not a time zone")
        .await;
}
