//! `countersign worker`: works on some lanes of a team, beside a service, other workers or cloud functions on the same database. It has no
//! front door of its own.

use super::{Context, Failure, output::print, stop, up};
use crate::{
    compose::{
        service,
        surfaces::Surfaces,
        worker::{Engine, begin_ticking},
    },
    config::cloud::known,
};
use ports::job::lane;
use tokio_util::task::TaskTracker;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Lanes to work on, such as run,sandbox; without it all of them
    #[arg(long, value_delimiter = ',', value_name = "LANE,…")]
    lanes: Vec<String>,
}

pub async fn run(context: Context, arguments: &Arguments) -> Result<u8, Failure> {
    let lanes = lanes(&arguments.lanes)?;
    let has = |lane: &str| lanes.iter().any(|name| name == lane);
    let stop = stop::on_signal()?;
    let (local, _) = context.open().await?;
    // Commands on this directory leave runs to who works on all of a run.
    let runs = has(lane::RUN) && has(lane::SANDBOX);
    let _alive = match runs {
        true => Some(service::live(&local.config.home)?),
        false => None,
    };
    let (surfaces, api) = Surfaces::default().with_telegram(&local.config, &local.home);
    let tasks = TaskTracker::new();
    match &api {
        Some(api) if has(lane::FRONT_TELEGRAM) => {
            up::introduce(&local.home, api, &surfaces.me, (&tasks, &stop)).await?;
        }
        None if arguments.lanes.iter().any(|lane| of_telegram(lane)) => {
            return Err(Failure::new(
                "Work for Telegram needs the bot's token: set TELEGRAM_BOT_TOKEN, or leave out the lanes front:telegram and send.",
            ));
        }
        _ => {}
    }
    let engine = Engine::build(local, surfaces).await?;
    if has(lane::TICK) {
        begin_ticking(&engine.local.home).await?;
    }
    let working = engine.work_on(&lanes, stop);
    print(&format!("lanes     {}", lanes.join(", ")));
    print(&format!("sandbox   {}", up::sandbox(&engine.picked)));
    print("ready");
    let _ = working.await;
    Ok(0)
}

fn of_telegram(lane: &str) -> bool {
    [lane::FRONT_TELEGRAM, lane::SEND].contains(&lane)
}

fn lanes(named: &[String]) -> Result<Vec<String>, Failure> {
    for lane in named {
        known(lane).map_err(|why| Failure::usage(format!("--lanes {why}.")))?;
    }
    Ok(match named.is_empty() {
        true => lane::ALL.map(str::to_owned).to_vec(),
        false => named.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_that_is_none_is_said_with_those_that_are() {
        assert_eq!(lanes(&["sandbox".to_owned()]).unwrap(), ["sandbox"]);
        assert_eq!(lanes(&[]).unwrap(), lane::ALL);
        let error = lanes(&["run".to_owned(), "sandbx".to_owned()]).unwrap_err();
        assert_eq!(error.status, 2);
        assert!(error.text.contains("“sandbx”"), "{}", error.text);
        assert!(
            error.text.contains("run, ingest, sandbox, tick"),
            "{}",
            error.text
        );
    }
}
