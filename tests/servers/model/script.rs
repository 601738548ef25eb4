//! What the fake says, and how it goes wrong.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use testkit::scripted_model::Gate;

use super::asked::Asked;

pub enum Script {
    #[doc(hidden)]
    Queue(Mutex<VecDeque<Reply>>),
    #[doc(hidden)]
    Function(Box<dyn Fn(&Asked) -> Reply + Send + Sync>),
}

impl Script {
    /// One reply after the other; then requests are refused with status 400.
    pub fn queue(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::Queue(Mutex::new(replies.into_iter().collect()))
    }

    pub fn answering(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::Function(Box::new(answer))
    }

    pub(super) fn reply_to(&self, asked: &Asked) -> Reply {
        match self {
            Self::Queue(queue) => {
                let next = queue
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop_front();
                next.unwrap_or_else(|| Reply::status(400).saying("the script has no further reply"))
            }
            Self::Function(answer) => answer(asked),
        }
    }
}

/// One answer. What is not said otherwise goes well.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub(super) status: Option<u16>,
    pub(super) error: String,
    pub(super) retry_after: Option<String>,
    pub(super) text: String,
    /// Names and arguments, the latter as they are written, JSON or not.
    pub(super) calls: Vec<(String, String)>,
    pub(super) truncated: bool,
    pub(super) gate: Option<Gate>,
    pub(super) pause: Option<Gate>,
    pub(super) flaws: Flaws,
}

/// How a stream differs from a good one.
#[derive(Clone, Debug, Default)]
pub(super) struct Flaws {
    pub(super) cut: bool,
    pub(super) short: bool,
    pub(super) garbage: bool,
    pub(super) error_kind: Option<String>,
    pub(super) piece_bytes: Option<usize>,
    pub(super) unstreamed: bool,
    pub(super) without_usage: bool,
    pub(super) without_ids: bool,
    pub(super) whole_calls: bool,
    pub(super) without_done: bool,
}

impl Reply {
    pub fn text(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }

    pub fn calls<'a>(calls: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self::text_and_calls("", calls)
    }

    pub fn text_and_calls<'a>(
        text: &str,
        calls: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Self {
        let written = |(name, arguments): (&str, Value)| (name.to_owned(), arguments.to_string());
        Self {
            calls: calls.into_iter().map(written).collect(),
            ..Self::text(text)
        }
    }

    /// A call with arguments that are written as they are given.
    pub fn malformed_call(name: &str, arguments: &str) -> Self {
        Self {
            calls: vec![(name.to_owned(), arguments.to_owned())],
            ..Self::default()
        }
    }

    /// An error in the dialect's form.
    pub fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            error: format!("scripted failure {status}"),
            ..Self::default()
        }
    }

    /// An event stream that holds something else.
    pub fn garbage() -> Self {
        Self {
            flaws: Flaws {
                garbage: true,
                ..Flaws::default()
            },
            ..Self::default()
        }
    }

    /// The words of an error.
    pub fn saying(mut self, error: &str) -> Self {
        self.error = error.to_owned();
        self
    }

    pub fn retry_after(self, seconds: u64) -> Self {
        self.retry_after_text(&seconds.to_string())
    }

    /// The header's value, for instance a date.
    pub fn retry_after_text(mut self, value: &str) -> Self {
        self.retry_after = Some(value.to_owned());
        self
    }

    /// Cut off by the limit on output.
    pub fn truncated(mut self) -> Self {
        self.truncated = true;
        self
    }

    /// Nothing is answered, not even a status, until the gate is opened: a model that hangs.
    pub fn held_by(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// The first half of the stream is sent, the second when the gate is opened.
    pub fn paused_by(mut self, gate: &Gate) -> Self {
        self.pause = Some(gate.clone());
        self
    }

    /// The connection is cut after the first half of the stream.
    pub fn cut(mut self) -> Self {
        self.flaws.cut = true;
        self
    }

    /// The stream ends in good order, but after its first half.
    pub fn short(mut self) -> Self {
        self.flaws.short = true;
        self
    }

    /// After the first half of the stream comes an error of this type instead of the second.
    pub fn failing_with(mut self, kind: &str) -> Self {
        self.flaws.error_kind = Some(kind.to_owned());
        self
    }

    /// Sent in pieces of this size, whatever they cut apart.
    pub fn in_pieces(mut self, bytes: usize) -> Self {
        self.flaws.piece_bytes = Some(bytes);
        self
    }

    /// As JSON even when a stream was asked for.
    pub fn unstreamed(mut self) -> Self {
        self.flaws.unstreamed = true;
        self
    }

    /// Like servers that don't count. In this dialect: Chat Completions.
    pub fn without_usage(mut self) -> Self {
        self.flaws.without_usage = true;
        self
    }

    /// Like servers that give calls no ids. Chat Completions only.
    pub fn without_ids(mut self) -> Self {
        self.flaws.without_ids = true;
        self
    }

    /// Like servers that send each call in one piece, without an index. Chat Completions only.
    pub fn whole_calls(mut self) -> Self {
        self.flaws.whole_calls = true;
        self
    }

    /// Without the closing `[DONE]`. Chat Completions only.
    pub fn without_done(mut self) -> Self {
        self.flaws.without_done = true;
        self
    }
}
