//! `search_files`: lines that contain a text.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, plain_preview, spec, text};
use domain::{
    permission::Access,
    tool::{ToolClass, ToolSpec},
};
use serde_json::{Value, json};

pub struct SearchFiles;

fn glob(arguments: &Value) -> &str {
    arguments
        .get("glob")
        .and_then(Value::as_str)
        .filter(|glob| !glob.is_empty())
        .unwrap_or("**")
}

#[async_trait::async_trait]
impl Tool for SearchFiles {
    fn spec(&self) -> ToolSpec {
        let properties = [
            (
                "text",
                "string",
                "What the line contains, as it is written.",
            ),
            (
                "glob",
                "string",
                "Only files like this, such as src/**/*.rs.",
            ),
        ];
        spec(
            "search_files",
            "Finds the lines of the workspace's files that contain a text.",
            &properties,
            1,
            ToolClass::Read,
        )
    }

    fn samples(&self) -> Vec<Value> {
        vec![json!({"text": "a"})]
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        text(arguments, "text")?;
        Ok(vec![Access::FileRead(".".to_owned())])
    }

    async fn preview(&self, _: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        Ok(plain_preview(format!(
            "Search {} for “{}”",
            glob(arguments),
            text(arguments, "text")?
        )))
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let (found, more) = at
            .workspace()?
            .search(text(arguments, "text")?, glob(arguments))
            .await?;
        let mut lines: Vec<String> = found
            .iter()
            .map(|hit| format!("{}:{}: {}", hit.path, hit.line, hit.text))
            .collect();
        if lines.is_empty() {
            lines.push("(nothing found)".to_owned());
        }
        if more {
            lines.push("… and more: search with a narrower glob.".to_owned());
        }
        Ok(ToolOutput {
            text: lines.join("\n"),
            ok: true,
            taint: Some(format!("a search in {}", glob(arguments))),
            sources: Vec::new(),
        })
    }
}
