//! `cargo xtask postgres`: a PostgreSQL server of its own, on a free port of the loopback, until the standard input ends. To try
//! things out; and for tests whose server has to go away and come back, each of which has its own.
//!
//! Each line of the standard input is a word: `crash` (as if it were killed), `stop` (in peace, ending all sessions), `start`. The
//! answer is the word, when it is done.

use std::io::{BufRead, Write};

use anyhow::{Result, bail};

use crate::setup::postgres;
use crate::steps::Steps;

/// The package has to be there, or what `cargo xtask setup` needs to install it.
pub fn run(steps: &mut Steps) -> Result<()> {
    let Some(mut server) = postgres::server(steps, &[]) else {
        return Ok(());
    };
    say(&format!("ready {}", server.url))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.trim() {
            "crash" => server.stop("QUIT"),
            "stop" => server.stop("INT"),
            "start" => server.start()?,
            other => bail!("“{other}” is none of crash, stop, start"),
        }
        say(line.trim())?;
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    println!("{line}");
    Ok(std::io::stdout().flush()?)
}
