//! `recall`: lines of the memories that are at hand for the run. What was remembered from outside says so, and taints again.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, plain_preview, spec, text};
use crate::{memory, memory::Whose};
use domain::{
    memory::{FOUND, find, sources},
    permission::Access,
    tool::{ToolClass, ToolSpec},
};
use serde_json::Value;

pub struct Recall;

#[async_trait::async_trait]
impl Tool for Recall {
    fn spec(&self) -> ToolSpec {
        let properties = [(
            "query",
            "string",
            "Words that stand in the line; empty for everything.",
        )];
        spec(
            "recall",
            "Finds what was remembered: of this conversation, by you, about the person who asks.",
            &properties,
            1,
            ToolClass::Read,
        )
    }

    /// None: what it can find is the conversation's, the agent's and that of who asks.
    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        text(arguments, "query").map(|_| Vec::new())
    }

    fn needs_workspace(&self) -> bool {
        false
    }

    async fn preview(&self, _: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        let query = text(arguments, "query")?;
        Ok(plain_preview(format!("Recall “{query}”")))
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let query = text(arguments, "query")?;
        let (mut said, mut taint) = (String::new(), Vec::<String>::new());
        let mut left_out = 0;
        for layer in Whose::from(at.caller).layers() {
            let (memory, _) = memory::read(at.home, &layer).await?;
            let found = find(&memory, query);
            if found.is_empty() {
                continue;
            }
            said.push_str(&format!("## {}\n", memory::title(&layer)));
            for line in found {
                if said.len() + line.len() > FOUND {
                    left_out += 1;
                    continue;
                }
                said.push_str(&format!("{line}\n"));
                taint.extend(sources(line));
            }
        }
        if left_out > 0 {
            said.push_str(&format!("({left_out} more lines: use other words)\n"));
        }
        taint.sort();
        taint.dedup();
        Ok(ToolOutput {
            text: match said.trim_end() {
                "" => "(nothing remembered)".to_owned(),
                said => said.to_owned(),
            },
            ok: true,
            taint: (!taint.is_empty()).then(|| taint.join(", ")),
            sources: Vec::new(),
        })
    }
}
