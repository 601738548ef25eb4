//! What the machine did to its worlds, and what was seen in them: the numbers that it prints at the end.

use std::{collections::BTreeMap, fmt};
use tests::servers::telegram::Fault;

/// What was done to worlds.
#[derive(Default)]
pub struct Summary {
    pub failed: u64,
    pub by_point: BTreeMap<&'static str, u64>,
    pub faults: BTreeMap<&'static str, u64>,
    pub counts: BTreeMap<&'static str, u64>,
}

impl Summary {
    pub fn kills(&self) -> u64 {
        self.by_point.values().sum()
    }

    pub fn add(&mut self, other: &Self) {
        for (mine, others) in [
            (&mut self.by_point, &other.by_point),
            (&mut self.faults, &other.faults),
            (&mut self.counts, &other.counts),
        ] {
            for (name, count) in others {
                *mine.entry(name).or_default() += count;
            }
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |map: &BTreeMap<&'static str, u64>| {
            let parts: Vec<String> = map
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            parts.join(", ")
        };
        writeln!(f, "{} kills: {}", self.kills(), list(&self.by_point))?;
        writeln!(f, "faults put in Telegram's way: {}", list(&self.faults))?;
        writeln!(f, "seen: {}", list(&self.counts))?;
        write!(f, "worlds that broke a promise: {}", self.failed)
    }
}

pub fn name(fault: &Fault) -> &'static str {
    match fault {
        Fault::TooManyRequests(_) => "429",
        Fault::InternalServerError | Fault::BadGateway => "5xx",
        Fault::DropBefore => "dropped before",
        Fault::DropAfter => "dropped after",
        Fault::Delay(_) => "delayed",
        _ => "other",
    }
}
