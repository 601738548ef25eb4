//! Who a person is and what their role lets them do. Decisions check the person, never the chat.

use crate::{Digest, Micros, id::MemberId};
use serde::{Deserialize, Serialize};

/// Ordered: each role may do what the one before it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Runs agents, and approves where a rule lets them.
    Operator,
    /// Everything, members included.
    Owner,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Owner => "owner",
        })
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Member {
    pub id: MemberId,
    pub name: String,
    pub role: Role,
    /// IANA name; times are shown in it. Empty means UTC.
    #[serde(default)]
    pub zone: String,
    /// The chat where the system itself reaches this person (seals, alerts), as an address; empty if there is none yet.
    #[serde(default)]
    pub home: String,
    /// Set while they are away, and maybe longer: it ends by its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Away>,
    pub created_at: Micros,
}

/// Not there for a while. Cards are not sent to somebody who is away; who stands in for them decides what they could.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Away {
    pub until: Micros,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deputy: Option<MemberId>,
}

impl Member {
    /// Their absence, if they are away at that time.
    #[must_use]
    pub fn away_at(&self, now: Micros) -> Option<&Away> {
        self.away.as_ref().filter(|away| now < away.until)
    }

    #[must_use]
    pub fn stands_in_for(&self, absent: &Member, now: Micros) -> bool {
        let away = absent.away_at(now);
        away.is_some_and(|away| away.deputy.as_ref() == Some(&self.id)) && absent.id != self.id
    }
}

/// A one-time way in. Only the code's digest is kept; the record's key is that digest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Invite {
    pub code_digest: Digest,
    pub role: Role,
    pub created_by: MemberId,
    pub created_at: Micros,
    pub expires_at: Micros,
    #[serde(default)]
    pub used_by: Option<MemberId>,
}

/// What somebody wants to do, for the one place that says who may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    Read,
    Run,
    /// Decide on an approval.
    Decide,
    /// Agents, rules, settings.
    Configure,
    ManageMembers,
}

/// Whether a role may do a deed at all. A rule can narrow `Decide` further (`Approval::approvers`, `Approval::persons`).
#[must_use]
pub fn may(role: Role, deed: Deed) -> bool {
    match deed {
        Deed::Read => true,
        Deed::Run | Deed::Decide => role >= Role::Operator,
        Deed::Configure | Deed::ManageMembers => role == Role::Owner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_role_may_do() {
        let deeds = [
            Deed::Read,
            Deed::Run,
            Deed::Decide,
            Deed::Configure,
            Deed::ManageMembers,
        ];
        let allowed = |role| deeds.iter().filter(|deed| may(role, **deed)).count();
        assert_eq!(
            [Role::Viewer, Role::Operator, Role::Owner].map(allowed),
            [1, 3, 5]
        );
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Owner);
    }

    #[test]
    fn roles_have_one_spelling() {
        for role in [Role::Viewer, Role::Operator, Role::Owner] {
            assert_eq!(serde_json::to_value(role).unwrap(), role.to_string());
        }
    }
}
