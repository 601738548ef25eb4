//! Into which collection a file goes.

use crate::{
    CommandError, Draft, Home,
    knowledge::{self, Reader},
};
use domain::knowledge::Collection;

/// Where files go of which nobody says where: a collection of the team.
pub const DEFAULT: &str = "docs";

/// The collection of this name, made as the team's where there is none yet. Without a name, [`DEFAULT`].
///
/// # Errors
/// [`crate::Problem`]s: not allowed, not a name.
pub async fn place(
    home: &Home,
    reader: Reader<'_>,
    name: Option<&str>,
) -> Result<Draft<Collection>, CommandError> {
    let name = name.unwrap_or(DEFAULT);
    let all = knowledge::list(home, reader).await?;
    let fits = |one: &Collection| one.name == name || one.id.as_str() == name;
    match all.into_iter().find(fits) {
        Some(found) => Ok(Draft::fact(found)),
        None => knowledge::create(home, reader, name, false).await,
    }
}
