//! The catalog's agents, made once.

use super::{
    blank,
    change::apply,
    write::{Written, write},
};
use crate::{CommandError, Draft, Home};
use domain::{agent::Agent, run::Actor};
use ports::repo::{self, settings::Setting};
use serde_json::{Value, json};

/// Name of the setting that lists the catalog's agents that were made once.
const SEEDED: &str = "seeded_agents";

/// The catalog's agents that the team does not have and never had: for the first start, and for what a newer version brings.
///
/// # Errors
/// What the store answers.
pub async fn seed(
    home: &Home,
    templates: &[catalog::AgentTemplate],
) -> Result<Draft<usize>, CommandError> {
    let setting = repo::get::<Setting>(&*home.store, &home.team, SEEDED).await?;
    let (value, version) = setting.map_or((Value::Null, None), |setting| {
        (setting.value.value, Some(setting.version))
    });
    let mut seeded: Vec<String> = serde_json::from_value(value).unwrap_or_default();
    let known = seeded.len();
    let (mut ops, mut added) = (Vec::new(), 0);
    for template in templates {
        if seeded.contains(&template.name) {
            continue;
        }
        seeded.push(template.name.clone());
        if repo::get::<Agent>(&*home.store, &home.team, &template.name)
            .await?
            .is_some()
        {
            continue;
        }
        let mut agent = blank(home, &template.name);
        apply(&mut agent, template.clone().into()).map_err(CommandError::Problem)?;
        ops.extend(write(home, &Actor::System, Written::created(agent)).await?);
        added += 1;
    }
    if seeded.len() > known {
        let (name, value) = (SEEDED.to_owned(), json!(seeded));
        ops.push(repo::put(&home.team, &Setting { name, value }, version)?);
    }
    Ok(Draft::new(ops, added))
}
