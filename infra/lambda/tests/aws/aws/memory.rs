//! A function that has used up its memory: Lambda ends it in the middle of whatever it does, and nobody in it gets to do anything more.
//! Here its process may have no more than it has (`RLIMIT_DATA`), and aborts at the first allocation beyond.

use super::{MINUTE, bad_days::World, runtime::Lambda};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::servers::model::{FakeModel, Gate, Reply, Script};

const KEY: &str = "sk-made-up-key-of-a-function-4711";
/// Bytes of an answer.
const LARGE: usize = 8 << 20;
/// What the process has left for it.
const LEFT: u64 = 1 << 20;

/// The reply to a model call that was paid for is what it can't hold. Another process asks again; the card, the effect and the answer
/// are there once.
#[tokio::test]
async fn a_step_whose_function_runs_out_of_memory_is_done_by_another_one() {
    let gate = Gate::new();
    let (held, count) = (gate.clone(), AtomicUsize::new(0));
    let script = Script::answering(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::text(&"x".repeat(LARGE)).held_by(&held),
        1 => Reply::calls([("run_command", json!({"command": "echo once >> effects"}))]),
        _ => Reply::text("It was done once."),
    });
    let model = FakeModel::start_with_key(script, KEY).await.unwrap();
    let clocks = tempfile::tempdir().unwrap();
    let clock = clocks.path().join("clock");
    let variables = [
        ("ANTHROPIC_API_KEY", KEY.to_owned()),
        ("ANTHROPIC_BASE_URL", model.url()),
        (
            "COUNTERSIGN_CRASH_CLOCK",
            clock.to_string_lossy().into_owned(),
        ),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let mut world = World::with(|_| variables.to_vec()).await;
    world.ann.send("Do it.");
    model.wait_for_requests(1).await;
    world.run.limit_memory(LEFT).await;
    gate.open();
    let said = world.run.end().await;
    assert!(said.contains("memory allocation of"), "{said}");

    // Its lease runs out, the tick wakes the lane, and Lambda starts another one.
    std::fs::write(&clock, "60").unwrap();
    let environment = [world.cloud.variables("run"), variables.to_vec()].concat();
    let another = Lambda::start(env!("CARGO_BIN_EXE_function"), &environment).await;
    world.cloud.map("run", &another);
    world.tick.invoke(json!({}), MINUTE).await.unwrap();
    let card = world.ann.wait_for_button("Approve").await;
    world.ann.tap(card.id, "Approve");
    world.answered(card.id, "It was done once.").await;
    assert_eq!((world.cloud.effects(), model.requests().len()), (1, 3));
}
