//! Names that say nothing: a type that ends in Manager, Helper, Util or Data, a module or crate called util, common,
//! core, helpers or misc. Each is where unrelated things gather. Say what it does instead.

use syn::Ident;
use syn::visit::{self, Visit};

use super::tree::Tree;
use super::{expect_each, expect_none};

const TYPE_ENDINGS: [&str; 6] = ["Manager", "Helper", "Helpers", "Util", "Utils", "Data"];
const PLACES: [&str; 7] = [
    "util", "utils", "common", "core", "helper", "helpers", "misc",
];

#[test]
fn names_say_something() {
    let tree = Tree::load();
    let mut violations = check_types(&tree);
    violations.extend(check_places(&tree));
    expect_none(&violations);
}

fn check_types(tree: &Tree) -> Vec<String> {
    let mut types = Types::default();
    for (path, text) in tree.rust() {
        types.path = path.to_owned();
        if let Ok(file) = syn::parse_file(text) {
            types.visit_file(&file);
        }
    }
    types.violations
}

#[derive(Default)]
struct Types {
    path: String,
    violations: Vec<String>,
}

impl Types {
    fn check(&mut self, ident: &Ident) {
        let (name, path) = (ident.to_string(), &self.path);
        let line = ident.span().start().line;
        if let Some(ending) = TYPE_ENDINGS.iter().find(|ending| name.ends_with(*ending)) {
            self.violations.push(format!(
                "{path}:{line} type {name}: *{ending} says nothing; name what it is or does"
            ));
        }
    }
}

impl<'ast> Visit<'ast> for Types {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.check(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.check(&item.ident);
    }

    fn visit_item_union(&mut self, item: &'ast syn::ItemUnion) {
        self.check(&item.ident);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.check(&item.ident);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.check(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // With its code in the file; a file or folder is found by its path.
        if item.content.is_some() && PLACES.contains(&item.ident.to_string().as_str()) {
            let (path, name) = (&self.path, &item.ident);
            self.violations
                .push(format!("{path}: mod {name} says nothing"));
        }
        visit::visit_item_mod(self, item);
    }
}

/// Files, folders and crates.
fn check_places(tree: &Tree) -> Vec<String> {
    let files = tree
        .rust()
        .filter(|(path, _)| path.trim_end_matches(".rs").split('/').any(is_place))
        .map(|(path, _)| {
            format!("{path}: a place of this name gathers anything; name it for what is in it")
        });
    let crates = tree
        .packages
        .iter()
        .filter(|package| package.name.split(['-', '_']).any(is_place))
        .map(|package| {
            format!(
                "crate {}: gathers anything; name it for what it does",
                package.name
            )
        });
    files.chain(crates).collect()
}

fn is_place(part: &str) -> bool {
    PLACES.contains(&part)
}

#[test]
fn an_empty_name_is_found() {
    let tree = Tree::of(&[
        (
            "a/src/x.rs",
            "struct RunManager; enum RunData {} struct Database; trait FooUtils {}",
        ),
        ("a/src/y.rs", "mod util { type Helper = u8; } mod core;"),
    ]);
    expect_each(
        &check_types(&tree),
        &[
            "RunManager",
            "RunData",
            "FooUtils",
            "mod util",
            "type Helper",
        ],
    );
}

#[test]
fn an_empty_place_is_found() {
    let tree = Tree::of_package(
        "our-common",
        &[
            ("a/common/x.rs", ""),
            ("a/src/coreutils.rs", ""),
            ("a/src/util.rs", ""),
        ],
    );
    expect_each(
        &check_places(&tree),
        &["a/common/x.rs", "a/src/util.rs", "our-common"],
    );
}
