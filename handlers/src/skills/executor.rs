//! The executor: what using a skill comes to, whatever its kind. Its text enters the conversation when it is used; its scripts run in
//! the sandbox, beside the session's files, without entering it; tools of servers are the servers', by the names that it
//! mentions.

use crate::tool::{ToolError, ToolOutput, run_command::report};
use domain::skill::{Declared, Kind, MANIFEST, Package, Script, check_value};
use ports::{
    Sandbox,
    sandbox::{Cancel, Ended, Exec, Limits},
};
use serde_json::Value;
use std::path::PathBuf;

/// Bytes of a script's JSON input.
const INPUT: usize = 1024 * 1024;
/// Words of the command line of a script that declares nothing.
const WORDS: usize = 64;
/// Bytes of what a script that failed said on stderr.
const SAID: u32 = 4000;

/// What a model is told when it uses a skill: its text, and what else is there; or one of its text files.
///
/// # Errors
/// [`ToolError::Arguments`]: there is no such file, or it is no text.
pub fn text(package: &Package, file: Option<&str>) -> Result<String, ToolError> {
    let name = &package.front.name;
    if let Some(file) = file.filter(|file| *file != MANIFEST) {
        return package.text(file).map(str::to_owned).ok_or_else(|| {
            ToolError::Arguments(format!("the skill “{name}” has no text file “{file}”"))
        });
    }
    let mut out = format!(
        "Instructions of the skill {name} (content {}):\n\n{}",
        package.digest.short(),
        package.body
    );
    if package.kind() == Kind::Mcp {
        let servers = package.front.servers().join(", ");
        out.push_str(&format!(
            "\n\nIts tools are those of the servers: {servers}."
        ));
    }
    if !package.scripts.is_empty() {
        out.push_str("\n\nScripts, for run_skill_script:");
    }
    for (script, declared) in &package.scripts {
        let line = match &declared.declared {
            Some(declared) => format!("{} Input: {}", declared.description, declared.input),
            None => "Input: {\"arguments\": [words of its command line]}".to_owned(),
        };
        out.push_str(&format!("\n- {script}: {line}"));
    }
    let is_script = |path: &str| package.scripts.values().any(|script| script.path == path);
    let others: Vec<&str> = package
        .files
        .keys()
        .map(String::as_str)
        .filter(|path| *path != MANIFEST && !is_script(path) && !path.ends_with(".schema.json"))
        .collect();
    if !others.is_empty() {
        let list = others.join(", ");
        out.push_str(&format!(
            "\n\nFurther files, for use_skill with “file”: {list}"
        ));
    }
    Ok(out)
}

/// A script and what it is given.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub package: &'a Package,
    pub script: &'a Script,
    pub input: &'a Value,
    pub limits: Limits,
}

impl<'a> Run<'a> {
    /// # Errors
    /// [`ToolError::Arguments`]: there is no such script, or the input is not what it takes.
    pub fn new(package: &'a Package, script: &str, input: &'a Value) -> Result<Self, ToolError> {
        let Some(found) = package.scripts.get(script) else {
            let names: Vec<&str> = package.scripts.keys().map(String::as_str).collect();
            return Err(ToolError::Arguments(match names.is_empty() {
                true => format!("the skill “{}” has no scripts", package.front.name),
                false => format!(
                    "there is no script “{script}”; there are: {}",
                    names.join(", ")
                ),
            }));
        };
        let run = Self {
            package,
            script: found,
            input,
            limits: Limits::default(),
        };
        run.check()?;
        Ok(run)
    }

    fn check(&self) -> Result<(), ToolError> {
        let wrong = |why: &str| {
            Err(ToolError::Arguments(format!(
                "the input does not fit: {why}"
            )))
        };
        if self.input.to_string().len() > INPUT {
            return wrong("it has more than 1 MiB; put it into a file of the workspace");
        }
        match &self.script.declared {
            Some(declared) => check_value(&declared.input, self.input).or_else(|why| wrong(&why)),
            None => match self.words() {
                Some(words) if words.len() <= WORDS => Ok(()),
                _ => wrong("it is {\"arguments\": [at most 64 words]}"),
            },
        }
    }

    /// Of a script that declares nothing.
    fn words(&self) -> Option<Vec<&'a str>> {
        let given = self.input.as_object()?;
        if given.keys().any(|key| key != "arguments") {
            return None;
        }
        let words = given.get("arguments").map(Value::as_array);
        let words = words.unwrap_or(Some(const { &Vec::new() }))?;
        words
            .iter()
            .map(|word| word.as_str().filter(|word| !word.contains('\0')))
            .collect()
    }

    /// Whether it can change nothing of the workspace.
    #[must_use]
    pub fn reads_only(&self) -> bool {
        self.script
            .declared
            .as_ref()
            .is_some_and(|declared| declared.reads_only)
    }

    /// In a workspace; an empty path is an empty one.
    fn exec(&self, workspace: PathBuf) -> Exec {
        let program = self.script.language.program();
        let path = &self.script.path;
        let mut files: Vec<(String, std::sync::Arc<[u8]>)> = self
            .package
            .files
            .iter()
            .map(|(path, bytes)| (format!("skill/{path}"), bytes.as_slice().into()))
            .collect();
        let command = match &self.script.declared {
            // What it says on stderr is kept apart, so that stdout is its output and nothing else.
            Some(_) => {
                let input = self.input.to_string();
                files.push(("input.json".to_owned(), input.as_bytes().into()));
                format!(
                    "mkfifo \"$TMPDIR/.err\" && {{ tail -c {SAID} < \"$TMPDIR/.err\" > \"$TMPDIR/.said\" & \
                     {program} \"$INPUTS/skill/{path}\" < \"$INPUTS/input.json\" 2> \"$TMPDIR/.err\"; code=$?; \
                     [ $code -eq 0 ] || {{ wait; cat \"$TMPDIR/.said\"; }}; exit $code; }}"
                )
            }
            None => {
                let words = self.words().unwrap_or_default();
                let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                format!(
                    "exec {program} \"$INPUTS/skill/{path}\" {}",
                    words.join(" ")
                )
            }
        };
        Exec {
            command,
            workspace,
            files,
            read_only: self.reads_only(),
            limits: self.limits,
        }
    }
}

/// For sh.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Runs a script on the session's files, or in an empty workspace where there is none.
///
/// # Errors
/// The sandbox's.
pub async fn run(
    run: Run<'_>,
    (sandbox, workspace): (&dyn Sandbox, Option<PathBuf>),
    cancel: Cancel,
) -> Result<ToolOutput, ToolError> {
    let exec = run.exec(workspace.unwrap_or_default());
    let result = sandbox.run(exec, cancel).await?;
    let answer = match &run.script.declared {
        Some(declared) if result.ended == Ended::Exit(0) => {
            printed(declared, &result.output, result.output_bytes)
        }
        _ => Ok(report(&result)),
    };
    let (text, ok) = match answer {
        Ok(text) => (text, result.ended == Ended::Exit(0)),
        Err(why) => (why, false),
    };
    let name = &run.package.front.name;
    Ok(ToolOutput {
        text,
        ok,
        taint: Some(format!(
            "the output of {} of the skill {name}",
            run.script.path
        )),
        sources: Vec::new(),
    })
}

/// The output as it was declared.
fn printed(declared: &Declared, output: &[u8], bytes: u64) -> Result<String, String> {
    let wrong = |why: String| {
        format!("[the script ended well, but its output is not what it declares: {why}]")
    };
    if bytes > output.len() as u64 {
        return Err(wrong(format!("it has {bytes} bytes")));
    }
    let value: Value =
        serde_json::from_slice(output).map_err(|error| wrong(format!("no JSON, {error}")))?;
    check_value(&declared.output, &value).map_err(wrong)?;
    Ok(value.to_string())
}
