//! Every SQL dialect has the same migrations, by name: a deployment can be described by one number, and no dialect
//! is left behind.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Tree;
use super::{expect_each, expect_none};

/// Has no migrations of this kind: its schema is in the deployment's template.
const NOT_SQL: &str = "dynamodb";

#[test]
fn dialects_have_equal_migrations() {
    expect_none(&check(&Tree::load()));
}

fn check(tree: &Tree) -> Vec<String> {
    let dialects = dialects(tree);
    if dialects.is_empty() {
        return vec!["migrations/<dialect>/ is missing: the schema begins there".to_owned()];
    }
    let all: BTreeSet<&str> = dialects.values().flatten().copied().collect();
    let mut violations = Vec::new();
    for (dialect, names) in &dialects {
        for missing in all.iter().filter(|name| !names.contains(*name)) {
            violations.push(format!(
                "migrations/{dialect}/{missing}.sql is missing: another dialect has it"
            ));
        }
        violations.extend(repeated_ids(dialect, names));
    }
    violations
}

/// Names without `.sql`, by dialect.
fn dialects(tree: &Tree) -> BTreeMap<&str, Vec<&str>> {
    let mut dialects: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in tree.files.keys() {
        let parts: Vec<&str> = path.split('/').collect();
        if let ["migrations", dialect, file] = parts[..]
            && dialect != NOT_SQL
            && let Some(name) = file.strip_suffix(".sql")
        {
            dialects.entry(dialect).or_default().push(name);
        }
    }
    dialects
}

/// The id is what stands before the first `_`.
fn repeated_ids(dialect: &str, names: &[&str]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names
        .iter()
        .filter(|name| !seen.insert(name.split('_').next()))
        .map(|name| format!("migrations/{dialect}/{name}.sql: its id is taken; use the next one"))
        .collect()
}

#[test]
fn a_missing_or_repeated_migration_is_found() {
    let tree = Tree::of(&[
        ("migrations/README.md", ""),
        ("migrations/dynamodb/table.json", ""),
        ("migrations/postgres/0001_begin.sql", ""),
        ("migrations/sqlite/0001_begin.sql", ""),
        ("migrations/sqlite/0002_more.sql", ""),
    ]);
    expect_each(
        &check(&tree),
        &["migrations/postgres/0002_more.sql is missing"],
    );
    let twice = Tree::of(&[
        ("migrations/sqlite/0001_a.sql", ""),
        ("migrations/sqlite/0001_b.sql", ""),
    ]);
    expect_each(&check(&twice), &["0001_b.sql: its id is taken"]);
    expect_each(
        &check(&Tree::of(&[])),
        &["migrations/<dialect>/ is missing"],
    );
}
