//! `search_knowledge`: passages from the agent's collections, as far as the person it works for may read them.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, plain_preview, spec, text};
use crate::knowledge::Recalled;
use domain::{
    permission::Access,
    tool::{ToolClass, ToolSpec},
};
use serde_json::Value;

pub struct SearchKnowledge;

#[async_trait::async_trait]
impl Tool for SearchKnowledge {
    fn spec(&self) -> ToolSpec {
        let properties = [(
            "query",
            "string",
            "What to look for: the words that would stand in the passage.",
        )];
        spec(
            "search_knowledge",
            "Finds passages in the documents that you were given, each with a number. Where you use one, cite its number, such as [1].",
            &properties,
            1,
            ToolClass::Read,
        )
    }

    /// What it can find was given to the agent by a person, and the requester may read it.
    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        text(arguments, "query").map(|_| Vec::new())
    }

    fn needs_workspace(&self) -> bool {
        false
    }

    fn needs_knowledge(&self) -> bool {
        true
    }

    async fn preview(&self, _: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        let query = text(arguments, "query")?;
        Ok(plain_preview(format!("Search knowledge for “{query}”")))
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let none = || ToolError::Home("this agent was given no documents".to_owned());
        let library = at.library.as_ref().ok_or_else(none)?;
        let Recalled {
            text,
            sources,
            taint,
        } = library.recall(text(arguments, "query")?).await?;
        if text.is_empty() {
            return Ok(ToolOutput {
                text: "(nothing found)".to_owned(),
                ok: true,
                taint: None,
                sources,
            });
        }
        Ok(ToolOutput {
            text,
            ok: true,
            taint: Some(taint.join(", ")),
            sources,
        })
    }
}
