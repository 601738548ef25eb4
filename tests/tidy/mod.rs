//! The rules about the source tree that a compiler doesn't know: which crate may see which, how long a file and a
//! function may be, what a name may not be, what a document may not point at. One file per rule. Each has a check
//! over a [`tree::Tree`], a test that this tree keeps it, and tests on bad samples that show that it can fail. There
//! is no list of exceptions: where a rule is wrong, change the rule.

mod crates;
mod docs;
mod environment;
mod headers;
mod lints;
mod migrations;
mod modules;
mod names;
mod registries;
mod rust;
mod sizes;
mod skills;
mod template;
mod tree;
mod words;

/// Fails with all violations, each of which says what to do.
#[track_caller]
fn expect_none(violations: &[String]) {
    assert!(
        violations.is_empty(),
        "{} violation(s):\n  {}",
        violations.len(),
        violations.join("\n  ")
    );
}

/// Fails unless the sample breaks the rule exactly once per fragment, in this order, each message holding its
/// fragment.
#[track_caller]
fn expect_each(violations: &[String], fragments: &[&str]) {
    assert_eq!(violations.len(), fragments.len(), "{violations:#?}");
    for (violation, fragment) in violations.iter().zip(fragments) {
        assert!(violation.contains(fragment), "{violation} lacks {fragment}");
    }
}
