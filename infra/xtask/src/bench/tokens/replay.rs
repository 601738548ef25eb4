//! One conversation after another, request by request, with what each would cost.

use anyhow::{Context, Result};
use domain::{
    tokens::{self, Gauge},
    tool::ToolSpec,
};
use handlers::tool::on_demand::{Catalogue, FIND_TOOLS, Finder, USE_TOOL, shown};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Prices as parts of that of an input token, as Anthropic documents them for its models: what is written into the cache for five minutes,
/// what is read from it, output. Each request finds in the cache what the one before it was.
const CACHE_WRITE: f64 = 1.25;
const CACHE_READ: f64 = 0.1;
const OUTPUT: f64 = 5.0;

#[derive(Deserialize)]
pub struct Conversation {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    tool_calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    arguments: String,
}

/// How the model comes to its tools.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// It is told of none, and calls them all the same: what a conversation costs by itself.
    Nothing,
    /// It is told of all.
    Always,
    /// Ours. It asks for a tool by its name, which stands in the prompt, when it needs it for the first time.
    Names,
    /// Ours. It asks with words of the conversation: the person's last message and its own last one. What it does not find among the first
    /// three it asks for by name, in another turn. Nothing of the tool itself is in the first query, so this is less than a model knows.
    Words,
    /// Ours. It asks with what a language model wrote in its place, which was shown the conversation so far, the values that the call passes on and
    /// how its answer begins, but no name of any tool. What is not among the first three it asks for by name.
    Written,
}

/// What was written for a place in the conversations: `{"point": "7.12", "query": "…"}` is that for the first call in message 12 of
/// conversation 7, both counted from 0.
#[derive(Deserialize)]
pub struct Query {
    pub point: String,
    pub query: String,
}

/// Sums over conversations.
#[derive(Default)]
pub struct Replayed {
    pub conversations: usize,
    /// Input and output.
    pub tokens: f64,
    pub cost: f64,
    /// Turns for searching.
    pub searches: u64,
    /// First searches for a tool, and of those with the right tool first, among three.
    pub judged: u64,
    pub first: u64,
    pub third: u64,
}

pub struct Replays<'a> {
    catalogue: &'a Catalogue,
    finder: &'a Finder,
    written: &'a BTreeMap<String, String>,
    on_demand: bool,
}

impl<'a> Replays<'a> {
    pub fn new(
        catalogue: &'a Catalogue,
        finder: &'a Finder,
        written: &'a BTreeMap<String, String>,
    ) -> Self {
        let mut replays = Self {
            catalogue,
            finder,
            written,
            on_demand: false,
        };
        replays.on_demand = tokens::are_many(catalogue.0.len(), replays.tokens());
        replays
    }

    /// Of all tools.
    pub fn tokens(&self) -> u64 {
        estimate(
            self.catalogue
                .0
                .iter()
                .map(|(_, tool)| tokens::bytes(tool))
                .sum(),
        )
    }

    pub async fn all(&self, conversations: &[Conversation], asking: Asking) -> Result<Replayed> {
        let mut sum = Replayed {
            conversations: conversations.len(),
            ..Replayed::default()
        };
        let looks = self.on_demand && !matches!(asking, Asking::Nothing | Asking::Always);
        let listed: u64 = match asking {
            Asking::Nothing => 0,
            _ if looks => estimate(self.catalogue.listed().iter().map(tokens::bytes).sum()),
            _ => self.tokens(),
        };
        for (number, conversation) in conversations.iter().enumerate() {
            let mut told = Told {
                prompt: listed as f64,
                cached: 0.0,
                sum: &mut sum,
            };
            let mut known = BTreeSet::new();
            for (at, message) in conversation.messages.iter().enumerate() {
                if message.role != "assistant" {
                    told.prompt += message.tokens(false);
                    continue;
                }
                for call in message.tool_calls.iter().filter(|_| looks) {
                    let query = match asking {
                        Asking::Words => Some(conversation.words(at)),
                        Asking::Written => self.written.get(&format!("{number}.{at}")).cloned(),
                        _ => None,
                    };
                    self.learn(&mut told, &mut known, (call, query)).await?;
                }
                told.reply(message.tokens(looks));
            }
        }
        Ok(sum)
    }

    /// The turns before the first call of a tool.
    async fn learn(
        &self,
        told: &mut Told<'_>,
        known: &mut BTreeSet<String>,
        (call, words): (&Call, Option<String>),
    ) -> Result<()> {
        let (server, _) = self.catalogue.0.first().context("no tools")?;
        let wanted = format!("{server}__{}", call.function.name);
        if known.contains(&wanted) {
            return Ok(());
        }
        let queries = words.into_iter().chain([wanted.clone()]);
        for (number, query) in queries.enumerate() {
            let found = self.finder.find(self.catalogue, &query).await?;
            let asked = json!({"query": query}).to_string();
            told.reply(estimate((FIND_TOOLS.len() + asked.len()) as u64) as f64);
            told.prompt += estimate(shown(&found).len() as u64) as f64;
            told.sum.searches += 1;
            let place = found.iter().position(|tool| tool.name == wanted);
            if number == 0 {
                told.sum.judged += 1;
                told.sum.first += u64::from(place == Some(0));
                told.sum.third += u64::from(place.is_some_and(|place| place < 3));
            }
            known.extend(found.into_iter().map(|tool: &ToolSpec| tool.name.clone()));
            if place.is_some() {
                return Ok(());
            }
        }
        anyhow::bail!(
            "{wanted} is in no catalogue: the first one has to have the tools of the conversations"
        )
    }
}

/// What the model has been told so far, in tokens.
struct Told<'a> {
    prompt: f64,
    cached: f64,
    sum: &'a mut Replayed,
}

impl Told<'_> {
    /// A request with all of it, and the reply, which the next one repeats.
    fn reply(&mut self, output: f64) {
        let new = self.prompt - self.cached;
        self.sum.tokens += self.prompt + output;
        self.sum.cost += self.cached * CACHE_READ + new * CACHE_WRITE + output * OUTPUT;
        self.cached = self.prompt;
        self.prompt += output;
    }
}

impl Message {
    fn tokens(&self, wrapped: bool) -> f64 {
        let call = |call: &Call| {
            let Function { name, arguments } = &call.function;
            let given: Value = serde_json::from_str(arguments).unwrap_or_default();
            match wrapped {
                true => {
                    USE_TOOL.len() + json!({"name": name, "arguments": given}).to_string().len()
                }
                false => name.len() + given.to_string().len(),
            }
        };
        let calls: usize = self.tool_calls.iter().map(call).sum();
        estimate((self.content.as_deref().map_or(0, str::len) + calls) as u64) as f64
    }
}

impl Conversation {
    /// The last words of the person and of the model before a message, at hand when it was written.
    fn words(&self, before: usize) -> String {
        let last = |role: &str| {
            let said = self.messages.iter().take(before).rev();
            let mut said = said.filter(|message| message.role == role);
            said.find_map(|message| message.content.as_deref())
        };
        let words = [last("user"), last("assistant")];
        words.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

fn estimate(bytes: u64) -> u64 {
    Gauge::default().tokens(bytes)
}
