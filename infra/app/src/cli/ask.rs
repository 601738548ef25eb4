//! `countersign ask`: one task, its answer on stdout, everything else on stderr. Nothing here says yes by itself.

use super::{
    Context, Failure,
    follow::{self, End, Follower, Lines, Ring},
    output::{self, Output, word},
    stop,
};
use crate::{
    compose::{Local, surfaces::Surfaces, worker::Engine, workspace},
    config::Config,
};
use domain::{
    id::{SessionId, short},
    run::{RunStatus, RunSummary},
};
use handlers::{CommandError, agents, ask, commit_with, sessions};
use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

const DENIED: u8 = 3;
pub const WAITING: u8 = 4;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// What you want done; - reads it from standard input
    #[arg(required = true)]
    task: Vec<String>,
    /// Which agent
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Work in this directory instead of an empty one
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Wait for decisions this long, then leave the run parked (status 4)
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let task = task(&arguments.task)?;
    let workspace = arguments
        .workspace
        .as_ref()
        .map(|path| directory(&context.config, path))
        .transpose()?;
    let (local, output) = context.open().await?;
    let session = sessions::of_command(&local.home);
    let ring = Ring::default();
    let bell = ring.0.clone();
    let progress = Lines {
        shown: !output.json && std::io::stderr().is_terminal(),
    };
    let surfaces =
        Surfaces::default().with_terminal(session.clone(), Arc::new(ring), Arc::new(progress));
    let engine = Engine::build(local.clone(), surfaces).await?;
    let run = begin(&local, &session, &task, (arguments.agent, workspace)).await?;
    let (asked_to_stop, stop_working) = (stop::on_signal()?, CancellationToken::new());
    let working = engine.start(stop_working.clone()).await?;
    let end = follow(
        local,
        session,
        run,
        (bell, &arguments.wait, output),
        asked_to_stop,
    )
    .await;
    stop_working.cancel();
    let _ = working.await;
    finish(output, end?)
}

fn task(words: &[String]) -> Result<String, Failure> {
    if words != ["-"] {
        return Ok(words.join(" "));
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(format!("Standard input cannot be read: {error}.")))?;
    Ok(text)
}

pub fn directory(config: &Config, path: &Path) -> Result<String, Failure> {
    workspace::check(config, path).map_err(Failure::usage)?;
    let found = path.canonicalize().ok().filter(|path| path.is_dir());
    let found = found.and_then(|path| path.to_str().map(str::to_owned));
    found.ok_or_else(|| {
        Failure::usage(format!(
            "{} is not a directory: name one that exists.",
            path.display()
        ))
    })
}

/// The run, from here on in the database: whatever happens to this process, it goes on.
async fn begin(
    local: &Local,
    session: &SessionId,
    task: &str,
    how: (Option<String>, Option<String>),
) -> Result<domain::id::RunId, Failure> {
    let home = &local.home;
    let (agent, workspace) = how;
    let agent = match agent {
        Some(name) => Some(agents::find(home, &name).await?.value.id),
        None => None,
    };
    if workspace.is_some() {
        commit_with(home, async || {
            sessions::choose_workspace(home, session, workspace.clone()).await
        })
        .await?;
    }
    let asked = commit_with(home, async || {
        ask::ask(home, &local.owner, session, task, agent.as_ref()).await
    })
    .await;
    match asked {
        Ok(ask::Asked::Started { run, .. }) => Ok(run),
        Ok(_) => Err(Failure::new("The session is in use: try again.")),
        // An empty task or one that is too long is a wrong command line.
        Err(
            error @ CommandError::Problem(
                handlers::Problem::Invalid(_) | handlers::Problem::TooLarge { .. },
            ),
        ) => Err(Failure::usage(Failure::from(error).text)),
        Err(error) => Err(error.into()),
    }
}

async fn follow(
    local: Local,
    session: SessionId,
    run: domain::id::RunId,
    how: (Arc<Notify>, &Option<u64>, Output),
    stop: CancellationToken,
) -> Result<End, Failure> {
    let (bell, wait, output) = how;
    let mut follower = Follower::new(local, session, run, bell);
    follower.until = wait.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    if !output.json && follow::interactive() {
        follower.lines = Some(follow::lines());
    }
    follower.follow(stop).await
}

fn finish(output: Output, end: End) -> Result<u8, Failure> {
    match end {
        End::Over {
            run,
            answer,
            refused,
        } => {
            let value = json(&run, answer.as_deref(), &[]);
            if output.json {
                output.show(&value, String::new)?;
            } else {
                if let Some(answer) = &answer {
                    output::print(answer);
                }
                if let Some(why) = why(&run) {
                    eprintln!("{why}");
                }
            }
            Ok(match run.status {
                // It may have found words, but not done what was asked.
                RunStatus::Answered if refused => DENIED,
                RunStatus::Answered => 0,
                RunStatus::Denied => DENIED,
                _ => 1,
            })
        }
        End::Waiting { run, approvals } => {
            let ids: Vec<&str> = approvals
                .iter()
                .map(|approval| approval.id.as_str())
                .collect();
            if output.json {
                output.show(&json(&run, None, &ids), String::new)?;
            } else {
                eprintln!(
                    "Run {} still waits; it stays in the database and goes on under `countersign up`.",
                    short(run.id.as_str())
                );
            }
            Ok(WAITING)
        }
    }
}

fn json(run: &RunSummary, answer: Option<&str>, waiting: &[&str]) -> serde_json::Value {
    #[allow(clippy::cast_precision_loss)] // exact below nine billion dollars
    let dollars = run.cost.0 as f64 / 1e6;
    serde_json::json!({
        "run": run.id, "status": run.status, "answer": answer, "agent": run.agent_name, "model": run.model,
        "steps": run.steps, "cost_usd": dollars, "approvals": waiting,
    })
}

/// What to say about a run that did not answer.
fn why(run: &RunSummary) -> Option<String> {
    let id = short(run.id.as_str());
    match run.status {
        RunStatus::Answered => None,
        RunStatus::Denied => {
            Some("countersign: the agent stopped, because a call was not approved.".to_owned())
        }
        status => Some(format!(
            "countersign: the run ended as {}: `countersign runs journal {id}` says why.",
            word(&status)
        )),
    }
}
