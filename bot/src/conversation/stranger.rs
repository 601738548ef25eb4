//! Who is no member yet: politely refused, and let in by an invitation only.

use super::{Conversation, apology, command, toast};
use crate::{
    command::Reply,
    inbound::{Inbound, Person, What},
    present,
    text::en,
};
use domain::rich_text::RichText;
use handlers::{CommandError, members};
use ports::message::Body;

pub(super) async fn answer(
    talk: &Conversation,
    inbound: &Inbound,
    person: &Person,
) -> Result<Reply, CommandError> {
    match &inbound.what {
        What::Text { text, .. } => match command(text) {
            Some(("start", code)) if !code.is_empty() => join(talk, inbound, person, code).await,
            Some(_) if inbound.addressed => Ok(apology(inbound, en::STRANGER)),
            // In a group, people talk to each other.
            _ if inbound.private => Ok(apology(inbound, en::STRANGER)),
            _ => Ok(Reply::default()),
        },
        What::Tap { tap, .. } => Ok(toast(inbound, tap, en::STRANGERS_TAP)),
        What::Added if !inbound.private => {
            let sentence = present::say(&inbound.session, RichText::plain(en::STRANGERS_GROUP));
            let leave = present::outgoing(&inbound.session, Body::Leave);
            Ok(Reply {
                ops: Vec::new(),
                messages: vec![sentence, leave],
            })
        }
        What::Other { .. } | What::File { .. } if inbound.private => {
            Ok(apology(inbound, en::STRANGER))
        }
        What::Added
        | What::Removed
        | What::Moved { .. }
        | What::File { .. }
        | What::Other { .. } => Ok(Reply::default()),
    }
}

/// `/start CODE`, also by a member who is given a higher role. The private chat becomes the place where the system reaches them.
async fn join(
    talk: &Conversation,
    inbound: &Inbound,
    person: &Person,
    code: &str,
) -> Result<Reply, CommandError> {
    if !inbound.private {
        return Ok(apology(inbound, en::JOIN_IN_PRIVATE));
    }
    let draft = members::join(
        &talk.home,
        &person.id,
        &person.name,
        inbound.session.as_str(),
        code,
    )
    .await?;
    let welcome = present::say(&inbound.session, RichText::plain(en::welcome(&draft.fact)));
    Ok(Reply {
        ops: draft.ops,
        messages: vec![welcome],
    })
}
