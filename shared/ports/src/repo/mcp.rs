//! Tool servers. What they are stands in `domain::mcp`.

use super::Entity;
use crate::store::Table;
use domain::mcp::McpServer;

/// Id: the server's name.
pub static MCP_SERVERS: Table = Table {
    name: "mcp_servers",
    indexes: &[],
};

impl Entity for McpServer {
    const TABLE: &'static Table = &MCP_SERVERS;
    fn id(&self) -> String {
        self.name.clone()
    }
}
