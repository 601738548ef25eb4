//! `/cost`: what was spent.

use super::{Command, Ctx, Reply};
use crate::text::{en, one_line};
use domain::MicroUsd;
use handlers::{CommandError, members, queries};
use std::{collections::BTreeMap, time::Duration};

pub struct Cost;

const DAYS: u64 = 30;

#[async_trait::async_trait]
impl Command for Cost {
    fn name(&self) -> &'static str {
        "cost"
    }
    fn description(&self) -> &'static str {
        "What was spent in the last 30 days"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let now = ctx.home.now();
        let since = now.minus(Duration::from_secs(DAYS * 86_400));
        let cost = queries::cost(ctx.home, since, |_| true).await?;
        let today = cost.by_day.get(&now.day()).copied().unwrap_or_default();
        let mut lines = vec![
            en::spent(cost.total, cost.runs, DAYS),
            en::spent_today(today),
        ];
        for (title, parts) in [
            (en::BY_AGENT, &cost.by_agent),
            (en::BY_MODEL, &cost.by_model),
            (en::BY_MEMBER, &named(ctx, cost.by_member).await?),
        ] {
            lines.extend(table(title, parts));
        }
        lines.extend(days(&cost.by_day));
        Ok(ctx.say(&lines.join("\n")))
    }
}

/// People by their names, who is gone by the id.
async fn named(
    ctx: &Ctx<'_>,
    costs: BTreeMap<String, MicroUsd>,
) -> Result<BTreeMap<String, MicroUsd>, CommandError> {
    let members = members::list(ctx.home).await?;
    let mut named = BTreeMap::new();
    for (id, cost) in costs {
        let member = members.iter().find(|member| member.id.as_str() == id);
        let name = member.map_or(id, |member| one_line(&member.name));
        *named.entry(name).or_default() += cost;
    }
    Ok(named)
}

/// The latest first.
fn days(days: &BTreeMap<i64, MicroUsd>) -> Vec<String> {
    let spent = days
        .iter()
        .rev()
        .filter(|(_, cost)| **cost > MicroUsd::ZERO);
    let lines: Vec<String> = spent
        .take(10)
        .map(|(day, cost)| format!("  {cost} {}", en::day(*day)))
        .collect();
    let title = (!lines.is_empty()).then(|| format!("\n{}:", en::BY_DAY));
    title.into_iter().chain(lines).collect()
}

/// The dearest first; what cost nothing is left out.
fn table(title: &str, parts: &BTreeMap<String, MicroUsd>) -> Vec<String> {
    let mut parts: Vec<(&String, &MicroUsd)> = parts
        .iter()
        .filter(|(_, cost)| **cost > MicroUsd::ZERO)
        .collect();
    parts.sort_by(|a, b| b.1.cmp(a.1));
    let lines = parts
        .iter()
        .take(10)
        .map(|(name, cost)| format!("  {cost} {name}"));
    let title = (!parts.is_empty()).then(|| format!("\n{title}:"));
    title.into_iter().chain(lines).collect()
}
