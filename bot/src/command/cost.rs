//! `/cost`: what was spent.

use super::{Command, Ctx, Reply};
use crate::text::en;
use domain::MicroUsd;
use handlers::{CommandError, queries};
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
        let cost = queries::cost(ctx.home, now.minus(Duration::from_secs(DAYS * 86_400))).await?;
        let today = cost
            .by_day
            .get(&now.0.div_euclid(86_400_000_000))
            .copied()
            .unwrap_or_default();
        let mut lines = vec![
            en::spent(cost.total, cost.runs, DAYS),
            en::spent_today(today),
        ];
        for (title, parts) in [
            (en::BY_AGENT, &cost.by_agent),
            (en::BY_MODEL, &cost.by_model),
            (en::BY_MEMBER, &cost.by_member),
        ] {
            lines.extend(table(title, parts));
        }
        Ok(ctx.say(&lines.join("\n")))
    }
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
