//! Facts as plain lines, so that a test of a handler reads without the words of `bot`.

use domain::{
    Micros,
    approval::{Approval, Question},
    card::Card,
    content,
    content::Content,
    id::SessionId,
    rich_text::RichText,
    run::Outcome,
};
use ports::{
    message::{Body, Outgoing, QUESTION},
    present::{Notice, Presenter, ServerQuestion, Settled},
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
        Notice::ApprovalAsked { approval }
        | Notice::ApprovalChanged { approval }
        | Notice::CallModified { approval }
        | Notice::ApprovalReminder { approval, .. }
        | Notice::ApprovalOutage { approval, .. }
        | Notice::ChangeRefused { approval, .. }
        | Notice::ApprovalSettled { approval, .. } => of_approval(to, notice, approval),
        Notice::SeveralAsked { calls, .. } => text_to(to, format!("[{calls} wait]")),
        Notice::Question { run, text, .. } => Outgoing {
            tag: Some(format!("{QUESTION}{run}")),
            ..text_to(to, format!("[question] {text}"))
        },
        Notice::Elicited { .. } | Notice::ElicitationSettled { .. } => elicited(to, notice),
        Notice::RunEnded {
            outcome,
            answer,
            cited,
            ..
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
            let cites = cited
                .iter()
                .map(|one| format!(" ({}: {})", one.number, one.title));
            let cites: String = cites.collect();
            text_to(to, format!("{}{cites}", text.trim_end()))
        }
        Notice::NotStarted { prompt, why } => {
            text_to(to, format!("[not started: {why:?}] {prompt}"))
        }
        Notice::Undelivered {
            to: there,
            card,
            why,
        } => {
            let what = if *card { "card" } else { "message" };
            text_to(to, format!("[undelivered {what}] {there}: {why}"))
        }
        Notice::DocumentRead { document } => {
            let why = document.problem.as_deref().unwrap_or_default();
            let line = format!("[{:?}] {} {why}", document.status, document.name);
            text_to(to, line.trim_end().to_owned())
        }
        Notice::DeadLetters { count } => text_to(to, format!("[dead letters] {count}")),
        Notice::SetAside { job, what, why, .. } => {
            text_to(to, format!("[set aside] {job} {what}: {why}"))
        }
        Notice::Sealed { number, .. } => text_to(to, format!("[sealed] {number}")),
    }
}

fn elicited(to: &SessionId, notice: &Notice) -> Outgoing {
    let tag = |asked: &ServerQuestion| format!("{QUESTION}{}:{}", asked.run, asked.mark.short());
    match notice {
        Notice::Elicited { asked, .. } => Outgoing {
            tag: Some(tag(asked)),
            ..text_to(
                to,
                format!("[{} asks] {}", asked.server, asked.question.message),
            )
        },
        Notice::ElicitationSettled { asked, how } => {
            let how = match how {
                Settled::Answered { by, answer } => format!("is told by {by}] {answer}"),
                Settled::Declined { by } => format!("is told by {by}] no"),
                Settled::Left { by } => format!("is left by {by}]"),
                Settled::Over => "asks no more]".to_owned(),
            };
            let body = Body::EditCard {
                tag: tag(asked),
                card: card(format!("[{} {how}", asked.server)),
            };
            outgoing(to, body)
        }
        _ => text_to(to, String::new()),
    }
}

fn of_approval(to: &SessionId, notice: &Notice, approval: &Approval) -> Outgoing {
    match notice {
        Notice::ApprovalAsked { .. } => {
            let what = match approval.question {
                Question::Call => "approval asked",
                Question::Unknown => "outcome unknown",
                Question::Budget => "over budget",
            };
            let line = format!("[{what}] {}", call(approval));
            Outgoing {
                tag: Some(tag(approval)),
                approval: Some(approval.id.clone()),
                rings: true,
                ..outgoing(to, Body::Card { card: card(line) })
            }
        }
        Notice::CallModified { .. } => {
            let by = approval.change.as_ref().map(|change| &*change.by);
            let by = by.unwrap_or("nobody");
            edit(
                to,
                approval,
                format!("[changed by {by}] {}", call(approval)),
            )
        }
        Notice::ChangeRefused { why, .. } => text_to(to, format!("[change refused] {why}")),
        Notice::ApprovalChanged { .. } => {
            let votes: Vec<&str> = approval.votes.iter().map(|vote| &*vote.by.name).collect();
            let line = format!(
                "[{} of {}: {}] {}",
                votes.len(),
                approval.persons,
                votes.join(", "),
                call(approval)
            );
            edit(to, approval, line)
        }
        Notice::ApprovalOutage { from, to: end, .. } => {
            let span = end.since(*from).as_secs();
            edit(
                to,
                approval,
                format!("[away for {span} s] {}", call(approval)),
            )
        }
        Notice::ApprovalReminder { card, .. } => Outgoing {
            rings: true,
            reply_to: Some(card.clone()),
            ..text_to(to, format!("[reminder] {}", call(approval)))
        },
        Notice::ApprovalSettled { by, .. } => settled(to, approval, by),
        _ => text_to(to, call(approval)),
    }
}

fn settled(to: &SessionId, approval: &Approval, by: &str) -> Outgoing {
    let by = if by.is_empty() { "nobody" } else { by };
    let absent = approval
        .decided_for
        .as_ref()
        .map(|absent| format!(" for {}", absent.name));
    let status = format!("{:?}", approval.status).to_lowercase();
    let line = format!(
        "[{status} by {by}{}] {}",
        absent.unwrap_or_default(),
        call(approval)
    );
    edit(to, approval, line)
}

fn call(approval: &Approval) -> String {
    format!(
        "{}: {}",
        approval.call.name,
        first_line(&approval.shown.what)
    )
}

fn edit(to: &SessionId, approval: &Approval, line: String) -> Outgoing {
    let body = Body::EditCard {
        tag: tag(approval),
        card: card(line),
    };
    Outgoing {
        approval: Some(approval.id.clone()),
        ..outgoing(to, body)
    }
}

fn tag(approval: &Approval) -> String {
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
    outgoing(to, Body::text(text))
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
