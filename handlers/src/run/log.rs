//! A run's journal while a step works on it: the folded state, what was noted and not committed yet, and the commits.

use super::RunPorts;
use crate::{HandlerError, Home, Lease, audit, draft};
use domain::{
    audit::{Deed, Head},
    canonical_json,
    id::RunId,
    run::{Actor, Entry, Event, RunStatus, RunSummary, State, lift},
    session::Session,
};
use ports::{
    job::{self, RunStep},
    repo::{self, Stored},
    store::{ConflictReason, Op, StoreError},
};
use serde_json::json;

/// How a commit ends.
#[derive(Clone, Debug)]
pub enum Tail {
    /// The step goes on.
    Hold,
    /// The step is over, nothing else changes.
    Rest,
    /// The step is over, the run waits for a person.
    Park(Vec<Op>),
    /// The step is over, its continuation is enqueued.
    Continue,
    /// The run is over.
    End,
}

pub struct Log<'a> {
    ports: &'a RunPorts,
    lease: &'a Lease,
    pub run: RunId,
    pub state: State,
    pub summary: Stored<RunSummary>,
    pub session: Stored<Session>,
    /// Noted, not committed.
    pending: Vec<Entry>,
    /// Operations that belong to what is pending: approvals to create, messages to send.
    ops: Vec<Op>,
    committed: u64,
    audit: Head,
    /// The audit stream may have to be marked for the sealer; once per step is enough.
    marked: bool,
}

impl<'a> Log<'a> {
    pub async fn load(
        ports: &'a RunPorts,
        lease: &'a Lease,
        run: &RunId,
    ) -> Result<Self, HandlerError> {
        let home = &ports.home;
        let state = fold(home, run).await?;
        let missing = |what: &str| HandlerError::Fail(format!("{what} of run {run} is not there"));
        let summary = repo::get::<RunSummary>(&*home.store, &home.team, run.as_str())
            .await?
            .ok_or_else(|| missing("the record"))?;
        let session = repo::get::<Session>(&*home.store, &home.team, state.session.as_str())
            .await?
            .ok_or_else(|| missing("the session"))?;
        let audit = audit::head(home, &stream(run)).await?;
        let committed = state.len;
        let run = run.clone();
        Ok(Self {
            ports,
            lease,
            run,
            state,
            summary,
            session,
            pending: Vec::new(),
            ops: Vec::new(),
            committed,
            audit,
            marked: false,
        })
    }

    /// Notes what happened; it is committed with the next commit.
    pub fn note(&mut self, actor: Actor, event: Event) -> Result<(), HandlerError> {
        let entry = Entry {
            v: 1,
            at: self.ports.home.now(),
            actor,
            event,
        };
        self.state
            .apply(&entry)
            .map_err(|e| HandlerError::Fail(format!("run {}: {e}", self.run)))?;
        self.pending.push(entry);
        Ok(())
    }

    /// Operations for the next commit.
    pub fn with(&mut self, ops: impl IntoIterator<Item = Op>) {
        self.ops.extend(ops);
    }

    pub fn agent(&self) -> Actor {
        Actor::Agent(self.state.agent.id.clone())
    }

    /// Commits what was noted, then `last`. `false`: the journal grew meanwhile, nothing of `last` happened, and the state is the
    /// new one with what was noted still pending: ask `next` again.
    pub async fn commit(
        &mut self,
        last: Option<(Actor, Event)>,
        tail: Tail,
    ) -> Result<bool, HandlerError> {
        let has_last = last.is_some();
        if let Some((actor, event)) = last {
            self.note(actor, event)?;
        }
        for _ in 0..8 {
            let ops = self.batch(&tail).await?;
            let reasons = ops.iter().map(Op::clone).collect::<Vec<_>>();
            match draft::commit(&self.ports.home, ops).await {
                Ok(()) => {
                    self.settled(&tail);
                    return Ok(true);
                }
                Err(StoreError::Conflict(conflict)) => {
                    match (&conflict.reason, reasons.get(conflict.op)) {
                        (ConflictReason::Fenced, _) => return Err(HandlerError::LeaseLost),
                        (ConflictReason::Position { .. }, Some(Op::Append { journal, .. }))
                            if journal.journal.name == "run_events" =>
                        {
                            self.refold(has_last).await?;
                            return Ok(false);
                        }
                        // The audit stream grew, or a record of the session changed: read again, the same decision holds.
                        _ => self.reread().await?,
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(HandlerError::Retry {
            after: None,
            error: "the run's records keep changing".to_owned(),
        })
    }

    async fn batch(&mut self, tail: &Tail) -> Result<Vec<Op>, HandlerError> {
        let home = &self.ports.home;
        let mut ops = Vec::new();
        if !self.pending.is_empty() {
            let entries = self
                .pending
                .iter()
                .map(canonical_json)
                .collect::<Result<Vec<_>, _>>()?;
            ops.push(Op::Append {
                journal: repo::runs::journal(&home.team, &self.run),
                at: self.committed,
                entries,
            });
        }
        let deeds: Vec<Deed> = self
            .pending
            .iter()
            .filter_map(|entry| deed(&self.run, entry))
            .collect();
        if !deeds.is_empty() {
            ops.push(audit::entry(home, &stream(&self.run), &self.audit, deeds)?.0);
            if !self.marked {
                ops.extend(audit::open(home, &stream(&self.run)).await?);
            }
        }
        ops.extend(self.ops.iter().cloned());
        let status = match tail {
            Tail::Park(_) => RunStatus::Waiting,
            Tail::End => self.summary.value.status,
            _ => RunStatus::Running,
        };
        if !self.state.is_over() || matches!(tail, Tail::End) {
            ops.extend(self.summarise(status, tail)?);
        }
        let (job, epoch) = (self.lease.job.id.clone(), self.lease.job.epoch);
        match tail {
            Tail::Hold => ops.push(Op::Hold { job, epoch }),
            Tail::Park(more) => ops.extend(more.iter().cloned().chain([Op::Finish { job, epoch }])),
            Tail::Rest => ops.push(Op::Finish { job, epoch }),
            Tail::End => {
                ops.extend(super::end::settle(self).await?);
                ops.push(Op::Finish { job, epoch });
            }
            Tail::Continue => {
                let work = RunStep {
                    run: self.run.clone(),
                };
                ops.push(Op::Finish { job, epoch });
                ops.push(Op::Enqueue(job::new_job(
                    &home.team,
                    home.chance.id(),
                    &work,
                    home.now(),
                )?));
            }
        }
        Ok(ops)
    }

    /// The record, where its status changes.
    fn summarise(&self, status: RunStatus, tail: &Tail) -> Result<Option<Op>, HandlerError> {
        let summary = self.summarised(status);
        let changed = summary.status != self.summary.value.status
            || matches!(tail, Tail::Park(_) | Tail::End | Tail::Continue);
        let stored = Stored {
            value: summary,
            version: self.summary.version,
        };
        Ok(if changed {
            Some(repo::update(&self.ports.home.team, &stored)?)
        } else {
            None
        })
    }

    fn summarised(&self, status: RunStatus) -> RunSummary {
        let state = &self.state;
        let mut summary = self.summary.value.clone();
        summary.steps = state.steps;
        summary.cost = state.cost;
        summary.model.clone_from(&state.model);
        summary.status = status;
        if let domain::run::Phase::Over(outcome) = &state.phase {
            summary.status = outcome.into();
            summary.ended_at = Some(state.last_at);
        }
        summary
    }

    fn settled(&mut self, tail: &Tail) {
        let deeds: Vec<Deed> = self
            .pending
            .iter()
            .filter_map(|entry| deed(&self.run, entry))
            .collect();
        if !deeds.is_empty() {
            if let Ok((_, head)) =
                audit::entry(&self.ports.home, &stream(&self.run), &self.audit, deeds)
            {
                self.audit = head;
            }
            self.marked = true;
        }
        self.committed = self.state.len;
        self.pending.clear();
        self.ops.clear();
        if matches!(tail, Tail::Hold) && self.summary.value.status != RunStatus::Running {
            self.summary.value.status = RunStatus::Running;
            self.summary.version += 1;
        }
    }

    /// The journal grew: its new fold, with what is pending on top, `last` taken back.
    async fn refold(&mut self, drop_last: bool) -> Result<(), HandlerError> {
        if drop_last {
            self.pending.pop();
        }
        self.state = fold(&self.ports.home, &self.run).await?;
        self.committed = self.state.len;
        for entry in &self.pending {
            self.state
                .apply(entry)
                .map_err(|e| HandlerError::Fail(format!("run {}: {e}", self.run)))?;
        }
        self.reread().await
    }

    /// Somebody may have written to the journal (a cancel): fold again.
    pub async fn refresh(&mut self) -> Result<(), HandlerError> {
        self.refold(false).await
    }

    async fn reread(&mut self) -> Result<(), HandlerError> {
        let home = &self.ports.home;
        self.audit = audit::head(home, &stream(&self.run)).await?;
        if let Some(summary) = repo::get(&*home.store, &home.team, self.run.as_str()).await? {
            self.summary = summary;
        }
        if let Some(session) =
            repo::get(&*home.store, &home.team, self.state.session.as_str()).await?
        {
            self.session = session;
        }
        Ok(())
    }

    pub fn home(&self) -> &'a Home {
        &self.ports.home
    }
}

/// The state of a run, from its whole journal.
///
/// # Errors
/// [`HandlerError::Fail`] for a journal that is none.
pub async fn fold(home: &Home, run: &RunId) -> Result<State, HandlerError> {
    let entries = crate::queries::journal(home, run).await?;
    State::fold(&entries).map_err(|e| HandlerError::Fail(format!("run {run}: {e}")))
}

/// Parses journal lines.
///
/// # Errors
/// `Corrupt` with the position of the first line that is no event.
pub fn parse(lines: &[String], from: u64) -> Result<Vec<Entry>, StoreError> {
    let parse = |(i, line): (usize, &String)| {
        lift(line).map_err(|e| StoreError::Corrupt(format!("event {}: {e}", from + i as u64)))
    };
    lines.iter().enumerate().map(parse).collect()
}

pub fn stream(run: &RunId) -> String {
    format!("run:{run}")
}

/// What of an event belongs into the audit: verdicts, decisions, actions and money; never texts.
fn deed(run: &RunId, entry: &Entry) -> Option<Deed> {
    let (action, subject, detail) = match &entry.event {
        Event::ModelReplied {
            model, usage, cost, ..
        } => (
            "model.replied",
            run.to_string(),
            json!({"model": model, "tokens": usage.total(), "cost": cost}),
        ),
        Event::CallProposed {
            call,
            verdict,
            digest,
            ..
        } => (
            "call.judged",
            call.to_string(),
            json!({"effect": verdict.effect, "rule": verdict.rule, "digest": digest}),
        ),
        Event::ApprovalAsked {
            call,
            approval,
            digest,
        } => (
            "approval.asked",
            approval.to_string(),
            json!({"call": call, "digest": digest}),
        ),
        Event::CallStarted { call, approval } => (
            "call.started",
            call.to_string(),
            json!({"approval": approval}),
        ),
        Event::CallFinished {
            call, ok, output, ..
        } => (
            "call.finished",
            call.to_string(),
            json!({"ok": ok, "bytes": output.bytes()}),
        ),
        Event::Finished { outcome, .. } => (
            "run.finished",
            run.to_string(),
            json!({"status": RunStatus::from(outcome)}),
        ),
        _ => return None,
    };
    Some(audit::deed(action, &entry.actor, subject, detail))
}
