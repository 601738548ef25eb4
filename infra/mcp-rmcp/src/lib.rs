//! Tool servers through [rmcp](https://docs.rs/rmcp): local ones, which run in the sandbox and are talked to through their pipes, and remote
//! ones over streamable HTTP.
//!
//! [`Servers`] has a slot for each server and each place (the directory that it sees). In a slot is at most one [`live::Live`] connection: made
//! when it is first needed, looked at before it is used after a pause, made anew when it broke ([`pace`] says how soon), and let go when
//! nobody used it for a while. [`local`] and [`remote`] say how one is made; [`ear`] is what a server can say to us by itself.

mod answer;
mod ear;
mod form;
mod lines;
mod live;
mod local;
mod offer;
pub mod pace;
mod remote;

use domain::{
    Digest,
    mcp::{McpServer, Reach},
};
use ear::Heard;
use live::Live;
use pace::Pace;
use ports::{
    Mcp, Sandbox, Secret, Secrets,
    mcp::{McpAnswer, McpCall, McpError, Offer},
    sandbox::Cancel,
    workspace::Workspaces,
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::time::Instant;

/// What local servers need; a process without it only has remote ones.
#[derive(Clone)]
pub struct Bench {
    pub sandbox: Arc<dyn Sandbox>,
    /// For servers that are asked without a session's files.
    pub workspaces: Arc<dyn Workspaces>,
}

/// Clones share their connections. The last one's end ends them all.
pub struct Servers {
    bench: Option<Bench>,
    secrets: Vec<Arc<dyn Secrets>>,
    pace: Pace,
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
}

/// A server's name and the directory that it sees.
type Key = (String, Option<PathBuf>);

type Slot = tokio::sync::Mutex<Used>;

#[derive(Default)]
struct Used {
    /// [`McpServer::connection`].
    identity: Option<Digest>,
    live: Option<Arc<Live>>,
    /// Failures in a row, and when it may be tried again.
    failures: u32,
    not_before: Option<Instant>,
    why: String,
}

impl Servers {
    /// Secrets are looked for in this order.
    #[must_use]
    pub fn new(bench: Option<Bench>, secrets: Vec<Arc<dyn Secrets>>, pace: Pace) -> Self {
        Self {
            bench,
            secrets,
            pace,
            slots: Mutex::default(),
        }
    }

    fn slot(&self, server: &McpServer, place: Option<&Path>) -> Arc<Slot> {
        let place = place.filter(|_| server.is_local()).map(Path::to_owned);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| Arc::strong_count(slot) > 1 || !is_vacant(slot));
        slots
            .entry((server.name.clone(), place))
            .or_default()
            .clone()
    }

    /// A connection that answers.
    async fn live(
        &self,
        slot: &Arc<Slot>,
        server: &McpServer,
        place: Option<&Path>,
    ) -> Result<Arc<Live>, McpError> {
        let identity = Some(server.connection());
        let mut used = slot.lock().await;
        if used.identity != identity {
            *used = Used {
                identity,
                ..Used::default()
            };
        }
        if let Some(live) = used.live.clone() {
            if live.is_well(&self.pace).await {
                live.touch();
                return Ok(live);
            }
            used.live = None;
            used.failed(&self.pace, live.end());
        }
        if let Some(wait) = used
            .not_before
            .and_then(|at| at.checked_duration_since(Instant::now()))
        {
            return Err(McpError::Unavailable(format!(
                "it failed {} times in a row and is tried again in {} s; the last time: {}",
                used.failures,
                wait.as_secs() + 1,
                used.why
            )));
        }
        match self.connect(server, place).await {
            Ok(live) => {
                let live = Arc::new(live);
                used.live = Some(live.clone());
                tokio::spawn(let_go(Arc::downgrade(slot), self.pace));
                Ok(live)
            }
            Err(why) => {
                used.failed(&self.pace, why.clone());
                Err(McpError::Unavailable(why))
            }
        }
    }

    async fn connect(&self, server: &McpServer, place: Option<&Path>) -> Result<Live, String> {
        let secrets = self.secrets_of(server).await?;
        match &server.reach {
            Reach::Stdio { .. } => {
                let bench = self.bench.as_ref().ok_or(
                    "this process runs no servers: a worker with a sandbox does (`countersign worker --lanes sandbox`)",
                )?;
                local::connect(bench, server, place, secrets, &self.pace).await
            }
            Reach::Http { url } => {
                let heard = Heard::new(server.elicitation);
                remote::connect(url, secrets, heard, &self.pace).await
            }
        }
    }

    /// The secrets that the server is given, by variable or header.
    async fn secrets_of(&self, server: &McpServer) -> Result<Vec<Secret>, String> {
        if server.secrets.is_empty() {
            return Ok(Vec::new());
        }
        let mut known = Vec::new();
        for source in &self.secrets {
            known.extend(
                source
                    .all()
                    .await
                    .map_err(|error| format!("secrets: {error}"))?,
            );
        }
        let mut given = Vec::new();
        for (place, name) in &server.secrets {
            let secret = known.iter().find(|secret| secret.name == *name);
            let secret = secret.ok_or_else(|| {
                format!("there is no secret “{name}”: set it with `countersign secrets set {name}`")
            })?;
            given.push(Secret {
                name: place.clone(),
                value: secret.value.clone(),
            });
        }
        Ok(given)
    }

    /// The next use starts afresh; what has the connection keeps it until it is done.
    async fn drop_live(&self, slot: &Slot, live: &Arc<Live>) {
        let mut used = slot.lock().await;
        if used
            .live
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, live))
        {
            used.live = None;
            used.failed(&self.pace, live.end());
        }
    }
}

impl Used {
    fn failed(&mut self, pace: &Pace, why: String) {
        self.failures += 1;
        self.not_before = pace
            .pause(self.failures)
            .map(|pause| Instant::now() + pause);
        self.why = why;
    }
}

fn is_vacant(slot: &Slot) -> bool {
    slot.try_lock()
        .is_ok_and(|used| used.live.is_none() && used.failures == 0)
}

/// Ends a connection that nobody used for a while.
async fn let_go(slot: Weak<Slot>, pace: Pace) {
    loop {
        tokio::time::sleep(pace.idle / 2).await;
        let Some(slot) = slot.upgrade() else { return };
        let mut used = slot.lock().await;
        match &used.live {
            None => return,
            // Whoever calls it has it as well.
            Some(live) if Arc::strong_count(live) > 1 || live.idle() < pace.idle => {}
            Some(_) => {
                used.live = None;
                return;
            }
        }
    }
}

#[async_trait::async_trait]
impl Mcp for Servers {
    async fn tools(&self, server: &McpServer, place: Option<&Path>) -> Result<Offer, McpError> {
        let slot = self.slot(server, place);
        let live = self.live(&slot, server, place).await?;
        match live.look(&self.pace).await {
            Ok(offer) => Ok(offer),
            Err(why) => {
                self.drop_live(&slot, &live).await;
                Err(McpError::Unavailable(why))
            }
        }
    }

    async fn call(
        &self,
        server: &McpServer,
        place: Option<&Path>,
        call: &McpCall,
        cancel: &Cancel,
    ) -> Result<McpAnswer, McpError> {
        if cancel.is_raised() {
            return Err(McpError::Unavailable("it was stopped before".to_owned()));
        }
        let slot = self.slot(server, place);
        let live = self.live(&slot, server, place).await?;
        let answer = tokio::select! {
            answer = live.call(call, &self.pace) => answer,
            () = cancel.raised() => Err(McpError::Unknown("it was stopped in the middle of the call".to_owned())),
        };
        match &answer {
            Err(McpError::Unknown(_) | McpError::TooLarge | McpError::Unavailable(_)) => {
                self.drop_live(&slot, &live).await;
            }
            Ok(_) => slot.lock().await.failures = 0,
            Err(_) => {}
        }
        answer
    }
}
