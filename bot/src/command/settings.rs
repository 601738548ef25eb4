//! `/settings`: the person's time zone, and the team's members.

use super::{Command, Ctx, Reply};
use crate::text::{en, one_line, time};
use domain::{id::MemberId, member::Member};
use handlers::{CommandError, Problem, members};

pub struct Settings;

#[async_trait::async_trait]
impl Command for Settings {
    fn name(&self) -> &'static str {
        "settings"
    }
    fn description(&self) -> &'static str {
        "Your time zone; who is a member"
    }
    fn usage(&self) -> &'static str {
        "[zone ZONE | remove MEMBER]"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        match ctx.word() {
            ("", _) => {
                let members = members::list(ctx.home).await?;
                let lines: Vec<String> = members.iter().map(line).collect();
                let zone = if ctx.member.zone.is_empty() {
                    "UTC"
                } else {
                    &ctx.member.zone
                };
                Ok(ctx.say(&en::settings(zone, ctx.member.role, &lines.join("\n"))))
            }
            ("zone", zone) => {
                if zone.parse::<chrono_tz::Tz>().is_err() {
                    return Err(Problem::Invalid(en::no_such_zone(zone)).into());
                }
                let draft = members::set_zone(ctx.home, &ctx.member.id, zone).await?;
                let now = ctx.home.now();
                Ok(ctx
                    .say(&en::zone_set(zone, &time::at(now, now, zone)))
                    .with(draft.ops))
            }
            ("remove", id) if !id.is_empty() => {
                let draft = members::remove(ctx.home, ctx.member, &MemberId::new(id)).await?;
                Ok(ctx
                    .say(&en::deleted("member", &draft.fact.name))
                    .with(draft.ops))
            }
            _ => Ok(super::usage(ctx, self)),
        }
    }
}

fn line(member: &Member) -> String {
    format!(
        "  {} — {} ({})",
        one_line(&member.name),
        member.role,
        member.id
    )
}
