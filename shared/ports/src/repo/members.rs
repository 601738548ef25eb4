//! Members and the invites that make them.

use super::Entity;
use crate::store::{Index, Table};
use domain::member::{Invite, Member};

pub static MEMBERS: Table = Table {
    name: "members",
    indexes: &[Index {
        name: "by_role",
        partition: "role",
        sort: "created_at",
    }],
};
pub static INVITES: Table = Table {
    name: "invites",
    indexes: &[],
};

impl Entity for Member {
    const TABLE: &'static Table = &MEMBERS;
    fn id(&self) -> String {
        self.id.as_str().to_owned()
    }
}

impl Entity for Invite {
    const TABLE: &'static Table = &INVITES;
    fn id(&self) -> String {
        self.code_digest.as_str().to_owned()
    }
}
