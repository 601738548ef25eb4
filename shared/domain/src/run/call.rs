//! One call of the latest reply, as the journal tells it.

use super::{Actor, Decided, Entry, Event, FoldError, State};
use crate::{
    Digest,
    content::Content,
    elicitation::{Elicitation, Given},
    id::ApprovalId,
    permission::{Effect, Verdict},
    tool::{ToolCall, ToolClass},
};
use serde_json::Value;

/// One call of the latest reply.
#[derive(Clone, PartialEq, Debug)]
pub struct CallState {
    pub call: ToolCall,
    /// With the class of its tool and the digest of what was judged.
    pub judged: Option<(Verdict, ToolClass, Digest)>,
    /// The approval that was asked for, and the digest that it is bound to.
    pub asked: Option<(ApprovalId, Digest)>,
    pub decided: Option<Decided>,
    /// The card on which a person changed the call: it is edited, not posted again. Such a call always needs a yes.
    pub modified: Option<ApprovalId>,
    /// The arguments before the latest change by a person.
    pub former: Option<Value>,
    /// Begun and not finished.
    pub running: bool,
    /// The approval was used by a start.
    pub spent: bool,
    pub finished: bool,
    /// It was finished, and well.
    pub ok: bool,
    /// What its server asked a person, who has not answered yet.
    pub elicited: Option<Elicited>,
    /// What people answered so far.
    pub answers: Vec<Given>,
    /// What the call came to before the latest answer. Where it can't be made once more, that is what it came to.
    pub ended: Option<Elicited>,
    /// Somebody answered, and it was not begun again since.
    pub resumes: bool,
}

/// A question of a server in the middle of a call, and what the call came to without an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Elicited {
    pub server: String,
    pub question: Elicitation,
    pub output: Content,
    pub ok: bool,
    pub taint: Option<String>,
}

impl CallState {
    pub(super) fn new(call: &ToolCall) -> Self {
        Self {
            call: call.clone(),
            judged: None,
            asked: None,
            decided: None,
            modified: None,
            former: None,
            running: false,
            spent: false,
            finished: false,
            ok: false,
            elicited: None,
            answers: Vec::new(),
            ended: None,
            resumes: false,
        }
    }

    /// A card for it.
    pub(super) fn ask(&mut self, approval: &ApprovalId, digest: &Digest) {
        self.asked = Some((approval.clone(), digest.clone()));
        self.decided = None;
        self.spent = false;
        // It was begun once more since: what it came to before is not what it came to.
        if !self.resumes {
            self.ended = None;
        }
    }

    /// Its server asked, or a person answered.
    pub(super) fn elicit(&mut self, event: &Event) {
        match event {
            Event::Elicited {
                server,
                question,
                output,
                ok,
                taint,
                ..
            } => {
                self.elicited = Some(Elicited {
                    server: server.clone(),
                    question: question.clone(),
                    output: output.clone(),
                    ok: *ok,
                    taint: taint.clone(),
                });
            }
            Event::ElicitationAnswered {
                question, content, ..
            } => {
                let (question, content) = (question.clone(), content.clone());
                self.ended = self.elicited.take();
                self.answers.push(Given { question, content });
                self.resumes = true;
            }
            _ => {}
        }
    }

    /// What the rules and a person's change of the call amount to.
    pub(super) fn effect(&self) -> Option<Effect> {
        let (verdict, ..) = self.judged.as_ref()?;
        match verdict.effect {
            Effect::Allow if self.modified.is_some() => Some(Effect::Ask),
            effect => Some(effect),
        }
    }

    /// Judged anew, asked anew: whatever was approved was another call.
    pub(super) fn modify(&mut self, approval: &ApprovalId, arguments: &Value, by_person: bool) {
        if self.running || self.finished {
            return;
        }
        let former = std::mem::replace(&mut self.call.arguments, arguments.clone());
        self.former = by_person.then_some(former);
        self.modified = Some(approval.clone());
        self.judged = None;
        self.asked = None;
        self.decided = None;
    }
}

impl State {
    /// A person changed what a call would do, its server asked, or a person answered.
    pub(super) fn change_call(&mut self, entry: &Entry) -> Result<(), FoldError> {
        match &entry.event {
            Event::CallModified {
                call,
                approval,
                arguments,
                ..
            } => {
                let by_person = matches!(entry.actor, Actor::Member(_));
                self.call_mut(call)?.modify(approval, arguments, by_person);
            }
            Event::Elicited { call, .. } | Event::ElicitationAnswered { call, .. } => {
                self.call_mut(call)?.elicit(&entry.event);
            }
            _ => return Ok(()),
        }
        self.wake();
        Ok(())
    }
}
