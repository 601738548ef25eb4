//! A file that somebody sends is a memory that comes back, an agent's file, a skill; or a document, which goes into a collection: the one
//! that the caption begins with, else the team's default one. Here it is decided which.

use super::toast;
use crate::{
    command::{Ctx, Reply, agents::import, memory, skill},
    present::document,
    telegram::DOWNLOAD,
    text::en,
};
use domain::member::{Deed, Role, may};
use handlers::{
    CommandError, Problem, agents,
    ingest::{self, Added, New},
    knowledge,
};
use ports::{Fetch, blob::BlobError, fetch::FetchError, store::StoreError};

/// As the surface describes it.
pub struct Sent<'a> {
    pub file: &'a str,
    pub name: &'a str,
    pub bytes: Option<u64>,
    pub caption: &'a str,
}

/// Fetches and stores it; that it is being read, a card says, which later says what is in it.
pub async fn came(
    ctx: &Ctx<'_>,
    files: Option<&dyn Fetch>,
    sent: Sent<'_>,
) -> Result<Reply, CommandError> {
    let Some(files) = files else {
        return Ok(ctx.say(en::ONLY_TEXT));
    };
    if !may(ctx.member.role, Deed::Run) {
        let needed = Role::Operator;
        return Err(Problem::NotAllowed { needed }.into());
    }
    if sent.bytes.is_some_and(|bytes| bytes > DOWNLOAD) {
        return Ok(ctx.say(&en::too_big(sent.bytes, DOWNLOAD)));
    }
    let bytes = match files.fetch(sent.file).await {
        Ok(bytes) => bytes,
        Err(FetchError::Refused(why)) => return Ok(ctx.say(&why)),
        Err(error @ FetchError::Unavailable(_)) => {
            return Err(StoreError::Unavailable(error.to_string()).into());
        }
    };
    match taken_in(ctx, &sent, &bytes).await {
        // Tried again it would stand in the way of what this person writes meanwhile.
        Err(CommandError::Blob(BlobError::Io(why))) => {
            tracing::error!(why, "a file that somebody sent cannot be kept");
            Ok(ctx.say(&en::not_kept(sent.name())))
        }
        reply => reply,
    }
}

impl Sent<'_> {
    /// A name of this surface has no directories.
    fn name(&self) -> &str {
        let name = self.name.rsplit(['/', '\\']).next();
        name.unwrap_or(self.name)
    }
}

async fn taken_in(ctx: &Ctx<'_>, sent: &Sent<'_>, bytes: &[u8]) -> Result<Reply, CommandError> {
    let name = sent.name();
    if let Some(layer) = memory::named(sent.name, sent.caption) {
        return memory::came(ctx, layer, bytes).await;
    }
    // Who names a collection wants a document, whatever is in it.
    let named = collection(ctx, sent.caption).await?;
    if named.is_none() {
        if name.ends_with(".md") && agents::is_meant(bytes) {
            return import::came(ctx, name, bytes).await;
        }
        if let Some(reply) = skill::came(ctx, name, bytes).await? {
            return Ok(reply);
        }
    }
    document(ctx, (name, bytes), named.as_deref()).await
}

async fn document(
    ctx: &Ctx<'_>,
    (name, bytes): (&str, &[u8]),
    collection: Option<&str>,
) -> Result<Reply, CommandError> {
    let place = ingest::place(ctx.home, ctx.reader(), collection).await?;
    let new = New {
        collection: &place.fact,
        name,
        bytes,
        tell: Some(&ctx.inbound.session),
    };
    let added = ingest::add(ctx.home, ctx.member, new).await?;
    let line = en::added(
        &added.fact,
        name,
        &place.fact.name,
        place.fact.owner.is_none(),
    );
    let mut reply = match &added.fact {
        Added::Same(_) => ctx.say(&line),
        Added::New(document) | Added::Version(document) => Reply {
            messages: vec![document::arrived(&ctx.inbound.session, document, line)],
            ..Reply::default()
        },
    };
    reply.ops.extend(place.ops);
    reply.ops.extend(added.ops);
    Ok(reply)
}

/// What the caption begins with, where that is a collection's name.
async fn collection(ctx: &Ctx<'_>, caption: &str) -> Result<Option<String>, CommandError> {
    let word = caption.split_whitespace().next().unwrap_or_default();
    let word = word.trim_start_matches('#');
    let all = knowledge::list(ctx.home, ctx.reader()).await?;
    let found = all.into_iter().find(|one| one.name == word);
    Ok(found.map(|one| one.name))
}

/// A tap on Remove.
pub async fn removed(ctx: &Ctx<'_>, tap: &str, id: &str) -> Result<Reply, CommandError> {
    let all = knowledge::list(ctx.home, ctx.reader()).await?;
    let found = ingest::find(ctx.home, ctx.member, id, &all).await?;
    let draft = ingest::remove(ctx.home, ctx.member, found).await?;
    let mut reply = toast(ctx.inbound, tap, en::REMOVED_FILE).with(draft.ops);
    let card = document::read(&ctx.inbound.session, &draft.fact);
    reply.messages.push(card);
    Ok(reply)
}
