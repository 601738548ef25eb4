//! The largest things that models and people can say fit into batches, entries and records.

use super::team::Team;
use domain::{approval::Choice, run::RunStatus};
use ports::store::{MAX_DOCUMENT_BYTES, MAX_OPS};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use testkit::{
    sandbox::exited,
    scripted_model::{ScriptedModel, Turn},
};

fn fits(team: &Team) {
    let (ops, bytes) = (
        team.store.most_ops.load(Ordering::SeqCst),
        team.store.most_bytes.load(Ordering::SeqCst),
    );
    assert!(ops <= MAX_OPS as u64, "a batch weighs {ops}");
    assert!(bytes <= MAX_DOCUMENT_BYTES as u64, "{bytes} bytes");
    assert_eq!(*team.failures.lock().unwrap(), Vec::<String>::new());
}

/// Text that JSON makes as long as it can: a quote takes two bytes, a control character six.
fn awkward(bytes: usize) -> String {
    "\u{1}\"\\\n".repeat(bytes / 4 + 1)
}

#[tokio::test]
async fn a_reply_with_more_calls_than_are_taken() {
    let calls: Vec<(&str, Value)> = (0..40)
        .map(|i| {
            (
                "run_command",
                json!({"command": format!("make {i} '{}'", awkward(3000))}),
            )
        })
        .collect();
    let team = Team::with(ScriptedModel::queue([
        Turn::text_and_calls(awkward(20_000), calls),
        Turn::text(awkward(300_000)),
    ]))
    .await;
    team.says("go").await;
    assert_eq!(team.cards().await.len(), 16);
    fits(&team);
    team.answers_everything().await;
    assert_eq!(team.fakes.sandbox.started().len(), 16);
    assert_eq!(team.latest().await.status, RunStatus::Answered);
    fits(&team);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn sixteen_cards_are_withdrawn_at_once_while_prompts_wait() {
    let calls: Vec<(&str, Value)> = (0..16)
        .map(|i| ("run_command", json!({"command": format!("make {i}")})))
        .collect();
    let team = Team::with(ScriptedModel::answering(move |request| {
        match request.messages.len() {
            1 => Turn::calls(calls.clone()),
            _ => Turn::text("ok"),
        }
    }))
    .await;
    team.says("go").await;
    for _ in 0..10 {
        team.writes(&awkward(9000)).await.unwrap();
    }
    let run = team.latest().await.id;
    team.does(|| crate::cancel::cancel(&team.home, &team.ann, &run))
        .await
        .unwrap();
    team.work().await;
    assert_eq!(team.talk().await.queued, []);
    fits(&team);
    team.is_quiet();
}

#[tokio::test]
async fn long_commands_paths_questions_and_results() {
    let long = awkward(150_000);
    let long_path = format!("{}/x", "d".repeat(4000));
    let many: Vec<String> = (0..300).map(|i| format!("make {i}")).collect();
    let turns = [
        Turn::calls([("run_command", json!({"command": format!("make {long}")}))]),
        Turn::calls([("run_command", json!({"command": many.join("; ")}))]),
        Turn::calls([(
            "write_file",
            json!({"path": long_path, "text": awkward(900_000)}),
        )]),
        Turn::calls([
            ("read_file", json!({"path": long})),
            ("no_such_tool", json!({"x": long})),
            (long.as_str(), json!({})),
        ]),
        Turn::malformed_call("run_command", &long),
        Turn::calls([(
            "run_command",
            json!({"command": "ls", "list": vec!["item"; 20_000]}),
        )]),
        Turn::calls([("finish", json!({"answer": long}))]),
    ];
    let team = Team::with(ScriptedModel::queue(turns)).await;
    team.model.set_window(1 << 40);
    team.setting("limits", json!({"tokens": 1_000_000_000}))
        .await;
    let output = awkward(200_000);
    team.fakes
        .sandbox
        .answer(move |_| exited(0, output.clone()));
    team.says(&awkward(100_000)).await;
    team.answers_everything().await;
    assert_eq!(team.latest().await.status, RunStatus::Answered);
    assert_eq!(team.workspace().text(&long_path), Some(awkward(900_000)));
    fits(&team);
    team.is_quiet();
}

#[tokio::test]
async fn a_long_question_and_a_long_answer() {
    let team = Team::with(ScriptedModel::queue([
        Turn::calls([("ask_person", json!({"question": awkward(100_000)}))]),
        Turn::text("thanks"),
    ]))
    .await;
    team.says("go").await;
    team.says(&awkward(100_000)).await;
    assert_eq!(team.latest().await.status, RunStatus::Answered);
    fits(&team);
    team.is_quiet();
}

#[tokio::test]
async fn a_long_history() {
    let team = Team::with(ScriptedModel::answering(|_| Turn::text(awkward(5000)))).await;
    team.model.set_window(1_000_000);
    for _ in 0..20 {
        team.says(&awkward(5000)).await;
    }
    assert!(team.talk().await.turns.len() > 3);
    fits(&team);
    team.is_quiet();
}

#[tokio::test]
async fn a_blob_that_a_model_makes_up_is_its_mistake() {
    let call = json!({"command": "ls", "x": {"$blob": "0000"}});
    let team = Team::with(ScriptedModel::queue([
        Turn::calls([("run_command", call)]),
        Turn::text("ok"),
    ]))
    .await;
    team.says("go").await;
    assert_eq!(team.latest().await.status, RunStatus::Answered);
    assert_eq!(team.fakes.sandbox.started(), Vec::<String>::new());
    team.is_quiet();
}

fn argument() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z \"\n]{0,40}".prop_map(Value::String),
        (0..9000_usize).prop_map(|bytes| Value::String(awkward(bytes))),
        any::<i64>().prop_map(Value::from),
    ];
    text.prop_recursive(3, 64, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::btree_map("[a-z$]{1,6}", inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn whatever_a_model_says(
        text in (0..40_000_usize).prop_map(awkward),
        calls in prop::collection::vec((prop::sample::select(vec!["run_command", "write_file", "read_file", "x"]), argument()), 0..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let calls: Vec<(&str, Value)> = calls
                .into_iter()
                .map(|(name, value)| (name, json!({"command": "make", "path": "a", "text": "b", "more": value})))
                .collect();
            let team = Team::with(ScriptedModel::queue([Turn::text_and_calls(text, calls.clone()), Turn::text("ok")])).await;
            team.says("go").await;
            while let Some(card) = team.cards().await.into_iter().next() {
                team.choose(&team.ann, &card.id, Choice::Deny { reason: awkward(5000) }).await.unwrap();
                team.work().await;
            }
            assert_eq!(team.latest().await.status, RunStatus::Answered);
            // What the model said comes back as it was.
            if let Some(request) = team.model.requests().get(1) {
                for (call, (_, arguments)) in super::rehearsal::calls(request).iter().zip(&calls) {
                    assert!(call.malformed.is_some() || call.arguments == *arguments);
                }
            }
            fits(&team);
            team.is_quiet();
        });
    }
}
