//! Versions: what people change (an agent, the team's rules) is kept as it was after each change, with who and when.

use crate::{Micros, run::Actor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// One change of one record. A journal has those of an agent, or of all rules of the team; a version's number is its position,
/// counted from 1.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Version {
    pub at: Micros,
    pub actor: Actor,
    /// `created`, `changed`, `deleted`, `undone`; `found` for what was there before versions were kept.
    pub deed: String,
    /// Which record changed.
    pub record: String,
    /// As it is from here on; none: it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<Value>,
    /// The number of the version that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u64>,
}

/// The latest change that was not taken back, and what there was before it.
#[derive(Clone, PartialEq, Debug)]
pub struct Undo<'a> {
    /// Its number.
    pub number: u64,
    pub version: &'a Version,
    /// None: nothing.
    pub before: Option<&'a Value>,
}

/// What an undo takes back: one change further each time. None where nothing is left.
#[must_use]
pub fn undo(versions: &[Version]) -> Option<Undo<'_>> {
    let undone: BTreeSet<u64> = versions
        .iter()
        .filter_map(|version| version.undoes)
        .collect();
    let number_of = |at: usize| at as u64 + 1;
    let is_left = |(at, version): &(usize, &Version)| {
        version.undoes.is_none() && version.deed != FOUND && !undone.contains(&number_of(*at))
    };
    let (at, version) = versions.iter().enumerate().rev().find(is_left)?;
    Some(Undo {
        number: number_of(at),
        version,
        before: before(versions, at),
    })
}

/// What the record of a version was before it.
#[must_use]
pub fn before(versions: &[Version], at: usize) -> Option<&Value> {
    let version = versions.get(at)?;
    let earlier = versions.get(..at)?.iter().rev();
    let mut of_record = earlier.filter(|earlier| earlier.record == version.record);
    of_record.next()?.doc.as_ref()
}

/// [`Version::deed`] of what was there before versions were kept.
pub const FOUND: &str = "found";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn version(deed: &str, record: &str, doc: Option<u64>, undoes: Option<u64>) -> Version {
        Version {
            at: Micros(0),
            actor: Actor::System,
            deed: deed.to_owned(),
            record: record.to_owned(),
            doc: doc.map(|doc| json!(doc)),
            undoes,
        }
    }

    #[test]
    fn each_undo_goes_one_change_further_back() {
        let mut versions = vec![
            version("created", "a", Some(1), None),
            version("changed", "a", Some(2), None),
            version("created", "b", Some(7), None),
            version("deleted", "a", None, None),
        ];
        let mut steps = Vec::new();
        while let Some(found) = undo(&versions) {
            let (number, record) = (found.number, found.version.record.clone());
            let doc = found.before.and_then(Value::as_u64);
            steps.push((number, doc));
            versions.push(version("undone", &record, doc, Some(number)));
        }
        assert_eq!(steps, [(4, Some(2)), (3, None), (2, Some(1)), (1, None)]);
    }

    #[test]
    fn what_was_found_is_where_undoing_ends() {
        let found = version(FOUND, "a", Some(1), None);
        assert_eq!(undo(std::slice::from_ref(&found)), None);
        let changed = version("changed", "a", Some(2), None);
        let versions = [found, changed];
        assert_eq!(undo(&versions).unwrap().before, Some(&json!(1)));
    }
}
