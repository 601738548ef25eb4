//! What an owner does with skills: each is a change with its audit entry. A skill is what was agreed to, byte for byte.

use super::{MOST, find, not_found, record};
use crate::{
    CommandError, Draft, Home, Problem,
    agents::{self, Change},
    audit, versions,
};
use domain::{
    agent::Agent,
    member::{self, Member, Role, may},
    run::Actor,
    skill::{Edition, FileRef, Finding, Package, Skill, SkillStatus},
};
use ports::{
    repo::{self, Stored},
    store::Op,
};
use serde_json::json;

/// Puts a folder into the team's skills, or a new content in the place of its old one. The caller has shown exactly this content,
/// and somebody has agreed to it.
///
/// # Errors
/// [`Problem`]s: not allowed; the name of a built-in skill.
pub async fn install(
    home: &Home,
    member: &Member,
    package: &Package,
    (source, findings): (&str, &[Finding]),
) -> Result<Draft<Skill>, CommandError> {
    configures(member)?;
    let name = &package.front.name;
    not_built_in(name)?;
    for bytes in package.files.values() {
        home.blobs.put(bytes).await?;
    }
    let current = Edition {
        digest: package.digest.clone(),
        kind: package.kind(),
        description: package.front.description.trim().to_owned(),
        source: source.to_owned(),
        files: FileRef::all(package),
        findings: findings.to_vec(),
        agreed_by: member.id.clone(),
        agreed_at: home.now(),
    };
    let former = record(home, name).await?;
    let before = former.as_ref().map(|former| &former.value);
    let skill = Skill {
        name: name.clone(),
        status: SkillStatus::Active,
        version: before.map_or(0, |before| before.version),
        current,
        created_at: before.map_or(home.now(), |before| before.created_at),
        updated_at: home.now(),
    };
    let (skill, ops) = write(home, member, (former, skill), Deed::Installed).await?;
    Ok(Draft::new(ops, skill))
}

/// Takes a skill away from all agents, at once; its files are kept. Answers also who had it.
///
/// # Errors
/// [`Problem`]s: not allowed, not found, built in.
pub async fn remove(
    home: &Home,
    member: &Member,
    name: &str,
) -> Result<Draft<(Skill, Vec<String>)>, CommandError> {
    configures(member)?;
    if catalog::skill(name).is_some() {
        let sentence = format!(
            "“{name}” is built in: take it from an agent with /skill disable {name} AGENT."
        );
        return Err(Problem::Invalid(sentence).into());
    }
    let stored = record(home, name).await?;
    let Some(stored) = stored.filter(|stored| stored.value.status == SkillStatus::Active) else {
        return Err(not_found(name).into());
    };
    let mut skill = stored.value.clone();
    skill.status = SkillStatus::Removed;
    let agents = agents::list(home, true).await?;
    let had = agents
        .iter()
        .filter(|agent| agent.skills.iter().any(|skill| skill == name));
    let had = had.map(|agent| agent.name.clone()).collect();
    let (skill, ops) = write(home, member, (Some(stored), skill), Deed::Removed).await?;
    Ok(Draft::new(ops, (skill, had)))
}

/// Gives an agent a skill; its next runs have it.
///
/// # Errors
/// [`Problem`]s: not allowed, not found, too many.
pub async fn enable(
    home: &Home,
    member: &Member,
    (name, agent): (&str, &str),
) -> Result<Draft<Agent>, CommandError> {
    configures(member)?;
    find(home, name).await?;
    let mut skills = agents::find(home, agent).await?.value.skills;
    if !skills.iter().any(|skill| skill == name) {
        skills.push(name.to_owned());
    }
    if skills.len() > MOST {
        let sentence =
            format!("An agent has {MOST} skills at most: each is a line in all of its prompts.");
        return Err(Problem::Invalid(sentence).into());
    }
    set(home, member, agent, skills).await
}

/// Takes a skill from an agent.
///
/// # Errors
/// [`Problem`]s: not allowed, not found.
pub async fn disable(
    home: &Home,
    member: &Member,
    (name, agent): (&str, &str),
) -> Result<Draft<Agent>, CommandError> {
    configures(member)?;
    let mut skills = agents::find(home, agent).await?.value.skills;
    let before = skills.len();
    skills.retain(|skill| skill != name);
    if skills.len() == before {
        return Err(not_found(name).into());
    }
    set(home, member, agent, skills).await
}

async fn set(
    home: &Home,
    member: &Member,
    agent: &str,
    skills: Vec<String>,
) -> Result<Draft<Agent>, CommandError> {
    let change = Change {
        skills: Some(skills),
        ..Change::default()
    };
    agents::change(home, member, agent, change).await
}

/// Who may change what the team’s skills are.
///
/// # Errors
/// [`Problem::NotAllowed`].
pub fn configures(member: &Member) -> Result<(), Problem> {
    match may(member.role, member::Deed::Configure) {
        true => Ok(()),
        false => Err(Problem::NotAllowed {
            needed: Role::Owner,
        }),
    }
}

/// A name that no built-in skill has.
pub(super) fn not_built_in(name: &str) -> Result<(), Problem> {
    match catalog::skill(name) {
        None => Ok(()),
        Some(_) => Err(Problem::Invalid(format!(
            "“{name}” is a built-in skill: give yours another name."
        ))),
    }
}

/// What happens to a skill.
#[derive(Clone, Copy)]
pub(super) enum Deed {
    Installed,
    Removed,
    /// The version of this number is taken back.
    Undone(u64),
}

/// The stream of a skill's versions.
pub(super) fn stream(name: &str) -> String {
    format!("skill:{name}")
}

/// The one way in which a skill changes: record, version and audit in one commit.
pub(super) async fn write(
    home: &Home,
    member: &Member,
    (before, mut skill): (Option<Stored<Skill>>, Skill),
    deed: Deed,
) -> Result<(Skill, Vec<Op>), CommandError> {
    skill.version += 1;
    skill.updated_at = home.now();
    let was_active = |before: &Stored<Skill>| before.value.status == SkillStatus::Active;
    let (action, word, undoes) = match deed {
        Deed::Installed if before.as_ref().is_some_and(was_active) => {
            ("skill.installed", "changed", None)
        }
        Deed::Installed => ("skill.installed", "created", None),
        Deed::Removed => ("skill.removed", "deleted", None),
        Deed::Undone(number) => ("skill.undone", "undone", Some(number)),
    };
    let actor = Actor::Member(member.id.clone());
    let changed = versions::Changed {
        record: skill.name.clone(),
        deed: word,
        before: before
            .as_ref()
            .map(|before| serde_json::to_value(&before.value))
            .transpose()?,
        after: Some(serde_json::to_value(&skill)?),
        undoes,
    };
    let detail = json!({"digest": skill.current.digest, "version": skill.version, "source": skill.current.source});
    let did = audit::deed(action, &actor, &skill.name, detail);
    let mut ops = vec![repo::put(
        &home.team,
        &skill,
        before.map(|before| before.version),
    )?];
    ops.extend(audit::append(home, "team", vec![did]).await?);
    ops.push(versions::note(home, &stream(&skill.name), &actor, vec![changed]).await?);
    Ok((skill, ops))
}
