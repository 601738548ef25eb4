//! `run_command`: a shell line, in the sandbox.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, spec, text};
use domain::{
    approval::Shown,
    permission::Access,
    shell,
    tool::{ToolClass, ToolSpec},
};
use ports::sandbox::{Ended, Exec, ExecResult, Limits};
use serde_json::Value;
use std::time::Duration;

pub struct RunCommand;

/// Seconds that a model may ask for; a longer task is split, or started by a person.
const LONGEST_S: u64 = 600;

fn limits(arguments: &Value) -> Limits {
    let wall = arguments.get("timeout_s").and_then(Value::as_u64);
    let mut limits = Limits::default();
    if let Some(wall) = wall {
        limits.wall = Duration::from_secs(wall.clamp(1, LONGEST_S));
    }
    limits
}

fn command(arguments: &Value) -> Result<&str, ToolError> {
    let command = text(arguments, "command")?;
    if command.trim().is_empty() {
        return Err(ToolError::Arguments("“command” is empty.".to_owned()));
    }
    if command.contains('\0') {
        return Err(ToolError::Arguments(
            "“command” contains a NUL byte.".to_owned(),
        ));
    }
    Ok(command)
}

#[async_trait::async_trait]
impl Tool for RunCommand {
    fn spec(&self) -> ToolSpec {
        let properties = [
            (
                "command",
                "string",
                "A line for sh, run in the workspace without network.",
            ),
            (
                "timeout_s",
                "integer",
                "Seconds until it is stopped; 120 if left out, 600 at most.",
            ),
        ];
        spec(
            "run_command",
            "Runs a shell command in a sandbox whose only writable place is the workspace.",
            &properties,
            1,
            ToolClass::Effect,
        )
    }

    fn text_argument(&self) -> Option<&'static str> {
        Some("command")
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        Ok(shell::accesses(command(arguments)?))
    }

    async fn preview(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        let line = command(arguments)?;
        let limits = limits(arguments);
        let shown = Shown {
            what: line.to_owned(),
            impact: format!(
                "Runs in the sandbox: writes only in the workspace, no network, at most {} s.",
                limits.wall.as_secs()
            ),
            rollback:
                "Not automatic: what it changes in the workspace stays. Deny if that matters."
                    .to_owned(),
            ..Shown::default()
        };
        Ok(Preview {
            before: at.workspace.manifest().await?,
            shown,
            attachment: None,
        })
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let line = command(arguments)?;
        let exec = Exec {
            command: line.to_owned(),
            workspace: at.workspace.root(),
            limits: limits(arguments),
        };
        let result = at.sandbox.run(exec, at.cancel.clone()).await?;
        Ok(ToolOutput {
            text: report(&result),
            ok: result.ended == Ended::Exit(0),
            taint: Some(format!(
                "the output of “{}”",
                domain::content::prefix(line, 60)
            )),
        })
    }
}

fn report(result: &ExecResult) -> String {
    let end = match result.ended {
        Ended::Exit(0) => String::new(),
        Ended::Exit(code) => format!("[exit status {code}]"),
        Ended::Signal(signal) => format!("[ended by signal {signal}]"),
        Ended::TimedOut => "[stopped: time limit]".to_owned(),
        Ended::OutOfMemory => "[stopped: memory limit]".to_owned(),
        Ended::TooMuchOutput => "[stopped: too much output]".to_owned(),
        Ended::Cancelled => "[stopped: cancelled]".to_owned(),
    };
    let kept = result.output.len() as u64;
    let mut text = match binary(&result.output) {
        true => format!("[{} bytes of binary output]", result.output_bytes),
        false => String::from_utf8_lossy(&result.output).into_owned(),
    };
    if result.output_bytes > kept {
        text.push_str(&format!(
            "\n[{} more bytes were cut]",
            result.output_bytes - kept
        ));
    }
    let parts: Vec<&str> = [text.trim_end(), end.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() {
        "(no output)".to_owned()
    } else {
        parts.join("\n")
    }
}

/// NUL in the beginning, or mostly not UTF-8: nothing that a model or a person could read.
fn binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(8192)];
    let odd = String::from_utf8_lossy(head)
        .chars()
        .filter(|c| *c == '\u{fffd}')
        .count();
    head.contains(&0) || odd * 10 > head.len().max(1)
}
