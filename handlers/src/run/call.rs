//! Calls: starting them, repeating them after a crash, refusing them.

use super::{Step, headline, log::Tail};
use crate::{
    HandlerError,
    tool::{ToolOutput, person},
};
use domain::run::Refusal;
use domain::{
    content,
    id::{ApprovalId, CallId},
    run::{Actor, Event, ParkedOn},
    session::Expects,
};
use ports::{blob, present::Notice, progress::Doing, repo, repo::Stored};

/// Bytes of a tool's output that a model is shown; the middle of a longer one is cut.
const OUTPUT_LIMIT: usize = 64 * 1024;

impl Step<'_> {
    /// Starts a call that is allowed or approved.
    pub(super) async fn start(
        &mut self,
        call: &CallId,
        approval: Option<ApprovalId>,
    ) -> Result<bool, HandlerError> {
        if approval.is_some() && !self.still_fits(call).await? {
            // What was approved is not what would run now: judged again, asked again.
            return self.judge(call).await;
        }
        let name = self
            .state()
            .call(call)
            .map(|call| call.call.name.clone())
            .unwrap_or_default();
        if name == person::ASK_PERSON {
            return self.ask_person(call).await;
        }
        let started = Event::CallStarted {
            call: call.clone(),
            approval,
        };
        if !self
            .log
            .commit(Some((self.log.agent(), started)), Tail::Hold)
            .await?
        {
            return Ok(true);
        }
        self.perform(call).await
    }

    /// Whether the world is still the one that the approval's digest was made of, and the rules don't forbid it meanwhile.
    async fn still_fits(&self, call: &CallId) -> Result<bool, HandlerError> {
        if self.verdict(call).await?.verdict.effect == domain::permission::Effect::Deny {
            return Ok(false);
        }
        let state = self.state().call(call);
        let Some((_, approved)) = state.and_then(|call| call.asked.clone()) else {
            return Ok(false);
        };
        // A call that is run again after an unknown outcome was approved with that outcome in view.
        if state.is_some_and(|call| call.running) {
            return Ok(true);
        }
        match self.preview(call).await? {
            Ok(preview) => Ok(self.subject(call, preview.before)?.digest()? == approved),
            Err(_) => Ok(false),
        }
    }

    /// Does it. The start is committed.
    pub(super) async fn perform(&mut self, call: &CallId) -> Result<bool, HandlerError> {
        let (name, arguments) = self.arguments(call).await?;
        if name == person::ASK_PERSON {
            return self.ask_person(call).await;
        }
        self.report(Doing::Using {
            tool: name,
            what: headline(&arguments),
        });
        let output = match (self.tool(call), self.context()) {
            (Some(tool), Some(at)) => tool
                .perform(&at, &arguments)
                .await
                .unwrap_or_else(|error| failed(&error.to_string())),
            _ => failed("the tool is gone."),
        };
        self.finished(call, output).await
    }

    async fn finished(&mut self, call: &CallId, output: ToolOutput) -> Result<bool, HandlerError> {
        let text = blob::keep(&*self.ports.home.blobs, cut(output.text)).await?;
        let event = Event::CallFinished {
            call: call.clone(),
            output: text,
            ok: output.ok,
            taint: output.taint,
            artifacts: Vec::new(),
        };
        self.log.note(self.log.agent(), event)?;
        Ok(true)
    }

    pub(super) async fn refuse(
        &mut self,
        call: &CallId,
        why: Refusal,
    ) -> Result<bool, HandlerError> {
        let text = match why {
            Refusal::ByRule { because } => format!("Not run: {because}."),
            Refusal::ByPerson { reason } if reason.is_empty() => "Not run: the person denied it.".to_owned(),
            Refusal::ByPerson { reason } => format!("Not run: the person denied it and said: {reason}"),
            Refusal::Expired => "Not run: nobody decided in time.".to_owned(),
            Refusal::Undeliverable => "Not run: the person could not be reached.".to_owned(),
            Refusal::Repeated => "Not run: you made this very call several times already, and its result does not change. Do something else, or finish.".to_owned(),
        };
        self.finished(call, failed(&text)).await
    }

    pub(super) async fn take_as_happened(&mut self, call: &CallId) -> Result<bool, HandlerError> {
        let text = "The connection to this call was lost; the person says that it happened. Its output is not known.";
        self.finished(
            call,
            ToolOutput {
                text: text.to_owned(),
                ok: true,
                taint: None,
            },
        )
        .await
    }

    /// Puts the question to the person and parks until the session's next message.
    async fn ask_person(&mut self, call: &CallId) -> Result<bool, HandlerError> {
        let (_, arguments) = self.arguments(call).await?;
        let text = arguments
            .get("question")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let home = &self.ports.home;
        let notice = Notice::Question {
            run: self.log.run.clone(),
            agent: self.state().agent.name.clone(),
            text,
        };
        let mut ops = self.notify(&notice).await?;
        let mut session = Stored {
            value: self.log.session.value.clone(),
            version: self.log.session.version,
        };
        session.value.expects = Some(Expects::Answer {
            run: self.log.run.clone(),
            call: call.clone(),
        });
        session.value.updated_at = home.now();
        ops.push(repo::update(&home.team, &session)?);
        if !self.state().call(call).is_some_and(|call| call.running) {
            self.log.note(
                self.log.agent(),
                Event::CallStarted {
                    call: call.clone(),
                    approval: None,
                },
            )?;
        }
        self.report(Doing::Waiting);
        let parked = Event::Parked {
            on: ParkedOn::Person { call: call.clone() },
        };
        let done = self
            .log
            .commit(Some((Actor::System, parked)), Tail::Park(ops))
            .await?;
        Ok(!done)
    }
}

fn failed(text: &str) -> ToolOutput {
    ToolOutput {
        text: text.to_owned(),
        ok: false,
        taint: None,
    }
}

/// Beginning and end of a long output: errors stand at the end, what it is about at the beginning.
fn cut(text: String) -> String {
    if text.len() <= OUTPUT_LIMIT {
        return text;
    }
    let head = content::prefix(&text, OUTPUT_LIMIT / 2);
    let tail = text.len() - OUTPUT_LIMIT / 2;
    let tail = (tail..text.len())
        .find(|i| text.is_char_boundary(*i))
        .unwrap_or(text.len());
    format!(
        "{head}\n[… {} bytes were cut here …]\n{}",
        tail - head.len(),
        &text[tail..]
    )
}
