//! Where things are: the clone, the target directory, the cache. Asked of cargo when a command starts and never
//! compiled in, because one target directory may serve several clones.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Prefixes of the variables that configure the program or hold somebody's key; and of those by which cargo tells us which package
/// we are: build scripts look at them, and would compile anew what a cargo without them has built.
const PRIVATE_PREFIXES: [&str; 7] = [
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "COUNTERSIGN_",
    "TELEGRAM_",
    "ANTHROPIC_",
    "OPENAI_",
    "OPENROUTER_",
];

/// The clone that a command works on.
pub struct Project {
    /// The directory of the workspace's Cargo.toml.
    pub root: PathBuf,
    /// Where cargo puts what it builds; may be outside of the clone.
    pub target: PathBuf,
    /// Where we keep what survives a clone, e.g. the Python environment.
    pub cache: PathBuf,
}

impl Project {
    /// Asks cargo. Fails outside of a workspace, or where neither `COUNTERSIGN_CACHE` nor `HOME` is set.
    pub fn find() -> Result<Self> {
        let output = Command::new("cargo")
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .context("cannot start `cargo metadata`")?;
        if !output.status.success() {
            bail!(
                "`cargo metadata` failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let path = |key: &str| {
            metadata[key]
                .as_str()
                .map(PathBuf::from)
                .with_context(|| format!("`cargo metadata` gave no {key}"))
        };
        Ok(Self {
            root: path("workspace_root")?,
            target: path("target_directory")?,
            cache: cache_dir()?,
        })
    }

    /// The program as a debug build leaves it.
    pub fn program(&self) -> PathBuf {
        self.target.join("debug").join("countersign")
    }

    /// A command in the clone's root that sees none of the caller's tokens, keys or settings: a test must never
    /// reach somebody's bot or spend somebody's money.
    pub fn clean_command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        for (name, _) in std::env::vars_os() {
            if is_private(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
        command
    }

    /// The name of a cache entry made from `content`: the same content, the same name.
    pub fn cache_entry(&self, prefix: &str, content: &[&str]) -> PathBuf {
        self.cache.join(format!("{prefix}-{}", short_hash(content)))
    }

    /// Tells clones apart that share a target directory.
    pub fn clone_id(&self) -> String {
        short_hash(&[&self.root.to_string_lossy()])
    }
}

/// Not a digest against forgery, and allowed to change with a toolchain: then what it named is made anew.
fn short_hash(parts: &[&str]) -> String {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        hasher.write(part.as_bytes());
        hasher.write_u8(0);
    }
    format!("{:016x}", hasher.finish())
}

fn is_private(name: &str) -> bool {
    PRIVATE_PREFIXES
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

fn cache_dir() -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os("COUNTERSIGN_CACHE") {
        return Ok(PathBuf::from(dir));
    }
    let home =
        std::env::var_os("HOME").context("HOME is not set: set COUNTERSIGN_CACHE instead")?;
    Ok(Path::new(&home).join(".cache").join("countersign"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> Project {
        Project {
            root: std::env::temp_dir(),
            target: "/t".into(),
            cache: "/c".into(),
        }
    }

    #[test]
    fn a_cache_entry_is_named_by_all_of_its_content() {
        let entry = |content: &[&str]| project().cache_entry("venv", content);
        assert_eq!(entry(&["3.11", "aiogram"]), entry(&["3.11", "aiogram"]));
        assert_ne!(entry(&["3.11", "aiogram"]), entry(&["3.12", "aiogram"]));
        assert_ne!(entry(&["ab", "c"]), entry(&["a", "bc"]));
    }

    #[test]
    fn keys_and_settings_are_private_and_the_path_is_not() {
        for name in [
            "ANTHROPIC_API_KEY",
            "TELEGRAM_BOT_TOKEN",
            "COUNTERSIGN_HOME",
            "CARGO_PKG_NAME",
        ] {
            assert!(is_private(name), "{name}");
        }
        assert!(!is_private("PATH"));
        assert!(!is_private("CARGO_TARGET_DIR"));
    }
}
