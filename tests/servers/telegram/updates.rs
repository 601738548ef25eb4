//! The queue of updates that wait for the bot, for `getUpdates` and the webhook alike.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

/// Updates of these kinds are left out unless asked for by name.
const ONLY_ON_REQUEST: &[&str] = &["chat_member", "message_reaction", "message_reaction_count"];

/// Updates of one lane reach a webhook one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    Chat(i64),
    /// A person's taps have a queue of their own, so that a tap can overtake a message.
    TapsOf(i64),
    /// Used by the webhook while a test asks for the newest first.
    Everything,
}

pub(super) struct Pending {
    /// The whole update as JSON.
    pub body: String,
    pub lane: Lane,
    expires: i64,
}

pub(super) struct Updates {
    pending: BTreeMap<i64, Pending>,
    lanes: BTreeMap<Lane, VecDeque<i64>>,
    last_id: i64,
    /// Empty: everything but [`ONLY_ON_REQUEST`].
    pub allowed: Vec<String>,
    /// A test holds updates back to let several arrive at once.
    pub held: bool,
    /// Counts `getUpdates` calls: a later one ends an earlier one that still waits.
    pub poll: u64,
}

impl Default for Updates {
    fn default() -> Self {
        Self {
            pending: BTreeMap::new(),
            lanes: BTreeMap::new(),
            last_id: 700_000_000,
            allowed: Vec::new(),
            held: false,
            poll: 0,
        }
    }
}

impl Updates {
    pub fn push(&mut self, kind: &str, payload: &Value, lane: Lane, expires: i64) {
        let wanted = match self.allowed.is_empty() {
            true => !ONLY_ON_REQUEST.contains(&kind),
            false => self.allowed.iter().any(|allowed| allowed == kind),
        };
        if !wanted {
            return;
        }
        self.last_id += 1;
        let body = format!("{{\"update_id\":{},\"{kind}\":{payload}}}", self.last_id);
        self.pending.insert(
            self.last_id,
            Pending {
                body,
                lane,
                expires,
            },
        );
        self.lanes.entry(lane).or_default().push_back(self.last_id);
    }

    /// Sets `allowed_updates` where the request names it; updates already queued stay.
    pub fn allow(&mut self, kinds: Option<&Vec<Value>>) {
        if let Some(kinds) = kinds {
            self.allowed = kinds
                .iter()
                .filter_map(|kind| kind.as_str().map(str::to_owned))
                .collect();
        }
    }

    /// What `getUpdates` does with its offset: a positive one confirms everything below it, a negative one keeps only that many
    /// from the end.
    pub fn confirm(&mut self, offset: i64) {
        let first_kept = match offset {
            0 => return,
            1.. => offset,
            _ => {
                let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
                let dropped = self.pending.len().saturating_sub(keep);
                match self.pending.keys().nth(dropped) {
                    Some(id) => *id,
                    None => return,
                }
            }
        };
        while let Some((&id, _)) = self.pending.first_key_value() {
            if id >= first_kept {
                break;
            }
            self.remove(id);
        }
    }

    /// Up to `limit` updates as a JSON array; `None` where there are none yet.
    pub fn batch(&mut self, limit: usize, now: i64) -> Option<String> {
        if self.held || self.pending.is_empty() {
            return None;
        }
        self.drop_expired_front(now);
        let mut out = String::from("[");
        for pending in self
            .pending
            .values()
            .filter(|pending| pending.expires > now)
            .take(limit)
        {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&pending.body);
        }
        out.push(']');
        (out.len() > 2).then_some(out)
    }

    fn drop_expired_front(&mut self, now: i64) {
        while let Some((&id, pending)) = self.pending.first_key_value() {
            if pending.expires > now {
                break;
            }
            self.remove(id);
        }
    }

    pub fn drop_expired(&mut self, now: i64) {
        let expired: Vec<i64> = self
            .pending
            .iter()
            .filter(|(_, p)| p.expires <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in expired {
            self.remove(id);
        }
    }

    pub fn clear(&mut self) {
        self.pending.clear();
        self.lanes.clear();
    }

    pub fn remove(&mut self, id: i64) {
        let Some(pending) = self.pending.remove(&id) else {
            return;
        };
        if let Some(lane) = self.lanes.get_mut(&pending.lane) {
            match lane.front() == Some(&id) {
                true => drop(lane.pop_front()),
                false => lane.retain(|other| *other != id),
            }
            if lane.is_empty() {
                self.lanes.remove(&pending.lane);
            }
        }
    }

    pub fn get(&self, id: i64) -> Option<&Pending> {
        self.pending.get(&id)
    }

    pub fn len(&self) -> usize {
        self.pending.len()
    }

    pub fn newest(&self) -> Option<i64> {
        self.pending.last_key_value().map(|(id, _)| *id)
    }

    /// The oldest update of every lane, oldest first.
    pub fn heads(&self) -> Vec<(i64, Lane)> {
        let mut heads: Vec<_> = self
            .lanes
            .iter()
            .filter_map(|(lane, ids)| Some((*ids.front()?, *lane)))
            .collect();
        heads.sort_unstable();
        heads
    }
}
