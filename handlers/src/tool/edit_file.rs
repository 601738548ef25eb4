//! `edit_file`: replaces one passage of a file.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, files, spec, text};
use domain::{
    permission::Access,
    tool::{ToolClass, ToolSpec},
};
use ports::{Workspace, workspace::FileText};
use serde_json::{Value, json};

pub struct EditFile;

/// The file before and its text after.
async fn edited(
    workspace: &dyn Workspace,
    arguments: &Value,
) -> Result<(String, FileText, String), ToolError> {
    let path = files::normal(text(arguments, "path")?)?;
    let (old, new) = (text(arguments, "old")?, text(arguments, "new")?);
    if old.is_empty() {
        return Err(ToolError::Arguments(
            "“old” is empty: give the passage to replace, or use write_file.".to_owned(),
        ));
    }
    let file = workspace.read(&path).await?;
    match file.text.matches(old).count() {
        1 => {
            let after = file.text.replacen(old, new, 1);
            Ok((path, file, after))
        }
        0 => Err(ToolError::Arguments(format!(
            "“old” does not occur in {path}: read the file and give the passage exactly."
        ))),
        n => Err(ToolError::Arguments(format!(
            "“old” occurs {n} times in {path}: give more of the lines around it."
        ))),
    }
}

#[async_trait::async_trait]
impl Tool for EditFile {
    fn spec(&self) -> ToolSpec {
        let properties = [
            ("path", "string", "File relative to the workspace."),
            (
                "old",
                "string",
                "The passage to replace, exactly as it stands; it must occur once.",
            ),
            ("new", "string", "What stands there afterwards."),
        ];
        // A second time the passage is not there any more, so nothing happens twice; but whether it happened is not known from the
        // answer then, so a crash in the middle asks a person.
        spec(
            "edit_file",
            "Replaces one passage of a file of the workspace.",
            &properties,
            3,
            ToolClass::Effect,
        )
    }

    fn text_argument(&self) -> Option<&'static str> {
        Some("new")
    }

    fn samples(&self) -> Vec<Value> {
        vec![json!({"path": "notes.md", "old": "a", "new": "b"})]
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        text(arguments, "old")?;
        text(arguments, "new")?;
        Ok(vec![Access::FileWrite(files::normal(text(
            arguments, "path",
        )?)?)])
    }

    async fn preview(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        let (path, before, after) = edited(at.workspace()?, arguments).await?;
        Ok(files::change(&path, Some(&before), &after))
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let (path, _, after) = edited(at.workspace()?, arguments).await?;
        at.workspace()?.write(&path, &after).await?;
        Ok(ToolOutput {
            text: format!("Changed {path}."),
            ok: true,
            taint: None,
            sources: Vec::new(),
        })
    }
}
