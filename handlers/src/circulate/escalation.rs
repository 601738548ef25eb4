//! The team's own answer to how long a card waits before it is sent on, for cards of which no rule says it.

use crate::{CommandError, Draft, Home, Problem, audit};
use domain::member::{Deed, Member, Role, may};
use ports::{
    repo::{self, settings::Setting},
    store::StoreError,
};
use serde_json::json;
use std::time::Duration;

const SETTING: &str = "escalate_after_s";

/// In seconds; `None` is never.
///
/// # Errors
/// What the store answers.
pub async fn escalation(home: &Home) -> Result<Option<u64>, StoreError> {
    let setting = repo::get::<Setting>(&*home.store, &home.team, SETTING).await?;
    Ok(setting.and_then(|setting| setting.value.value.as_u64()))
}

/// For cards from now on; `None` is never.
///
/// # Errors
/// [`Problem::NotAllowed`].
pub async fn set_escalation(
    home: &Home,
    by: &Member,
    after: Option<Duration>,
) -> Result<Draft<()>, CommandError> {
    if !may(by.role, Deed::Configure) {
        let needed = Role::Owner;
        return Err(Problem::NotAllowed { needed }.into());
    }
    let before = repo::get::<Setting>(&*home.store, &home.team, SETTING).await?;
    let setting = Setting {
        name: SETTING.to_owned(),
        value: json!(after.map(|after| after.as_secs())),
    };
    let version = before.map(|before| before.version);
    let mut ops = vec![repo::put(&home.team, &setting, version)?];
    let actor = format!("member:{}", by.id);
    let deed = audit::deed(
        "setting.changed",
        actor,
        SETTING,
        json!({"value": setting.value}),
    );
    ops.extend(audit::append(home, "team", vec![deed]).await?);
    Ok(Draft::new(ops, ()))
}
