//! Agents that are there from the start; people change them, or make their own.

use crate::CatalogError;
use serde::Deserialize;
use serde_json::{Map, Value};

const FILES: [(&str, &str); 2] = [
    (
        "agents/assistant.md",
        include_str!("../agents/assistant.md"),
    ),
    ("agents/coder.md", include_str!("../agents/coder.md")),
];

/// What an agent's record is made from; id, times and model are the maker's.
#[derive(Clone, PartialEq, Debug)]
pub struct AgentTemplate {
    pub name: String,
    pub description: String,
    /// The file's text after the front matter.
    pub system_prompt: String,
    /// A policy's name.
    pub preset: String,
    pub metadata: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    name: String,
    description: String,
    preset: String,
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// All agents of the catalog; the first one is where a new chat begins.
///
/// # Errors
/// Names the file that is wrong.
pub fn agents() -> Result<Vec<AgentTemplate>, CatalogError> {
    FILES.iter().map(|(file, text)| read(file, text)).collect()
}

fn read(file: &'static str, text: &str) -> Result<AgentTemplate, CatalogError> {
    let unreadable = |problem: String| CatalogError::Unreadable { file, problem };
    let (front, body) = text
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
        .ok_or_else(|| {
            unreadable("it must begin with front matter between two lines `---`".to_owned())
        })?;
    let front: FrontMatter =
        serde_saphyr::from_str(front).map_err(|e| unreadable(e.to_string()))?;
    domain::agent::check_name(&front.name).map_err(unreadable)?;
    Ok(AgentTemplate {
        name: front.name,
        description: front.description,
        system_prompt: body.trim().to_owned(),
        preset: front.preset,
        metadata: front.metadata,
    })
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
            ["assistant", "coder"]
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
        let error = read("agents/x.md", "You are x.").unwrap_err().to_string();
        assert!(
            error.starts_with("agents/x.md: it must begin with front matter"),
            "{error}"
        );
        let error = read(
            "agents/x.md",
            "---\nname: X y\ndescription: a\npreset: b\n---\n",
        )
        .unwrap_err()
        .to_string();
        assert!(error.contains("is not a name"), "{error}");
    }
}
