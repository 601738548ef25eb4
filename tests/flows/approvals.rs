//! Cards: what they show, who may decide, and what follows.

use super::{Home, Team, in_each_home};
use tests::servers::telegram::User;

in_each_home! {
    approve_runs_it_once_and_the_card_says_who,
    a_reply_to_the_card_denies_with_a_reason_that_the_model_sees,
    always_adds_the_rule_that_the_card_shows_and_nothing_wider,
}

async fn approve_runs_it_once_and_the_card_says_who(home: Home) {
    let team = Team::in_home(home, &[]).await;
    team.ann.send("write: notes.md: buy milk");
    let card = team.ann.wait_for_button("Approve").await;
    for part in [
        "write_file",
        "notes.md",
        "+buy milk",
        "Why",
        "Impact",
        "Rollback",
    ] {
        assert!(
            card.text.contains(part),
            "the card shows {part}:\n{}",
            card.text
        );
    }
    assert_eq!(team.program.workspace_file("notes.md"), None);
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.is_bots() && m.id > card.id && m.text.contains("notes.md"))
        .await;
    assert_eq!(
        team.program.workspace_file("notes.md").as_deref(),
        Some("buy milk")
    );
    let card = team
        .ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Approved by Ann"))
        .await;
    assert!(card.reply_markup.is_none_or(|markup| {
        markup["inline_keyboard"]
            .as_array()
            .is_none_or(Vec::is_empty)
    }));
}

async fn a_reply_to_the_card_denies_with_a_reason_that_the_model_sees(home: Home) {
    let team = Team::in_home(home, &[]).await;
    team.ann.send("write: notes.md: buy milk");
    let card = team.ann.wait_for_button("Deny").await;
    team.ann.reply_to(card.id, "not today");
    team.ann
        .wait_for_message(|m| m.is_bots() && m.id > card.id && m.text.contains("not today"))
        .await;
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Denied by Ann"))
        .await;
    assert_eq!(team.program.workspace_file("notes.md"), None);
}

async fn always_adds_the_rule_that_the_card_shows_and_nothing_wider(home: Home) {
    let team = Team::in_home(home, &[]).await;
    team.ann.send("run: touch effects");
    let card = team.ann.wait_for_button("Always").await;
    assert!(card.text.contains("touch effects"));
    team.ann.tap(card.id, "Always");
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Approved by Ann"))
        .await;
    let rules = team.ann.send("/rules");
    team.ann
        .wait_for_message(|m| m.is_bots() && m.id > rules && m.text.contains("touch effects"))
        .await;
    let again = team.ann.send("run: touch effects");
    let answer = team
        .ann
        .wait_for_message(|m| {
            m.is_bots() && m.id > again && m.text.contains("touch effects") && !m.silent
        })
        .await;
    assert!(
        answer.reply_markup.is_none(),
        "no card any more:\n{}",
        answer.text
    );
    team.ann.send("run: touch others");
    let other = team
        .ann
        .wait_for_message(|m| m.is_bots() && m.id > answer.id && m.reply_markup.is_some())
        .await;
    assert!(other.text.contains("touch others"));
}

#[tokio::test]
async fn what_does_not_fit_on_the_card_hangs_on_it_as_a_file() {
    let team = Team::start().await;
    let long: Vec<String> = (0..300).map(|n| format!("line number {n}")).collect();
    let text = long.join("\\n");
    team.ann
        .send(&format!("write: long.txt: {}", &text[..3900]));
    let card = team.ann.wait_for_button("Approve").await;
    let file = team
        .ann
        .wait_for_message(|m| m.is_bots() && m.document.is_some())
        .await;
    assert!(file.id > card.id);
}

#[tokio::test]
async fn strangers_second_taps_and_forged_data_decide_nothing() {
    let team = Team::start().await;
    let group = team.tg.group(-100_500, "Work");
    group.add_bot(&User::new(1001, "Ann"));
    let ann = group.seat(&User::new(1001, "Ann"));
    let eve = group.seat(&User::new(6666, "Eve"));
    ann.send("/agent assistant run: echo once >> effects");
    let card = ann.wait_for_button("Approve").await;

    let tap = eve.tap(card.id, "Approve");
    let toast = eve.wait_for_answer(&tap).await;
    assert!(!toast.is_empty(), "Eve is told");
    let forged = ann.tap_data(card.id, "ok:00000000000000000000000000000000:deadbeef");
    assert!(!ann.wait_for_answer(&forged).await.is_empty());
    let garbage = ann.tap_data(card.id, "💥");
    assert!(!ann.wait_for_answer(&garbage).await.is_empty());
    assert_eq!(team.effects(), 0);

    ann.tap(card.id, "Approve");
    ann.wait_for_message(|m| m.id == card.id && m.text.contains("Approved by Ann"))
        .await;
    let data = card.reply_markup.unwrap()["inline_keyboard"][0][0]["callback_data"]
        .as_str()
        .unwrap()
        .to_owned();
    let second = ann.tap_data(card.id, &data);
    assert!(
        ann.wait_for_answer(&second)
            .await
            .contains("approved before")
    );
    ann.wait_for_message(|m| m.is_bots() && m.id > card.id && m.text.contains("effects"))
        .await;
    assert_eq!(team.effects(), 1);
}

#[tokio::test]
async fn a_card_that_is_decided_at_the_terminal_is_settled_in_the_chat() {
    let team = Team::start().await;
    team.ann.send("run: echo once >> effects");
    let card = team.ann.wait_for_button("Approve").await;
    let id = super::team::short_id(&team.ask("/approvals", "/deny <id>").await);
    let (status, out, err) = team.program.run(&["approvals", "approve", &id]).await;
    assert_eq!((status, out.contains("approved")), (0, true), "{err}");
    let settled = team
        .ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Approved by"))
        .await;
    assert!(settled.buttons().is_empty());
    team.ann
        .wait_for_message(|m| m.id > card.id && !m.silent && m.text.contains("once >> effects"))
        .await;
    assert_eq!(team.effects(), 1);
    let (status, _, err) = team.program.run(&["approvals", "deny", &id]).await;
    assert_eq!(
        (status, err.contains("approved already")),
        (1, true),
        "{err}"
    );
}

#[tokio::test]
async fn an_edit_is_shown_as_a_diff_and_asked_again_when_the_file_changed_meanwhile() {
    let team = Team::start().await;
    team.ask("/rules add allow file_write notes.md", "allow")
        .await;
    team.ask("write: notes.md: one\\ntwo\\nthree", "notes.md")
        .await;
    let rule = super::team::short_id(&team.ask("/rules", "file_write").await);
    team.ask(&format!("/rules remove {rule}"), "gone").await;
    team.ann.send("edit: notes.md: two => 2");
    let card = team.ann.wait_for_button("Approve").await;
    assert!(
        card.text.contains("-two") && card.text.contains("+2"),
        "{}",
        card.text
    );
    std::fs::write(
        team.program.workspace_path("notes.md"),
        "zero\none\ntwo\nthree",
    )
    .unwrap();
    team.ann.tap(card.id, "Approve");
    let again = team
        .ann
        .wait_for_message(|m| m.id > card.id && m.button("Approve").is_some())
        .await;
    assert!(
        again.text.contains("zero"),
        "the new card shows the file as it is: {}",
        again.text
    );
    team.ann.tap(again.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id > again.id && !m.silent && m.text.contains("notes.md"))
        .await;
    assert_eq!(
        team.program.workspace_file("notes.md").as_deref(),
        Some("zero\none\n2\nthree")
    );
}
