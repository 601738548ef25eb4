//! The direction of crates, as DESIGN's layout has it, and which crate may name which vendor. What a crate can't
//! name it can't depend on by accident, and the everyday loop builds only what it needs.

use super::expect_each;
use super::expect_none;
use super::tree::{Dependency, Package, Tree};

/// What a crate may see of the workspace: in its code, and in its tests besides.
struct Sight {
    code: &'static [&'static str],
    tests: &'static [&'static str],
}

/// Crates that may see everything, because they put the parts together.
const COMPOSERS: [&str; 3] = ["app", "tests", "xtask"];
/// The only ones that may see the composition root.
const ABOVE_APP: [&str; 3] = ["lambda", "tests", "xtask"];
/// Rules that hold for `shared/`: no runtime, no network, no database.
const WITHOUT_IO: [&str; 2] = ["domain", "ports"];
const IO: [&str; 7] = [
    "tokio",
    "tokio-util",
    "reqwest",
    "hyper",
    "axum",
    "sqlx",
    "rusqlite",
];

/// A vendor's crates by prefix, and who may name them. xtask compares us with peers, tests with the outside.
const VENDORS: [(&str, &[&str]); 5] = [
    ("teloxide", &["bot", "xtask", "tests"]),
    ("rmcp", &["mcp-rmcp"]),
    ("tantivy", &["search-tantivy"]),
    ("sqlx", &["store-sqlite", "store-postgres", "xtask"]),
    ("figment", &["app"]),
];
/// Adapters of AWS services, and the functions.
const AWS_CRATES: [&str; 7] = [
    "client-aws",
    "store-dynamodb",
    "queue-sqs",
    "blob-s3",
    "secrets-aws",
    "lambda",
    "xtask",
];
const AWS_PREFIXES: [&str; 3] = ["aws-", "aws_", "lambda_"];

#[test]
fn crates_see_only_what_they_may() {
    expect_none(&check_direction(&Tree::load()));
}

#[test]
fn vendors_are_named_only_where_they_belong() {
    expect_none(&check_vendors(&Tree::load()));
}

fn sight(package: &Package) -> Sight {
    let (code, tests): (&[&str], &[&str]) = match package.name.as_str() {
        "domain" => (&[], &[]),
        "ports" | "catalog" => (&["domain"], &[]),
        "testkit" => (&["domain", "ports"], &[]),
        "handlers" => (&["ports", "domain", "catalog"], &["testkit"]),
        "bot" => (&["handlers", "ports", "domain"], &["testkit"]),
        // The two tiers share how a process is started, watched and ended; neither sees the other.
        "sandbox-bwrap" | "sandbox-landlock" => {
            (&["ports", "domain", "sandbox-process"], &["testkit"])
        }
        // All clients of a process share connections, region and credentials.
        "store-dynamodb" | "queue-sqs" | "blob-s3" | "secrets-aws" => {
            (&["ports", "domain", "client-aws"], &["testkit"])
        }
        // An adapter: its port and what its port speaks of.
        _ => (&["ports", "domain"], &["testkit"]),
    };
    Sight { code, tests }
}

fn check_direction(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    let members: Vec<&str> = tree
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    for package in &tree.packages {
        let name = package.name.as_str();
        let inside = package
            .dependencies
            .iter()
            .filter(|dependency| members.contains(&dependency.name.as_str()));
        for dependency in inside {
            if !may_see(package, dependency) {
                violations.push(format!(
                    "{name} must not depend on {}: move the code to where DESIGN's layout has it, or put a port between",
                    dependency.name
                ));
            }
        }
        violations.extend(without_io(package));
    }
    violations
}

fn may_see(package: &Package, dependency: &Dependency) -> bool {
    let (from, to) = (package.name.as_str(), dependency.name.as_str());
    // A crate's tests name the crate itself to switch on a feature for them.
    if to == from && dependency.dev {
        return true;
    }
    if to == "app" {
        return ABOVE_APP.contains(&from);
    }
    // The functions' own binaries are tested with the tests' servers.
    if to == "tests" && from == "lambda" {
        return dependency.dev;
    }
    if to == "xtask" || to == "tests" {
        return from == "xtask";
    }
    if COMPOSERS.contains(&from) || from == "lambda" {
        return true;
    }
    let sight = sight(package);
    sight.code.contains(&to) || dependency.dev && sight.tests.contains(&to)
}

fn without_io(package: &Package) -> Vec<String> {
    let applies = WITHOUT_IO.contains(&package.name.as_str());
    package
        .dependencies
        .iter()
        .filter(|dependency| applies && !dependency.dev && IO.contains(&dependency.name.as_str()))
        .map(|dependency| {
            format!(
                "{} must not depend on {}: it is true without a computer; do this in an adapter",
                package.name, dependency.name
            )
        })
        .collect()
}

fn check_vendors(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for package in &tree.packages {
        for dependency in &package.dependencies {
            let Some(allowed) = allowed_for(&dependency.name) else {
                continue;
            };
            if !allowed.contains(&package.name.as_str()) {
                violations.push(format!(
                    "{} must not name {}: only {} may; go through a port",
                    package.name,
                    dependency.name,
                    allowed.join(", ")
                ));
            }
        }
    }
    violations
}

fn allowed_for(dependency: &str) -> Option<&'static [&'static str]> {
    if AWS_PREFIXES
        .iter()
        .any(|prefix| dependency.starts_with(prefix))
    {
        return Some(&AWS_CRATES);
    }
    VENDORS
        .iter()
        .find(|(vendor, _)| dependency == *vendor || dependency.starts_with(&format!("{vendor}-")))
        .map(|(_, allowed)| *allowed)
}

fn sample(package: &str, dependencies: &[(&str, bool)]) -> Tree {
    let member = |name: &str| Package {
        name: name.to_owned(),
        ..Package::default()
    };
    let mut tree = Tree::of(&[]);
    tree.packages = [
        "domain",
        "ports",
        "testkit",
        "handlers",
        "app",
        "store-sqlite",
    ]
    .iter()
    .filter(|name| **name != package)
    .map(|name| member(name))
    .collect();
    tree.packages.push(Package {
        dependencies: dependencies
            .iter()
            .map(|(name, dev)| Dependency {
                name: (*name).to_owned(),
                dev: *dev,
            })
            .collect(),
        ..member(package)
    });
    tree
}

#[test]
fn a_wrong_direction_is_found() {
    let broken = |package, dependencies| check_direction(&sample(package, dependencies));
    expect_each(
        &broken("domain", &[("ports", false)]),
        &["domain must not depend on ports"],
    );
    expect_each(
        &broken("handlers", &[("store-sqlite", true)]),
        &["on store-sqlite"],
    );
    expect_each(&broken("handlers", &[("testkit", false)]), &["on testkit"]);
    expect_each(
        &broken("blob-fs", &[("store-sqlite", false)]),
        &["on store-sqlite"],
    );
    expect_each(&broken("blob-fs", &[("handlers", true)]), &["on handlers"]);
    expect_each(&broken("bot", &[("app", false)]), &["on app"]);
    expect_each(
        &broken("ports", &[("tokio", false)]),
        &["ports must not depend on tokio"],
    );
}

#[test]
fn a_right_direction_is_allowed() {
    let kept =
        |package, dependencies| expect_none(&check_direction(&sample(package, dependencies)));
    kept(
        "handlers",
        &[("ports", false), ("testkit", true), ("tokio", false)],
    );
    kept("tests", &[("app", false), ("store-sqlite", false)]);
    kept("ports", &[("domain", false), ("tokio", true)]);
}

#[test]
fn a_vendor_out_of_place_is_found() {
    let broken = |package, name| check_vendors(&sample(package, &[(name, false)]));
    expect_each(
        &broken("handlers", "teloxide"),
        &["only bot, xtask, tests may"],
    );
    expect_each(&broken("app", "sqlx"), &["app must not name sqlx"]);
    expect_each(&broken("bot", "teloxide-core"), &[]);
    expect_each(
        &broken("app", "aws-sdk-s3"),
        &["app must not name aws-sdk-s3"],
    );
    expect_each(&broken("blob-s3", "aws-sdk-s3"), &[]);
    expect_each(&broken("handlers", "serde"), &[]);
}
