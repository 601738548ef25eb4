//! A person at work: asks for one task after another, and does about each card what the seed says. Looks at the chat as a person
//! does, and knows nothing of the process.

use super::{
    chance::Chance,
    plan::{Choice, Step, Task, ledger, question, reply_to_question},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::{Duration, Instant},
};
use tests::servers::telegram::{Conversation, Message};

/// A tap that changed nothing is repeated after so long.
const AGAIN: Duration = Duration::from_secs(4);
/// Of a card that stays as it is: it was sent twice, and the other copy shows what became of it.
const MOST: u32 = 4;
/// A message that repeats one says so.
pub const MARK: &str = "sent again";
pub const OWNER: i64 = 1001;
const COMMANDS: [(&str, &str); 3] = [
    ("/help", "/approvals"),
    ("/cost", "today"),
    ("/agents", "coder"),
];

pub struct Person {
    pub chat: Conversation,
    pub tasks: Vec<Task>,
    /// The message with each task that was asked for so far.
    pub asked: Vec<i64>,
    /// Commands that were sent: the message, and what the answer to it holds.
    pub commands: Vec<(i64, &'static str)>,
    /// How often “Run again” was tapped for an effect, each card once.
    pub run_again: BTreeMap<String, BTreeSet<i64>>,
    /// Whether this is the team's owner.
    owns: bool,
    seed: u64,
    chance: Chance,
    /// When a message's buttons were tapped last, and how often.
    taps: BTreeMap<i64, (Instant, u32)>,
    said: BTreeSet<String>,
    workspaces: PathBuf,
}

impl Person {
    pub fn new(chat: Conversation, seed: u64, tasks: u64, workspaces: PathBuf) -> Self {
        let mut chance = Chance::of(seed, &format!("person {}", chat.chat_id()));
        let who = &chat.person().first_name.to_lowercase();
        let tasks = (0..tasks).map(|number| Task::new(&format!("{who}{number}"), &mut chance));
        let owns = chat.chat_id() == OWNER;
        Self {
            tasks: tasks.collect(),
            chat,
            asked: Vec::new(),
            commands: Vec::new(),
            run_again: BTreeMap::new(),
            owns,
            seed,
            chance,
            taps: BTreeMap::new(),
            said: BTreeSet::new(),
            workspaces,
        }
    }

    pub fn is_done(&self) -> bool {
        self.asked.len() == self.tasks.len() && self.has_ended(self.tasks.len() - 1)
    }

    /// How many of the tasks came to an end, for who waits for progress.
    pub fn progress(&self) -> usize {
        self.chat.messages().len() + self.asked.len()
    }

    /// Looks once, and does what there is to do.
    pub fn look(&mut self) {
        let messages = self.chat.messages();
        match self.asked.len() {
            0 => self.ask(),
            asked if asked < self.tasks.len() && self.has_ended(asked - 1) => self.ask(),
            _ => {}
        }
        for message in messages.iter().filter(|message| message.is_bots()) {
            self.answer(message);
            if !message.buttons().is_empty() {
                self.decide(message);
            }
        }
    }

    fn ask(&mut self) {
        let task = &self.tasks[self.asked.len()];
        self.asked.push(self.chat.send(&task.text()));
        if self.chance.percent(30) {
            let (command, answer) = self.chance.pick(&COMMANDS);
            self.commands.push((self.chat.send(command), answer));
        }
    }

    pub fn has_ended(&self, task: usize) -> bool {
        let (after, answer) = (self.asked[task], self.tasks[task].answer());
        let until = self.asked.get(task + 1).copied().unwrap_or(i64::MAX);
        let messages = self.chat.messages();
        let mut later = messages
            .iter()
            .filter(|message| message.is_bots() && message.id > after && message.id < until);
        later.any(|message| message.text.contains(&answer) || is_end(&message.text))
    }

    fn answer(&mut self, message: &Message) {
        let questions = self.tasks.iter().flat_map(|task| &task.steps);
        let asked = questions.filter_map(|step| match step {
            Step::Ask(id) if message.text.contains(&question(id)) => Some(id.clone()),
            _ => None,
        });
        for id in asked.collect::<Vec<String>>() {
            if self.said.insert(id.clone()) {
                self.chat.send(&reply_to_question(&id));
            }
        }
    }

    fn decide(&mut self, message: &Message) {
        let taps = self.taps.get(&message.id);
        if taps.is_some_and(|(at, times)| at.elapsed() < AGAIN || *times >= MOST) {
            return;
        }
        let steps = self.tasks.iter().flat_map(|task| &task.steps);
        let is_write = |step: &Step| matches!(step, Step::Write(id) if message.text.contains(&format!("Create {id} ")));
        if steps.clone().any(is_write) && message.button("Approve").is_some() {
            self.tapped(message.id);
            self.chat.tap(message.id, "Approve");
            return;
        }
        let mut effects = self.tasks.iter().flat_map(Task::effects);
        let Some(effect) = effects
            .find(|effect| {
                // As a line of its own: cards also name earlier commands.
                let command = format!("echo {effect} ");
                message.text.lines().any(|line| line.starts_with(&command))
            })
            .map(str::to_owned)
        else {
            return;
        };
        self.tapped(message.id);
        if message.button("It happened").is_some() {
            self.settle(message, &effect);
            return;
        }
        let choice = Choice::of(self.seed, &effect);
        // A tap may be repeated at will; a sentence that is repeated is another sentence.
        let first = self.said.insert(format!("about {effect}"));
        match choice {
            // A standing rule takes an owner.
            Choice::Always if self.owns && message.button("Always").is_some() => {
                self.chat.tap(message.id, "Always");
            }
            Choice::Approve | Choice::Always => drop(self.chat.tap(message.id, "Approve")),
            Choice::Deny => drop(self.chat.tap(message.id, "Deny")),
            Choice::DenyWithReason if first => drop(self.chat.reply_to(message.id, "Not today.")),
            Choice::Cancel if first => drop(self.chat.send("/cancel")),
            // The card was sent twice, and it is said already.
            Choice::DenyWithReason | Choice::Cancel => {}
        }
    }

    fn tapped(&mut self, message: i64) {
        let (at, times) = self.taps.entry(message).or_insert((Instant::now(), 0));
        (*at, *times) = (Instant::now(), *times + 1);
    }

    /// A call that nobody knows about: the person looks, and mostly says what is true.
    fn settle(&mut self, message: &Message, effect: &str) {
        let happened = self.executed(effect) > 0;
        let choice = match Chance::of(self.seed, &format!("settle {effect}")).below(10) {
            0 => "Stop",
            1 => "Run again",
            _ if happened => "It happened",
            _ => "Run again",
        };
        if choice == "Run again" {
            let again = self.run_again.entry(effect.to_owned()).or_default();
            again.insert(message.id);
        }
        self.chat.tap(message.id, choice);
    }

    /// How often an effect was executed, by the ledgers of all workspaces.
    pub fn executed(&self, effect: &str) -> usize {
        let Ok(workspaces) = std::fs::read_dir(&self.workspaces) else {
            return 0;
        };
        let ledgers = workspaces.flatten().filter_map(|workspace| {
            std::fs::read_to_string(workspace.path().join(ledger(effect))).ok()
        });
        let lines = |ledger: String| ledger.lines().filter(|line| *line == effect).count();
        ledgers.map(lines).sum()
    }
}

/// How a run ends that has no answer.
fn is_end(text: &str) -> bool {
    [
        "was cancelled",
        " stopped: ",
        "could not finish",
        "and stopped.",
    ]
    .iter()
    .any(|end| text.contains(end))
}
