//! `run_skill_script`: a script of one of the agent's skills, in the sandbox on the session's files. Its text never enters the
//! conversation. It is judged as the command `run_skill_script SKILL SCRIPT`, a rule names it so, and an approval is bound to the digest of
//! the whole skill.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, run_command::limits, spec, text};
use crate::skills::{self, Run};
use domain::{
    Digest,
    approval::Shown,
    content,
    permission::Access,
    skill::{Package, RUN_SKILL_SCRIPT},
    tool::{ToolClass, ToolSpec},
};
use serde_json::{Value, json};

pub struct RunSkillScript;

/// Bytes of the input and of the script on the card; the whole hangs on it as a file when there is more.
const ON_CARD: usize = 800;

fn input(arguments: &Value) -> Value {
    arguments.get("input").cloned().unwrap_or_else(|| json!({}))
}

fn prepared<'a>(
    package: &'a Package,
    arguments: &Value,
    input: &'a Value,
) -> Result<Run<'a>, ToolError> {
    let run = Run::new(package, text(arguments, "script")?, input)?;
    let limits = limits(arguments);
    Ok(Run { limits, ..run })
}

#[async_trait::async_trait]
impl Tool for RunSkillScript {
    fn spec(&self) -> ToolSpec {
        let properties = [
            ("name", "string", "The skill."),
            ("script", "string", "The script, as the skill names it."),
            ("input", "object", "What it takes."),
            (
                "timeout_s",
                "integer",
                "Seconds until it is stopped; 120 if left out, 600 at most.",
            ),
        ];
        spec(
            RUN_SKILL_SCRIPT,
            "Runs a script of one of your skills in the sandbox, on the workspace, without network, and gives what it prints.",
            &properties,
            2,
            ToolClass::Effect,
        )
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        let words = [
            RUN_SKILL_SCRIPT,
            text(arguments, "name")?,
            text(arguments, "script")?,
        ];
        let words = words.map(|word| Some(word.to_owned()));
        Ok(vec![Access::Command(words.to_vec())])
    }

    async fn preview(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        let name = text(arguments, "name")?;
        let package = skills::load(at.home, at.caller.skills, name).await?;
        let input = input(arguments);
        let run = prepared(&package, arguments, &input)?;
        let manifest = at.workspace()?.manifest().await?;
        let (shown, attachment) = shown(&package, run);
        let before = Digest::of(&(&package.digest, manifest))
            .map_err(|error| ToolError::Arguments(error.to_string()))?;
        Ok(Preview {
            before,
            shown,
            attachment,
        })
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let name = text(arguments, "name")?;
        let package = skills::load(at.home, at.caller.skills, name).await?;
        let input = input(arguments);
        let run = prepared(&package, arguments, &input)?;
        let place = (at.place()?.sandbox, Some(at.workspace()?.root()));
        skills::run(run, place, at.cancel.clone()).await
    }
}

fn shown(package: &Package, run: Run<'_>) -> (Shown, Option<String>) {
    let script = package.text(&run.script.path).unwrap_or_default();
    let given = run.input.to_string();
    let what = format!(
        "Run {} of the skill {} (content {}) with {}",
        run.script.path,
        package.front.name,
        package.digest.short(),
        content::prefix(&given, ON_CARD)
    );
    let writes = match run.reads_only() {
        true => "writes nothing",
        false => "writes only in the workspace",
    };
    let shown = Shown {
        what,
        diff: content::prefix(script, ON_CARD).to_owned(),
        impact: format!(
            "Runs in the sandbox: {writes}, no network, at most {} s.",
            run.limits.wall.as_secs()
        ),
        rollback: match run.reads_only() {
            true => "Nothing to undo.".to_owned(),
            false => "Not automatic: what it changes in the workspace stays.".to_owned(),
        },
        ..Shown::default()
    };
    let cut = script.len() > ON_CARD || given.len() > ON_CARD;
    (
        shown,
        cut.then(|| format!("{script}\n\n--- input ---\n{given}\n")),
    )
}
