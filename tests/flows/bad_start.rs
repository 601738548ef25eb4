//! Starts that go wrong outside of the database: the port, the token, a second process; and ends that go right.

use super::{Program, Team};
use tests::servers::telegram::{FakeTelegram, Fault};

#[tokio::test]
async fn a_taken_port_is_said_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut program = Program::alone();
    program.set(
        "COUNTERSIGN_LISTEN",
        &taken.local_addr().unwrap().to_string(),
    );
    let said = program.refuses_to_start().await;
    assert!(
        said.contains("is taken") && said.contains("COUNTERSIGN_LISTEN"),
        "{said}"
    );
}

#[tokio::test]
async fn a_token_that_telegram_does_not_know_is_one_sentence_without_the_token() {
    let tg = FakeTelegram::start().await;
    let mut program = Program::alone();
    program.set("TELEGRAM_API_URL", tg.url());
    program.set("TELEGRAM_BOT_TOKEN", "4242424242:another-secret-than-that");
    let said = program.refuses_to_start().await;
    assert!(
        said.contains("does not know this bot token") && said.contains("@BotFather"),
        "{said}"
    );
    assert!(!said.contains("another-secret"), "{said}");
    let (status, out, _) = program.run(&["doctor"]).await;
    assert_eq!(
        (status, out.contains("does not know the token")),
        (1, true),
        "{out}"
    );
    assert!(!out.contains("another-secret"), "{out}");
}

#[tokio::test]
async fn a_webhook_that_telegram_refuses_is_said() {
    let tg = FakeTelegram::start().await;
    let mut program = Program::new(&tg);
    program.set("COUNTERSIGN_PUBLIC_URL", "https://example.org");
    tg.inject(
        "setWebhook",
        Fault::Error(
            400,
            "Bad Request: bad webhook: failed to resolve host".to_owned(),
        ),
    );
    let said = program.refuses_to_start().await;
    assert!(
        said.contains("COUNTERSIGN_PUBLIC_URL") && said.contains("failed to resolve host"),
        "{said}"
    );
}

#[tokio::test]
async fn the_first_three_lines_say_what_is_active_and_how_to_get_better() {
    let mut program = Program::alone();
    program.up().await;
    let printed = program.printed();
    let lines: Vec<&str> = printed
        .lines()
        .filter(|line| {
            ["model ", "sandbox ", "surfaces "]
                .iter()
                .any(|word| line.starts_with(word))
        })
        .collect();
    assert_eq!(lines.len(), 3, "{printed}");
    assert!(
        lines[0].contains("rehearsal")
            && lines[0].contains("not a language model")
            && lines[0].contains("ANTHROPIC_API_KEY"),
        "{printed}"
    );
    assert!(lines[2].contains("TELEGRAM_BOT_TOKEN"), "{printed}");
    program.assert_well();
}

#[tokio::test]
async fn health_and_metrics_are_served() {
    let listen = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let team = Team::with(&[("COUNTERSIGN_LISTEN", &listen)]).await;
    team.ask("run: echo hello", "hello").await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str| {
        let answer = client
            .get(format!("http://{listen}{path}"))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(get("/healthz").await, (200, "ok\n".to_owned()));
    let (status, metrics) = get("/metrics").await;
    assert_eq!(status, 200);
    assert!(
        metrics.contains("countersign_jobs_total") && !metrics.contains("hello"),
        "{metrics}"
    );
    assert_eq!(get("/telegram/guessed").await.0, 404);
    let (status, doctor, _) = team.program.run(&["doctor"]).await;
    assert_eq!(
        (status, doctor.contains("is running")),
        (0, true),
        "{doctor}"
    );
}

#[tokio::test]
async fn asked_to_stop_it_ends_with_status_0_and_the_next_one_goes_on() {
    let mut team = Team::start().await;
    team.ann.send("run: echo once >> effects");
    let card = team.ann.wait_for_button("Approve").await;
    assert_eq!(
        team.program.terminate().await,
        Some(0),
        "{}",
        team.program.printed()
    );
    team.ann.tap(card.id, "Approve");
    team.program.up().await;
    team.ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("once >> effects"))
        .await;
    assert_eq!(team.effects(), 1);
}
