//! `list_files`: what is in a directory.

use super::{
    Preview, Tool, ToolContext, ToolError, ToolOutput, files::normal, plain_preview, spec,
};
use domain::{
    permission::Access,
    tool::{ToolClass, ToolSpec},
};
use serde_json::{Value, json};

pub struct ListFiles;

fn path(arguments: &Value) -> Result<String, ToolError> {
    let path = arguments.get("path").and_then(Value::as_str);
    Ok(normal(path.unwrap_or("."))?)
}

#[async_trait::async_trait]
impl Tool for ListFiles {
    fn spec(&self) -> ToolSpec {
        let properties = [
            (
                "path",
                "string",
                "Directory relative to the workspace; all of it if left out.",
            ),
            (
                "recursive",
                "boolean",
                "Also what lies in its subdirectories.",
            ),
        ];
        spec(
            "list_files",
            "Lists files and directories of the workspace with their sizes in bytes.",
            &properties,
            0,
            ToolClass::Read,
        )
    }

    fn samples(&self) -> Vec<Value> {
        vec![json!({"path": "."})]
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        Ok(vec![Access::FileRead(path(arguments)?)])
    }

    async fn preview(&self, _: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        Ok(plain_preview(format!("List {}", path(arguments)?)))
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let recursive = arguments
            .get("recursive")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        let (entries, more) = at.workspace()?.list(&path(arguments)?, recursive).await?;
        let mut lines: Vec<String> = entries
            .iter()
            .map(|entry| {
                if entry.path.ends_with('/') {
                    entry.path.clone()
                } else {
                    format!("{}  {}", entry.path, entry.bytes)
                }
            })
            .collect();
        if lines.is_empty() {
            lines.push("(empty)".to_owned());
        }
        if more {
            lines.push("… and more: list a subdirectory.".to_owned());
        }
        // Names are chosen by whoever made the files.
        Ok(ToolOutput {
            text: lines.join("\n"),
            ok: true,
            taint: Some(path(arguments)?),
            sources: Vec::new(),
        })
    }
}
