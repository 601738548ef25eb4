//! What a server asks a person in the middle of a call. Nobody waits for a person in a call: the server was told that nobody answers now, its
//! call has ended, and the run parks on the question. An answer makes the call once more, with the answer at hand; who declines takes the
//! call as it ended.

use super::{Step, judge::in_lines, large, log::Parked, modified::told_of_change};
use crate::{HandlerError, Home, keep::keep, tool::server::Asks};
use domain::{
    elicitation::ROUNDS,
    id::{CallId, RunId},
    run::{CallState, Event, ParkedOn, State},
    session::Expects,
};
use ports::{
    blob::{self, BlobError},
    present::{Notice, ServerQuestion},
    progress::Doing,
    store::Op,
};

impl Step<'_> {
    /// Puts a server's question to the person, and parks until it is answered.
    pub(super) async fn elicited(
        &mut self,
        call: &CallId,
        asks: Asks,
    ) -> Result<bool, HandlerError> {
        let Asks {
            server,
            question,
            output,
        } = asks;
        let answered = self.state().call(call).map_or(0, |call| call.answers.len());
        let event = Event::Elicited {
            call: call.clone(),
            server,
            question,
            output: self.kept(output.text).await?,
            ok: output.ok,
            taint: output.taint,
        };
        self.log.note(self.log.agent(), event)?;
        let why = match answered >= ROUNDS {
            true => "it had asked often enough, so it was not put to them",
            false => {
                let home = self.log.home();
                let ops = match question_of(home, &self.log.run, self.state(), call).await? {
                    Some(notice) => self.notify(&notice).await?,
                    None => Vec::new(),
                };
                match self.park_on_person(call, ops).await? {
                    Parked::Waits => return Ok(false),
                    Parked::Grown => return Ok(true),
                    Parked::Left => "they had started something else, so it was not put to them",
                }
            }
        };
        let home = self.log.home();
        if let Some(event) = as_it_ended(home, self.state(), call, why).await? {
            self.log.note(self.log.agent(), event)?;
        }
        Ok(true)
    }

    /// Parks until the session's next message, with the message that asks for it. Where the journal grew meanwhile (another call's card
    /// was decided), it is asked all the same, unless the run is to stop.
    pub(super) async fn park_on_person(
        &mut self,
        call: &CallId,
        ops: Vec<Op>,
    ) -> Result<Parked, HandlerError> {
        self.report(Doing::Waiting);
        let (run, call) = (self.log.run.clone(), call.clone());
        let on = ParkedOn::Person { call: call.clone() };
        let parked = Event::Parked { on };
        let asks = (ops, Expects::Answer { run, call });
        loop {
            let done = self
                .log
                .park_on_person(parked.clone(), asks.clone())
                .await?;
            if done != Parked::Grown || self.state().cancel_asked.is_some() {
                return Ok(done);
            }
        }
    }

    /// The start of a call that a person's answer makes once more.
    pub(super) fn resumed(&self, call: &CallId) -> Option<Event> {
        let state = self.state().call(call).filter(|call| call.resumes)?;
        let approval = state.asked.as_ref().filter(|_| state.spent);
        Some(Event::CallStarted {
            call: call.clone(),
            approval: approval.map(|(id, _)| id.clone()),
        })
    }

    /// Whether a person answered, and the call was not begun again since.
    pub(super) fn resumes(&self, call: &CallId) -> bool {
        self.state().call(call).is_some_and(|call| call.resumes)
    }

    /// A call that a person's answer would have made once more, and that can't be: it stays as it ended, and the model is told why.
    /// `false`: it never ended so.
    pub(super) async fn stays_ended(
        &mut self,
        call: &CallId,
        why: &str,
    ) -> Result<bool, HandlerError> {
        let why = format!(
            "they answered; but the call was not made once more: {}",
            why.trim_end_matches('.')
        );
        let ended = as_it_ended(self.log.home(), self.state(), call, &why).await?;
        let Some(event) = ended else {
            return Ok(false);
        };
        self.log.note(self.log.agent(), event)?;
        Ok(true)
    }
}

/// What the server of a call asks and waits to be told.
pub(crate) fn asked(run: &RunId, call: &CallState) -> Option<ServerQuestion> {
    let open = call.elicited.as_ref()?;
    Some(ServerQuestion {
        run: run.clone(),
        mark: open.question.mark(run, &call.call.id, call.answers.len()),
        server: open.server.clone(),
        question: open.question.clone(),
    })
}

/// The card for that. `None`: it asks nothing.
///
/// # Errors
/// The blob store's.
pub async fn question_of(
    home: &Home,
    run: &RunId,
    state: &State,
    call: &CallId,
) -> Result<Option<Notice>, BlobError> {
    let Some(call) = state.call(call) else {
        return Ok(None);
    };
    let (Some(asked), Some(open)) = (asked(run, call), &call.elicited) else {
        return Ok(None);
    };
    let arguments = large::fetch(&*home.blobs, call.call.arguments.clone()).await?;
    Ok(Some(Notice::Elicited {
        asked,
        agent: state.agent.name.clone(),
        tool: call.call.name.clone(),
        arguments: in_lines(&arguments),
        said: open.output.head().to_owned(),
    }))
}

/// The end of a call with what it came to when its server asked a person something. `why` goes on after “the server asked the person something,
/// and”: why that stays the outcome. `None`: it never ended so.
///
/// # Errors
/// The blob store's.
pub(crate) async fn as_it_ended(
    home: &Home,
    state: &State,
    call: &CallId,
    why: &str,
) -> Result<Option<Event>, BlobError> {
    let of_call = state.call(call);
    let ended = of_call.and_then(|call| call.elicited.as_ref().or(call.ended.as_ref()));
    let Some(ended) = ended else {
        return Ok(None);
    };
    let told = told_of_change(&*home.blobs, state, call).await?;
    let said = blob::text(&*home.blobs, &ended.output).await?;
    let text = format!(
        "{told}{said}\n(In the middle of the call the server asked the person something, and {why}.)"
    );
    Ok(Some(Event::CallFinished {
        call: call.clone(),
        output: keep(&*home.blobs, text).await?,
        ok: ended.ok,
        taint: ended.taint.clone(),
        artifacts: Vec::new(),
        sources: Vec::new(),
    }))
}
