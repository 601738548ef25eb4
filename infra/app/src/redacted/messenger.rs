//! Messages out, whatever wrote them.

use super::Redacted;
use domain::redact::Redactor;
use ports::{
    Messenger,
    message::{Body, Outgoing, SendError, Sent},
};
use std::borrow::Cow;

#[async_trait::async_trait]
impl Messenger for Redacted<dyn Messenger> {
    async fn send(
        &self,
        message: &Outgoing,
        edits: Option<&Sent>,
        again: bool,
    ) -> Result<Option<Sent>, SendError> {
        let clean = clean(&self.redaction.now(), message);
        let message = clean.as_ref().unwrap_or(message);
        self.inner.send(message, edits, again).await
    }
}

fn clean(redactor: &Redactor, message: &Outgoing) -> Option<Outgoing> {
    let text = serde_json::to_string(message).ok()?;
    match payload(redactor, &text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(clean) => serde_json::from_str(&clean).ok(),
    }
}

/// A message as JSON, without secrets. Where a text lost one its marks go too: they would stand beside their words.
pub(super) fn payload<'a>(redactor: &Redactor, message: &'a str) -> Cow<'a, str> {
    let Cow::Owned(clean) = redactor.json(message) else {
        return Cow::Borrowed(message);
    };
    let marked = |text: &str| match serde_json::from_str(text) {
        Ok(Outgoing {
            body: Body::Text { text, .. },
            ..
        }) => Some(text.text),
        _ => None,
    };
    if marked(message) == marked(&clean) {
        return Cow::Owned(clean);
    }
    let Ok(mut plain) = serde_json::from_str::<Outgoing>(&clean) else {
        return Cow::Owned(clean);
    };
    if let Body::Text { text, .. } = &mut plain.body {
        text.marks.clear();
    }
    Cow::Owned(serde_json::to_string(&plain).unwrap_or(clean))
}
