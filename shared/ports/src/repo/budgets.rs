//! Budgets, found by what they are for. What one is stands in `domain::budget`.

use super::Entity;
use crate::store::{CounterKey, Table};
use domain::{budget::Budget, id::TeamId};

pub static BUDGETS: Table = Table {
    name: "budgets",
    indexes: &[],
};

impl Entity for Budget {
    const TABLE: &'static Table = &BUDGETS;
    fn id(&self) -> String {
        self.scope.to_string()
    }
}

/// `name` as [`Budget::counter`] or `domain::budget::day_counter` says it.
#[must_use]
pub fn counter(team: &TeamId, name: &str) -> CounterKey {
    CounterKey {
        team: team.clone(),
        id: name.to_owned(),
    }
}
