//! The words that the program writes into records and reads again: names of fields, of the cases of an enum, and constants. No
//! secret may stand in one, because with a placeholder in its place the record could not be read; `secrets set` and a start refuse
//! such a value by the list in `infra/app/src/redacted/words.txt`, which has to name them all.

use syn::{
    Attribute, Expr, ExprLit, Fields, Ident, Lit, Meta,
    ext::IdentExt,
    visit::{self, Visit},
};

use super::rust::{product, words};
use super::tree::Tree;
use super::{expect_each, expect_none};
use std::collections::BTreeSet;

const LIST: &str = "infra/app/src/redacted/words.txt";
/// What is kept or read again is declared here.
const PLACES: [&str; 4] = [
    "shared/domain/",
    "shared/ports/",
    "handlers/src/",
    "bot/src/",
];
/// `domain::redact::SHORTEST`: what is shorter is not redacted.
const SHORTEST: usize = 8;

#[test]
fn every_word_of_a_record_is_refused_as_a_secret() {
    expect_none(&check(&Tree::load()));
}

fn check(tree: &Tree) -> Vec<String> {
    let mut needed = Words::default();
    for parsed in product(tree).filter(|parsed| is_place(parsed.path)) {
        needed.visit_file(&parsed.file);
    }
    let list = tree.texts().find(|(path, _)| *path == LIST);
    let listed: BTreeSet<&str> = list.map_or("", |(_, text)| text).lines().collect();
    needed
        .0
        .iter()
        .filter(|word| !listed.contains(word.as_str()))
        .map(|word| format!("{LIST} lacks {word}: add it as a line"))
        .collect()
}

fn is_place(path: &str) -> bool {
    PLACES.iter().any(|place| path.starts_with(place))
}

#[derive(Default)]
struct Words(BTreeSet<String>);

impl Words {
    fn add(&mut self, word: &str) {
        let plain = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | ':');
        if word.len() >= SHORTEST && word.chars().all(plain) {
            self.0.insert(word.to_owned());
        }
    }

    fn fields(&mut self, fields: &Fields) {
        for ident in fields.iter().filter_map(|field| field.ident.as_ref()) {
            self.add(&ident.unraw().to_string());
        }
    }
}

impl<'ast> Visit<'ast> for Words {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if is_serialised(&item.attrs) {
            self.fields(&item.fields);
        }
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        if is_serialised(&item.attrs) {
            for variant in &item.variants {
                self.fields(&variant.fields);
                self.add(&snake_case(&variant.ident));
            }
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.visit_expr(&item.expr);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.visit_expr(&item.expr);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.visit_expr(&item.expr);
    }

    /// Of constants alone: a function's words are not visited.
    fn visit_expr(&mut self, expr: &'ast Expr) {
        if let Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) = expr
        {
            self.add(&text.value());
        }
        visit::visit_expr(self, expr);
    }

    fn visit_block(&mut self, _: &'ast syn::Block) {}
}

fn is_serialised(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("derive") => words(list.tokens.clone())
            .iter()
            .any(|word| matches!(word.as_str(), "Serialize" | "Deserialize")),
        _ => false,
    })
}

fn snake_case(ident: &Ident) -> String {
    let mut word = String::new();
    for c in ident.to_string().chars() {
        if c.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

#[test]
fn a_word_that_is_not_listed_is_found() {
    let code =
        "#[derive(Debug, Serialize)] struct Kept { short: u8, r#something: u8, listed_one: u8 }
        #[derive(serde::Deserialize)] enum Case { TimedOut { remaining: u8 }, Done }
        struct NotKept { whatever: u8 }
        const NAME: &str = \"circulate\"; static TABLE: Table = Table { name: \"sent_messages\" };
        fn f() { let text = \"not looked at\"; let word = \"nothingatall\"; }";
    let tree = Tree::of(&[
        ("shared/domain/src/kept.rs", code),
        ("infra/blob-fs/src/lib.rs", code),
        (LIST, "listed_one\n"),
    ]);
    let missing = [
        "lacks circulate",
        "lacks remaining",
        "lacks sent_messages",
        "lacks something",
        "lacks timed_out",
    ];
    expect_each(&check(&tree), &missing);
}
