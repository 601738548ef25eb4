//! The card of a run that needs more money: what is spent on what, what is needed, and how long a raise holds.

use super::{expires, field, persons};
use crate::text::en;
use domain::{
    Micros,
    approval::Approval,
    budget::Ask,
    card::{Action, Block, Card, Style},
    id::SessionId,
};

pub(super) fn card(
    to: &SessionId,
    approval: &Approval,
    ask: &Ask,
    (now, zone): (Micros, &str),
) -> Card {
    let mut blocks = vec![
        field(en::AGENT, &approval.agent_name),
        Block::Text {
            text: en::needs(ask),
        },
    ];
    let spent = en::spent_on(ask);
    if !spent.is_empty() {
        blocks.push(field(en::SPENT_ON, &spent));
    }
    blocks.push(field(en::MORE_MONEY, &en::raise(ask)));
    blocks.extend(persons::blocks(to, approval, now, zone));
    blocks.push(expires(approval, now, zone));
    let button = |label: String, verb: &str, style| Action {
        label,
        data: format!("{verb}:{}:{}", approval.id, approval.digest.short()),
        style,
    };
    Card {
        title: en::card_title(approval),
        blocks,
        actions: vec![vec![
            button(en::plus(ask), "more", Style::Good),
            button(en::STOP.to_owned(), "stop", Style::Danger),
        ]],
    }
}
