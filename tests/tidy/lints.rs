//! No unwrap, expect or panic outside of tests. Clippy finds them, with types, which we could not; here we hold that
//! clippy is asked in every crate and silenced in none.

use quote::ToTokens;

use super::rust::{product, words};
use super::tree::Tree;
use super::{expect_each, expect_none};

const LINTS: [&str; 5] = [
    "unwrap_used",
    "expect_used",
    "panic",
    "todo",
    "unimplemented",
];
/// Its contract suites are tests, and its fakes run only in them.
const TEST_SUPPORT: &str = "testkit";

#[test]
fn every_crate_has_the_lints_and_none_silences_them() {
    let tree = Tree::load();
    let mut violations = check_manifests(&tree);
    violations.extend(check_sources(&tree));
    expect_none(&violations);
}

fn check_manifests(tree: &Tree) -> Vec<String> {
    tree.packages
        .iter()
        .map(|package| format!("{}/Cargo.toml", package.dir))
        .filter(|path| {
            let text = tree.files.get(path).and_then(Option::as_deref);
            !inherits_lints(text.unwrap_or_default())
        })
        .map(|path| format!("{path}: add `[lints]` with `workspace = true`"))
        .collect()
}

fn inherits_lints(manifest: &str) -> bool {
    let lines: Vec<&str> = manifest
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines
        .windows(2)
        .any(|pair| pair == ["[lints]", "workspace = true"])
}

fn check_sources(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for parsed in product(tree) {
        let package = tree.package_of(parsed.path);
        if package.is_some_and(|package| package.name == TEST_SUPPORT) {
            continue;
        }
        for lint in silenced(&words(parsed.file.to_token_stream())) {
            violations.push(format!(
                "{}: silences clippy::{lint} outside of tests: answer an error instead",
                parsed.path
            ));
        }
    }
    violations
}

/// `allow(…)` or `expect(…)` of one of our lints; `cfg_attr(test, allow(…))` is for tests.
fn silenced(words: &[String]) -> Vec<String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for (at, window) in words.windows(4).enumerate() {
        let ["clippy", ":", ":", lint] = window else {
            continue;
        };
        let attribute = words[..at]
            .iter()
            .rposition(|word| *word == "#")
            .unwrap_or(0);
        let attribute = &words[attribute..at];
        let silences = attribute.contains(&"allow") || attribute.contains(&"expect");
        let for_tests = attribute
            .windows(3)
            .any(|window| window == ["cfg_attr", "{", "test"]);
        if silences && !for_tests && LINTS.contains(lint) {
            found.push((*lint).to_owned());
        }
    }
    found
}

#[test]
fn a_crate_without_lints_is_found() {
    let with = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n";
    expect_none(&check_manifests(&Tree::of_package(
        "a",
        &[("a/Cargo.toml", with)],
    )));
    let without = with.replace("workspace = true", "");
    let tree = Tree::of_package("a", &[("a/Cargo.toml", &without)]);
    expect_each(&check_manifests(&tree), &["a/Cargo.toml"]);
}

#[test]
fn a_silenced_lint_is_found() {
    let files = [
        ("a/src/a.rs", "#![allow(clippy::unwrap_used)]"),
        (
            "a/src/b.rs",
            "#[expect(clippy::too_many_lines, clippy::panic)] fn f() {}",
        ),
        (
            "a/src/c.rs",
            "#![cfg_attr(test, allow(clippy::unwrap_used))] #[allow(clippy::new_ret_no_self)] fn f() {}",
        ),
        (
            "a/src/d.rs",
            "#[cfg(test)] #[allow(clippy::unwrap_used)] mod tests {}",
        ),
    ];
    let expected = [
        "a.rs: silences clippy::unwrap_used",
        "b.rs: silences clippy::panic",
    ];
    expect_each(&check_sources(&Tree::of_package("a", &files)), &expected);
    expect_none(&check_sources(&Tree::of_package("testkit", &files)));
}
