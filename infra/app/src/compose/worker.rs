//! What does the work in this process: models, a sandbox, the handlers bound to them, and the lanes that it serves.

use super::{
    BadStart, Local, alert::alert, mcp, models, sandbox, search, secrets, service,
    surfaces::Surfaces, table::Table, workspace,
};
use crate::{
    crash,
    worker::{Handlers, Lane, Pace, Worker},
};
use domain::id::SessionId;
use handlers::{Home, run::Workbench, tick};
use ports::{
    job::lane,
    store::{ConflictReason, StoreError},
    workspace::Workspaces,
};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A model call may take this long, its stream included.
pub const MODEL_TIMEOUT: Duration = Duration::from_secs(300);
/// Updates handled, messages sent at once: they wait for the store or for Telegram, not for a processor.
pub const FRONT_AT_ONCE: usize = 16;
pub const SEND_AT_ONCE: usize = 16;

/// Documents read at once: they wait for a processor, and each may be large.
pub const INGEST_AT_ONCE: usize = 2;

/// Everything that a worker needs.
pub struct Engine {
    pub local: Local,
    pub found: models::Found,
    pub picked: sandbox::Picked,
    surfaces: Surfaces,
    handlers: Handlers,
}

impl Engine {
    /// Finds models and sandbox and binds the handlers to them.
    ///
    /// # Errors
    /// [`BadStart`] when the configuration names what cannot be had.
    pub async fn build(local: Local, surfaces: Surfaces) -> Result<Self, BadStart> {
        let (found, picked) =
            tokio::join!(models::find(&local.config), sandbox::pick(&local.config));
        let found = found?;
        let workspaces: Arc<dyn Workspaces> = Arc::new(workspace::checked(&local.config));
        let bench = mcp_rmcp::Bench {
            sandbox: picked.sandbox.clone(),
            workspaces: workspaces.clone(),
        };
        let tools = mcp::tools(&local.config, Some(bench))?;
        let redaction = &local.config.redaction;
        let workbench = Workbench {
            sandbox: redaction.over(crash::sandbox(picked.sandbox.clone())),
            workspaces: redaction.over(crash::workspaces(workspaces)),
        };
        let sandbox = Some(workbench.sandbox.clone());
        let table = Table::new(&local.config, &local.home, &surfaces).with_tools(tools);
        let models = table.models(&found);
        let index = search::index(&local.config).await?;
        let handlers = table
            .run(&models, index.clone(), Some(workbench), MODEL_TIMEOUT)?
            .update(models, index.clone(), sandbox)?
            .send()
            .circulate()
            .outage()
            .ingest(index, Some(redaction.over(picked.sandbox.clone())))
            .tick()?
            .handlers;
        Ok(Self {
            local,
            found,
            picked,
            surfaces,
            handlers,
        })
    }

    /// Starts the worker of a command that ends when its person is done, and the tick if it isn't ticking. Runs are left to a
    /// service where one lives, so that the command's end interrupts nobody's work.
    ///
    /// # Errors
    /// [`BadStart`] when the store doesn't take the first tick.
    pub async fn start(&self, stop: CancellationToken) -> Result<JoinHandle<()>, BadStart> {
        let mut lanes = self.lanes();
        let home = &self.local.config.home;
        for runs in lanes
            .iter_mut()
            .filter(|lane| [lane::RUN, lane::SANDBOX].contains(&&*lane.name))
        {
            let home = home.clone();
            runs.gate = Some(Arc::new(move || !service::lives(&home)));
        }
        self.work(lanes, stop).await
    }

    /// Starts the worker of a service: it works on every run.
    ///
    /// # Errors
    /// [`BadStart`] when the store doesn't take the first tick.
    pub async fn serve(&self, stop: CancellationToken) -> Result<JoinHandle<()>, BadStart> {
        self.work(self.lanes(), stop).await
    }

    async fn work(
        &self,
        lanes: Vec<Lane>,
        stop: CancellationToken,
    ) -> Result<JoinHandle<()>, BadStart> {
        begin_ticking(&self.local.home).await?;
        Ok(self.spawn(lanes, stop))
    }

    /// Starts a worker on these lanes, as far as this process can.
    pub fn work_on(&self, names: &[String], stop: CancellationToken) -> JoinHandle<()> {
        let mut lanes = self.lanes();
        lanes.retain(|lane| names.contains(&lane.name));
        self.spawn(lanes, stop)
    }

    fn spawn(&self, lanes: Vec<Lane>, stop: CancellationToken) -> JoinHandle<()> {
        let (config, until) = (self.local.config.clone(), stop.clone());
        tokio::spawn(async move { secrets::follow(&config, until).await });
        let pace = Pace {
            shutdown: self.local.config.shutdown,
            poll: self.poll(),
            ..Pace::default()
        };
        let alert = alert(self.local.home.clone(), self.surfaces.me.clone());
        let worker = Worker::new(self.local.bench(), self.handlers.clone(), alert, pace);
        tokio::spawn(worker.run(lanes, stop))
    }

    /// A queue is heard for as long as SQS lets anybody wait, which saves requests.
    fn poll(&self) -> Duration {
        match self.local.config.database.is_cloud() && !self.local.config.cloud.queues.0.is_empty()
        {
            true => Duration::from_secs(20),
            false => Pace::default().poll,
        }
    }

    fn lanes(&self) -> Vec<Lane> {
        let lane = |name: &str, at_once| Lane {
            name: name.to_owned(),
            at_once,
            gate: None,
        };
        let mut lanes = vec![
            lane(lane::FRONT, FRONT_AT_ONCE),
            lane(lane::CIRCULATE, FRONT_AT_ONCE),
            lane(lane::OUTAGE, 1),
            lane(lane::RUN, self.local.config.workers),
            lane(lane::INGEST, INGEST_AT_ONCE),
            lane(lane::SANDBOX, self.local.config.workers),
            lane(lane::TICK, 1),
        ];
        // What this process can't send or read is left to one that can.
        if self.surfaces.messengers.contains_key("telegram") {
            lanes.push(lane(lane::SEND, SEND_AT_ONCE));
            let me = self.surfaces.me.clone();
            lanes.push(Lane {
                gate: Some(Arc::new(move || me.get().is_some())),
                ..lane(lane::FRONT_TELEGRAM, FRONT_AT_ONCE)
            });
        }
        lanes.extend(
            self.surfaces
                .terminals
                .iter()
                .map(|session: &SessionId| lane(&lane::of_terminal(session), 1)),
        );
        lanes
    }
}

/// The first tick, if there is none yet.
///
/// # Errors
/// [`BadStart`] when the store doesn't take it.
pub async fn begin_ticking(home: &Home) -> Result<(), BadStart> {
    let bad =
        |error: &dyn std::fmt::Display| BadStart(format!("The database cannot be used: {error}."));
    let first = tick::first(home).map_err(|error| bad(&error))?;
    match handlers::commit(home, vec![first]).await {
        // It ticks already.
        Err(StoreError::Conflict(conflict)) if conflict.reason == ConflictReason::JobExists => {
            Ok(())
        }
        other => other.map_err(|error| bad(&error)),
    }
}
