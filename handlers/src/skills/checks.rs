//! What is found out about a skill before anybody agrees to it: what stands in its files, what real linters say of its scripts, and
//! whether its tests pass. Linters and tests run in the sandbox, in an empty workspace, before there is a yes.

use super::executor::{Run, run};
use crate::tool::ToolError;
use domain::skill::{Finding, Language, Package, Script, Severity, scan};
use ports::{
    Sandbox,
    sandbox::{Cancel, Exec, Limits},
};
use serde::Deserialize;
use serde_json::Value;
use std::{path::PathBuf, time::Duration};

const FOLDER: &str = "tests/";
/// Tests that are run.
const TESTS: usize = 20;
/// Bytes of what a linter says of one script.
const SAID: usize = 300;
/// Stands before what is said of the script with this number.
const MARK: &str = "@script ";

/// One test: `tests/<name>.json`.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Case {
    script: String,
    input: Value,
    /// What it has to print; where it is left out, that it ends well is enough.
    #[serde(default)]
    output: Option<Value>,
}

/// All findings, the worst first.
pub async fn check(package: &Package, sandbox: Option<&dyn Sandbox>) -> Vec<Finding> {
    let mut findings = scan(package);
    match sandbox {
        None if package.scripts.is_empty() => {}
        None => findings.push(note("scripts/", "not checked by linters: no sandbox here")),
        Some(sandbox) => {
            findings.extend(lint(package, sandbox).await);
            findings.extend(tests(package, sandbox).await);
        }
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

fn note(file: &str, what: &str) -> Finding {
    finding(Severity::Note, file, what)
}

fn finding(severity: Severity, file: &str, what: &str) -> Finding {
    Finding {
        severity,
        file: file.to_owned(),
        line: 0,
        what: what.to_owned(),
    }
}

/// The best linter that is there, on one file. `NONE` says that none is.
fn linter(script: &Script) -> String {
    let path = format!("\"$INPUTS/skill/{}\"", script.path);
    let (better, plain) = match script.language {
        Language::Python => (
            Some((
                "ruff",
                "ruff check -q --no-cache --isolated --output-format concise",
            )),
            (
                "python3",
                "python3 -c 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1].rsplit(\"/\", 1)[1], \"exec\")'",
            ),
        ),
        Language::JavaScript => (None, ("node", "node --check")),
        Language::Bash => (
            Some(("shellcheck", "shellcheck -S warning -f gcc")),
            ("bash", "bash -n"),
        ),
    };
    let branch = |(program, line): (&str, &str)| {
        format!("if command -v {program} >/dev/null; then {line} {path} && echo OK {program}; ")
    };
    let first = better
        .map(|better| branch(better) + "el")
        .unwrap_or_default();
    format!("{first}{}else echo NONE {}; fi", branch(plain), plain.0)
}

async fn lint(package: &Package, sandbox: &dyn Sandbox) -> Vec<Finding> {
    if package.scripts.is_empty() {
        return Vec::new();
    }
    let scripts: Vec<&Script> = package.scripts.values().collect();
    let lines = scripts.iter().enumerate().map(|(number, script)| {
        format!(
            "echo '{MARK}{number}'; {{ {}; }} 2>&1 | head -c 2000; echo",
            linter(script)
        )
    });
    let exec = Exec {
        command: lines.collect::<Vec<_>>().join("\n"),
        workspace: PathBuf::new(),
        files: package
            .files
            .iter()
            .map(|(path, bytes)| (format!("skill/{path}"), bytes.as_slice().into()))
            .collect(),
        read_only: true,
        limits: Limits {
            wall: Duration::from_secs(60),
            ..Limits::default()
        },
    };
    let said = match sandbox.run(exec, Cancel::default()).await {
        Ok(result) => String::from_utf8_lossy(&result.output).into_owned(),
        Err(error) => {
            return vec![note(
                "scripts/",
                &format!("not checked by linters: {error}"),
            )];
        }
    };
    let parts = said.split(MARK).skip(1).filter_map(|part| {
        let (number, said) = part.split_once('\n')?;
        Some((
            *scripts.get(number.trim().parse::<usize>().ok()?)?,
            said.trim(),
        ))
    });
    parts
        .filter_map(|(script, said)| of_linter(script, said))
        .collect()
}

fn of_linter(script: &Script, said: &str) -> Option<Finding> {
    let last = said.lines().last().unwrap_or_default();
    Some(match last.split_once(' ') {
        Some(("OK", program)) => note(&script.path, &format!("{program} has nothing to say")),
        Some(("NONE", program)) => note(&script.path, &format!("not checked: no {program} here")),
        _ => {
            let words: Vec<&str> = said.split_whitespace().collect();
            let said = words.join(" ");
            let start = said.len().saturating_sub(SAID);
            let start = (start..said.len()).find(|at| said.is_char_boundary(*at))?;
            finding(Severity::High, &script.path, &said[start..])
        }
    })
}

/// Runs the skill's own tests.
async fn tests(package: &Package, sandbox: &dyn Sandbox) -> Vec<Finding> {
    let cases = package
        .files
        .iter()
        .filter(|(path, _)| path.starts_with(FOLDER) && path.ends_with(".json"));
    let (mut findings, mut passed) = (Vec::new(), 0);
    for (path, text) in cases.take(TESTS) {
        match test(package, sandbox, text).await {
            Ok(()) => passed += 1,
            Err(why) => findings.push(finding(
                Severity::High,
                path,
                &format!("the test fails: {why}"),
            )),
        }
    }
    if passed > 0 {
        findings.push(note(FOLDER, &format!("{passed} of its tests pass")));
    }
    findings
}

async fn test(package: &Package, sandbox: &dyn Sandbox, text: &[u8]) -> Result<(), String> {
    let case: Case = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let said = |error: ToolError| error.to_string();
    let prepared = Run::new(package, &case.script, &case.input).map_err(said)?;
    let output = run(prepared, (sandbox, None), Cancel::default())
        .await
        .map_err(said)?;
    if !output.ok {
        return Err(output.text);
    }
    match &case.output {
        Some(wanted) => {
            let printed = serde_json::from_str(&output.text);
            let printed = printed.unwrap_or_else(|_| Value::String(output.text.trim().to_owned()));
            match printed == *wanted {
                true => Ok(()),
                false => Err(format!("it prints {printed} instead of {wanted}")),
            }
        }
        None => Ok(()),
    }
}

/// Whether its tests and linters find nothing that stands in its way.
#[must_use]
pub fn failures(findings: &[Finding]) -> Vec<&Finding> {
    let fails = |finding: &&Finding| {
        let by_us = finding.line == 0 && !finding.what.starts_with("is no text");
        finding.severity == Severity::High && by_us
    };
    findings.iter().filter(fails).collect()
}
