//! What may stand at the end of a rule: whom it is about, and for one that asks: who approves, how many, how long a card waits, and
//! after what time it is sent on. `for agent coder by 2 owners within 1d escalate 2h`.

use super::{Effect, Scope};
use crate::{
    id::{AgentId, MemberId},
    member::Role,
};
use std::fmt::Formatter;

/// Each once, in any order.
#[derive(Default)]
pub(super) struct Terms {
    pub scope: Scope,
    pub approvers: Option<Role>,
    pub persons: Option<u32>,
    pub expires_after_s: Option<u64>,
    pub escalate_after_s: Option<u64>,
}

pub(super) const TERMS: [&str; 4] = ["for", "by", "within", "escalate"];

/// Whether a term begins with these words; else the first one is an ordinary word.
pub(super) fn begins(words: &[&str]) -> bool {
    match words {
        ["for", next, ..] => ["agent", "member", "team"].contains(next),
        ["by", role, ..] if ["owner", "operator", "viewer"].contains(role) => true,
        ["by", count, roles, ..] => number(count).is_some() && several(roles).is_some(),
        ["within" | "escalate", next, ..] => next.starts_with(|c: char| c.is_ascii_digit()),
        _ => false,
    }
}

impl Terms {
    /// # Errors
    /// A sentence that says what is wrong and how to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (mut terms, mut seen, mut rest) = (Self::default(), Vec::new(), words.as_slice());
        while let Some(word) = rest.first() {
            if seen.contains(word) {
                return Err(format!("`{word}` can be said only once."));
            }
            seen.push(word);
            rest = terms.read(rest)?;
        }
        Ok(terms)
    }

    /// Reads one term, and answers what follows it.
    fn read<'a, 'b>(&mut self, words: &'a [&'b str]) -> Result<&'a [&'b str], String> {
        Ok(match words {
            ["for", "team", rest @ ..] => rest,
            ["for", "agent", name, rest @ ..] => {
                self.scope = Scope::Agent(AgentId::from(*name));
                rest
            }
            ["for", "member", name, rest @ ..] => {
                self.scope = Scope::Member(MemberId::from(*name));
                rest
            }
            ["by", count, roles, rest @ ..] if number(count).is_some() => {
                let role = several(roles).ok_or_else(|| nobody(roles))?;
                self.approvers = Some(role);
                self.persons = Some(persons(count)?);
                rest
            }
            ["by", role, rest @ ..] => {
                self.approvers = Some(one(role).ok_or_else(|| nobody(role))?);
                rest
            }
            ["within", span, rest @ ..] => {
                self.expires_after_s = Some(parse_expiry(span)?);
                rest
            }
            ["escalate", span, rest @ ..] => {
                self.escalate_after_s = Some(parse_expiry(span)?);
                rest
            }
            ["for", ..] => {
                return Err(format!(
                    "“{}” is not a scope; write `for agent NAME`, `for member NAME` or `for team`.",
                    words.join(" ")
                ));
            }
            _ => {
                return Err(format!(
                    "“{}” can't stand at the end of a rule; there, write `for agent NAME`, `by owner`, `by 2 owners`, `within 2h` \
                     or `escalate 30m`, and a pattern with such words between “ ”.",
                    words.join(" ")
                ));
            }
        })
    }

    /// As [`parse`](Self::parse) reads it. Only what asks is approved by somebody and waits.
    pub fn write(&self, f: &mut Formatter<'_>, effect: Effect) -> std::fmt::Result {
        match &self.scope {
            Scope::Team => {}
            Scope::Agent(agent) => write!(f, " for agent {}", agent.as_str())?,
            Scope::Member(member) => write!(f, " for member {}", member.as_str())?,
        }
        if effect != Effect::Ask {
            return Ok(());
        }
        // A viewer never approves anything.
        let role = self.approvers.map(|role| role.max(Role::Operator));
        match (role, self.persons.filter(|persons| *persons > 1)) {
            (role, Some(persons)) => {
                write!(f, " by {persons} {}s", role.unwrap_or(Role::Operator))?;
            }
            (Some(role), None) => write!(f, " by {role}")?,
            (None, None) => {}
        }
        if let Some(seconds) = self.expires_after_s {
            write!(f, " within {}", span(seconds))?;
        }
        self.escalate_after_s
            .map_or(Ok(()), |seconds| write!(f, " escalate {}", span(seconds)))
    }
}

fn one(role: &str) -> Option<Role> {
    match role {
        "owner" => Some(Role::Owner),
        "operator" => Some(Role::Operator),
        _ => None,
    }
}

fn several(roles: &str) -> Option<Role> {
    roles.strip_suffix('s').and_then(one)
}

fn nobody(name: &str) -> String {
    format!(
        "“{name}” is nobody who approves; write `by owner`, `by operator`, `by 2 owners` or `by 2 operators`."
    )
}

/// More persons than this no small team has.
const MOST_PERSONS: u32 = 9;

fn number(word: &str) -> Option<u32> {
    match word {
        "two" => Some(2),
        "three" => Some(3),
        digits => digits.parse().ok(),
    }
}

fn persons(word: &str) -> Result<u32, String> {
    let persons = number(word).filter(|persons| (2..=MOST_PERSONS).contains(persons));
    persons.ok_or_else(|| format!("“{word}” is no number of persons: it is 2 to {MOST_PERSONS}."))
}

/// A card's least and longest wait, in seconds: a minute, 30 days.
const EXPIRY: std::ops::RangeInclusive<u64> = 60..=30 * 24 * 3600;

/// Reads how long a card waits, in seconds: `90s`, `45m`, `2h`, `3d`, or seconds alone.
///
/// # Errors
/// A sentence that says what it can be.
pub fn parse_expiry(text: &str) -> Result<u64, String> {
    let seconds = crate::parse_span(text).map(|span| span.as_secs());
    seconds
        .filter(|seconds| EXPIRY.contains(seconds))
        .ok_or_else(|| {
            format!("“{text}” is no time that a card can wait; write `45m`, `2h` or `3d`: a minute at least, 30 days at most.")
        })
}

/// In the largest unit that is exact, as [`parse_expiry`] reads it.
fn span(seconds: u64) -> String {
    match seconds {
        s if s > 0 && s.is_multiple_of(24 * 3600) => format!("{}d", s / (24 * 3600)),
        s if s > 0 && s.is_multiple_of(3600) => format!("{}h", s / 3600),
        s if s > 0 && s.is_multiple_of(60) => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}
