//! Where a message that may be edited later was put. Written when the sender knows the message's id. Also the newest edit of each
//! card that was stored, so that those before it need not be sent: `edit:approval:<id>@<address>`, with the job's id.

use super::Entity;
use crate::store::{Index, Table};
use domain::Micros;
use serde::{Deserialize, Serialize};

pub static SENT_MESSAGES: Table = Table {
    name: "sent_messages",
    indexes: &[Index {
        name: "by_age",
        partition: "surface",
        sort: "at",
    }],
};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct SentMessage {
    /// What the message shows, and where: `approval:<id>@<address>`, `status:<run>@<address>`.
    pub id: String,
    pub surface: String,
    /// The surface's own id of the message.
    pub message: String,
    pub at: Micros,
}

impl Entity for SentMessage {
    const TABLE: &'static Table = &SENT_MESSAGES;
    fn id(&self) -> String {
        self.id.clone()
    }
}
