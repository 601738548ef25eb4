//! The `run` handler: folds the journal, performs one action after another, until the run is parked, over, or the step's time is
//! up.
//!
//! ```text
//! loop { match next(&state) { … } }      domain::run::next decides, this file dispatches
//!   begin(event) ─ commit ─ effect ─ note(event)       an event before each effect and one after it
//! ```
//! What is noted after an effect goes into the commit before the next one, so a step costs two commits: one before the model is
//! asked, one before the call starts. When a commit meets a journal that grew (somebody decided or cancelled), the state is
//! folded again and [`next`] is asked again.

mod abandon;
mod approve;
mod budget;
mod call;
mod elicit;
mod end;
mod judge;
pub(crate) mod large;
mod ledger;
mod log;
mod model;
mod modified;
mod offer;
mod recall;
mod summary;

use crate::{
    HandlerError, Home, Lease,
    tool::{Preview, Tools},
};
pub use abandon::abandon;
pub use approve::messages;
use domain::{
    Digest,
    approval::Subject,
    content,
    id::CallId,
    run::{Action, Actor, Event, Outcome, State, next},
};
pub use elicit::question_of;
pub(crate) use elicit::{as_it_ended, asked};
pub use ledger::stream;
use log::{Log, Tail};
pub use log::{fold, parse};
use ports::{
    Progress, Sandbox, SearchIndex, Workspace,
    job::RunStep,
    model::Models,
    progress::{Doing, Report},
    sandbox::Limits,
    workspace::Workspaces,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
pub(crate) use summary::waiting_in;

/// What a run needs of the world.
#[derive(Clone)]
pub struct RunPorts {
    pub home: Home,
    pub models: Models,
    /// `None` in a cloud function: calls that need one are left to a worker that has it, in [`lane::SANDBOX`].
    pub workbench: Option<Workbench>,
    /// Where agents look things up.
    pub index: Arc<dyn SearchIndex>,
    pub progress: Arc<dyn Progress>,
    pub tools: Tools,
    pub presets: Arc<[catalog::Preset]>,
    /// How long a card waits, where no rule says otherwise.
    pub approval_expiry: Duration,
    /// For one model call, its stream included. A step that has less time left continues in a new job.
    pub model_timeout: Duration,
}

/// Where tools work.
#[derive(Clone)]
pub struct Workbench {
    pub sandbox: Arc<dyn Sandbox>,
    pub workspaces: Arc<dyn Workspaces>,
}

/// One bounded step.
///
/// # Errors
/// [`HandlerError::Retry`] when the world did not answer, [`HandlerError::Fail`] for a journal that can't be read.
pub async fn step(ports: &RunPorts, lease: &Lease, work: &RunStep) -> Result<(), HandlerError> {
    let mut log = Log::load(ports, lease, &work.run).await?;
    if log.state.busy {
        // Nobody worked since the latest event: the process was gone, or the step before this one made a pause.
        log.note(Actor::System, Event::Resumed)?;
    }
    let workspace = match &ports.workbench {
        None => None,
        Some(workbench) => Some(open(workbench, &log).await),
    };
    let tools = ports.tools.of(&ports.home, &log.state.agent.id).await?;
    let mut step = Step {
        ports,
        tools,
        lease,
        log,
        workspace,
        asked: 0,
        failures: Vec::new(),
        previews: BTreeMap::new(),
    };
    while step.act().await? {}
    Ok(())
}

async fn open(workbench: &Workbench, log: &Log<'_>) -> Result<Arc<dyn Workspace>, String> {
    let own = log.session.value.workspace.as_deref();
    let opened = workbench.workspaces.open(&log.state.session, own).await;
    opened.map_err(|error| format!("the workspace cannot be opened: {error}."))
}

/// A step under way.
struct Step<'a> {
    ports: &'a RunPorts,
    lease: &'a Lease,
    log: Log<'a>,
    /// The agent's, as of the step's beginning.
    tools: Tools,
    /// Or why there is none; `None` without a workbench.
    workspace: Option<Result<Arc<dyn Workspace>, String>>,
    /// Cards that this step made.
    asked: usize,
    /// Of models that this step asked since one answered: one of each.
    failures: Vec<String>,
    /// Of calls that were just judged: no plan is made twice for one card.
    previews: BTreeMap<CallId, Preview>,
}

impl Step<'_> {
    fn state(&self) -> &State {
        &self.log.state
    }

    /// One action. `false` when the step is over.
    async fn act(&mut self) -> Result<bool, HandlerError> {
        let now = self.ports.home.now();
        let action = match (next(self.state(), now), &self.workspace) {
            (action @ (Action::Rest | Action::Finish { .. }), _) => action,
            (_, Some(Err(why))) => Action::Finish {
                outcome: Outcome::Failed { why: why.clone() },
            },
            (action, None) if self.needs_workspace(&action) => {
                return self
                    .log
                    .commit(None, Tail::Elsewhere)
                    .await
                    .map(|done| !done);
            }
            (action, _) => action,
        };
        match action {
            Action::Rest => self.log.commit(None, Tail::Rest).await.map(|done| !done),
            Action::AskModel if self.lease.deadline < now.plus(self.ports.model_timeout) => {
                self.continue_later(Duration::ZERO).await
            }
            Action::AskModel => self.ask_model().await,
            Action::Recall => self.recall().await,
            Action::Judge { call } => self.judge(&call).await,
            Action::AskApproval { call } => {
                self.ask_approval(&call, domain::approval::Question::Call)
                    .await
            }
            Action::AskUnknown { call } => {
                self.ask_approval(&call, domain::approval::Question::Unknown)
                    .await
            }
            Action::Start { call, approval } => self.start(&call, approval).await,
            Action::Repeat { call } => self.repeat(&call).await,
            Action::Refuse { call, why } => self.refuse(&call, why).await,
            Action::TakeAsHappened { call } => self.take_as_happened(&call).await,
            Action::Park { on } => self.park(on).await,
            Action::Finish { outcome } => self.finish(outcome).await,
        }
    }

    /// What only a process with workspaces can judge, show or do.
    fn needs_workspace(&self, action: &Action) -> bool {
        let (Action::Judge { call }
        | Action::AskApproval { call }
        | Action::AskUnknown { call }
        | Action::Start { call, .. }
        | Action::Repeat { call }) = action
        else {
            return false;
        };
        self.tool(call).is_some_and(|tool| tool.needs_workspace())
    }

    /// In a new job, which has a new deadline.
    async fn continue_later(&mut self, pause: Duration) -> Result<bool, HandlerError> {
        let done = self.log.commit(None, Tail::Continue(pause)).await?;
        Ok(!done)
    }

    fn report(&self, doing: Doing) {
        let state = self.state();
        self.ports.progress.report(Report {
            run: self.log.run.clone(),
            session: state.session.clone(),
            agent: state.agent.name.clone(),
            doing,
            step: state.steps,
            cost: state.cost,
            started_at: state.started_at,
        });
    }

    /// The call's tool and arguments as the model gave them, large texts fetched.
    async fn arguments(&self, call: &CallId) -> Result<(String, serde_json::Value), HandlerError> {
        let Some(state) = self.state().call(call) else {
            return Err(HandlerError::Fail(format!("call {call} is gone")));
        };
        let arguments = large::fetch(&*self.ports.home.blobs, state.call.arguments.clone()).await?;
        Ok((state.call.name.clone(), arguments))
    }

    /// What an approval of this call is bound to, as the world is now.
    fn subject(&self, call: &CallId, before: Digest) -> Result<Subject, HandlerError> {
        let state = self.state();
        let Some(call) = state.call(call) else {
            return Err(HandlerError::Fail(format!("call {call} is gone")));
        };
        // What needs neither files nor sandbox is the same call in every process.
        let place = match self.tool(&call.call.id) {
            Some(tool) if !tool.needs_workspace() => None,
            _ => self.place(),
        };
        let root = place.map(|place| place.workspace.root().display().to_string());
        let sandbox = place.map(|place| place.sandbox.digest(&Limits::default()));
        Ok(Subject {
            tool: call.call.name.clone(),
            arguments: call.call.arguments.clone(),
            agent: state.agent.id.clone(),
            agent_version: state.agent.version,
            working_directory: root.unwrap_or_default(),
            sandbox: sandbox.unwrap_or_else(|| Digest::of_bytes("")),
            before,
        })
    }
}

/// One line that says what a call is about, for a status message.
fn headline(arguments: &serde_json::Value) -> String {
    let main = ["command", "path", "text", "question", "query"]
        .iter()
        .find_map(|name| arguments.get(name)?.as_str());
    content::prefix(main.unwrap_or("").lines().next().unwrap_or(""), 80).to_owned()
}
