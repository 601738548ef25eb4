//! Every Rust file opens with the one paragraph that a newcomer needs: what this is for, and what it deliberately
//! is not.

use super::tree::{Tree, is_test_file};
use super::{expect_each, expect_none};

#[test]
fn files_open_with_a_paragraph() {
    expect_none(&check(&Tree::load()));
}

fn check(tree: &Tree) -> Vec<String> {
    tree.rust()
        .filter(|(path, text)| !is_test_file(path) && !opens_with_paragraph(text))
        .map(|(path, _)| {
            format!("{path}: begin it with `//!` and what a newcomer needs to know about it")
        })
        .collect()
}

/// The very first line is the paragraph's, and holds more than a word.
fn opens_with_paragraph(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first
        .strip_prefix("//! ")
        .is_some_and(|words| words.split_whitespace().count() >= 2)
}

#[test]
fn a_file_without_a_paragraph_is_found() {
    let tree = Tree::of(&[
        ("a/src/code.rs", "use x;\n//! Late for a paragraph."),
        ("a/src/empty.rs", ""),
        ("a/src/good.rs", "//! Runs, one step at a time.\n"),
        ("a/src/plain.rs", "// Not a doc comment at all.\n"),
        ("a/src/tests.rs", "use super::*;"),
        ("a/src/word.rs", "//! Runs\n"),
    ]);
    expect_each(
        &check(&tree),
        &["code.rs", "empty.rs", "plain.rs", "word.rs"],
    );
}
