//! What is remembered: a file for each conversation, agent and member, read by runs, changed by `remember` and by people.
//!
//! Whoever may not have a member's file has no way to name it: a member's layer is made of who asks, and only where nobody else
//! reads along ([`Whose`]).

mod past;
mod write;

use crate::{CommandError, Draft, Home, Problem, knowledge::Reader, versions};
use domain::{
    Micros,
    id::{AgentId, MemberId, SessionId},
    member::{Deed, Member, Role, may},
    memory::{AT_HAND, Entry, HEAD, Layer, Memory, Unfit, at_hand, with},
    message::Message,
    run::{Actor, Event},
    session::{Session, conversation_id},
};
pub use past::{history, undo};
use ports::{
    blob,
    repo::{self, Stored},
};
use serde::Serialize;
pub use write::Written;
pub(crate) use write::diff;
use write::{Change, write};

/// Whose memories are at hand somewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Whose {
    /// The conversation's id.
    pub conversation: String,
    pub agent: AgentId,
    /// None where others read along: what is one person's is not shown to them, on nobody's behalf.
    pub member: Option<MemberId>,
}

impl Whose {
    /// For a person who looks at a session.
    #[must_use]
    pub fn at(session: &Session, reader: Reader<'_>) -> Self {
        Self {
            conversation: session.conversation_id(),
            agent: session.agent.clone(),
            member: reader.alone.then(|| reader.member.id.clone()),
        }
    }

    /// For a run that somebody asked for in a conversation.
    #[must_use]
    pub fn of_run(
        (session, conversation): (&SessionId, u32),
        agent: &AgentId,
        requester: &MemberId,
    ) -> Self {
        Self {
            conversation: conversation_id(session, conversation.max(1)),
            agent: agent.clone(),
            member: Reader::is_alone(requester, session).then(|| requester.clone()),
        }
    }

    /// The layers that there are, the narrowest first.
    #[must_use]
    pub fn layers(&self) -> Vec<Layer> {
        let mut layers = vec![
            Layer::Session(self.conversation.clone()),
            Layer::Agent(self.agent.clone()),
        ];
        layers.extend(self.member.clone().map(Layer::Member));
        layers
    }

    /// By one of [`Layer::NAMES`].
    ///
    /// # Errors
    /// [`Problem::Invalid`] for another name, and for a member's where others read along.
    pub fn layer(&self, name: &str) -> Result<Layer, Problem> {
        let found = self.layers().into_iter().find(|layer| layer.name() == name);
        found.ok_or_else(|| {
            Problem::Invalid(match name {
                "member" => "What is remembered about a member is theirs alone: it is there in their own chat, not where others read along.".to_owned(),
                name => format!("“{name}” is no memory: there are {}.", Layer::NAMES.join(", ")),
            })
        })
    }
}

/// A memory, for people.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Shown {
    /// One of [`Layer::NAMES`].
    pub layer: String,
    /// The agent's name, the conversation's id; nothing for a member's own.
    pub of: String,
    pub text: String,
    /// A name; none: nobody has written there yet.
    pub updated_by: Option<String>,
    pub updated_at: Option<Micros>,
}

/// The text, and the record if there is one.
///
/// # Errors
/// What the store and the blob store answer.
pub async fn read(
    home: &Home,
    layer: &Layer,
) -> Result<(String, Option<Stored<Memory>>), CommandError> {
    let stored = repo::get::<Memory>(&*home.store, &home.team, &layer.key()).await?;
    let text = match &stored {
        Some(stored) => blob::text(&*home.blobs, &stored.value.text).await?,
        None => String::new(),
    };
    Ok((text, stored))
}

/// # Errors
/// As [`read`].
pub async fn show(home: &Home, layer: &Layer) -> Result<Shown, CommandError> {
    let (text, stored) = read(home, layer).await?;
    let of = match layer {
        Layer::Session(id) => id.clone(),
        Layer::Agent(id) => versions::who(home, &Actor::Agent(id.clone())).await?,
        Layer::Member(_) => String::new(),
    };
    let (updated_by, updated_at) = match stored {
        None => (None, None),
        Some(Stored { value, .. }) => (
            Some(versions::who(home, &value.updated_by).await?),
            Some(value.updated_at),
        ),
    };
    Ok(Shown {
        layer: layer.name().to_owned(),
        of,
        text,
        updated_by,
        updated_at,
    })
}

/// A person puts another text in the place of a memory; an empty one clears it.
///
/// # Errors
/// [`Problem`]s: not allowed, too large.
pub async fn set(
    home: &Home,
    member: &Member,
    layer: &Layer,
    text: &str,
) -> Result<Draft<Written>, CommandError> {
    writes(member, layer)?;
    let change = Change {
        deed: "changed",
        after: text.trim_end(),
        undoes: None,
    };
    write(home, &Actor::Member(member.id.clone()), layer, change).await
}

/// A person adds a line.
///
/// # Errors
/// [`Problem`]s: not allowed, invalid.
pub async fn add(
    home: &Home,
    member: &Member,
    layer: &Layer,
    text: &str,
) -> Result<Draft<Written>, CommandError> {
    writes(member, layer)?;
    let entry = Entry {
        text,
        replaces: None,
        taint: &[],
    };
    remember(home, &Actor::Member(member.id.clone()), layer, entry).await
}

/// The memory with an entry.
///
/// # Errors
/// [`Problem::Invalid`]: the entry does not fit.
pub async fn remember(
    home: &Home,
    actor: &Actor,
    layer: &Layer,
    entry: Entry<'_>,
) -> Result<Draft<Written>, CommandError> {
    let (before, _) = read(home, layer).await?;
    let after = with(&before, entry).map_err(|unfit: Unfit| Problem::Invalid(unfit.to_string()))?;
    let change = Change {
        deed: "changed",
        after: &after,
        undoes: None,
    };
    write(home, actor, layer, change).await
}

/// Whether this person may change it: who may have an agent do so, and a member's file nobody but that member.
fn writes(member: &Member, layer: &Layer) -> Result<(), Problem> {
    if !may(member.role, Deed::Run) {
        let needed = Role::Operator;
        return Err(Problem::NotAllowed { needed });
    }
    own(member, layer)
}

fn own(member: &Member, layer: &Layer) -> Result<(), Problem> {
    match layer {
        Layer::Member(id) if *id != member.id => Err(Problem::NotFound {
            what: "memory",
            name: id.to_string(),
        }),
        _ => Ok(()),
    }
}

/// The `source` of what a run begins with, where it has something about who asked.
pub const OWN: &str = "memory of who asks";

/// What a run begins with: of each layer what is at hand, none of it from outside. None, if nothing is remembered.
///
/// # Errors
/// As [`read`].
pub async fn context(home: &Home, whose: &Whose) -> Result<Option<Event>, CommandError> {
    let layers = whose.layers();
    let share = AT_HAND / layers.len().max(1);
    let (mut text, mut is_own) = (String::new(), false);
    for layer in &layers {
        let (memory, _) = read(home, layer).await?;
        let (shown, left) = at_hand(&memory, share);
        if shown.is_empty() && left == 0 {
            continue;
        }
        is_own |= matches!(layer, Layer::Member(_));
        text.push_str(&format!("\n\n## {}\n{shown}", title(layer)));
        if left > 0 {
            text.push_str(&format!("\n({left} more: recall finds them)"));
        }
    }
    if text.is_empty() {
        return Ok(None);
    }
    let message = Message::User {
        text: crate::keep::keep(&*home.blobs, format!("{HEAD}{text}")).await?,
    };
    Ok(Some(Event::ContextAdded {
        source: if is_own { OWN } else { "memory" }.to_owned(),
        messages: vec![message],
        tainted: false,
        taint: Vec::new(),
        sources: Vec::new(),
    }))
}

/// What a model is told that it is.
pub(crate) fn title(layer: &Layer) -> &'static str {
    match layer {
        Layer::Session(_) => "session: this conversation",
        Layer::Agent(_) => "agent: you, whoever you work for",
        Layer::Member(_) => "member: the person who asks",
    }
}
