//! What does the work in this process: the handlers with their ports, one line each, and the lanes that it serves.

use super::{
    BadStart, Local, backup, directory, models, sandbox, secrets, service, surfaces::Surfaces,
    workspace,
};
use crate::{
    crash,
    redacted::Redaction,
    worker::{Alert, Handlers, Lane, Pace, Worker},
};
use bot::conversation::{self, Conversation};
use domain::id::SessionId;
use handlers::{
    HandlerError, Home, Lease, circulate, members, outage,
    run::{self, RunPorts, Workbench},
    send::{self, SendPorts},
    tick::{self, TickPorts},
};
use ports::{
    Messenger, Model, Progress,
    job::{Circulate, Outage, Received, RunStep, Tick, Work, lane},
    message::Outgoing,
    model::Models,
    present::Notice,
    store::{ConflictReason, Job, Op, StoreError},
    workspace::Workspaces,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A model call may take this long, its stream included.
const MODEL_TIMEOUT: Duration = Duration::from_secs(300);
/// Updates handled, messages sent at once: they wait for the store or for Telegram, not for a processor.
const FRONT_AT_ONCE: usize = 16;
const SEND_AT_ONCE: usize = 16;

/// A handler for the worker's table: the job's payload as the handler wants it. A macro, because a generic function cannot yet say
/// that the future of an `AsyncFn` may go to another thread.
macro_rules! job {
    ($ports:ident, $handle:path) => {{
        move |lease: Lease| {
            let ports = $ports.clone();
            async move {
                let work = serde_json::from_str(&lease.job.payload)?;
                $handle(&ports, &lease, &work).await
            }
        }
    }};
}

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
        let handlers = bind(&local, &surfaces, &found, &picked)?;
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
        let (config, until) = (self.local.config.clone(), stop.clone());
        tokio::spawn(async move { secrets::follow(&config, until).await });
        let pace = Pace {
            shutdown: self.local.config.shutdown,
            ..Pace::default()
        };
        let alert = alert(self.local.home.clone());
        let worker = Worker::new(self.local.bench(), self.handlers.clone(), alert, pace);
        Ok(tokio::spawn(worker.run(lanes, stop)))
    }

    fn lanes(&self) -> Vec<Lane> {
        let lane = |name: &str, at_once| Lane {
            name: name.to_owned(),
            at_once,
            gate: None,
        };
        let mut lanes = vec![
            lane(lane::FRONT, FRONT_AT_ONCE),
            lane(lane::RUN, self.local.config.workers),
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

/// The table of handlers.
fn bind(
    local: &Local,
    surfaces: &Surfaces,
    found: &models::Found,
    picked: &sandbox::Picked,
) -> Result<Handlers, BadStart> {
    let home = local.home.clone();
    let bad = |error: catalog::CatalogError| {
        BadStart(format!(
            "This program was built with a wrong catalog: {error}."
        ))
    };
    let redaction = &local.config.redaction;
    let presets = catalog::policies().map_err(bad)?;
    let preset_names = presets.iter().map(|preset| preset.name.clone()).collect();
    let workspaces: Arc<dyn Workspaces> = Arc::new(workspace::Checked {
        config: local.config.clone(),
        workspaces: backup::workspaces(&local.config),
    });
    let progress: Arc<dyn Progress> = Arc::new(surfaces.clone());
    let models = clean_models(redaction, &crash::models(found.models.clone()));
    let runs = Arc::new(RunPorts {
        home: home.clone(),
        models: models.clone(),
        workbench: Some(Workbench {
            sandbox: redaction.over(crash::sandbox(picked.sandbox.clone())),
            workspaces: redaction.over(crash::workspaces(workspaces)),
        }),
        progress: redaction.over(progress),
        tools: handlers::tool::all(),
        presets: presets.into(),
        approval_expiry: local.config.approval_expires,
        model_timeout: MODEL_TIMEOUT,
    });
    let sends = Arc::new(SendPorts {
        home: home.clone(),
        messengers: clean_messengers(redaction, &surfaces.messengers),
    });
    let ticks = Arc::new(TickPorts {
        home: home.clone(),
        seal_key: directory::audit_key(&local.config, &*home.chance)?,
    });
    let (at, there) = (home.clone(), home.clone());
    let talks = Arc::new(Conversation {
        home,
        me: surfaces.me.clone(),
        presets: preset_names,
        tools: handlers::tool::all(),
        models,
    });
    Ok(Handlers::default()
        .with(RunStep::NAME, job!(runs, run::step))
        .with(Outgoing::NAME, job!(sends, send::send))
        // It has its own limits, and whether it was under way decides about the mark on its repetition.
        .lasting(Outgoing::NAME, send::UNKNOWN)
        .with(Received::NAME, job!(talks, conversation::handle))
        .with(Circulate::NAME, job!(at, circulate::circulate))
        .with(Outage::NAME, job!(there, outage::outage))
        .with(Tick::NAME, job!(ticks, tick)))
}

/// What is asked and what is answered, without secrets.
fn clean_models(redaction: &Redaction, models: &Models) -> Models {
    let over = |(name, model): (&String, &Arc<dyn Model>)| -> (String, Arc<dyn Model>) {
        (name.clone(), redaction.over(model.clone()))
    };
    Models {
        providers: models.providers.iter().map(over).collect(),
        default: models.default.clone(),
    }
}

/// Ways out that let no secret out.
fn clean_messengers(
    redaction: &Redaction,
    messengers: &BTreeMap<String, Arc<dyn Messenger>>,
) -> BTreeMap<String, Arc<dyn Messenger>> {
    let over = |(name, messenger): (&String, &Arc<dyn Messenger>)| -> (String, Arc<dyn Messenger>) {
        (name.clone(), redaction.over(messenger.clone()))
    };
    messengers.iter().map(over).collect()
}

/// The tick has no payload to look at.
async fn tick(ports: &TickPorts, lease: &Lease, _: &Tick) -> Result<(), HandlerError> {
    tick::tick(ports, lease).await
}

async fn begin_ticking(home: &Home) -> Result<(), BadStart> {
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

/// The owner hears of a job that is set aside, if there is a chat where that is possible.
fn alert(home: Home) -> Alert {
    Arc::new(move |job, error| {
        let home = home.clone();
        Box::pin(async move {
            let mut ops = alert_ops(&home, &job, &error).await.unwrap_or_default();
            // A run whose step is set aside would be waited for for ever.
            if let Ok(RunStep { run, .. }) = serde_json::from_str(&job.payload)
                && job.name == RunStep::NAME
            {
                // Where that fails, the tick does it.
                match run::abandon(&home, &run, &error).await {
                    Ok(abandoned) => ops.extend(abandoned),
                    Err(error) => tracing::warn!(%run, %error, "a run could not be given up"),
                }
            }
            ops
        })
    })
}

async fn alert_ops(home: &Home, job: &Job, error: &str) -> Result<Vec<Op>, HandlerError> {
    // A message about a message that can't be sent would go the same way.
    let owner = match members::owner(home).await? {
        Some(owner) if !owner.home.is_empty() && job.name != Outgoing::NAME => owner,
        _ => return Ok(Vec::new()),
    };
    let what = job.serial.as_deref().unwrap_or(job.id.as_str());
    let notice = Notice::SetAside {
        job: job.name.clone(),
        what: what.to_owned(),
        attempts: job.attempts,
        why: error.to_owned(),
    };
    run::messages(home, &SessionId::new(&*owner.home), &notice, &owner.zone)
}
