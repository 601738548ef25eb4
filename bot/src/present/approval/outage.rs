//! A card that waits, with a line about a time in which nobody heard a tap on it.

use super::{card, tag};
use crate::present::outgoing;
use domain::{Micros, approval::Approval, card::Block, id::SessionId};
use ports::message::{Body, Outgoing};

/// The same card in its place, with the same buttons. `now` is shown in `zone`.
#[must_use]
pub fn outage(
    to: &SessionId,
    approval: &Approval,
    line: String,
    (now, zone): (Micros, &str),
) -> Outgoing {
    let (mut card, _) = card(to, approval, now, zone);
    card.blocks.insert(0, Block::Text { text: line });
    let tag = tag(&approval.id);
    let message = outgoing(to, Body::EditCard { tag, card });
    Outgoing {
        approval: Some(approval.id.clone()),
        ..message
    }
}
