//! `write_file`: creates or replaces a file.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, files, spec, text};
use domain::{
    permission::Access,
    tool::{ToolClass, ToolSpec},
};
use serde_json::{Value, json};

pub struct WriteFile;

#[async_trait::async_trait]
impl Tool for WriteFile {
    fn spec(&self) -> ToolSpec {
        let properties = [
            (
                "path",
                "string",
                "File relative to the workspace; its directories are made.",
            ),
            (
                "text",
                "string",
                "The file's whole new content, at most 1 MiB.",
            ),
        ];
        // Writing the same content again gives the same file.
        spec(
            "write_file",
            "Creates a file of the workspace or replaces its whole content.",
            &properties,
            2,
            ToolClass::Idempotent,
        )
    }

    fn text_argument(&self) -> Option<&'static str> {
        Some("text")
    }

    fn samples(&self) -> Vec<Value> {
        vec![json!({"path": "notes.md", "text": ""})]
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        text(arguments, "text")?;
        Ok(vec![Access::FileWrite(files::normal(text(
            arguments, "path",
        )?)?)])
    }

    async fn preview(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        let path = files::normal(text(arguments, "path")?)?;
        let before = files::current(at.workspace()?, &path).await?;
        Ok(files::change(
            &path,
            before.as_ref(),
            text(arguments, "text")?,
        ))
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let (path, text) = (
            files::normal(text(arguments, "path")?)?,
            text(arguments, "text")?,
        );
        at.workspace()?.write(&path, text).await?;
        Ok(ToolOutput {
            text: format!("Wrote {} bytes to {path}.", text.len()),
            ok: true,
            taint: None,
            sources: Vec::new(),
        })
    }

    async fn is_done(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<bool, ToolError> {
        let path = files::normal(text(arguments, "path")?)?;
        let file = files::current(at.workspace()?, &path).await?;
        let wanted = text(arguments, "text")?;
        Ok(file.is_some_and(|file| file.text == wanted))
    }
}
