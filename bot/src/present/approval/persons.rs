//! Of a card, what is about people: who asked, who decides, who has said yes, why it came here; and the reminder.

use super::field;
use crate::{
    present::outgoing,
    text::{en, time},
};
use domain::{Micros, approval::Approval, card::Block, id::SessionId, rich_text::RichText};
use ports::message::{Body, Outgoing};

/// Who asked, where that can't be seen; who decides, where not everybody may; who has said yes.
pub(super) fn blocks(to: &SessionId, approval: &Approval, now: Micros, zone: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    if *to != approval.session && !approval.requester_name.is_empty() {
        blocks.push(field(en::ASKED_BY, &approval.requester_name));
    }
    if let Some(decides) = en::decides(approval) {
        blocks.push(field(en::DECIDES, &decides));
    }
    if approval.persons > 1 && !approval.votes.is_empty() {
        let votes = approval.votes.iter().map(|vote| {
            let absent = vote.instead_of.as_ref().map(|absent| &*absent.name);
            en::vote(&vote.by.name, absent, &time::at(vote.at, now, zone))
        });
        let votes: Vec<String> = votes.collect();
        blocks.push(field(
            en::APPROVED,
            &en::so_far(approval, &votes.join("; ")),
        ));
    }
    let sent = approval.sent.iter().find(|sent| sent.place == *to);
    if let Some(sent) = sent {
        let absent = sent.instead_of.as_ref().map(|absent| &*absent.name);
        blocks.extend(en::why_here(absent, sent.escalated).map(|text| Block::Text { text }));
    }
    blocks
}

/// An answer to the card that rings.
#[must_use]
pub fn reminder(to: &SessionId, approval: &Approval, card: &str, now: Micros) -> Outgoing {
    let left = time::span(approval.expires_at.since(now));
    let text = RichText::plain(en::reminder(approval, &left));
    Outgoing {
        rings: true,
        reply_to: Some(card.to_owned()),
        ..outgoing(to, Body::text(text))
    }
}
