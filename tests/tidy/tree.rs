//! What the rules read: the files that git tracks or would track, and cargo's view of the packages. Samples are
//! made in memory with [`Tree::of`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The files of a clone by path relative to its root, with `/`. What is not UTF-8 has no text.
pub struct Tree {
    pub files: BTreeMap<String, Option<String>>,
    pub packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Clone, Default)]
pub struct Package {
    pub name: String,
    /// Relative to the root, without a slash at the end.
    pub dir: String,
    /// The files that targets start from (lib.rs, main.rs, build.rs, …), relative to the root.
    pub roots: Vec<String>,
    pub dependencies: Vec<Dependency>,
}

#[derive(Clone)]
pub struct Dependency {
    pub name: String,
    pub dev: bool,
}

impl Tree {
    /// The tree that this test was built from.
    pub fn load() -> Self {
        let root = root();
        let files = tracked(&root).unwrap_or_else(|| walked(&root));
        let files = files
            .into_iter()
            .filter_map(|path| {
                let bytes = std::fs::read(root.join(&path)).ok()?;
                Some((path, String::from_utf8(bytes).ok()))
            })
            .collect();
        let packages = packages(&root);
        Self { files, packages }
    }

    /// A sample: paths and texts.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned())))
            .collect();
        Self {
            files,
            packages: Vec::new(),
        }
    }

    /// A sample with one package in the folder `a`, begun at `a/src/lib.rs`.
    pub fn of_package(name: &str, files: &[(&str, &str)]) -> Self {
        let package = Package {
            name: name.to_owned(),
            dir: "a".to_owned(),
            roots: vec!["a/src/lib.rs".to_owned()],
            ..Package::default()
        };
        Self {
            packages: vec![package],
            ..Self::of(files)
        }
    }

    /// Files with text.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// Rust files, tests among them.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// The package that a file belongs to: the one with the deepest folder above it.
    pub fn package_of(&self, path: &str) -> Option<&Package> {
        self.packages
            .iter()
            .filter(|package| path.starts_with(&format!("{}/", package.dir)))
            .max_by_key(|package| package.dir.len())
    }

    /// True for a file, and for a folder that holds one.
    pub fn exists(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        self.files.contains_key(path) || self.files.keys().any(|file| file.starts_with(&folder))
    }
}

/// True for code that is only built for tests: a file `tests.rs`, anything in a folder `tests`.
pub fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.split('/').rev().skip(1).any(|part| part == "tests")
}

/// Read when the test runs, not compiled in: one target directory may serve several clones.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    Path::new(&package)
        .parent()
        .expect("tests/ is in the clone")
        .to_owned()
}

/// Tracked and new files, without the ignored. None outside of a git clone, e.g. in an unpacked archive.
fn tracked(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let paths = String::from_utf8(output.stdout).ok()?;
    Some(paths.split_terminator('\0').map(str::to_owned).collect())
}

fn walked(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the clone is readable") {
            let path = entry.expect("an entry is readable").path();
            let relative = path.strip_prefix(root).expect("below the root");
            let relative = relative.to_str().expect("a path is UTF-8").to_owned();
            if path.is_symlink() || ["target", ".git"].contains(&relative.as_str()) {
                continue;
            }
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(relative),
            }
        }
    }
    found
}

fn packages(root: &Path) -> Vec<Package> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root)
        .output()
        .expect("cargo starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {error}");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    // As cargo sees it, which may differ from ours by a symbolic link.
    let root = text(&metadata["workspace_root"]).to_owned();
    let list = metadata["packages"].as_array().expect("packages");
    list.iter().map(|value| package(value, &root)).collect()
}

fn package(value: &Value, root: &str) -> Package {
    let relative = |path: &Value| {
        let path = text(path).strip_prefix(root).expect("below the root");
        path.trim_start_matches('/').to_owned()
    };
    let manifest = relative(&value["manifest_path"]);
    let targets = value["targets"].as_array().expect("targets");
    let dependencies = value["dependencies"].as_array().expect("dependencies");
    Package {
        name: text(&value["name"]).to_owned(),
        dir: manifest.trim_end_matches("/Cargo.toml").to_owned(),
        roots: targets
            .iter()
            .map(|target| relative(&target["src_path"]))
            .collect(),
        dependencies: dependencies
            .iter()
            .map(|dependency| Dependency {
                name: text(&dependency["name"]).to_owned(),
                dev: dependency["kind"] == "dev",
            })
            .collect(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

#[test]
fn this_tree_is_found() {
    let tree = Tree::load();
    assert!(tree.files.contains_key("Cargo.toml"));
    assert!(tree.exists("tests/tidy"));
    assert!(!tree.exists("tests/tid"));
    let tests = tree.package_of("tests/tidy/tree.rs").expect("a package");
    assert_eq!(
        (tests.name.as_str(), tests.dir.as_str()),
        ("tests", "tests")
    );
    assert!(tests.roots.contains(&"tests/main.rs".to_owned()));
    assert!(
        tests
            .dependencies
            .iter()
            .any(|dependency| dependency.name == "domain")
    );
}

#[test]
fn walking_finds_what_git_tracks() {
    let root = root();
    let walked = walked(&root);
    for path in tracked(&root).unwrap_or_default() {
        let there = root.join(&path).symlink_metadata();
        if there.is_ok_and(|file| file.is_file()) {
            assert!(walked.contains(&path), "{path}");
        }
    }
}

#[test]
fn test_files_are_told_from_others() {
    for path in ["a/src/x/tests.rs", "a/src/tests/x.rs", "tests/lib.rs"] {
        assert!(is_test_file(path), "{path}");
    }
    for path in [
        "a/src/contests.rs",
        "shared/testkit/src/lib.rs",
        "a/src/test.rs",
    ] {
        assert!(!is_test_file(path), "{path}");
    }
}
