//! The collections that an agent is given: only such as there are.

use crate::{CommandError, Home, Problem, knowledge::Reader};
use domain::{agent::Agent, knowledge::Collection, member::Member};
use ports::{repo, store::StoreError};

/// The ids of what is named, by id or by name among what this person may read. What the agent had already stays. Whom it is of use to is looked at
/// when it is searched.
///
/// # Errors
/// [`Problem::Invalid`], with what there is.
pub(super) async fn collections(
    home: &Home,
    member: &Member,
    had: &[String],
    named: Vec<String>,
) -> Result<Vec<String>, CommandError> {
    if named.iter().all(|one| had.contains(one)) {
        return Ok(named);
    }
    let all = all(home).await?;
    let mut ids: Vec<String> = Vec::new();
    for one in named {
        let id = match found(&all, member, &one) {
            Some(found) => found.id.to_string(),
            None if had.contains(&one) => one,
            None => {
                let readable = all.iter().filter(|one| one.is_readable_by(&member.id));
                return Err(no_such(&one, readable).into());
            }
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

async fn all(home: &Home) -> Result<Vec<Collection>, StoreError> {
    let all = repo::all::<Collection>(&home.team);
    let all = repo::collect::<Collection>(&*home.store, all).await?;
    Ok(all.into_iter().map(|stored| stored.value).collect())
}

fn found<'a>(all: &'a [Collection], member: &Member, named: &str) -> Option<&'a Collection> {
    let by_id = all.iter().find(|known| known.id.as_str() == named);
    let by_name = all
        .iter()
        .filter(|known| known.is_readable_by(&member.id) && known.name == named);
    // Of two with one name their own.
    by_id.or(by_name.max_by_key(|known| known.owner.is_some()))
}

/// An agent's collections as this person calls them: by name where they may see it here and it means that collection to them, else by id.
///
/// # Errors
/// What the store answers.
pub async fn known_as(
    home: &Home,
    reader: Reader<'_>,
    agent: &Agent,
) -> Result<Vec<String>, StoreError> {
    if agent.knowledge_ids.is_empty() {
        return Ok(Vec::new());
    }
    let all = all(home).await?;
    let known_as = |id: &String| {
        let one = all.iter().find(|one| one.id.as_str() == id)?;
        let means_it = found(&all, reader.member, &one.name)? == one;
        (means_it && reader.may_read(one)).then(|| one.name.clone())
    };
    let name = |id| known_as(id).unwrap_or_else(|| id.clone());
    Ok(agent.knowledge_ids.iter().map(name).collect())
}

fn no_such<'a>(name: &str, known: impl Iterator<Item = &'a Collection>) -> Problem {
    let mut names: Vec<&str> = known.map(|known| known.name.as_str()).collect();
    names.sort_unstable();
    let known = match names.is_empty() {
        true => "There is none yet.".to_owned(),
        false => format!("There are {}.", names.join(", ")),
    };
    Problem::Invalid(format!("There is no collection “{name}”. {known}"))
}
