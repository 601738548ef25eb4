//! The suite itself: no case that is never run, and cases about the index that they think of.

use super::build;
use std::collections::BTreeSet;

const FILES: [&str; 7] = [
    include_str!("records.rs"),
    include_str!("commits.rs"),
    include_str!("journals.rs"),
    include_str!("queries.rs"),
    include_str!("jobs.rs"),
    include_str!("leases.rs"),
    include_str!("counters.rs"),
];

#[test]
fn every_case_is_in_the_list() {
    let written: BTreeSet<&str> = FILES
        .iter()
        .flat_map(|file| file.split("\npub async fn ").skip(1))
        .filter_map(|rest| rest.split('(').next())
        .collect();
    let list = include_str!("mod.rs");
    let listed: BTreeSet<&str> = list
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','))
        .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .collect();
    assert!(written.len() > 40);
    assert_eq!(written, listed);
}

#[test]
fn the_cases_know_their_index() {
    assert!(build::by_name_is_as_the_cases_need());
}
