//! From starting the program, on a database that is there, to the first answer in a chat; what it holds in memory when it has
//! nothing to do; and how large it is.

use anyhow::Result;
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    Args,
    measure::{directory, median, number_in, print_table, row},
    program::{QUESTION, Running, build, command, people, prepare, telegram, wait_for_messages},
};
use crate::project::Project;

const STARTS: usize = 11;
const IDLE: Duration = Duration::from_secs(5);

struct Seen {
    /// Milliseconds.
    starts: Vec<f64>,
    /// Bytes, all of it and what is not backed by a file.
    resident: u64,
    anonymous: u64,
}

pub fn measure(project: &Project, args: &Args) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut profiles = vec!["release"];
    if args.dist {
        profiles.push("dist");
    }
    let mut table = vec![row([
        "profile",
        "first reply ms",
        "fastest",
        "slowest",
        "idle MB",
        "of it anonymous",
        "program MB",
    ])];
    for profile in profiles {
        let program = build(project, profile)?;
        let seen = runtime.block_on(starts(project, &program))?;
        let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
        table.push(vec![
            profile.to_owned(),
            format!("{:.1}", median(seen.starts.iter().copied())),
            format!(
                "{:.1}",
                seen.starts.iter().copied().fold(f64::INFINITY, f64::min)
            ),
            format!("{:.1}", seen.starts.iter().copied().fold(0.0, f64::max)),
            megabytes(seen.resident),
            megabytes(seen.anonymous),
            megabytes(fs::metadata(&program)?.len()),
        ]);
    }
    print_table(&table);
    if !args.dist {
        println!("  (what is shipped is built with profile dist: `--dist` measures that one too)");
    }
    Ok(())
}

async fn starts(project: &Project, program: &Path) -> Result<Seen> {
    let telegram = telegram().await;
    let people = people(&telegram, 1);
    let home = directory(project)?;
    prepare(home.path(), &people).await?;
    let mut seen = Seen {
        starts: Vec::new(),
        resident: 0,
        anonymous: 0,
    };
    // The first one makes what is missing (agents, keys) and is not counted.
    for number in 0..=STARTS {
        people[0].send(QUESTION);
        let began = Instant::now();
        let running = Running::start(command(project, program, home.path(), &telegram)?)?;
        wait_for_messages(&telegram, &people, 2 * (number + 1)).await;
        let took = began.elapsed();
        if number > 0 {
            seen.starts.push(took.as_secs_f64() * 1e3);
        }
        if number == STARTS {
            tokio::time::sleep(IDLE).await;
            let status = format!("/proc/{}/status", running.id()?);
            seen.resident = number_in(&status, "VmRSS")? * 1024;
            seen.anonymous = number_in(&status, "RssAnon")? * 1024;
        }
        running.stop().await?;
    }
    telegram.stop().await;
    Ok(seen)
}
