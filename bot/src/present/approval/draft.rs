//! The card of a drafted agent: its buttons.

use crate::text::en;
use domain::{
    approval::Approval,
    card::{Action, Style},
};
use handlers::tool::create_agent::CREATE_AGENT;

pub fn is(approval: &Approval) -> bool {
    approval.call.name == CREATE_AGENT
}

/// The first row, and what begins the second.
pub fn actions(button: impl Fn(&str, &str, Style) -> Action) -> (Vec<Action>, Vec<Action>) {
    let first = vec![
        button(en::CREATE, "ok", Style::Good),
        button(en::CANCEL, "stop", Style::Danger),
    ];
    (first, vec![button(en::CHANGE, "redraft", Style::Plain)])
}
