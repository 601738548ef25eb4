//! Flows: what a person does and sees, from the outside. The real program, FakeTelegram, the rehearsal or a scripted model; a
//! message in, a reply out.

mod agents;
mod answers;
mod approvals;
mod audit;
mod backup;
mod bad_cards;
mod bad_database;
mod bad_model;
mod bad_start;
mod bad_telegram;
mod bad_words;
mod balancer;
mod budgets;
mod cloud;
mod command_line;
mod commands;
mod designs;
mod engines;
mod honesty;
mod killed;
mod knowledge;
mod knowledge_bad;
mod mcp;
mod modify;
mod outbox;
mod people;
mod persons;
mod plans;
mod policies;
mod postgres;
mod program;
mod race;
mod readme;
mod real_servers;
mod secrets;
mod skills;
mod team;
mod terminal;
mod together;
mod webhook;
mod welcome;

pub(crate) use balancer::Balancer;
pub(crate) use program::Program;
pub(crate) use team::code_of;
use team::{Home, Team, in_each_home};
