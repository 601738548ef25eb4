//! Taps that come too late, from the wrong place or by the wrong person, and groups of strangers.

use super::Team;
use serde_json::Value;
use tests::servers::telegram::{Message, User};

/// Makes the time of the pending card run out, and the tick look now. (The shortest time that can be configured is a minute.)
fn run_out(team: &Team) {
    let over = |doc: &mut Value| doc["expires_at"] = 1.into();
    let changed = team
        .program
        .sql()
        .edit("approvals", "status = 'pending'", over);
    assert_eq!(changed, 1, "one card waits");
}

#[tokio::test]
async fn a_tap_after_the_time_is_over_decides_nothing() {
    let mut team = Team::start().await;
    team.ann.send("run: touch effects");
    let card = team.ann.wait_for_button("Approve").await;
    run_out(&team);
    let tap = team.ann.tap(card.id, "Approve");
    assert!(team.ann.wait_for_answer(&tap).await.contains("Too late"));
    assert_eq!(team.program.workspace_file("effects"), None);

    // A process that starts ticks at once.
    team.program.quiet().await;
    team.program.kill().await;
    let ticks = "UPDATE task_queue SET due = 0 WHERE name = 'tick'";
    team.program.sql().execute(ticks);
    team.program.up().await;
    let expired = team
        .ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Expired"))
        .await;
    assert!(expired.buttons().is_empty());
    team.ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("nobody decided in time"))
        .await;
    let data = card.button("Approve").unwrap().data.unwrap();
    let tap = team.ann.tap_data(card.id, &data);
    assert!(team.ann.wait_for_answer(&tap).await.contains("Too late"));
    assert_eq!(team.program.workspace_file("effects"), None);
    team.program.assert_well();
}

#[tokio::test]
async fn a_tap_on_the_card_of_an_archived_agent_is_answered() {
    let mut team = Team::start().await;
    team.ask("/agents new scout Looks around", "scout").await;
    team.ask("/agent scout", "scout now").await;
    team.ann.send("run: echo once >> effects");
    let card = team.ann.wait_for_button("Approve").await;
    team.ask("/agents archive scout", "archived").await;
    // An agent that was taken out of service does nothing more: who says yes is told so, and the card goes on waiting for a no.
    let tap = team.ann.tap(card.id, "Approve");
    let told = team.ann.wait_for_answer(&tap).await;
    assert!(told.contains("scout is archived"), "{told}");
    team.ann.tap(card.id, "Deny");
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Denied by Ann"))
        .await;
    team.ann.wait_for_text("the person denied it").await;
    assert_eq!(team.effects(), 0);
    team.ask("run: echo more", "is archived").await;
    team.program.assert_well();
}

#[tokio::test]
async fn buttons_of_other_cards_and_other_programs_decide_nothing() {
    let mut team = Team::start().await;
    team.ann.send("run: touch effects");
    let card = team.ann.wait_for_button("Approve").await;
    let data = card.button("Approve").unwrap().data.unwrap();
    let (verb_and_id, digest) = data.rsplit_once(':').unwrap();
    let other_digest: String = digest.chars().rev().collect();
    let forged = [
        format!("{verb_and_id}:{other_digest}"),
        format!("{verb_and_id}:"),
        verb_and_id.to_owned(),
        "ok::".to_owned(),
        format!("again:{}", &data[3..]),
        format!("happened:{}", &data[3..]),
        "ok:../../x:0".to_owned(),
        "x".repeat(64),
        "\u{0}".to_owned(),
    ];
    for data in forged {
        let tap = team.ann.tap_data(card.id, &data);
        assert!(
            !team.ann.wait_for_answer(&tap).await.is_empty(),
            "{data}: the person is told"
        );
    }
    assert_eq!(team.program.workspace_file("effects"), None);
    let card = team.ann.wait_for_button("Approve").await;
    assert!(!card.text.contains("Approved"), "it still waits");
    team.program.assert_well();
}

#[tokio::test]
async fn a_viewers_tap_decides_nothing() {
    let team = Team::start().await;
    let code = super::team::code_of(&team.ask("/invite viewer", "?start=").await);
    let bob = team.tg.private_chat(&User::new(1002, "Bob"));
    bob.send(&format!("/start {code}"));
    bob.wait_for_text("a viewer").await;
    let group = team.tg.group(-100_501, "Work");
    group.add_bot(&User::new(1001, "Ann"));
    let (ann, bob) = (
        group.seat(&User::new(1001, "Ann")),
        group.seat(&User::new(1002, "Bob")),
    );
    ann.send("/agent assistant run: touch effects");
    let card = ann.wait_for_button("Approve").await;
    for label in ["Approve", "Deny"] {
        let tap = bob.tap(card.id, label);
        assert!(
            bob.wait_for_answer(&tap).await.contains("operator"),
            "{label}"
        );
    }
    bob.reply_to(card.id, "no, please");
    ann.send("/approvals");
    let list = ann
        .wait_for_message(|m| m.text.contains("/deny <id>"))
        .await;
    assert!(
        list.text.contains("touch effects"),
        "it still waits: {}",
        list.text
    );
}

/// A button's data tapped where its card is not: who may not decide can't, and learns nothing; for who may, the person counts and
/// not the chat.
#[tokio::test]
async fn a_tap_in_another_chat_counts_as_its_persons() {
    let mut team = Team::start().await;
    let mut chats = Vec::new();
    for (id, name, role) in [
        (1002, "Bob", "operator"),
        (1003, "Carl", "operator"),
        (1004, "Vera", "viewer"),
    ] {
        let code = super::team::code_of(&team.ask(&format!("/invite {role}"), "?start=").await);
        let chat = team.tg.private_chat(&User::new(id, name));
        chat.send(&format!("/start {code}"));
        chat.wait_for_text(role).await;
        chats.push(chat);
    }
    let [bob, carl, vera] = chats.try_into().ok().unwrap();
    let eve = team.tg.private_chat(&User::new(6666, "Eve"));
    eve.send("hello");
    eve.wait_for_text("invitation").await;
    team.ask("/rules add ask shell_exec touch * by owner", "by owner")
        .await;
    bob.send("run: touch effects");
    let copy = team.ann.wait_for_button("Approve").await;
    team.ann.send("run: echo once >> other");
    let card = team
        .ann
        .wait_for_message(|m| m.id > copy.id && m.button("Approve").is_some())
        .await;
    let data = |card: &Message, label: &str| card.button(label).unwrap().data.unwrap();

    for label in ["Approve", "Deny"] {
        for (card, needed) in [(&copy, "owner"), (&card, "operator")] {
            // In chats that have no such card, at a message of theirs with the same number or with none.
            for (chat, refusal) in [(&eve, "Only members of the team"), (&vera, needed)] {
                let before = chat.messages().len();
                let tap = chat.tap_data(card.id, &data(card, label));
                let told = chat.wait_for_answer(&tap).await;
                assert!(told.contains(refusal), "{label}: {told}");
                assert_eq!(chat.messages().len(), before, "{}", chat.transcript());
            }
        }
        // Ann's private copy, tapped from elsewhere: by the one who asked, and by another operator.
        for chat in [&bob, &carl] {
            let tap = chat.tap_data(copy.id, &data(&copy, label));
            let told = chat.wait_for_answer(&tap).await;
            assert!(told.contains("Only an owner"), "{label}: {told}");
        }
    }
    // In Ann's chat, where Carl can't see it: his role may decide it, and the card says that he did.
    let tap = carl.tap_data(copy.id, &data(&card, "Deny"));
    assert!(carl.wait_for_answer(&tap).await.contains("Denied"));
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Denied by Carl"))
        .await;
    assert!(
        carl.messages().iter().all(|m| !m.text.contains("other")),
        "{}",
        carl.transcript()
    );
    let waits = team.ann.wait_for_button("Approve").await;
    assert_eq!(waits.id, copy.id, "the other one waits");
    assert_eq!(team.program.workspace_file("effects"), None);
    assert_eq!(team.program.workspace_file("other"), None);
    team.program.assert_well();
}

#[tokio::test]
async fn a_group_of_strangers_is_left() {
    let mut team = Team::start().await;
    let eve = User::new(6666, "Eve");
    let group = team.tg.group(-100_666, "Strangers");
    let seat = group.seat(&eve);
    group.add_bot(&eve);
    seat.wait_for_text("so I leave").await;
    team.tg
        .wait_for(|view| {
            view.requests()
                .iter()
                .any(|r| r.method == "leaveChat" && r.outcome.as_deref() == Some("ok"))
                .then_some(())
        })
        .await;
    assert!(!group.has_bot());
    let runs = team.program.run(&["runs", "list", "--json"]).await.1;
    assert_eq!(runs.trim(), "[]", "nobody's words started anything");
    team.ask("run: echo fine", "fine").await;
    team.program.assert_well();
}
