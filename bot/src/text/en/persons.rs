//! Sentences about who decides: several persons, somebody in another's place, people to whom a card was sent on.

use crate::text::one_line;
use domain::{approval::Approval, member::Role};

pub const ASKED_BY: &str = "Asked by";
pub const DECIDES: &str = "Decided by";
pub const APPROVED: &str = "Approved so far";

/// Who has to decide, where not every operator alone can.
#[must_use]
pub fn decides(approval: &Approval) -> Option<String> {
    let role = approval.needed();
    match approval.persons {
        0 | 1 if role == Role::Operator => None,
        0 | 1 => Some(super::talk::a_role(role).to_owned()),
        persons => {
            let besides = match one_line(&approval.requester_name) {
                name if name.is_empty() => "other than who asked".to_owned(),
                name => format!("other than {name}, who asked"),
            };
            Some(format!("{persons} {}, {besides}", roles(role)))
        }
    }
}

fn roles(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewers",
        Role::Operator => "operators",
        Role::Owner => "owners",
    }
}

#[must_use]
pub fn vote(by: &str, instead_of: Option<&str>, at: &str) -> String {
    format!("{}, {at}", in_place(by, instead_of))
}

#[must_use]
pub fn so_far(approval: &Approval, votes: &str) -> String {
    format!("{} of {}: {votes}", approval.votes.len(), approval.persons)
}

/// After a yes that is not the last one.
#[must_use]
pub fn counted(approval: &Approval) -> String {
    format!(
        "Your yes is number {} of {}. It runs when another person approves it too.",
        approval.votes.len(),
        approval.persons
    )
}

/// Why somebody is sent a card that was asked elsewhere, where it is not for their own role.
#[must_use]
pub fn why_here(instead_of: Option<&str>, escalated: bool) -> Option<String> {
    match (instead_of.map(one_line), escalated) {
        (Some(absent), _) => Some(format!("You stand in for {absent}, who is away.")),
        (None, true) => Some("Nobody has decided so far, so it is sent on to you.".to_owned()),
        (None, false) => None,
    }
}

/// Who decided: `by` as the record of older cards has it, or all whose yes it took.
#[must_use]
pub fn signers(approval: &Approval, by: &str) -> String {
    if approval.persons > 1 && approval.votes.len() >= approval.persons as usize {
        let names = approval.votes.iter().map(|vote| {
            let absent = vote.instead_of.as_ref().map(|absent| &*absent.name);
            in_place(&vote.by.name, absent)
        });
        return names.collect::<Vec<_>>().join(" and ");
    }
    let absent = approval.decided_for.as_ref().map(|absent| &*absent.name);
    in_place(by, absent)
}

/// `Bob for Ann`.
fn in_place(by: &str, absent: Option<&str>) -> String {
    match absent {
        Some(absent) => format!("{} for {}", one_line(by), one_line(absent)),
        None => one_line(by),
    }
}

/// On a card that stood where nobody heard a tap.
#[must_use]
pub fn outage(from: &str, to: &str) -> String {
    format!("⚠ Countersign was away from {from} to {to}; a tap made then may be lost: tap again.")
}

#[must_use]
pub fn reminder(approval: &Approval, left: &str) -> String {
    format!(
        "⏰ {} still waits for a decision here. It expires in {left} and will not run then.",
        one_line(&approval.agent_name)
    )
}

pub const BACK: &str = "Welcome back. Cards come to you again, and nobody decides for you.";

#[must_use]
pub fn away(until: &str, deputy: Option<&str>) -> String {
    let deputy = match deputy.map(one_line) {
        Some(name) => {
            format!("Until then {name} may decide what you could, and your cards go there.")
        }
        None => "Nobody decides for you: /away 2d to NAME names somebody.".to_owned(),
    };
    format!("You are away until {until}. {deputy} /back ends it.")
}

/// After a member's name in a list.
#[must_use]
pub fn away_until(until: &str) -> String {
    format!(", away until {until}")
}

#[must_use]
pub fn no_such_span(span: &str) -> String {
    format!("“{}” is no span. Write 45m, 2h or 3d.", one_line(span))
}

/// What the team's setting says about cards that wait.
#[must_use]
pub fn escalation(after: Option<&str>) -> String {
    match after {
        Some(after) => format!(
            "A card that waits for {after} is sent on to one more person, and so on (/settings escalate never)."
        ),
        None => "Cards that wait are not sent on (/settings escalate 2h).".to_owned(),
    }
}
