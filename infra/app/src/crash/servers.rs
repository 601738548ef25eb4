//! Points around what a tool server is called for.

use super::{
    Point,
    armed::{Perilous, reached},
};
use domain::mcp::McpServer;
use ports::{
    Mcp,
    mcp::{McpAnswer, McpCall, McpError, Offer},
    sandbox::Cancel,
};
use std::{path::Path, sync::Arc};

#[must_use]
pub fn servers(servers: Arc<dyn Mcp>) -> Arc<dyn Mcp> {
    Arc::new(Perilous(servers))
}

#[async_trait::async_trait]
impl Mcp for Perilous<dyn Mcp> {
    async fn tools(&self, server: &McpServer, place: Option<&Path>) -> Result<Offer, McpError> {
        self.0.tools(server, place).await
    }

    async fn call(
        &self,
        server: &McpServer,
        place: Option<&Path>,
        call: &McpCall,
        cancel: &Cancel,
    ) -> Result<McpAnswer, McpError> {
        reached(Point::ServerBefore);
        let answer = self.0.call(server, place, call, cancel).await;
        reached(Point::ServerAfter);
        answer
    }
}
