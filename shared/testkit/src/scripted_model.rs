//! A model in process that says what a test tells it to: a queue of turns, or a function of the request.
//!
//! A function is the better script where the program under test is killed and started again: its answer depends on the
//! conversation and not on how often it was asked. Requests are kept for assertions, and a turn can be held until the test
//! lets it go, so that "while the model is still thinking" needs no clock.
//!
//! ```ignore
//! let model = ScriptedModel::queue([
//!     Turn::calls([("read_file", json!({"path": "notes.md"}))]),
//!     Turn::text("The notes are empty."),
//! ]);
//! ```

use async_trait::async_trait;
use domain::{MicroUsd, Usage, content::Content, id::CallId, message::Message, tool::ToolCall};
use ports::model::{Model, ModelError, ModelReply, ModelRequest, OnText};
use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// Clones are the same model: keep one in the test and give one away.
#[derive(Clone)]
pub struct ScriptedModel {
    inner: Arc<Inner>,
}

struct Inner {
    script: Script,
    requests: Mutex<Vec<ModelRequest>>,
    /// How many requests have arrived, so that a test can wait for one.
    arrived: watch::Sender<usize>,
    ceiling: Mutex<MicroUsd>,
    window: Mutex<u64>,
}

enum Script {
    Queue(Mutex<VecDeque<Turn>>),
    Function(Box<dyn Fn(&ModelRequest) -> Turn + Send + Sync>),
}

impl ScriptedModel {
    /// Answers with one turn after the other. When they are used up it refuses, which no engine should retry.
    pub fn queue(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self::of(Script::Queue(Mutex::new(turns.into_iter().collect())))
    }

    /// Answers by looking at the request.
    pub fn answering(answer: impl Fn(&ModelRequest) -> Turn + Send + Sync + 'static) -> Self {
        Self::of(Script::Function(Box::new(answer)))
    }

    fn of(script: Script) -> Self {
        Self {
            inner: Arc::new(Inner {
                script,
                requests: Mutex::default(),
                arrived: watch::Sender::new(0),
                ceiling: Mutex::default(),
                window: Mutex::new(8_192),
            }),
        }
    }

    /// Adds a turn to the end of a queue; of no effect on a function.
    pub fn push(&self, turn: Turn) {
        if let Script::Queue(queue) = &self.inner.script {
            lock(queue).push_back(turn);
        }
    }

    /// What every request may cost at most, from now on; zero at first.
    pub fn set_ceiling(&self, ceiling: MicroUsd) {
        *lock(&self.inner.ceiling) = ceiling;
    }

    /// Tokens that it can be shown, from now on; few at first, as of a small model.
    pub fn set_window(&self, tokens: u64) {
        *lock(&self.inner.window) = tokens;
    }

    /// All requests so far, the held and the failed ones too.
    #[must_use]
    pub fn requests(&self) -> Vec<ModelRequest> {
        lock(&self.inner.requests).clone()
    }

    /// Waits until `count` requests have arrived in all.
    pub async fn wait_for_requests(&self, count: usize) {
        let mut arrived = self.inner.arrived.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        let _ = arrived.wait_for(|arrived| *arrived >= count).await;
    }

    fn take_turn(&self, request: &ModelRequest) -> Turn {
        match &self.inner.script {
            Script::Queue(queue) => lock(queue).pop_front().unwrap_or_else(|| {
                Turn::fail(ModelError::Refused(
                    "the test's script has no further turn".to_owned(),
                ))
            }),
            Script::Function(answer) => answer(request),
        }
    }
}

#[async_trait]
impl Model for ScriptedModel {
    async fn complete(
        &self,
        request: &ModelRequest,
        on_text: OnText<'_>,
    ) -> Result<ModelReply, ModelError> {
        let turn = {
            let mut requests = lock(&self.inner.requests);
            requests.push(request.clone());
            let turn = self.take_turn(request);
            self.inner.arrived.send_replace(requests.len());
            turn
        };
        if let Some(gate) = &turn.gate {
            tokio::time::timeout(request.timeout, gate.opened())
                .await
                .map_err(|_| ModelError::TimedOut(request.timeout))?;
        }
        turn.play(request, on_text)
    }

    fn ceiling(&self, _: &ModelRequest) -> MicroUsd {
        *lock(&self.inner.ceiling)
    }

    fn window(&self, _: &str) -> u64 {
        *lock(&self.inner.window)
    }

    fn is_priced(&self, _: &str) -> bool {
        *lock(&self.inner.ceiling) > MicroUsd::ZERO
    }
}

/// What the model does when it is asked once.
#[derive(Clone, Debug)]
pub struct Turn {
    text: String,
    calls: Vec<Call>,
    usage: Option<Usage>,
    cost: Option<MicroUsd>,
    truncated: bool,
    failure: Option<ModelError>,
    gate: Option<Gate>,
}

#[derive(Clone, Debug)]
struct Call {
    name: String,
    arguments: Value,
    malformed: Option<String>,
}

impl Turn {
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            calls: Vec::new(),
            usage: None,
            cost: None,
            truncated: false,
            failure: None,
            gate: None,
        }
    }

    /// Tool calls without a word.
    pub fn calls<'a>(calls: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self::text_and_calls("", calls)
    }

    pub fn text_and_calls<'a>(
        text: impl Into<String>,
        calls: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Self {
        let calls = calls.into_iter().map(|(name, arguments)| Call {
            name: name.to_owned(),
            arguments,
            malformed: None,
        });
        Self {
            calls: calls.collect(),
            ..Self::text(text)
        }
    }

    /// A call whose arguments are not JSON, as an adapter would report it.
    #[must_use]
    pub fn malformed_call(name: &str, arguments: &str) -> Self {
        let call = Call {
            name: name.to_owned(),
            arguments: Value::Null,
            malformed: Some(format!("{arguments} (not JSON)")),
        };
        Self {
            calls: vec![call],
            ..Self::text("")
        }
    }

    #[must_use]
    pub fn fail(failure: ModelError) -> Self {
        Self::text("").failing(failure)
    }

    /// After what it says.
    #[must_use]
    pub fn failing(mut self, failure: ModelError) -> Self {
        self.failure = Some(failure);
        self
    }

    /// The answer comes when the gate is opened, or `TimedOut` when the request's time is up before that. A failing turn
    /// fails then. The text streams only after the gate.
    #[must_use]
    pub fn held_by(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Otherwise it is estimated from the lengths, four bytes to a token.
    #[must_use]
    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = Some(usage);
        self
    }

    /// With a cost the reply counts as priced.
    #[must_use]
    pub fn cost(mut self, cost: MicroUsd) -> Self {
        self.cost = Some(cost);
        self
    }

    #[must_use]
    pub fn truncated(mut self) -> Self {
        self.truncated = true;
        self
    }

    /// Streams the text word by word; a failing turn with text fails after it, as a connection does that breaks late.
    fn play(self, request: &ModelRequest, on_text: OnText<'_>) -> Result<ModelReply, ModelError> {
        for piece in self.text.split_inclusive(' ') {
            on_text(piece);
        }
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let usage = self.usage.unwrap_or_else(|| self.estimate(request));
        let before = calls_so_far(request);
        let calls = self
            .calls
            .into_iter()
            .zip(before + 1..)
            .map(|(call, number)| ToolCall {
                id: CallId::new(format!("call-{number}")),
                name: call.name,
                arguments: call.arguments,
                malformed: call.malformed,
            });
        Ok(ModelReply {
            calls: calls.collect(),
            text: self.text,
            usage,
            cost: self.cost.unwrap_or_default(),
            priced: self.cost.is_some(),
            truncated: self.truncated,
        })
    }

    fn estimate(&self, request: &ModelRequest) -> Usage {
        let heard: u64 = request.messages.iter().map(message_bytes).sum();
        let said = self
            .calls
            .iter()
            .map(|call| call.name.len() + call.arguments.to_string().len());
        Usage {
            input: (request.system.len() as u64 + heard) / 4,
            output: (self.text.len() + said.sum::<usize>()) as u64 / 4,
            ..Usage::default()
        }
    }
}

/// Numbers the calls by the conversation, so that ids are unique in it and the same after a restart.
fn calls_so_far(request: &ModelRequest) -> usize {
    let count = |message: &Message| match message {
        Message::Assistant { calls, .. } => calls.len(),
        _ => 0,
    };
    request.messages.iter().map(count).sum()
}

fn message_bytes(message: &Message) -> u64 {
    match message {
        Message::User { text } => text.bytes(),
        Message::Assistant { text, calls } => {
            text.bytes()
                + calls
                    .iter()
                    .map(|call| call.arguments.to_string().len() as u64)
                    .sum::<u64>()
        }
        Message::Tool { output, .. } => output.bytes(),
    }
}

/// The text of the request's last message, which is what most scripted functions look at.
#[must_use]
pub fn last_text(request: &ModelRequest) -> &str {
    match request.messages.last() {
        Some(Message::User { text } | Message::Assistant { text, .. }) => Content::head(text),
        Some(Message::Tool { output, .. }) => Content::head(output),
        None => "",
    }
}

/// Holds turns back until it is opened, once and for all. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate {
    open: Arc<watch::Sender<bool>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    #[must_use]
    pub fn new() -> Self {
        Self {
            open: Arc::new(watch::Sender::new(false)),
        }
    }

    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits until it is open.
    pub async fn opened(&self) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }
}

/// A test that panicked while it held the lock has failed already; the others go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
