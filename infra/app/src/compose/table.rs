//! The table of handlers: which there are, each with the ports that it needs and no others. The local process has all of them, a
//! cloud function the one of its role.

use super::{BadStart, directory, extract::Extractors, models, skills, surfaces::Surfaces};
use crate::{config::Config, crash, redacted::Redaction, worker::Handlers};
use bot::conversation::{self, Conversation};
use handlers::{
    HandlerError, Home, Lease, circulate,
    ingest::{self, IngestPorts},
    outage,
    run::{self, RunPorts, Workbench},
    send::{self, SendPorts},
    tick::{self, TickPorts},
    tool::Tools,
};
use ports::{
    Messenger, Model, Progress, Sandbox, SearchIndex,
    job::{Circulate, Ingest, Outage, Received, RunStep, Tick, Work},
    message::Outgoing,
    model::Models,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

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

/// Handlers so far, and what they are made of.
pub struct Table<'a> {
    pub handlers: Handlers,
    config: &'a Config,
    home: &'a Home,
    surfaces: &'a Surfaces,
    /// What agents can call.
    tools: Tools,
}

impl<'a> Table<'a> {
    #[must_use]
    pub fn new(config: &'a Config, home: &'a Home, surfaces: &'a Surfaces) -> Self {
        Self {
            handlers: Handlers::default(),
            config,
            home,
            surfaces,
            tools: handlers::tool::all(),
        }
    }

    /// With servers of further tools, for runs and conversations.
    #[must_use]
    pub fn with_tools(self, tools: Tools) -> Self {
        Self { tools, ..self }
    }

    /// Models that are told no secret, and whose answers hold none.
    #[must_use]
    pub fn models(&self, found: &models::Found) -> Models {
        clean_models(&self.config.redaction, &crash::models(found.models.clone()))
    }

    /// Steps of runs. Without a workbench those that need one are left to a process that has it.
    ///
    /// # Errors
    /// [`BadStart`] when the catalog is wrong.
    pub fn run(
        mut self,
        models: &Models,
        index: Arc<dyn SearchIndex>,
        workbench: Option<Workbench>,
        model_timeout: Duration,
    ) -> Result<Self, BadStart> {
        let progress: Arc<dyn Progress> = Arc::new(self.surfaces.clone());
        let ports = Arc::new(RunPorts {
            home: self.home.clone(),
            models: models.clone(),
            workbench,
            index,
            progress: self.config.redaction.over(progress),
            tools: self.tools.clone(),
            presets: presets()?.into(),
            approval_expiry: self.config.approval_expires,
            model_timeout,
        });
        self.handlers = self.handlers.with(RunStep::NAME, job!(ports, run::step));
        Ok(self)
    }

    /// What arrived.
    ///
    /// # Errors
    /// [`BadStart`] when the catalog is wrong.
    pub fn update(
        mut self,
        models: Models,
        index: Arc<dyn SearchIndex>,
        sandbox: Option<Arc<dyn Sandbox>>,
    ) -> Result<Self, BadStart> {
        let names = presets()?.into_iter().map(|preset| preset.name).collect();
        let ports = Arc::new(Conversation {
            home: self.home.clone(),
            me: self.surfaces.me.clone(),
            presets: names,
            tools: self.tools.clone(),
            models,
            index,
            files: self.surfaces.files.clone(),
            shelf: skills::shelf(self.config, sandbox.clone()),
            sandbox,
        });
        let handle = job!(ports, conversation::handle);
        self.handlers = self.handlers.with(Received::NAME, handle);
        Ok(self)
    }

    /// Messages out.
    #[must_use]
    pub fn send(mut self) -> Self {
        let ports = Arc::new(SendPorts {
            home: self.home.clone(),
            messengers: clean_messengers(&self.config.redaction, &self.surfaces.messengers),
        });
        self.handlers = self
            .handlers
            .with(Outgoing::NAME, job!(ports, send::send))
            // It has its own limits, and whether it was under way decides about the mark on its repetition.
            .lasting(Outgoing::NAME, send::UNKNOWN);
        self
    }

    /// Copies of cards.
    #[must_use]
    pub fn circulate(mut self) -> Self {
        let home = self.home.clone();
        let handle = job!(home, circulate::circulate);
        self.handlers = self.handlers.with(Circulate::NAME, handle);
        self
    }

    /// What follows from an outage.
    #[must_use]
    pub fn outage(mut self) -> Self {
        let home = self.home.clone();
        self.handlers = self.handlers.with(Outage::NAME, job!(home, outage::outage));
        self
    }

    /// Documents. Without a sandbox PDFs are left to a process that has one.
    #[must_use]
    pub fn ingest(
        mut self,
        index: Arc<dyn SearchIndex>,
        sandbox: Option<Arc<dyn Sandbox>>,
    ) -> Self {
        let ports = Arc::new(IngestPorts {
            home: self.home.clone(),
            extract: Arc::new(Extractors::new(self.config, sandbox.map(crash::reader))),
            index: crash::index(index),
        });
        let handle = job!(ports, ingest::ingest);
        self.handlers = self.handlers.with(Ingest::NAME, handle);
        self
    }

    /// What is due by time.
    ///
    /// # Errors
    /// [`BadStart`] when there is no key for the audit.
    pub fn tick(mut self) -> Result<Self, BadStart> {
        let ports = Arc::new(TickPorts {
            home: self.home.clone(),
            seal_key: directory::audit_key(self.config, &*self.home.chance)?,
        });
        self.handlers = self.handlers.with(Tick::NAME, job!(ports, tick));
        Ok(self)
    }
}

fn presets() -> Result<Vec<catalog::Preset>, BadStart> {
    catalog::policies().map_err(|error| {
        BadStart(format!(
            "This program was built with a wrong catalog: {error}."
        ))
    })
}

/// What is asked and what is answered, without secrets.
fn clean_models(redaction: &Redaction, models: &Models) -> Models {
    let over = |(name, model): (&String, &Arc<dyn Model>)| -> (String, Arc<dyn Model>) {
        (name.clone(), redaction.over(model.clone()))
    };
    Models {
        providers: models.providers.iter().map(over).collect(),
        default: models.default.clone(),
        tiers: models.tiers.clone(),
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
