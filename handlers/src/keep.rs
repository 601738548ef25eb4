//! Texts on their way into a record, an event or a payload: whole where they fit, else in the blob store or shortened.
//!
//! Sizes are those of the JSON text, which is what a store limits: a byte that JSON escapes takes up to six.

use crate::{HandlerError, Home};
use domain::{
    content::{self, Content, INLINE_LIMIT},
    id::SessionId,
};
use ports::{
    Blobs,
    blob::BlobError,
    job,
    message::{Body, Outgoing},
    present::Notice,
    repo::{self, sent::SentMessage},
    store::Op,
};

/// Bytes that a text takes within a JSON document.
pub(crate) fn size(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}

/// The longest beginning that takes at most `bytes` within a JSON document.
pub(crate) fn fit(text: &str, bytes: usize) -> &str {
    let mut fits = content::prefix(text, bytes);
    while size(fits) > bytes {
        let over = size(fits) - bytes;
        // Each byte takes six at most, so this much has to go; it may have to go again.
        fits = content::prefix(fits, fits.len() - over.div_ceil(6).max(1));
    }
    fits
}

/// The text as an event or a record may hold it.
pub(crate) async fn keep(blobs: &dyn Blobs, text: String) -> Result<Content, BlobError> {
    keep_within(blobs, text, INLINE_LIMIT).await
}

/// With another limit than the usual one.
pub(crate) async fn keep_within(
    blobs: &dyn Blobs,
    text: String,
    limit: usize,
) -> Result<Content, BlobError> {
    if size(&text) <= limit {
        return Ok(Content::Inline(text));
    }
    let blob = blobs.put(text.as_bytes()).await?;
    Ok(Content::Stored {
        blob,
        bytes: text.len() as u64,
        head: fit(&text, 512).to_owned(),
    })
}

/// The messages that tell a fact somewhere, as operations, with the text of large files in the blob store. Of each card's edits
/// the last one is noted: those before it that were not sent by then need not be (see `send`).
pub(crate) async fn tell(
    home: &Home,
    to: &SessionId,
    notice: &Notice,
    zone: &str,
) -> Result<Vec<Op>, HandlerError> {
    let mut ops = Vec::new();
    for mut message in home.presenter.present(to, notice, home.now(), zone) {
        stow(&*home.blobs, &mut message).await?;
        let id = home.chance.id();
        let id = match &message.body {
            Body::EditCard { tag, .. } => {
                let id = format!("{NOTED}{id}");
                ops.push(note(home, newest(tag, &message.to), &id).await?);
                id
            }
            _ => id,
        };
        let job = job::new_job(&home.team, id, &message, home.now())?;
        ops.push(Op::Enqueue(job));
    }
    Ok(ops)
}

/// The id of a job that is noted as its message's newest edit begins so.
pub(crate) const NOTED: &str = "edit:";

/// Where the newest edit of a message is noted.
pub(crate) fn newest(tag: &str, to: &SessionId) -> String {
    format!("{NOTED}{tag}@{to}")
}

async fn note(home: &Home, id: String, job: &str) -> Result<Op, HandlerError> {
    let before = repo::get::<SentMessage>(&*home.store, &home.team, &id).await?;
    let value = SentMessage {
        id,
        // Apart from the messages themselves, which are looked for by their age.
        surface: "edits".to_owned(),
        message: job.to_owned(),
        at: home.now(),
    };
    let version = before.map(|before| before.version);
    Ok(repo::put(&home.team, &value, version)?)
}

async fn stow(blobs: &dyn Blobs, message: &mut Outgoing) -> Result<(), BlobError> {
    if let Body::File { content, .. } = &mut message.body
        && let Content::Inline(text) = content
    {
        *content = keep(blobs, std::mem::take(text)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_size_is_what_serde_writes(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(size(&text), json.len() - 2);
        }

        #[test]
        fn what_fits_is_the_longest_beginning(text in "[a\"\n\u{1}ä😀]{0,60}", bytes in 0..80_usize) {
            let fits = fit(&text, bytes);
            prop_assert!(text.starts_with(fits) && size(fits) <= bytes);
        }
    }
}
