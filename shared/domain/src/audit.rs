//! The audit: what was done, judged and decided, in chains that show every change made afterwards.
//!
//! Each stream (a run, an agent, a member, the team) is a chain: an entry names the hash of the one before. A seal names the
//! heads of all streams that grew, chained as well and keyed with a secret from outside the database. So up to the last seal
//! nothing can be changed, removed or reordered without being found; after it, only within a stream.

use crate::{Digest, Micros};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;

/// One thing that happened.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Deed {
    /// `run.started`, `call.judged`, `approval.approved`, `rule.added` …
    pub action: String,
    /// `member:<id>`, `agent:<id>`, `system`.
    pub actor: String,
    /// What it was done to.
    pub subject: String,
    /// Facts about it; never a key, never the text of a message.
    pub detail: Value,
}

/// One commit's deeds of a stream.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Entry {
    pub stream: String,
    /// Its position in the stream, from 0.
    pub seq: u64,
    pub at: Micros,
    pub deeds: Vec<Deed>,
    /// Hash of the entry before, empty for the first.
    pub prev: String,
    /// Hash of all of the above.
    pub hash: Digest,
}

/// Where a stream stands.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
pub struct Head {
    /// Entries so far.
    pub len: u64,
    /// Hash of the last, empty if there is none.
    pub hash: String,
}

impl Entry {
    /// The next entry of a stream.
    ///
    /// # Errors
    /// When the deeds have no canonical form.
    pub fn next(
        stream: &str,
        head: &Head,
        at: Micros,
        deeds: Vec<Deed>,
    ) -> Result<Self, serde_json::Error> {
        let mut entry = Self {
            stream: stream.to_owned(),
            seq: head.len,
            at,
            deeds,
            prev: head.hash.clone(),
            hash: Digest::of_bytes(""),
        };
        entry.hash = entry.expected()?;
        Ok(entry)
    }

    /// The hash that it should have.
    ///
    /// # Errors
    /// When the deeds have no canonical form.
    pub fn expected(&self) -> Result<Digest, serde_json::Error> {
        Digest::of(&(&self.stream, self.seq, self.at, &self.deeds, &self.prev))
    }

    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            len: self.seq + 1,
            hash: self.hash.as_str().to_owned(),
        }
    }
}

/// A record per stream: whether it may have grown since the last seal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Stream {
    pub name: String,
    pub state: StreamState,
    pub since: Micros,
    /// As of the last seal that named it.
    #[serde(default)]
    pub sealed: Head,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum StreamState {
    /// The next seal looks at it.
    Open,
    /// It did not grow for a while and nobody said that it would.
    Quiet,
}

/// The heads of the streams that grew, chained and keyed.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Seal {
    pub number: u64,
    pub at: Micros,
    /// Stream and head, sorted by stream.
    pub heads: Vec<(String, Head)>,
    /// More of this seal follow with the same time (a seal holds at most 100 heads).
    pub more: bool,
    /// The seal before, empty for the first.
    pub prev: String,
    /// HMAC-SHA256 over all of the above, by the seal key.
    pub mac: String,
}

impl Seal {
    /// # Errors
    /// When it has no canonical form.
    pub fn expected(&self, key: &[u8]) -> Result<String, serde_json::Error> {
        let text =
            crate::canonical_json(&(self.number, self.at, &self.heads, self.more, &self.prev))?;
        // HMAC takes a key of any length; the error type exists for other MACs.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            return Ok(String::new());
        };
        mac.update(text.as_bytes());
        Ok(hex::encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn chain() -> Vec<Entry> {
        let mut head = Head::default();
        (0..3)
            .map(|n| {
                let deed = Deed {
                    action: "test".to_owned(),
                    actor: "system".to_owned(),
                    subject: n.to_string(),
                    detail: json!({"n": n}),
                };
                let entry = Entry::next("team", &head, Micros(n), vec![deed]).unwrap();
                head = entry.head();
                entry
            })
            .collect()
    }

    #[test]
    fn entries_name_the_one_before() {
        let chain = chain();
        assert_eq!((chain[0].seq, chain[0].prev.as_str()), (0, ""));
        for pair in chain.windows(2) {
            assert_eq!(pair[1].prev, pair[0].hash.as_str());
            assert_eq!(pair[1].seq, pair[0].seq + 1);
        }
    }

    #[test]
    fn every_field_is_hashed() {
        let changes: [fn(&mut Entry); 5] = [
            |e| e.stream.push('x'),
            |e| e.seq += 1,
            |e| e.at = Micros(99),
            |e| e.deeds[0].detail = json!({}),
            |e| e.prev.push('0'),
        ];
        for change in changes {
            let mut entry = chain().remove(1);
            assert_eq!(entry.expected().unwrap(), entry.hash);
            change(&mut entry);
            assert_ne!(entry.expected().unwrap(), entry.hash, "{entry:?}");
        }
    }

    #[test]
    fn a_seal_takes_its_key_and_all_of_its_fields() {
        let seal = || Seal {
            number: 1,
            at: Micros(5),
            heads: vec![("team".to_owned(), Head::default())],
            more: false,
            prev: "p".to_owned(),
            mac: String::new(),
        };
        let mac = seal().expected(b"key").unwrap();
        assert_eq!(mac.len(), 64);
        assert_ne!(mac, seal().expected(b"other").unwrap());
        let changes: [fn(&mut Seal); 5] = [
            |s| s.number = 2,
            |s| s.at = Micros(6),
            |s| s.heads[0].1.len = 1,
            |s| s.more = true,
            |s| s.prev.clear(),
        ];
        for change in changes {
            let mut changed = seal();
            change(&mut changed);
            assert_ne!(changed.expected(b"key").unwrap(), mac, "{changed:?}");
        }
    }
}
