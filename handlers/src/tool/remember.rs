//! `remember`: an entry in a memory, in place of another one where it says so. What a run knows from outside is marked so in the
//! file, by us: a model can't take that away.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, spec, text};
use crate::{commit_with, memory, memory::Whose};
use domain::{
    Digest,
    approval::Shown,
    memory::{Entry, Layer, has, with},
    permission::Access,
    run::Actor,
    tool::{ToolClass, ToolSpec},
};
use serde_json::{Value, json};

pub struct Remember;

const NAME: &str = "remember";

fn entry<'a>(arguments: &'a Value, taint: &'a [String]) -> Result<Entry<'a>, ToolError> {
    let replaces = match arguments.get("replaces") {
        None | Some(Value::Null) => None,
        Some(_) => Some(text(arguments, "replaces")?),
    };
    Ok(Entry {
        text: text(arguments, "text")?,
        replaces,
        taint,
    })
}

fn layer(at: &ToolContext<'_>, arguments: &Value) -> Result<Layer, ToolError> {
    let whose = Whose::from(at.caller);
    let layer = whose.layer(text(arguments, "layer")?);
    layer.map_err(|problem| crate::CommandError::from(problem).into())
}

#[async_trait::async_trait]
impl Tool for Remember {
    fn spec(&self) -> ToolSpec {
        let properties = [
            (
                "layer",
                "string",
                "Where: “session” for this conversation, “agent” for whoever you work for, “member” for the person who asks.",
            ),
            (
                "text",
                "string",
                "One fact, understood without this conversation. Empty to forget what “replaces” names.",
            ),
            (
                "replaces",
                "string",
                "The line whose place it takes, as it stands there.",
            ),
        ];
        spec(
            NAME,
            "Keeps a fact for later tasks. Never for keys and passwords.",
            &properties,
            2,
            ToolClass::Idempotent,
        )
    }

    fn needs_workspace(&self) -> bool {
        false
    }

    fn text_argument(&self) -> Option<&'static str> {
        Some("text")
    }

    fn samples(&self) -> Vec<Value> {
        let sample = |layer: &str| json!({"layer": layer, "text": ""});
        Layer::NAMES.map(sample).to_vec()
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        let layer = text(arguments, "layer")?;
        if !Layer::NAMES.contains(&layer) {
            let names = Layer::NAMES.join(", ");
            return Err(ToolError::Arguments(format!("“layer” is one of {names}.")));
        }
        entry(arguments, &[])?;
        Ok(vec![Access::Memory(layer.to_owned())])
    }

    /// Bound to the whole memory: where it changed meanwhile, this is asked again.
    async fn preview(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        let layer = layer(at, arguments)?;
        let (before, _) = memory::read(at.home, &layer).await?;
        let after = with(&before, entry(arguments, at.caller.taint)?)
            .map_err(|unfit| ToolError::Arguments(unfit.to_string()))?;
        let (verb, reads) = match &layer {
            Layer::Session(_) => ("this conversation", "Later tasks of this conversation"),
            Layer::Agent(_) => (
                "this agent",
                "Every later task of this agent, whoever asks,",
            ),
            Layer::Member(_) => (
                "who asked",
                "Every later task that they ask for, with any agent,",
            ),
        };
        let shown = Shown {
            what: format!("Remember for {verb}: {}", text(arguments, "text")?),
            diff: memory::diff(&before, &after),
            impact: format!(
                "{reads} will know it. The file has {} bytes then.",
                after.len()
            ),
            rollback: format!("/memory {} undo", layer.name()),
            ..Shown::default()
        };
        Ok(Preview {
            before: Digest::of_bytes(&before),
            shown,
            attachment: None,
        })
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let layer = layer(at, arguments)?;
        let entry = entry(arguments, at.caller.taint)?;
        let actor = Actor::Agent(at.caller.agent.clone());
        let remember = || memory::remember(at.home, &actor, &layer, entry);
        let written = commit_with(at.home, remember).await?;
        let text = match written.diff.is_empty() {
            true => "It stands there already.".to_owned(),
            false => format!("Remembered ({}):\n{}", layer.name(), written.diff),
        };
        Ok(ToolOutput {
            text,
            ok: true,
            taint: None,
            sources: Vec::new(),
        })
    }

    async fn is_done(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<bool, ToolError> {
        let (memory, _) = memory::read(at.home, &layer(at, arguments)?).await?;
        Ok(has(&memory, entry(arguments, at.caller.taint)?))
    }
}
