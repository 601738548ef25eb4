//! Agents as files: those that are there from the start, and those that people export, send and import. Front matter in YAML, then the
//! system prompt in Markdown.

use crate::CatalogError;
use domain::agent::{Agent, AgentStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

const FILES: [(&str, &str); 3] = [
    (
        "agents/assistant.md",
        include_str!("../agents/assistant.md"),
    ),
    ("agents/coder.md", include_str!("../agents/coder.md")),
    ("agents/designer.md", include_str!("../agents/designer.md")),
];

/// Who makes agents from plain words.
pub const DESIGNER: &str = "designer";

/// What an agent's record is made from; id and times are the maker's.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct AgentTemplate {
    pub name: String,
    pub description: String,
    /// A policy's name.
    pub preset: String,
    /// `provider/model`; empty: the process's default.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub knowledge: Vec<String>,
    #[serde(default, skip_serializing_if = "is_active")]
    pub status: AgentStatus,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// The file's text after the front matter.
    #[serde(skip)]
    pub system_prompt: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_active(status: &AgentStatus) -> bool {
    *status == AgentStatus::Active
}

/// All agents of the catalog; the first one is where a new chat begins.
///
/// # Errors
/// Names the file that is wrong.
pub fn agents() -> Result<Vec<AgentTemplate>, CatalogError> {
    FILES.iter().map(|(file, text)| read(file, text)).collect()
}

fn read(file: &'static str, text: &str) -> Result<AgentTemplate, CatalogError> {
    let unreadable = |problem| CatalogError::Unreadable { file, problem };
    AgentTemplate::parse(text).map_err(unreadable)
}

/// As editors on other systems leave it.
fn normal(text: &str) -> String {
    text.trim_start_matches('\u{feff}').replace("\r\n", "\n")
}

/// Front matter and what follows.
fn parts(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("---\n")?;
    rest.split_once("\n---\n").or(rest.split_once("\n---"))
}

impl AgentTemplate {
    /// Whether it is meant to be an agent's file: its front matter names all that one has to name. [`Self::parse`] says what is wrong with it.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        let text = normal(text);
        let front =
            parts(&text).map(|(front, _)| serde_saphyr::from_str::<Map<String, Value>>(front));
        let has = |front: &Map<String, Value>| {
            ["name", "description", "preset"]
                .iter()
                .all(|key| front.contains_key(*key))
        };
        front.is_some_and(|front| front.is_ok_and(|front| has(&front)))
    }

    /// # Errors
    /// What is wrong with the file, as the rest of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = normal(text);
        let (front, body) =
            parts(&text).ok_or("it must begin with front matter between two lines `---`")?;
        let mut template: Self = serde_saphyr::from_str(front).map_err(|e| e.to_string())?;
        domain::agent::check_name(&template.name)?;
        body.trim().clone_into(&mut template.system_prompt);
        Ok(template)
    }

    /// The file. [`Self::parse`] reads it as the same agent.
    ///
    /// # Errors
    /// What can't be said in YAML, which is nothing that an agent has.
    pub fn text(&self) -> Result<String, String> {
        let front = serde_saphyr::to_string(self).map_err(|e| e.to_string())?;
        Ok(format!(
            "---\n{}\n---\n{}\n",
            front.trim_end(),
            self.system_prompt.trim()
        ))
    }
}

impl From<&Agent> for AgentTemplate {
    fn from(agent: &Agent) -> Self {
        let model = match (agent.provider.as_str(), agent.model.as_str()) {
            ("", _) | (_, "") => String::new(),
            (provider, model) => format!("{provider}/{model}"),
        };
        Self {
            name: agent.name.clone(),
            description: agent.description.clone(),
            preset: agent.permissions.preset.clone(),
            model,
            fallbacks: agent.fallbacks.clone(),
            skills: agent.skills.clone(),
            knowledge: agent.knowledge_ids.clone(),
            status: agent.status,
            metadata: agent.metadata.clone(),
            system_prompt: agent.system_prompt.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_agent_names_a_policy_and_has_something_to_say() {
        let policies = crate::policies().unwrap();
        let agents = agents().unwrap();
        assert_eq!(
            agents.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(),
            ["assistant", "coder", DESIGNER]
        );
        for agent in agents {
            assert!(
                policies.iter().any(|policy| policy.name == agent.preset),
                "{}",
                agent.name
            );
            assert!(
                agent.system_prompt.contains("finish") && !agent.system_prompt.contains("---"),
                "{}",
                agent.name
            );
            assert!(agent.metadata.contains_key("kind"), "{}", agent.name);
        }
    }

    #[test]
    fn a_file_without_front_matter_is_named() {
        assert!(!AgentTemplate::is_meant("You are x."));
        assert!(!AgentTemplate::is_meant(
            "---\nname: greet\ndescription: a skill\n---\n"
        ));
        let error = read("agents/x.md", "You are x.").unwrap_err().to_string();
        assert!(
            error.starts_with("agents/x.md: it must begin with front matter"),
            "{error}"
        );
        let misnamed = "---\nname: X y\ndescription: a\npreset: b\n---\n";
        assert!(AgentTemplate::is_meant(misnamed));
        let error = read("agents/x.md", misnamed).unwrap_err().to_string();
        assert!(error.contains("is not a name"), "{error}");
    }

    #[test]
    fn what_is_written_is_read_as_the_same_agent() {
        let mut odd = agents().unwrap().remove(1);
        odd.description = "Says: “yes”, - #no: [1]\nand more".to_owned();
        odd.model = "openrouter/anthropic/claude: x".to_owned();
        odd.knowledge = vec!["true".to_owned(), "0x1f".to_owned(), String::new()];
        odd.status = AgentStatus::Paused;
        odd.metadata.insert(
            "limits".to_owned(),
            serde_json::json!({"steps": 3, "x": null}),
        );
        odd.system_prompt = "# Head\n\n---\nYou are `it`.\n  indented".to_owned();
        for agent in agents().unwrap().into_iter().chain([odd]) {
            let text = agent.text().unwrap();
            assert_eq!(AgentTemplate::parse(&text), Ok(agent), "{text}");
        }
        let windows =
            "\u{feff}---\r\nname: a\r\ndescription: b\r\npreset: read-only\r\n---\r\nText\r\n";
        assert_eq!(AgentTemplate::parse(windows).unwrap().system_prompt, "Text");
    }
}
