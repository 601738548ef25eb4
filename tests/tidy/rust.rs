//! Rust as the rules see it: parsed files without their test code, and tokens as plain words.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Item};

use super::tree::{Tree, is_test_file};

/// A file that could be parsed, with everything under `#[cfg(test)]` and `#[test]` taken out.
pub struct Parsed<'a> {
    pub path: &'a str,
    pub file: syn::File,
}

/// All Rust files that are not tests, without their test code. A file that doesn't parse is left to the compiler.
pub fn product<'a>(tree: &'a Tree) -> impl Iterator<Item = Parsed<'a>> {
    tree.rust()
        .filter(|(path, _)| !is_test_file(path))
        .filter_map(|(path, text)| {
            let mut file = syn::parse_file(text).ok()?;
            strip_tests(&mut file.items);
            Some(Parsed { path, file })
        })
}

fn strip_tests(items: &mut Vec<Item>) {
    items.retain(|item| !attributes(item).iter().any(is_test_only));
    for item in items {
        if let Item::Mod(module) = item
            && let Some((_, items)) = &mut module.content
        {
            strip_tests(items);
        }
    }
}

/// `#[cfg(test)]`, `#[test]`, `#[tokio::test]`.
fn is_test_only(attribute: &Attribute) -> bool {
    let path = attribute.path();
    if path.is_ident("cfg") {
        return attribute
            .meta
            .require_list()
            .is_ok_and(|list| words(list.tokens.clone()) == ["test"]);
    }
    path.segments
        .last()
        .is_some_and(|segment| segment.ident == "test")
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The tokens one after another, groups opened: also what stands inside of a macro's braces, which a parser of
/// items never sees.
pub fn words(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                found.push("{".to_owned());
                found.extend(words(group.stream()));
                found.push("}".to_owned());
            }
            other => found.push(other.to_string()),
        }
    }
    found
}

#[test]
fn test_code_is_taken_out() {
    let tree = Tree::of(&[
        (
            "a/src/x.rs",
            "fn kept() {} #[cfg(test)] mod tests { fn gone() {} } #[tokio::test] async fn gone() {}
             mod inner { fn kept() {} #[cfg(test)] fn gone() {} } #[cfg(unix)] fn kept() {}",
        ),
        ("a/src/tests.rs", "fn gone() {}"),
    ]);
    let parsed: Vec<_> = product(&tree).collect();
    assert_eq!(parsed.len(), 1);
    let words = words(quote::ToTokens::to_token_stream(&parsed[0].file));
    assert_eq!(words.iter().filter(|word| *word == "kept").count(), 3);
    assert!(!words.contains(&"gone".to_owned()));
}
