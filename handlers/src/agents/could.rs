//! What an agent could do: its rules asked about typical calls of every tool, and about the calls of past runs.

use crate::{
    CommandError, Home, queries,
    rules::InForce,
    run::large,
    tool::{Tool, Tools, create_agent::CREATE_AGENT},
};
use catalog::Preset;
use domain::{
    agent::Agent,
    id::MemberId,
    permission::{Access, Effect, Subject},
    run::Event,
    tool::ToolCall,
};
use serde_json::{Value, json};

/// Past runs that are looked at, the latest ones.
const RUNS: u32 = 30;
/// Calls of them.
const CALLS: usize = 300;

/// Tools, each with the calls in question where it has several: `run_command (git log; make)`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Could {
    pub allowed: Vec<String>,
    pub asked: Vec<String>,
    pub denied: Vec<String>,
}

/// How many of past calls the rules would have allowed, asked about, denied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub allowed: usize,
    pub asked: usize,
    pub denied: usize,
}

impl Counts {
    #[must_use]
    pub fn all(&self) -> usize {
        self.allowed + self.asked + self.denied
    }
}

struct Eye {
    force: InForce,
    who: Subject,
}

impl Eye {
    async fn of(
        home: &Home,
        agent: &Agent,
        presets: &[Preset],
        member: &MemberId,
    ) -> Result<Self, CommandError> {
        Ok(Self {
            force: InForce::of(home, agent, presets).await?,
            who: Subject {
                agent: agent.id.clone(),
                member: member.clone(),
            },
        })
    }

    /// None for a call that can't be understood.
    fn effect(&self, tool: &dyn Tool, arguments: &Value) -> Option<Effect> {
        let accesses = tool.accesses(arguments).ok()?;
        if accesses.is_empty() {
            return Some(Effect::Allow);
        }
        let changes = |access: &Access| matches!(access, Access::SelfChange(_));
        let effect = self.force.judge(&accesses, &self.who).effect;
        Some(match accesses.iter().any(changes) {
            // Whatever rules allow.
            true => effect.max(Effect::Ask),
            false => effect,
        })
    }
}

/// What it could do in a run that this member starts.
///
/// # Errors
/// What the store answers.
pub async fn could(
    home: &Home,
    agent: &Agent,
    (tools, presets): (&Tools, &[Preset]),
    member: &MemberId,
) -> Result<Could, CommandError> {
    let eye = Eye::of(home, agent, presets, member).await?;
    let mut could = Could::default();
    for spec in tools.specs(!agent.knowledge_ids.is_empty()) {
        let Some(tool) = tools.get(&spec.name) else {
            continue;
        };
        let mut samples = tool.samples();
        if samples.is_empty() {
            samples.push(json!({}));
        }
        let judge = |sample: &Value| Some((eye.effect(&**tool, sample)?, line(sample)));
        let judged: Vec<(Effect, String)> = samples.iter().filter_map(judge).collect();
        for (effect, list) in [
            (Effect::Allow, &mut could.allowed),
            (Effect::Ask, &mut could.asked),
            (Effect::Deny, &mut could.denied),
        ] {
            let of = judged.iter().filter(|(judged, _)| *judged == effect);
            let lines: Vec<&str> = of.map(|(_, line)| line.as_str()).collect();
            match lines.len() {
                0 => {}
                _ if judged.len() == 1 => list.push(spec.name.clone()),
                _ => list.push(format!("{} ({})", spec.name, lines.join("; "))),
            }
        }
    }
    Ok(could)
}

fn line(sample: &Value) -> String {
    let names = ["command", "layer"].iter();
    let said = names
        .filter_map(|name| sample.get(name))
        .find_map(Value::as_str);
    said.map_or_else(|| sample.to_string(), str::to_owned)
}

/// What its rules would have said about the calls of the team's latest runs.
///
/// # Errors
/// What the store answers.
pub async fn would_have(
    home: &Home,
    agent: &Agent,
    (tools, presets): (&Tools, &[Preset]),
    member: &MemberId,
) -> Result<Counts, CommandError> {
    let eye = Eye::of(home, agent, presets, member).await?;
    let mut counts = Counts::default();
    for run in queries::runs(home, None, RUNS).await? {
        for entry in queries::journal(home, &run.id).await? {
            let Event::ModelReplied { calls, .. } = entry.event else {
                continue;
            };
            // Who makes agents is not among those that the new one works like.
            for call in calls.into_iter().filter(|call| call.name != CREATE_AGENT) {
                match effect(home, &eye, tools, call).await? {
                    Some(Effect::Allow) => counts.allowed += 1,
                    Some(Effect::Ask) => counts.asked += 1,
                    Some(Effect::Deny) => counts.denied += 1,
                    None => {}
                }
            }
        }
        if counts.all() >= CALLS {
            break;
        }
    }
    Ok(counts)
}

async fn effect(
    home: &Home,
    eye: &Eye,
    tools: &Tools,
    call: ToolCall,
) -> Result<Option<Effect>, CommandError> {
    let Some(tool) = tools.get(&call.name) else {
        return Ok(None);
    };
    let arguments = large::fetch(&*home.blobs, call.arguments).await?;
    Ok(eye.effect(&**tool, &arguments))
}
