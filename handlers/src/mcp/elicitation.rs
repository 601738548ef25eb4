//! Whether a server may ask people.

use super::{changed, configures, find, history::noted};
use crate::{CommandError, Draft, Home};
use domain::{mcp::McpServer, member::Member};

/// Whether it may ask people something in the middle of a call. Every process connects to it anew, so that it learns of this.
///
/// # Errors
/// [`Problem`](crate::Problem)s: not allowed, not found.
pub async fn elicitation(
    home: &Home,
    member: &Member,
    name: &str,
    on: bool,
) -> Result<Draft<McpServer>, CommandError> {
    configures(member)?;
    let mut stored = find(home, name).await?;
    if stored.value.elicitation == on {
        return Ok(Draft::fact(stored.value));
    }
    let before = stored.value.clone();
    stored.value.elicitation = on;
    let mut ops = changed(home, member, &mut stored, "mcp.changed").await?;
    let both = (Some(&before), Some(&stored.value));
    ops.extend(noted(home, member, ("changed", None), both).await?);
    Ok(Draft::new(ops, stored.value))
}
