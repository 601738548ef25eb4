//! A person at work: asks for one task after another, and does about each card what the seed says. Looks at the chat as a person
//! does, and knows nothing of the process.

use super::{
    chance::Chance,
    files::Files,
    plan::{
        Choice, Step, Task, edited, is_call, ledger, modified, question, reply_to_question, shows,
        written,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};
use tests::servers::telegram::{Conversation, Message};

/// A message that repeats one says so.
pub const MARK: &str = "sent again";
/// The beginning of what is never an answer, but shows how far a run is; best effort, so it may come late and stay.
const STATUS: &str = "💭";
/// What is on a budget's card to go on.
const MORE: &str = "+ $";
pub const OWNER: &str = "ann";
/// More would only make a world longer.
const TASKS: usize = 8;
const COMMANDS: [(&str, &str); 3] = [
    ("/help", "/approvals"),
    ("/cost", "today"),
    ("/agents", "coder"),
];

pub struct Person {
    pub name: &'static str,
    pub chat: Conversation,
    /// The views of others in the chat, who tap too.
    others: Vec<Conversation>,
    /// What a message to the bot begins with: in a group its name.
    to_bot: &'static str,
    /// Whether another task follows the one that ended.
    pub goes_on: bool,
    pub tasks: Vec<Task>,
    /// The message with each task that was asked for so far.
    pub asked: Vec<i64>,
    /// Commands that were sent: the message, and what the answer to it holds.
    pub commands: Vec<(i64, &'static str)>,
    pub files: Files,
    /// How often “Run again” was tapped for an effect, each card once.
    pub run_again: BTreeMap<String, BTreeSet<i64>>,
    seed: u64,
    chance: Chance,
    /// The messages whose buttons were tapped, and how often each had been edited then.
    taps: BTreeMap<i64, u32>,
    said: BTreeSet<String>,
    workspaces: PathBuf,
}

impl Person {
    /// In their private chat, or with `others` in a topic of a group.
    pub fn new(
        name: &'static str,
        (chat, others): (Conversation, Vec<Conversation>),
        seed: u64,
        workspaces: PathBuf,
    ) -> Self {
        let to_bot = if others.is_empty() {
            ""
        } else {
            "@fake_test_bot "
        };
        Self {
            name,
            tasks: Vec::new(),
            files: Files::new(name, (chat.clone(), to_bot), seed),
            chat,
            others,
            to_bot,
            goes_on: true,
            asked: Vec::new(),
            commands: Vec::new(),
            run_again: BTreeMap::new(),
            seed,
            chance: Chance::of(seed, name),
            taps: BTreeMap::new(),
            said: BTreeSet::new(),
            workspaces,
        }
    }

    pub fn is_done(&self) -> bool {
        self.files.is_idle() && self.has_answers()
    }

    /// Whether the last task has ended.
    fn has_answers(&self) -> bool {
        let last = self.tasks.len().checked_sub(1);
        last.is_none_or(|last| self.has_ended(last))
    }

    /// Grows while something happens, for who waits for it.
    pub fn progress(&self) -> usize {
        let messages = self.chat.messages();
        let edits: usize = messages.iter().map(|message| message.edits as usize).sum();
        messages.len() + edits + self.said.len()
    }

    /// Nothing came of the taps so far: what still waits is tapped again. (Of a card that was sent twice one copy waits for ever.)
    pub fn grow_impatient(&mut self) {
        self.taps.clear();
        self.files.grow_impatient();
    }

    /// Looks once, and does what there is to do.
    pub fn look(&mut self) {
        let messages = self.chat.messages();
        if self.goes_on && self.tasks.len() < TASKS && self.has_answers() {
            self.ask();
        }
        self.files.look(&messages, self.goes_on);
        for message in messages.iter().filter(|message| message.is_bots()) {
            self.answer(message);
            if !message.buttons().is_empty() {
                self.decide(message);
            }
        }
    }

    fn ask(&mut self) {
        let name = format!("{}{}", self.name, self.tasks.len());
        let task = Task::new(&name, &mut self.chance);
        let text = format!("{}{}", self.to_bot, task.text());
        self.asked.push(self.chat.send(&text));
        self.tasks.push(task);
        if self.chance.percent(30) {
            let (command, answer) = self.chance.pick(&COMMANDS);
            self.commands.push((self.chat.send(command), answer));
        }
    }

    pub fn has_ended(&self, task: usize) -> bool {
        let (after, answer) = (self.asked[task], self.tasks[task].answer());
        let until = self.asked.get(task + 1).copied().unwrap_or(i64::MAX);
        let mut messages = self.chat.messages();
        messages.retain(|message| message.is_bots() && !message.text.contains(STATUS));
        // A chat's messages are sent in order: what repeats the one before it may speak of the task before this one.
        let repeats = |at: usize| {
            let (text, before) = (&messages[at].text, at.checked_sub(1));
            before
                .is_some_and(|before| text.contains(MARK) && text.ends_with(&messages[before].text))
        };
        let mut later = messages
            .iter()
            .enumerate()
            .filter(|(_, message)| message.id > after && message.id < until);
        later.any(|(at, message)| {
            message.text.contains(&answer) || is_end(&message.text) && !repeats(at)
        })
    }

    fn answer(&mut self, message: &Message) {
        let questions = self.tasks.iter().flat_map(|task| &task.steps);
        let asked = questions.filter_map(|step| match step {
            Step::Ask(id) if message.text.contains(&question(id)) => Some(id.clone()),
            _ => None,
        });
        for id in asked.collect::<Vec<String>>() {
            if self.said.insert(id.clone()) {
                let text = format!("{}{}", self.to_bot, reply_to_question(&id));
                self.chat.send(&text);
            }
        }
        let asks_for_change = message.text.contains("Reply to this message with");
        if asks_for_change
            && let Some(effect) = self.effect_in(message)
            && self.said.insert(format!("change {}", message.id))
        {
            self.chat.reply_to(message.id, &written(&modified(&effect)));
        }
    }

    /// The effect that a message shows, or what it was modified to.
    fn effect_in(&self, message: &Message) -> Option<String> {
        let effects = self.tasks.iter().flat_map(Task::effects);
        // A changed call names what it was.
        let mut all = effects.flat_map(|effect| [modified(effect), effect.to_owned()]);
        all.find(|effect| shows(&message.text, effect))
    }

    /// Whoever in the chat is at hand taps.
    fn tap(&mut self, message: &Message, label: &str) {
        let other = self.chance.percent(30) && !self.others.is_empty();
        let who = if other {
            self.chance.pick(&self.others)
        } else {
            &self.chat
        };
        who.tap(message.id, label);
    }

    fn decide(&mut self, message: &Message) {
        if self.taps.get(&message.id) == Some(&message.edits) {
            return;
        }
        // Calls of the model that failed or were interrupted may have cost all that they could: a budget's end.
        if message.button(MORE).is_some() {
            self.taps.insert(message.id, message.edits);
            self.tap(message, MORE);
            return;
        }
        let mut steps = self.tasks.iter().flat_map(|task| &task.steps);
        let shown = steps.find_map(|step| match step {
            Step::Write(id) if message.text.contains(&format!("Create {id} ")) => Some((id, false)),
            Step::Edit(id) if message.text.contains(&format!("Change {id} ")) => Some((id, true)),
            _ => None,
        });
        if let Some((file, edit)) = shown {
            let is_done = edit && self.file(file).is_some_and(|text| text == edited(file));
            let choice = match (message.button("It happened").is_some(), is_done) {
                (true, true) => "It happened",
                (true, false) => "Run again",
                (false, _) => "Approve",
            };
            self.taps.insert(message.id, message.edits);
            self.tap(message, choice);
            return;
        }
        let Some(effect) = self.effect_in(message) else {
            return;
        };
        self.taps.insert(message.id, message.edits);
        if message.button("It happened").is_some() {
            self.settle(message, &effect);
            return;
        }
        let is_new = effect.ends_with(&modified(""));
        let choice = match is_new {
            true => Choice::Approve,
            false => Choice::of(self.seed, &effect),
        };
        // A tap may be repeated at will; a sentence that is repeated is another sentence.
        let first = self.said.insert(format!("about {effect}"));
        match choice {
            // A standing rule takes an owner; one about a tool would let every call pass.
            Choice::Always
                if self.name == OWNER
                    && message.button("Always").is_some()
                    && !is_call(&effect) =>
            {
                self.chat.tap(message.id, "Always");
            }
            Choice::Modify if message.button("Modify").is_some() && !is_new => {
                self.chat.tap(message.id, "Modify");
            }
            Choice::Approve | Choice::Always | Choice::Modify => self.tap(message, "Approve"),
            Choice::Deny => self.tap(message, "Deny"),
            Choice::DenyWithReason if first => drop(self.chat.reply_to(message.id, "Not today.")),
            Choice::Cancel if first => drop(self.chat.send("/cancel")),
            // The card was sent twice, and it is said already.
            Choice::DenyWithReason | Choice::Cancel => {}
        }
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
        self.tap(message, choice);
    }

    /// What is in the file, in whichever workspace.
    pub fn file(&self, name: &str) -> Option<String> {
        let workspaces = std::fs::read_dir(&self.workspaces).ok()?.flatten();
        let mut found = workspaces.map(|workspace| workspace.path().join(name));
        found.find_map(|path| std::fs::read_to_string(path).ok())
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

/// Whether it is that answer, and not a status that shows what the model has said so far.
pub fn is_answer(message: &Message, answer: &str) -> bool {
    message.is_bots() && message.text.contains(answer) && !message.text.contains(STATUS)
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
