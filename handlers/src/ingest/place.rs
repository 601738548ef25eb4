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
    knowledge::find_or_create(home, reader, name.unwrap_or(DEFAULT)).await
}
