//! The lines that the rehearsal understands, and how a prompt is cut into them.
//!
//! A directive is a word, a colon and its text, at the beginning of a line: `run: ls`. Upper or lower case, indentation and
//! the marks of a list (`- run: ls`, `2. run: ls`) don't matter. `write:` goes on over the following lines until the next
//! directive; a fenced block (three backticks) is taken as it is, whatever its lines look like. Everything else is prose and
//! is passed over.

use crate::written_call::{self, Written};
use serde_json::{Value, json};

/// One thing that the prompt asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Wish {
    /// A call of a tool, and what it does in words that go on after “You asked me to”.
    Call {
        tool: String,
        arguments: Value,
        words: String,
    },
    /// A call written as JSON whose arguments are no object.
    Malformed { tool: String, complaint: String },
    /// A directive that can't be understood: a sentence about it.
    Unclear(String),
}

/// The directives' words, as people write them.
pub const WORDS: [&str; 8] = [
    "run", "plan", "read", "write", "edit", "list", "search", "ask",
];

/// All wishes of a prompt, in its order.
#[must_use]
pub fn parse(prompt: &str) -> Vec<Wish> {
    let mut wishes = Vec::new();
    let mut rest = prompt;
    while let Some(line) = rest.lines().next() {
        if let Some((written, after)) = written_call::take(rest) {
            wishes.extend(written.into_iter().map(from_written));
            rest = after;
            continue;
        }
        rest = after_line(rest);
        if let Some((word, text)) = split(line) {
            let (block, after) = if word == "write" {
                following(rest)
            } else {
                (None, rest)
            };
            rest = after;
            wishes.push(wish(word, text, block));
        }
    }
    wishes
}

/// A directive's word in lower case and its text, if the line is one.
fn split(line: &str) -> Option<(&'static str, &str)> {
    let line = without_list_mark(line.trim());
    let (word, text) = line.split_once(':')?;
    let word = WORDS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(word.trim()))?;
    Some((word, text.trim()))
}

fn without_list_mark(line: &str) -> &str {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let marked = ["- ", "* ", "• "]
        .iter()
        .find_map(|mark| line.strip_prefix(mark));
    let numbered = [". ", ") "]
        .iter()
        .find_map(|mark| digits.strip_prefix(mark));
    match (marked, numbered) {
        (Some(text), _) => text.trim_start(),
        (None, Some(text)) if digits.len() < line.len() => text.trim_start(),
        _ => line,
    }
}

fn wish(word: &str, text: &str, block: Option<String>) -> Wish {
    match (word, text) {
        ("list", _) => list(text),
        (_, "") => Wish::Unclear(format!(
            "“{word}:” is followed by nothing; write {}.",
            form(word)
        )),
        ("run", _) => call(
            "run_command",
            json!({"command": text}),
            format!("run “{text}”"),
        ),
        ("plan", _) => planned(text),
        ("read", _) => call("read_file", json!({"path": text}), format!("read “{text}”")),
        ("search", _) => search(text),
        ("ask", _) => call(
            "ask_person",
            json!({"question": text}),
            format!("ask you “{text}”"),
        ),
        ("edit", _) => edit(text),
        _ => write(text, block),
    }
}

fn call(tool: &str, arguments: Value, words: String) -> Wish {
    let tool = tool.to_owned();
    Wish::Call {
        tool,
        arguments,
        words,
    }
}

fn planned(text: &str) -> Wish {
    match text.split_once("=>").map(|(a, b)| (a.trim(), b.trim())) {
        Some((plan, command)) if !plan.is_empty() && !command.is_empty() => call(
            "run_command",
            json!({"command": command, "plan": plan}),
            format!("run “{command}” as “{plan}” shows it"),
        ),
        _ => Wish::Unclear(format!(
            "“plan:” needs a command that shows what another one will do, and that one; write {}.",
            form("plan")
        )),
    }
}

fn list(text: &str) -> Wish {
    let (path, recursive) = match text.strip_suffix("**") {
        Some(path) => (path.trim_end_matches('/'), true),
        None => (text, false),
    };
    let path = if path.is_empty() { "." } else { path };
    let depth = if recursive { " and below" } else { "" };
    call(
        "list_files",
        json!({"path": path, "recursive": recursive}),
        format!("list the files in “{path}”{depth}"),
    )
}

fn search(text: &str) -> Wish {
    match text.rsplit_once(" in ") {
        Some((words, glob)) if glob.contains('*') && !glob.contains(' ') => call(
            "search_files",
            json!({"text": words.trim(), "glob": glob}),
            format!("search for “{}” in “{glob}”", words.trim()),
        ),
        _ => call(
            "search_files",
            json!({"text": text}),
            format!("search for “{text}”"),
        ),
    }
}

fn edit(text: &str) -> Wish {
    let parts = text.split_once(':').and_then(|(path, change)| {
        let (old, new) = change.split_once("=>")?;
        Some((path.trim(), unescape(old.trim()), unescape(new.trim())))
    });
    match parts {
        Some((path, old, new)) if !path.is_empty() && !old.is_empty() => call(
            "edit_file",
            json!({"path": path, "old": old, "new": new}),
            format!("replace “{old}” by “{new}” in “{path}”"),
        ),
        _ => Wish::Unclear(format!(
            "“edit: {text}” is not an edit; write {}.",
            form("edit")
        )),
    }
}

/// The text is what stands after the second colon, with `\n`, `\t` and `\\` meant as in a program, then the lines that
/// follow, as they are.
fn write(text: &str, block: Option<String>) -> Wish {
    let (path, first) = match text.split_once(':') {
        Some((path, first)) => (path.trim(), first.trim()),
        None if block.is_some() => (text, ""),
        None => {
            return Wish::Unclear(format!(
                "“write: {text}” has no text; write {}.",
                form("write")
            ));
        }
    };
    if path.is_empty() {
        return Wish::Unclear(format!("“write:” has no path; write {}.", form("write")));
    }
    let first = unescape(first);
    let whole = match block {
        Some(block) if first.is_empty() => block,
        Some(block) => format!("{first}\n{block}"),
        None => first,
    };
    let words = format!("write {} to “{path}”", amount(&whole));
    call("write_file", json!({"path": path, "text": whole}), words)
}

fn amount(text: &str) -> String {
    match text.lines().count() {
        0 => "nothing".to_owned(),
        1 => "one line".to_owned(),
        lines => format!("{lines} lines"),
    }
}

/// The lines up to the next directive or written call, without blank lines at the end, closed by a newline; and the rest.
/// A fence around them is taken off.
fn following(text: &str) -> (Option<String>, &str) {
    let mut lines = Vec::new();
    let mut rest = text;
    let mut fence: Option<usize> = None;
    while let Some(line) = rest.lines().next() {
        if fence.is_none() && (split(line).is_some() || written_call::take(rest).is_some()) {
            break;
        }
        rest = after_line(rest);
        if line.trim_start().starts_with("```") {
            match fence.take() {
                Some(_) => break,
                None if lines.iter().all(|line: &&str| line.trim().is_empty()) => {
                    lines.clear();
                    fence = Some(0);
                    continue;
                }
                None => {}
            }
        }
        lines.push(line);
    }
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let block = (!lines.is_empty()).then(|| lines.join("\n") + "\n");
    (block, rest)
}

fn after_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('\\') => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

fn from_written(written: Written) -> Wish {
    match written {
        Written::Call { tool, arguments } => {
            let words = format!("call {tool} with {arguments}");
            Wish::Call {
                tool,
                arguments,
                words,
            }
        }
        Written::Malformed { tool, complaint } => Wish::Malformed { tool, complaint },
    }
}

/// How a directive is written.
#[must_use]
pub fn form(word: &str) -> &'static str {
    match word {
        "run" => "`run: COMMAND`",
        "plan" => "`plan: PLAN => COMMAND`",
        "read" => "`read: PATH`",
        "write" => "`write: PATH: TEXT`",
        "edit" => "`edit: PATH: OLD => NEW`",
        "list" => "`list: PATH`",
        "search" => "`search: WORDS`",
        _ => "`ask: QUESTION`",
    }
}
