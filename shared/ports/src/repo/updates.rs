//! The inbox's memory: which updates were received. The update itself is the payload of its job; this only tells a second
//! delivery from a first.

use super::Entity;
use crate::store::{Index, Table};
use domain::Micros;
use serde::{Deserialize, Serialize};

pub static UPDATES: Table = Table {
    name: "updates",
    indexes: &[Index {
        name: "by_age",
        partition: "surface",
        sort: "received_at",
    }],
};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Update {
    /// `<surface's identity>:<update id>`, e.g. `telegram.123456:918273`.
    pub id: String,
    /// The surface's identity alone.
    pub surface: String,
    pub received_at: Micros,
}

impl Entity for Update {
    const TABLE: &'static Table = &UPDATES;
    fn id(&self) -> String {
        self.id.clone()
    }
}
