//! The collections that an agent is given: only such as there are.

use crate::{CommandError, Home, Problem};
use domain::{knowledge::Collection, member::Member};
use ports::repo;

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
    let all = repo::all::<Collection>(&home.team);
    let all = repo::collect::<Collection>(&*home.store, all).await?;
    let all: Vec<Collection> = all.into_iter().map(|stored| stored.value).collect();
    let readable = || all.iter().filter(|one| one.is_readable_by(&member.id));
    let mut ids: Vec<String> = Vec::new();
    for one in named {
        let by_id = all.iter().find(|known| known.id.as_str() == one);
        // Of two with one name their own.
        let by_name = readable().filter(|known| known.name == one);
        let found = by_id.or(by_name.max_by_key(|known| known.owner.is_some()));
        let id = match found {
            Some(found) => found.id.to_string(),
            None if had.contains(&one) => one,
            None => return Err(no_such(&one, readable()).into()),
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
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
