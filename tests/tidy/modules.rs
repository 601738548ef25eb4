//! No forgotten file: every Rust file of a crate is a module of one of its targets. One that isn't is never
//! compiled, and its tests never run, without anybody being told.

use std::collections::BTreeSet;

use syn::{Expr, Item, ItemMod, Lit, Meta};

use super::tree::Tree;
use super::{expect_each, expect_none};

#[test]
fn no_file_is_forgotten() {
    expect_none(&check(&Tree::load()));
}

fn check(tree: &Tree) -> Vec<String> {
    let mut reached = BTreeSet::new();
    for root in tree.packages.iter().flat_map(|package| &package.roots) {
        // A root's modules lie beside it, whatever its name.
        visit(tree, root, parent(root), &mut reached);
    }
    tree.rust()
        .filter(|(path, _)| !reached.contains(*path))
        .map(|(path, _)| match tree.package_of(path) {
            Some(package) => format!(
                "{path}: no target of {} has it as a module: add its `mod` line in the parent, or delete it",
                package.name
            ),
            None => format!("{path}: belongs to no crate"),
        })
        .collect()
}

/// Follows the `mod` lines of one file, whose modules lie in `folder`.
fn visit(tree: &Tree, path: &str, folder: &str, reached: &mut BTreeSet<String>) {
    let Some(Some(text)) = tree.files.get(path) else {
        return;
    };
    if !reached.insert(path.to_owned()) {
        return;
    }
    if let Ok(file) = syn::parse_file(text) {
        follow(tree, &file.items, parent(path), folder, reached);
    }
}

fn follow(tree: &Tree, items: &[Item], beside: &str, folder: &str, reached: &mut BTreeSet<String>) {
    for item in items {
        let Item::Mod(module) = item else { continue };
        let inner = format!("{folder}/{}", module.ident);
        match (&module.content, explicit_path(module)) {
            (Some((_, items)), _) => follow(tree, items, beside, &inner, reached),
            (None, Some(path)) => {
                let path = format!("{beside}/{path}");
                visit(tree, &path, parent(&path), reached);
            }
            (None, None) => {
                visit(tree, &format!("{inner}.rs"), &inner, reached);
                visit(tree, &format!("{inner}/mod.rs"), &inner, reached);
            }
        }
    }
}

/// `#[path = "…"]`
fn explicit_path(module: &ItemMod) -> Option<String> {
    module.attrs.iter().find_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        match &pair.value {
            Expr::Lit(literal) if pair.path.is_ident("path") => match &literal.lit {
                Lit::Str(path) => Some(path.value()),
                _ => None,
            },
            _ => None,
        }
    })
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[test]
fn a_forgotten_file_is_found() {
    let tree = Tree::of_package(
        "a",
        &[
            ("a/src/forgotten.rs", ""),
            (
                "a/src/lib.rs",
                "mod x; pub mod y; #[cfg(test)] mod tests; mod inline { mod z; } // mod forgotten;",
            ),
            ("a/src/inline/z.rs", ""),
            ("a/src/tests.rs", ""),
            (
                "a/src/x.rs",
                "mod deep; #[path = \"elsewhere.rs\"] mod named;",
            ),
            ("a/src/x/deep.rs", ""),
            ("a/src/elsewhere.rs", ""),
            ("a/src/y/mod.rs", ""),
            ("a/src/y/z.rs", ""),
            ("b/src/lib.rs", ""),
        ],
    );
    expect_each(
        &check(&tree),
        &[
            "a/src/forgotten.rs",
            "a/src/y/z.rs",
            "b/src/lib.rs: belongs to no crate",
        ],
    );
}
