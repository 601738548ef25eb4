//! What people ask for, and the model that does it: a task names its steps, so the model needs to remember nothing but the
//! conversation that it is shown, and whoever checks knows what should have happened.

use super::chance::Chance;
use domain::citation::quoted;
use serde_json::{Value, json};
use std::sync::Mutex;
use tests::servers::model::{Asked, Reply, Turn};

/// Registered with the program; people paste it and commands print it.
pub const SECRET: &str = "made-up-secret-of-the-crash-machine-4711";

/// Where an effect that is executed adds a line, in the workspace. Each has a file of its own, so that no “Always” lets another pass.
pub fn ledger(effect: &str) -> String {
    format!("ledger-{effect}")
}

#[derive(Clone, Debug)]
pub struct Task {
    pub name: String,
    pub steps: Vec<Step>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// A command that adds its id to the ledger.
    Effect(String),
    /// Two of them in one reply.
    Pair(String, String),
    /// The file of this name, with its name in it.
    Write(String),
    /// The same file changed: its name becomes the edited one.
    Edit(String),
    /// An effect of a tool server, which adds its id to the ledger.
    Call(String),
    /// An effect that also prints the secret, which the person gives away with the task.
    Leak(String),
    Read,
    /// A question to the person.
    Ask(String),
}

/// What a person does about an effect's card.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    Approve,
    Always,
    /// Another command instead, and then a yes.
    Modify,
    Deny,
    DenyWithReason,
    /// Nothing but to stop the run.
    Cancel,
}

impl Choice {
    pub fn of(seed: u64, effect: &str) -> Self {
        match Chance::of(seed, effect).below(100) {
            0..62 => Self::Approve,
            62..70 => Self::Always,
            70..78 => Self::Modify,
            78..86 => Self::Deny,
            86..94 => Self::DenyWithReason,
            _ => Self::Cancel,
        }
    }

    pub fn is_yes(self) -> bool {
        matches!(self, Self::Approve | Self::Always | Self::Modify)
    }
}

impl Task {
    pub fn new(name: &str, chance: &mut Chance) -> Self {
        let count = 1 + chance.below(4);
        let steps = (0..count).flat_map(|number| {
            let id = format!("{name}-{number}");
            match chance.below(20) {
                0..4 => vec![Step::Effect(id)],
                4..8 => vec![Step::Call(format!("{id}{CALL}"))],
                8..11 => vec![Step::Pair(format!("{id}a"), format!("{id}b"))],
                11..14 => vec![Step::Write(id.clone()), Step::Edit(id)],
                14 => vec![Step::Read],
                15 | 16 => vec![Step::Leak(format!("{id}-leak"))],
                _ => vec![Step::Ask(id)],
            }
        });
        Self {
            name: name.to_owned(),
            steps: steps.collect(),
        }
    }

    /// What the person writes.
    pub fn text(&self) -> String {
        let words: Vec<String> = self.steps.iter().map(Step::text).collect();
        format!("task {}: {}", self.name, words.join("; "))
    }

    fn parse(text: &str) -> Option<Self> {
        // In a group the writer's name may stand before it.
        let (_, task) = text.split_once("task ")?;
        let (name, steps) = task.split_once(": ")?;
        let steps: Option<Vec<Step>> = steps.split("; ").map(Step::parse).collect();
        Some(Self {
            name: name.to_owned(),
            steps: steps?,
        })
    }

    pub fn answer(&self) -> String {
        format!("answer {}.", self.name)
    }

    pub fn effects(&self) -> Vec<&str> {
        let effects = self.steps.iter().flat_map(|step| match step {
            Step::Effect(id) | Step::Leak(id) | Step::Call(id) => vec![id.as_str()],
            Step::Pair(one, two) => vec![one.as_str(), two.as_str()],
            _ => Vec::new(),
        });
        effects.collect()
    }
}

impl Step {
    fn text(&self) -> String {
        match self {
            Self::Effect(id) => format!("effect {id}"),
            Self::Pair(one, two) => format!("pair {one} {two}"),
            Self::Write(id) => format!("write {id}"),
            Self::Edit(id) => format!("edit {id}"),
            Self::Call(id) => format!("call {id}"),
            Self::Leak(id) => format!("leak {id} {SECRET}"),
            Self::Read => "read".to_owned(),
            Self::Ask(id) => format!("ask {id}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        Some(match words[..] {
            ["effect", id] => Self::Effect(id.to_owned()),
            ["pair", one, two] => Self::Pair(one.to_owned(), two.to_owned()),
            ["write", id] => Self::Write(id.to_owned()),
            ["edit", id] => Self::Edit(id.to_owned()),
            ["call", id] => Self::Call(id.to_owned()),
            ["leak", id, ..] => Self::Leak(id.to_owned()),
            ["read"] => Self::Read,
            ["ask", id] => Self::Ask(id.to_owned()),
            _ => return None,
        })
    }

    fn reply(&self) -> Reply {
        let run = |id: &str| ("run_command", json!({ "command": command(id) }));
        let calls = match self {
            Self::Effect(id) | Self::Leak(id) => vec![run(id)],
            Self::Pair(one, two) => vec![run(one), run(two)],
            Self::Call(id) => vec![("notes__echo", arguments(id))],
            Self::Write(id) => vec![("write_file", json!({"path": id, "text": id}))],
            Self::Edit(id) => {
                let change = json!({"path": id, "old": id, "new": edited(id)});
                vec![("edit_file", change)]
            }
            Self::Read => vec![("list_files", json!({"path": "."}))],
            Self::Ask(id) => vec![("ask_person", json!({ "question": question(id) }))],
        };
        Reply::text_and_calls("The next step.", calls)
    }
}

/// What ends the name of an effect of a tool server.
const CALL: &str = "-call";

pub fn is_call(effect: &str) -> bool {
    effect.trim_end_matches(&modified("")).ends_with(CALL)
}

fn arguments(call: &str) -> Value {
    json!({ "text": call })
}

/// What a person writes who wants this effect instead.
pub fn written(effect: &str) -> String {
    match is_call(effect) {
        true => arguments(effect).to_string(),
        false => command(effect),
    }
}

/// Whether a card, or the question how a call should be, shows this effect: as a line of its own, as cards also name earlier commands.
pub fn shows(text: &str, effect: &str) -> bool {
    // People look at all messages all the time.
    if !text.contains(effect) {
        return false;
    }
    let command = format!("echo {effect} ");
    text.lines().any(|line| match is_call(effect) {
        true => is_argument(line, effect),
        false => line.starts_with(&command),
    })
}

fn is_argument(line: &str, call: &str) -> bool {
    let [card, question] = [format!("text: {call}"), format!("\"text\": \"{call}\"")];
    [card.as_str(), question.as_str()].contains(&line.trim())
}

/// The pause makes it likelier that a kill falls into the command.
pub fn command(effect: &str) -> String {
    let backwards: String = SECRET.chars().rev().collect();
    let more = match effect.ends_with("-leak") {
        true => format!("echo {backwards} | rev"),
        false => "sleep 0.03".to_owned(),
    };
    format!("echo {effect} >> {}; {more}", ledger(effect))
}

/// What a person puts in an effect's place who modifies it.
pub fn modified(effect: &str) -> String {
    format!("{effect}-new")
}

/// The content of a file after its edit.
pub fn edited(file: &str) -> String {
    format!("{file} edited")
}

pub fn question(id: &str) -> String {
    format!("Which colour for {id}?")
}

pub fn reply_to_question(id: &str) -> String {
    format!("blue for {id}")
}

/// What the model says to a conversation: the step after those that it shows, at last the answer.
pub fn said(asked: &Asked) -> Reply {
    // A person writes one line; what is looked up for it stands below, or comes as a turn of its own.
    let of_person = |turn: &Turn| match turn {
        Turn::User(text) if quoted(text).is_empty() => {
            Some(Task::parse(text.lines().next().unwrap_or_default()))
        }
        _ => None,
    };
    let mut newest = asked.turns.iter().enumerate().rev();
    let Some((at, Some(task))) = newest.find_map(|(at, turn)| Some((at, of_person(turn)?))) else {
        return Reply::text("There is no task in that.");
    };
    let is_own = |turn: &&Turn| matches!(turn, Turn::Assistant { .. });
    let done = asked.turns[at..].iter().filter(is_own).count();
    match task.steps.get(done) {
        Some(step) => step.reply(),
        None => Reply::text(&task.answer()),
    }
}

/// The same model on a bad day: it fails in every way, but not for ever.
pub struct Moody {
    chance: Mutex<(Chance, u32)>,
}

impl Moody {
    pub fn new(seed: u64) -> Self {
        let chance = Mutex::new((Chance::of(seed, "model"), 0));
        Self { chance }
    }

    pub fn reply(&self, asked: &Asked) -> Reply {
        let good = said(asked);
        let mut state = self.chance.lock().unwrap();
        let (chance, failures) = &mut *state;
        // A run ends when its model fails four times in a row.
        if *failures >= 2 || !chance.percent(15) {
            *failures = 0;
            return good;
        }
        *failures += 1;
        match chance.below(6) {
            0 => Reply::status(429).retry_after(1),
            1 => Reply::status(500),
            2 => Reply::status(529),
            3 => good.cut(),
            4 => good.failing_with("overloaded_error"),
            _ => Reply::garbage(),
        }
    }
}
