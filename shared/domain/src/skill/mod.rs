//! Skills, by the open SKILL.md standard: a folder with instructions for an agent, and with the files and scripts that go with them.
//!
//! A folder is read here without looking at the world ([`Package::read`]): its paths and sizes, the front matter of `SKILL.md`, what its
//! scripts declare. [`scan`] looks for what a person should know before they agree to it. What they agreed to is a
//! [`Skill`] record, pinned by the digest of all of its files.

mod front;
mod record;
mod scan;
mod schema;
mod script;

#[cfg(test)]
mod tests;

pub use front::Front;
pub use record::{Edition, FileRef, Skill, SkillRef, SkillStatus, Used, counter, used};
pub use scan::{Finding, Severity, scan};
pub use schema::{check_schema, check_value};
pub use script::{Declared, Language, Script};

use crate::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Files of a skill. The record names each of them, and has to fit into 32 KiB.
pub const FILES: usize = 100;
/// Bytes of one file, and of all of them.
pub const FILE_BYTES: usize = 512 * 1024;
pub const BYTES: usize = 2 * 1024 * 1024;
/// Bytes of a path within the skill.
const PATH: usize = 120;
/// The tools by which an agent uses its skills.
pub const USE_SKILL: &str = "use_skill";
pub const RUN_SKILL_SCRIPT: &str = "run_skill_script";
/// The file that makes a folder a skill.
pub const MANIFEST: &str = "SKILL.md";

/// Files by their path within the folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Why a folder is no skill; sentences for people.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum BadSkill {
    #[error("there is no SKILL.md in it")]
    NoManifest,
    #[error(
        "SKILL.md must begin with front matter: a line `---`, `name:` and `description:`, a line `---`"
    )]
    NoFrontMatter,
    #[error("the front matter of SKILL.md can't be read: {0}")]
    FrontMatter(String),
    #[error("it has {count} files; a skill has {FILES} at most")]
    TooManyFiles { count: usize },
    #[error("“{path}” has {bytes} bytes; a file of a skill has {FILE_BYTES} at most")]
    FileTooLarge { path: String, bytes: usize },
    #[error("it has {bytes} bytes; a skill has {BYTES} at most")]
    TooLarge { bytes: usize },
    #[error("the path “{path}” {why}")]
    Path { path: String, why: &'static str },
    #[error("two files have the path “{0}”")]
    Twice(String),
    #[error("the declaration of {0}")]
    Script(String),
    #[error("SKILL.md names “../” or an absolute path as a file of its own: “{0}”")]
    LeadsOut(String),
}

/// What a skill has besides its text.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Text alone.
    Prompt,
    /// Scripts, which run in the sandbox.
    Code,
    /// Text about tools of servers, which it names.
    Mcp,
}

/// A folder that is a skill.
#[derive(Clone, PartialEq, Debug)]
pub struct Package {
    pub front: Front,
    /// SKILL.md after its front matter.
    pub body: String,
    pub scripts: BTreeMap<String, Script>,
    pub files: Files,
    /// Of every path and every byte.
    pub digest: Digest,
}

impl Package {
    /// Reads a folder's files.
    ///
    /// # Errors
    /// [`BadSkill`].
    pub fn read(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, BadSkill> {
        let files = checked(files)?;
        let text = files.get(MANIFEST).ok_or(BadSkill::NoManifest)?;
        let text = std::str::from_utf8(text)
            .map_err(|_| BadSkill::FrontMatter("it is no UTF-8 text".to_owned()))?;
        let (front, body) = front::read(text)?;
        stays_inside(body)?;
        let scripts = script::all(&files)?;
        let digest = digest(&files);
        Ok(Self {
            front,
            body: body.trim().to_owned(),
            scripts,
            files,
            digest,
        })
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        if !self.front.servers().is_empty() {
            Kind::Mcp
        } else if self.scripts.is_empty() {
            Kind::Prompt
        } else {
            Kind::Code
        }
    }

    /// A text file of it.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.files.get(path)?).ok()
    }
}

/// Of files: each path with the digest of its bytes, so that it can be told from a record as well.
#[must_use]
pub fn digest(files: &Files) -> Digest {
    let named = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), Digest::of_bytes(bytes)));
    of_named(named)
}

fn of_named<'a>(named: impl Iterator<Item = (&'a str, Digest)>) -> Digest {
    let lines: Vec<String> = named
        .map(|(path, digest)| format!("{} {path}\n", digest.as_str()))
        .collect();
    Digest::of_bytes(lines.concat())
}

fn checked(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Files, BadSkill> {
    let (mut all, mut bytes) = (Files::new(), 0);
    for (path, content) in files {
        check_path(&path)?;
        if content.len() > FILE_BYTES {
            let bytes = content.len();
            return Err(BadSkill::FileTooLarge { path, bytes });
        }
        bytes += content.len();
        if bytes > BYTES {
            return Err(BadSkill::TooLarge { bytes });
        }
        if all.contains_key(&path) {
            return Err(BadSkill::Twice(path));
        }
        all.insert(path, content);
        if all.len() > FILES {
            return Err(BadSkill::TooManyFiles { count: all.len() });
        }
    }
    Ok(all)
}

/// Whether a path may be one of a skill's: no way out of the folder, and nothing that a shell would read as more than a word.
///
/// # Errors
/// [`BadSkill::Path`].
pub fn check_path(path: &str) -> Result<(), BadSkill> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let parts = || path.split('/');
    let why = if path.len() > PATH {
        "is too long"
    } else if path.starts_with('/') || path.contains('\\') || parts().any(|part| part == "..") {
        "leads out of the skill’s folder"
    } else if path.is_empty() || parts().any(|part| part.is_empty() || part == ".") {
        "is no path of a file"
    } else if !path.chars().all(plain) || parts().any(|part| part.starts_with('-')) {
        "has other characters than letters, digits, “.”, “_” and “-”, or a part that begins with “-”"
    } else {
        return Ok(());
    };
    let path = crate::content::prefix(path, PATH).to_owned();
    Err(BadSkill::Path { path, why })
}

/// Links and paths in backticks that lead out of the folder.
fn stays_inside(body: &str) -> Result<(), BadSkill> {
    let links = body
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next());
    for target in links {
        let leads_out = target.starts_with('/')
            || target.starts_with("file:")
            || target.split('/').any(|part| part == "..");
        if leads_out {
            let target = crate::content::prefix(target, PATH).to_owned();
            return Err(BadSkill::LeadsOut(target));
        }
    }
    Ok(())
}
