//! A model's view of a run: the messages that go into a request, in order.

use crate::{content::Content, id::CallId, tool::ToolCall};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    User {
        text: Content,
    },
    Assistant {
        text: Content,
        calls: Vec<ToolCall>,
    },
    Tool {
        call: CallId,
        name: String,
        output: Content,
        ok: bool,
    },
}
