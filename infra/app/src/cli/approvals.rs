//! `countersign approvals`: what waits for a decision, and deciding it.

use super::{
    Context, Failure,
    output::{Output, table, when, word},
};
use crate::compose::Local;
use bot::text;
use domain::{
    Micros,
    approval::{Approval, ApprovalStatus, Choice, Question, Refusal, read_handle},
    id::short,
};
use handlers::{
    CommandError, Problem,
    batch::{self, Item, Which},
    commit_with, decide, modify, queries,
};
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
    Approve(Yes),
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

#[derive(clap::Args, Debug)]
struct Yes {
    #[arg(required_unless_present = "all")]
    ids: Vec<String>,
    /// Everything that waits, as it is now
    #[arg(long, conflicts_with_all = ["ids", "always", "happened"])]
    all: bool,
    /// But not this one; may be given several times
    #[arg(long, requires = "all")]
    except: Vec<String>,
    /// Add the rule that would have allowed it
    #[arg(long)]
    always: bool,
    /// Of a call that was interrupted: it happened, go on
    #[arg(long, conflicts_with = "always")]
    happened: bool,
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
        Command::Approve(yes) => approve(&local, output, yes).await?,
        Command::Modify { id, arguments } => {
            let approval = queries::approval(home, &id).await?.value;
            let tools = crate::compose::mcp::tools(&local.config, None)?;
            let (_, shown) = read_handle(&id);
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
            let (_, shown) = read_handle(&id);
            decide(&local, output, (&approval, shown), choice).await?;
        }
    }
    Ok(0)
}

async fn approve(local: &Local, output: Output, yes: Yes) -> Result<(), Failure> {
    let home = &local.home;
    if yes.all {
        let except: Vec<&str> = yes.except.iter().map(String::as_str).collect();
        let items = batch::choose(home, &local.owner, &Which::All, &except).await?;
        return together(local, output, &items).await;
    }
    if let [id] = yes.ids.as_slice() {
        let approval = queries::approval(home, id).await?.value;
        let choice = match (approval.question, yes.always, yes.happened) {
            (Question::Call, true, _) => Choice::Always,
            (Question::Unknown, _, true) => Choice::Happened,
            (Question::Unknown, _, false) => Choice::RunAgain,
            (Question::Budget, ..) => Choice::Raise,
            _ => Choice::Approve,
        };
        let (_, shown) = read_handle(id);
        return decide(local, output, (&approval, shown), choice).await;
    }
    if yes.always || yes.happened {
        let why = "--always and --happened are for one approval at a time.";
        return Err(Failure::usage(why.to_owned()));
    }
    let mut items = Vec::new();
    for id in &yes.ids {
        let approval = queries::approval(home, id).await?.value;
        let (_, shown) = read_handle(id);
        if approval.status == ApprovalStatus::Pending && !approval.stands_for(shown) {
            return Err(CommandError::from(Problem::Decision(Refusal::Changed)).into());
        }
        items.push((approval.id, Some(approval.digest)));
    }
    together(local, output, &items).await
}

/// Each by itself; what can't be decided is said and holds up no other.
async fn together(local: &Local, output: Output, items: &[Item]) -> Result<(), Failure> {
    let came = batch::decide_all(&local.home, &local.owner, items, &Choice::Approve).await?;
    let approvals: Vec<&Approval> = came.iter().map(|came| &came.approval).collect();
    output.show(&approvals, || match came.is_empty() {
        true => "Nothing waits for a decision.".to_owned(),
        false => came
            .iter()
            .map(text::en::came)
            .collect::<Vec<_>>()
            .join("\n"),
    })
}

/// `shown` is the digest's beginning that was written after the id.
async fn decide(
    local: &Local,
    output: Output,
    (approval, shown): (&Approval, Option<&str>),
    choice: Choice,
) -> Result<(), Failure> {
    let home = &local.home;
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
            approval.handle(),
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
