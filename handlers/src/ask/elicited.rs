//! What a person answers to a tool server that asked in the middle of a call. The answer goes to that server's call and nowhere else; the model
//! is not told of it.

use super::{
    Asked,
    answer::{answered, fold, unanswered},
    checked,
};
use crate::{
    CommandError, Draft, HandlerError, Home, Problem, audit, decide, keep::tell, run, sessions,
};
use domain::{
    approval::Approval,
    audit::Deed,
    content::INLINE_LIMIT,
    id::{CallId, MemberId, RunId, SessionId},
    member::{self, Member, Role, may},
    redact::MARK,
    run::{Actor, CallState, Event},
    session::{Expects, Session},
};
use ports::{
    present::{Notice, ServerQuestion, Settled},
    problem::NoAnswer,
    repo::{self, Stored},
    store::Op,
};
use serde_json::{Value, json};

/// A button below a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Press {
    /// The one of this number, from 0 on.
    Option(usize),
    /// Yes, with nothing filled in.
    AsItIs,
    Decline,
}

/// A call whose server waits for an answer.
pub(super) struct Open {
    pub requester: MemberId,
    asked: ServerQuestion,
    call: CallState,
}

/// The question that is open in a session, answered by a button. `mark` is the beginning of its own.
///
/// # Errors
/// [`Problem`]s: not allowed; [`Problem::Answer`], gone where that question is not open.
pub async fn press(
    home: &Home,
    member: &Member,
    place: &SessionId,
    (mark, press): (&str, Press),
) -> Result<Draft<Asked>, CommandError> {
    // Whoever may not talk to the agent may not answer for it.
    checked(member, "a button")?;
    let found = sessions::get_or_new(home, place).await?;
    let open = open_in(home, &found.0).await?.ok_or_else(gone)?;
    if open.asked.mark.short() != mark {
        return Err(gone().into());
    }
    let question = &open.asked.question;
    let content = match press {
        Press::Decline => None,
        Press::AsItIs => Some(question.as_it_is().ok_or_else(gone)?),
        Press::Option(number) => {
            let option = question.options().into_iter().nth(number);
            Some(option.ok_or_else(gone)?.1)
        }
    };
    settle(home, member, found, (open, content)).await
}

/// Words as a reply to the card of a question, by whoever may talk to the agent. `None`: no server asks anything there any more.
///
/// # Errors
/// As [`press`].
pub async fn reply(
    home: &Home,
    member: &Member,
    place: &SessionId,
    (mark, text): (&str, &str),
) -> Result<Option<Draft<Asked>>, CommandError> {
    let text = checked(member, text)?;
    let found = sessions::get_or_new(home, place).await?;
    let Some(open) = open_in(home, &found.0).await? else {
        return Ok(None);
    };
    if open.asked.mark.short() != mark {
        return Err(gone().into());
    }
    say(home, member, found, (text, open)).await.map(Some)
}

/// A person's words as the answer.
pub(super) async fn say(
    home: &Home,
    member: &Member,
    session: (Session, Option<u64>),
    (text, open): (&str, Open),
) -> Result<Draft<Asked>, CommandError> {
    let content = match text.eq_ignore_ascii_case("decline") {
        true => None,
        false => {
            let read = open.asked.question.read(text);
            Some(read.map_err(|unfit| Problem::Answer(NoAnswer::Unfit(unfit)))?)
        }
    };
    settle(home, member, session, (open, content)).await
}

fn gone() -> Problem {
    Problem::Answer(NoAnswer::Gone)
}

async fn open_in(home: &Home, session: &Session) -> Result<Option<Open>, CommandError> {
    match &session.expects {
        Some(Expects::Answer { run, call }) => open(home, run, call).await,
        _ => Ok(None),
    }
}

/// The call as its journal tells it, if its server waits for an answer.
pub(super) async fn open(
    home: &Home,
    run: &RunId,
    call: &CallId,
) -> Result<Option<Open>, CommandError> {
    let state = fold(home, run).await?;
    let call = state.call(call).cloned();
    Ok(call.and_then(|call| {
        Some(Open {
            requester: state.requester,
            asked: run::asked(run, &call)?,
            call,
        })
    }))
}

async fn settle(
    home: &Home,
    member: &Member,
    (mut session, version): (Session, Option<u64>),
    (open, content): (Open, Option<Value>),
) -> Result<Draft<Asked>, CommandError> {
    let Open { asked, call, .. } = open;
    let who = current(home, member).await?;
    if let Some(content) = &content {
        may_repeat(home, &who.value, &call).await?;
        may_be_given(content)?;
    }
    let run = asked.run.clone();
    let (by, id) = (member.name.clone(), call.call.id);
    let (event, how) = match content {
        Some(content) => {
            let event = Event::ElicitationAnswered {
                call: id,
                question: asked.question.digest(),
                content: content.clone(),
            };
            let answer = content;
            (event, Settled::Answered { by, answer })
        }
        None => {
            let event = unanswered(home, &run, id, "they declined to answer").await?;
            (event, Settled::Declined { by })
        }
    };
    let mut ops = answered(home, Actor::Member(member.id.clone()), &run, event).await?;
    ops.push(decide::unchanged(home, &who));
    let shown = settled(home, &session.id, (asked, how), &member.zone).await;
    ops.extend(shown.map_err(decide::presented)?);
    session.expects = None;
    session.updated_at = home.now();
    ops.push(repo::put(&home.team, &session, version)?);
    Ok(Draft::new(ops, Asked::Answered { run }))
}

/// The person as they are now.
async fn current(home: &Home, member: &Member) -> Result<Stored<Member>, CommandError> {
    let stored = repo::get::<Member>(&*home.store, &home.team, member.id.as_str()).await?;
    let stored = stored.filter(|stored| may(stored.value.role, member::Deed::Run));
    let needed = Role::Operator;
    Ok(stored.ok_or(Problem::NotAllowed { needed })?)
}

fn may_be_given(answer: &Value) -> Result<(), Problem> {
    let text = answer.to_string();
    if text.contains(MARK) {
        return Err(Problem::Answer(NoAnswer::HoldsSecret));
    }
    if text.len() > INLINE_LIMIT {
        return Err(Problem::TooLarge {
            what: "answer",
            bytes: text.len() as u64,
            limit: INLINE_LIMIT as u64,
        });
    }
    Ok(())
}

/// Ends the wait of a run for who turned to something else: nobody will answer any more, and a run must not wait for that.
///
/// # Errors
/// What the store and the blob store answer.
pub(crate) async fn left(
    home: &Home,
    member: &Member,
    place: &SessionId,
    (run, call): (RunId, CallId),
) -> Result<Vec<Op>, CommandError> {
    let open = open(home, &run, &call).await?;
    let event = unanswered(home, &run, call, "the person started afresh").await?;
    let mut ops = answered(home, Actor::Member(member.id.clone()), &run, event).await?;
    if let Some(Open { asked, .. }) = open {
        let by = member.name.clone();
        let shown = settled(home, place, (asked, Settled::Left { by }), &member.zone).await;
        ops.extend(shown.map_err(decide::presented)?);
    }
    Ok(ops)
}

/// The card of a question that nobody waits for any more: it loses its buttons.
///
/// # Errors
/// What the store and the blob store answer.
pub(crate) async fn settled(
    home: &Home,
    place: &SessionId,
    (asked, how): (ServerQuestion, Settled),
    zone: &str,
) -> Result<Vec<Op>, HandlerError> {
    let notice = Notice::ElicitationSettled { asked, how };
    tell(home, place, &notice, zone).await
}

/// What the audit has of what ends a wait for a person.
pub(super) fn deed(actor: &Actor, event: &Event) -> Option<Deed> {
    Some(match event {
        Event::CallFinished { call, ok, .. } => {
            audit::deed("call.finished", actor, call, json!({"ok": ok}))
        }
        Event::ElicitationAnswered { call, question, .. } => {
            let detail = json!({"question": question});
            audit::deed("elicitation.answered", actor, call, detail)
        }
        _ => return None,
    })
}

/// An answer makes the call once more. Where that took somebody's yes, it takes who could give it.
async fn may_repeat(home: &Home, member: &Member, call: &CallState) -> Result<(), CommandError> {
    let Some((id, _)) = call.asked.as_ref().filter(|_| call.spent) else {
        return Ok(());
    };
    let card = repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?;
    let Some(card) = card.map(|card| card.value) else {
        return Ok(());
    };
    // One person's answer is no second yes of several, and none after the first one's time.
    if card.persons > 1 || home.now() >= card.expires_at {
        return Err(Problem::Answer(NoAnswer::NeedsYes).into());
    }
    let needed = card.needed();
    match member.role < needed {
        true => Err(Problem::NotAllowed { needed }.into()),
        false => Ok(()),
    }
}
