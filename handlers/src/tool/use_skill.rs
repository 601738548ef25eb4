//! `use_skill`: the text of a skill that the agent has. It is content from a source that a person agreed to, pinned by its digest, so
//! it may instruct and does not taint; what a skill's *scripts* say comes from what they worked on, and does.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, plain_preview, spec, text};
use crate::skills;
use domain::{
    permission::Access,
    skill::USE_SKILL,
    tool::{ToolClass, ToolSpec},
};
use serde_json::Value;

pub struct UseSkill;

#[async_trait::async_trait]
impl Tool for UseSkill {
    fn spec(&self) -> ToolSpec {
        let properties = [
            ("name", "string", "The skill."),
            (
                "file",
                "string",
                "One of its further files, instead of its instructions.",
            ),
        ];
        spec(
            USE_SKILL,
            "Gives the instructions of one of your skills. Use it before you do what the skill is for.",
            &properties,
            1,
            ToolClass::Read,
        )
    }

    fn needs_workspace(&self) -> bool {
        false
    }

    /// None: that an agent has a skill is an owner's doing.
    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        text(arguments, "name")?;
        Ok(Vec::new())
    }

    async fn preview(&self, _: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        Ok(plain_preview(format!(
            "Use the skill {}",
            text(arguments, "name")?
        )))
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let name = text(arguments, "name")?;
        let file = arguments.get("file").and_then(Value::as_str);
        let package = skills::load(at.home, at.caller.skills, name).await?;
        Ok(ToolOutput {
            text: skills::text(&package, file)?,
            ok: true,
            taint: None,
            sources: Vec::new(),
        })
    }
}
