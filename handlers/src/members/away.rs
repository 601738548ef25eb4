//! Being away: for a while somebody is sent no cards, and who stands in for them decides what they could.

use crate::{CommandError, Draft, Home, Problem, audit};
use domain::{
    id::MemberId,
    member::{Away, Deed, Member, may},
};
use ports::repo::{self, Stored};
use serde_json::json;
use std::time::Duration;

/// The longest absence that can be said at once.
const AT_MOST: Duration = Duration::from_secs(90 * 24 * 3600);

/// Away for a span from now. `deputy` is a member's id or name.
///
/// # Errors
/// [`Problem`]s: no such member, several, one who may not decide anything, a span that is none.
pub async fn away(
    home: &Home,
    person: &MemberId,
    span: Duration,
    deputy: Option<&str>,
) -> Result<Draft<Member>, CommandError> {
    if span.is_zero() || span > AT_MOST {
        let text = "You can be away for 90 days at most; then say so again.";
        return Err(Problem::Invalid(text.to_owned()).into());
    }
    let deputy = match deputy {
        Some(name) => Some(deputy_named(home, person, name).await?),
        None => None,
    };
    let away = Away {
        until: home.now().plus(span),
        deputy: deputy.map(|deputy| deputy.id),
    };
    let detail = json!({"until": away.until, "deputy": away.deputy});
    set(home, person, Some(away), "member.away", detail).await
}

/// Here again.
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn back(home: &Home, person: &MemberId) -> Result<Draft<Member>, CommandError> {
    set(home, person, None, "member.back", json!({})).await
}

async fn deputy_named(home: &Home, person: &MemberId, name: &str) -> Result<Member, CommandError> {
    let deputy = named(home, name).await?;
    if deputy.id == *person {
        let text = "Nobody stands in for themselves: name somebody else.";
        return Err(Problem::Invalid(text.to_owned()).into());
    }
    if !may(deputy.role, Deed::Decide) {
        let text = format!(
            "{} is a {} and decides nothing, for you neither.",
            deputy.name, deputy.role
        );
        return Err(Problem::Invalid(text).into());
    }
    Ok(deputy)
}

/// A member by id or by name.
///
/// # Errors
/// [`Problem::NotFound`], [`Problem::Ambiguous`].
pub async fn named(home: &Home, name: &str) -> Result<Member, CommandError> {
    let (what, name) = ("member", name.trim());
    let fits = |member: &Member| {
        member.id.as_str() == name || member.name.to_lowercase() == name.to_lowercase()
    };
    let members = super::list(home).await?;
    let mut fitting = members.into_iter().filter(fits);
    let name = name.to_owned();
    match (fitting.next(), fitting.next()) {
        (Some(member), None) => Ok(member),
        (None, _) => Err(Problem::NotFound { what, name }.into()),
        (Some(_), Some(_)) => Err(Problem::Ambiguous { what, name }.into()),
    }
}

async fn set(
    home: &Home,
    person: &MemberId,
    away: Option<Away>,
    action: &str,
    detail: serde_json::Value,
) -> Result<Draft<Member>, CommandError> {
    let not_found = || Problem::NotFound {
        what: "member",
        name: person.to_string(),
    };
    let Stored { mut value, version } =
        repo::get::<Member>(&*home.store, &home.team, person.as_str())
            .await?
            .ok_or_else(not_found)?;
    value.away = away;
    let stream = format!("member:{person}");
    let deed = audit::deed(action, &stream, person, detail);
    let fact = value.clone();
    let mut ops = vec![repo::update(&home.team, &Stored { value, version })?];
    ops.extend(audit::append(home, &stream, vec![deed]).await?);
    Ok(Draft::new(ops, fact))
}
