//! The scripts of a skill: what is in `scripts/` and ends as a language that the sandbox can run.
//!
//! The standard leaves open what a script takes. One that has a declaration beside it (`scripts/rank.schema.json` for
//! `scripts/rank.py`) takes one JSON value on stdin and prints one, both by the JSON Schemas declared there. One without takes
//! words of a command line and prints text.

use super::{BadSkill, Files, schema::check_schema};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

const FOLDER: &str = "scripts/";
const DECLARATION: &str = ".schema.json";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    Python,
    JavaScript,
    Bash,
}

impl Language {
    fn of(path: &str) -> Option<Self> {
        match path.rsplit_once('.')?.1 {
            "py" => Some(Self::Python),
            "js" | "mjs" | "cjs" => Some(Self::JavaScript),
            "sh" | "bash" => Some(Self::Bash),
            _ => None,
        }
    }

    /// The program and its options, before the script's path.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Python => "python3 -B",
            Self::JavaScript => "node",
            Self::Bash => "bash",
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct Script {
    /// Within the skill: `scripts/rank.py`.
    pub path: String,
    pub language: Language,
    pub declared: Option<Declared>,
}

/// What a script says about itself.
#[derive(Clone, PartialEq, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// One sentence, for the agent.
    pub description: String,
    /// JSON Schema of what it takes, and of what it prints.
    pub input: Value,
    pub output: Value,
    /// It changes nothing in the workspace, and can't: it runs with the workspace read-only.
    #[serde(default)]
    pub reads_only: bool,
}

/// By name: the file's, without its folder and ending (`rank`), or with the ending where two would be the same.
pub(super) fn all(files: &Files) -> Result<BTreeMap<String, Script>, BadSkill> {
    let mut scripts: BTreeMap<String, Script> = BTreeMap::new();
    for path in files.keys() {
        let (Some(file), Some(language)) = (path.strip_prefix(FOLDER), Language::of(path)) else {
            continue;
        };
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let declared = match files.get(&format!("{FOLDER}{stem}{DECLARATION}")) {
            Some(text) => Some(declaration(path, text)?),
            None => None,
        };
        let name = match scripts.contains_key(stem) {
            true => file,
            false => stem,
        };
        let script = Script {
            path: path.clone(),
            language,
            declared,
        };
        scripts.insert(name.to_owned(), script);
    }
    Ok(scripts)
}

fn declaration(path: &str, text: &[u8]) -> Result<Declared, BadSkill> {
    let bad = |why: String| BadSkill::Script(format!("{path} can't be read: {why}"));
    let declared: Declared =
        serde_json::from_slice(text).map_err(|error| bad(error.to_string()))?;
    for (name, schema) in [("input", &declared.input), ("output", &declared.output)] {
        check_schema(schema).map_err(|why| bad(format!("its {name}: {why}")))?;
    }
    Ok(declared)
}
