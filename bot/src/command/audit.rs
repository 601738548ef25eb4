//! `/audit`: the latest deeds of the team, or of one run.

use super::{Command, Ctx, Reply};
use crate::text::{en, one_line, time};
use domain::audit::Entry;
use handlers::{CommandError, queries, run};

pub struct Audit;

const LATEST: u32 = 20;

#[async_trait::async_trait]
impl Command for Audit {
    fn name(&self) -> &'static str {
        "audit"
    }
    fn description(&self) -> &'static str {
        "Who did and decided what"
    }
    fn usage(&self) -> &'static str {
        "[run]"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let streams = match ctx.word().0 {
            "" => {
                // The team's own deeds, and those of the latest runs.
                let runs = queries::runs(ctx.home, None, 5).await?;
                let runs = runs.iter().map(|summary| run::stream(&summary.id));
                std::iter::once("team".to_owned()).chain(runs).collect()
            }
            id => vec![run::stream(&queries::run(ctx.home, id).await?.id)],
        };
        let mut entries = Vec::new();
        for stream in streams {
            entries.extend(queries::audit(ctx.home, &stream, LATEST).await?);
        }
        entries.sort_by_key(|entry| entry.at);
        let skipped = entries.len().saturating_sub(LATEST as usize);
        let lines: Vec<String> = entries
            .iter()
            .skip(skipped)
            .flat_map(|entry| told(ctx, entry))
            .collect();
        Ok(ctx.say(&if lines.is_empty() {
            en::NO_AUDIT.to_owned()
        } else {
            lines.join("\n")
        }))
    }
}

fn told(ctx: &Ctx<'_>, entry: &Entry) -> Vec<String> {
    let at = time::at(entry.at, ctx.home.now(), &ctx.member.zone);
    entry
        .deeds
        .iter()
        .map(|deed| one_line(&en::deed(&at, deed)))
        .collect()
}
