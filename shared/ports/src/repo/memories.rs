//! Memories, each found by whose it is. What one is stands in `domain::memory`.

use super::Entity;
use crate::store::Table;
use domain::memory::Memory;

/// Id: [`domain::memory::Layer::key`].
pub static MEMORIES: Table = Table {
    name: "memories",
    indexes: &[],
};

impl Entity for Memory {
    const TABLE: &'static Table = &MEMORIES;
    fn id(&self) -> String {
        self.id.clone()
    }
}
