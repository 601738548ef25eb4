//! Who decides: a person of the role that is needed, one who stands in for such a person, or several different ones.
//!
//! Every yes is a vote, and as many votes as `persons` says are an approval. Where it takes several, nobody is counted twice: not
//! by voting again, not in the place of somebody who voted or whose place somebody took, and never who asked for the run or wrote
//! what the call says.

use super::{Approval, Refusal};
use crate::{
    Digest, Micros,
    id::{MemberId, SessionId},
    member::{Deed, Member, Role, may},
};
use serde::{Deserialize, Serialize};

/// A person with the name of then.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Named {
    pub id: MemberId,
    pub name: String,
}

impl From<&Member> for Named {
    fn from(member: &Member) -> Self {
        Self {
            id: member.id.clone(),
            name: member.name.clone(),
        }
    }
}

/// A yes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Vote {
    pub by: Named,
    /// In whose place.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Named>,
    pub at: Micros,
    /// Of what was shown.
    pub digest: Digest,
    /// That it happened, where the others are for running it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub happened: bool,
}

impl Vote {
    /// Whose role it takes.
    #[must_use]
    pub fn authority(&self) -> &MemberId {
        &self.instead_of.as_ref().unwrap_or(&self.by).id
    }

    fn is_of(&self, person: &MemberId) -> bool {
        self.by.id == *person || self.authority() == person
    }
}

/// Who wants to decide, with the roles of now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Voter {
    pub by: Named,
    pub role: Role,
    /// Somebody who is away and whose place they take, and that person's role.
    pub instead_of: Option<(Named, Role)>,
}

impl Voter {
    #[must_use]
    pub fn of(member: &Member) -> Self {
        Self {
            by: member.into(),
            role: member.role,
            instead_of: None,
        }
    }

    #[must_use]
    pub fn in_place_of(mut self, absent: &Member) -> Self {
        self.instead_of = Some((absent.into(), absent.role));
        self
    }

    /// By role. A deputy decides what the absent could, if they are somebody who decides at all.
    #[must_use]
    pub fn may_decide(&self, approval: &Approval) -> bool {
        let lent = self
            .instead_of
            .as_ref()
            .map_or(self.role, |(_, role)| *role);
        may(self.role, Deed::Decide) && lent >= approval.needed()
    }

    fn is(&self, person: &MemberId) -> bool {
        let absent = self.instead_of.as_ref();
        self.by.id == *person || absent.is_some_and(|(absent, _)| absent.id == *person)
    }
}

/// A place where the card was sent besides the session in which it was asked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct SentTo {
    pub to: MemberId,
    /// Their home chat.
    pub place: SessionId,
    pub at: Micros,
    /// They are sent it in this person's place.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Named>,
    /// Because those before them did not decide.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub escalated: bool,
}

impl Approval {
    /// The lowest role that may decide; a rule can't let viewers.
    #[must_use]
    pub fn needed(&self) -> Role {
        self.approvers.max(Role::Operator)
    }

    /// Whether this person's yes would count.
    pub(super) fn may_vote(&self, who: &Voter, happened: bool) -> Result<(), Refusal> {
        if self.persons > 1 && who.is(&self.requester) {
            return Err(Refusal::OwnRequest);
        }
        let author = self
            .change
            .as_ref()
            .and_then(|change| change.author.as_ref());
        if self.persons > 1 && author.is_some_and(|author| who.is(author)) {
            return Err(Refusal::OwnChange);
        }
        let counted = |vote: &Vote| {
            let absent = who.instead_of.as_ref();
            vote.digest == self.digest
                && vote.happened == happened
                && (vote.is_of(&who.by.id)
                    || absent.is_some_and(|(absent, _)| vote.is_of(&absent.id)))
        };
        if self.votes.iter().any(counted) {
            return Err(Refusal::Voted);
        }
        Ok(())
    }

    /// Takes out the votes that are worth nothing now: of something else than what is shown, of persons who may not decide any
    /// more, in the place of somebody who is here again or has another deputy. `member` is a member as they are now, `None` for who
    /// is none any more. Answers those.
    pub fn drop_fallen<'a>(
        &mut self,
        member: impl Fn(&MemberId) -> Option<&'a Member>,
        now: Micros,
    ) -> Vec<Vote> {
        let (digest, needed) = (self.digest.clone(), self.needed());
        let stands = |vote: &Vote| {
            let (Some(by), Some(lender)) = (member(&vote.by.id), member(vote.authority())) else {
                return false;
            };
            vote.digest == digest
                && may(by.role, Deed::Decide)
                && lender.role >= needed
                && (by.id == lender.id || by.stands_in_for(lender, now))
        };
        let (stand, fallen) = std::mem::take(&mut self.votes)
            .into_iter()
            .partition(stands);
        self.votes = stand;
        fallen
    }

    /// Counts a yes that was [checked](super::check). `true`: it was the last that was needed. `happened` is what it says yes to;
    /// the votes for something else are gone with it, since all have to agree.
    pub fn count(&mut self, who: &Voter, happened: bool, at: Micros) -> bool {
        self.votes.retain(|vote| vote.happened == happened);
        self.votes.push(Vote {
            by: who.by.clone(),
            instead_of: who.instead_of.as_ref().map(|(absent, _)| absent.clone()),
            at,
            digest: self.digest.clone(),
            happened,
        });
        let counted = self.votes.iter().filter(|vote| vote.digest == self.digest);
        counted.count() >= self.persons as usize
    }

    /// Where the card is: the session, and where else it was sent.
    pub fn places(&self) -> impl Iterator<Item = &SessionId> {
        std::iter::once(&self.session).chain(self.sent.iter().map(|sent| &sent.place))
    }

    /// The card can't arrive there. `true`: nor anywhere else.
    pub fn lose(&mut self, place: &SessionId) -> bool {
        if !self.unreachable.contains(place) {
            self.unreachable.push(place.clone());
        }
        self.places().all(|place| self.unreachable.contains(place))
    }
}

pub(super) const fn one() -> u32 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(super) const fn is_one(persons: &u32) -> bool {
    *persons == 1
}
