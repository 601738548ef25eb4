//! Skills: which there are, which of them an agent has, and how they are installed, shown and removed.
//!
//! A team has the catalog's skills and those that an owner agreed to. An agent has those that it was given (`Agent::skills`). In a
//! run's prompt stands only each one's name and description, fixed at the start with the digest of its content
//! ([`of_agent`]); the content is looked up when it is used, and only that very content ([`load`]).

pub mod checks;
mod executor;
mod history;
mod proposal;
mod stats;
mod write;

use crate::{CommandError, Home, Problem};
use domain::skill::{Package, RUN_SKILL_SCRIPT, Skill, SkillRef, SkillStatus, USE_SKILL};
use domain::tool::ToolSpec;
pub use executor::{Run, run, text};
pub use history::{history, undo};
use ports::{
    repo::{self, Stored},
    store::StoreError,
};
pub use proposal::{Proposal, changes, pin, propose};
pub use stats::{Stats, stats, used};
pub use write::{configures, disable, enable, install, remove};

/// Skills of one agent; each is a line in every prompt.
pub const MOST: usize = 30;

/// A skill as lists and cards show it.
#[derive(Clone, PartialEq, Debug)]
pub struct Listed {
    pub name: String,
    pub description: String,
    pub kind: domain::skill::Kind,
    pub digest: domain::Digest,
    /// None for a built-in one.
    pub record: Option<Skill>,
}

/// All that agents can be given, by name.
///
/// # Errors
/// What the store answers.
pub async fn list(home: &Home) -> Result<Vec<Listed>, StoreError> {
    let stored = repo::collect::<Skill>(&*home.store, repo::all::<Skill>(&home.team)).await?;
    let active = stored
        .into_iter()
        .filter(|skill| skill.value.status == SkillStatus::Active);
    let mut all: Vec<Listed> = active.map(|skill| of_team(skill.value)).collect();
    all.extend(catalog::skills().iter().map(built_in));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// One of them.
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn find(home: &Home, name: &str) -> Result<Listed, CommandError> {
    if let Some(package) = catalog::skill(name) {
        return Ok(built_in(package));
    }
    match record(home, name).await? {
        Some(stored) if stored.value.status == SkillStatus::Active => Ok(of_team(stored.value)),
        _ => Err(not_found(name).into()),
    }
}

async fn record(home: &Home, name: &str) -> Result<Option<Stored<Skill>>, StoreError> {
    repo::get::<Skill>(&*home.store, &home.team, name).await
}

fn not_found(name: &str) -> Problem {
    Problem::NotFound {
        what: "skill",
        name: name.to_owned(),
    }
}

fn of_team(skill: Skill) -> Listed {
    Listed {
        name: skill.name.clone(),
        description: skill.current.description.clone(),
        kind: skill.current.kind,
        digest: skill.current.digest.clone(),
        record: Some(skill),
    }
}

fn built_in(package: &Package) -> Listed {
    Listed {
        name: package.front.name.clone(),
        description: package.front.description.trim().to_owned(),
        kind: package.kind(),
        digest: package.digest.clone(),
        record: None,
    }
}

/// The content of a skill that there is.
///
/// # Errors
/// [`Problem::NotFound`]; and where the kept files are not those that somebody agreed to.
pub async fn package(home: &Home, name: &str) -> Result<Package, CommandError> {
    if let Some(package) = catalog::skill(name) {
        return Ok(package.clone());
    }
    let stored = record(home, name).await?.ok_or_else(|| not_found(name))?;
    if stored.value.status != SkillStatus::Active {
        return Err(not_found(name).into());
    }
    let edition = &stored.value.current;
    let damaged = || {
        Problem::Invalid(format!(
            "The files of the skill “{name}” are not those that were agreed to: install it again."
        ))
    };
    if !edition.is_whole() {
        return Err(damaged().into());
    }
    let mut files = Vec::with_capacity(edition.files.len());
    for file in &edition.files {
        files.push((file.path.clone(), home.blobs.get(&file.blob).await?));
    }
    let package = Package::read(files).map_err(|_| damaged())?;
    match package.digest == edition.digest {
        true => Ok(package),
        false => Err(damaged().into()),
    }
}

/// The content that a run began with.
///
/// # Errors
/// [`Problem::Invalid`], when it is another one now or gone: a right taken away is gone at once, and a new content needs a new run.
pub async fn load(home: &Home, skills: &[SkillRef], name: &str) -> Result<Package, CommandError> {
    let Some(known) = skills.iter().find(|skill| skill.name == name) else {
        let names: Vec<&str> = skills.iter().map(|skill| skill.name.as_str()).collect();
        let sentence = format!("you have no skill “{name}”; you have: {}", names.join(", "));
        return Err(Problem::Invalid(sentence).into());
    };
    let changed = || {
        Problem::Invalid(format!(
            "the skill “{name}” was changed or removed since this task began: go on without it"
        ))
    };
    match package(home, name).await {
        Ok(package) if package.digest == known.digest => Ok(package),
        Ok(_) | Err(CommandError::Problem(Problem::NotFound { .. })) => Err(changed().into()),
        Err(error) => Err(error),
    }
}

/// What a run that begins now knows of an agent's skills. One that is gone is passed over.
///
/// # Errors
/// What the store answers.
pub async fn of_agent(home: &Home, names: &[String]) -> Result<Vec<SkillRef>, CommandError> {
    let mut known = Vec::new();
    for name in names.iter().take(MOST) {
        match find(home, name).await {
            Ok(found) => known.push(SkillRef {
                name: found.name,
                description: found.description,
                digest: found.digest,
            }),
            Err(CommandError::Problem(Problem::NotFound { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(known)
}

/// What of them stands in the system prompt; nothing where there are none.
#[must_use]
pub fn prompt(skills: &[SkillRef]) -> String {
    if skills.is_empty() {
        return String::new();
    }
    let line = |skill: &SkillRef| {
        let words: Vec<&str> = skill.description.split_whitespace().collect();
        format!("\n- {}: {}", skill.name, words.join(" "))
    };
    let lines: String = skills.iter().map(line).collect();
    format!(
        "\n\nYou have skills: instructions that people agreed to, for certain kinds of work. When one fits, call `use_skill` first and do what \
         it says.{lines}"
    )
}

/// The tools for skills are offered to who has any.
pub fn offer(tools: &mut Vec<ToolSpec>, skills: &[SkillRef]) {
    if skills.is_empty() {
        tools.retain(|tool| ![USE_SKILL, RUN_SKILL_SCRIPT].contains(&tool.name.as_str()));
    }
}
