//! Sizes: a file of at most 400 lines, a function of at most 60, at most 5 arguments besides `self`. Tests apart:
//! a conversation may be long. What grows beyond is several things, and each wants a name of its own.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{FnArg, Signature};

use super::rust::product;
use super::tree::{Tree, is_test_file};
use super::{expect_each, expect_none};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;
const ARGUMENTS: usize = 5;

#[test]
fn files_are_short() {
    expect_none(&check_files(&Tree::load()));
}

#[test]
fn functions_are_short() {
    expect_none(&check_functions(&Tree::load()));
}

fn check_files(tree: &Tree) -> Vec<String> {
    tree.rust()
        .filter(|(path, _)| !is_test_file(path))
        .filter_map(|(path, text)| {
            let lines = lines_before_tests(text);
            (lines > FILE_LINES).then(|| {
                format!("{path} has {lines} lines without its tests, {FILE_LINES} are allowed: split it by what it does")
            })
        })
        .collect()
}

/// The lines before a test module with its code in the file; `mod tests;` alone ends nothing.
fn lines_before_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let tests = lines.windows(2).position(|pair| {
        let module = pair[1].trim_start_matches("pub ").starts_with("mod ");
        pair[0] == "#[cfg(test)]" && module && pair[1].ends_with('{')
    });
    tests.unwrap_or(lines.len())
}

fn check_functions(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for parsed in product(tree) {
        let mut functions = Functions {
            path: parsed.path,
            violations: &mut violations,
        };
        functions.visit_file(&parsed.file);
    }
    violations
}

struct Functions<'a> {
    path: &'a str,
    violations: &'a mut Vec<String>,
}

impl Functions<'_> {
    fn check(&mut self, signature: &Signature, block: Option<&syn::Block>) {
        let (path, name) = (self.path, &signature.ident);
        let first = signature.fn_token.span().start().line;
        if let Some(block) = block {
            let lines = block.brace_token.span.close().end().line + 1 - first;
            if lines > FUNCTION_LINES {
                self.violations.push(format!(
                    "{path}:{first} fn {name} has {lines} lines, {FUNCTION_LINES} are allowed: name its parts"
                ));
            }
        }
        let arguments = signature.inputs.iter();
        let arguments = arguments
            .filter(|input| matches!(input, FnArg::Typed(_)))
            .count();
        if arguments > ARGUMENTS {
            self.violations.push(format!(
                "{path}:{first} fn {name} has {arguments} arguments, {ARGUMENTS} are allowed: make a struct of those that go together"
            ));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.check(&item.sig, Some(&item.block));
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.check(&item.sig, Some(&item.block));
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.check(&item.sig, item.default.as_ref());
        visit::visit_trait_item_fn(self, item);
    }
}

#[test]
fn a_long_file_is_found() {
    let (fits, long) = ("//\n".repeat(FILE_LINES), "//\n".repeat(FILE_LINES + 1));
    let tested = format!("{fits}#[cfg(test)]\nmod tests {{\n{long}}}\n");
    let declared = format!("#[cfg(test)]\nmod tests;\n{long}");
    let tree = Tree::of(&[
        ("a/declared.rs", &declared),
        ("a/fits.rs", &fits),
        ("a/long.rs", &long),
        ("a/tested.rs", &tested),
        ("a/tests.rs", &long),
    ]);
    expect_each(
        &check_files(&tree),
        &["a/declared.rs has 403", "a/long.rs has 401"],
    );
}

#[test]
fn a_long_function_is_found_wherever_it_stands() {
    let function = |lines: usize| format!("fn f() {{\n{}}}", "g();\n".repeat(lines - 2));
    let (fits, long) = (function(FUNCTION_LINES), function(FUNCTION_LINES + 1));
    let tree = Tree::of(&[
        ("a/fits.rs", &fits),
        ("a/free.rs", &long),
        ("a/impl.rs", &format!("impl X {{ {long} }}")),
        ("a/test.rs", &format!("#[cfg(test)] mod t {{ {long} }}")),
        ("a/trait.rs", &format!("trait X {{ {long} }}")),
    ]);
    expect_each(
        &check_functions(&tree),
        &["a/free.rs:1", "a/impl.rs:1", "a/trait.rs:1"],
    );
}

#[test]
fn many_arguments_are_found_and_self_is_not_one() {
    let five = "a: u8, b: u8, c: u8, d: u8, e: u8";
    let tree = Tree::of(&[
        (
            "a/five.rs",
            &format!("impl X {{ fn f(&self, {five}) {{}} }}"),
        ),
        ("a/six.rs", &format!("trait X {{ fn f({five}, f: u8); }}")),
    ]);
    expect_each(
        &check_functions(&tree),
        &["a/six.rs:1 fn f has 6 arguments"],
    );
}
