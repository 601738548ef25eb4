//! `/settings`: the person's time zone, and the team's members.

use super::{Command, Ctx, Reply};
use crate::text::{en, one_line, time};
use domain::{Micros, id::MemberId, member::Member, parse_span};
use handlers::{CommandError, Problem, circulate, members};
use std::time::Duration;

/// A card is not sent on sooner.
const LEAST: Duration = Duration::from_secs(60);

pub struct Settings;

#[async_trait::async_trait]
impl Command for Settings {
    fn name(&self) -> &'static str {
        "settings"
    }
    fn description(&self) -> &'static str {
        "Your time zone; who is a member; when a card is sent on"
    }
    fn usage(&self) -> &'static str {
        "[zone ZONE | escalate SPAN or never | remove MEMBER]"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        match ctx.word() {
            ("", _) => {
                let members = members::list(ctx.home).await?;
                let now = ctx.home.now();
                let line = |member: &Member| line(member, now, &ctx.member.zone);
                let lines: Vec<String> = members.iter().map(line).collect();
                let escalation = circulate::escalation(ctx.home).await?;
                let escalation = escalation.map(|after| time::span(Duration::from_secs(after)));
                let zone = if ctx.member.zone.is_empty() {
                    "UTC"
                } else {
                    &ctx.member.zone
                };
                let sent_on = en::escalation(escalation.as_deref());
                Ok(ctx.say(&en::settings(
                    zone,
                    ctx.member.role,
                    &sent_on,
                    &lines.join("\n"),
                )))
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
            ("escalate", span) if !span.is_empty() => {
                let after = match span {
                    "never" => None,
                    span => Some(
                        parse_span(span)
                            .filter(|span| *span >= LEAST)
                            .ok_or_else(|| Problem::Invalid(en::no_such_span(span)))?,
                    ),
                };
                let draft = circulate::set_escalation(ctx.home, ctx.member, after).await?;
                let after = after.map(time::span);
                Ok(ctx.say(&en::escalation(after.as_deref())).with(draft.ops))
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

fn line(member: &Member, now: Micros, zone: &str) -> String {
    let away = member.away_at(now);
    let away = away.map(|away| en::away_until(&time::at(away.until, now, zone)));
    format!(
        "  {} — {} ({}){}",
        one_line(&member.name),
        member.role,
        member.id,
        away.unwrap_or_default()
    )
}
