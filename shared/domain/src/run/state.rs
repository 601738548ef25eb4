//! The fold: what a journal amounts to.

use super::{
    AgentSnapshot, BudgetCard, CallState, Entry, Event, Hold, Limits, Offer, Outcome, ParkedOn,
    Past, Spent,
};
use crate::{
    Digest, MicroUsd, Micros, Usage,
    citation::Source,
    content::Content,
    id::{CallId, MemberId, SessionId},
    message::Message,
    skill::{Used, used},
    tool::ToolClass,
};
use std::{collections::BTreeMap, time::Duration};

/// A run as its journal tells it.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    pub agent: AgentSnapshot,
    pub session: SessionId,
    pub requester: MemberId,
    pub prompt: Content,
    pub limits: Limits,
    pub phase: Phase,
    /// What a model is shown, in order. It only grows, so that a provider's cache holds from step to step; but for a summary.
    pub messages: Vec<Message>,
    pub past: Past,
    /// Calls of the latest reply, in order.
    pub calls: Vec<CallState>,
    pub cancel_asked: Option<MemberId>,
    /// Where content from outside came from; a run with any is tainted.
    pub taint: Vec<String>,
    /// Whether knowledge was looked up for the prompt.
    pub recalled: bool,
    /// What the numbers stand for that this run cites.
    pub sources: Vec<Source>,
    /// How often a call with the same tool and arguments was finished since another one changed something.
    pub repeats: BTreeMap<Digest, u32>,
    /// Calls in a row that were refused as repetitions.
    pub loops: u32,
    /// Model calls that were begun.
    pub steps: u32,
    pub usage: Usage,
    /// Spent, with what is reserved for a call under way.
    pub cost: MicroUsd,
    /// What is reserved for a call under way.
    pub hold: Hold,
    /// What was settled, by day and model.
    pub spent: Vec<Spent>,
    /// The card about a budget for the next model call; none when there is room.
    pub budget: Option<BudgetCard>,
    /// Model that answered last.
    pub model: String,
    pub model_error: Option<String>,
    pub started_at: Micros,
    pub last_at: Micros,
    /// Time of work up to the latest event: between events of a step. Waiting for a person or for a process is no work.
    pub worked_for: Duration,
    /// Whether a step is under way, as far as the journal tells.
    pub busy: bool,
    /// The skills that were used, and what was done with each.
    pub skills: BTreeMap<String, Used>,
    /// Where in its chain of tries the next asking of a model begins; 0 is the beginning.
    pub next_try: u32,
    pub offer: Offer,
    pub answer: Option<Content>,
    /// Events so far: the position that the next append names.
    pub len: u64,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Phase {
    Working,
    /// `ModelAsked` without a reply: to be asked again.
    Asking,
    Parked(ParkedOn),
    Over(Outcome),
}

#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum FoldError {
    #[error("the journal is empty")]
    Empty,
    #[error("the journal does not begin with a start")]
    NoStart,
    #[error("event {position}: {what}")]
    Impossible { position: u64, what: String },
}

impl State {
    /// # Errors
    /// When the entries are not the journal of a run.
    pub fn fold<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Self, FoldError> {
        let mut entries = entries.into_iter();
        let mut state = Self::start(entries.next().ok_or(FoldError::Empty)?)?;
        for entry in entries {
            state.apply(entry)?;
        }
        Ok(state)
    }

    fn start(entry: &Entry) -> Result<Self, FoldError> {
        let Event::Started {
            agent,
            session,
            requester,
            prompt,
            limits,
        } = &entry.event
        else {
            return Err(FoldError::NoStart);
        };
        Ok(Self {
            agent: agent.clone(),
            session: session.clone(),
            requester: requester.clone(),
            prompt: prompt.clone(),
            limits: *limits,
            phase: Phase::Working,
            messages: vec![Message::User {
                text: prompt.clone(),
            }],
            past: Past::default(),
            calls: Vec::new(),
            cancel_asked: None,
            taint: Vec::new(),
            recalled: false,
            sources: Vec::new(),
            repeats: BTreeMap::new(),
            loops: 0,
            steps: 0,
            usage: Usage::default(),
            cost: MicroUsd::ZERO,
            hold: Hold::default(),
            spent: Vec::new(),
            budget: None,
            model: String::new(),
            model_error: None,
            started_at: entry.at,
            last_at: entry.at,
            worked_for: Duration::ZERO,
            busy: false,
            skills: BTreeMap::new(),
            next_try: 0,
            offer: Offer::default(),
            answer: None,
            len: 1,
        })
    }

    /// # Errors
    /// When the event cannot follow what was before.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), FoldError> {
        self.count_time(entry);
        match &entry.event {
            Event::Started { .. } => return Err(self.impossible("a second start")),
            Event::ContextAdded {
                source,
                messages,
                tainted,
                taint,
                sources,
            } => {
                self.add_context(source, messages);
                self.add_sources(sources);
                taint.iter().for_each(|source| self.add_taint(source));
                if *tainted && taint.is_empty() {
                    self.add_taint(source);
                }
            }
            Event::ToolsOffered { .. } => self.offer.decide(&entry.event),
            Event::ModelAsked { .. } | Event::ModelReplied { .. } | Event::ModelFailed { .. } => {
                self.apply_model(entry);
            }
            Event::Summarised { .. } => self.apply_summary(entry),
            Event::BudgetAsked { .. } => self.ask_for_money(entry),
            Event::ApprovalDecided {
                approval, decided, ..
            } if self.asks_for(approval) => self.decide_budget(decided),
            Event::CallProposed { .. }
            | Event::ApprovalAsked { .. }
            | Event::ApprovalDecided { .. }
            | Event::CallStarted { .. }
            | Event::CallFinished { .. } => self.apply_call(entry)?,
            Event::CallModified { .. }
            | Event::Elicited { .. }
            | Event::ElicitationAnswered { .. } => self.change_call(entry)?,
            Event::ChildStarted { .. } | Event::ChildFinished { .. } | Event::Cancelled => {}
            Event::Parked { on } => self.phase = Phase::Parked(on.clone()),
            Event::Resumed => self.wake(),
            Event::CancelAsked { by } => {
                self.cancel_asked = Some(by.clone());
                self.wake();
            }
            Event::Finished { outcome, answer } => {
                self.phase = Phase::Over(outcome.clone());
                self.settle(entry);
                self.answer.clone_from(answer);
            }
        }
        self.last_at = entry.at;
        self.len += 1;
        Ok(())
    }

    /// Steps write all events but a start, a person's words and decisions. What was before a `Resumed` was nobody's work: the
    /// process was gone, or its step made a pause.
    fn count_time(&mut self, entry: &Entry) {
        if self.busy && entry.event != Event::Resumed {
            self.worked_for += entry.at.since(self.last_at);
        }
        self.busy = match &entry.event {
            Event::Parked { .. } | Event::Finished { .. } => false,
            Event::ContextAdded { .. }
            | Event::CallModified { .. }
            | Event::ApprovalDecided { .. }
            | Event::ElicitationAnswered { .. }
            | Event::CancelAsked { .. } => self.busy,
            Event::CallFinished { .. } if matches!(self.phase, Phase::Parked(_)) => self.busy,
            _ => true,
        };
    }

    pub(super) fn wake(&mut self) {
        if matches!(self.phase, Phase::Parked(_)) {
            self.phase = Phase::Working;
        }
    }

    fn apply_call(&mut self, entry: &Entry) -> Result<(), FoldError> {
        match &entry.event {
            Event::CallProposed {
                call,
                verdict,
                class,
                digest,
            } => {
                let call = self.call_mut(call)?;
                call.judged = Some((verdict.clone(), *class, digest.clone()));
                // Judged anew: an approval of the old digest is worth nothing.
                call.asked = None;
                call.decided = None;
            }
            Event::ApprovalAsked {
                call,
                approval,
                digest,
            } => {
                self.call_mut(call)?.ask(approval, digest);
            }
            Event::ApprovalDecided {
                call,
                approval,
                decided,
            } => {
                self.note_decision(entry);
                let call = self.call_mut(call)?;
                if call
                    .asked
                    .as_ref()
                    .is_some_and(|(asked, _)| asked == approval)
                {
                    call.decided = Some(decided.clone());
                }
                self.wake();
            }
            Event::CallStarted { call, approval } => {
                let call = self.call_mut(call)?;
                call.running = true;
                (call.spent, call.resumes) = (approval.is_some(), false);
            }
            Event::CallFinished {
                call: id,
                output,
                ok,
                taint,
                sources,
                ..
            } => {
                self.finish_call(id, output, *ok, taint.as_deref())?;
                self.add_sources(sources);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish_call(
        &mut self,
        id: &CallId,
        output: &Content,
        ok: bool,
        taint: Option<&str>,
    ) -> Result<(), FoldError> {
        let call = self.call_mut(id)?;
        let ran = call.running;
        (call.running, call.elicited, call.ended) = (false, None, None);
        call.finished = true;
        call.ok = ok;
        let reads = matches!(call.judged, Some((_, ToolClass::Read, _)));
        let (name, fingerprint) = (call.call.name.clone(), call.call.fingerprint());
        let skill = call.call.text("name").map(ToOwned::to_owned);
        if let Some(skill) = skill.filter(|_| ran) {
            used(&mut self.skills, &name, skill, ok);
        }
        if ran && !reads {
            // The world may be another one now: what was tried before may come out differently.
            self.repeats.retain(|known, _| *known == fingerprint);
        }
        let repeats = self.repeats.entry(fingerprint).or_default();
        *repeats += 1;
        self.loops = match ran {
            true => 0,
            false if *repeats > super::MAX_REPEATS => self.loops + 1,
            false => self.loops,
        };
        self.messages.push(Message::Tool {
            call: id.clone(),
            name,
            output: output.clone(),
            ok,
        });
        if let Some(source) = taint {
            self.add_taint(source);
        }
        self.wake();
        Ok(())
    }

    fn add_taint(&mut self, source: &str) {
        // Some sources are enough for a card; that the run is tainted is what counts.
        if self.taint.len() < 20 && !self.taint.iter().any(|known| known == source) {
            self.taint.push(source.to_owned());
        }
    }

    fn add_sources(&mut self, sources: &[Source]) {
        let known = self.sources.last().map_or(0, |source| source.number);
        let new = sources.iter().filter(|source| source.number > known);
        self.sources.extend(new.cloned());
    }

    #[must_use]
    pub fn call(&self, id: &CallId) -> Option<&CallState> {
        self.calls.iter().find(|call| call.call.id == *id)
    }

    pub(super) fn call_mut(&mut self, id: &CallId) -> Result<&mut CallState, FoldError> {
        let position = self.len;
        let what = format!("call {id} is not part of the latest reply");
        self.calls
            .iter_mut()
            .find(|call| call.call.id == *id)
            .ok_or(FoldError::Impossible { position, what })
    }

    fn impossible(&self, what: &str) -> FoldError {
        FoldError::Impossible {
            position: self.len,
            what: what.to_owned(),
        }
    }

    /// Time of work until `now`.
    #[must_use]
    pub fn worked(&self, now: Micros) -> Duration {
        match self.busy {
            true => self.worked_for + now.since(self.last_at),
            false => self.worked_for,
        }
    }

    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }
}
