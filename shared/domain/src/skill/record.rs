//! A skill that the team has: what people agreed to, pinned by its digest.

use super::{Finding, Kind, Package, RUN_SKILL_SCRIPT, USE_SKILL, of_named};
use crate::{Digest, Micros, id::MemberId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The record. Its files are blobs; of the built-in ones there is none, they are in the program.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Skill {
    /// Unique in the team, and none of a built-in one.
    pub name: String,
    #[serde(default)]
    pub status: SkillStatus,
    /// Counts the changes.
    pub version: u64,
    pub current: Edition,
    pub created_at: Micros,
    pub updated_at: Micros,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
#[serde(rename_all = "snake_case")]
pub enum SkillStatus {
    #[default]
    Active,
    /// No agent sees it any more; its files are kept.
    Removed,
}

/// The files that somebody agreed to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Edition {
    pub digest: Digest,
    pub kind: Kind,
    pub description: String,
    /// Where it came from, for people: a path, `the shelf`, `agent:<id>`.
    pub source: String,
    pub files: Vec<FileRef>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    pub agreed_by: MemberId,
    pub agreed_at: Micros,
}

/// A file, by the digest of its bytes in the blob store.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct FileRef {
    pub path: String,
    pub blob: Digest,
    pub bytes: u64,
}

impl FileRef {
    /// Those of a folder, in the order of their paths.
    #[must_use]
    pub fn all(package: &Package) -> Vec<Self> {
        let file = |(path, bytes): (&String, &Vec<u8>)| Self {
            path: path.clone(),
            blob: Digest::of_bytes(bytes),
            bytes: bytes.len() as u64,
        };
        package.files.iter().map(file).collect()
    }
}

impl Edition {
    /// Whether its files are those of its digest.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let named = self.files.iter();
        of_named(named.map(|file| (file.path.as_str(), file.blob.clone()))) == self.digest
    }
}

/// A skill as a run knows it, fixed at its start: what stands in the prompt, and of which content.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct SkillRef {
    pub name: String,
    pub description: String,
    pub digest: Digest,
}

/// What a run did with a skill.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Used {
    pub scripts: u32,
    /// Scripts that did not end well.
    pub failed: u32,
}

/// Counts a call that came to its end, if it is one of a skill.
pub fn used(skills: &mut BTreeMap<String, Used>, tool: &str, skill: String, ok: bool) {
    let script = match tool {
        USE_SKILL if ok => false,
        RUN_SKILL_SCRIPT => true,
        _ => return,
    };
    let used = skills.entry(skill).or_default();
    used.scripts += u32::from(script);
    used.failed += u32::from(script && !ok);
}

/// The counter of what was done with a skill: `what` is `runs`, `answered`, `scripts`, `failed`, `seconds` or `cost` (in
/// micro-dollars).
#[must_use]
pub fn counter(skill: &str, what: &str) -> String {
    format!("skill:{skill}:{what}")
}
