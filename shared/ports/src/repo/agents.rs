//! Agents, found by their name and by their status. What an agent is stands in `domain::agent`.

use super::Entity;
use crate::store::{Index, Table};
use domain::agent::Agent;

pub static AGENTS: Table = Table {
    name: "agents",
    indexes: &[
        Index {
            name: "by_name",
            partition: "name",
            sort: "created_at",
        },
        Index {
            name: "by_status",
            partition: "status",
            sort: "name",
        },
    ],
};

impl Entity for Agent {
    const TABLE: &'static Table = &AGENTS;
    fn id(&self) -> String {
        self.id.as_str().to_owned()
    }
}
