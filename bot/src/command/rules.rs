//! `/rules`: the team's own permission rules.

use super::{Command, Ctx, Reply};
use crate::text::{Builder, en, time};
use domain::{
    id::short,
    permission::{Rule, parse_rule},
    rich_text::{MarkStyle, RichText},
};
use handlers::{CommandError, Problem, rules};

pub struct Rules;

#[async_trait::async_trait]
impl Command for Rules {
    fn name(&self) -> &'static str {
        "rules"
    }
    fn description(&self) -> &'static str {
        "What may happen without asking, and what never"
    }
    fn usage(&self) -> &'static str {
        "[add RULE | remove ID | undo [APPROVAL] | history]"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        match ctx.word() {
            ("", _) => Ok(ctx.show(&list(&rules::list(ctx.home).await?))),
            ("add", text) if !text.is_empty() => {
                let rule =
                    parse_rule(&quoted(text)).map_err(|why| Problem::Invalid(why.to_string()))?;
                let draft = rules::add(ctx.home, ctx.member, rule).await?;
                Ok(ctx.say(&en::rule_added(&draft.fact)).with(draft.ops))
            }
            ("remove", id) if !id.is_empty() => {
                let draft = rules::remove(ctx.home, ctx.member, id).await?;
                Ok(ctx
                    .say(&en::deleted("rule", &en::rule(&draft.fact)))
                    .with(draft.ops))
            }
            ("undo", id) if !id.is_empty() => {
                let draft = rules::undo(ctx.home, ctx.member, id).await?;
                Ok(ctx.say(&en::undone(&draft.fact)).with(draft.ops))
            }
            ("undo", _) => {
                let draft = rules::take_back(ctx.home, ctx.member).await?;
                let (rule, came) = &draft.fact;
                Ok(ctx.say(&en::rule_undone(rule, *came)).with(draft.ops))
            }
            ("history", _) => {
                let past = rules::history(ctx.home).await?;
                let line = |past: &rules::Past| {
                    let at = time::at(past.at, ctx.home.now(), &ctx.member.zone);
                    en::rule_past(past, &at)
                };
                let lines: Vec<String> = past.iter().map(line).collect();
                match lines.is_empty() {
                    true => Ok(ctx.say(en::NO_RULE_CHANGES)),
                    false => Ok(ctx.say(&lines.join("\n"))),
                }
            }
            _ => Ok(super::usage(ctx, self)),
        }
    }
}

fn list(rules: &[Rule]) -> RichText {
    let mut out = Builder::default();
    if rules.is_empty() {
        out.push(en::NO_RULES).push("\n");
    }
    for rule in rules {
        out.marked(short(rule.id.as_str()), MarkStyle::Code)
            .push(" ")
            .push(&en::rule(rule))
            .push("\n");
    }
    out.push("\n").push(en::RULES_HINT);
    out.build()
}

/// A rule's pattern stands between “ ” or bare; a keyboard has only " ", which would belong to the pattern and never match.
fn quoted(text: &str) -> String {
    match text.matches('"').count() {
        2 => text.replacen('"', "“", 1).replacen('"', "”", 1),
        _ => text.to_owned(),
    }
}
