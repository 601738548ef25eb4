//! `/run`: one run, with the end of its journal.

use super::{Command, Ctx, Reply};
use crate::text::{en, time};
use domain::run::{Entry, Event};
use handlers::{CommandError, memory, queries};

pub struct Run;

/// Journal lines that are shown; the command line shows all.
const LINES: usize = 30;

/// Whether what the agent said may repeat what is remembered about who asked: that is theirs alone.
fn knows_memories(journal: &[Entry]) -> bool {
    journal.iter().any(|entry| match &entry.event {
        Event::ContextAdded { source, .. } => source == memory::OWN,
        Event::ModelReplied { calls, .. } => calls
            .iter()
            .any(|call| call.name == "recall" || call.text("layer") == Some("member")),
        _ => false,
    })
}

#[async_trait::async_trait]
impl Command for Run {
    fn name(&self) -> &'static str {
        "run"
    }
    fn description(&self) -> &'static str {
        "What a run did"
    }
    fn usage(&self) -> &'static str {
        "<id>"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let (id, _) = ctx.word();
        if id.is_empty() {
            return Ok(super::usage(ctx, self));
        }
        let run = queries::run(ctx.home, id).await?;
        let journal = queries::journal(ctx.home, &run.id).await?;
        let (now, zone) = (ctx.home.now(), &ctx.member.zone);
        let mut lines = vec![en::run_line(&run, now), String::new()];
        let skipped = journal.len().saturating_sub(LINES);
        if skipped > 0 {
            lines.push(en::earlier(skipped));
        }
        let hides = run.requester != ctx.member.id && knows_memories(&journal);
        let line = |event: &Event| match event {
            Event::ModelReplied { .. } | Event::CallFinished { .. } if hides => {
                Some(en::HIDDEN.to_owned())
            }
            event => en::event(event),
        };
        let told = journal
            .iter()
            .skip(skipped)
            .filter_map(|entry| Some((entry.at, line(&entry.event)?)));
        lines.extend(told.map(|(at, what)| format!("{} {what}", time::at(at, now, zone))));
        Ok(ctx.say(&lines.join("\n")))
    }
}
