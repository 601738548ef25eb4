//! Budgets: ceilings of what models may cost, for the team, a day, an agent, a person, or one run.
//!
//! What a call may cost at most is reserved on a counter of each budget that applies before the model is asked, and settled when
//! the reply says what it did cost (`run::Hold`). A run's own budget needs no counter, its journal is one. Where a reservation
//! would pass a ceiling the run parks on a card, which this page words as facts: an [`Ask`]. Days are those of UTC.

use crate::{
    MicroUsd, Micros,
    id::{AgentId, MemberId},
    member::Role,
};
use serde::{Deserialize, Serialize};

/// What a budget is for. As text: `team`, `day`, `agent:<id>`, `member:<id>`, `run`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
    /// Everything.
    Team,
    /// Everything of one day.
    Day,
    /// Whatever the agent does.
    Agent(AgentId),
    /// Whatever the person asked for.
    Member(MemberId),
    /// One run. Its record is what new runs begin with.
    Run,
}

impl Scope {
    /// The lowest role that may raise it at a card. A run is its person's; the others are the owner's.
    #[must_use]
    pub fn raised_by(&self) -> Role {
        match self {
            Self::Run => Role::Operator,
            _ => Role::Owner,
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Team => f.write_str("team"),
            Self::Day => f.write_str("day"),
            Self::Agent(agent) => write!(f, "agent:{agent}"),
            Self::Member(member) => write!(f, "member:{member}"),
            Self::Run => f.write_str("run"),
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "team" => Ok(Self::Team),
            None if text == "day" => Ok(Self::Day),
            None if text == "run" => Ok(Self::Run),
            Some(("agent", id)) if !id.is_empty() => Ok(Self::Agent(AgentId::new(id))),
            Some(("member", id)) if !id.is_empty() => Ok(Self::Member(MemberId::new(id))),
            _ => Err(format!("“{text}” is not what a budget is for")),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A ceiling. The team's, an agent's and a person's are counted from `since`, a day's from its midnight.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Budget {
    pub scope: Scope,
    pub amount: MicroUsd,
    /// Nothing that was spent before counts. Another amount doesn't move it.
    pub since: Micros,
    pub set_by: MemberId,
    pub set_at: Micros,
    /// What a card added to the budget of one day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Extra>,
}

/// More, for one day.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Extra {
    /// As [`Micros::day`].
    pub day: i64,
    pub amount: MicroUsd,
}

impl Budget {
    /// Where it is counted; `None` for runs, whose journals count.
    #[must_use]
    pub fn counter(&self, now: Micros) -> Option<String> {
        match &self.scope {
            Scope::Run => None,
            Scope::Day => Some(day_counter(now)),
            scope => Some(format!("spent:{scope}:{}", self.since.0)),
        }
    }

    #[must_use]
    pub fn ceiling(&self, now: Micros) -> MicroUsd {
        match self.extra {
            Some(extra) if extra.day == now.day() => self.amount + extra.amount,
            _ => self.amount,
        }
    }

    /// With more: a day's for this day, the others' for good.
    pub fn raise(&mut self, by: MicroUsd, now: Micros) {
        if self.scope == Scope::Day {
            let amount = self.ceiling(now) - self.amount + by;
            let day = now.day();
            self.extra = Some(Extra { day, amount });
        } else {
            self.amount += by;
        }
    }
}

/// The counter of a day. Every priced call counts on it, budget or not, so that a budget set at noon knows the morning.
#[must_use]
pub fn day_counter(now: Micros) -> String {
    format!("spent:day:{}", now.day())
}

/// What the card at a ceiling is about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Ask {
    pub scope: Scope,
    /// Of the agent or the person, for people; empty for the others.
    pub name: String,
    pub ceiling: MicroUsd,
    /// With what is reserved for calls under way.
    pub spent: MicroUsd,
    /// What the next call may cost at most.
    pub need: MicroUsd,
    /// What “+” adds.
    pub raise: MicroUsd,
    /// `provider/model` that would be asked.
    pub model: String,
    /// What was spent on what, the dearest first.
    pub parts: Vec<Part>,
}

/// Money that went to a model, an agent or a person, by its name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Part {
    pub what: String,
    pub cost: MicroUsd,
}

/// What a card offers to add: half of the budget, and at least what this call and another one like it lack. In whole cents.
#[must_use]
pub fn raise(ceiling: MicroUsd, spent: MicroUsd, need: MicroUsd) -> MicroUsd {
    const CENT: u64 = 10_000;
    let lacks = (spent + need + need - ceiling).0;
    let wanted = lacks.max(ceiling.0 / 2).max(1).unsigned_abs();
    let cents = wanted.div_ceil(CENT);
    MicroUsd(i64::try_from(cents.saturating_mul(CENT)).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
