//! `/skills`: what agents can be given, and what could be installed.

use super::{Command, Ctx, Reply};
use crate::text::{Builder, en, one_line};
use domain::rich_text::MarkStyle;
use handlers::{CommandError, skills};

pub struct Skills;

/// Characters of a description in the list.
const SHORT: usize = 140;

/// Ends with a whole word.
fn shortened(text: &str) -> String {
    if text.chars().count() <= SHORT {
        return text.to_owned();
    }
    let cut: String = text.chars().take(SHORT).collect();
    let whole = cut
        .rsplit_once(' ')
        .map_or(cut.as_str(), |(whole, _)| whole);
    format!("{whole} …")
}

#[async_trait::async_trait]
impl Command for Skills {
    fn name(&self) -> &'static str {
        "skills"
    }
    fn description(&self) -> &'static str {
        "List the skills that agents can be given"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let all = skills::list(ctx.home).await?;
        let mut out = Builder::default();
        for skill in &all {
            let short = shortened(&one_line(&skill.description));
            out.marked(&skill.name, MarkStyle::Bold).push(&format!(
                " ({}, {}) — {short}\n",
                en::kind(skill.kind),
                en::source(skill)
            ));
        }
        match ctx.shelf.offers().await {
            Err(error) => {
                out.push("\n").push(&en::shelf(&error)).push("\n");
            }
            Ok(offers) => {
                let is_new = |name: &str| all.iter().all(|skill| skill.name != name);
                let names: Vec<&str> = offers
                    .iter()
                    .map(|offer| offer.name.as_str())
                    .filter(|name| is_new(name))
                    .collect();
                if !names.is_empty() {
                    out.push(&format!("\n{} {}\n", en::ON_THE_SHELF, names.join(", ")));
                }
            }
        }
        out.push("\n").push(en::SKILLS_HINT);
        Ok(ctx.show(&out.build()))
    }
}
