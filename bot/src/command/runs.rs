//! `/runs`: the latest, newest first.

use super::{Command, Ctx, Reply};
use crate::text::en;
use handlers::{CommandError, queries};

pub struct Runs;

/// As many as a phone shows.
const LATEST: u32 = 10;

#[async_trait::async_trait]
impl Command for Runs {
    fn name(&self) -> &'static str {
        "runs"
    }
    fn description(&self) -> &'static str {
        "The latest runs"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let runs = queries::runs(ctx.home, None, LATEST).await?;
        if runs.is_empty() {
            return Ok(ctx.say(en::NO_RUNS));
        }
        let lines: Vec<String> = runs
            .iter()
            .map(|run| en::run_line(run, ctx.home.now()))
            .collect();
        Ok(ctx.say(&format!("{}\n\n{}", lines.join("\n"), en::RUNS_HINT)))
    }
}
