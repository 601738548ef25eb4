//! Approvals, found by their status (for the tick and for lists) and by their run. What one is stands in `domain::approval`.

use super::Entity;
use crate::store::{Index, Table};
use domain::approval::Approval;

pub static APPROVALS: Table = Table {
    name: "approvals",
    indexes: &[
        // For the tick: what expires next. For lists: what is pending.
        Index {
            name: "by_status",
            partition: "status",
            sort: "expires_at",
        },
        Index {
            name: "by_run",
            partition: "run",
            sort: "asked_at",
        },
    ],
};

impl Entity for Approval {
    const TABLE: &'static Table = &APPROVALS;
    fn id(&self) -> String {
        self.id.as_str().to_owned()
    }
}
