//! The inbox and the outbox from the outside: floods, outages, rates, poisoned updates, other tokens, and how the process stops.

use super::Team;
use serde_json::Value;
use std::time::Duration;
use tests::servers::telegram::{FakeTelegram, Fault, Options, User};

#[tokio::test]
async fn a_flood_from_one_chat_delays_nobody_else() {
    let mut team = Team::start().await;
    let code = super::team::code_of(&team.ask("/invite operator", "?start=").await);
    let bob = team.tg.private_chat(&User::new(1002, "Bob"));
    bob.send(&format!("/start {code}"));
    bob.wait_for_text("an operator").await;
    team.tg.hold_updates();
    for _ in 0..1000 {
        team.ann.send("/cost");
    }
    let asked = bob.send("/agents");
    team.tg.release_updates();
    bob.wait_for_message(|m| m.id > asked && m.is_bots() && m.text.contains("coder"))
        .await;
    let rates = team.tg.rates();
    assert!(rates.per_second <= 30, "{rates:?}");
    let answered = team.ann.messages().iter().filter(|m| m.is_bots()).count();
    assert!(answered < 100, "Ann’s are still on their way: {answered}");
    team.program.assert_well();
}

#[tokio::test]
async fn a_group_gets_no_more_than_telegram_allows() {
    let mut team = Team::start().await;
    let ann = User::new(1001, "Ann");
    let group = team.tg.group(-100_700, "Work");
    group.add_bot(&ann);
    let seat = group.seat(&ann);
    seat.wait_for_text("Hello").await;
    for _ in 0..30 {
        seat.send("/help@fake_test_bot");
    }
    // The one who waits behind the group’s minute keeps nobody else waiting.
    team.tg
        .wait_for(|view| {
            let said = view.messages(-100_700).iter().filter(|m| m.is_bots());
            (said.count() == 20).then_some(())
        })
        .await;
    team.ask("/agents", "coder").await;
    let rates = team.tg.rates();
    assert_eq!(rates.per_group_minute, 20, "{rates:?}");
    team.program.assert_well();
}

#[tokio::test]
async fn a_card_says_that_taps_may_be_lost_after_an_outage() {
    let mut team = Team::start().await;
    team.ann.send("run: echo once >> effects");
    let card = team.ann.wait_for_button("Approve").await;
    team.program.quiet().await;
    team.program.kill().await;
    team.ann.tap(card.id, "Approve");
    // Telegram keeps a tap for 150 s.
    team.tg.advance(Duration::from_secs(600));
    let earlier =
        |doc: &mut Value| doc["value"] = (doc["value"].as_i64().unwrap() - 600_000_000).into();
    let heard = team
        .program
        .sql()
        .edit("settings", "id LIKE 'heard.%'", earlier);
    assert_eq!(heard, 1);
    team.program.up().await;
    let told = team
        .ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("tap again"))
        .await;
    assert!(told.text.contains("was away from"), "{}", told.text);
    assert_eq!(
        told.button("Approve").unwrap().data,
        card.button("Approve").unwrap().data
    );
    assert_eq!(team.effects(), 0);
    let later = team
        .ann
        .messages()
        .into_iter()
        .filter(|m| m.is_bots() && m.id > card.id);
    assert_eq!(later.count(), 0, "it is not posted again");
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id > card.id && m.is_bots() && m.text.contains("once >> effects"))
        .await;
    assert_eq!(team.effects(), 1);
    team.program.assert_well();
}

#[tokio::test]
async fn a_card_that_was_deleted_and_still_waits_is_sent_anew_after_an_outage() {
    let mut team = Team::start().await;
    team.ann.send("run: echo once >> effects");
    let card = team.ann.wait_for_button("Approve").await;
    team.program.quiet().await;
    team.program.kill().await;
    let long_ago = |doc: &mut Value| doc["value"] = 1.into();
    let heard = team
        .program
        .sql()
        .edit("settings", "id LIKE 'heard.%'", long_ago);
    assert_eq!(heard, 1);
    let gone = "Bad Request: message to edit not found".to_owned();
    team.tg.inject("editMessageText", Fault::Error(400, gone));
    team.program.up().await;
    let anew = team
        .ann
        .wait_for_message(|m| m.id > card.id && m.button("Approve").is_some())
        .await;
    team.ann.tap(anew.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id == anew.id && m.text.contains("Approved by Ann"))
        .await;
    team.program.effects("effects", 1).await;
    team.program.assert_well();
}

#[tokio::test]
async fn whoever_blocked_the_bot_leaves_an_undeliverable_card() {
    let mut team = Team::start().await;
    for (fault, place) in [(Fault::Blocked, 1), (Fault::ChatNotFound, 2)] {
        let code = super::team::code_of(&team.ask("/invite operator", "?start=").await);
        let bob = team.tg.private_chat(&User::new(1002 + place, "Bob"));
        bob.send(&format!("/start {code}"));
        bob.wait_for_text("an operator").await;
        let asked = team.ann.messages().last().map_or(0, |m| m.id);
        team.tg.inject("sendMessage", fault);
        let said = bob.send("run: echo bob >> effects");
        team.ann
            .wait_for_message(|m| m.id > asked && m.text.contains("could not be delivered"))
            .await;
        // What comes of the run; the next fault is not for it.
        bob.wait_for_message(|m| m.id > said && m.is_bots() && !m.silent)
            .await;
    }
    let (_, all, _) = team.program.run(&["approvals", "list", "--all"]).await;
    assert_eq!(
        all.matches("undeliverable").count(),
        2,
        "{all}\n{}",
        team.ann.transcript()
    );
    assert_eq!(team.effects(), 0);
    team.program.assert_well();
}

#[tokio::test]
async fn a_poisoned_update_is_set_aside_and_the_owner_hears_of_it() {
    let mut team = Team::start().await;
    team.program.quiet().await;
    team.program.kill().await;
    let asked = team.ann.send("/help");
    // What it was is lost: no attempt to read it can succeed.
    let poison = "INSERT INTO task_queue (id, team, name, lane, serial, priority, payload, due)
        VALUES ('in:poison', 'home', 'update', 'front:telegram', 'in:telegram:1001', 0,
            '{\"surface\":\"telegram\",\"session\":\"telegram:1001\",\"received_at\":1,\"raw\":\"blob:0000000000000000000000000000000000000000000000000000000000000000\"}', 1)";
    assert_eq!(team.program.sql().execute(poison), 1);
    team.program.up().await;
    // What only time would do: its next attempts are due at once.
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..4000 {
        looks.tick().await;
        let due =
            "UPDATE task_queue SET due = 1 WHERE id = 'in:poison' AND NOT set_aside AND due > 1";
        team.program.sql().execute(due);
        let aside = "SELECT count(*) FROM task_queue WHERE id = 'in:poison' AND set_aside";
        if team.program.sql().number(aside) == 1 {
            break;
        }
    }
    team.ann.wait_for_text("set aside").await;
    team.ann
        .wait_for_message(|m| m.id > asked && m.is_bots() && m.text.contains("/approvals"))
        .await;
    team.program.assert_well();
}

#[tokio::test]
async fn another_bots_updates_are_other_updates_whatever_their_numbers() {
    let mut team = Team::start().await;
    team.ask("/agents", "coder").await;
    team.program.quiet().await;
    team.program.kill().await;
    let other = FakeTelegram::start_with(Options {
        token: "5151515151:another-made-up-secret-for-tests".into(),
        ..Options::default()
    })
    .await;
    let ann = other.private_chat(&User::new(1001, "Ann"));
    team.program.telegram_is(&other);
    // The first numbers are the same at both.
    let asked = ann.send("/agents");
    team.program.up().await;
    ann.wait_for_message(|m| m.id > asked && m.is_bots() && m.text.contains("coder"))
        .await;
    team.program.assert_well();
}

/// A program in the middle of an effect that lasts.
async fn at_work(shutdown: &str) -> Team {
    let team = Team::with(&[("COUNTERSIGN_SHUTDOWN_S", shutdown)]).await;
    team.ann.send("run: echo once >> effects; sleep 100");
    let card = team.ann.wait_for_button("Approve").await;
    team.ann.tap(card.id, "Approve");
    team.program.effects("effects", 1).await;
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Approved by Ann"))
        .await;
    team
}

#[tokio::test]
async fn a_process_that_is_asked_to_stop_leaves_no_lease_behind() {
    let mut team = at_work("1").await;
    assert_eq!(team.program.terminate().await, Some(0));
    assert_eq!(team.program.leased(), 0);
    let attempts = "SELECT max(attempts) FROM task_queue WHERE name = 'run'";
    assert_eq!(
        team.program.sql().number(attempts),
        0,
        "that was no failure"
    );
    // The next process goes on at once: it asks about the effect that was under way.
    team.program.up().await;
    team.ann.wait_for_button("It happened").await;
    assert_eq!(team.effects(), 1);
    team.program.assert_well();
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let mut team = at_work("3600").await;
    team.program.signal("TERM");
    team.program.wait_for("again to stop at once").await;
    assert!(team.program.is_up(), "it lets the work finish");
    assert_eq!(team.program.terminate().await, Some(130));
    assert!(
        team.program.leased() > 0,
        "that is what waiting would have given back"
    );
}
