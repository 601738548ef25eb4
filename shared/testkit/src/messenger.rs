//! A surface's way out that only remembers.

use async_trait::async_trait;
use domain::id::SessionId;
use ports::{
    Messenger,
    message::{Outgoing, SendError, Sent},
};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// One call of [`Messenger::send`].
#[derive(Clone, PartialEq, Debug)]
pub struct Sending {
    pub message: Outgoing,
    pub edits: Option<Sent>,
    pub again: bool,
    /// `None`: it arrived.
    pub error: Option<SendError>,
}

/// Remembers what was sent. Each of the errors that a test ordered is answered once, in order; then everything arrives.
#[derive(Default, Debug)]
pub struct RecordingMessenger {
    inner: Mutex<Inner>,
}

#[derive(Default, Debug)]
struct Inner {
    sendings: Vec<Sending>,
    errors: VecDeque<SendError>,
    moved: Vec<(SessionId, SessionId)>,
    arrived: u64,
}

impl RecordingMessenger {
    pub fn fail(&self, errors: impl IntoIterator<Item = SendError>) {
        self.lock().errors.extend(errors);
    }

    /// From now on, what goes to `from` is told that the place is `to` now.
    pub fn moves(&self, from: &SessionId, to: &SessionId) {
        self.lock().moved.push((from.clone(), to.clone()));
    }

    /// All attempts.
    #[must_use]
    pub fn sendings(&self) -> Vec<Sending> {
        self.lock().sendings.clone()
    }

    /// What arrived.
    #[must_use]
    pub fn arrived(&self) -> Vec<Sending> {
        let mut sendings = self.sendings();
        sendings.retain(|sending| sending.error.is_none());
        sendings
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Messenger for RecordingMessenger {
    async fn send(
        &self,
        message: &Outgoing,
        edits: Option<&Sent>,
        again: bool,
    ) -> Result<Option<Sent>, SendError> {
        let mut inner = self.lock();
        let moved = inner.moved.iter().find(|(from, _)| *from == message.to);
        let moved = moved.map(|(_, to)| SendError::Moved(to.clone()));
        let error = inner.errors.pop_front().or(moved);
        inner.sendings.push(Sending {
            message: message.clone(),
            edits: edits.cloned(),
            again,
            error: error.clone(),
        });
        if let Some(error) = error {
            return Err(error);
        }
        if let Some(edited) = edits {
            return Ok(Some(edited.clone()));
        }
        inner.arrived += 1;
        let message = inner.arrived.to_string();
        Ok(Some(Sent { message }))
    }
}
