//! What an owner does with skills: each is a change with its audit entry. A skill is what was agreed to, byte for byte.

use super::{MOST, find, not_found, record};
use crate::{
    CommandError, Draft, Home, Problem,
    agents::{self, Change},
    audit,
};
use domain::{
    agent::Agent,
    member::{Deed, Member, Role, may},
    skill::{Edition, FileRef, Finding, Package, Skill, SkillStatus},
};
use ports::{
    repo::{self, Stored},
    store::{Op, StoreError},
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
    if catalog::skill(name).is_some() {
        let sentence = format!("“{name}” is a built-in skill: give yours another name.");
        return Err(Problem::Invalid(sentence).into());
    }
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
    let before = former.as_ref().map(|former| former.value.clone());
    let skill = Skill {
        name: name.clone(),
        status: SkillStatus::Active,
        version: before.as_ref().map_or(0, |before| before.version) + 1,
        current,
        created_at: before.map_or(home.now(), |before| before.created_at),
        updated_at: home.now(),
    };
    let mut ops = vec![repo::put(
        &home.team,
        &skill,
        former.map(|former| former.version),
    )?];
    ops.extend(audited(home, member, &skill, "skill.installed").await?);
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
    let Some(Stored { mut value, version }) =
        stored.filter(|stored| stored.value.status == SkillStatus::Active)
    else {
        return Err(not_found(name).into());
    };
    value.status = SkillStatus::Removed;
    value.version += 1;
    value.updated_at = home.now();
    let agents = agents::list(home, true).await?;
    let had = agents
        .iter()
        .filter(|agent| agent.skills.iter().any(|skill| skill == name));
    let had = had.map(|agent| agent.name.clone()).collect();
    let skill = value.clone();
    let mut ops = vec![repo::update(&home.team, &Stored { value, version })?];
    ops.extend(audited(home, member, &skill, "skill.removed").await?);
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
    match may(member.role, Deed::Configure) {
        true => Ok(()),
        false => Err(Problem::NotAllowed {
            needed: Role::Owner,
        }),
    }
}

async fn audited(
    home: &Home,
    member: &Member,
    skill: &Skill,
    action: &str,
) -> Result<Vec<Op>, StoreError> {
    let by = format!("member:{}", member.id);
    let detail = json!({"digest": skill.current.digest, "version": skill.version, "source": skill.current.source});
    let deed = audit::deed(action, by, &skill.name, detail);
    audit::append(home, "team", vec![deed]).await
}
