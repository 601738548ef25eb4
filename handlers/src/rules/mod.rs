//! The team's permission rules: listed, added, removed.

mod force;
mod write;

use crate::{CommandError, Draft, Home, Problem, decide, members, queries};
use domain::{
    approval::Approval,
    id::RuleId,
    member::{Deed, Member, Role, may},
    permission::{NewRule, Rule},
    run::Actor,
};
pub use force::InForce;
use ports::{
    repo::{self, Stored},
    store::StoreError,
};
pub use write::{Past, history, take_back};
pub(crate) use write::{Written, write};

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
    let ops = write(home, &by(member), vec![Written::added(rule.clone())], None).await?;
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
            let rule = stored.value.clone();
            let ops = write(home, &by(member), vec![Written::removed(stored)], None).await?;
            Ok(Draft::new(ops, rule))
        }
    }
}

/// What [`undo`] took back.
#[derive(Clone, PartialEq, Debug)]
pub struct Undone {
    pub approval: Approval,
    /// None where they were gone already.
    pub rules: Vec<Rule>,
}

/// Takes back exactly the rules that an “Always” added: those of this approval, by its id or the id's end. A second time nothing
/// is left to do.
///
/// # Errors
/// [`Problem`]s: not allowed, not found, ambiguous, an approval that added none.
pub async fn undo(home: &Home, member: &Member, id: &str) -> Result<Draft<Undone>, CommandError> {
    configures(member)?;
    let Stored { mut value, version } = queries::approval(home, id).await?;
    let (mut removed, mut rules) = (Vec::new(), Vec::new());
    for rule in &value.always {
        // Its id was made for this card: a rule with it is the one that was added there.
        let stored = repo::get::<Rule>(&*home.store, &home.team, rule.id.as_str()).await?;
        let Some(stored) = stored else { continue };
        rules.push(stored.value.clone());
        removed.push(Written::removed(stored));
    }
    let mut ops = write(home, &by(member), removed, Some(&value.id)).await?;
    if value.standing {
        value.standing = false;
        let approval = value.clone();
        ops.push(repo::update(
            &home.team,
            &Stored {
                value: approval.clone(),
                version,
            },
        )?);
        let by = match &approval.decided_by {
            Some(by) => members::find(home, by).await?.map(|member| member.name),
            None => None,
        };
        let notice = decide::settled(&approval, by.unwrap_or_default());
        ops.extend(decide::show(home, &approval, &notice).await?);
    }
    let approval = value;
    Ok(Draft::new(ops, Undone { approval, rules }))
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

fn by(member: &Member) -> Actor {
    Actor::Member(member.id.clone())
}
