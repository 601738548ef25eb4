//! `countersign approvals`: what waits for a decision, and deciding it.

use super::{
    Context, Failure,
    output::{Output, table, when, word},
};
use crate::compose::Local;
use bot::text;
use domain::{
    Micros,
    approval::{Approval, ApprovalStatus, Choice, Question},
    id::short,
};
use handlers::{commit_with, decide, modify, queries};
use ports::{
    blob,
    message::Body,
    repo::{self, Stored},
};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// What waits for a decision
    List {
        /// The decided ones too
        #[arg(long)]
        all: bool,
    },
    /// The card, by the approval's id or the last digits of it
    Show { id: String },
    /// Let the call run, this once
    Approve {
        id: String,
        /// Add the rule that would have allowed it
        #[arg(long)]
        always: bool,
        /// Of a call that was interrupted: it happened, go on
        #[arg(long, conflicts_with = "always")]
        happened: bool,
    },
    /// Change the call; the changed one still needs a yes
    Modify {
        id: String,
        /// All of them as a JSON object; of a command the new line, of a file the new text will do
        #[arg(long)]
        arguments: String,
    },
    /// Refuse the call
    Deny {
        id: String,
        /// Why; the agent sees it
        reason: Vec<String>,
    },
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let (local, output) = context.open().await?;
    let home = &local.home;
    match arguments.command {
        Command::List { all } => {
            let approvals = if all {
                everything(&local).await?
            } else {
                queries::pending(home).await?
            };
            output.show(&approvals, || list(&approvals, home.now()))?;
        }
        Command::Show { id } => {
            let approval = queries::approval(home, &id).await?.value;
            let card = card(&local, &approval).await?;
            output.show(&approval, || card)?;
        }
        Command::Approve {
            id,
            always,
            happened,
        } => {
            let approval = queries::approval(home, &id).await?.value;
            let choice = match (approval.question, always, happened) {
                (Question::Call, true, _) => Choice::Always,
                (Question::Unknown, _, true) => Choice::Happened,
                (Question::Unknown, _, false) => Choice::RunAgain,
                (Question::Budget, ..) => Choice::Raise,
                _ => Choice::Approve,
            };
            decide(&local, output, &approval, choice).await?;
        }
        Command::Modify { id, arguments } => {
            let approval = queries::approval(home, &id).await?.value;
            let tools = handlers::tool::all();
            let shown = Some(approval.digest.short());
            let edit = (arguments.as_str(), shown);
            let draft =
                async || modify::modify(home, &tools, &local.owner, &approval.id, edit).await;
            let approval = commit_with(home, draft).await?;
            output.show(&approval, || text::en::CHANGE_NOTED.to_owned())?;
        }
        Command::Deny { id, reason } => {
            let approval = queries::approval(home, &id).await?.value;
            let choice = match approval.question {
                Question::Call => Choice::Deny {
                    reason: reason.join(" "),
                },
                Question::Unknown | Question::Budget => Choice::Stop,
            };
            decide(&local, output, &approval, choice).await?;
        }
    }
    Ok(0)
}

async fn decide(
    local: &Local,
    output: Output,
    approval: &Approval,
    choice: Choice,
) -> Result<(), Failure> {
    let home = &local.home;
    let shown = Some(approval.digest.short());
    let draft = async || decide::decide(home, &local.owner, &approval.id, &choice, shown).await;
    let decision = commit_with(home, draft).await?;
    let value = serde_json::json!({"approval": decision.approval, "added": decision.added});
    output.show(&value, || {
        let mut lines = vec![format!(
            "Approval {} is {}.",
            short(approval.id.as_str()),
            word(&decision.approval.status)
        )];
        lines.extend(
            decision
                .added
                .iter()
                .map(|rule| format!("New rule: {}", text::en::rule(rule))),
        );
        lines.join("\n")
    })
}

/// The latest 200, newest first.
async fn everything(local: &Local) -> Result<Vec<Approval>, Failure> {
    let mut query = repo::all::<Approval>(&local.home.team);
    query.descending = true;
    let (page, _) = repo::page::<Approval>(&*local.home.store, query).await?;
    Ok(page.into_iter().map(|Stored { value, .. }| value).collect())
}

fn list(approvals: &[Approval], now: Micros) -> String {
    let row = |approval: &Approval| {
        let until = match approval.status {
            ApprovalStatus::Pending => format!("expires {}", when(approval.expires_at, now)),
            _ => approval
                .decided_at
                .map(|at| when(at, now))
                .unwrap_or_default(),
        };
        vec![
            short(approval.id.as_str()).to_owned(),
            word(&approval.status),
            approval.agent_name.clone(),
            approval.call.name.clone(),
            until,
            approval.shown.what.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = approvals.iter().map(row).collect();
    table(
        &["id", "status", "agent", "tool", "when", "what"],
        &rows,
        "Nothing waits for a decision.",
    )
}

/// The card as text, with what would hang on it as a file.
///
/// # Errors
/// When that file is not in the blob store.
pub async fn card(local: &Local, approval: &Approval) -> Result<String, Failure> {
    let mut parts = Vec::new();
    let (now, zone) = (local.home.now(), &local.owner.zone);
    for message in bot::present::asked(&approval.session, approval, now, zone) {
        match message.body {
            Body::Card { card } => parts.push(text::card(&card).text),
            Body::File { name, content, .. } => {
                let whole = blob::text(&*local.home.blobs, &content).await;
                let whole = whole.map_err(|error| {
                    Failure::new(format!("What the card is about cannot be read: {error}."))
                })?;
                // As visible as on the card: no control character of it reaches the terminal.
                parts.push(format!("--- {name} ---\n{}", text::visible(&whole)));
            }
            _ => {}
        }
    }
    Ok(parts.join("\n\n"))
}
