//! How many requests to DynamoDB a run takes, all processes together: what a run costs, and most of the time that it takes in the cloud.
//! `cargo xtask bench requests` shows the table.

use super::{bad_days::World, gate::Counts};
use serde_json::json;
use std::collections::BTreeSet;
use tests::servers::{
    model::{FakeModel, Reply, Script, Turn},
    telegram::Message,
};

const KEY: &str = "sk-made-up-key-of-a-function-4711";
/// More than this, and somebody has to know why. Nothing here is random but which process looks for work once more, finding none.
const MOST_FOR_A_QUESTION: usize = 90;
const MOST_WITH_A_CALL: usize = 260;

#[tokio::test]
async fn a_run_takes_few_requests() {
    let script = Script::answering(|asked| match asked.turns.last() {
        Some(Turn::User(text)) if text.contains("Do it") => {
            Reply::calls([("run_command", json!({"command": "echo once >> effects"}))])
        }
        _ => Reply::text("Here is the answer."),
    });
    let model = FakeModel::start_with_key(script, KEY).await.unwrap();
    let variables = [
        ("ANTHROPIC_API_KEY", KEY.to_owned()),
        ("ANTHROPIC_BASE_URL", model.url()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let world = World::with(|_| variables.to_vec()).await;
    // What a process does once, when it is opened, is not a run's.
    let asked = world.ann.send("Do it.");
    let card = world.card(asked).await;
    world.ann.tap(card, "Approve");
    world.answer(card).await;
    world.gate.take_counts();

    let asked = world.ann.send("Hello?");
    world.answer(asked).await;
    let question = world.gate.take_counts();
    let asked = world.ann.send("Do it.");
    let card = world.card(asked).await;
    world.ann.tap(card, "Approve");
    world.answer(card).await;
    let call = world.gate.take_counts();
    let question = print("a question and its answer", question);
    let call = print("a question, a card, a tap, a command, an answer", call);
    let mut took: Vec<u128> = world.deliveries().collect();
    took.sort_unstable();
    let (median, most) = (took[took.len() / 2], took[took.len() - 1]);
    println!(
        "the webhook answers in {median} ms (median of {}; {most} at most)",
        took.len()
    );
    assert!(question <= MOST_FOR_A_QUESTION && call <= MOST_WITH_A_CALL);
}

impl World {
    /// How long Telegram waited for the webhook, in milliseconds.
    fn deliveries(&self) -> impl Iterator<Item = u128> {
        self.tg
            .deliveries()
            .into_iter()
            .map(|one| one.took.as_millis())
    }

    async fn card(&self, after: i64) -> i64 {
        let card = |m: &Message| m.id > after && m.button("Approve").is_some();
        self.ann.wait_for_message(card).await.id
    }

    /// Until the answer is there and everybody is done.
    async fn answer(&self, after: i64) {
        let answer = |m: &Message| m.id > after && m.is_bots() && m.text.contains("the answer");
        self.ann.wait_for_message(answer).await;
        self.idle().await;
    }
}

/// A line for each process, a column for each operation. Answers the sum.
fn print(title: &str, mut counts: Counts) -> usize {
    // The worker looks for work each second, whether there is any or not.
    counts.retain(|(of, operation), _| (of.as_str(), operation.as_str()) != ("worker", "Query"));
    let operations: BTreeSet<&str> = counts.keys().map(|(_, name)| name.as_str()).collect();
    let processes: BTreeSet<&str> = counts.keys().map(|(of, _)| of.as_str()).collect();
    println!("{title}");
    let mut heading = format!("  {:<10}", "");
    for name in &operations {
        heading.push_str(&format!(" {name:>18}"));
    }
    println!("{heading}");
    for of in processes {
        let mut line = format!("  {of:<10}");
        for name in &operations {
            let count = counts.get(&(of.to_owned(), (*name).to_owned()));
            line.push_str(&format!(" {:>18}", count.copied().unwrap_or(0)));
        }
        println!("{line}");
    }
    let all = counts.values().sum();
    println!("  together   {all}");
    all
}
