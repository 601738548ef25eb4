//! What a run does next. Pure: the same state and time give the same action, on any machine.

use super::{CallState, Decided, Limit, Outcome, ParkedOn, Phase, State};
use crate::{
    Micros,
    id::{ApprovalId, CallId},
    message::Message,
    permission::Effect,
    tool::ToolClass,
};

/// A call with the same tool and arguments is refused after this many times without a change in between: its result will be the
/// same.
pub const MAX_REPEATS: u32 = 3;
/// Refused repetitions in a row that end a run.
const MAX_LOOPS: u32 = 3;
/// The call by which an agent asks its person and waits for the answer.
pub const ASK_PERSON: &str = "ask_person";

/// What the `run` handler is to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Look up in the agent's knowledge what bears on the prompt.
    Recall,
    AskModel,
    /// Ask the rules about a call that nobody has judged yet.
    Judge {
        call: CallId,
    },
    /// Make the card for a call that needs a person.
    AskApproval {
        call: CallId,
    },
    /// Run it: allowed by a rule, or approved. An approval named here must still fit what would run now.
    Start {
        call: CallId,
        approval: Option<ApprovalId>,
    },
    /// It was begun, and the process that began it is gone, or a person answered what its server asked: repeat it if that does no harm
    /// and the rules and the world are still those that it was begun in; else ask the person.
    Repeat {
        call: CallId,
    },
    /// It was begun, its outcome is unknown, and twice is not once: ask the person.
    AskUnknown {
        call: CallId,
    },
    /// It is not run; the model is told why.
    Refuse {
        call: CallId,
        why: Refusal,
    },
    /// A person says that it happened though nobody saw the result.
    TakeAsHappened {
        call: CallId,
    },
    Park {
        on: ParkedOn,
    },
    Finish {
        outcome: Outcome,
    },
    /// Nothing to do before somebody decides, or ever.
    Rest,
}

/// Why a call is not run.
#[derive(Clone, PartialEq, Debug)]
pub enum Refusal {
    ByRule { because: String },
    ByPerson { reason: String },
    Expired,
    Undeliverable,
    Repeated,
}

#[must_use]
pub fn next(state: &State, now: Micros) -> Action {
    match &state.phase {
        Phase::Over(_) => return Action::Rest,
        Phase::Parked(_) if state.cancel_asked.is_none() => return Action::Rest,
        _ => {}
    }
    if let Some(by) = &state.cancel_asked {
        return Action::Finish {
            outcome: Outcome::Cancelled { by: by.clone() },
        };
    }
    if let Some(error) = &state.model_error {
        return Action::Finish {
            outcome: Outcome::Failed { why: error.clone() },
        };
    }
    if state.loops >= MAX_LOOPS {
        let why = "the agent repeated the same call again and again; it was stopped.".to_owned();
        return Action::Finish {
            outcome: Outcome::Failed { why },
        };
    }
    if let Some(card) = &state.budget {
        return match &card.decided {
            None => Action::Park {
                on: ParkedOn::Budget,
            },
            Some(_) => Action::Finish {
                outcome: Outcome::LimitReached { limit: Limit::Cost },
            },
        };
    }
    if let Some(limit) = limit(state, now)
        && !state.calls.iter().any(|call| call.running)
    {
        return Action::Finish {
            outcome: Outcome::LimitReached { limit },
        };
    }
    // All calls of a reply are judged before the first one starts, so that their cards appear together.
    if let Some(call) = state
        .calls
        .iter()
        .find(|call| !call.finished && call.judged.is_none() && !is_repeat(state, call))
    {
        return Action::Judge {
            call: call.call.id.clone(),
        };
    }
    if let Some(call) = state.calls.iter().find(|call| wants_card(call)) {
        return Action::AskApproval {
            call: call.call.id.clone(),
        };
    }
    match state.calls.iter().find(|call| !call.finished) {
        Some(call) => next_of_call(state, call),
        None => next_of_conversation(state),
    }
}

fn limit(state: &State, now: Micros) -> Option<Limit> {
    let limits = &state.limits;
    let idle = state.calls.iter().all(|call| call.finished);
    // Work that is already proposed may finish; a limit stops what would be spent next. What is finished is finished.
    let asks = idle && next_of_conversation(state) == Action::AskModel;
    if asks && state.steps >= limits.steps {
        return Some(Limit::Steps);
    }
    if asks && state.usage.total() >= limits.tokens {
        return Some(Limit::Tokens);
    }
    let late = state.worked(now) >= limits.wall();
    // What a person approved is done; the time that it took them to decide is not held against it.
    let approved = state.calls.iter().any(is_approved);
    (late && !approved && (asks || !idle)).then_some(Limit::Wall)
}

fn is_approved(call: &CallState) -> bool {
    !call.finished
        && !call.spent
        && matches!(call.decided, Some(Decided::Approved | Decided::RunAgain))
}

fn is_repeat(state: &State, call: &CallState) -> bool {
    !call.running
        && call.asked.is_none()
        && call.modified.is_none()
        && state
            .repeats
            .get(&call.call.fingerprint())
            .is_some_and(|n| *n >= MAX_REPEATS)
}

fn wants_card(call: &CallState) -> bool {
    call.effect() == Some(Effect::Ask) && !call.finished && !call.running && call.asked.is_none()
}

fn next_of_call(state: &State, call: &CallState) -> Action {
    let id = call.call.id.clone();
    if call.running {
        return next_of_begun(call, id);
    }
    if is_repeat(state, call) {
        return Action::Refuse {
            call: id,
            why: Refusal::Repeated,
        };
    }
    let (Some((verdict, ..)), Some(effect)) = (&call.judged, call.effect()) else {
        return Action::Judge { call: id };
    };
    match (effect, &call.decided) {
        (Effect::Deny, _) => Action::Refuse {
            call: id,
            why: Refusal::ByRule {
                because: verdict.because.clone(),
            },
        },
        (Effect::Allow, _) => Action::Start {
            call: id,
            approval: None,
        },
        (Effect::Ask, None) => Action::Park {
            on: ParkedOn::Approvals,
        },
        (Effect::Ask, Some(decided)) => next_of_decided(call, id, decided),
    }
}

fn next_of_decided(call: &CallState, id: CallId, decided: &Decided) -> Action {
    match decided {
        Decided::Approved | Decided::RunAgain if !call.spent => Action::Start {
            call: id,
            approval: call.asked.as_ref().map(|(approval, _)| approval.clone()),
        },
        Decided::Approved | Decided::RunAgain => Action::AskUnknown { call: id },
        Decided::Denied { reason } => Action::Refuse {
            call: id,
            why: Refusal::ByPerson {
                reason: reason.clone(),
            },
        },
        Decided::Expired { .. } => Action::Refuse {
            call: id,
            why: Refusal::Expired,
        },
        Decided::Undeliverable => Action::Refuse {
            call: id,
            why: Refusal::Undeliverable,
        },
        Decided::Happened => Action::TakeAsHappened { call: id },
        // More money is no permission to do anything.
        Decided::Stop | Decided::Raised { .. } | Decided::Freed => stop(call),
    }
}

/// A call that was begun by a process that is gone.
fn next_of_begun(call: &CallState, id: CallId) -> Action {
    let repeatable = call
        .judged
        .as_ref()
        .is_some_and(|(_, class, _)| *class != ToolClass::Effect);
    let asked_since = call.asked.is_some() && !call.spent;
    if call.resumes {
        // It waits for another yes where the rules ask for more than they did when it was begun.
        return match (&call.decided, asked_since) {
            (_, false) => Action::Repeat { call: id },
            (None, true) => Action::Park {
                on: ParkedOn::Approvals,
            },
            (Some(decided), true) => next_of_decided(call, id, decided),
        };
    }
    // A question that was asked is not asked again: its start, its message and the parking on it are one commit.
    if call.call.name == ASK_PERSON || call.elicited.is_some() {
        return Action::Park {
            on: ParkedOn::Person { call: id },
        };
    }
    match &call.decided {
        _ if repeatable && !asked_since => Action::Repeat { call: id },
        // The card about the unknown outcome: asked after the start, so its approval is not spent.
        Some(_) if call.spent => Action::AskUnknown { call: id },
        None if asked_since => Action::Park {
            on: ParkedOn::Approvals,
        },
        None => Action::AskUnknown { call: id },
        Some(Decided::RunAgain) => Action::Start {
            call: id,
            approval: call.asked.as_ref().map(|(approval, _)| approval.clone()),
        },
        Some(Decided::Happened) => Action::TakeAsHappened { call: id },
        Some(_) => stop(call),
    }
}

fn stop(call: &CallState) -> Action {
    Action::Finish {
        outcome: Outcome::Denied {
            what: call.call.name.clone(),
        },
    }
}

fn next_of_conversation(state: &State) -> Action {
    match state.messages.last() {
        Some(Message::Assistant { .. }) => Action::Finish {
            outcome: Outcome::Answered,
        },
        _ if state
            .calls
            .iter()
            .any(|call| call.ok && call.call.name == "finish") =>
        {
            Action::Finish {
                outcome: Outcome::Answered,
            }
        }
        _ if !state.recalled && state.steps == 0 && !state.agent.knowledge.is_empty() => {
            Action::Recall
        }
        _ => Action::AskModel,
    }
}
