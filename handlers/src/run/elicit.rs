//! What a server asks a person in the middle of a call. Nobody waits for a person in a call: the server was told that nobody answers now, its
//! call has ended, and the run parks on the question. An answer makes the call once more, with the answer at hand; who declines takes the
//! call as it ended.

use super::{Step, log::Tail};
use crate::{HandlerError, tool::server::Asks};
use domain::{
    elicitation::ROUNDS,
    id::CallId,
    run::{Actor, Event, ParkedOn},
    session::Expects,
};
use ports::{present::Notice, progress::Doing, store::Op};

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
            mut output,
        } = asks;
        let answered = self.state().call(call).map_or(0, |call| call.answers.len());
        let elsewhere = self.log.session.value.run.as_ref() != Some(&self.log.run);
        let why = match (answered >= ROUNDS, elsewhere) {
            (true, _) => "it had asked often enough",
            (_, true) => "the person has started something else",
            _ => "",
        };
        if !why.is_empty() {
            let told = format!(
                "\n(In the middle of the call the server asked a person something. It was not put to them: {why}.)"
            );
            output.text.push_str(&told);
            return self.finished(call, output).await;
        }
        let notice = Notice::Elicited {
            run: self.log.run.clone(),
            agent: self.state().agent.name.clone(),
            server: server.clone(),
            question: question.clone(),
            said: output.text.clone(),
        };
        let ops = self.notify(&notice).await?;
        let event = Event::Elicited {
            call: call.clone(),
            server,
            question,
            output: self.kept(output.text).await?,
            ok: output.ok,
            taint: output.taint,
        };
        self.log.note(self.log.agent(), event)?;
        self.park_on_person(call, ops).await
    }

    /// Parks until the session's next message, with the message that asks for it. Where the journal grew meanwhile (another call's card
    /// was decided), it is still to be asked, unless the run is to stop.
    pub(super) async fn park_on_person(
        &mut self,
        call: &CallId,
        ops: Vec<Op>,
    ) -> Result<bool, HandlerError> {
        self.report(Doing::Waiting);
        let (run, call) = (self.log.run.clone(), call.clone());
        let on = ParkedOn::Person { call: call.clone() };
        let parked = Event::Parked { on };
        let tail = Tail::Park(ops, Some(Expects::Answer { run, call }));
        while !self
            .log
            .commit(Some((Actor::System, parked.clone())), tail.clone())
            .await?
        {
            if self.state().cancel_asked.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
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
}
