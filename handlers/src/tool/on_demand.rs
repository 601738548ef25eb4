//! Tools that a model looks for when it needs them: where there are many, those of servers are not listed in the prompt. It is told their
//! names and has `find_tools`, whose answer (what people agreed to, so it does not taint) stays in the conversation, and `use_tool`.
//!
//! A call by `use_tool` becomes a call of the tool that it names as soon as the reply is read ([`unwrap`]), and looks like one by `use_tool`
//! only to the model ([`wrap`]). So nothing in between knows: rules, cards, digests and the audit are those of a direct call.

mod meanings;

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, Tools, plain_preview, spec, text};
use domain::{
    Digest,
    content::prefix,
    id::{CollectionId, DocumentId},
    knowledge::{Manifest, Revision},
    permission::Access,
    tool::{ToolCall, ToolClass, ToolSpec},
};
use ports::search::{Entry, Search, SearchError, SearchIndex};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

pub const FIND_TOOLS: &str = "find_tools";
pub const USE_TOOL: &str = "use_tool";
/// Tools that a search finds.
pub const FOUND: usize = 3;
/// Tools that are given by their names at once.
const NAMED: usize = 8;
/// Bytes of names in a prompt; what is beyond can be found all the same.
const NAMES: usize = 6 * 1024;
/// Lists of tools whose index a process keeps: as many as agents that work at a time.
const KEPT: usize = 32;

/// The tools of servers that an agent has, each with its server's name.
#[derive(Clone, Default, Debug)]
pub struct Catalogue(pub Vec<(String, ToolSpec)>);

impl Catalogue {
    /// What stands in the prompt in place of the tools.
    #[must_use]
    pub fn listed(&self) -> [ToolSpec; 2] {
        let find = format!(
            "Shows further tools of yours with their arguments, so that use_tool can call them: those named exactly, else the {FOUND} that fit your words \
             best. There are (server: names; in calls server__name) {}",
            self.names()
        );
        let query = "Exact names, or words for what is to be done.";
        let mut using = spec(
            USE_TOOL,
            "Calls a tool that find_tools gave you.",
            &[("name", "string", "As find_tools gave it.")],
            1,
            ToolClass::Effect,
        );
        using.schema["properties"]["arguments"] = json!({"type": "object"});
        using.schema["required"] = json!(["name", "arguments"]);
        let finding = [("query", "string", query)];
        [spec(FIND_TOOLS, &find, &finding, 1, ToolClass::Read), using]
    }

    fn names(&self) -> String {
        let mut servers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (server, tool) in &self.0 {
            servers.entry(server).or_default().push(bare(server, tool));
        }
        let servers: Vec<String> = servers
            .iter()
            .map(|(server, names)| format!("{server}: {}", names.join(", ")))
            .collect();
        let all = servers.join("; ");
        let shown = prefix(&all, NAMES);
        match shown.len() < all.len() {
            true => format!("{shown}… (there are more)"),
            false => all,
        }
    }

    /// The tools that a query names; a name of a single plain word is a word like any other.
    fn named(&self, query: &str) -> Vec<&ToolSpec> {
        let apart = |c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-');
        let mut found: Vec<&ToolSpec> = Vec::new();
        for word in query.split(apart).filter(|word| word.contains(['_', '-'])) {
            let is_it = |(server, tool): &&(String, ToolSpec)| {
                tool.name == word || bare(server, tool) == word
            };
            let new = self.0.iter().filter(is_it).map(|(_, tool)| tool);
            let new: Vec<_> = new.filter(|tool| !found.contains(tool)).collect();
            found.extend(new);
        }
        found.truncate(NAMED);
        found
    }

    /// Name and what else it may be called, description, and what the arguments are called and said to be.
    fn entries(&self) -> Vec<Entry> {
        let entry = |((server, tool), number): (&(String, ToolSpec), u32)| {
            let mut words = vec![tool.description.clone()];
            read(&tool.schema, &mut words);
            let name = bare(server, tool).replace(['_', '-'], " ");
            Entry {
                revision: Revision {
                    document: DocumentId::new(number.to_string()),
                    revision: 1,
                },
                ordinal: 0,
                language: Some("en".to_owned()),
                headings: format!("{name} {}", meanings::of(&name, &tool.description)),
                title: name,
                text: words.join("\n"),
                code: false,
            }
        };
        self.0.iter().zip(0..).map(entry).collect()
    }

    fn digest(&self) -> Digest {
        let tools: Vec<_> = self.0.iter().map(|(_, tool)| tool).collect();
        Digest::of(&tools).unwrap_or_else(|_| Digest::of_bytes(self.names()))
    }
}

/// The tool's name without its server's.
fn bare<'a>(server: &str, tool: &'a ToolSpec) -> &'a str {
    let name = tool.name.strip_prefix(server);
    name.and_then(|name| name.strip_prefix("__"))
        .unwrap_or(&tool.name)
}

/// The words of a schema: names of properties, descriptions, what may be chosen from.
fn read(schema: &Value, words: &mut Vec<String>) {
    let Some(schema) = schema.as_object() else {
        return;
    };
    for (key, value) in schema {
        match (key.as_str(), value) {
            ("description", Value::String(text)) => words.push(text.clone()),
            ("enum", Value::Array(choices)) => {
                words.extend(choices.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    words.push(name.clone());
                    read(property, words);
                }
            }
            (_, Value::Array(items)) => items.iter().for_each(|item| read(item, words)),
            (_, value) => read(value, words),
        }
    }
}

/// Searches lists of tools: an index is made of a list when it is searched for the first time.
pub struct Finder {
    index: Arc<dyn SearchIndex>,
    made: Mutex<BTreeMap<Digest, Manifest>>,
}

impl Finder {
    /// Nobody else has to find what is written into this index, and nothing of it has to last.
    #[must_use]
    pub fn new(index: Arc<dyn SearchIndex>) -> Self {
        let made = Mutex::default();
        Self { index, made }
    }

    /// Those that the query names, else the [`FOUND`] that fit best, the best first.
    ///
    /// # Errors
    /// What the index answers.
    pub async fn find<'a>(
        &self,
        of: &'a Catalogue,
        query: &str,
    ) -> Result<Vec<&'a ToolSpec>, SearchError> {
        let named = of.named(query);
        if !named.is_empty() || of.0.is_empty() {
            return Ok(named);
        }
        let search = Search {
            text: query.to_owned(),
            limit: FOUND,
        };
        let digest = of.digest();
        let made = self.manifest(of, &digest).await?;
        let hits = match self.index.search(&[made], &search).await {
            // What was kept of it is gone.
            Err(SearchError::Damaged(_)) => {
                self.lock().remove(&digest);
                let made = self.manifest(of, &digest).await?;
                self.index.search(&[made], &search).await?
            }
            hits => hits?,
        };
        let tool = |number: usize| of.0.get(number).map(|(_, tool)| tool);
        let numbers = hits
            .iter()
            .filter_map(|hit| hit.document.as_str().parse().ok());
        Ok(numbers.filter_map(tool).collect())
    }

    async fn manifest(&self, of: &Catalogue, digest: &Digest) -> Result<Manifest, SearchError> {
        if let Some(made) = self.lock().get(digest) {
            return Ok(made.clone());
        }
        let made = Manifest {
            collection: CollectionId::new("tools"),
            segments: vec![self.index.write("tools", of.entries()).await?],
            gone: Vec::new(),
        };
        let mut kept = self.lock();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(digest.clone(), made.clone());
        Ok(made)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, Manifest>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As a model is shown what was found: a line of JSON each.
#[must_use]
pub fn shown(found: &[&ToolSpec]) -> String {
    let line = |tool: &&ToolSpec| {
        let (name, description, schema) = (&tool.name, &tool.description, &tool.schema);
        json!({"name": name, "description": description, "arguments": schema}).to_string()
    };
    let lines: Vec<String> = found.iter().map(line).collect();
    lines.join("\n")
}

/// The call that `use_tool` stands for, in its place. One that names no tool has malformed arguments.
pub fn unwrap(call: &mut ToolCall) {
    if call.name != USE_TOOL || call.malformed.is_some() {
        return;
    }
    let mut given = std::mem::take(&mut call.arguments);
    let Some(name) = given["name"].as_str().map(str::to_owned) else {
        call.malformed = Some("“name” is missing: the tool’s, as a text".to_owned());
        return;
    };
    call.name = name;
    let arguments = match given.get_mut("arguments").map(Value::take) {
        // As a text: models are used to write arguments so.
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        Some(Value::Null) | None => json!({}),
        Some(arguments) => arguments,
    };
    match arguments.is_object() {
        true => call.arguments = arguments,
        false => call.malformed = Some(format!("“arguments” is no object: {arguments}")),
    }
}

/// A call as the model made it, who was not told of this tool.
pub fn wrap(call: &mut ToolCall) {
    if call.name == USE_TOOL || call.malformed.is_some() {
        return;
    }
    let name = std::mem::replace(&mut call.name, USE_TOOL.to_owned());
    let arguments = std::mem::take(&mut call.arguments);
    call.arguments = json!({"name": name, "arguments": arguments});
}

/// The tool `find_tools`.
pub(super) struct FindTools(pub Finder);

#[async_trait::async_trait]
impl Tool for FindTools {
    fn spec(&self) -> ToolSpec {
        let [find, _] = Catalogue::default().listed();
        find
    }

    /// None: an owner agreed that the agent has these tools.
    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        text(arguments, "query").map(|_| Vec::new())
    }

    fn needs_workspace(&self) -> bool {
        false
    }

    async fn preview(&self, _: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        let query = text(arguments, "query")?;
        Ok(plain_preview(format!("Look for tools: “{query}”")))
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let catalogue = at.tools.catalogue();
        let found = self.0.find(&catalogue, text(arguments, "query")?).await;
        let found = found.map_err(|error| ToolError::Home(error.to_string()))?;
        let text = match found.is_empty() {
            true => "(nothing found: no tool has one of these words)".to_owned(),
            false => shown(&found),
        };
        Ok(ToolOutput {
            text,
            ok: true,
            taint: None,
            sources: Vec::new(),
        })
    }
}

impl Tools {
    /// With `find_tools`, which keeps its indexes there: without it all tools are always listed.
    #[must_use]
    pub fn with_search(mut self, index: Arc<dyn SearchIndex>) -> Self {
        let find = Arc::new(FindTools(Finder::new(index)));
        self.tools.insert(FIND_TOOLS.to_owned(), find);
        self
    }

    /// The tools that need not be listed; none where they can't be looked for.
    #[must_use]
    pub fn catalogue(&self) -> Catalogue {
        if !self.tools.contains_key(FIND_TOOLS) {
            return Catalogue::default();
        }
        let of_server = |tool: &Arc<dyn Tool>| Some((tool.server()?.to_owned(), tool.spec()));
        Catalogue(self.tools.values().filter_map(of_server).collect())
    }

    /// Whether a model knows it from the prompt even where others have to be looked for.
    #[must_use]
    pub fn is_always_listed(&self, name: &str) -> bool {
        let known = self.tools.get(name);
        known.is_some_and(|tool| tool.server().is_none())
    }
}

#[cfg(test)]
mod tests;
