//! `countersign chat`: a conversation in this terminal, through the same inbox and outbox as any other. `up` opens one as well
//! when it has a terminal.
//!
//! What comes over a pipe is a script: each line waits until the one before has been dealt with, so that an answer to a card
//! does not come before the card.

use super::{Context, Failure, ask, follow, output::print, stop, up};
use crate::compose::{Local, surfaces::Surfaces, worker::Engine, workspace};
use bot::terminal::{Clear, SURFACE, Screen, waiting};
use domain::{
    approval::{Approval, ApprovalStatus},
    id::{JobId, SessionId},
    session::{Expects, Session},
};
use handlers::{
    commit_with,
    receive::{Incoming, receive},
    sessions,
};
use ports::{Messenger, job::lane, repo, store::StoreError};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{DirBuilder, File},
    io::IsTerminal,
    os::unix::fs::DirBuilderExt,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// In columns; where the terminal is wider, cards are simply narrower.
const WIDTH: usize = 80;
/// Between two looks at whether a line has been dealt with.
const LOOK: Duration = Duration::from_millis(30);
/// Conversations of one name at the same time.
const MOST: usize = 20;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Talk to this agent
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Work in this directory instead of the conversation's own
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// The conversation's name; each has a history and files of its own
    #[arg(long, value_name = "NAME", default_value = "main")]
    session: String,
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    domain::agent::check_name(&arguments.session).map_err(Failure::usage)?;
    let workspace = arguments
        .workspace
        .as_ref()
        .map(|path| ask::directory(&context.config, path))
        .transpose()?;
    let (local, _) = context.open().await?;
    let (surfaces, chat) = open(Surfaces::default(), &local, &arguments.session)?;
    let (home, session) = (&local.home, chat.session.clone());
    if workspace.is_some() {
        commit_with(home, async || {
            sessions::choose_workspace(home, &session, workspace.clone()).await
        })
        .await?;
    }
    if let Some(name) = &arguments.agent {
        commit_with(home, async || {
            sessions::choose_agent(home, &local.owner, &session, name).await
        })
        .await?;
    }
    let engine = Engine::build(local.clone(), surfaces).await?;
    if !chat.script {
        let model = &engine.found.models.default;
        let sandbox = up::sandbox(&engine.picked);
        print(&format!(
            "{model}, sandbox {sandbox}. /help says more, ctrl-d ends."
        ));
    }
    let (asked_to_stop, stop_working) = (stop::on_signal()?, CancellationToken::new());
    let working = engine.start(stop_working.clone()).await?;
    let waiting = chat.run(asked_to_stop).await;
    stop_working.cancel();
    let _ = working.await;
    match waiting? {
        true => {
            eprintln!("A card still waits: countersign approvals list");
            Ok(ask::WAITING)
        }
        false => Ok(0),
    }
}

/// A conversation that is about to begin.
pub struct Chat {
    local: Local,
    screen: Arc<Screen>,
    session: SessionId,
    lines: mpsc::UnboundedReceiver<String>,
    script: bool,
    /// Held as long as the conversation lasts: its messages are printed by one process.
    _lock: File,
}

/// Takes a conversation of this name, or the next that is free.
///
/// # Errors
/// When the data directory can't be written.
pub fn open(surfaces: Surfaces, local: &Local, name: &str) -> Result<(Surfaces, Chat), Failure> {
    let (name, lock) = take_name(local, name)?;
    let session = SessionId::new(format!("{SURFACE}:{name}"));
    let clear = if std::io::stdout().is_terminal() {
        Clear::Ansi
    } else {
        Clear::Never
    };
    let out = (
        Box::new(std::io::stdout()) as Box<dyn std::io::Write + Send>,
        clear,
        WIDTH,
    );
    let home = &local.home;
    let screen = Arc::new(Screen::new(
        session.clone(),
        home.blobs.clone(),
        home.clock.clone(),
        out,
    ));
    let surfaces = surfaces.with_terminal(session.clone(), screen.clone(), screen.clone());
    let chat = Chat {
        local: local.clone(),
        screen,
        session,
        lines: follow::lines(),
        script: !std::io::stdin().is_terminal(),
        _lock: lock,
    };
    Ok((surfaces, chat))
}

fn take_name(local: &Local, name: &str) -> Result<(String, File), Failure> {
    let directory = local.config.home.join("terminals");
    let failed = |error: std::io::Error| {
        Failure::new(format!(
            "{} cannot be written ({error}): make it writable for this user.",
            directory.display()
        ))
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .map_err(failed)?;
    for number in 1..=MOST {
        let name = match number {
            1 => name.to_owned(),
            number => format!("{name}-{number}"),
        };
        let file = File::create(directory.join(&name)).map_err(failed)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Ok((name, file));
        }
    }
    Err(Failure::new(format!(
        "{MOST} conversations are open already: close one."
    )))
}

impl Chat {
    /// Until the input ends or `stop`. Answers whether a card waits.
    ///
    /// # Errors
    /// When a line could not be stored.
    pub async fn run(mut self, stop: CancellationToken) -> Result<bool, Failure> {
        self.check_workspace().await?;
        self.show_waiting().await?;
        loop {
            let line = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(false),
                line = self.lines.recv() => line,
            };
            let Some(line) = line else { break };
            if line.trim().is_empty() {
                continue;
            }
            let job = self.say(&line).await?;
            if self.script {
                tokio::select! {
                    () = stop.cancelled() => return Ok(false),
                    settled = self.settled(&job) => settled?,
                }
            }
        }
        if !self.script {
            return Ok(false);
        }
        Ok(self.waits().await?.is_some_and(|waits| waits))
    }

    /// The directory that an earlier process chose: what lies in it may have changed since.
    async fn check_workspace(&self) -> Result<(), Failure> {
        let home = &self.local.home;
        let session = repo::get::<Session>(&*home.store, &home.team, self.session.as_str()).await?;
        match session.and_then(|session| session.value.workspace) {
            None => Ok(()),
            Some(chosen) => workspace::check(&self.local.config, chosen.as_ref()).map_err(|why| {
                Failure::usage(format!(
                    "{why} (`countersign chat --workspace` chooses another one.)"
                ))
            }),
        }
    }

    /// What the process before left open. Without it a key would be taken for a message.
    async fn show_waiting(&self) -> Result<(), Failure> {
        let (home, zone) = (&self.local.home, &self.local.owner.zone);
        for message in waiting(home, &self.session, zone).await? {
            if let Err(error) = self.screen.send(&message, None, false).await {
                tracing::warn!(%error, "what waits here could not be shown: see `countersign approvals list`");
            }
        }
        Ok(())
    }

    async fn say(&self, line: &str) -> Result<JobId, Failure> {
        let update = self.local.home.chance.id();
        let surface = self.session.as_str().replace(':', ".");
        let incoming = Incoming {
            surface: surface.clone(),
            update: update.clone(),
            session: self.session.clone(),
            raw: serde_json::to_string(&self.screen.read(line))?,
        };
        receive(&self.local.home, &[incoming]).await?;
        Ok(JobId::new(format!("in:{surface}:{update}")))
    }

    /// Waits until the line was handled, its run is over or needs a person, and everything was printed.
    async fn settled(&self, job: &JobId) -> Result<(), StoreError> {
        let store = &self.local.home.store;
        loop {
            let handled = store.job(job).await?.is_none_or(|job| job.set_aside);
            if handled && self.waits().await?.is_none_or(|waits| waits) && self.printed().await? {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// `None`: no run. Else whether it waits for a person.
    async fn waits(&self) -> Result<Option<bool>, StoreError> {
        let home = &self.local.home;
        let session = repo::get::<Session>(&*home.store, &home.team, self.session.as_str()).await?;
        let Some(Session {
            run: Some(run),
            expects,
            ..
        }) = session.map(|session| session.value)
        else {
            return Ok(None);
        };
        if matches!(&expects, Some(Expects::Answer { run: asking, .. }) if *asking == run) {
            return Ok(Some(true));
        }
        let query = repo::by::<Approval>(&home.team, "by_run", run.as_str());
        let approvals = repo::collect::<Approval>(&*home.store, query).await?;
        let pending = approvals
            .iter()
            .any(|approval| approval.value.status == ApprovalStatus::Pending);
        Ok(Some(pending))
    }

    async fn printed(&self) -> Result<bool, StoreError> {
        let home = &self.local.home;
        let name = lane::of_terminal(&self.session);
        let lanes = home.store.backlog(home.now()).await?;
        Ok(lanes
            .iter()
            .filter(|lane| lane.lane == name)
            .all(|lane| lane.due + lane.leased == 0))
    }
}
