//! The team's own permission rules (those of agents stand in the agent, presets in the catalog).

use super::Entity;
use crate::store::Table;
use domain::permission::Rule;

pub static PERMISSION_RULES: Table = Table {
    name: "permission_rules",
    indexes: &[],
};

impl Entity for Rule {
    const TABLE: &'static Table = &PERMISSION_RULES;
    fn id(&self) -> String {
        self.id.as_str().to_owned()
    }
}
