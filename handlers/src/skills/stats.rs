//! What was done with each skill: counted when a run ends, in the commit that ends it, from its journal.

use crate::Home;
use domain::{
    MicroUsd,
    run::{Outcome, State},
    skill::counter,
};
use ports::{
    repo,
    store::{Op, StoreError},
};
use std::time::Duration;

/// Skills that one run counts for; each takes up to six operations of its last commit.
const COUNTED: usize = 5;

/// Of all runs that used the skill and are over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    pub runs: u64,
    /// Runs that ended with an answer.
    pub answered: u64,
    pub scripts: u64,
    /// Scripts that did not end well.
    pub failed: u64,
    /// Of work of those runs, and what their models cost.
    pub time: Duration,
    pub cost: MicroUsd,
}

/// # Errors
/// What the store answers.
pub async fn stats(home: &Home, skill: &str) -> Result<Stats, StoreError> {
    let count = async |what: &str| {
        let key = repo::budgets::counter(&home.team, &counter(skill, what));
        home.store.counter(&key).await
    };
    let number = async |what: &str| {
        count(what)
            .await
            .map(|value| u64::try_from(value).unwrap_or(0))
    };
    Ok(Stats {
        runs: number("runs").await?,
        answered: number("answered").await?,
        scripts: number("scripts").await?,
        failed: number("failed").await?,
        time: Duration::from_secs(number("seconds").await?),
        cost: MicroUsd(count("cost").await?),
    })
}

/// What a run that ends adds.
#[must_use]
pub fn used(home: &Home, state: &State, outcome: &Outcome) -> Vec<Op> {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let seconds = signed(state.worked(home.now()).as_secs());
    let mut ops = Vec::new();
    for (skill, used) in state.skills.iter().take(COUNTED) {
        let counts = [
            ("runs", 1),
            ("answered", i64::from(*outcome == Outcome::Answered)),
            ("scripts", i64::from(used.scripts)),
            ("failed", i64::from(used.failed)),
            ("seconds", seconds),
            ("cost", state.cost.0),
        ];
        ops.extend(
            counts
                .into_iter()
                .filter(|(_, delta)| *delta != 0)
                .map(|(what, delta)| Op::Add {
                    counter: repo::budgets::counter(&home.team, &counter(skill, what)),
                    delta,
                    ceiling: None,
                }),
        );
    }
    ops
}
