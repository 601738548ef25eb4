//! A run's journal while a step works on it: the folded state, what was noted and not committed yet, and the commits.

mod records;

pub use records::Parked;

use super::{RunPorts, ledger::Ledger};
use crate::{HandlerError, Home, Lease, draft};
use domain::{
    MicroUsd, canonical_json,
    id::RunId,
    run::{Actor, Entry, Event, Hold, Moves, RunStatus, RunSummary, State, lift},
    session::{Expects, Session},
};
use ports::{
    job::{self, RunStep, lane},
    repo::{self, Stored},
    store::{ConflictReason, Op, StoreError},
};
use std::{collections::BTreeMap, time::Duration};

/// How a commit ends.
#[derive(Clone, Debug)]
pub enum Tail {
    /// The step goes on.
    Hold,
    /// The step is over, nothing else changes.
    Rest,
    /// The step is over, the run waits for a person; the session's next text may be what it waits for.
    Park(Vec<Op>, Option<Expects>),
    /// The step is over, its continuation is enqueued, due after this.
    Continue(Duration),
    /// The step is over; its continuation is enqueued for a process that has workspaces.
    Elsewhere,
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
    /// What is reserved as far as it is committed.
    hold: Hold,
    /// What counters may reach with the commit under way.
    ceilings: BTreeMap<String, i64>,
    /// Which ceiling the latest commit met.
    over: Option<Over>,
    /// Whether the latest commit would have waited for a person who talks about something else by now.
    left: bool,
    ledger: Ledger,
}

/// A budget that a reservation would pass.
pub struct Over {
    pub counter: String,
    /// With what is reserved for others.
    pub spent: MicroUsd,
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
        let ledger = Ledger::load(home, run).await?;
        let (committed, hold) = (state.len, state.hold.clone());
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
            hold,
            ceilings: BTreeMap::new(),
            over: None,
            left: false,
            ledger,
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

    /// Commits what was noted, then that a model is asked, under the ceilings of these counters. As [`Log::commit`], or which one
    /// was in the way.
    pub async fn reserve(
        &mut self,
        asked: Event,
        ceilings: BTreeMap<String, i64>,
    ) -> Result<Result<bool, Over>, HandlerError> {
        self.ceilings = ceilings;
        let done = self.commit(Some((self.agent(), asked)), Tail::Hold).await;
        self.ceilings.clear();
        match (done?, self.over.take()) {
            (false, Some(mut over)) => {
                // What was settled and is not committed yet will be.
                let settled = self.moves().get(&over.counter).copied();
                over.spent += MicroUsd(settled.unwrap_or_default());
                Ok(Err(over))
            }
            (done, _) => Ok(Ok(done)),
        }
    }

    /// How what is pending moves the budgets' counters.
    fn moves(&self) -> Moves {
        let (mut hold, mut moves) = (self.hold.clone(), Moves::new());
        for entry in &self.pending {
            hold.apply(&entry.event, &mut moves);
        }
        moves
    }

    /// In the commit that appends what moves them, so that each moves once.
    fn money(&self) -> impl Iterator<Item = Op> {
        self.moves().into_iter().filter_map(|(name, delta)| {
            let ceiling = self.ceilings.get(&name).copied();
            let counter = repo::budgets::counter(&self.ports.home.team, &name);
            let counts = delta != 0 || ceiling.is_some();
            counts.then_some(Op::Add {
                counter,
                delta,
                ceiling,
            })
        })
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
            let Some(ops) = self.batch(&tail).await? else {
                self.left = true;
                self.refold(has_last).await?;
                return Ok(false);
            };
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
                        (ConflictReason::Ceiling { value }, Some(Op::Add { counter, .. })) => {
                            let (counter, spent) = (counter.id.clone(), MicroUsd(*value));
                            self.over = Some(Over { counter, spent });
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

    /// `None`: it would wait for a person who talks about something else by now.
    async fn batch(&mut self, tail: &Tail) -> Result<Option<Vec<Op>>, HandlerError> {
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
        ops.extend(self.ledger.audit(home, &self.run, &self.pending).await?);
        ops.extend(self.money());
        ops.extend(self.ops.iter().cloned());
        if !self.state.is_over() || matches!(tail, Tail::End) {
            ops.extend(self.summarise(tail)?);
        }
        let (job, epoch) = (self.lease.job.id.clone(), self.lease.job.epoch);
        match tail {
            Tail::Hold => ops.push(Op::Hold { job, epoch }),
            Tail::Park(more, expects) => {
                ops.extend(more.iter().cloned());
                if let Some(expects) = expects {
                    let Some(session) = self.expecting(expects)? else {
                        return Ok(None);
                    };
                    ops.push(session);
                }
                ops.push(Op::Finish { job, epoch });
            }
            Tail::Rest => ops.push(Op::Finish { job, epoch }),
            Tail::End => {
                ops.extend(super::end::settle(self).await?);
                ops.push(Op::Finish { job, epoch });
            }
            Tail::Continue(_) | Tail::Elsewhere => {
                let work = RunStep {
                    run: self.run.clone(),
                    workspace: matches!(tail, Tail::Elsewhere)
                        || self.lease.job.lane == lane::SANDBOX,
                };
                ops.push(Op::Finish { job, epoch });
                let due = match tail {
                    Tail::Continue(pause) => home.now().plus(*pause),
                    _ => home.now(),
                };
                let job = job::new_job(&home.team, home.chance.id(), &work, due)?;
                ops.push(Op::Enqueue(job));
            }
        }
        Ok(Some(ops))
    }

    fn settled(&mut self, tail: &Tail) {
        self.ledger.settled();
        self.committed = self.state.len;
        self.hold = self.state.hold.clone();
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
        self.drop_cards();
        self.state = fold(&self.ports.home, &self.run).await?;
        self.committed = self.state.len;
        self.hold = self.state.hold.clone();
        for entry in &self.pending {
            self.state
                .apply(entry)
                .map_err(|e| HandlerError::Fail(format!("run {}: {e}", self.run)))?;
        }
        self.reread().await
    }

    /// Cards that were made and not committed: they were made for a world that is no more, and nobody has seen them.
    pub fn drop_cards(&mut self) {
        self.ops.clear();
        self.pending.retain(|entry| {
            !matches!(
                entry.event,
                Event::ApprovalAsked { .. } | Event::BudgetAsked { .. } | Event::Cancelled
            )
        });
    }

    /// Somebody may have written to the journal (a cancel): fold again.
    pub async fn refresh(&mut self) -> Result<(), HandlerError> {
        self.refold(false).await
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
