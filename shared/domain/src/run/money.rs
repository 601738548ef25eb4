//! A run's money: what it spent, what is reserved for the model call under way, and how its events move the budgets' counters.
//!
//! A journal says all of it: `ModelAsked` reserves and names the counters; a reply settles, and a failure with what the provider
//! may charge all the same. Whatever else comes after a `ModelAsked` (the next one, since a process died in between; a card about
//! a budget; the end, since somebody cancelled) leaves the reservation as spent: nobody saw how the call came out, and the
//! provider charges for it. Whoever folds the events moves each counter by the same amounts, once, in the commit that appends
//! them.

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
    /// Takes the event in, and says what was spent on the call that it settles. What it moves is added to `moves`.
    pub fn apply(&mut self, event: &Event, moves: &mut Moves) -> MicroUsd {
        let spent = match event {
            Event::ModelReplied { cost, .. }
            | Event::Summarised { cost, .. }
            | Event::ModelFailed { cost, .. } => *cost,
            Event::ModelAsked { .. } | Event::BudgetAsked { .. } | Event::Finished { .. } => {
                self.amount
            }
            _ => return MicroUsd::ZERO,
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
        spent
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
        self.settle(entry);
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

    /// What was reserved is spent, or goes, or is replaced.
    pub(super) fn settle(&mut self, entry: &Entry) {
        let before = self.hold.amount;
        let spent = self.hold.apply(&entry.event, &mut Moves::new());
        self.cost = self.cost - before + spent + self.hold.amount;
        self.spend(entry.at, spent);
    }

    /// Notes what the model that was asked last cost.
    fn spend(&mut self, at: Micros, cost: MicroUsd) {
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
        if let Event::ModelReplied { model, .. } = &entry.event {
            self.model.clone_from(model);
        }
        self.settle(entry);
        match &entry.event {
            Event::ModelAsked { model, bytes, .. } => {
                self.offer.ask(*bytes);
                self.steps += 1;
                self.model.clone_from(model);
                self.phase = Phase::Asking;
            }
            Event::ModelReplied {
                text, calls, usage, ..
            } => {
                self.phase = Phase::Working;
                self.next_try = 0;
                self.offer.count(usage);
                self.usage += *usage;
                self.messages.push(Message::Assistant {
                    text: text.clone(),
                    calls: calls.clone(),
                });
                self.calls = calls.iter().map(CallState::new).collect();
            }
            Event::ModelFailed { error, again, .. } => {
                self.phase = Phase::Working;
                self.next_try = *again;
                if *again == 0 {
                    self.model_error = Some(error.clone());
                } else {
                    // The same step once more: tries have an end of their own.
                    self.steps = self.steps.saturating_sub(1);
                }
            }
            _ => {}
        }
    }
}
