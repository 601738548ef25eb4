//! Who decides: three people, cards that come to each of them, two yeses, somebody who stands in.

use super::{Team, team::code_of};
use tests::servers::telegram::{Conversation, User};

/// Ann owns; Bob and Carl are operators.
async fn three() -> (Team, Conversation, Conversation) {
    let team = Team::start().await;
    let bob = joins(&team, 1002, "Bob").await;
    let carl = joins(&team, 1003, "Carl").await;
    (team, bob, carl)
}

async fn joins(team: &Team, id: i64, name: &str) -> Conversation {
    let code = code_of(&team.ask("/invite operator", "?start=").await);
    let chat = team.tg.private_chat(&User::new(id, name));
    chat.send(&format!("/start {code}"));
    chat.wait_for_text("an operator").await;
    chat
}

#[tokio::test]
async fn two_others_approve_and_every_copy_says_so() {
    let (team, bob, carl) = three().await;
    team.ask(
        "/rules add ask shell_exec echo * by two operators",
        "by 2 operators",
    )
    .await;
    bob.send("run: echo bob >> effects");
    let (at_bob, at_ann, at_carl) = (
        bob.wait_for_button("Approve").await,
        team.ann.wait_for_button("Approve").await,
        carl.wait_for_button("Approve").await,
    );
    assert!(
        at_bob.text.contains("2 operators, other than Bob"),
        "{}",
        at_bob.text
    );
    assert!(
        !at_bob.text.contains("Asked by") && at_ann.text.contains("Asked by: Bob"),
        "{}",
        at_ann.text
    );

    let tap = bob.tap(at_bob.id, "Approve");
    let said = bob.wait_for_answer(&tap).await;
    assert!(said.contains("You asked for this run"), "{said}");

    let tap = team.ann.tap(at_ann.id, "Approve");
    let said = team.ann.wait_for_answer(&tap).await;
    assert!(said.contains("number 1 of 2"), "{said}");
    let cards = [
        (&bob, at_bob.id),
        (&team.ann, at_ann.id),
        (&carl, at_carl.id),
    ];
    for (chat, card) in cards {
        let shown = chat
            .wait_for_message(|m| m.id == card && m.text.contains("1 of 2: Ann, "))
            .await;
        assert!(
            shown.button("Approve").is_some(),
            "it waits still: {}",
            shown.text
        );
    }
    let tap = team.ann.tap(at_ann.id, "Approve");
    let said = team.ann.wait_for_answer(&tap).await;
    assert!(said.contains("counted already"), "{said}");
    assert_eq!(team.effects(), 0);

    carl.tap(at_carl.id, "Approve");
    for (chat, card) in cards {
        let shown = chat
            .wait_for_message(|m| m.id == card && m.text.contains("Approved by Ann and Carl"))
            .await;
        assert!(shown.buttons().is_empty());
    }
    bob.wait_for_message(|m| m.id > at_bob.id && m.text.contains("effects"))
        .await;
    assert_eq!(team.effects(), 1);
}

#[tokio::test]
async fn who_stands_in_decides_for_the_owner_who_is_away() {
    let (team, bob, carl) = three().await;
    team.ask("/rules add ask shell_exec echo * by owner", "by owner")
        .await;
    let said = team.ask("/away 2d to carl", "away until").await;
    assert!(said.contains("Carl may decide"), "{said}");
    bob.send("run: echo bob >> effects");
    let at_bob = bob.wait_for_button("Approve").await;
    let at_carl = carl.wait_for_button("Approve").await;
    assert!(
        at_carl.text.contains("You stand in for Ann"),
        "{}",
        at_carl.text
    );
    let tap = bob.tap(at_bob.id, "Approve");
    let said = bob.wait_for_answer(&tap).await;
    assert!(said.contains("Only an owner"), "{said}");
    carl.tap(at_carl.id, "Approve");
    bob.wait_for_message(|m| m.id == at_bob.id && m.text.contains("Approved by Carl for Ann"))
        .await;
    bob.wait_for_message(|m| m.id > at_bob.id && m.text.contains("effects"))
        .await;
    assert_eq!(team.effects(), 1);

    team.ask("/back", "Welcome back").await;
    let asked = bob.send("run: echo bob >> effects");
    let at_bob = bob
        .wait_for_message(|m| m.id > asked && m.button("Deny").is_some())
        .await;
    let at_ann = team.ann.wait_for_button("Deny").await;
    assert!(at_ann.text.contains("Asked by: Bob"), "{}", at_ann.text);
    // A reply to a copy is a reason like one to the card itself.
    team.ann.reply_to(at_ann.id, "not before noon");
    bob.wait_for_message(|m| {
        m.id == at_bob.id && m.text.contains("Denied by Ann") && m.text.contains("not before noon")
    })
    .await;
    assert_eq!(team.effects(), 1);
}
