//! Collections: listed, made, renamed, removed, given to agents. A viewer reads. An operator makes collections, and changes the ones
//! that they made or that are theirs alone. An owner changes those of the team. What is somebody's alone is nobody else's, an
//! owner's neither.

use super::Reader;
use crate::{
    CommandError, Draft, Home, Problem,
    agents::{self, Change},
    audit,
    ingest::empty_later,
};
use domain::{
    agent::{Agent, check_name},
    id::CollectionId,
    knowledge::Collection,
    member::{Deed, Member, Role, may},
};
use ports::{
    repo::{self, Stored, settings::Setting},
    store::{Op, StoreError},
};
use serde_json::json;

/// Every collection that this person may read, by name, their own before the team's.
///
/// # Errors
/// What the store answers.
pub async fn list(home: &Home, reader: Reader<'_>) -> Result<Vec<Collection>, StoreError> {
    let stored = readable(home, reader).await?;
    Ok(stored.into_iter().map(|stored| stored.value).collect())
}

async fn readable(home: &Home, reader: Reader<'_>) -> Result<Vec<Stored<Collection>>, StoreError> {
    let all = repo::all::<Collection>(&home.team);
    let mut all = repo::collect::<Collection>(&*home.store, all).await?;
    all.retain(|stored| reader.may_read(&stored.value));
    all.sort_by(|a, b| {
        let order = |c: &Collection| (c.name.clone(), c.owner.is_none());
        order(&a.value).cmp(&order(&b.value))
    });
    Ok(all)
}

/// By name or id, among what this person may read; of two with one name their own.
///
/// # Errors
/// [`Problem::NotFound`], for what others may read too.
pub async fn find(
    home: &Home,
    reader: Reader<'_>,
    name: &str,
) -> Result<Stored<Collection>, CommandError> {
    let fits = |c: &Collection| c.name == name || c.id.as_str() == name;
    let all = readable(home, reader).await?;
    let found = all.into_iter().find(|stored| fits(&stored.value));
    found.ok_or_else(|| {
        let (what, name) = ("collection", name.to_owned());
        Problem::NotFound { what, name }.into()
    })
}

/// Whether this person may change what is in a collection, or the collection itself.
///
/// # Errors
/// [`Problem::NotAllowed`].
pub fn governs(member: &Member, collection: &Collection) -> Result<(), Problem> {
    let own = collection.owner.as_ref() == Some(&member.id) || collection.created_by == member.id;
    let allowed = may(member.role, Deed::Configure) || (own && may(member.role, Deed::Run));
    match allowed && collection.is_readable_by(&member.id) {
        true => Ok(()),
        false => Err(Problem::NotAllowed {
            needed: Role::Owner,
        }),
    }
}

/// A new collection: the team's, or of this person alone.
///
/// # Errors
/// [`Problem`]s: not allowed, exists, invalid.
pub async fn create(
    home: &Home,
    reader: Reader<'_>,
    name: &str,
    own: bool,
) -> Result<Draft<Collection>, CommandError> {
    let member = reader.member;
    if !may(member.role, Deed::Run) {
        let needed = Role::Operator;
        return Err(Problem::NotAllowed { needed }.into());
    }
    let names = names(home).await?;
    free(home, member, name).await?;
    make(home, member, (name, own), names).await
}

/// The collection of this name or id, made as the team's where this person sees none yet.
///
/// # Errors
/// [`Problem`]s: not allowed, not a name.
pub async fn find_or_create(
    home: &Home,
    reader: Reader<'_>,
    name: &str,
) -> Result<Draft<Collection>, CommandError> {
    let names = names(home).await?;
    let mut all = list(home, reader).await?.into_iter();
    match all.find(|one| one.name == name || one.id.as_str() == name) {
        Some(found) => Ok(Draft::fact(found)),
        None if !may(reader.member.role, Deed::Run) => {
            let needed = Role::Operator;
            Err(Problem::NotAllowed { needed }.into())
        }
        None => make(home, reader.member, (name, false), names).await,
    }
}

async fn make(
    home: &Home,
    member: &Member,
    (name, own): (&str, bool),
    names: Option<Stored<Setting>>,
) -> Result<Draft<Collection>, CommandError> {
    let collection = Collection {
        id: CollectionId::new(home.chance.id()),
        name: name.to_owned(),
        description: String::new(),
        owner: own.then(|| member.id.clone()),
        created_by: member.id.clone(),
        created_at: home.now(),
        updated_at: home.now(),
    };
    let taken = take(home, names, name)?;
    let mut ops = vec![taken, repo::create(&home.team, &collection)?];
    ops.extend(audited(home, member, &collection, "collection.created").await?);
    Ok(Draft::new(ops, collection))
}

const NAMES: &str = "collection_names";

/// What all who take a name put a new version of. It is read before one looks which names there are: so whoever takes the same one
/// at the same moment is either seen or met in the commit, and one of the two looks again.
async fn names(home: &Home) -> Result<Option<Stored<Setting>>, StoreError> {
    repo::get(&*home.store, &home.team, NAMES).await
}

fn take(home: &Home, names: Option<Stored<Setting>>, name: &str) -> Result<Op, CommandError> {
    check_name(name).map_err(Problem::Invalid)?;
    let setting = Setting {
        name: NAMES.to_owned(),
        value: json!(home.now()),
    };
    let version = names.map(|names| names.version);
    Ok(repo::put(&home.team, &setting, version)?)
}

/// That there is none of this name among all that this person sees anywhere.
async fn free(home: &Home, member: &Member, name: &str) -> Result<(), CommandError> {
    let alone = true;
    let seen = list(home, Reader { member, alone }).await?;
    if seen.iter().any(|c| c.name == name) {
        let (what, name) = ("collection", name.to_owned());
        return Err(Problem::Exists { what, name }.into());
    }
    Ok(())
}

/// Another name.
///
/// # Errors
/// [`Problem`]s: not found, not allowed, exists, invalid.
pub async fn rename(
    home: &Home,
    reader: Reader<'_>,
    name: &str,
    new: &str,
) -> Result<Draft<Collection>, CommandError> {
    let member = reader.member;
    let mut stored = find(home, reader, name).await?;
    governs(member, &stored.value)?;
    let names = names(home).await?;
    free(home, member, new).await?;
    let mut ops = vec![take(home, names, new)?];
    new.clone_into(&mut stored.value.name);
    stored.value.updated_at = home.now();
    ops.push(repo::update(&home.team, &stored)?);
    ops.extend(audited(home, member, &stored.value, "collection.renamed").await?);
    Ok(Draft::new(ops, stored.value))
}

/// Takes a collection away: nothing in it can be found from then on, and its documents are deleted. One that agents use stays.
///
/// # Errors
/// [`Problem`]s: not found, not allowed, and which agents use it.
pub async fn remove(
    home: &Home,
    reader: Reader<'_>,
    name: &str,
) -> Result<Draft<Collection>, CommandError> {
    let member = reader.member;
    let stored = find(home, reader, name).await?;
    governs(member, &stored.value)?;
    let users = users(home, &stored.value.id).await?;
    if !users.is_empty() {
        let text = format!(
            "“{}” is used by {}: detach it there first.",
            stored.value.name,
            users.join(", ")
        );
        return Err(Problem::Invalid(text).into());
    }
    let mut ops = vec![
        repo::delete(&home.team, &stored),
        empty_later(home, &stored.value.id)?,
    ];
    ops.extend(audited(home, member, &stored.value, "collection.removed").await?);
    Ok(Draft::new(ops, stored.value))
}

/// The names of the agents that look things up in it, archived ones too: they may come back.
///
/// # Errors
/// What the store answers.
pub async fn users(home: &Home, collection: &CollectionId) -> Result<Vec<String>, StoreError> {
    let mut agents = agents::list(home, true).await?;
    agents.retain(|agent| has(agent, collection));
    Ok(agents.into_iter().map(|agent| agent.name).collect())
}

fn has(agent: &Agent, collection: &CollectionId) -> bool {
    agent
        .knowledge_ids
        .iter()
        .any(|id| id == collection.as_str())
}

/// Gives a collection to an agent, or takes it away from it. It is of use only to those who may read the collection.
///
/// # Errors
/// [`Problem`]s: not found, not allowed.
pub async fn attach(
    home: &Home,
    reader: Reader<'_>,
    name: &str,
    (agent, attached): (&str, bool),
) -> Result<Draft<(Collection, Agent)>, CommandError> {
    let member = reader.member;
    let collection = find(home, reader, name).await?.value;
    if collection.owner.is_none() && !may(member.role, Deed::Configure) {
        // For everybody who talks to the agent.
        let needed = Role::Owner;
        return Err(Problem::NotAllowed { needed }.into());
    }
    governs(member, &collection)?;
    let agent = agents::find(home, agent).await?;
    if has(&agent.value, &collection.id) == attached {
        return Ok(Draft::fact((collection, agent.value)));
    }
    let mut ids = agent.value.knowledge_ids.clone();
    ids.retain(|id| id != collection.id.as_str());
    if attached {
        ids.push(collection.id.to_string());
    }
    let change = Change {
        knowledge_ids: Some(ids),
        ..Change::default()
    };
    let Draft { ops, fact } = agents::revise(home, member, agent, change).await?;
    Ok(Draft::new(ops, (collection, fact)))
}

async fn audited(
    home: &Home,
    member: &Member,
    collection: &Collection,
    action: &str,
) -> Result<Vec<Op>, StoreError> {
    let by = format!("member:{}", member.id);
    let detail = json!({"name": collection.name, "owner": collection.owner});
    let deed = audit::deed(action, by, &collection.id, detail);
    audit::append(home, &format!("knowledge:{}", collection.id), vec![deed]).await
}
