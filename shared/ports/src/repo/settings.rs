//! Small settings of a team by name, each a JSON value: a poll offset per token, the default agent.

use super::Entity;
use crate::store::Table;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub static SETTINGS: Table = Table {
    name: "settings",
    indexes: &[],
};

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Setting {
    pub name: String,
    pub value: Value,
}

impl Entity for Setting {
    const TABLE: &'static Table = &SETTINGS;
    fn id(&self) -> String {
        self.name.clone()
    }
}
