//! The adapter in `model-http` against the fake, in both dialects: each is checked by the other.

mod faults;
mod prefix;
mod replies;

use std::time::Duration;

use domain::{
    content::Content,
    message::Message,
    tool::{ToolClass, ToolSpec},
};
use model_http::{HttpModel, SecretString};
use ports::model::{Model, ModelError, ModelReply, ModelRequest};
use serde_json::json;

use super::{Dialect, FakeModel, Reply, Script};

const BOTH: [Dialect; 2] = [Dialect::Anthropic, Dialect::OpenAi];
const KEY: &str = "sk-test-0123456789abcdef";

/// The adapter, pointed at the fake. The provider's name picks the prices.
fn adapter(fake: &FakeModel, dialect: Dialect) -> HttpModel {
    adapter_at(&fake.url(), dialect)
}

fn adapter_at(url: &str, dialect: Dialect) -> HttpModel {
    // A second installation in the same process is refused, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let key = Some(SecretString::from(KEY.to_owned()));
    let (dialect, provider) = match dialect {
        Dialect::Anthropic => (model_http::Dialect::Anthropic, "anthropic"),
        Dialect::OpenAi => (model_http::Dialect::OpenAi, "openai"),
    };
    HttpModel::new(dialect, provider, url, key).expect("a URL on loopback")
}

fn user(text: &str) -> Message {
    Message::User {
        text: Content::inline(text),
    }
}

fn said(reply: &ModelReply) -> Message {
    Message::Assistant {
        text: Content::inline(reply.text.clone()),
        calls: reply.calls.clone(),
    }
}

fn results(reply: &ModelReply, output: &str) -> Vec<Message> {
    let result = |call: &domain::tool::ToolCall| Message::Tool {
        call: call.id.clone(),
        name: call.name.clone(),
        output: Content::inline(output),
        ok: true,
    };
    reply.calls.iter().map(result).collect()
}

fn request(messages: Vec<Message>) -> ModelRequest {
    let tool = |name: &str, schema| ToolSpec {
        name: name.to_owned(),
        description: format!("what {name} does"),
        schema,
        class: ToolClass::Read,
        leaves_workspace: false,
    };
    let path =
        json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]});
    ModelRequest {
        model: "fake-large".to_owned(),
        system: "You are under test.".to_owned(),
        messages,
        tools: vec![
            tool("list_files", json!({"type": "object"})),
            tool("read_file", path),
        ],
        max_output_tokens: 500,
        timeout: Duration::from_secs(60),
    }
}

async fn ask(model: &HttpModel, messages: Vec<Message>) -> Result<ModelReply, ModelError> {
    model.complete(&request(messages), &mut |_| {}).await
}

/// The outcome of asking once, in a dialect, for this reply.
async fn outcome(dialect: Dialect, reply: Reply) -> Result<ModelReply, ModelError> {
    let fake = FakeModel::start(Script::queue([reply])).await.unwrap();
    ask(&adapter(&fake, dialect), vec![user("hi")]).await
}
