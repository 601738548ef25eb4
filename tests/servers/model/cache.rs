//! The providers' prompt caches, so that a test can see whether a conversation makes use of them: Anthropic's by marks,
//! OpenAI's by itself. Nothing expires here, and there is no smallest size.

use std::collections::BTreeSet;

use serde_json::Value;

use super::asked::{Asked, Dialect, list};

/// The beginnings that were seen, as text.
#[derive(Default)]
pub struct Cache {
    seen: BTreeSet<String>,
}

/// In tokens, of four bytes. `input` is what is neither read nor written.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Counted {
    pub input: usize,
    pub read: usize,
    pub written: usize,
}

impl Cache {
    /// Counts a request and remembers its beginnings.
    pub fn count(&mut self, asked: &Asked) -> Counted {
        let parts = parts(asked);
        let mut beginning = String::new();
        let (mut read, mut marked) = (0, 0);
        let mut fresh = Vec::new();
        for (part, mark) in parts {
            beginning.push_str(&part);
            if self.seen.contains(&beginning) {
                read = beginning.len();
            }
            if mark {
                marked = beginning.len();
                fresh.push(beginning.clone());
            }
        }
        self.seen.extend(fresh);
        // With OpenAI writing costs nothing and is not counted.
        let written = match asked.dialect {
            Dialect::Anthropic => marked.saturating_sub(read),
            Dialect::OpenAi => 0,
        };
        Counted {
            input: (beginning.len() - read - written) / 4,
            read: read / 4,
            written: written / 4,
        }
    }
}

/// The request block by block, in the order in which providers hash it, and whether a block ends a beginning to remember.
fn parts(asked: &Asked) -> Vec<(String, bool)> {
    let body = &asked.body;
    let mut parts: Vec<(String, bool)> = list(&body["tools"]).iter().map(unmarked).collect();
    parts.extend(list(&body["system"]).iter().map(unmarked));
    for message in list(&body["messages"]) {
        match asked.dialect {
            Dialect::OpenAi => parts.push((message.to_string(), true)),
            Dialect::Anthropic => {
                for block in list(&message["content"]) {
                    let (text, mark) = unmarked(block);
                    parts.push((format!("{}{text}", message["role"]), mark));
                }
            }
        }
    }
    parts
}

fn unmarked(block: &Value) -> (String, bool) {
    let mut block = block.clone();
    let mark = block
        .as_object_mut()
        .and_then(|block| block.remove("cache_control"));
    (block.to_string(), mark.is_some())
}
