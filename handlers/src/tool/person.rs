//! `ask_person` and `finish`: the two calls that touch nothing but the conversation. The engine treats the first as parking and the
//! second as the answer; see `run`.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, plain_preview, spec, text};
use domain::{
    permission::Access,
    tool::{ToolClass, ToolSpec},
};
use serde_json::Value;

pub struct AskPerson;
pub struct Finish;

pub const ASK_PERSON: &str = "ask_person";
pub const FINISH: &str = "finish";

#[async_trait::async_trait]
impl Tool for AskPerson {
    fn spec(&self) -> ToolSpec {
        let properties = [(
            "question",
            "string",
            "What you need to know, in one message.",
        )];
        spec(
            ASK_PERSON,
            "Asks the person you work for, and waits for the answer.",
            &properties,
            1,
            ToolClass::Read,
        )
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        text(arguments, "question").map(|_| Vec::new())
    }

    fn needs_workspace(&self) -> bool {
        false
    }

    async fn preview(&self, _: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        Ok(plain_preview(text(arguments, "question")?.to_owned()))
    }

    async fn perform(
        &self,
        _: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        Ok(ToolOutput {
            text: text(arguments, "question")?.to_owned(),
            ok: true,
            taint: None,
            sources: Vec::new(),
        })
    }
}

#[async_trait::async_trait]
impl Tool for Finish {
    fn spec(&self) -> ToolSpec {
        let properties = [("answer", "string", "The answer for the person.")];
        spec(
            FINISH,
            "Ends the task with an answer.",
            &properties,
            1,
            ToolClass::Read,
        )
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        text(arguments, "answer").map(|_| Vec::new())
    }

    fn needs_workspace(&self) -> bool {
        false
    }

    async fn preview(&self, _: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        Ok(plain_preview(text(arguments, "answer")?.to_owned()))
    }

    async fn perform(
        &self,
        _: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        Ok(ToolOutput {
            text: text(arguments, "answer")?.to_owned(),
            ok: true,
            taint: None,
            sources: Vec::new(),
        })
    }
}
