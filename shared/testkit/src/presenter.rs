//! Facts as plain lines, so that a test of a handler reads without the words of `bot`.

use domain::{
    Micros, approval::Question, card::Card, content, content::Content, id::SessionId,
    rich_text::RichText, run::Outcome,
};
use ports::{
    message::{Body, Outgoing},
    present::{Notice, Presenter},
};

/// One message for each notice: `[approval asked] run_command: ls`.
#[derive(Clone, Copy, Default, Debug)]
pub struct PlainPresenter;

impl Presenter for PlainPresenter {
    fn present(&self, to: &SessionId, notice: &Notice, _: Micros, _: &str) -> Vec<Outgoing> {
        vec![present(to, notice)]
    }
}

fn present(to: &SessionId, notice: &Notice) -> Outgoing {
    match notice {
        Notice::ApprovalAsked { approval } => {
            let what = match approval.question {
                Question::Call => "approval asked",
                Question::Unknown => "outcome unknown",
            };
            let line = format!(
                "[{what}] {}: {}",
                approval.call.name,
                first_line(&approval.shown.what)
            );
            Outgoing {
                tag: Some(tag(approval)),
                approval: Some(approval.id.clone()),
                rings: true,
                ..outgoing(to, Body::Card { card: card(line) })
            }
        }
        Notice::ApprovalSettled { approval, by } => {
            let by = if by.is_empty() { "nobody" } else { by };
            let what = first_line(&approval.shown.what);
            let status = format!("{:?}", approval.status).to_lowercase();
            let line = format!("[{status} by {by}] {}: {what}", approval.call.name);
            let body = Body::EditCard {
                tag: tag(approval),
                card: card(line),
            };
            Outgoing {
                approval: Some(approval.id.clone()),
                ..outgoing(to, body)
            }
        }
        Notice::Question { text, .. } => text_to(to, format!("[question] {text}")),
        Notice::RunEnded {
            outcome, answer, ..
        } => {
            let name = format!("{outcome:?}").to_lowercase();
            let name = name.split(' ').next().unwrap_or_default();
            let why = match outcome {
                Outcome::Failed { why } => why.clone(),
                Outcome::LimitReached { limit } => format!("{limit:?}"),
                _ => String::new(),
            };
            let answer = answer.as_ref().map_or("", Content::head);
            let text = format!("[{name}] {why} {answer}").replace("  ", " ");
            text_to(to, text.trim_end().to_owned())
        }
        Notice::Alert { text } => text_to(to, format!("[alert] {text}")),
        Notice::Sealed { number, .. } => text_to(to, format!("[sealed] {number}")),
    }
}

fn tag(approval: &domain::approval::Approval) -> String {
    format!("approval:{}", approval.id)
}

fn card(title: String) -> Card {
    Card {
        title,
        ..Card::default()
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// What `bot` would split or send as a file is cut here: a payload has a limit.
fn text_to(to: &SessionId, text: String) -> Outgoing {
    let text = RichText::plain(content::prefix(&text, 4000));
    outgoing(to, Body::Text { text })
}

fn outgoing(to: &SessionId, body: Body) -> Outgoing {
    Outgoing {
        to: to.clone(),
        body,
        tag: None,
        rings: false,
        reply_to: None,
        approval: None,
    }
}
