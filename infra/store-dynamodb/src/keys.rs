//! What is where in the table. Every key begins with the store's *generation* (see [`crate::gate`]):
//!
//! | what | `pk` | `sk` |
//! |---|---|---|
//! | record | `1/r/<table>/<team>` | its id |
//! | journal | `1/j/<journal>/<team's bytes>:<team><id>` | `head`, or the position of the item's last entry, as 20 digits |
//! | counter | `1/n/<team>` | its id |
//! | job | `1/q/<id>` | `job` |
//! | serial key | `1/s/<key>` | `serial` |
//! | commit id | `1/c/<id>` | `commit` |
//! | the store itself | `store` | `store` |
//!
//! Keys are texts, and DynamoDB compares them as bytes of UTF-8, as the port does. A number becomes 16 hexadecimal digits with
//! its sign's bit turned, which compare as it does.

use crate::item::At;
use domain::{
    Digest, Micros,
    id::{CommitId, JobId, TeamId},
};
use ports::store::{CounterKey, Index, IndexValue, JournalKey, Key, Priority, Table};
use serde_json::Value;
use std::sync::Arc;

/// Generic indexes of the table; the n-th index that a kind of record declares is in the n-th.
pub const INDEXES: [GenericIndex; 3] = [
    GenericIndex::new("index1", "pk1", "sk1"),
    GenericIndex::new("index2", "pk2", "sk2"),
    GenericIndex::new("index3", "pk3", "sk3"),
];
/// Jobs by lane, in the order of claiming. Nothing else is in it.
pub const QUEUE: &str = "queue";
/// Commit ids by age are spread over so many partitions of the first index, so that none of them limits all commits.
pub const COMMIT_SHARDS: u8 = 16;
/// Between the sort value and the id in an index; an indexed text holds none.
const END: char = '\0';

#[derive(Clone, Copy, Debug)]
pub struct GenericIndex {
    pub name: &'static str,
    pub pk: &'static str,
    pub sk: &'static str,
}

impl GenericIndex {
    const fn new(name: &'static str, pk: &'static str, sk: &'static str) -> Self {
        Self { name, pk, sk }
    }
}

/// All keys of one generation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Space(pub Arc<str>);

impl Space {
    pub fn records(&self, table: &Table, team: &TeamId) -> String {
        format!("{}/r/{}/{team}", self.0, table.name)
    }

    pub fn record(&self, key: &Key) -> At {
        At::new(self.records(key.table, &key.team), &key.id)
    }

    pub fn journal(&self, key: &JournalKey) -> String {
        let (team, journal) = (key.team.as_str(), key.journal.name);
        format!("{}/j/{journal}/{}:{team}{}", self.0, team.len(), key.id)
    }

    pub fn counters(&self, team: &TeamId) -> String {
        format!("{}/n/{team}", self.0)
    }

    pub fn counter(&self, key: &CounterKey) -> At {
        At::new(self.counters(&key.team), &key.id)
    }

    /// The kind of a key of this generation, and what names the thing.
    pub fn kind<'a>(&self, pk: &'a str) -> Option<(&'a str, &'a str)> {
        pk.strip_prefix(&*self.0)?
            .strip_prefix('/')?
            .split_once('/')
    }

    pub fn job(&self, id: &JobId) -> At {
        At::new(format!("{}/q/{id}", self.0), "job")
    }

    pub fn serial(&self, serial: &str) -> At {
        At::new(format!("{}/s/{serial}", self.0), "serial")
    }

    pub fn commit(&self, id: &CommitId) -> At {
        At::new(format!("{}/c/{id}", self.0), "commit")
    }

    pub fn lane(&self, lane: &str) -> String {
        format!("{}/{lane}", self.0)
    }

    /// One of the parts of the first index that commit ids are in, by age.
    pub fn commits(&self, shard: u8) -> String {
        format!("{}/c/{shard:02}", self.0)
    }

    pub fn shard(id: &CommitId) -> u8 {
        let digest = Digest::of_bytes(id.as_str());
        let byte = digest.as_str().get(..2).unwrap_or_default();
        u8::from_str_radix(byte, 16).unwrap_or_default() % COMMIT_SHARDS
    }

    /// The partition of a declared index.
    pub fn partition(
        &self,
        table: &Table,
        index: &Index,
        team: &TeamId,
        value: &IndexValue,
    ) -> String {
        let (bytes, value) = (team.as_str().len(), sortable(value));
        format!(
            "{}/i/{}.{}/{bytes}:{team}{value}",
            self.0, table.name, index.name
        )
    }

    /// The index entries of a document: attribute and value.
    pub fn entries(&self, key: &Key, doc: &str) -> Vec<(&'static str, String)> {
        let Ok(doc) = serde_json::from_str::<Value>(doc) else {
            return Vec::new();
        };
        let field = |name: &str| match doc.get(name)? {
            Value::String(text) => Some(IndexValue::Text(text.clone())),
            Value::Number(number) => number.as_i64().map(IndexValue::Int),
            _ => None,
        };
        let mut entries = Vec::new();
        for (index, place) in key.table.indexes.iter().zip(INDEXES) {
            if let (Some(partition), Some(sort)) = (field(index.partition), field(index.sort)) {
                let pk = self.partition(key.table, index, &key.team, &partition);
                entries.push((place.pk, pk));
                entries.push((place.sk, format!("{}{END}{}", sortable(&sort), key.id)));
            }
        }
        entries
    }
}

/// Compares as the value does.
pub fn sortable(value: &IndexValue) -> String {
    match value {
        IndexValue::Int(number) => format!("n{}", hex(*number)),
        IndexValue::Text(text) => format!("t{text}"),
    }
}

/// A position in a journal.
pub fn position(at: u64) -> String {
    format!("{at:020}")
}

pub fn hex(number: i64) -> String {
    format!("{:016x}", number.cast_unsigned() ^ (1 << 63))
}

fn unhex(text: &str) -> Option<i64> {
    let number = u64::from_str_radix(text.get(..16)?, 16).ok()?;
    Some((number ^ (1 << 63)).cast_signed())
}

/// Where a job stands in its lane: the sort key of the queue's index.
#[derive(Clone, Debug)]
pub enum Turn<'a> {
    /// May be claimed: by priority, then due time, then age.
    Ready(Priority, Micros, &'a str),
    /// Until then.
    Leased(Micros),
    /// Behind another one of its serial key, and due then.
    Blocked(Micros),
    Aside,
}

impl Turn<'_> {
    pub fn key(&self) -> String {
        match self {
            Self::Ready(priority, due, age) => {
                format!("{}{}{age}", ready(*priority), hex(due.0))
            }
            Self::Leased(until) => format!("{LEASED}{}", hex(until.0)),
            Self::Blocked(due) => format!("b{}", hex(due.0)),
            Self::Aside => "x".to_owned(),
        }
    }
}

pub const LEASED: &str = "l";

pub fn ready(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "r0",
        Priority::Normal => "r1",
        Priority::Low => "r2",
    }
}

/// What a turn's key says: its kind and its time.
pub fn turn(key: &str) -> Option<(char, Micros)> {
    let kind = key.chars().next()?;
    let time = match kind {
        'r' => unhex(key.get(2..)?)?,
        'l' | 'b' => unhex(key.get(1..)?)?,
        _ => 0,
    };
    Some((kind, Micros(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_as_texts() {
        let numbers = [i64::MIN, -70, -1, 0, 1, 16, i64::MAX];
        assert!(numbers.map(hex).is_sorted());
        assert_eq!(numbers.map(|n| unhex(&hex(n))), numbers.map(Some));
    }

    #[test]
    fn every_declared_index_has_its_place() {
        for table in ports::repo::TABLES {
            assert!(table.indexes.len() <= INDEXES.len(), "{}", table.name);
        }
    }

    #[test]
    fn a_turn_says_its_time() {
        let due = Micros(-5);
        let key = Turn::Ready(Priority::Low, due, "c1").key();
        assert_eq!(turn(&key), Some(('r', due)));
        assert_eq!(turn(&Turn::Blocked(due).key()), Some(('b', due)));
        assert_eq!(turn(&Turn::Leased(due).key()), Some(('l', due)));
        assert_eq!(turn(&Turn::Aside.key()), Some(('x', Micros(0))));
    }
}
