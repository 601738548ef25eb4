//! `/agents`: listed, shown, made, changed, paused, archived, deleted, and taken back to what they were.

pub(crate) mod import;
pub(super) mod past;

use super::{Command, Ctx, Reply};
use crate::text::{Builder, en};
use domain::{
    agent::{Agent, AgentStatus},
    rich_text::MarkStyle,
};
use handlers::{CommandError, Draft, Problem, agents, agents::Change};
use serde_json::{Map, Value};

pub struct Agents;

const USAGE: &str = "[show NAME | new NAME DESCRIPTION | set NAME FIELD VALUE | rename NAME NEW | duplicate NAME NEW | pause NAME | resume NAME | \
     archive NAME | delete NAME | history NAME | undo NAME | export NAME]";

#[async_trait::async_trait]
impl Command for Agents {
    fn name(&self) -> &'static str {
        "agents"
    }
    fn description(&self) -> &'static str {
        "List the agents, make and change them"
    }
    fn usage(&self) -> &'static str {
        USAGE
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let (verb, rest) = ctx.word();
        let (name, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let (name, value) = (name.to_owned(), value.trim());
        if verb.is_empty() {
            return Ok(ctx.show(&list(&agents::list(ctx.home, false).await?)));
        }
        if name.is_empty() {
            return Ok(super::usage(ctx, self));
        }
        match verb {
            "delete" => {
                let draft = agents::delete(ctx.home, ctx.member, &name).await?;
                let said = ctx.say(&en::deleted("agent", &draft.fact.name));
                Ok(said.with(draft.ops))
            }
            "history" => past::history(ctx, &name).await,
            "undo" => past::undo(ctx, &name).await,
            "export" => past::export(ctx, &name).await,
            _ => match changed(ctx, verb, &name, value).await? {
                Some(draft) => {
                    let knows = agents::known_as(ctx.home, ctx.reader(), &draft.fact).await?;
                    Ok(ctx.show(&show(&draft.fact, &knows)).with(draft.ops))
                }
                None => Ok(super::usage(ctx, self)),
            },
        }
    }
}

/// The agent that a verb shows, makes or changes; none where there is no such verb.
async fn changed(
    ctx: &Ctx<'_>,
    verb: &str,
    name: &str,
    value: &str,
) -> Result<Option<Draft<Agent>>, CommandError> {
    let status = |status| Change {
        status: Some(status),
        ..Change::default()
    };
    let change = match verb {
        "show" => return Ok(Some(Draft::fact(agents::find(ctx.home, name).await?.value))),
        "new" => {
            let change = Change {
                name: Some(name.to_owned()),
                description: Some(value.to_owned()),
                ..Change::default()
            };
            return agents::create(ctx.home, ctx.member, change).await.map(Some);
        }
        "duplicate" if !value.is_empty() => {
            let made = agents::duplicate(ctx.home, ctx.member, name, value).await;
            return made.map(Some);
        }
        "rename" if !value.is_empty() => Change {
            name: Some(value.to_owned()),
            ..Change::default()
        },
        "set" => field(ctx, value)?,
        "pause" => status(AgentStatus::Paused),
        "resume" => status(AgentStatus::Active),
        "archive" => status(AgentStatus::Archived),
        _ => return Ok(None),
    };
    let changed = agents::change(ctx.home, ctx.member, name, change).await;
    changed.map(Some)
}

/// `FIELD VALUE` of `/agents set`.
fn field(ctx: &Ctx<'_>, text: &str) -> Result<Change, CommandError> {
    let (field, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let value = Some(value.trim().to_owned());
    let change = Change::default();
    Ok(match field {
        "name" => Change {
            name: value,
            ..change
        },
        "description" => Change {
            description: value,
            ..change
        },
        "prompt" => Change {
            system_prompt: value,
            ..change
        },
        "model" => Change {
            model: value,
            ..change
        },
        "fallbacks" => Change {
            fallbacks: value.as_deref().map(words),
            ..change
        },
        "skills" => Change {
            skills: value.as_deref().map(words),
            ..change
        },
        "knowledge" | "knowledge_ids" => Change {
            knowledge_ids: value.as_deref().map(words),
            ..change
        },
        "metadata" => Change {
            metadata: Some(object(value.as_deref().unwrap_or_default())?),
            ..change
        },
        "preset" => Change {
            preset: Some(preset(ctx, value.as_deref().unwrap_or_default())?),
            ..change
        },
        _ => return Err(Problem::Invalid(en::NO_SUCH_FIELD.to_owned()).into()),
    })
}

/// Of a list that is written with spaces or commas; none of an empty text.
fn words(text: &str) -> Vec<String> {
    text.split([' ', ',', '\n', '\t'])
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// A JSON object; an empty one of an empty text.
fn object(text: &str) -> Result<Map<String, Value>, Problem> {
    match text {
        "" => Ok(Map::new()),
        text => serde_json::from_str(text)
            .map_err(|error| Problem::Invalid(en::no_object(&error.to_string()))),
    }
}

fn preset(ctx: &Ctx<'_>, name: &str) -> Result<String, CommandError> {
    if ctx.presets.iter().any(|preset| preset == name) {
        return Ok(name.to_owned());
    }
    Err(Problem::Invalid(en::no_such_preset(name, ctx.presets)).into())
}

fn list(agents: &[Agent]) -> domain::rich_text::RichText {
    let mut out = Builder::default();
    for agent in agents {
        out.marked(&agent.name, MarkStyle::Bold)
            .push(en::agent_status(agent.status));
        out.push(" — ").push(&agent.description).push("\n");
    }
    out.push("\n").push(en::AGENTS_HINT);
    out.build()
}

fn show(agent: &Agent, knows: &[String]) -> domain::rich_text::RichText {
    let mut out = Builder::default();
    out.marked(&agent.name, MarkStyle::Bold)
        .push(en::agent_status(agent.status))
        .push("\n")
        .push(&agent.description)
        .push("\n\n");
    let model = if agent.model.is_empty() {
        en::DEFAULT_MODEL.to_owned()
    } else {
        format!("{}/{}", agent.provider, agent.model)
    };
    let metadata = match agent.metadata.is_empty() {
        true => String::new(),
        false => Value::from(agent.metadata.clone()).to_string(),
    };
    let fields = [
        ("model", model),
        ("fallbacks", agent.fallbacks.join(" ")),
        ("preset", agent.permissions.preset.clone()),
        ("skills", agent.skills.join(" ")),
        ("knowledge", knows.join(" ")),
        ("metadata", metadata),
    ];
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        out.marked(&format!("{name}:"), MarkStyle::Bold)
            .push(" ")
            .push(value)
            .push("\n");
    }
    if !agent.system_prompt.is_empty() {
        out.push("\n")
            .marked(agent.system_prompt.trim(), MarkStyle::Pre(String::new()));
    }
    out.build()
}
