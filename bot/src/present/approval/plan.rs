//! A call in two stages: what its plan says stands where a change has its diff.

use super::field;
use crate::text::en;
use domain::{approval::Approval, card::Block};

/// Above the plan's output.
pub(super) fn blocks(approval: &Approval) -> Vec<Block> {
    let shown = &approval.shown;
    let (mut blocks, word) = (Vec::new(), &shown.capability);
    if !word.is_empty() {
        blocks.push(field(en::CAPABILITY, &en::capability(word)));
    }
    if !shown.plan.is_empty() {
        blocks.push(field(en::PLAN, &shown.plan));
    }
    blocks
}

pub(super) fn language(approval: &Approval) -> &'static str {
    match approval.shown.plan.is_empty() {
        true => "diff",
        false => "",
    }
}

/// The file with all of it.
pub(super) fn file(approval: &Approval) -> &'static str {
    match approval.shown.plan.is_empty() {
        true => en::CHANGE_FILE,
        false => en::PLAN_FILE,
    }
}
