//! `read_file`: a text file.

use super::{
    Preview, Tool, ToolContext, ToolError, ToolOutput, files::normal, plain_preview, spec, text,
};
use domain::{
    permission::Access,
    tool::{ToolClass, ToolSpec},
};
use serde_json::{Value, json};

pub struct ReadFile;

#[async_trait::async_trait]
impl Tool for ReadFile {
    fn spec(&self) -> ToolSpec {
        let properties = [("path", "string", "File relative to the workspace.")];
        spec(
            "read_file",
            "Reads a text file of the workspace, at most 256 KiB.",
            &properties,
            1,
            ToolClass::Read,
        )
    }

    fn samples(&self) -> Vec<Value> {
        vec![json!({"path": "notes.md"})]
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        Ok(vec![Access::FileRead(normal(text(arguments, "path")?)?)])
    }

    async fn preview(&self, _: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        Ok(plain_preview(format!(
            "Read {}",
            normal(text(arguments, "path")?)?
        )))
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let path = normal(text(arguments, "path")?)?;
        let file = at.workspace()?.read(&path).await?;
        Ok(ToolOutput {
            text: file.text,
            ok: true,
            taint: Some(path),
            sources: Vec::new(),
        })
    }
}
