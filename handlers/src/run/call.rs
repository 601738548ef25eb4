//! Calls: starting them, repeating them after a crash, refusing them.

use super::{
    Step, headline,
    log::{Parked, Tail},
    modified::told_of_change,
};
use crate::{
    HandlerError,
    keep::{fit, keep},
    tool::{ToolError, ToolOutput, person},
};
use domain::{
    approval::Question,
    content::{self, Content},
    id::{ApprovalId, CallId},
    permission::{Effect, Verdict},
    run::{Event, Refusal},
};
use ports::{present::Notice, progress::Doing};

/// Bytes of a tool's output that a model is shown; the middle of a longer one is cut.
const OUTPUT_LIMIT: usize = 64 * 1024;
/// Bytes of the name of a source that taints.
const SOURCE: usize = 120;
/// Bytes of a question to the person.
const QUESTION: usize = 6000;

impl Step<'_> {
    /// Starts a call that is allowed or approved.
    pub(super) async fn start(
        &mut self,
        call: &CallId,
        approval: Option<ApprovalId>,
    ) -> Result<bool, HandlerError> {
        let verdict = self.verdict(call).await?.verdict;
        let effect = verdict.effect;
        let running = self.state().call(call).is_some_and(|call| call.running);
        if running && effect == Effect::Deny {
            // To be run again, and forbidden meanwhile.
            let because = "a rule forbids it now".to_owned();
            return self.refuse(call, Refusal::ByRule { because }).await;
        }
        let fits = match &approval {
            None => effect == Effect::Allow,
            Some(_) => {
                effect != Effect::Deny
                    && self.is_strict_enough(call, &verdict).await?
                    && self.still_fits(call).await?
            }
        };
        if !fits {
            // The rules or the world changed: judged again, asked again. What was begun stays begun: a card as of now.
            return match running {
                true => self.ask_again(call).await,
                false => self.judge(call).await,
            };
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

    /// Whether the card asked for all that the rules of now ask for: one that came while it waited counts too.
    async fn is_strict_enough(&self, call: &CallId, now: &Verdict) -> Result<bool, HandlerError> {
        if now.effect != Effect::Ask {
            return Ok(true);
        }
        let asked = self.state().call(call).and_then(|call| call.asked.clone());
        let card = match asked {
            Some((id, _)) => self.card(&id).await?,
            None => None,
        };
        Ok(card.is_some_and(|card| card.value.satisfies(now)))
    }

    /// Whether the world is still the one that the approval's digest was made of.
    async fn still_fits(&self, call: &CallId) -> Result<bool, HandlerError> {
        let state = self.state().call(call);
        let running = state.is_some_and(|call| call.running);
        let Some((_, approved)) = state.and_then(|call| call.asked.clone()) else {
            return Ok(false);
        };
        let preview = match running {
            true => self.preview_of_begun(call).await?,
            false => match self.preview(call).await? {
                Ok(preview) => preview,
                Err(_) => return Ok(false),
            },
        };
        Ok(self.subject(call, preview.before)?.digest()? == approved)
    }

    /// Does again what was begun by a process that is gone, if the rules of now let it and, where a person approved it, the world
    /// is the one that they approved or already the one that the call makes. Else a person is asked: whether it happened, or, where it
    /// is known what it came to and a person's answer is what it is repeated for, as about any call.
    pub(super) async fn repeat(&mut self, call: &CallId) -> Result<bool, HandlerError> {
        let verdict = self.verdict(call).await?.verdict;
        let approved = self.state().call(call).is_some_and(|call| call.spent);
        let same = match verdict.effect {
            Effect::Deny => {
                let because = "a rule forbids it now".to_owned();
                return self.refuse(call, Refusal::ByRule { because }).await;
            }
            _ if approved => {
                self.is_strict_enough(call, &verdict).await?
                    && (self.still_fits(call).await? || self.is_done(call).await?)
            }
            effect => effect == Effect::Allow,
        };
        if !same {
            return self.ask_again(call).await;
        }
        // Says that the lease still holds: a slow worker must not write over what its successor did. Where a person's answer is what it
        // is repeated for, that is used up: who finds it begun once more doesn't know what came of it.
        let resumed = self.resumed(call).map(|event| (self.log.agent(), event));
        if !self.log.commit(resumed, Tail::Hold).await? {
            return Ok(true);
        }
        self.perform(call).await
    }

    /// About a call that was begun.
    async fn ask_again(&mut self, call: &CallId) -> Result<bool, HandlerError> {
        let question = match self.resumes(call) {
            true => Question::Call,
            false => Question::Unknown,
        };
        self.ask_approval(call, question).await
    }

    /// Whether the world already is as the call would leave it.
    async fn is_done(&self, call: &CallId) -> Result<bool, HandlerError> {
        let (_, arguments) = self.arguments(call).await?;
        Ok(match self.tool(call) {
            Some(tool) => {
                let done = tool.is_done(&self.context(call), &arguments).await;
                done.unwrap_or(false)
            }
            None => false,
        })
    }

    /// Does it. The start is committed.
    pub(super) async fn perform(&mut self, call: &CallId) -> Result<bool, HandlerError> {
        let (name, arguments) = self.arguments(call).await?;
        if name == person::ASK_PERSON {
            return self.ask_person(call).await;
        }
        self.previews.clear();
        self.report(Doing::Using {
            tool: name,
            what: headline(&arguments),
        });
        let output = match self.tool(call) {
            Some(tool) => tool.perform(&self.context(call), &arguments).await,
            None => Err(ToolError::NotCalled("the tool is gone".to_owned())),
        };
        match output {
            Ok(output) => self.finished(call, output).await,
            // It stays begun, as after a crash: a read is repeated, about an effect a person is asked.
            Err(ToolError::Unknown(why)) => {
                tracing::info!(run = %self.log.run, %call, why, "what came of a call is not known");
                Ok(true)
            }
            Err(ToolError::Asks(asks)) => self.elicited(call, *asks).await,
            Err(ToolError::NotCalled(why)) if self.stays_ended(call, &why).await? => Ok(true),
            Err(error) => self.finished(call, failed(&error.to_string())).await,
        }
    }

    pub(super) async fn finished(
        &mut self,
        call: &CallId,
        output: ToolOutput,
    ) -> Result<bool, HandlerError> {
        let told = told_of_change(&*self.ports.home.blobs, self.state(), call).await?;
        let text = told + &output.text;
        let text = self.kept(text).await?;
        let taint = output.taint.as_deref();
        let event = Event::CallFinished {
            call: call.clone(),
            output: text,
            ok: output.ok,
            taint: taint.map(|source| fit(source, SOURCE).to_owned()),
            artifacts: Vec::new(),
            sources: output.sources,
        };
        self.log.note(self.log.agent(), event)?;
        Ok(true)
    }

    /// An output as it is kept: what is too long for a model is cut.
    pub(super) async fn kept(&self, text: String) -> Result<Content, HandlerError> {
        Ok(keep(&*self.ports.home.blobs, cut(text)).await?)
    }

    pub(super) async fn refuse(
        &mut self,
        call: &CallId,
        why: Refusal,
    ) -> Result<bool, HandlerError> {
        let why = because(why);
        if self.stays_ended(call, &why).await? {
            return Ok(true);
        }
        self.finished(call, failed(&format!("Not run: {why}")))
            .await
    }

    pub(super) async fn take_as_happened(&mut self, call: &CallId) -> Result<bool, HandlerError> {
        let text = "The connection to this call was lost; the person says that it happened. Its output is not known.";
        self.finished(
            call,
            ToolOutput {
                text: text.to_owned(),
                ok: true,
                taint: None,
                sources: Vec::new(),
            },
        )
        .await
    }

    /// Puts the question to the person and parks until the session's next message.
    async fn ask_person(&mut self, call: &CallId) -> Result<bool, HandlerError> {
        let (_, arguments) = self.arguments(call).await?;
        let question = arguments
            .get("question")
            .and_then(serde_json::Value::as_str);
        let notice = Notice::Question {
            run: self.log.run.clone(),
            agent: self.state().agent.name.clone(),
            text: fit(question.unwrap_or_default(), QUESTION).to_owned(),
        };
        let ops = self.notify(&notice).await?;
        if !self.state().call(call).is_some_and(|call| call.running) {
            let event = Event::CallStarted {
                call: call.clone(),
                approval: None,
            };
            self.log.note(self.log.agent(), event)?;
        }
        match self.park_on_person(call, ops).await? {
            Parked::Waits => Ok(false),
            Parked::Grown => Ok(true),
            Parked::Left => {
                let text = "Not asked: the person has started something else and would not know what this is about. Decide yourself, or finish.";
                self.finished(call, failed(text)).await
            }
        }
    }
}

/// Why a call is not run, for the model.
fn because(why: Refusal) -> String {
    match why {
        Refusal::ByRule { because } => format!("{}.", because.trim_end_matches('.')),
        Refusal::ByPerson { reason } if reason.is_empty() => "the person denied it.".to_owned(),
        Refusal::ByPerson { reason } => format!("the person denied it and said: {reason}"),
        Refusal::Expired => "nobody decided in time.".to_owned(),
        Refusal::Undeliverable => "the person could not be reached.".to_owned(),
        Refusal::Repeated => "you made this very call several times already, and its result does not change. Do something else, or finish.".to_owned(),
    }
}

fn failed(text: &str) -> ToolOutput {
    ToolOutput {
        text: text.to_owned(),
        ok: false,
        taint: None,
        sources: Vec::new(),
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
