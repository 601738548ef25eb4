//! The screen of one terminal session: messages in order, and below them one line that says what a run is doing.

use super::{TerminalState, line, render};
use crate::{
    inbound::Inbound,
    text::{en, one_line, time},
};
use domain::{content::Content, id::SessionId};
use ports::{
    Blobs, Clock,
    message::{Body, Messenger, Outgoing, SendError, Sent},
    progress::{Doing, Progress, Report},
};
use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

/// Takes the status line away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clear {
    /// With a control sequence; only a terminal understands it.
    Ansi,
    /// No status lines at all: output that goes to a file or a pipe.
    Never,
}

/// Where messages appear, and what the next line answers.
pub struct Screen {
    inner: Mutex<Inner>,
    blobs: Arc<dyn Blobs>,
    clock: Arc<dyn Clock>,
}

struct Inner {
    out: Box<dyn Write + Send>,
    state: TerminalState,
    clear: Clear,
    width: usize,
    /// A status line stands on the screen.
    status: bool,
    shown: u64,
}

impl Screen {
    /// `width` in columns.
    #[must_use]
    pub fn new(
        session: SessionId,
        blobs: Arc<dyn Blobs>,
        clock: Arc<dyn Clock>,
        out: (Box<dyn Write + Send>, Clear, usize),
    ) -> Self {
        let (out, clear, width) = out;
        let inner = Inner {
            out,
            state: TerminalState::new(session),
            clear,
            width,
            status: false,
            shown: 0,
        };
        Self {
            inner: Mutex::new(inner),
            blobs,
            clock,
        }
    }

    /// What a person meant with a line, as things stand on the screen.
    #[must_use]
    pub fn read(&self, text: &str) -> Inbound {
        line(text, &self.lock().state)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn put(&mut self, text: &str, status: bool) -> std::io::Result<()> {
        if self.status && self.clear == Clear::Ansi {
            self.out.write_all(b"\r\x1b[K")?;
        }
        self.status = status;
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

#[async_trait::async_trait]
impl Messenger for Screen {
    async fn send(
        &self,
        message: &Outgoing,
        _edits: Option<&Sent>,
        again: bool,
    ) -> Result<Option<Sent>, SendError> {
        let mut message = message.clone();
        if let Body::File { content, .. } = &mut message.body
            && let Content::Stored { blob, .. } = content
        {
            let bytes = self
                .blobs
                .get(blob)
                .await
                .map_err(|error| SendError::NotDelivered(error.to_string()))?;
            *content = Content::Inline(String::from_utf8_lossy(&bytes).into_owned());
        }
        let mut inner = self.lock();
        if message.to != inner.state.session {
            return Err(SendError::Gone(format!(
                "{} is not this terminal",
                message.to
            )));
        }
        // A card that waited when the conversation was opened may come once more from the queue.
        if inner.state.shows(&message) {
            return Ok(Some(Sent {
                message: inner.shown.to_string(),
            }));
        }
        let mut text = render(&message, inner.clear == Clear::Ansi, inner.width);
        if again {
            text = format!("{}\n{text}", en::SENT_AGAIN);
        }
        inner
            .put(&text, false)
            .map_err(|error| SendError::NotDelivered(error.to_string()))?;
        inner.state.showed(&message);
        inner.shown += 1;
        Ok(Some(Sent {
            message: inner.shown.to_string(),
        }))
    }
}

impl Progress for Screen {
    fn report(&self, report: Report) {
        let mut inner = self.lock();
        if inner.clear == Clear::Never || report.session != inner.state.session {
            return;
        }
        let doing = match &report.doing {
            Doing::Thinking { said } => en::thinking(&one_line(said)),
            Doing::Using { tool, what } => en::using(&one_line(tool), &one_line(what)),
            Doing::Waiting | Doing::Over => String::new(),
        };
        let text = match doing.is_empty() {
            true => String::new(),
            false => {
                let took = time::span(self.clock.now().since(report.started_at));
                let line = format!(
                    "{} · {doing}",
                    en::worked(&report.agent, report.step, &took, report.cost)
                );
                // Within the line: a status that wraps could not be taken away. Some characters are two columns wide.
                line.chars()
                    .take(inner.width.saturating_sub(1) / 2 + inner.width / 4)
                    .collect()
            }
        };
        let status = !text.is_empty();
        // A status that can't be shown is no loss.
        let _ = inner.put(&text, status);
    }
}
