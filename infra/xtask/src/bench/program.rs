//! The program itself, built as one would run it, on a data directory that has members already, against a FakeTelegram.

use anyhow::{Context, Result, bail};
use domain::{
    Micros,
    id::{MemberId, TeamId},
    member::{Member, Role},
};
use handlers::{Home, commit};
use ports::repo;
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use testkit::{
    blobs::MemoryBlobs, chance::TestChance, clock::TestClock, presenter::PlainPresenter,
};
use tests::servers::telegram::{Conversation, FakeTelegram, Options, User};
use tokio::process::{Child, Command};

use super::{
    engine::open_store,
    measure::{cpu_of, text_of},
};
use crate::project::Project;

/// The first person's id in Telegram; it is their private chat's too.
const FIRST_PERSON: i64 = 1001;
/// What is asked: it reads the database, changes nothing, and is answered by one short line.
pub const QUESTION: &str = "/runs";

/// A server that keeps no log of requests, which would grow while we measure.
pub async fn telegram() -> FakeTelegram {
    FakeTelegram::start_with(Options {
        record_requests: false,
        ..Options::default()
    })
    .await
}

pub fn people(telegram: &FakeTelegram, count: usize) -> Vec<Conversation> {
    let person = |(id, number)| User::new(id, &format!("Person {number}"));
    (FIRST_PERSON..)
        .zip(1..=count)
        .map(|who| telegram.private_chat(&person(who)))
        .collect()
}

/// Waits until each of the chats has so many messages in all, the bot's and the person's.
pub async fn wait_for_messages(telegram: &FakeTelegram, chats: &[Conversation], count: usize) {
    telegram
        .wait_for(|view| {
            let all = |chat: &Conversation| view.messages(chat.chat_id()).len() >= count;
            chats.iter().all(all).then_some(())
        })
        .await;
}

/// Builds it. Answers where it is.
pub fn build(project: &Project, profile: &str) -> Result<PathBuf> {
    let status = project
        .clean_command("cargo")
        .args(["build", "--package", "app", "--profile", profile])
        .status()?;
    if !status.success() {
        bail!("building the program ended with {status}");
    }
    Ok(project.target.join(profile).join("countersign"))
}

/// A data directory with a database in which these people are members, the first of them the owner.
pub async fn prepare(home: &Path, people: &[Conversation]) -> Result<()> {
    let data = home.join("data");
    std::fs::create_dir_all(&data)?;
    let home = Home {
        team: TeamId::new("home"),
        store: Arc::new(open_store(&data, "countersign.db").await?),
        blobs: Arc::new(MemoryBlobs::default()),
        clock: Arc::new(TestClock::default()),
        chance: Arc::new(TestChance::default()),
        presenter: Arc::new(PlainPresenter),
    };
    for (number, person) in people.iter().enumerate() {
        let id = format!("telegram:{}", person.chat_id());
        let member = Member {
            id: MemberId::new(id.clone()),
            name: format!("Person {number}"),
            role: if number == 0 {
                Role::Owner
            } else {
                Role::Operator
            },
            zone: String::new(),
            home: id,
            away: None,
            created_at: Micros(1),
        };
        commit(&home, vec![repo::create(&home.team, &member)?]).await?;
    }
    Ok(())
}

/// The command that starts it there.
pub fn command(
    project: &Project,
    program: &Path,
    home: &Path,
    telegram: &FakeTelegram,
) -> Result<Command> {
    let mut command = Command::from(project.clean_command(program));
    command
        .arg("up")
        .env("HOME", text_of(home)?)
        .env("COUNTERSIGN_HOME", home.join("data"))
        .env("COUNTERSIGN_LISTEN", "127.0.0.1:0")
        // Nothing listens there: a model server on this machine must not be asked.
        .env("OLLAMA_HOST", "http://127.0.0.1:9")
        .env("TELEGRAM_API_URL", telegram.url())
        .env("TELEGRAM_BOT_TOKEN", telegram.token())
        // What is measured is this program, not the rates that it keeps for Telegram's sake.
        .env("TELEGRAM_PACED", "false");
    Ok(command)
}

/// A process that ends with this value.
pub struct Running(Child);

impl Running {
    pub fn start(mut command: Command) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let program = command.as_std().get_program().to_owned();
        let child = command.spawn();
        Ok(Self(child.with_context(|| {
            format!("cannot start {}", program.display())
        })?))
    }

    pub fn id(&self) -> Result<String> {
        Ok(self.0.id().context("the process has ended")?.to_string())
    }

    pub fn cpu(&self) -> Result<f64> {
        cpu_of(&self.id()?)
    }

    /// Asks it to end, and ends it when it doesn't.
    pub async fn stop(mut self) -> Result<()> {
        let asked = Command::new("kill").arg(self.id()?).status().await?;
        if !asked.success()
            || tokio::time::timeout(Duration::from_secs(15), self.0.wait())
                .await
                .is_err()
        {
            self.0.kill().await?;
        }
        Ok(())
    }
}
