//! `countersign skills`: list, show, check, install and remove skills, and give them to agents.
//!
//! Whoever types here has the machine, so a path of it can be installed. The yes is bound to the content's digest all the same: it is
//! asked for where somebody can answer, and named with `--digest` where nobody can.

use super::{
    Context, Failure,
    output::{fields, print, table, word},
};
use crate::compose::{self, Local};
use bot::text::en;
use domain::skill::{Finding, Severity};
use handlers::{
    commit_with,
    skills::{self, Listed, Proposal},
};
use ports::{Sandbox, shelf::Fetched};
use serde_json::json;
use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// All skills that agents can be given, and those of the index
    List,
    /// Everything about one skill
    Show { name: String },
    /// Look into a folder, a .zip or a git .bundle, without installing it
    Check { path: PathBuf },
    /// Install a folder, a .zip, a git .bundle, or a name of the index
    Install {
        /// A path, or a name of the index
        path: PathBuf,
        /// The content that you agree to, as `skills check` shows it; without it you are asked
        #[arg(long)]
        digest: Option<String>,
    },
    /// Take a skill away from all agents
    Remove { name: String },
    /// Give a skill to an agent
    Enable { name: String, agent: String },
    /// Take a skill from an agent
    Disable { name: String, agent: String },
    /// What a skill of the team was: who changed what, and when
    History { name: String },
    /// Take the latest change of a skill back
    Undo { name: String },
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let (local, output) = context.open().await?;
    let home = &local.home;
    match arguments.command {
        Command::List => {
            let all = skills::list(home).await?;
            let offers = shelf(&local, None).offers().await;
            let offers = offers.map_err(|error| Failure::new(en::shelf(&error)))?;
            let names: Vec<&str> = offers.iter().map(|offer| offer.name.as_str()).collect();
            let shown: Vec<_> = all.iter().map(in_json).collect();
            let value = json!({"skills": shown, "index": names});
            output.show(&value, || list(&all, &names))?;
        }
        Command::Show { name } => show(&local, output, &name).await?,
        Command::Check { path } => {
            let sandbox = sandbox(&local).await;
            let fetched = fetched(&local, &path, sandbox.clone()).await?;
            let proposal = proposed(&local, &fetched, sandbox).await?;
            output.show(&proposal_in_json(&proposal), || {
                proposal_in_words(&proposal)
            })?;
            return Ok(u8::from(worries(&proposal)));
        }
        Command::Install { path, digest } => return install(&local, &path, digest).await,
        Command::Remove { name } => {
            let (skill, had) = commit_with(home, async || {
                skills::remove(home, &local.owner, &name).await
            })
            .await?;
            output.show(&skill, || en::removed(&skill.name, &had))?;
        }
        Command::Enable { name, agent } => {
            let pair = (name.as_str(), agent.as_str());
            let changed = commit_with(home, async || {
                skills::enable(home, &local.owner, pair).await
            })
            .await?;
            output.show(&changed, || en::enabled(&name, &changed.name))?;
        }
        Command::Disable { name, agent } => {
            let pair = (name.as_str(), agent.as_str());
            let changed = commit_with(home, async || {
                skills::disable(home, &local.owner, pair).await
            })
            .await?;
            output.show(&changed, || en::disabled(&name, &changed.name))?;
        }
        Command::History { name } => {
            output.past(&skills::history(home, &name).await?, home.now())?;
        }
        Command::Undo { name } => {
            let back =
                commit_with(home, async || skills::undo(home, &local.owner, &name).await).await?;
            let value = json!({"name": name, "is_there": back.0, "version": back.1});
            output.show(&value, || en::taken_back(&name, back))?;
        }
    }
    Ok(0)
}

async fn sandbox(local: &Local) -> Option<Arc<dyn Sandbox>> {
    let picked = compose::sandbox::pick(&local.config).await;
    picked.tier.ok()?;
    Some(local.config.redaction.over(picked.sandbox))
}

fn shelf(local: &Local, sandbox: Option<Arc<dyn Sandbox>>) -> Arc<dyn ports::Shelf> {
    compose::skills::shelf(&local.config, sandbox)
}

/// A path where there is such a file, else a name of the index.
async fn fetched(
    local: &Local,
    path: &Path,
    sandbox: Option<Arc<dyn Sandbox>>,
) -> Result<Fetched, Failure> {
    let found = match path.exists() {
        true => {
            let package = skill_files::read(path, sandbox.as_deref()).await;
            package.map(|package| Fetched {
                package,
                source: path.display().to_string(),
            })
        }
        false => {
            let name = path.display().to_string();
            shelf(local, sandbox).fetch(&name).await
        }
    };
    found.map_err(|error| Failure::new(en::shelf(&error)))
}

async fn proposed(
    local: &Local,
    fetched: &Fetched,
    sandbox: Option<Arc<dyn Sandbox>>,
) -> Result<Proposal, Failure> {
    let content = (&fetched.package, fetched.source.as_str());
    Ok(skills::propose(&local.home, content, sandbox.as_deref()).await?)
}

async fn install(local: &Local, path: &Path, digest: Option<String>) -> Result<u8, Failure> {
    let (home, sandbox) = (&local.home, sandbox(local).await);
    let fetched = fetched(local, path, sandbox.clone()).await?;
    let proposal = proposed(local, &fetched, sandbox).await?;
    if proposal.is_there() {
        print(&en::there_already(&proposal.name));
        return Ok(0);
    }
    print(&proposal_in_words(&proposal));
    let agreed = match digest {
        Some(digest) => {
            let whole = proposal.digest.as_str();
            digest.len() >= proposal.pin().len() && whole.starts_with(&digest)
        }
        None if std::io::stdin().is_terminal() => asked(&proposal)?,
        None => {
            return Err(Failure::usage(format!(
                "Nobody can be asked here: say which content you agree to with --digest {}.",
                proposal.pin()
            )));
        }
    };
    if !agreed {
        return Err(Failure::new(format!(
            "Not installed: the content is {}.",
            proposal.pin()
        )));
    }
    let with = (fetched.source.as_str(), proposal.findings.as_slice());
    let package = &fetched.package;
    let skill = commit_with(home, async || {
        skills::install(home, &local.owner, package, with).await
    })
    .await?;
    print(&format!(
        "\n{} is installed: countersign skills enable {} AGENT",
        skill.name, skill.name
    ));
    Ok(0)
}

fn asked(proposal: &Proposal) -> Result<bool, Failure> {
    print!("\n{} [y/N] ", en::install(proposal));
    let mut line = String::new();
    let read = std::io::stdout()
        .flush()
        .and_then(|()| std::io::stdin().read_line(&mut line));
    read.map_err(|error| Failure::new(format!("The answer cannot be read: {error}.")))?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

async fn show(local: &Local, output: super::output::Output, name: &str) -> Result<(), Failure> {
    let home = &local.home;
    let skill = skills::find(home, name).await?;
    let package = skills::package(home, name).await?;
    let stats = skills::stats(home, name).await?;
    let files: Vec<&str> = package.files.keys().map(String::as_str).collect();
    let mut value = in_json(&skill);
    value["files"] = json!(files);
    value["text"] = json!(package.body);
    value["used"] = json!({"tasks": stats.runs, "answered": stats.answered, "scripts": stats.scripts, "failed": stats.failed,
        "seconds": stats.time.as_secs(), "micro_dollars": stats.cost.0});
    output.show(&value, || {
        fields(&[
            ("name", skill.name.clone()),
            ("description", skill.description.clone()),
            ("kind", en::kind(skill.kind).to_owned()),
            ("from", en::source(&skill)),
            ("content", skill.digest.as_str().to_owned()),
            ("license", package.front.license.clone()),
            ("files", files.join("\n")),
            ("used", en::stats(&stats)),
            ("text", package.body.clone()),
        ])
    })
}

fn in_json(skill: &Listed) -> serde_json::Value {
    json!({"name": skill.name, "description": skill.description, "kind": skill.kind, "digest": skill.digest,
        "source": en::source(skill), "record": skill.record})
}

fn list(all: &[Listed], offers: &[&str]) -> String {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|skill| {
            vec![
                skill.name.clone(),
                en::kind(skill.kind).to_owned(),
                en::source(skill),
                skill.description.clone(),
            ]
        })
        .collect();
    let mut out = table(&["name", "kind", "from", "description"], &rows, "");
    let new: Vec<&str> = offers
        .iter()
        .copied()
        .filter(|name| all.iter().all(|skill| skill.name != *name))
        .collect();
    if !new.is_empty() {
        out.push_str(&format!("\n\nIn the index: {}", new.join(", ")));
    }
    out
}

fn worries(proposal: &Proposal) -> bool {
    let high = |finding: &Finding| finding.severity == Severity::High;
    proposal.findings.iter().any(high)
}

fn proposal_in_json(proposal: &Proposal) -> serde_json::Value {
    json!({"name": proposal.name, "description": proposal.description, "kind": proposal.kind, "digest": proposal.digest,
        "source": proposal.source, "files": proposal.files, "scripts": proposal.scripts, "findings": proposal.findings})
}

fn proposal_in_words(proposal: &Proposal) -> String {
    let files = proposal
        .files
        .iter()
        .map(|(path, bytes)| format!("{path} ({bytes} bytes)"));
    let finding = |finding: &Finding| format!("{:5} {finding}", word(&finding.severity));
    let findings: Vec<String> = proposal.findings.iter().map(finding).collect();
    let found = match findings.is_empty() {
        true => en::NO_FINDINGS.to_owned(),
        false => findings.join("\n"),
    };
    fields(&[
        ("name", proposal.name.clone()),
        ("description", proposal.description.clone()),
        ("content", proposal.digest.as_str().to_owned()),
        ("from", proposal.source.clone()),
        ("license", proposal.license.clone()),
        ("can do", en::can(proposal)),
        ("files", files.collect::<Vec<_>>().join("\n")),
        ("found", found),
        ("diff", proposal.diff.clone()),
    ])
}
