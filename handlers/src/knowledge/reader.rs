//! Who gets something, and who else would see it.

use domain::{
    id::{MemberId, SessionId},
    knowledge::Collection,
    member::Member,
};

/// Somebody who reads, at a place.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    pub member: &'a Member,
    /// Nobody else reads along: what is this person's alone is shown here.
    pub alone: bool,
}

impl<'a> Reader<'a> {
    /// In a group nobody's own collections are looked at, on nobody's behalf: an answer would show them to all.
    #[must_use]
    pub fn at(member: &'a Member, session: &SessionId) -> Self {
        let alone = Self::is_alone(&member.id, session);
        Self { member, alone }
    }

    /// Whether nobody else reads along there.
    #[must_use]
    pub fn is_alone(member: &MemberId, session: &SessionId) -> bool {
        session.as_str() == member.as_str() || session.as_str().starts_with("terminal:")
    }

    #[must_use]
    pub fn may_read(&self, collection: &Collection) -> bool {
        collection.is_readable_by(&self.member.id) && (self.alone || collection.owner.is_none())
    }
}
