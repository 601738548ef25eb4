//! What a person answers to a tool server that asked in the middle of a call. The answer goes to that server's call and nowhere else; the model
//! is not told of it.

use super::{Answer, Asked, answered, checked};
use crate::{CommandError, Draft, Home, Problem, audit, run, sessions};
use domain::{
    approval::Approval,
    audit::Deed,
    content::{Content, INLINE_LIMIT},
    id::{CallId, RunId, SessionId},
    member::Member,
    redact::MARK,
    run::{Actor, CallState, Elicited, Event, State},
    session::{Expects, Session},
};
use ports::{job, present::Notice, repo, store::Op};
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
    call: CallState,
    elicited: Elicited,
}

/// The question that is open in a session, answered by a button. `mark` is the beginning of its digest.
///
/// # Errors
/// [`Problem`]s: not allowed; invalid, where that question is not open.
pub async fn press(
    home: &Home,
    member: &Member,
    place: &SessionId,
    (mark, press): (&str, Press),
) -> Result<Draft<Asked>, CommandError> {
    // Whoever may not talk to the agent may not answer for it.
    checked(member, "a button")?;
    let (mut session, version) = sessions::get_or_new(home, place).await?;
    let gone = || Problem::Invalid("This question is not open any more.".to_owned());
    let Some(Expects::Answer { run, call }) = session.expects.take() else {
        return Err(gone().into());
    };
    let open = open(home, &run, &call).await?;
    let open = open.filter(|open| open.elicited.question.digest().short() == mark);
    let open = open.ok_or_else(gone)?;
    let question = &open.elicited.question;
    let content = match press {
        Press::Decline => None,
        Press::AsItIs => Some(question.as_it_is().ok_or_else(gone)?),
        Press::Option(number) => {
            let option = question.options().into_iter().nth(number);
            Some(option.ok_or_else(gone)?.1)
        }
    };
    settle(home, member, (session, version), (run, open, content)).await
}

/// A person's words as the answer.
pub(super) async fn say(
    home: &Home,
    member: &Member,
    session: (Session, Option<u64>),
    (answer, open): (Answer<'_>, Open),
) -> Result<Draft<Asked>, CommandError> {
    let content = match answer.text.eq_ignore_ascii_case("decline") {
        true => None,
        false => {
            let read = open.elicited.question.read(answer.text);
            Some(read.map_err(Problem::Invalid)?)
        }
    };
    settle(home, member, session, (answer.run, open, content)).await
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
        let elicited = call.elicited.clone()?;
        Some(Open { call, elicited })
    }))
}

async fn fold(home: &Home, run: &RunId) -> Result<State, CommandError> {
    let state = run::fold(home, run).await;
    Ok(state.map_err(|error| Problem::Invalid(error.to_string()))?)
}

async fn settle(
    home: &Home,
    member: &Member,
    (mut session, version): (Session, Option<u64>),
    (run, open, content): (RunId, Open, Option<Value>),
) -> Result<Draft<Asked>, CommandError> {
    let Open { call, elicited } = open;
    if content.is_some() {
        may_repeat(home, member, &call).await?;
    }
    if content
        .as_ref()
        .is_some_and(|content| content.to_string().contains(MARK))
    {
        let why = "That holds a secret that is kept here, and it is not given to a server so. A server gets a secret when an owner adds it with that secret.";
        return Err(Problem::Invalid(why.to_owned()).into());
    }
    let bytes = content.as_ref().map_or(0, |it| it.to_string().len());
    if bytes > INLINE_LIMIT {
        let (what, bytes, limit) = ("answer", bytes as u64, INLINE_LIMIT as u64);
        return Err(Problem::TooLarge { what, bytes, limit }.into());
    }
    let id = call.call.id;
    let event = match content.clone() {
        Some(content) => Event::ElicitationAnswered {
            call: id,
            question: elicited.question.digest(),
            content,
        },
        None => unanswered(home, &run, id, "they declined to answer").await?,
    };
    let mut ops = answered(home, Actor::Member(member.id.clone()), &run, event).await?;
    let notice = Notice::ElicitationSettled {
        run: run.clone(),
        server: elicited.server,
        question: elicited.question,
        answer: content,
        by: member.name.clone(),
    };
    for message in home
        .presenter
        .present(&session.id, &notice, home.now(), &member.zone)
    {
        let job = job::new_job(&home.team, home.chance.id(), &message, home.now())?;
        ops.push(Op::Enqueue(job));
    }
    session.expects = None;
    session.updated_at = home.now();
    ops.push(repo::put(&home.team, &session, version)?);
    Ok(Draft::new(ops, Asked::Answered { run }))
}

/// The end of a call that waits for an answer which nobody will give, and why not. What was done already is not told as undone.
///
/// # Errors
/// What the store and the blob store answer.
pub(crate) async fn unanswered(
    home: &Home,
    run: &RunId,
    call: CallId,
    why: &str,
) -> Result<Event, CommandError> {
    if let Some(event) = run::as_it_ended(home, &fold(home, run).await?, &call, why).await? {
        return Ok(event);
    }
    let text = format!("Not answered: {why}. Decide yourself, or finish.");
    Ok(Event::CallFinished {
        call,
        output: Content::inline(text),
        ok: false,
        taint: None,
        artifacts: Vec::new(),
        sources: Vec::new(),
    })
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
        let why = "An answer makes this call once more, and the yes to it was that of several people or is too old for that. Decline; the agent can ask for the call anew.";
        return Err(Problem::Invalid(why.to_owned()).into());
    }
    let needed = card.needed();
    match member.role < needed {
        true => Err(Problem::NotAllowed { needed }.into()),
        false => Ok(()),
    }
}
