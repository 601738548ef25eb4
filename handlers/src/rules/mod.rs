//! The team's permission rules: listed, added, removed.

use crate::{CommandError, Draft, Home, Problem, audit};
use domain::{
    id::RuleId,
    member::{Deed, Member, Role, may},
    permission::{NewRule, Rule},
};
use ports::{
    repo::{self, Stored},
    store::StoreError,
};
use serde_json::json;

/// All rules of the team, oldest first.
///
/// # Errors
/// What the store answers.
pub async fn list(home: &Home) -> Result<Vec<Rule>, StoreError> {
    let stored = repo::collect::<Rule>(&*home.store, repo::all::<Rule>(&home.team)).await?;
    Ok(stored.into_iter().map(|stored| stored.value).collect())
}

/// Adds a rule.
///
/// # Errors
/// [`Problem`]s: not allowed, invalid.
pub async fn add(home: &Home, member: &Member, rule: NewRule) -> Result<Draft<Rule>, CommandError> {
    configures(member)?;
    rule.check().map_err(Problem::Invalid)?;
    let rule = rule.into_rule(
        RuleId::new(home.chance.id()),
        Some(member.id.clone()),
        home.now(),
    );
    let mut ops = vec![repo::create(&home.team, &rule)?];
    ops.extend(audited(home, member, &rule, "rule.added").await?);
    Ok(Draft::new(ops, rule))
}

/// Removes a rule, by its id or the id's end.
///
/// # Errors
/// [`Problem`]s: not allowed, not found, ambiguous.
pub async fn remove(home: &Home, member: &Member, id: &str) -> Result<Draft<Rule>, CommandError> {
    configures(member)?;
    let rules = repo::collect::<Rule>(&*home.store, repo::all::<Rule>(&home.team)).await?;
    let mut fitting: Vec<Stored<Rule>> = rules
        .into_iter()
        .filter(|rule| !id.is_empty() && rule.value.id.as_str().ends_with(id))
        .collect();
    match (fitting.pop(), fitting.is_empty()) {
        (None, _) => Err(Problem::NotFound {
            what: "rule",
            name: id.to_owned(),
        }
        .into()),
        (Some(_), false) => Err(Problem::Ambiguous {
            what: "rule",
            name: id.to_owned(),
        }
        .into()),
        (Some(stored), true) => {
            let mut ops = vec![repo::delete(&home.team, &stored)];
            ops.extend(audited(home, member, &stored.value, "rule.removed").await?);
            Ok(Draft::new(ops, stored.value))
        }
    }
}

fn configures(member: &Member) -> Result<(), Problem> {
    if may(member.role, Deed::Configure) {
        Ok(())
    } else {
        Err(Problem::NotAllowed {
            needed: Role::Owner,
        })
    }
}

async fn audited(
    home: &Home,
    member: &Member,
    rule: &Rule,
    action: &str,
) -> Result<Vec<ports::store::Op>, StoreError> {
    let deed = audit::deed(
        action,
        format!("member:{}", member.id),
        &rule.id,
        json!({"rule": rule.to_string()}),
    );
    audit::append(home, "team", vec![deed]).await
}
