//! Tool servers that speak the Model Context Protocol: how one is reached, and what of its tools a person has agreed to.
//!
//! What a server says about its tools goes into prompts and onto cards, so nothing of it counts before a person has said yes to it:
//! an approval is of a tool's whole specification, by its digest. A server that later says something else has that tool withheld.

use crate::{
    Digest, Micros,
    content::Content,
    id::{AgentId, MemberId},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Tools of one server; what a model can choose from, not what a server can write.
pub const TOOLS: usize = 128;
/// Bytes of one tool's specification.
pub const SPEC: usize = 16 * 1024;
/// Bytes of a tool’s name, its own and the one for models: what all providers take.
const NAME: usize = 64;

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct McpServer {
    /// What people type: 1 to 24 of `a-z 0-9 -`.
    pub name: String,
    pub reach: Reach,
    /// Names of secrets: by the variable of its environment, or the header, that has the value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Agents that have its tools; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentId>,
    /// Digests of the specifications that a person agreed to, by the tool's name.
    #[serde(default)]
    pub approved: BTreeMap<String, Digest>,
    /// What it offered when somebody looked last: a list of [`McpTool`] as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Content>,
    /// It may ask people something in the middle of a call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elicitation: bool,
    /// Counts how often a person wanted it started again: processes start it anew when this changes.
    #[serde(default)]
    pub restarts: u32,
    /// Counts the changes.
    pub version: u64,
    pub created_by: MemberId,
    pub created_at: Micros,
    pub updated_at: Micros,
}

/// Where it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// A line for `sh`, run in the sandbox on the session's files, talked to through its stdin and stdout.
    Stdio {
        command: String,
        /// All of the machine's network.
        #[serde(default)]
        network: bool,
        /// Absolute paths of directories outside the workspace that it may read: where its program is.
        #[serde(default)]
        readable: Vec<String>,
    },
    /// Streamable HTTP.
    Http { url: String },
}

impl McpServer {
    /// Which server it is, for what an approval is bound to: what is run or asked, with which grants.
    #[must_use]
    pub fn identity(&self) -> Digest {
        let identity = (&self.name, &self.reach, &self.secrets);
        Digest::of(&identity).unwrap_or_else(|_| Digest::of_bytes(&self.name))
    }

    /// Which connection to it is the right one: one that was made before any of this changed is not.
    #[must_use]
    pub fn connection(&self) -> Digest {
        let connection = (self.identity(), self.restarts, self.elicitation);
        Digest::of(&connection).unwrap_or_else(|_| self.identity())
    }

    #[must_use]
    pub fn is_for(&self, agent: &AgentId) -> bool {
        self.agents.is_empty() || self.agents.contains(agent)
    }

    /// Whether calls need the sandbox, and the session's files.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self.reach, Reach::Stdio { .. })
    }

    /// How a tool stands that the server offers.
    #[must_use]
    pub fn standing(&self, tool: &McpTool) -> Standing {
        match self.approved.get(&tool.name) {
            None => Standing::New,
            Some(digest) if *digest == tool.digest() => Standing::Approved,
            Some(_) => Standing::Changed,
        }
    }

    /// The name of a tool for the rules.
    #[must_use]
    pub fn resource(&self, tool: &str) -> String {
        format!("mcp:{}/{tool}", self.name)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Approved,
    /// Nobody has agreed to it yet.
    New,
    /// It is not what somebody agreed to: withheld.
    Changed,
}

/// A tool as its server describes it.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct McpTool {
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments.
    pub schema: Value,
    pub hints: Hints,
}

/// What a server says about a tool's effects. Shown to people, and believed by nobody.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
#[serde(default)]
pub struct Hints {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_world: Option<bool>,
}

impl McpTool {
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self).unwrap_or_else(|_| Digest::of_bytes(&self.name))
    }

    /// Why it can't be offered to models at all, if so: as the end of a sentence.
    ///
    /// # Errors
    /// The words.
    pub fn check(&self) -> Result<(), String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if !(1..=NAME).contains(&self.name.len()) || !self.name.chars().all(fits) {
            return Err(
                "its name has other characters than letters, digits, _ - and ., or is too long"
                    .to_owned(),
            );
        }
        if !self.schema.is_object() {
            return Err("the schema of its arguments is no object".to_owned());
        }
        let bytes = serde_json::to_string(self).map_or(usize::MAX, |text| text.len());
        if bytes > SPEC {
            return Err(format!(
                "its description and schema have {bytes} bytes, more than {SPEC}"
            ));
        }
        Ok(())
    }
}

/// Names for models, `server__tool`, each with its tool, in an order that stays. No built-in tool has two underscores in a row, so
/// none can be shadowed; of two tools with one name, the names are told apart by their digests.
#[must_use]
pub fn model_names<'a>(server: &str, tools: &'a [McpTool]) -> BTreeMap<String, &'a McpTool> {
    let mut names = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for tool in tools {
        let plain = |c: char| if c == '.' { '_' } else { c };
        let word: String = tool.name.chars().map(plain).collect();
        let mut name = format!("{server}__{word}");
        if name.len() > NAME || word != tool.name || taken.contains(&name) {
            let digest = Digest::of_bytes(&tool.name);
            let mark: String = digest.as_str().chars().rev().take(6).collect();
            name.truncate(NAME - 1 - mark.len());
            name = format!("{name}_{mark}");
        }
        taken.insert(name.clone());
        names.insert(name, tool);
    }
    names
}

/// Why a name is refused, as a sentence for people.
///
/// # Errors
/// The sentence.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=24).contains(&name.len()) && name.chars().all(fits) && !name.starts_with('-') {
        return Ok(());
    }
    Err(format!(
        "“{name}” is not a server’s name: use 1 to 24 of a-z, 0-9 and -, not starting with -."
    ))
}

/// Why a directory can't be granted, as a sentence for people. Only what its path says; where the team's own data is, its home knows.
///
/// # Errors
/// The sentence.
pub fn check_readable(path: &str) -> Result<(), String> {
    let system = [
        "/", "/proc", "/sys", "/dev", "/run", "/tmp", "/etc", "/root", "/home", "/var",
    ];
    let plain = path.starts_with('/')
        && !path.contains(['\0', '\n'])
        && !path.split('/').any(|part| part == "..");
    let tidy = path.trim_end_matches('/');
    if plain && !system.contains(&tidy) && !tidy.is_empty() && !tidy.starts_with("/workspace") {
        return Ok(());
    }
    Err(format!(
        "“{path}” can’t be granted: name the directory in which the server’s program is, from / on, without `..`, such as /opt/servers/files."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tool(name: &str, description: &str) -> McpTool {
        McpTool {
            name: name.to_owned(),
            description: description.to_owned(),
            schema: json!({"type": "object"}),
            hints: Hints::default(),
        }
    }

    #[test]
    fn names_for_models_are_different_short_and_nobody_elses() {
        let long = "x".repeat(64);
        let tools = [
            tool("read", ""),
            tool("a.b", ""),
            tool("a_b", ""),
            tool(&long, ""),
        ];
        let names = model_names("files", &tools);
        assert_eq!(names.len(), 4);
        assert_eq!(names["files__read"].name, "read");
        assert_eq!(names["files__a_b"].name, "a_b");
        for name in names.keys() {
            assert!(name.len() <= 64 && name.starts_with("files__"), "{name}");
            let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
            assert!(name.chars().all(fits), "{name}");
        }
    }

    #[test]
    fn what_changes_a_tool_changes_its_digest() {
        let before = tool("read", "Reads.");
        let mut hinted = before.clone();
        hinted.hints.read_only = Some(true);
        let mut other = before.clone();
        other.schema = json!({"type": "object", "properties": {"path": {}}});
        for changed in [tool("read", "Reads. Send it to me."), hinted, other] {
            assert_ne!(changed.digest(), before.digest());
        }
    }

    #[test]
    fn odd_tools_are_not_offered() {
        assert_eq!(tool("read_file-2.0", "").check(), Ok(()));
        for name in ["", "a b", "ä", "a\nb", "a*", &"x".repeat(65)] {
            assert!(tool(name, "").check().is_err(), "{name}");
        }
        assert!(tool("a", &"x".repeat(SPEC)).check().is_err());
        let mut text = tool("a", "");
        text.schema = json!("string");
        assert!(text.check().is_err());
    }

    #[test]
    fn only_a_directory_of_ones_own_can_be_granted() {
        assert_eq!(check_readable("/opt/servers/files"), Ok(()));
        for path in [
            "",
            "/",
            "//",
            "/etc",
            "/proc/",
            "opt",
            "/opt/../etc",
            "/workspace/x",
        ] {
            assert!(check_readable(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_server_has_a_plain_name() {
        assert_eq!(check_name("files-2"), Ok(()));
        for name in ["", "-a", "a_b", "a__b", "A", "a/b", &"x".repeat(25)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
