//! `/help`: what can be said.

use super::{COMMANDS, Command, Ctx, Reply};
use crate::text::{Builder, en};
use domain::rich_text::MarkStyle;
use handlers::CommandError;

pub struct Help;

#[async_trait::async_trait]
impl Command for Help {
    fn name(&self) -> &'static str {
        "help"
    }
    fn description(&self) -> &'static str {
        "What I can do"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let mut out = Builder::default();
        out.push(en::HELP).push("\n\n");
        for command in COMMANDS {
            let written = format!("/{} {}", command.name(), command.usage());
            out.marked(written.trim_end(), MarkStyle::Bold)
                .push(" — ")
                .push(command.description())
                .push("\n");
        }
        Ok(ctx.show(&out.build()))
    }
}
