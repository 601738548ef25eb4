//! A run's audit: which of its events are deeds, and where its stream stands while a step works.

use crate::{Home, audit};
use domain::{
    Digest, MicroUsd,
    audit::{Deed, Head},
    id::RunId,
    run::{Entry, Event, RunStatus},
};
use ports::store::{Op, StoreError};
use serde_json::{Value, json};

/// The name of a run's stream.
#[must_use]
pub fn stream(run: &RunId) -> String {
    format!("run:{run}")
}

pub(super) struct Ledger {
    stream: String,
    head: Head,
    /// Where the stream stands when the batch under way is committed: hashed once, since its time is part of it.
    next: Option<Head>,
    /// The stream has to be marked for the sealer; once per step is enough.
    marked: bool,
}

impl Ledger {
    pub async fn load(home: &Home, run: &RunId) -> Result<Self, StoreError> {
        let stream = stream(run);
        let head = audit::head(home, &stream).await?;
        Ok(Self {
            stream,
            head,
            next: None,
            marked: false,
        })
    }

    /// The stream grew: its new end.
    pub async fn reread(&mut self, home: &Home) -> Result<(), StoreError> {
        self.head = audit::head(home, &self.stream).await?;
        Ok(())
    }

    /// The operations that audit these events.
    pub async fn audit(
        &mut self,
        home: &Home,
        run: &RunId,
        entries: &[Entry],
    ) -> Result<Vec<Op>, StoreError> {
        self.next = None;
        let deeds: Vec<Deed> = entries
            .iter()
            .filter_map(|entry| deed(run, entry))
            .collect();
        if deeds.is_empty() {
            return Ok(Vec::new());
        }
        let (op, next) = audit::entry(home, &self.stream, &self.head, deeds)?;
        self.next = Some(next);
        let mut ops = vec![op];
        if !self.marked {
            ops.push(audit::open(home, &self.stream).await?);
        }
        Ok(ops)
    }

    /// The batch was committed.
    pub fn settled(&mut self) {
        if let Some(next) = self.next.take() {
            self.head = next;
            self.marked = true;
        }
    }
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
        Event::Summarised {
            model, usage, cost, ..
        } => (
            "model.summarised",
            run.to_string(),
            json!({"model": model, "tokens": usage.total(), "cost": cost}),
        ),
        Event::ModelFailed { cost, .. } if *cost > MicroUsd::ZERO => {
            ("model.failed", run.to_string(), json!({"cost": cost}))
        }
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
        event => card(event)?,
    };
    Some(audit::deed(action, &entry.actor, subject, detail))
}

/// Of the cards: what was asked, and what was changed on one.
fn card(event: &Event) -> Option<(&'static str, String, Value)> {
    Some(match event {
        Event::ApprovalAsked {
            call,
            approval,
            digest,
        } => (
            "approval.asked",
            approval.to_string(),
            json!({"call": call, "digest": digest}),
        ),
        Event::CallModified {
            call,
            approval,
            was,
            arguments,
        } => (
            "call.modified",
            call.to_string(),
            json!({"approval": approval, "was": was, "arguments": Digest::of(arguments).ok()}),
        ),
        Event::BudgetAsked {
            scope,
            approval,
            digest,
        } => (
            "approval.asked",
            approval.to_string(),
            json!({"budget": scope, "digest": digest}),
        ),
        _ => return None,
    })
}
