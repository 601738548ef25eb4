//! Updates by webhook: the secret is set and checked, what comes twice is handled once.

use super::{Program, Team};
use tests::servers::telegram::{FakeTelegram, PushStyle, User};

/// A port that was free just now. The program must be told it beforehand, because Telegram is.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

async fn team() -> Team {
    let listen = format!("127.0.0.1:{}", free_port());
    Team::with(&[
        ("COUNTERSIGN_LISTEN", &listen),
        ("COUNTERSIGN_PUBLIC_URL", &format!("http://{listen}")),
    ])
    .await
}

fn set_webhook(tg: &FakeTelegram) -> (String, String) {
    let set = tg
        .requests()
        .into_iter()
        .rfind(|request| request.method == "setWebhook")
        .expect("a webhook was set");
    let field = |name: &str| set.params[name].as_str().unwrap_or_default().to_owned();
    (field("url"), field("secret_token"))
}

#[tokio::test]
async fn a_conversation_by_webhook() {
    let mut team = team().await;
    team.program.wait_for("by webhook").await;
    team.ann.send("run: echo once >> effects");
    let card = team.ann.wait_for_button("Approve").await;
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("once >> effects"))
        .await;
    assert_eq!(team.effects(), 1);
    assert!(
        team.tg
            .requests()
            .iter()
            .all(|request| request.method != "getUpdates"),
        "nothing is polled"
    );
    assert!(
        team.tg
            .deliveries()
            .iter()
            .all(|delivery| delivery.status == Some(200))
    );
    team.program.assert_well();
}

#[tokio::test]
async fn only_who_knows_the_secret_is_heard() {
    let team = team().await;
    let (url, secret) = set_webhook(&team.tg);
    assert!(secret.len() >= 32, "a secret worth the name");
    let forged = serde_json::json!({"update_id": 99, "message": {
        "message_id": 99, "date": 1, "chat": {"id": 1001, "type": "private", "first_name": "Ann"},
        "from": {"id": 1001, "is_bot": false, "first_name": "Ann"}, "text": "run: echo forged >> effects",
    }});
    let updates = || team.program.sql().number("SELECT count(*) FROM updates");
    let before = updates();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |secret: Option<&str>| {
        let request = client
            .post(&url)
            .header("content-type", "application/json")
            .body(forged.to_string());
        match secret {
            Some(secret) => request.header("x-telegram-bot-api-secret-token", secret),
            None => request,
        }
    };
    for wrong in [
        None,
        Some(""),
        Some("wrong"),
        Some(&secret[1..]),
        Some(&*format!("{secret}x")),
    ] {
        assert_eq!(post(wrong).send().await.unwrap().status(), 401, "{wrong:?}");
    }
    let elsewhere = client
        .post(format!("{}x", url))
        .header("x-telegram-bot-api-secret-token", &secret)
        .send()
        .await
        .unwrap();
    assert_eq!(elsewhere.status(), 404);
    assert_eq!(updates(), before, "nothing of it is stored");
    team.ask("run: echo true", "true").await;
    assert_eq!(team.effects(), 0);
}

#[tokio::test]
async fn what_is_no_update_is_acknowledged_and_passed_over() {
    let mut team = team().await;
    let (url, secret) = set_webhook(&team.tg);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for body in [
        "",
        "no json",
        "{}",
        "[]",
        "{\"update_id\":\"x\"}",
        "{\"update_id\":7}",
        "{\"update_id\":8,\"new_kind\":{}}",
    ] {
        let sent = client
            .post(&url)
            .header("x-telegram-bot-api-secret-token", &secret)
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status(), 200, "{body}");
    }
    let large = "x".repeat(2 << 20);
    let sent = client
        .post(&url)
        .header("x-telegram-bot-api-secret-token", &secret)
        .body(large)
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 413);
    team.ask("run: echo still here", "still here").await;
    team.program.assert_well();
}

#[tokio::test]
async fn what_is_delivered_twice_and_in_disorder_is_handled_once() {
    let team = team().await;
    team.ask("/rules add allow shell_exec echo *", "allow")
        .await;
    team.tg.push_style(PushStyle {
        copies: 3,
        ..PushStyle::default()
    });
    let asked = team.ann.send("/help");
    team.ann
        .wait_for_message(|m| m.id > asked && m.text.contains("/approvals"))
        .await;
    let next = team.ann.send("/agents");
    team.ann
        .wait_for_message(|m| m.id > next && m.text.contains("coder"))
        .await;
    let helps = team
        .ann
        .messages()
        .into_iter()
        .filter(|m| m.is_bots() && m.id > asked && m.text.contains("/approvals"))
        .count();
    assert_eq!(helps, 1, "{}", team.ann.transcript());
}

#[tokio::test]
async fn the_webhook_is_the_same_after_a_restart_and_nothing_sent_meanwhile_is_lost() {
    let mut team = team().await;
    let before = set_webhook(&team.tg);
    team.program.quiet().await;
    team.program.kill().await;
    let asked = team.ann.send("run: echo while you were out");
    team.program.up().await;
    team.ann
        .wait_for_message(|m| m.id > asked && m.text.contains("while you were out"))
        .await;
    assert_eq!(set_webhook(&team.tg), before);
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_acknowledged_and_comes_again() {
    let mut team = team().await;
    team.program.quiet().await;
    let other = team.program.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let asked = team.ann.send("run: echo after the lock");
    team.tg
        .wait_for(|view| {
            view.deliveries()
                .iter()
                .any(|delivery| delivery.status == Some(503))
                .then_some(())
        })
        .await;
    other.execute_batch("ROLLBACK").unwrap();
    team.ann
        .wait_for_message(|m| m.id > asked && m.text.contains("after the lock") && !m.silent)
        .await;
    team.program.assert_well();
}

#[tokio::test]
async fn a_webhook_without_https_is_refused_at_the_start() {
    let mut program = Program::alone();
    program.set(
        "TELEGRAM_BOT_TOKEN",
        "4242424242:a-made-up-secret-for-tests",
    );
    program.set("COUNTERSIGN_PUBLIC_URL", "http://example.org");
    let said = program.refuses_to_start().await;
    assert!(
        said.contains("https://") && !said.contains("a-made-up-secret"),
        "{said}"
    );
}

#[tokio::test]
async fn polling_after_a_webhook_takes_the_webhook_away() {
    let mut team = team().await;
    team.program.quiet().await;
    team.program.kill().await;
    team.program.unset("COUNTERSIGN_PUBLIC_URL");
    team.program.up().await;
    team.ask("run: echo by polling", "by polling").await;
    let eve = team.tg.private_chat(&User::new(6666, "Eve"));
    eve.send("hello");
    eve.wait_for_text("invitation").await;
}
