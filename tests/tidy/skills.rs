//! Built-in skills name only commands that exist: `/command` as a file of `bot/src/command`, `countersign …` as one of
//! `infra/app/src/cli`; and every file of a skill's folder is in the program.

use super::tree::Tree;
use super::{expect_each, expect_none};

const SKILLS: &str = "shared/catalog/skills/";
const LIST: &str = "shared/catalog/src/skill.rs";

#[test]
fn built_in_skills_name_what_there_is() {
    expect_none(&check(&Tree::load()));
}

fn check(tree: &Tree) -> Vec<String> {
    let listed = tree.texts().find(|(path, _)| *path == LIST);
    let listed = listed.map_or("", |(_, text)| text);
    let mut violations = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| path.starts_with(SKILLS)) {
        let inside = path[SKILLS.len()..].split_once('/');
        let (skill, file) = inside.unwrap_or_default();
        let entry = listed
            .split("folder!(")
            .find(|entry| entry.trim_start().starts_with(&format!("\"{skill}\":")));
        if !entry.is_some_and(|entry| entry.contains(&format!("\"{file}\""))) {
            violations.push(format!("{LIST} does not name {path}"));
        }
        for command in commands(text) {
            let file = match command {
                Command::Chat(name) => format!("bot/src/command/{name}.rs"),
                Command::Line(name) => format!("infra/app/src/cli/{name}.rs"),
            };
            let there = tree.exists(&file) || tree.exists(&file.replace(".rs", "/mod.rs"));
            if !there {
                violations.push(format!(
                    "{path} names a command for which there is no {file}"
                ));
            }
        }
    }
    violations
}

enum Command<'a> {
    Chat(&'a str),
    Line(&'a str),
}

/// In backticks: what begins with `/` and a small letter, and what follows `countersign`.
fn commands(text: &str) -> Vec<Command<'_>> {
    let word = |rest: &'_ str| {
        rest.find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(rest.len())
    };
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter_map(|quoted| {
            if let Some(rest) = quoted.strip_prefix('/') {
                return Some(Command::Chat(&rest[..word(rest)]));
            }
            let rest = quoted.strip_prefix("countersign ")?;
            Some(Command::Line(&rest[..word(rest)]))
        })
        .filter(|command| !matches!(command, Command::Chat("") | Command::Line("")))
        .collect()
}

#[test]
fn finds_each_violation() {
    let tree = Tree::of(&[
        ("bot/src/command/rules.rs", ""),
        ("infra/app/src/cli/doctor.rs", ""),
        (LIST, "folder!(\"a\": \"SKILL.md\")"),
        (
            "shared/catalog/skills/a/SKILL.md",
            "See `/rules add x`, `/fly NAME`, `countersign doctor` and `countersign fly`, not `src/a` or `countersign`.",
        ),
        ("shared/catalog/skills/a/references/more.md", "More."),
    ]);
    expect_each(
        &check(&tree),
        &[
            "no bot/src/command/fly.rs",
            "no infra/app/src/cli/fly.rs",
            "does not name",
        ],
    );
}
