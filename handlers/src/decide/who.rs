//! Who decides here: the person themself, or in the place of somebody who is away; and whose yes before theirs still counts.

use crate::{CommandError, Home, Problem};
use domain::{
    approval::{self, Approval, Choice, Refusal, Voter},
    id::MemberId,
    member::Member,
};
use ports::{
    repo::{self, Stored},
    store::{Expect, Op},
};
use std::collections::BTreeSet;

/// The one as whom this person may take this choice now, and the operations that hold only as long as the roles do that it rests
/// on. Votes that count no more are taken out of the card.
///
/// # Errors
/// [`Problem::Decision`] with why not.
pub(super) async fn voter(
    home: &Home,
    member: &Member,
    approval: &mut Approval,
    choice: &Choice,
    shown: Option<&str>,
) -> Result<(Voter, Vec<Op>), CommandError> {
    let now = home.now();
    let member = current(home, member, approval).await?;
    let own = Voter::of(&member.value);
    let checked =
        |approval: &Approval, who: &Voter| approval::check(approval, choice, who, shown, now);
    let first = checked(approval, &own);
    if approval.persons < 2 && !matches!(first, Err(Refusal::NotAllowed { .. })) {
        return match first {
            Ok(()) => Ok((own, vec![unchanged(home, &member)])),
            Err(refusal) => Err(Problem::Decision(refusal).into()),
        };
    }
    let roster = repo::collect::<Member>(&*home.store, repo::all::<Member>(&home.team)).await?;
    let known = |id: &MemberId| roster.iter().find(|member| member.value.id == *id);
    approval.drop_fallen(|id| known(id).map(|member| &member.value), now);
    let absent = roster.iter().map(|stored| &stored.value);
    let absent = absent.filter(|absent| member.value.stands_in_for(absent, now));
    let mut why_not = None;
    for who in
        std::iter::once(own.clone()).chain(absent.map(|absent| own.clone().in_place_of(absent)))
    {
        match checked(approval, &who) {
            Ok(()) => {
                let people = rests_on(approval, &who);
                let people = people.into_iter().filter_map(known);
                let checks = people.map(|member| unchanged(home, member)).collect();
                return Ok((who, checks));
            }
            // In another's place they may be able to; else the first reason that is more than a role is the one to tell.
            Err(refusal) => {
                if matches!(why_not, None | Some(Refusal::NotAllowed { .. })) {
                    why_not = Some(refusal);
                }
            }
        }
    }
    let needed = approval.needed();
    let why_not = why_not.unwrap_or(Refusal::NotAllowed { needed });
    Err(Problem::Decision(why_not).into())
}

/// Everybody whose role a decision of now needs.
fn rests_on<'a>(approval: &'a Approval, who: &'a Voter) -> BTreeSet<&'a MemberId> {
    let votes = approval.votes.iter();
    let before = votes.flat_map(|vote| [&vote.by.id, vote.authority()]);
    let absent = who.instead_of.iter().map(|(absent, _)| &absent.id);
    before.chain([&who.by.id]).chain(absent).collect()
}

/// The person as they are now: what they may do has to hold when the decision does.
///
/// # Errors
/// [`Refusal::NotAllowed`] for who is no member any more.
pub(crate) async fn current(
    home: &Home,
    member: &Member,
    approval: &Approval,
) -> Result<Stored<Member>, CommandError> {
    let stored = repo::get::<Member>(&*home.store, &home.team, member.id.as_str()).await?;
    let needed = approval.needed();
    let refusal = Problem::Decision(Refusal::NotAllowed { needed });
    Ok(stored.ok_or(refusal)?)
}

/// Holds only as long as this member's record is what it was.
pub(crate) fn unchanged(home: &Home, member: &Stored<Member>) -> Op {
    Op::Check {
        key: repo::key::<Member>(&home.team, member.value.id.as_str()),
        expect: Expect::Version(member.version),
    }
}
