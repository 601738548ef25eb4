//! Policies: named presets of rules that an agent starts from.

use crate::CatalogError;
use domain::{
    Micros,
    id::RuleId,
    member::Role,
    permission::{Effect, Rule, parse_rule},
};
use serde::Deserialize;

/// A policy may extend one that stands before it.
const FILES: [(&str, &str); 4] = [
    (
        "policies/ask-first.yaml",
        include_str!("../policies/ask-first.yaml"),
    ),
    (
        "policies/read-only.yaml",
        include_str!("../policies/read-only.yaml"),
    ),
    (
        "policies/development.yaml",
        include_str!("../policies/development.yaml"),
    ),
    (
        "policies/full-access.yaml",
        include_str!("../policies/full-access.yaml"),
    ),
];

/// A preset of rules, as `Permissions::preset` names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Preset {
    pub name: String,
    /// For people, one sentence.
    pub description: String,
    /// What happens where no rule speaks, these and all others: ask or deny.
    pub otherwise: Effect,
    /// Their ids are the policy's name and a number from 1: `development-3`. Their notes are the reasons in the file.
    pub rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    description: String,
    #[serde(default)]
    extends: Option<String>,
    otherwise: Effect,
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    why: String,
    #[serde(default)]
    approvers: Option<Role>,
    rules: Vec<String>,
}

/// All policies of the catalog.
///
/// # Errors
/// Names the file that is wrong, and the rule.
pub fn policies() -> Result<Vec<Preset>, CatalogError> {
    let mut presets = Vec::new();
    for (file, text) in FILES {
        let preset = read(file, text, &presets)?;
        presets.push(preset);
    }
    Ok(presets)
}

fn read(file: &'static str, text: &str, before: &[Preset]) -> Result<Preset, CatalogError> {
    let unreadable = |problem: String| CatalogError::Unreadable { file, problem };
    let parsed: File = serde_saphyr::from_str(text).map_err(|e| unreadable(e.to_string()))?;
    if parsed.otherwise == Effect::Allow {
        return Err(unreadable("`otherwise` is ask or deny".to_owned()));
    }
    let mut rules = match &parsed.extends {
        None => Vec::new(),
        Some(name) => {
            let extended = before.iter().find(|preset| preset.name == *name);
            extended
                .ok_or_else(|| CatalogError::Unknown {
                    file,
                    name: name.clone(),
                })?
                .rules
                .clone()
        }
    };
    let mut number = 0;
    for group in &parsed.groups {
        for text in &group.rules {
            number += 1;
            let wrong = |problem| CatalogError::Rule {
                file,
                rule: text.clone(),
                problem,
            };
            let mut rule = parse_rule(text).map_err(wrong)?;
            rule.note.clone_from(&group.why);
            rule.approvers = group.approvers;
            rules.push(rule.into_rule(
                RuleId::new(format!("{}-{number}", parsed.name)),
                None,
                Micros(0),
            ));
        }
    }
    Ok(Preset {
        name: parsed.name,
        description: parsed.description,
        otherwise: parsed.otherwise,
        rules,
    })
}

#[cfg(test)]
mod tests;
