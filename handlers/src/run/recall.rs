//! Knowledge for the prompt: looked up once, before the model is asked for the first time, and kept in the journal.

use super::Step;
use crate::{
    CommandError, HandlerError, Problem,
    keep::keep,
    knowledge::{Library, Recalled},
};
use domain::{
    message::Message,
    run::{Actor, Event, RECALLED},
};
use ports::blob;

/// Of the model's window this part may be passages: a quarter, so that the conversation and the work have room.
const SHARE: u64 = 4;
/// Tokens of passages, however large the window: more are rarely read well, and every step pays for them.
const MOST: u64 = 8_000;
/// The usual rule of thumb for English text.
const BYTES_PER_TOKEN: u64 = 4;

impl Step<'_> {
    /// Notes what bears on the prompt, also when that is nothing.
    pub(super) async fn recall(&mut self) -> Result<bool, HandlerError> {
        let blobs = &*self.ports.home.blobs;
        let prompt = blob::text(blobs, &self.state().prompt).await?;
        let recalled = match self.library() {
            Some(library) => library.recall(&prompt).await,
            None => Ok(Recalled::default()),
        };
        let recalled = match recalled {
            Ok(recalled) => recalled,
            // The agent can work, and its person learns why it knows nothing.
            Err(CommandError::Problem(Problem::Invalid(why))) => Recalled {
                text: format!("(Your documents could not be searched. Say so: {why})"),
                ..Recalled::default()
            },
            Err(error) => return Err(error.into()),
        };
        let Recalled {
            text,
            sources,
            taint,
        } = recalled;
        let messages = match text.is_empty() {
            true => Vec::new(),
            false => vec![Message::User {
                text: keep(blobs, text).await?,
            }],
        };
        let event = Event::ContextAdded {
            source: RECALLED.to_owned(),
            messages,
            tainted: !taint.is_empty(),
            taint,
            sources,
        };
        self.log.note(Actor::System, event)?;
        Ok(true)
    }

    /// What the agent may look things up in now, for who asked for the run.
    pub(super) fn library(&self) -> Option<Library<'_>> {
        let state = self.state();
        if state.agent.knowledge.is_empty() {
            return None;
        }
        let window = self
            .chain()
            .first()
            .map(|(name, model)| model.window(&name.model));
        let tokens = window.map_or(0, |window| (window / SHARE).min(MOST));
        Some(Library {
            home: &self.ports.home,
            index: &*self.ports.index,
            member: &state.requester,
            session: &state.session,
            collections: &state.agent.knowledge,
            known: &state.sources,
            budget: usize::try_from(tokens * BYTES_PER_TOKEN).unwrap_or(usize::MAX),
        })
    }
}
