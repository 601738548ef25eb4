//! Only `infra/app` reads the environment: what configures the program stands in one place, with its origin and its
//! documentation, and a library behaves the same wherever it runs. (xtask and tests are no part of the program.)

use quote::ToTokens;

use super::rust::{Parsed, product, words};
use super::tree::Tree;
use super::{expect_each, expect_none};

const ALLOWED: [&str; 3] = ["app", "xtask", "tests"];
/// After `env ::`.
const READERS: [&str; 6] = ["var", "var_os", "vars", "vars_os", "set_var", "remove_var"];
/// Functions of others that read it in our place.
const INDIRECT: [&str; 4] = [
    "from_env",
    "from_default_env",
    "try_from_env",
    "try_from_default_env",
];

#[test]
fn only_the_composition_root_reads_the_environment() {
    expect_none(&check(&Tree::load()));
}

fn check(tree: &Tree) -> Vec<String> {
    product(tree)
        .filter(|parsed| {
            let package = tree.package_of(parsed.path);
            package.is_none_or(|package| !ALLOWED.contains(&package.name.as_str()))
        })
        .flat_map(|parsed| readings(&parsed))
        .collect()
}

fn readings(parsed: &Parsed) -> Vec<String> {
    let words = words(parsed.file.to_token_stream());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut found: Vec<String> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let before = &words[at.saturating_sub(3)..at];
        match *word {
            "env" => found.extend(after_env(&words[at + 1..])),
            "option_env" => found.push("option_env!".to_owned()),
            // A call, not a definition of our own.
            name if INDIRECT.contains(&name) && before.ends_with(&[":", ":"]) => {
                found.push(name.to_owned())
            }
            "arg" | "clap"
                if before.ends_with(&["#", "{"]) && in_attribute(&words[at + 1..], "env") =>
            {
                found.push("clap's env".to_owned());
            }
            _ => {}
        }
    }
    found
        .iter()
        .map(|what| {
            format!(
                "{}: {what}: only infra/app reads the environment; take the value as an argument",
                parsed.path
            )
        })
        .collect()
}

/// What follows the word `env`: `::var`, or `::{…, var, …}` in a `use`.
fn after_env(rest: &[&str]) -> Vec<String> {
    let names = match rest {
        [":", ":", "{", inside @ ..] => {
            inside.split(|word| *word == "}").next().unwrap_or_default()
        }
        [":", ":", name, ..] => std::slice::from_ref(name),
        _ => &[],
    };
    names
        .iter()
        .filter(|name| READERS.contains(*name))
        .map(|name| format!("env::{name}"))
        .collect()
}

/// True if the attribute's parentheses, which begin `rest`, hold `name` at their first level.
fn in_attribute(rest: &[&str], name: &str) -> bool {
    let mut depth = 0;
    for word in rest {
        match *word {
            "{" => depth += 1,
            "}" => depth -= 1,
            word if word == name && depth == 1 => return true,
            _ => {}
        }
        if depth <= 0 {
            return false;
        }
    }
    false
}

const SAMPLES: &[(&str, &str)] = &[
    ("a/src/a.rs", "fn f() { std::env::var(\"X\").ok(); }"),
    ("a/src/b.rs", "use std::env::{self, vars_os};"),
    (
        "a/src/c.rs",
        "fn f() { println!(\"{:?}\", env::var_os(\"X\")); }",
    ),
    ("a/src/d.rs", "const X: Option<&str> = option_env!(\"X\");"),
    ("a/src/e.rs", "struct S { #[arg(long, env = \"X\")] x: u8 }"),
    ("a/src/f.rs", "fn f() { let bot = Bot::from_env(); }"),
    (
        "a/src/g.rs",
        "fn f() { std::env::temp_dir(); command.env(\"X\", 1); env!(\"CARGO_PKG_VERSION\"); }",
    ),
    (
        "a/src/h.rs",
        "fn from_env() {} #[cfg(test)] mod t { fn f() { std::env::var(\"X\"); } }",
    ),
];

#[test]
fn a_reading_is_found_also_in_macros_and_attributes() {
    let tree = Tree::of_package("bot", SAMPLES);
    let expected = [
        "env::var:",
        "env::vars_os",
        "env::var_os",
        "option_env!",
        "clap's env",
        "from_env",
    ];
    expect_each(&check(&tree), &expected);
}

#[test]
fn the_composition_root_may() {
    expect_none(&check(&Tree::of_package("app", SAMPLES)));
}
