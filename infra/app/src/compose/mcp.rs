//! What agents can call: the built-in tools and those of servers, to and from which no secret goes but the ones they are given.

use super::{BadStart, search, secrets};
use crate::config::{Config, environment::EnvironmentSecrets};
use crate::crash;
use handlers::tool::{self, Tools};
use mcp_rmcp::{Bench, Servers, pace::Pace};
use ports::{Mcp, Secrets};
use std::sync::Arc;

/// Without a bench only servers elsewhere are reached.
///
/// # Errors
/// [`BadStart`] when the file of secrets can't be used.
pub fn tools(config: &Config, bench: Option<Bench>) -> Result<Tools, BadStart> {
    let configured = EnvironmentSecrets(config.secrets.clone());
    let mut sources: Vec<Arc<dyn Secrets>> = vec![Arc::new(configured)];
    if let Some(file) = secrets::file(config)? {
        sources.push(Arc::new(file));
    }
    let servers: Arc<dyn Mcp> = Arc::new(Servers::new(bench, sources, Pace::default()));
    let tools = tool::all().with_servers(config.redaction.over(crash::servers(servers)));
    Ok(tools.with_search(search::of_tools(config)))
}
