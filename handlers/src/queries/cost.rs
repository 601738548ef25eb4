//! What was spent: by model, agent, person and day, from the records of the runs. A record is written when a run waits or ends;
//! of the few that work just now the journal is read.

use crate::Home;
use domain::{
    MicroUsd, Micros,
    run::{RunStatus, RunSummary, Spent, State},
};
use ports::{
    repo::{self, Stored},
    store::StoreError,
};
use std::{collections::BTreeMap, time::Duration};

/// A run may wait for its cards so long and spend again.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// What was spent, since a day.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Cost {
    pub total: MicroUsd,
    /// Those that cost nothing too.
    pub runs: u64,
    pub by_model: BTreeMap<String, MicroUsd>,
    pub by_agent: BTreeMap<String, MicroUsd>,
    /// By the person's id.
    pub by_member: BTreeMap<String, MicroUsd>,
    /// By day since 1970 (UTC).
    pub by_day: BTreeMap<i64, MicroUsd>,
}

/// What the runs that fit spent on the day of `since` and later.
///
/// # Errors
/// What the store answers.
pub async fn cost(
    home: &Home,
    since: Micros,
    fits: impl Fn(&RunSummary) -> bool,
) -> Result<Cost, StoreError> {
    let mut cost = Cost::default();
    let first = since.minus(LONGEST);
    let mut query = repo::all::<RunSummary>(&home.team);
    query.descending = true;
    loop {
        let (page, next) = repo::page::<RunSummary>(&*home.store, query.clone()).await?;
        // Ids are ordered by time, so the first old one ends it; the page's rest guards against clocks that jumped.
        let all_old = page.iter().all(|stored| stored.value.started_at < first);
        for Stored { value: run, .. } in page.into_iter().filter(|stored| fits(&stored.value)) {
            let spent = spent(home, &run).await?;
            cost.add(&run, since, &spent);
        }
        match next {
            Some(cursor) if !all_old => query.after = Some(cursor),
            _ => return Ok(cost),
        }
    }
}

impl Cost {
    fn add(&mut self, run: &RunSummary, since: Micros, spent: &[Spent]) {
        let recent: Vec<&Spent> = spent
            .iter()
            .filter(|spent| spent.day >= since.day())
            .collect();
        self.runs += u64::from(!recent.is_empty() || run.started_at >= since);
        for Spent { day, model, cost } in recent {
            self.total += *cost;
            *self.by_model.entry(model.clone()).or_default() += *cost;
            *self.by_agent.entry(run.agent_name.clone()).or_default() += *cost;
            let member = run.requester.as_str().to_owned();
            *self.by_member.entry(member).or_default() += *cost;
            *self.by_day.entry(*day).or_default() += *cost;
        }
    }
}

async fn spent(home: &Home, run: &RunSummary) -> Result<Vec<Spent>, StoreError> {
    if run.status == RunStatus::Running {
        match State::fold(&super::journal(home, &run.id).await?) {
            Ok(state) => return Ok(state.spent),
            Err(error) => tracing::warn!(run = %run.id, %error, "a journal cannot be read"),
        }
    }
    if run.spent.is_empty() && run.cost != MicroUsd::ZERO {
        // As release 0.1 kept it.
        return Ok(vec![Spent {
            day: run.started_at.day(),
            model: run.model.clone(),
            cost: run.cost,
        }]);
    }
    Ok(run.spent.clone())
}
