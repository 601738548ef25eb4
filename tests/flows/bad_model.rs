//! Bad days of a model: what a person is told, and that the conversation goes on.

use super::{Program, Team, team::KEY};
use serde_json::json;
use tests::servers::model::{Asked, Dialect, FakeModel, Gate, Reply, Script};

#[tokio::test]
async fn a_wrong_key_is_said_with_what_to_do_and_never_shown() {
    let model = FakeModel::start_with_key(Script::queue([]), "the right one")
        .await
        .unwrap();
    for (key, url) in [
        ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
        ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
    ] {
        let mut program = Program::alone();
        program.set(key, KEY);
        program.set(url, &model.url());
        let (status, out, err) = program.run(&["ask", "hello"]).await;
        assert_eq!(status, 1, "{out}\n{err}");
        let (_, journal, _) = program.run(&["runs", "list", "--json"]).await;
        let id = serde_json::from_str::<serde_json::Value>(&journal).unwrap()[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let (_, journal, _) = program.run(&["runs", "journal", &id]).await;
        assert!(
            journal.contains("key"),
            "the journal says that it is the key: {journal}"
        );
        for text in [out, err, journal] {
            assert!(
                !text.contains(KEY),
                "the server's answer named the key, we don't: {text}"
            );
        }
    }
}

#[tokio::test]
async fn told_to_wait_it_waits_and_then_answers() {
    let script = Script::queue([Reply::status(429).retry_after(1), Reply::text("Here I am.")]);
    let (mut team, model) = Team::with_model(Dialect::Anthropic, script).await;
    team.ask("Hello?", "Here I am.").await;
    assert_eq!(model.requests().len(), 2);
    team.program.assert_well();
}

#[tokio::test]
async fn a_model_that_stays_too_busy_is_given_up_in_words() {
    let script = Script::answering(|_| Reply::status(429).retry_after(0));
    let (mut team, model) = Team::with_model(Dialect::OpenAi, script).await;
    let said = team.ask("Hello?", "could not finish").await;
    assert!(said.contains("no model answered"), "{said}");
    assert!(
        (2..10).contains(&model.requests().len()),
        "{} requests",
        model.requests().len()
    );
    team.program.assert_well();
}

/// A bad reply, and what the same question brings then.
async fn tried_again(dialect: Dialect, bad: Reply) {
    let (mut team, model) =
        Team::with_model(dialect, Script::queue([bad, Reply::text("All of it.")])).await;
    team.ask("Hello?", "All of it.").await;
    assert_eq!(model.requests().len(), 2);
    let shown = team
        .ann
        .messages()
        .into_iter()
        .any(|m| m.text.contains("half of it") && !m.silent);
    assert!(!shown, "{}", team.ann.transcript());
    team.program.assert_well();
}

#[tokio::test]
async fn failures_in_between_cost_nothing_but_time() {
    let cut = || Reply::text("half of it").cut();
    tokio::join!(
        tried_again(Dialect::Anthropic, Reply::status(500)),
        tried_again(Dialect::Anthropic, cut()),
        tried_again(Dialect::Anthropic, Reply::garbage()),
        tried_again(Dialect::OpenAi, Reply::status(503)),
        tried_again(Dialect::OpenAi, cut()),
        tried_again(Dialect::OpenAi, Reply::text("half of it").short()),
    );
}

#[tokio::test]
async fn a_model_that_hangs_is_cancelled_by_the_person() {
    let gate = Gate::new();
    let hangs = gate.clone();
    let script = Script::answering(move |asked: &Asked| match asked.last_user() {
        "Hello?" => Reply::text("never").held_by(&hangs),
        _ => Reply::text("I am back."),
    });
    let (mut team, model) = Team::with_model(Dialect::Anthropic, script).await;
    team.ann.send("Hello?");
    model.wait_for_requests(1).await;
    team.ask("/cancel", "was cancelled").await;
    team.ask("Are you there?", "I am back.").await;
    gate.open();
    assert!(!team.ann.transcript().contains("never"));
    team.program.assert_well();
}

#[tokio::test]
async fn a_model_that_is_away_is_said() {
    let (mut team, model) = Team::with_model(Dialect::OpenAi, Script::queue([])).await;
    drop(model);
    team.ask(
        "/agents set assistant fallbacks rehearsal/rehearsal",
        "rehearsal",
    )
    .await;
    team.ask(
        "/agents set assistant model openai/fake-large",
        "fake-large",
    )
    .await;
    team.ann.send("Hello?");
    team.ann.wait_for_text("I am a rehearsal").await;
    team.program.assert_well();
}

#[tokio::test]
async fn calls_that_make_no_sense_go_back_to_the_model_in_words() {
    let script = Script::answering(|asked: &Asked| match asked.calls() {
        0 => Reply::malformed_call("read_file", "{\"path\": \"notes.md"),
        1 => Reply::calls([("launch_rocket", json!({"when": "now"}))]),
        2 => Reply::calls([("read_file", json!({"path": 7}))]),
        3 => Reply::calls([("write_file", json!({}))]),
        _ => Reply::text(&format!(
            "{} tries, then: {}",
            asked.calls(),
            asked.results().join(" ")
        )),
    });
    let (mut team, model) = Team::with_model(Dialect::Anthropic, script).await;
    let answer = team.ask("Do it.", "4 tries").await;
    assert!(
        answer.contains("text"),
        "what was missing is named: {answer}"
    );
    let last = model.requests().pop().unwrap().json().unwrap().to_string();
    for named in ["JSON", "launch_rocket", "path"] {
        assert!(last.contains(named), "{named} in {last}");
    }
    assert!(
        team.ann.messages().iter().all(|m| m.buttons().is_empty()),
        "nobody is asked about nonsense"
    );
    team.program.assert_well();
}

#[tokio::test]
async fn an_endless_loop_comes_to_an_end() {
    let same = Script::answering(|_| Reply::calls([("list_files", json!({}))]));
    let (mut team, model) = Team::with_model(Dialect::OpenAi, same).await;
    let said = team.ask("Look.", "assistant ").await;
    assert!(
        said.contains("stopped") || said.contains("could not finish"),
        "{said}"
    );
    let asked = model.requests().len();
    assert!(
        asked < 20,
        "a repeated identical call is noticed: {asked} requests"
    );
    team.program.assert_well();
}

#[tokio::test]
async fn the_limit_of_steps_is_kept() {
    let on = Script::answering(|asked: &Asked| {
        Reply::calls([(
            "read_file",
            json!({"path": format!("{}.md", asked.calls())}),
        )])
    });
    let model = FakeModel::start(on).await.unwrap();
    let team = Team::with(&[
        ("OPENAI_BASE_URL", &model.url()),
        ("COUNTERSIGN_MAX_STEPS", "4"),
    ])
    .await;
    team.ask("Read everything.", "its limit of steps (4 done)")
        .await;
    assert_eq!(model.requests().len(), 4);
}

#[tokio::test]
async fn the_limit_of_cost_is_kept_before_it_is_spent() {
    let model = FakeModel::start_with_key(Script::queue([Reply::text("dear")]), KEY)
        .await
        .unwrap();
    let url = model.url();
    let variables = [
        ("ANTHROPIC_BASE_URL", url.as_str()),
        ("ANTHROPIC_API_KEY", KEY),
        ("COUNTERSIGN_MAX_COST_USD", "0.01"),
    ];
    let team = Team::with(&variables).await;
    team.ask("Think hard.", "needs more than this run’s budget")
        .await;
    assert_eq!(
        model.requests().len(),
        0,
        "nothing was asked that could cost more"
    );
}
