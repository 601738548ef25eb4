//! The records beside a run's journal that change with it: its summary, and the session that it talks in.

use super::{Log, Tail};
use crate::HandlerError;
use domain::{
    run::{Actor, Event, Phase, RunStatus, RunSummary},
    session::Expects,
};
use ports::{
    repo::{self, Stored},
    store::Op,
};

/// What became of a question to a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parked {
    /// The step is over; the session's next text may be the answer.
    Waits,
    /// The journal grew meanwhile: it is still to be asked.
    Grown,
    /// The session turned to something else: nobody there would know what it is about.
    Left,
}

impl Log<'_> {
    /// Commits what was noted, and that the run waits for the answer, with the messages that ask for it.
    pub async fn park_on_person(
        &mut self,
        parked: Event,
        (ops, expects): (Vec<Op>, Expects),
    ) -> Result<Parked, HandlerError> {
        let tail = Tail::Park(ops, Some(expects));
        let done = self.commit(Some((Actor::System, parked)), tail).await?;
        Ok(match (done, std::mem::take(&mut self.left)) {
            (true, _) => Parked::Waits,
            (false, true) => Parked::Left,
            (false, false) => Parked::Grown,
        })
    }

    /// The record, where its status changes.
    pub(super) fn summarise(&self, tail: &Tail) -> Result<Option<Op>, HandlerError> {
        let status = match tail {
            Tail::Park(..) => RunStatus::Waiting,
            // Woken for nothing: it waits as before.
            Tail::Rest if matches!(self.state.phase, Phase::Parked(_)) => RunStatus::Waiting,
            Tail::End => self.summary.value.status,
            _ => RunStatus::Running,
        };
        let summary = self.summarised(status);
        let changed = summary.status != self.summary.value.status
            || matches!(tail, Tail::Park(..) | Tail::End | Tail::Continue(_));
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
        summary.count(state);
        summary.status = status;
        if let Phase::Over(outcome) = &state.phase {
            summary.status = outcome.into();
            summary.ended_at = Some(state.last_at);
        }
        summary
    }

    /// The session, with what its next text is an answer to. `None`: it turned to something else.
    pub(super) fn expecting(&self, expects: &Expects) -> Result<Option<Op>, HandlerError> {
        let Stored { mut value, version } = self.session.clone();
        if value.run.as_ref() != Some(&self.run) {
            return Ok(None);
        }
        value.expects = Some(expects.clone());
        value.updated_at = self.ports.home.now();
        let stored = Stored { value, version };
        Ok(Some(repo::update(&self.ports.home.team, &stored)?))
    }

    pub(super) async fn reread(&mut self) -> Result<(), HandlerError> {
        let home = &self.ports.home;
        self.ledger.reread(home).await?;
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
}
