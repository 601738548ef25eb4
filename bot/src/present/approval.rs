//! The approval card: everything that a decision needs, within one message. What doesn't fit hangs on it as a file.

mod budget;
mod draft;
mod outage;
mod persons;
mod plan;

pub use outage::outage;
pub use persons::reminder;

use super::{
    cutting::{beginning, shorten},
    outgoing, texts,
};
use crate::text::{self, Builder, PART_LIMIT, en, one_line, time, visible};
use domain::{
    Micros,
    approval::{Approval, Question},
    card::{Action, Block, Card, Style},
    content::Content,
    id::{ApprovalId, SessionId},
    rich_text::MarkStyle,
};
use ports::message::{Body, Outgoing};

/// Most that each value may take on the card, in UTF-16 units, so that none can push another off it. The diff gets what is left.
const WHAT: usize = 1200;
const WHY: usize = 400;
const FIELD: usize = 220;
const RULES: usize = 300;
/// For the line that a card gets after an absence, so that the rest of it stays as it was.
const OUTAGE: usize = 160;
/// Of a settled card, which only has to be recognised.
const WHAT_SETTLED: usize = 600;

/// The name under which the card is found again.
#[must_use]
pub fn tag(approval: &ApprovalId) -> String {
    format!("approval:{approval}")
}

/// The card, and the file with what did not fit.
#[must_use]
pub fn asked(to: &SessionId, approval: &Approval, now: Micros, zone: &str) -> Vec<Outgoing> {
    let (card, cut) = card(to, approval, now, zone);
    let mut message = outgoing(to, Body::Card { card });
    message.tag = Some(tag(&approval.id));
    message.rings = true;
    message.approval = Some(approval.id.clone());
    let mut messages = vec![message];
    messages.extend(files(approval, cut).into_iter().map(|(name, content)| {
        let mut file = outgoing(
            to,
            Body::File {
                name: name.to_owned(),
                content,
                caption: en::file_caption(approval),
            },
        );
        // Who can't get the file has not seen what they would sign.
        file.approval = Some(approval.id.clone());
        file
    }));
    messages
}

/// The card as it is now, in the place of the one that is there.
#[must_use]
pub fn changed(to: &SessionId, approval: &Approval, now: Micros, zone: &str) -> Outgoing {
    let (card, _) = card(to, approval, now, zone);
    let tag = tag(&approval.id);
    outgoing(to, Body::EditCard { tag, card })
}

/// The card in the place of what it showed before, and the file with what did not fit.
#[must_use]
pub fn modified(to: &SessionId, approval: &Approval, now: Micros, zone: &str) -> Vec<Outgoing> {
    let mut messages = asked(to, approval, now, zone);
    if let Some(first) = messages.first_mut()
        && let Some(tag) = first.tag.take()
        && let Body::Card { card } = &mut first.body
    {
        let card = std::mem::take(card);
        first.body = Body::EditCard { tag, card };
    }
    messages
}

/// The card without buttons, with who decided and when.
#[must_use]
pub fn settled(to: &SessionId, approval: &Approval, by: &str, now: Micros, zone: &str) -> Outgoing {
    let at = time::at(approval.decided_at.unwrap_or(now), now, zone);
    let card = Card {
        title: en::card_title(approval),
        blocks: vec![
            Block::Text {
                text: en::settled(approval, &one_line(by), &at),
            },
            code(
                language(approval),
                &shorten(&visible(&approval.shown.what), WHAT_SETTLED, " …").0,
            ),
        ],
        actions: undo(approval),
    };
    let tag = tag(&approval.id);
    outgoing(to, Body::EditCard { tag, card })
}

fn undo(approval: &Approval) -> Vec<Vec<Action>> {
    let action = Action {
        label: en::UNDO.to_owned(),
        data: format!("undo:{}", approval.id),
        style: Style::Plain,
    };
    if approval.standing {
        vec![vec![action]]
    } else {
        Vec::new()
    }
}

/// All that is known about the call, for who wants to look closer: in full, however many messages that takes.
#[must_use]
pub fn details(to: &SessionId, approval: &Approval) -> Vec<Outgoing> {
    let shown = &approval.shown;
    let mut out = Builder::default();
    out.marked(&en::card_title(approval), MarkStyle::Bold)
        .push("\n\n");
    out.marked(
        &visible(&shown.what),
        MarkStyle::Pre(language(approval).to_owned()),
    )
    .push("\n\n");
    if !shown.diff.is_empty() && attached(approval) != Some(Attached::Change) {
        out.marked(
            &visible(&shown.diff),
            MarkStyle::Pre(plan::language(approval).to_owned()),
        )
        .push("\n\n");
    }
    let tainted = shown.tainted_by.join("\n");
    let id = approval.id.to_string();
    for (label, value) in [
        (en::WHY, &shown.why),
        (en::IMPACT, &shown.impact),
        (en::ROLLBACK, &shown.rollback),
        (en::BECAUSE, &shown.because),
        (en::TAINTED, &tainted),
        (en::PLAN, &shown.plan),
        (en::APPROVAL, &id),
        (en::DIGEST, &approval.digest.to_string()),
    ] {
        if !value.trim().is_empty() {
            out.marked(&format!("{label}:"), MarkStyle::Bold)
                .push(" ")
                .push(&visible(value.trim()))
                .push("\n");
        }
    }
    let mut messages = texts(to, &out.build());
    if let Some(content) = &shown.attachment {
        let file = Body::File {
            name: attached_name(approval).to_owned(),
            content: content.clone(),
            caption: en::file_caption(approval),
        };
        messages.push(outgoing(to, file));
    }
    messages
}

/// What did not fit on the card.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Cut {
    what: bool,
    diff: bool,
}

/// What the file that an approval keeps holds the whole of. The card's own record has its beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Attached {
    /// What will happen, and after it a change that is long, too.
    Call,
    Change,
}

fn attached(approval: &Approval) -> Option<Attached> {
    let shown = &approval.shown;
    let head = shown.attachment.as_ref()?.head();
    // A beginning ends with `…`; of a file that is stored elsewhere, only its first part is here.
    let is_call = shown.what.strip_suffix('…').is_some_and(|beginning| {
        !head.is_empty() && (head.starts_with(beginning) || beginning.starts_with(head))
    });
    Some(if is_call {
        Attached::Call
    } else {
        Attached::Change
    })
}

fn attached_name(approval: &Approval) -> &'static str {
    match attached(approval) {
        Some(Attached::Call) => call_file(approval),
        _ => plan::file(approval),
    }
}

fn call_file(approval: &Approval) -> &'static str {
    match approval.call.name.as_str() {
        "run_command" => en::COMMAND_FILE,
        _ if approval.shown.what.starts_with(['{', '[']) => en::ARGUMENTS_FILE,
        _ => en::CALL_FILE,
    }
}

/// What does not fit, each in one file.
fn files(approval: &Approval, cut: Cut) -> Vec<(&'static str, Content)> {
    let shown = &approval.shown;
    let mut files = Vec::new();
    let attached = attached(approval);
    if cut.what && attached != Some(Attached::Call) {
        files.push((call_file(approval), Content::inline(&shown.what)));
    }
    if let Some(content) = &shown.attachment {
        files.push((attached_name(approval), content.clone()));
    }
    let within = |content: &Content| content.head().contains(shown.diff.trim_end());
    let has_change =
        attached == Some(Attached::Change) || shown.attachment.as_ref().is_some_and(within);
    if cut.diff && !has_change {
        files.push((plan::file(approval), Content::inline(&shown.diff)));
    }
    files
}

fn card(to: &SessionId, approval: &Approval, now: Micros, zone: &str) -> (Card, Cut) {
    if let Some(ask) = &approval.budget {
        let card = budget::card(to, approval, ask, (now, zone));
        return (card, Cut::default());
    }
    let shown = &approval.shown;
    let known = match attached(approval) {
        Some(Attached::Call) => shown.what.trim_end_matches('…'),
        _ => &shown.what,
    };
    let (mut what, what_cut) = shorten(&visible(known), WHAT, en::MORE);
    if attached(approval) == Some(Attached::Call) && !what_cut {
        what.push_str(en::MORE);
    }
    let mut card = Card {
        title: en::card_title(approval),
        blocks: head(approval, &what),
        actions: actions(approval),
    };
    let diff_at = card.blocks.len();
    card.blocks.extend(persons::blocks(to, approval, now, zone));
    card.blocks.extend(tail(approval, now, zone));
    let mut cut = Cut {
        what: what_cut,
        diff: false,
    };
    if !shown.diff.is_empty() {
        // The blank lines around the diff and the line that says what is missing need room, too.
        let room = PART_LIMIT.saturating_sub(text::card(&card).utf16_len() + 60 + OUTAGE);
        let (diff, left_out) = beginning(&visible(&shown.diff), room);
        cut.diff = left_out;
        card.blocks
            .insert(diff_at, code(plan::language(approval), &diff));
    }
    (card, cut)
}

fn head(approval: &Approval, what: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Some(text) = en::happened_before(approval) {
        let text = text.to_owned();
        blocks.push(Block::Text { text });
    }
    blocks.push(field(en::AGENT, &approval.agent_name));
    blocks.push(field(en::TOOL, &approval.call.name));
    if let Some(change) = &approval.change {
        blocks.push(field(en::CHANGED_BY, &en::changed_by(change)));
    }
    blocks.push(code(language(approval), what));
    blocks.extend(plan::blocks(approval));
    blocks
}

fn tail(approval: &Approval, now: Micros, zone: &str) -> Vec<Block> {
    let shown = &approval.shown;
    let words = match one_line(&shown.why) {
        words if words.is_empty() => en::NO_WORDS.to_owned(),
        words => format!("“{}”", shorten(&words, WHY, " …").0),
    };
    let mut blocks = vec![Block::Text {
        text: en::why(&one_line(&approval.agent_name), &words),
    }];
    let tainted = shown.tainted_by.join(", ");
    let values = [
        (en::IMPACT, &shown.impact),
        (en::ROLLBACK, &shown.rollback),
        (en::BECAUSE, &shown.because),
        (en::TAINTED, &tainted),
    ];
    blocks.extend(
        values
            .iter()
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(label, value)| field(label, value)),
    );
    blocks.push(expires(approval, now, zone));
    if offers_always(approval) {
        let rules: Vec<String> = approval.always.iter().map(en::rule).collect();
        blocks.push(Block::Field {
            label: en::ALWAYS_ADDS.to_owned(),
            value: rules.join("; "),
        });
    }
    blocks
}

fn expires(approval: &Approval, now: Micros, zone: &str) -> Block {
    let (at, left) = (
        time::at(approval.expires_at, now, zone),
        time::span(approval.expires_at.since(now)),
    );
    field(en::EXPIRES, &en::expires(&at, &left))
}

/// A rule that can't be shown whole can't be agreed to.
fn offers_always(approval: &Approval) -> bool {
    let length: usize = approval
        .always
        .iter()
        .map(|rule| en::rule(rule).encode_utf16().count() + 2)
        .sum();
    approval.question == Question::Call && !approval.always.is_empty() && length <= RULES
}

fn actions(approval: &Approval) -> Vec<Vec<Action>> {
    let button = |label: &str, verb: &str, style| Action {
        label: label.to_owned(),
        data: format!("{verb}:{}:{}", approval.id, approval.digest.short()),
        style,
    };
    let details = Action {
        label: en::DETAILS.to_owned(),
        data: format!("details:{}", approval.id),
        style: Style::Plain,
    };
    let (first, mut second) = match approval.question {
        Question::Call if draft::is(approval) => draft::actions(button),
        Question::Call => (
            vec![
                button(en::APPROVE, "ok", Style::Good),
                button(en::DENY, "no", Style::Danger),
            ],
            [
                (!approval.repeats).then_some((en::MODIFY, "modify")),
                offers_always(approval).then_some((en::ALWAYS, "always")),
            ]
            .into_iter()
            .flatten()
            .map(|(label, verb)| button(label, verb, Style::Plain))
            .collect(),
        ),
        // Its card is another one.
        Question::Budget => (Vec::new(), Vec::new()),
        Question::Unknown => (
            vec![
                button(en::RUN_AGAIN, "again", Style::Danger),
                button(en::HAPPENED, "happened", Style::Plain),
            ],
            vec![button(en::STOP, "stop", Style::Plain)],
        ),
    };
    second.push(details);
    vec![first, second]
}

fn language(approval: &Approval) -> &'static str {
    let is_line = approval.call.name == "run_command";
    if is_line { "sh" } else { "" }
}

fn code(language: &str, text: &str) -> Block {
    Block::Code {
        language: language.to_owned(),
        text: text.to_owned(),
    }
}

fn field(label: &str, value: &str) -> Block {
    Block::Field {
        label: label.to_owned(),
        value: shorten(&one_line(value), FIELD, " …").0,
    }
}
