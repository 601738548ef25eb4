//! `run_command`: a shell line, in the sandbox. It may name a plan, a line whose output shows what the first one is about to do
//! (`terraform show plan.out` for `terraform apply plan.out`): a person approves that output, and another output needs another yes.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, spec, text};
use domain::{
    Digest,
    approval::Shown,
    content,
    permission::Access,
    shell,
    tool::{ToolClass, ToolSpec},
};
use ports::sandbox::{Ended, Exec, ExecResult, Limits};
use serde_json::{Value, json};
use std::time::Duration;

pub struct RunCommand;

/// Seconds that a model may ask for; a longer task is split, or started by a person.
const LONGEST_S: u64 = 600;
/// Bytes of a plan's line, which stands on the card whole.
const PLAN: usize = 200;
/// Bytes of a plan's output on the card; the whole hangs on it as a file when it is longer.
const OUTPUT_ON_CARD: usize = 2000;
/// Characters of a capability.
const CAPABILITY: usize = 32;
/// What the commands that take a capability understand otherwise.
const RESERVED: [&str; 3] = ["all", "run", "except"];

pub(super) fn limits(arguments: &Value) -> Limits {
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

/// The plan's line, where there is one.
fn plan(arguments: &Value) -> Result<Option<&str>, ToolError> {
    if arguments.get("plan").is_none() {
        return Ok(None);
    }
    let line = text(arguments, "plan")?.trim();
    if line.is_empty() || line.len() > PLAN || line.contains(['\0', '\n']) {
        return Err(ToolError::Arguments(format!(
            "“plan” must be one line of at most {PLAN} bytes; put a longer one into a script."
        )));
    }
    Ok(Some(line))
}

fn capability(arguments: &Value) -> Result<&str, ToolError> {
    if arguments.get("capability").is_none() {
        return Ok("");
    }
    let word = text(arguments, "capability")?;
    let fits = word.len() <= CAPABILITY
        && !RESERVED.contains(&word)
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && word
            .chars()
            .all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
        // Ids are hexadecimal: no word is the end of one.
        && word.contains(|c: char| matches!(c, 'g'..='z' | '-'));
    match fits {
        true => Ok(word),
        false => Err(ToolError::Arguments(format!(
            "“capability” must be a word such as “deploy”: at most {CAPABILITY} lower-case letters, digits and hyphens, one of them \
             beyond a–f, and none of {}.",
            RESERVED.join(", ")
        ))),
    }
}

/// Makes the plan where it can write nothing: it is made again before the call starts.
async fn made(at: &ToolContext<'_>, line: &str) -> Result<String, ToolError> {
    let exec = Exec {
        command: line.to_owned(),
        workspace: at.workspace()?.root(),
        files: Vec::new(),
        read_only: true,
        limits: Limits::default(),
    };
    let result = at.place()?.sandbox.run(exec, at.cancel.clone()).await?;
    // Not what it said: the model would read it without a taint.
    let failed = |how: &str| {
        ToolError::Arguments(format!(
            "nothing was asked, because its plan “{line}” {how}. Run the plan as a call of its own to see more"
        ))
    };
    if result.ended != Ended::Exit(0) {
        return Err(failed(&format!("failed {}", end(result.ended))));
    }
    if result.output_bytes > result.output.len() as u64 {
        let how = format!("says too much for a card: {} bytes", result.output_bytes);
        return Err(failed(&how));
    }
    String::from_utf8(result.output).map_err(|_| failed("says something that is no text"))
}

/// What people want to know about an agent's rights: looking, testing, changing, publishing, fetching.
const SAMPLES: [&str; 7] = [
    "git log",
    "cargo test",
    "make",
    "git commit -m x",
    "git push",
    "rm notes.md",
    "curl https://example.org",
];

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
            (
                "plan",
                "string",
                "A line that shows what the command will do and changes nothing (`terraform show plan.out` before `terraform apply \
                 plan.out`). A person who is asked sees its output, and what they approve is bound to it.",
            ),
            (
                "capability",
                "string",
                "A word by which people can approve this call, such as `deploy`.",
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

    fn plan(&self, arguments: &Value) -> Option<Value> {
        let line = plan(arguments).ok()??;
        Some(json!({"command": line}))
    }

    fn samples(&self) -> Vec<Value> {
        let lines = SAMPLES.iter();
        lines.map(|line| json!({ "command": line })).collect()
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        plan(arguments)?;
        capability(arguments)?;
        Ok(shell::accesses(command(arguments)?))
    }

    async fn preview(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        let line = command(arguments)?;
        let limits = limits(arguments);
        let mut shown = Shown {
            what: line.to_owned(),
            capability: capability(arguments)?.to_owned(),
            impact: format!(
                "Runs in the sandbox: writes only in the workspace, no network, at most {} s.",
                limits.wall.as_secs()
            ),
            rollback:
                "Not automatic: what it changes in the workspace stays. Deny if that matters."
                    .to_owned(),
            ..Shown::default()
        };
        let mut before = at.workspace()?.manifest().await?;
        let mut attachment = None;
        if let Some(line) = plan(arguments)? {
            let output = made(at, line).await?;
            before = Digest::of_bytes(format!("{before}\n{output}"));
            let said = if output.trim().is_empty() {
                "(no output)"
            } else {
                &output
            };
            shown.plan = line.to_owned();
            shown.diff = content::prefix(said, OUTPUT_ON_CARD).to_owned();
            attachment = (output.len() > OUTPUT_ON_CARD).then_some(output);
        }
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
        let line = command(arguments)?;
        let exec = Exec {
            command: line.to_owned(),
            workspace: at.workspace()?.root(),
            files: Vec::new(),
            read_only: false,
            limits: limits(arguments),
        };
        let result = at.place()?.sandbox.run(exec, at.cancel.clone()).await?;
        Ok(ToolOutput {
            text: report(&result),
            ok: result.ended == Ended::Exit(0),
            taint: Some(format!("the output of “{}”", content::prefix(line, 60))),
            sources: Vec::new(),
        })
    }
}

fn end(ended: Ended) -> String {
    match ended {
        Ended::Exit(0) => String::new(),
        Ended::Exit(code) => format!("[exit status {code}]"),
        Ended::Signal(signal) => format!("[ended by signal {signal}]"),
        Ended::TimedOut => "[stopped: time limit]".to_owned(),
        Ended::OutOfMemory => "[stopped: memory limit]".to_owned(),
        Ended::TooMuchOutput => "[stopped: too much output]".to_owned(),
        Ended::Cancelled => "[stopped: cancelled]".to_owned(),
    }
}

pub(crate) fn report(result: &ExecResult) -> String {
    let end = end(result.ended);
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
