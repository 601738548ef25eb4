//! A running program with its owner paired: what most conversations start from.

use super::{Program, cloud::Cloud};
use std::time::Duration;
use tests::servers::{
    model::{Dialect, FakeModel, Script},
    telegram::{Conversation, FakeTelegram, Options, User},
};

pub struct Team {
    pub tg: FakeTelegram,
    /// The process that does everything; in the cloud the worker beside the functions.
    pub program: Program,
    /// The owner's private chat.
    pub ann: Conversation,
    pub cloud: Option<Cloud>,
}

/// Where a team lives.
#[derive(Clone, Copy)]
pub enum Home {
    /// One process with everything in a directory.
    Local,
    /// Cloud functions, and a worker for what needs a workspace.
    Cloud,
}

/// Makes a test of each conversation in each home; one is a function of its [`Home`].
macro_rules! in_each_home {
    ($($conversation:ident),+ $(,)?) => {
        mod local {
            $(#[tokio::test]
            async fn $conversation() {
                super::$conversation(super::super::Home::Local).await;
            })+
        }
        mod functions {
            $(#[tokio::test]
            async fn $conversation() {
                super::$conversation(super::super::Home::Cloud).await;
            })+
        }
    };
}
pub(crate) use in_each_home;

/// What the tests' program gives a model's provider as key.
pub const KEY: &str = "sk-made-up-key-of-the-flows-4711";

impl Team {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these variables in the program's environment.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        Self::in_home(Home::Local, variables).await
    }

    pub async fn in_home(home: Home, variables: &[(&str, &str)]) -> Self {
        match home {
            Home::Local => {
                let tg = FakeTelegram::start().await;
                let mut program = Program::new(&tg);
                for (name, value) in variables {
                    program.set(name, value);
                }
                program.up().await;
                Self::of(tg, program).await
            }
            Home::Cloud => Self::of_functions(variables).await,
        }
    }

    /// Of a program that is up.
    pub async fn of(tg: FakeTelegram, program: Program) -> Self {
        let code = program.pairing_code().await;
        Self::paired((tg, program, None), &code).await
    }

    async fn of_functions(variables: &[(&str, &str)]) -> Self {
        // A function starts in seconds, and what was lost is found within a lease and a minute.
        let options = Options {
            patience: Duration::from_secs(200),
            ..Options::default()
        };
        let tg = FakeTelegram::start_with(options).await;
        let cloud = Cloud::deploy(&tg, variables).await;
        let mut program = Program::worker(&cloud.environment("worker"));
        program.up().await;
        let (status, out, err) = program.run(&["pair"]).await;
        assert_eq!(status, 0, "{err}");
        Self::paired((tg, program, Some(cloud)), &code_of(&out)).await
    }

    async fn paired(
        (tg, program, cloud): (FakeTelegram, Program, Option<Cloud>),
        code: &str,
    ) -> Self {
        let ann = tg.private_chat(&User::new(1001, "Ann"));
        ann.send(&format!("/start {code}"));
        ann.wait_for_text("owner").await;
        Self {
            tg,
            program,
            ann,
            cloud,
        }
    }

    /// With a model that follows a script, instead of the rehearsal.
    pub async fn with_model(dialect: Dialect, script: Script) -> (Self, FakeModel) {
        Self::in_home_with_model(Home::Local, dialect, script).await
    }

    pub async fn in_home_with_model(
        home: Home,
        dialect: Dialect,
        script: Script,
    ) -> (Self, FakeModel) {
        let model = FakeModel::start_with_key(script, KEY).await.unwrap();
        let (key, url) = match dialect {
            Dialect::Anthropic => ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
            Dialect::OpenAi => ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
        };
        let team = Self::in_home(home, &[(key, KEY), (url, &model.url())]).await;
        (team, model)
    }

    /// `kill -9` of whoever works on runs at this moment.
    pub async fn kill(&mut self) {
        match &self.cloud {
            None => self.program.kill().await,
            Some(cloud) => cloud.kill("RunFunction"),
        }
    }

    /// What happens after [`Team::kill`]: a local process is started again, a function starts by itself when the lease has run out.
    pub async fn come_back(&mut self) {
        if self.cloud.is_none() {
            self.program.leases_run_out();
            self.program.up().await;
        }
    }

    /// It is up, and no part of it ever panicked.
    pub fn assert_well(mut self) {
        self.program.assert_well();
        if let Some(cloud) = &self.cloud {
            cloud.assert_well();
        }
    }

    /// Ann says something; the bot's first message after it that holds `expected`.
    pub async fn ask(&self, text: &str, expected: &str) -> String {
        let asked = self.ann.send(text);
        self.ann
            .wait_for_message(|m| m.id > asked && m.text.contains(expected))
            .await
            .text
    }

    /// How often the workspace's file `effects` was appended to.
    pub fn effects(&self) -> usize {
        self.program
            .workspace_file("effects")
            .map_or(0, |text| text.lines().count())
    }
}

/// The first word that looks like the end of an id.
pub fn short_id(text: &str) -> String {
    let found = text.split_whitespace().find(|word| is_short_id(word));
    found
        .unwrap_or_else(|| panic!("no short id in:\n{text}"))
        .to_owned()
}

fn is_short_id(word: &str) -> bool {
    word.len() == 6 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The code of a `t.me` link.
pub fn code_of(text: &str) -> String {
    let code = text
        .split("?start=")
        .nth(1)
        .unwrap_or_else(|| panic!("no link in:\n{text}"));
    code.chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect()
}

/// A transcript without what differs from run to run: ids, times, codes, and the status messages, which come only where a run
/// takes long.
pub fn redacted(transcript: &str) -> String {
    let mut out = String::new();
    let is_status = |line: &str| {
        line.contains(" step · ") || line.contains(" steps · ") || line.starts_with("Bot (deleted")
    };
    let mut happenings: Vec<String> = Vec::new();
    for line in transcript.lines() {
        match happenings.last_mut() {
            Some(last) if line.starts_with(' ') || line.is_empty() => {
                *last = format!("{last}\n{line}")
            }
            _ => happenings.push(line.to_owned()),
        }
    }
    happenings.retain(|happening| !happening.lines().any(is_status));
    for line in happenings.join("\n").lines() {
        let line = match line.split_once("Expires:") {
            Some((before, _)) => format!("{before}Expires: <when>"),
            None => line.to_owned(),
        };
        let words: Vec<&str> = line.split(' ').collect();
        let shown: Vec<String> = (0..words.len()).map(|at| shown(&words, at)).collect();
        out.push_str(shown.join(" ").trim_end());
        out.push('\n');
    }
    out
}

fn shown(words: &[&str], at: usize) -> String {
    let word = words[at];
    let is_clock = |word: &str| {
        word.len() == 5
            && word.as_bytes()[2] == b':'
            && word.bytes().filter(u8::is_ascii_digit).count() == 4
    };
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    if is_clock(word) {
        "<time>".to_owned()
    } else if is_short_id(bare) && bare.bytes().any(|b| b.is_ascii_digit()) {
        word.replace(bare, "<id>")
    } else if word.contains("?start=") {
        word.replace(&code_of(word), "<code>")
    } else if words
        .get(at + 1)
        .is_some_and(|unit| unit.trim_end_matches(',') == "s")
        && word.parse::<u32>().is_ok()
    {
        "<n>".to_owned()
    } else {
        word.to_owned()
    }
}
