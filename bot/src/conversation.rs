//! The conversation's front door, the same for every surface: one stored update is understood, done, and answered.
//!
//! All that an update causes (what changes, what is said, that it is done with) is one commit. When the world changed in
//! between, everything is read and decided again; nothing was said yet, so nothing is said twice.

mod card;
mod file;
mod stranger;

use crate::{
    command::{self, Ctx, Reply},
    inbound::{Inbound, What},
    present,
    telegram::{self, Me},
    text::en,
};
use domain::{member::Member, rich_text::RichText};
use handlers::{
    CommandError, HandlerError, Home, Lease, ask, ask::Asked, commit, members, receive, sessions,
    tool::Tools,
};
use ports::{
    Fetch, Sandbox, SearchIndex, Shelf,
    job::{self, Received},
    message::Body,
    model::Models,
    store::{ConflictReason, Op, StoreError},
};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Attempts when the world changes while an update is handled; then the job comes back later.
const ATTEMPTS: u32 = 8;

#[derive(Clone)]
pub struct Conversation {
    pub home: Home,
    /// The bot as Telegram knows it, once it is known.
    pub me: Arc<OnceLock<Me>>,
    /// Names of the presets of rules that an agent can have.
    pub presets: Arc<[String]>,
    /// What agents can call, for who changes a call.
    pub tools: Tools,
    /// Those of this process, for who wants to know what they cost.
    pub models: Models,
    /// Where people look things up.
    pub index: Arc<dyn SearchIndex>,
    /// Files that people send, where this process can have them.
    pub files: Option<Arc<dyn Fetch>>,
    /// Skills that could be installed.
    pub shelf: Arc<dyn Shelf>,
    /// For looking into them; `None` where there is none.
    pub sandbox: Option<Arc<dyn Sandbox>>,
}

/// Handles one received update, and finishes its job.
///
/// # Errors
/// [`HandlerError`]: the store's, or that the bot's own name is not known yet.
pub async fn handle(
    talk: &Conversation,
    lease: &Lease,
    received: &Received,
) -> Result<(), HandlerError> {
    let raw = receive::raw(&talk.home, received).await?;
    let inbound = read(talk.me.get(), received, &raw)?;
    for _ in 0..ATTEMPTS {
        let reply = match answer(talk, &inbound).await {
            Err(CommandError::Problem(problem)) => apology(&inbound, &en::problem(&problem)),
            other => other?,
        };
        match commit(&talk.home, operations(&talk.home, lease, reply)?).await {
            Err(StoreError::Conflict(conflict)) if conflict.reason == ConflictReason::Fenced => {
                return Err(HandlerError::LeaseLost);
            }
            Err(StoreError::Conflict(_)) => {}
            other => return Ok(other?),
        }
    }
    Err(HandlerError::Retry {
        after: None,
        error: "the world kept changing while an update was handled".to_owned(),
    })
}

/// What is said to a person whose file nobody tries to take in any more, as the last of its job; of other updates nothing.
///
/// # Errors
/// As for [`handle`].
pub async fn given_up(
    home: &Home,
    me: Option<&Me>,
    received: &Received,
) -> Result<Vec<Op>, HandlerError> {
    let raw = receive::raw(home, received).await?;
    let inbound = read(me, received, &raw)?;
    let (What::File { name, .. }, true, Some(from)) =
        (&inbound.what, inbound.addressed, &inbound.from)
    else {
        return Ok(Vec::new());
    };
    // Strangers are not told what became of theirs, as it is not looked at.
    if members::find(home, &from.id).await?.is_none() {
        return Ok(Vec::new());
    }
    outgoing(home, &apology(&inbound, &en::not_taken_in(name)))
}

fn read(me: Option<&Me>, received: &Received, raw: &str) -> Result<Inbound, HandlerError> {
    if received.surface != telegram::SURFACE || received.sandbox {
        return Ok(serde_json::from_str(raw)?);
    }
    match me {
        Some(me) => Ok(telegram::parse(raw, &received.session, me)),
        None => Err(HandlerError::Retry {
            after: Some(Duration::from_secs(2)),
            error: "the bot’s own name is not known yet".to_owned(),
        }),
    }
}

fn operations(home: &Home, lease: &Lease, reply: Reply) -> Result<Vec<Op>, HandlerError> {
    let said = outgoing(home, &reply)?;
    let mut ops = reply.ops;
    ops.extend(said);
    ops.push(Op::Finish {
        job: lease.job.id.clone(),
        epoch: lease.job.epoch,
    });
    Ok(ops)
}

/// The jobs that send its messages.
fn outgoing(home: &Home, reply: &Reply) -> Result<Vec<Op>, HandlerError> {
    let job = |message| job::new_job(&home.team, home.chance.id(), message, home.now());
    let jobs: Result<Vec<_>, _> = reply.messages.iter().map(job).collect();
    Ok(jobs?.into_iter().map(Op::Enqueue).collect())
}

/// What one thing that happened causes. Who did it is checked before what they did is looked at.
async fn answer(talk: &Conversation, inbound: &Inbound) -> Result<Reply, CommandError> {
    if let What::Moved { from, to } = &inbound.what {
        let moved = sessions::moved(&talk.home, from, to).await?;
        return Ok(Reply::default().with(moved));
    }
    let Some(person) = &inbound.from else {
        return Ok(Reply::default());
    };
    match members::find(&talk.home, &person.id).await? {
        Some(member) => by_member(talk, inbound, &member).await,
        None => stranger::answer(talk, inbound, person).await,
    }
}

async fn by_member(
    talk: &Conversation,
    inbound: &Inbound,
    member: &Member,
) -> Result<Reply, CommandError> {
    let ctx = context(talk, inbound, member);
    match &inbound.what {
        What::Tap { tap, data, .. } => match data.strip_prefix(present::document::REMOVE) {
            Some(id) => file::removed(&ctx, tap, id).await,
            None => card::tapped(&ctx, tap, data).await,
        },
        What::Text { text, .. } => {
            if !inbound.addressed {
                return Ok(Reply::default());
            }
            if let Some((name, args)) = command(text) {
                return command::run(&Ctx { args, ..ctx }, name).await;
            }
            if let Some(answered) = card::answered(&ctx, text).await? {
                return Ok(answered);
            }
            say_to_agent(&ctx, text).await
        }
        What::File { .. } if !inbound.addressed => Ok(Reply::default()),
        What::File {
            file,
            name,
            bytes,
            caption,
            ..
        } => {
            let sent = file::Sent {
                file,
                name,
                bytes: *bytes,
                caption,
            };
            file::came(&ctx, talk.files.as_deref(), sent).await
        }
        What::Added if !inbound.private => Ok(ctx.say(en::GROUP)),
        What::Other { kind } if inbound.private => Ok(match kind.as_str() {
            "edit" => ctx.say(en::EDITED),
            "service message" | "change of rights" | "command for another bot" => Reply::default(),
            _ => ctx.say(en::ONLY_TEXT),
        }),
        What::Added | What::Removed | What::Moved { .. } | What::Other { .. } => {
            Ok(Reply::default())
        }
    }
}

fn context<'a>(talk: &'a Conversation, inbound: &'a Inbound, member: &'a Member) -> Ctx<'a> {
    Ctx {
        home: &talk.home,
        me: talk.me.get(),
        member,
        inbound,
        presets: &talk.presets,
        tools: &talk.tools,
        models: &talk.models,
        index: &*talk.index,
        shelf: &*talk.shelf,
        sandbox: talk.sandbox.as_deref(),
        args: "",
    }
}

/// `/name args`. A path such as `/etc/hosts` is no command.
fn command(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim().strip_prefix('/')?;
    let (name, args) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let named = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    named.then(|| (name, args.trim()))
}

/// Free text goes to the session's agent. That it is at work, its status says.
async fn say_to_agent(ctx: &Ctx<'_>, text: &str) -> Result<Reply, CommandError> {
    let draft = ask::ask(ctx.home, ctx.member, &ctx.inbound.session, text, None).await?;
    Ok(asked(ctx, draft.ops, &draft.fact))
}

pub(crate) fn asked(ctx: &Ctx<'_>, ops: Vec<Op>, fact: &Asked) -> Reply {
    let reply = match fact {
        Asked::Started { .. } | Asked::Answered { .. } => Reply::default(),
        Asked::Queued { behind, waiting } => ctx.say(&en::queued(behind.as_str(), *waiting)),
    };
    reply.with(ops)
}

/// Why not, where the person looks: beside the button they pressed, else as a message that answers theirs.
fn apology(inbound: &Inbound, sentence: &str) -> Reply {
    if let What::Tap { tap, .. } = &inbound.what {
        return toast(inbound, tap, sentence);
    }
    let mut messages = present::texts(&inbound.session, &RichText::plain(sentence));
    if let (What::Text { message, .. } | What::File { message, .. }, Some(first)) =
        (&inbound.what, messages.first_mut())
    {
        first.reply_to = Some(message.clone());
    }
    Reply {
        ops: Vec::new(),
        messages,
    }
}

fn toast(inbound: &Inbound, tap: &str, text: &str) -> Reply {
    let body = Body::Toast {
        tap: tap.to_owned(),
        text: text.to_owned(),
    };
    Reply {
        ops: Vec::new(),
        messages: vec![present::outgoing(&inbound.session, body)],
    }
}

#[cfg(test)]
mod tests;
