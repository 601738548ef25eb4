//! A model is told no secret, and one that it says is gone before anybody hears it: its words are what goes into journals and onto
//! cards, and the arguments of its calls are what digests are made of.

use super::Redacted;
use domain::{
    MicroUsd,
    content::Content,
    message::Message,
    redact::Redactor,
    tool::{ToolCall, ToolSpec},
};
use ports::{
    Model,
    model::{ModelError, ModelReply, ModelRequest, OnText},
};
use std::borrow::Cow;

#[async_trait::async_trait]
impl Model for Redacted<dyn Model> {
    async fn complete(
        &self,
        request: &ModelRequest,
        on_text: OnText<'_>,
    ) -> Result<ModelReply, ModelError> {
        let redactor = self.redaction.now();
        let request = clean_request(&redactor, request);
        // A secret may come in two pieces: what is shown ends before anything that could become one.
        let mut pending = String::new();
        let mut settled = |piece: &str| {
            pending.push_str(piece);
            let settled = redactor.settled(&pending);
            let shown = redactor.text(&pending[..settled]).into_owned();
            pending.drain(..settled);
            on_text(&shown);
        };
        match self.inner.complete(&request, &mut settled).await {
            Ok(reply) => Ok(clean_reply(&redactor, reply)),
            Err(error) => Err(clean_error(&redactor, error)),
        }
    }

    fn ceiling(&self, request: &ModelRequest) -> MicroUsd {
        self.inner.ceiling(request)
    }

    fn window(&self, model: &str) -> u64 {
        self.inner.window(model)
    }

    fn is_priced(&self, model: &str) -> bool {
        self.inner.is_priced(model)
    }
}

fn text(redactor: &Redactor, text: &mut String) {
    if let Cow::Owned(clean) = redactor.text(text) {
        *text = clean;
    }
}

fn content(redactor: &Redactor, content: &mut Content) {
    match content {
        Content::Inline(inline) => text(redactor, inline),
        Content::Stored { head, .. } => text(redactor, head),
    }
}

fn call(redactor: &Redactor, call: &mut ToolCall) {
    text(redactor, &mut call.name);
    redactor.value(&mut call.arguments);
    if let Some(malformed) = &mut call.malformed {
        text(redactor, malformed);
    }
}

fn clean_request(redactor: &Redactor, request: &ModelRequest) -> ModelRequest {
    let mut request = request.clone();
    text(redactor, &mut request.system);
    for message in &mut request.messages {
        match message {
            Message::User { text } => content(redactor, text),
            Message::Assistant { text, calls } => {
                content(redactor, text);
                calls.iter_mut().for_each(|one| call(redactor, one));
            }
            Message::Tool { output, .. } => content(redactor, output),
        }
    }
    for ToolSpec {
        description,
        schema,
        ..
    } in &mut request.tools
    {
        text(redactor, description);
        redactor.value(schema);
    }
    request
}

fn clean_reply(redactor: &Redactor, mut reply: ModelReply) -> ModelReply {
    text(redactor, &mut reply.text);
    reply.calls.iter_mut().for_each(|one| call(redactor, one));
    reply
}

fn clean_error(redactor: &Redactor, mut error: ModelError) -> ModelError {
    match &mut error {
        ModelError::Unauthorized(why)
        | ModelError::Unavailable(why)
        | ModelError::Unreachable(why)
        | ModelError::Broken(why)
        | ModelError::Refused(why)
        | ModelError::TooLong(why)
        | ModelError::Garbled(why) => text(redactor, why),
        ModelError::RateLimited { .. } | ModelError::TimedOut(_) => {}
    }
    error
}
