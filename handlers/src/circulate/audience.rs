//! Those who can decide a card and can be reached elsewhere than where it was asked.

use crate::Home;
use domain::{
    Micros,
    approval::{Approval, SentTo, Voter},
    id::SessionId,
    member::{Deed, Member, may},
};
use ports::store::StoreError;
use std::cmp::Reverse;

/// The team, the highest role first, and of one role who came first.
pub struct Audience(Vec<Member>);

impl Audience {
    /// # Errors
    /// What the store answers.
    pub async fn read(home: &Home) -> Result<Self, StoreError> {
        let mut members = crate::members::list(home).await?;
        members.sort_by_key(|member| (Reverse(member.role), member.created_at, member.id.clone()));
        Ok(Self(members))
    }

    /// Whether anybody but the requester has to see the card: they can't decide it, not alone, or are away.
    #[must_use]
    pub fn concerns(&self, approval: &Approval, now: Micros) -> bool {
        let requester = self.0.iter().find(|member| member.id == approval.requester);
        let alone = approval.persons < 2
            && requester.is_some_and(|member| Voter::of(member).may_decide(approval));
        !alone || requester.is_some_and(|member| member.away_at(now).is_some())
    }

    /// To whom a new card goes: all who can decide it, where the requester can't; else who stands in for the requester. Somebody who
    /// is away is spared, unless nobody else is left.
    #[must_use]
    pub fn first(&self, approval: &Approval, now: Micros) -> Vec<SentTo> {
        let requester = self.0.iter().find(|member| member.id == approval.requester);
        if approval.persons < 2
            && let Some(requester) = requester
            && Voter::of(requester).may_decide(approval)
        {
            return distinct(
                approval,
                self.deputies(approval, now, |absent| absent.id == requester.id),
            );
        }
        let mut to = self.present(approval, now);
        to.extend(self.deputies(approval, now, |_| true));
        match distinct(approval, to) {
            to if to.is_empty() => {
                let able = self.able(approval).map(|member| copy(member, now));
                distinct(approval, able.collect())
            }
            to => to,
        }
    }

    /// The next one to whom a card is sent on.
    #[must_use]
    pub fn next(&self, approval: &Approval, now: Micros) -> Option<SentTo> {
        let next = distinct(approval, self.present(approval, now))
            .into_iter()
            .next()?;
        Some(SentTo {
            escalated: true,
            ..next
        })
    }

    /// Who can decide by their own role. The requester sees the card where it was asked.
    fn able(&self, approval: &Approval) -> impl Iterator<Item = &Member> {
        let able = |member: &&Member| {
            member.id != approval.requester && Voter::of(member).may_decide(approval)
        };
        self.0.iter().filter(able)
    }

    fn present(&self, approval: &Approval, now: Micros) -> Vec<SentTo> {
        let here = self
            .able(approval)
            .filter(|member| member.away_at(now).is_none());
        here.map(|member| copy(member, now)).collect()
    }

    /// Who stands in for such of the absent who could decide.
    fn deputies(
        &self,
        approval: &Approval,
        now: Micros,
        of: impl Fn(&Member) -> bool,
    ) -> Vec<SentTo> {
        let several = approval.persons > 1;
        let could = |absent: &&Member| {
            let own = several && absent.id == approval.requester;
            Voter::of(absent).may_decide(approval) && of(absent) && !own
        };
        let mut to = Vec::new();
        for absent in self.0.iter().filter(could) {
            let deputy = self
                .0
                .iter()
                .find(|member| member.stands_in_for(absent, now));
            let Some(deputy) = deputy.filter(|deputy| may(deputy.role, Deed::Decide)) else {
                continue;
            };
            if !(several && deputy.id == approval.requester) {
                let instead_of = Some(absent.into());
                to.push(SentTo {
                    instead_of,
                    ..copy(deputy, now)
                });
            }
        }
        to
    }
}

fn copy(member: &Member, now: Micros) -> SentTo {
    SentTo {
        to: member.id.clone(),
        place: SessionId::new(&*member.home),
        at: now,
        instead_of: None,
        escalated: false,
    }
}

/// One for each place where it isn't yet. Who has no chat of their own can't be sent anything.
fn distinct(approval: &Approval, to: Vec<SentTo>) -> Vec<SentTo> {
    let mut places: Vec<SessionId> = approval.places().cloned().collect();
    let mut fresh = Vec::new();
    for sent in to {
        if !sent.place.as_str().is_empty() && !places.contains(&sent.place) {
            places.push(sent.place.clone());
            fresh.push(sent);
        }
    }
    fresh
}
