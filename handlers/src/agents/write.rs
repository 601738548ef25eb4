//! The one way in which agents change: record, version and audit in one commit.

use crate::{CommandError, Home, audit, versions};
use domain::{agent::Agent, run::Actor};
use ports::{
    repo::{self, Stored},
    store::Op,
};
use serde_json::{Value, json};

/// An agent that changed.
pub(super) struct Written {
    deed: &'static str,
    /// None: it is new.
    before: Option<Stored<Agent>>,
    /// None: it is gone.
    after: Option<Agent>,
    undoes: Option<u64>,
}

impl Written {
    pub fn created(agent: Agent) -> Self {
        Self {
            deed: "created",
            before: None,
            after: Some(agent),
            undoes: None,
        }
    }

    pub fn changed(before: Stored<Agent>, after: Agent) -> Self {
        Self {
            deed: "changed",
            before: Some(before),
            after: Some(after),
            undoes: None,
        }
    }

    pub fn deleted(agent: Stored<Agent>) -> Self {
        Self {
            deed: "deleted",
            before: Some(agent),
            after: None,
            undoes: None,
        }
    }

    /// Back to what it was before the version of this number.
    pub fn undone(before: Option<Stored<Agent>>, after: Agent, number: u64) -> Self {
        Self {
            deed: "undone",
            before,
            after: Some(after),
            undoes: Some(number),
        }
    }
}

/// The stream of an agent's versions.
pub(super) fn stream(id: &str) -> String {
    format!("agent:{id}")
}

pub(super) async fn write(
    home: &Home,
    actor: &Actor,
    written: Written,
) -> Result<Vec<Op>, CommandError> {
    let Written {
        deed,
        before,
        after,
        undoes,
    } = written;
    let mut ops = Vec::new();
    let Some(agent) = after
        .as_ref()
        .or(before.as_ref().map(|stored| &stored.value))
    else {
        return Ok(ops);
    };
    let stream = stream(agent.id.as_str());
    let did = audit::deed(&format!("agent.{deed}"), actor, &agent.id, detail(agent));
    ops.extend(audit::append(home, &stream, vec![did]).await?);
    let change = versions::Changed {
        record: agent.id.to_string(),
        deed,
        before: document(before.as_ref().map(|stored| &stored.value))?,
        after: document(after.as_ref())?,
        undoes,
    };
    ops.push(versions::note(home, &stream, actor, vec![change]).await?);
    ops.push(match (after, before) {
        (Some(after), before) => {
            repo::put(&home.team, &after, before.map(|before| before.version))?
        }
        (None, Some(before)) => repo::delete(&home.team, &before),
        (None, None) => return Ok(ops),
    });
    Ok(ops)
}

fn document(agent: Option<&Agent>) -> Result<Option<Value>, serde_json::Error> {
    agent.map(serde_json::to_value).transpose()
}

fn detail(agent: &Agent) -> Value {
    json!({"name": agent.name, "version": agent.version, "status": agent.status, "preset": agent.permissions.preset})
}
