//! No file names a package registry's address: where packages come from is the machine's configuration (a mirror, a
//! proxy, no network at all), never ours.

use super::tree::Tree;
use super::{expect_each, expect_none};

/// In two parts each, so that this file does not name one.
const HOSTS: [(&str, &str); 14] = [
    ("crates", ".io"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("npmjs", ".org"),
    ("npmjs", ".com"),
    ("yarnpkg", ".com"),
    ("rubygems", ".org"),
    ("packagist", ".org"),
    ("nuget", ".org"),
    ("proxy.golang", ".org"),
    ("repo.maven.apache", ".org"),
    ("deb.debian", ".org"),
    ("docker", ".io"),
    ("ghcr", ".io"),
];

#[test]
fn no_registry_is_named() {
    expect_none(&check(&Tree::load()));
}

fn check(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in tree.texts() {
        for (number, line) in text.lines().enumerate() {
            // Written by cargo, and a name rather than an address.
            if path.ends_with("Cargo.lock") && line.starts_with("source = ") {
                continue;
            }
            for host in hosts(line).filter(|host| is_registry(host)) {
                let line = number + 1;
                violations.push(format!(
                    "{path}:{line} names {host}: leave it to the machine's configuration"
                ));
            }
        }
    }
    violations
}

/// The hosts of all addresses in a line.
fn hosts(line: &str) -> impl Iterator<Item = String> {
    let addresses = line.match_indices("://").filter_map(|(at, mark)| {
        let scheme = &line[..at];
        let web = scheme.ends_with("http") || scheme.ends_with("https");
        web.then(|| &line[at + mark.len()..])
    });
    addresses.map(|rest| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "-._~@:%".contains(c)));
        let authority = &rest[..end.unwrap_or(rest.len())];
        let host = authority.rsplit('@').next().unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default();
        host.trim_end_matches('.').to_lowercase()
    })
}

fn is_registry(host: &str) -> bool {
    HOSTS.iter().any(|(name, end)| {
        let registry = format!("{name}{end}");
        host == registry || host.ends_with(&format!(".{registry}"))
    })
}

#[test]
fn an_address_is_found_and_a_name_is_not() {
    let sample =
        |(name, end): (&str, &str)| format!("see https://index.{name}{end}:443/x, and HTTP");
    let samples = HOSTS.map(sample);
    let files: Vec<(&str, &str)> = samples.iter().map(|text| ("a.md", text.as_str())).collect();
    for file in files {
        expect_each(&check(&Tree::of(&[file])), &["a.md:1 names index."]);
    }
    let (name, end) = HOSTS[0];
    let fine = format!(
        "licence of {name}{end} packages; https://my{name}{end} https://example.org/{name}{end}"
    );
    expect_none(&check(&Tree::of(&[("a.md", &fine)])));
    let lock = format!("source = \"registry+https://{name}{end}\"");
    expect_none(&check(&Tree::of(&[("Cargo.lock", &lock)])));
    expect_each(&check(&Tree::of(&[("b.lock", &lock)])), &["b.lock:1"]);
}
