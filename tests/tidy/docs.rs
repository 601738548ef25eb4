//! The documents that a newcomer looks for are there, what they point at exists (a relative link, or a path in backticks), and
//! they name every command and every folder of the handlers.

use super::tree::Tree;
use super::{expect_each, expect_none};

const REQUIRED: [&str; 5] = [
    "README.md",
    "ARCHITECTURE.md",
    "LICENSE",
    "migrations/README.md",
    "infra/deploy/README.md",
];
/// Documents whose links and paths are followed.
const READ: [&str; 4] = [
    "README.md",
    "ARCHITECTURE.md",
    "migrations/README.md",
    "infra/deploy/README.md",
];
/// What a path in backticks begins with; `provider/model` and `application/json` are none.
const FOLDERS: [&str; 9] = [
    "shared",
    "handlers",
    "bot",
    "infra",
    "migrations",
    "tests",
    ".ci",
    ".cargo",
    ".config",
];

#[test]
fn documents_are_there_and_point_at_what_exists() {
    let tree = Tree::load();
    let mut violations = check_presence(&tree);
    violations.extend(check_paths(&tree));
    violations.extend(check_named(&tree));
    expect_none(&violations);
}

fn check_presence(tree: &Tree) -> Vec<String> {
    REQUIRED
        .iter()
        .filter(|path| {
            let text = tree.files.get(**path).and_then(Option::as_deref);
            text.unwrap_or_default().trim().is_empty()
        })
        .map(|path| format!("{path} is missing or empty"))
        .collect()
}

fn check_paths(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for document in READ {
        let Some(Some(text)) = tree.files.get(document) else {
            continue;
        };
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in links(text) {
            if !tree.exists(&resolve(folder, link)) {
                violations.push(format!("{document}: the link to {link} leads nowhere"));
            }
        }
        for path in backticked(text) {
            if !tree.exists(path) && !tree.exists(&resolve(folder, path)) {
                violations.push(format!("{document}: there is no `{path}`"));
            }
        }
    }
    violations
}

/// README tells each command to whoever uses it, ARCHITECTURE each folder of handlers to whoever looks for one.
fn check_named(tree: &Tree) -> Vec<String> {
    let read = |document: &str| tree.files.get(document).and_then(Option::as_deref);
    let readme = read("README.md").unwrap_or_default();
    let architecture = read("ARCHITECTURE.md").unwrap_or_default();
    let words: Vec<&str> = readme
        .split(|c: char| !c.is_alphanumeric() && c != '/')
        .collect();
    let mut violations = Vec::new();
    for (path, text) in &tree.files {
        let is_command = text
            .as_deref()
            .is_some_and(|text| text.contains("impl Command for "));
        if let Some(name) = inside(path, "bot/src/command/", ".rs")
            && is_command
            && !words.contains(&format!("/{name}").as_str())
        {
            violations.push(format!("README.md does not tell /{name}"));
        }
        if let Some(name) = inside(path, "handlers/src/", "/mod.rs")
            && name != "tests"
            && !architecture.contains(&format!("`{name}`"))
        {
            violations.push(format!("ARCHITECTURE.md does not name `{name}`"));
        }
    }
    violations
}

/// What stands between the two, if it is one part of a path.
fn inside<'a>(path: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let name = path.strip_prefix(before)?.strip_suffix(after)?;
    (!name.contains('/')).then_some(name)
}

/// Targets of `](…)` inside of this repository, without their anchors.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter_map(|link| link.split('#').next())
        .filter(|link| !link.is_empty() && !link.contains(':'))
}

/// Words in backticks that look like a path of this repository, outside of code blocks.
fn backticked(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|prose| prose.split('`').skip(1).step_by(2))
        .map(|word| word.trim_end_matches('/'))
        .filter(|word| {
            word.contains('/')
                && !word.contains(|c: char| c.is_whitespace() || "<>*{}$:…".contains(c))
        })
        .filter(|word| {
            word.split('/')
                .next()
                .is_some_and(|first| FOLDERS.contains(&first))
        })
}

/// `path` seen from `folder`, `.` and `..` followed.
fn resolve(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn a_missing_document_is_found() {
    let tree = Tree::of(&[
        ("README.md", "x"),
        ("LICENSE", " \n"),
        ("migrations/README.md", "x"),
        ("infra/deploy/README.md", "x"),
    ]);
    expect_each(&check_presence(&tree), &["ARCHITECTURE.md", "LICENSE"]);
}

#[test]
fn a_path_that_leads_nowhere_is_found() {
    let readme = "[a](ARCHITECTURE.md#x) [b](gone.md) [c](https://x.org/y) `shared/domain/` `shared/gone.rs`
        `provider/model` `infra/<port>-<vendor>` ``` `bot/in-a-code-block` ``` `.ci/run` [d](#here)";
    let tree = Tree::of(&[
        (".ci/run", ""),
        ("ARCHITECTURE.md", ""),
        ("README.md", readme),
        (
            "migrations/README.md",
            "[up](../README.md) [aside](README.txt)",
        ),
        ("shared/domain/src/lib.rs", ""),
    ]);
    let expected = ["link to gone.md", "`shared/gone.rs`", "link to README.txt"];
    expect_each(&check_paths(&tree), &expected);
}

#[test]
fn a_command_or_a_handler_that_is_told_nowhere_is_found() {
    let command = "impl Command for X {";
    let tree = Tree::of(&[
        ("README.md", "| `/new`, `/approve ID` | `/run/x` |"),
        ("ARCHITECTURE.md", "`run`, asked"),
        ("bot/src/command/new.rs", command),
        ("bot/src/command/approve.rs", command),
        ("bot/src/command/run.rs", command),
        ("bot/src/command/several.rs", "fn no_command() {}"),
        ("handlers/src/run/mod.rs", ""),
        ("handlers/src/ask/mod.rs", ""),
        ("handlers/src/run/deep/mod.rs", ""),
        ("handlers/src/tests/mod.rs", ""),
    ]);
    expect_each(&check_named(&tree), &["/run", "`ask`"]);
}
