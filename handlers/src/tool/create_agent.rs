//! `create_agent`: a draft of an agent. A person sees it, and what the agent could do, before it exists; what they approved is made.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput};
use crate::{
    CommandError,
    agents::{self, Change, Could, Counts},
    commit_with, members, skills,
};
use catalog::AgentTemplate;
use domain::{
    Digest,
    agent::{Agent, AgentStatus},
    approval::{Approval, Shown},
    knowledge::Collection,
    permission::Access,
    tool::{ToolClass, ToolSpec},
};
use ports::repo;
use serde::Deserialize;
use serde_json::{Value, json};

pub struct CreateAgent;

pub const CREATE_AGENT: &str = "create_agent";

/// Characters of a description: it stands in lists.
const DESCRIPTION: usize = 300;

/// What the model says.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    name: String,
    description: String,
    #[serde(default)]
    system_prompt: String,
    #[serde(default)]
    tier: Option<Tier>,
    #[serde(default)]
    preset: String,
    #[serde(default)]
    skills: Vec<String>,
    #[serde(default)]
    knowledge: Vec<String>,
    /// What is not said is taken from this agent of the catalog.
    #[serde(default)]
    template: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tier {
    Fast,
    Standard,
    Strong,
}

impl Tier {
    /// As an agent's model.
    fn model(self) -> &'static str {
        match self {
            Self::Fast => "tier/fast",
            Self::Standard => "",
            Self::Strong => "tier/strong",
        }
    }
}

/// The draft as an agent that could be made now.
struct Drafted {
    agent: Agent,
    change: Change,
    /// As people know them.
    knowledge: Vec<String>,
}

fn read(arguments: &Value) -> Result<Draft, ToolError> {
    let wrong = |why: String| ToolError::Arguments(format!("the draft is wrong: {why}"));
    let mut draft: Draft =
        serde_json::from_value(arguments.clone()).map_err(|error| wrong(error.to_string()))?;
    if let Some(name) = draft.template.take() {
        let templates = catalog::agents().map_err(|error| wrong(error.to_string()))?;
        let found = templates.into_iter().find(|template| template.name == name);
        fill(
            &mut draft,
            found.ok_or_else(|| wrong(format!("there is no template “{name}”")))?,
        );
    }
    let description = draft.description.trim();
    let missing = [
        ("description", description.is_empty()),
        ("system_prompt", draft.system_prompt.trim().is_empty()),
        ("preset", draft.preset.is_empty()),
    ];
    if let Some((field, _)) = missing.iter().find(|(_, missing)| *missing) {
        return Err(wrong(format!("{field} is empty")));
    }
    if description.chars().count() > DESCRIPTION {
        return Err(wrong(format!(
            "the description has more than {DESCRIPTION} characters"
        )));
    }
    Ok(draft)
}

fn fill(draft: &mut Draft, template: AgentTemplate) {
    if draft.system_prompt.trim().is_empty() {
        draft.system_prompt = template.system_prompt;
    }
    if draft.preset.is_empty() {
        draft.preset = template.preset;
    }
}

/// Checked against what there is.
async fn drafted(at: &ToolContext<'_>, arguments: &Value) -> Result<Drafted, ToolError> {
    let (draft, change) = understood(at, arguments).await?;
    let (agent, _) = agents::drafted(at.home, change.clone()).await?;
    Ok(Drafted {
        agent,
        change,
        knowledge: draft.knowledge,
    })
}

async fn understood(at: &ToolContext<'_>, arguments: &Value) -> Result<(Draft, Change), ToolError> {
    let draft = read(arguments)?;
    let presets: Vec<&str> = at
        .presets
        .iter()
        .map(|preset| preset.name.as_str())
        .collect();
    if !presets.contains(&draft.preset.as_str()) {
        let known = presets.join(", ");
        let why = format!("there is no preset “{}”; there are {known}", draft.preset);
        return Err(ToolError::Arguments(why));
    }
    for skill in &draft.skills {
        skills::find(at.home, skill).await?;
    }
    let change = Change {
        name: Some(draft.name.clone()),
        description: Some(draft.description.trim().to_owned()),
        system_prompt: Some(draft.system_prompt.trim().to_owned()),
        model: draft.tier.map(|tier| tier.model().to_owned()),
        preset: Some(draft.preset.clone()),
        skills: Some(draft.skills.clone()),
        knowledge_ids: Some(knowledge(at, &draft.knowledge).await?),
        ..Change::default()
    };
    Ok((draft, change))
}

/// The ids of collections that who asked may read.
async fn knowledge(at: &ToolContext<'_>, names: &[String]) -> Result<Vec<String>, ToolError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let all = repo::all::<Collection>(&at.home.team);
    let mut known = repo::collect::<Collection>(&*at.home.store, all).await?;
    known.retain(|known| known.value.is_readable_by(at.caller.requester));
    let mut ids = Vec::new();
    for name in names {
        let found = known.iter().find(|known| known.value.name == *name);
        let Some(found) = found else {
            let names: Vec<&str> = known
                .iter()
                .map(|known| known.value.name.as_str())
                .collect();
            let known = names.join(", ");
            let why = format!("there is no collection “{name}”; there are: {known}");
            return Err(ToolError::Arguments(why));
        };
        ids.push(found.value.id.to_string());
    }
    Ok(ids)
}

fn shown(drafted: &Drafted, could: &Could, past: Counts) -> String {
    let agent = &drafted.agent;
    let model = match agent.model.as_str() {
        "" => "standard",
        tier => tier,
    };
    let mut lines = vec![
        format!("{} — {}", agent.name, agent.description),
        format!("Model: {model} · preset: {}", agent.permissions.preset),
    ];
    if !agent.skills.is_empty() {
        lines.push(format!("Skills: {}", agent.skills.join(", ")));
    }
    if !drafted.knowledge.is_empty() {
        lines.push(format!("Knowledge: {}", drafted.knowledge.join(", ")));
    }
    lines.push(String::new());
    for (label, tools) in [
        ("Allowed", &could.allowed),
        ("Asks", &could.asked),
        ("Denied", &could.denied),
    ] {
        if !tools.is_empty() {
            lines.push(format!("{label}: {}", tools.join(", ")));
        }
    }
    if past.all() > 0 {
        lines.push(format!(
            "Of the latest {} calls here: {} allowed, {} asked, {} denied",
            past.all(),
            past.allowed,
            past.asked,
            past.denied
        ));
    }
    lines.push(format!("\n{}", agent.system_prompt));
    lines.join("\n")
}

#[async_trait::async_trait]
impl Tool for CreateAgent {
    fn spec(&self) -> ToolSpec {
        let text = |what: &str| json!({"type": "string", "description": what});
        let list =
            |what: &str| json!({"type": "array", "items": {"type": "string"}, "description": what});
        let properties = json!({
            "name": text("1 to 40 of a-z, 0-9 and -."),
            "description": text("One sentence for the team's list."),
            "system_prompt": text("What the agent is told, in the second person."),
            "tier": {"type": "string", "enum": ["fast", "standard", "strong"], "description": "How able a model it needs."},
            "preset": {"type": "string", "enum": ["read-only", "ask-first", "development", "full-access"], "description": "Its rights."},
            "skills": list("Names of skills."),
            "knowledge": list("Names of collections."),
            "template": text("An agent of the catalog that says what is left out: assistant, coder."),
        });
        ToolSpec {
            name: CREATE_AGENT.to_owned(),
            description:
                "Makes a new agent for the team, after an owner has seen and approved the draft."
                    .to_owned(),
            schema: json!({
                "type": "object", "properties": properties, "required": ["name", "description"], "additionalProperties": false,
            }),
            // The same agent again is the same one.
            class: ToolClass::Idempotent,
            leaves_workspace: false,
        }
    }

    fn samples(&self) -> Vec<Value> {
        vec![json!({"name": "a", "description": "a", "template": "assistant"})]
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        Ok(vec![Access::SelfChange(format!(
            "agent:{}",
            read(arguments)?.name
        ))])
    }

    fn needs_workspace(&self) -> bool {
        false
    }

    async fn preview(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        let drafted = drafted(at, arguments).await?;
        let with = (at.tools, at.presets);
        let who = at.caller.requester;
        let could = agents::could(at.home, &drafted.agent, with, who).await?;
        let past = agents::would_have(at.home, &drafted.agent, with, who).await?;
        let shown = Shown {
            what: shown(&drafted, &could, past),
            impact: "A new agent that the whole team can talk to.".to_owned(),
            rollback: format!("/agents archive {}", drafted.agent.name),
            ..Shown::default()
        };
        // What past calls would have met changes with every run; what the agent could do, only with the rules.
        let before = shown_digest(&drafted.change, &could);
        Ok(Preview {
            before,
            shown,
            attachment: None,
        })
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        if !self.is_done(at, arguments).await? {
            let change = understood(at, arguments).await?.1;
            let by = match at.caller.approval {
                Some(id) => approved_by(at, id.as_str()).await?,
                None => at.caller.requester.clone(),
            };
            let member = members::find(at.home, &by).await?;
            let member = member.ok_or_else(|| {
                ToolError::Home("who approved it is no member any more".to_owned())
            })?;
            commit_with(at.home, || agents::create(at.home, &member, change.clone())).await?;
        }
        let name = read(arguments)?.name;
        Ok(ToolOutput {
            text: format!("Agent {name} was made. People talk to it with /agent {name}."),
            ok: true,
            taint: None,
            sources: Vec::new(),
        })
    }

    async fn is_done(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<bool, ToolError> {
        let (draft, change) = understood(at, arguments).await?;
        let known = match agents::find(at.home, &draft.name).await {
            Ok(known) => known.value,
            Err(CommandError::Problem(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        Ok(known.status == AgentStatus::Active
            && known.version == 1
            && Some(&known.system_prompt) == change.system_prompt.as_ref()
            && Some(&known.description) == change.description.as_ref()
            && Some(&known.permissions.preset) == change.preset.as_ref())
    }
}

fn shown_digest(change: &Change, could: &Could) -> Digest {
    Digest::of_bytes(format!("{change:?}\n{could:?}"))
}

async fn approved_by(at: &ToolContext<'_>, id: &str) -> Result<domain::id::MemberId, ToolError> {
    let card = repo::get::<Approval>(&*at.home.store, &at.home.team, id).await?;
    let by = card.and_then(|card| card.value.decided_by);
    Ok(by.unwrap_or_else(|| at.caller.requester.clone()))
}
