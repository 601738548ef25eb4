//! A run's money: what it spent, what is reserved for the model call under way, and how its events move the budgets' counters.
//!
//! A journal says all of it: `ModelAsked` reserves and names the counters; a reply settles, a failure and a card about a budget
//! release. Where a process died in between, the next `ModelAsked` takes the reservation over. Whoever folds the events moves
//! each counter by the same amounts, once, in the commit that appends them. A run that ends over an open call (somebody
//! cancelled it) leaves its reservation as spent: the provider may charge for it.

use super::{CallState, Decided, Entry, Event, Phase, State};
use crate::{MicroUsd, Micros, budget::Scope, id::ApprovalId, message::Message};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is reserved, and the counters of budgets on which it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hold {
    pub amount: MicroUsd,
    pub counters: Vec<String>,
}

/// By how much each counter moves.
pub type Moves = BTreeMap<String, i64>;

impl Hold {
    /// Takes the event in. What it moves is added to `moves`.
    pub fn apply(&mut self, event: &Event, moves: &mut Moves) {
        let spent = match event {
            Event::ModelReplied { cost, .. } => *cost,
            Event::ModelAsked { .. } | Event::ModelFailed { .. } | Event::BudgetAsked { .. } => {
                MicroUsd::ZERO
            }
            _ => return,
        };
        let held = std::mem::take(self);
        for counter in held.counters {
            let moved = moves.entry(counter).or_default();
            *moved = moved.saturating_add((spent - held.amount).0);
        }
        if let Event::ModelAsked { reserved, held, .. } = event {
            (self.amount, self.counters) = (*reserved, held.clone());
            for counter in held {
                let moved = moves.entry(counter.clone()).or_default();
                *moved = moved.saturating_add(reserved.0);
            }
        }
    }
}

/// What a run spent on one model on one day.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Spent {
    /// As [`Micros::day`].
    pub day: i64,
    pub model: String,
    pub cost: MicroUsd,
}

/// A card that asks for more money.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetCard {
    pub scope: Scope,
    pub approval: ApprovalId,
    /// Only what ends the run: with more money the card is done with.
    pub decided: Option<Decided>,
}

impl State {
    pub(super) fn ask_for_money(&mut self, entry: &Entry) {
        let Event::BudgetAsked {
            scope, approval, ..
        } = &entry.event
        else {
            return;
        };
        self.release(entry);
        self.budget = Some(BudgetCard {
            scope: scope.clone(),
            approval: approval.clone(),
            decided: None,
        });
    }

    pub(super) fn asks_for(&self, approval: &ApprovalId) -> bool {
        let card = self.budget.as_ref();
        card.is_some_and(|card| card.approval == *approval)
    }

    pub(super) fn decide_budget(&mut self, decided: &Decided) {
        match (decided, self.budget.take()) {
            (Decided::Raised { amount }, Some(card)) if card.scope == Scope::Run => {
                self.limits.cost += *amount;
            }
            (Decided::Raised { .. } | Decided::Freed, _) => {}
            (decided, card) => {
                let decided = Some(decided.clone());
                self.budget = card.map(|card| BudgetCard { decided, ..card });
            }
        }
        self.wake();
    }

    /// What is reserved goes, or is replaced.
    pub(super) fn release(&mut self, entry: &Entry) {
        let before = self.hold.amount;
        self.hold.apply(&entry.event, &mut Moves::new());
        self.cost = self.cost - before + self.hold.amount;
    }

    /// Notes what the model that was asked last cost.
    pub(super) fn spend(&mut self, at: Micros, cost: MicroUsd) {
        if cost == MicroUsd::ZERO {
            return;
        }
        let (day, model) = (at.day(), &self.model);
        let known = |spent: &&mut Spent| spent.day == day && spent.model == *model;
        match self.spent.iter_mut().find(known) {
            Some(spent) => spent.cost += cost,
            None => self.spent.push(Spent {
                day,
                model: model.clone(),
                cost,
            }),
        }
    }

    pub(super) fn apply_model(&mut self, entry: &Entry) {
        self.release(entry);
        match &entry.event {
            Event::ModelAsked { model, .. } => {
                self.steps += 1;
                self.model.clone_from(model);
                self.phase = Phase::Asking;
            }
            Event::ModelReplied {
                model,
                text,
                calls,
                usage,
                cost,
                ..
            } => {
                self.phase = Phase::Working;
                self.next_try = 0;
                self.model.clone_from(model);
                self.usage += *usage;
                self.cost += *cost;
                self.spend(entry.at, *cost);
                self.messages.push(Message::Assistant {
                    text: text.clone(),
                    calls: calls.clone(),
                });
                self.calls = calls.iter().map(CallState::new).collect();
            }
            Event::ModelFailed { error, again } => {
                self.phase = Phase::Working;
                self.next_try = *again;
                if *again == 0 {
                    self.model_error = Some(error.clone());
                } else {
                    // The same step once more: it was not charged, and tries have an end of their own.
                    self.steps = self.steps.saturating_sub(1);
                }
            }
            _ => {}
        }
    }
}
