//! The one way in which the team's rules change: record, version and audit in one commit; and the way back.

use super::{by, configures};
use crate::{CommandError, Draft, Home, Problem, audit, versions};
use domain::{Micros, id::ApprovalId, member::Member, permission::Rule, run::Actor, version};
use ports::{
    repo::{self, Stored},
    store::Op,
};
use serde_json::{Value, json};

/// The stream of their versions.
const STREAM: &str = "rules";

/// A rule that comes or goes.
pub(crate) struct Written {
    before: Option<Stored<Rule>>,
    after: Option<Rule>,
    undoes: Option<u64>,
}

impl Written {
    pub fn added(rule: Rule) -> Self {
        Self {
            before: None,
            after: Some(rule),
            undoes: None,
        }
    }

    pub fn removed(rule: Stored<Rule>) -> Self {
        Self {
            before: Some(rule),
            after: None,
            undoes: None,
        }
    }

    fn deed(&self) -> &'static str {
        match (self.undoes, &self.after) {
            (Some(_), _) => "undone",
            (None, Some(_)) => "created",
            (None, None) => "deleted",
        }
    }
}

/// `from` is the approval by whose card they come or go.
pub(crate) async fn write(
    home: &Home,
    actor: &Actor,
    written: Vec<Written>,
    from: Option<&ApprovalId>,
) -> Result<Vec<Op>, CommandError> {
    let (mut ops, mut deeds, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for change in written {
        let deed = change.deed();
        let (action, op, rule) = match (change.after.clone(), &change.before) {
            (Some(rule), _) => ("rule.added", repo::create(&home.team, &rule)?, rule),
            (None, Some(before)) => (
                "rule.removed",
                repo::delete(&home.team, before),
                before.value.clone(),
            ),
            (None, None) => continue,
        };
        ops.push(op);
        let mut detail = json!({"rule": rule.to_string()});
        if let Some(from) = from {
            detail["from"] = json!(from);
        }
        deeds.push(audit::deed(action, actor, &rule.id, detail));
        changes.push(versions::Changed {
            record: rule.id.to_string(),
            deed,
            before: document(change.before.as_ref().map(|stored| &stored.value))?,
            after: document(change.after.as_ref())?,
            undoes: change.undoes,
        });
    }
    if !ops.is_empty() {
        ops.extend(audit::append(home, "team", deeds).await?);
        ops.push(versions::note(home, STREAM, actor, changes).await?);
    }
    Ok(ops)
}

fn document(rule: Option<&Rule>) -> Result<Option<Value>, serde_json::Error> {
    rule.map(serde_json::to_value).transpose()
}

/// A rule that came or went.
#[derive(Clone, PartialEq, serde::Serialize, Debug)]
pub struct Past {
    pub number: u64,
    pub at: Micros,
    pub by: String,
    pub rule: Rule,
    /// Else it went.
    pub came: bool,
    pub undoes: Option<u64>,
}

/// All comings and goings of the team's rules, oldest first.
///
/// # Errors
/// What the store answers.
pub async fn history(home: &Home) -> Result<Vec<Past>, CommandError> {
    let versions = versions::of(home, STREAM).await?;
    let mut past = Vec::with_capacity(versions.len());
    for (at, entry) in versions.iter().enumerate() {
        let doc = entry.doc.as_ref().or(version::before(&versions, at));
        let Some(doc) = doc else { continue };
        past.push(Past {
            number: at as u64 + 1,
            at: entry.at,
            by: versions::who(home, &entry.actor).await?,
            rule: serde_json::from_value(doc.clone())?,
            came: entry.doc.is_some(),
            undoes: entry.undoes,
        });
    }
    Ok(past)
}

/// Takes the latest change of the team's rules back that was not taken back yet: the rule, and whether it came again.
///
/// # Errors
/// [`Problem`]s: not allowed; invalid, where nothing is left to take back.
pub async fn take_back(home: &Home, member: &Member) -> Result<Draft<(Rule, bool)>, CommandError> {
    configures(member)?;
    let versions = versions::of(home, STREAM).await?;
    let Some(undo) = version::undo(&versions) else {
        let why = "There is no change of the rules to take back.".to_owned();
        return Err(Problem::Invalid(why).into());
    };
    let id = &undo.version.record;
    let before = repo::get::<Rule>(&*home.store, &home.team, id).await?;
    let after: Option<Rule> = undo
        .before
        .cloned()
        .map(serde_json::from_value)
        .transpose()?;
    let came = after.is_some();
    let Some(rule) = after
        .clone()
        .or(before.as_ref().map(|rule| rule.value.clone()))
    else {
        let (what, name) = ("rule", id.clone());
        return Err(Problem::NotFound { what, name }.into());
    };
    let undoes = Some(undo.number);
    let written = Written {
        before,
        after,
        undoes,
    };
    let ops = write(home, &by(member), vec![written], None).await?;
    Ok(Draft::new(ops, (rule, came)))
}
