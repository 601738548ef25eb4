//! Models that no budget holds back, since nobody knows what they cost.

use domain::{
    agent::{Agent, AgentStatus},
    id::TeamId,
};
use ports::{
    Store,
    model::{ModelRef, Models},
    repo,
    store::StoreError,
};
use std::collections::BTreeSet;

/// The models of the team's agents that have no known price, `provider/model`.
///
/// # Errors
/// What the store answers.
pub async fn unpriced(
    store: &dyn Store,
    team: &TeamId,
    models: &Models,
) -> Result<Vec<String>, StoreError> {
    let mut wanted = BTreeSet::new();
    for agent in repo::collect::<Agent>(store, repo::all::<Agent>(team)).await? {
        let agent = agent.value;
        if agent.status == AgentStatus::Archived {
            continue;
        }
        let mut names = agent.models();
        if names.is_empty() {
            names.push(models.default.to_string());
        }
        wanted.extend(names);
    }
    let is_unpriced = |name: &String| {
        ModelRef::parse(name).is_ok_and(|name| {
            let model = models.providers.get(&name.provider);
            model.is_some_and(|model| !model.is_priced(&name.model))
        })
    };
    Ok(wanted.into_iter().filter(is_unpriced).collect())
}
