//! Tests of the handlers as conversations: a team of fakes, a small worker, and what people see.

mod abandoned;
mod approvals;
mod audit;
mod basics;
mod budgets;
mod cancelling;
mod charges;
mod commands;
mod crashes;
mod dying;
mod late;
mod limits;
mod models;
mod modifying;
mod moving;
mod outages;
mod persons;
mod places;
mod plans;
mod rehearsal;
mod rights;
mod sending;
mod sizes;
mod team;
mod ticks;
mod together;
