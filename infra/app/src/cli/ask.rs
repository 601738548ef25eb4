//! `countersign ask`: one task, its answer on stdout, everything else on stderr. Nothing here says yes by itself.

use super::{
    Context, Failure,
    follow::{self, End, Follower, Lines, Ring},
    output::{self, Output},
    stop,
};
use crate::{
    compose::{Local, surfaces::Surfaces, worker::Engine, workspace},
    config::Config,
};
use bot::text::one_line;
use domain::{
    id::{SessionId, short},
    run::{Limit, Outcome, RunStatus, RunSummary},
};
use handlers::{CommandError, agents, ask, commit_with, sessions};
use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const DENIED: u8 = 3;
pub const WAITING: u8 = 4;
/// A script must not hang for a day on a card that nobody sees.
const WAIT_UNSEEN: Duration = Duration::from_secs(60);

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
    /// Wait for each decision this long, then leave the run parked (status 4); 60 where nobody can be asked here
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
    let how = ((arguments.agent, workspace), arguments.wait);
    one(local, output, &task, how).await
}

/// An agent's name, a directory to work in, and how many seconds to wait for a decision.
type How = ((Option<String>, Option<String>), Option<u64>);

async fn one(local: Local, output: Output, task: &str, (place, wait): How) -> Result<u8, Failure> {
    let session = sessions::of_command(&local.home);
    let ring = Ring::default();
    let bell = ring.0.clone();
    let progress = Lines {
        shown: !output.json && std::io::stderr().is_terminal(),
    };
    let surfaces =
        Surfaces::default().with_terminal(session.clone(), Arc::new(ring), Arc::new(progress));
    let engine = Engine::build(local.clone(), surfaces).await?;
    let run = begin(&local, &session, task, place).await?;
    let (asked_to_stop, stop_working) = (stop::on_signal()?, CancellationToken::new());
    let working = engine.start(stop_working.clone()).await?;
    let end = follow(local, session, run, (bell, &wait, output), asked_to_stop).await;
    stop_working.cancel();
    let _ = working.await;
    finish(output, end?)
}

/// Makes an agent from plain words: a task for the agent that makes agents.
pub async fn design(
    local: Local,
    output: Output,
    words: &str,
    wait: Option<u64>,
) -> Result<u8, Failure> {
    let wish = agents::wish(&local.home, &local.owner, words).await?;
    let designer = Some(agents::DESIGNER.to_owned());
    one(local, output, &wish, ((designer, None), wait)).await
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
    if !output.json && follow::interactive() {
        follower.lines = Some(follow::lines());
    }
    let unasked = follower.lines.is_none().then_some(WAIT_UNSEEN);
    follower.wait = wait.map(Duration::from_secs).or(unasked);
    follower.follow(stop).await
}

fn finish(output: Output, end: End) -> Result<u8, Failure> {
    match end {
        End::Over {
            run,
            outcome,
            answer,
            refused,
        } => {
            let why = why(&run, outcome.as_ref());
            let value = json(&run, (answer.as_deref(), why.as_deref()), &[]);
            if output.json {
                output.show(&value, String::new)?;
            } else {
                if let Some(answer) = &answer {
                    output::print(answer);
                }
                if let Some(why) = why {
                    eprintln!("countersign: {why}");
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
                output.show(&json(&run, (None, None), &ids), String::new)?;
            } else {
                eprintln!("\n{}", waits(&run, &ids));
            }
            Ok(WAITING)
        }
    }
}

fn json(
    run: &RunSummary,
    (answer, why): (Option<&str>, Option<&str>),
    waiting: &[&str],
) -> serde_json::Value {
    #[allow(clippy::cast_precision_loss)] // exact below nine billion dollars
    let dollars = run.cost.0 as f64 / 1e6;
    serde_json::json!({
        "run": run.id, "status": run.status, "answer": answer, "why": why, "agent": run.agent_name, "model": run.model,
        "steps": run.steps, "cost_usd": dollars, "approvals": waiting,
    })
}

/// How to decide, and how to go on.
fn waits(run: &RunSummary, approvals: &[&str]) -> String {
    let id = short(run.id.as_str());
    let decide = match approvals.first().map(|approval| short(approval)) {
        Some(card) => format!(
            "Decide with `countersign approvals approve {card}` or `countersign approvals deny {card}`"
        ),
        None => format!("Answer with `countersign runs answer {id} \"…\"`"),
    };
    format!(
        "Run {id} still waits; it stays in the database. {decide}; it then goes on under `countersign up`, and `countersign runs show {id}` says what came of it."
    )
}

/// What to say about a run that did not answer.
pub fn why(run: &RunSummary, outcome: Option<&Outcome>) -> Option<String> {
    let agent = one_line(&run.agent_name);
    Some(match outcome {
        None | Some(Outcome::Answered) => return None,
        Some(Outcome::Denied { what }) => {
            format!(
                "{agent} stopped, because a call was not approved: {}",
                one_line(what)
            )
        }
        Some(Outcome::Cancelled { .. }) => {
            "the run was cancelled. What was done so far stays.".to_owned()
        }
        Some(Outcome::LimitReached { limit }) => {
            let (steps, cost) = (run.steps, run.cost);
            let limit = match limit {
                Limit::Steps => format!("its limit of steps ({steps} done)"),
                Limit::Tokens => "its limit of tokens".to_owned(),
                Limit::Cost => format!("its limit of cost ({cost} spent)"),
                Limit::Wall => "its limit of working time".to_owned(),
            };
            format!("{agent} reached {limit} and stopped. What was done so far stays.")
        }
        Some(Outcome::Failed { why }) => format!("{agent} could not finish: {}", one_line(why)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunSummary {
        let value = serde_json::json!({
            "id": "0000abcdef", "session": "terminal:ask-abcdef", "agent": "coder", "agent_name": "coder", "requester": "m",
            "title": "make", "status": "failed", "started_at": 0, "ended_at": 1, "steps": 7, "cost": 2_000_000, "model": "",
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn who_reads_that_a_run_waits_knows_what_to_type() {
        let card = waits(&run(), &["0000123456", "0000123457"]);
        assert!(
            card.contains("`countersign approvals approve 123456`"),
            "{card}"
        );
        assert!(
            card.contains("`countersign approvals deny 123456`"),
            "{card}"
        );
        assert!(
            card.contains("countersign up") && card.contains("runs show abcdef"),
            "{card}"
        );
        let question = waits(&run(), &[]);
        assert!(
            question.contains("`countersign runs answer abcdef \"…\"`"),
            "{question}"
        );
    }

    #[test]
    fn a_run_that_did_not_answer_says_why() {
        let why = |outcome| why(&run(), Some(&outcome)).unwrap_or_default();
        let failed = Outcome::Failed {
            why: "the model “one” is not known:\ncheck the name".to_owned(),
        };
        assert_eq!(
            why(failed),
            "coder could not finish: the model “one” is not known: check the name"
        );
        let limit = Limit::Steps;
        assert!(why(Outcome::LimitReached { limit }).contains("steps (7 done)"));
        assert_eq!(why(Outcome::Answered), "");
    }
}
