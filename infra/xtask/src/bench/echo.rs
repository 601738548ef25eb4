//! Short messages and their short answers through FakeTelegram: ours, which stores each update before it is confirmed and
//! each answer before it is sent; and bots of a few lines that keep nothing, on teloxide and on aiogram. All poll. The
//! updates wait at the server when the clock starts, and it stops when the last answer is there.

use anyhow::{Context, Result};
use std::{path::PathBuf, time::Instant};
use tokio::process::Command;

use super::{
    Args,
    measure::{Spent, directory, median, print_table, row},
    program::{QUESTION, Running, build, command, people, prepare, telegram, wait_for_messages},
};
use crate::{
    project::Project,
    setup::python::{TELEGRAM_CHECK, environment},
    steps::Steps,
};

const ROUNDS: usize = 3;
const CHATS: usize = 50;
/// Messages in each chat that are measured; as many before them warm up.
const EACH: usize = 40;
const WARM: usize = 4;
const MEASURED: u64 = (CHATS * EACH) as u64;

#[derive(Clone, Copy, PartialEq)]
enum Bot {
    Ours,
    Teloxide,
    Aiogram,
    Raw,
}

const BOTS: [(Bot, &str); 4] = [
    (Bot::Ours, "countersign up"),
    (Bot::Teloxide, "bare teloxide"),
    (Bot::Aiogram, "aiogram"),
    (Bot::Raw, "bare HTTP loop (the fake's own pace)"),
];

struct Echo<'a> {
    project: &'a Project,
    program: PathBuf,
    python: PathBuf,
}

pub fn measure(project: &Project, _: &Args) -> Result<()> {
    let python = environment(project, &mut Steps::new(), &TELEGRAM_CHECK)?
        .context("there is no Python environment for aiogram")?;
    let program = build(project, "release")?;
    let echo = Echo {
        project,
        program,
        python,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let mut round = Vec::new();
        for (bot, _) in BOTS {
            round.push(runtime.block_on(echo.once(bot))?);
        }
        rounds.push(round);
    }
    print(&rounds);
    Ok(())
}

impl Echo<'_> {
    async fn once(&self, bot: Bot) -> Result<Spent> {
        let telegram = telegram().await;
        let people = people(&telegram, CHATS);
        let home = directory(self.project)?;
        let command = match bot {
            Bot::Ours => {
                prepare(home.path(), &people).await?;
                command(self.project, &self.program, home.path(), &telegram)?
            }
            Bot::Aiogram => {
                let mut command = Command::new(&self.python);
                command.arg(self.project.root.join("infra/xtask/bench/aiogram_echo.py"));
                command.args([telegram.url(), telegram.token()]);
                command
            }
            Bot::Teloxide | Bot::Raw => {
                let name = if bot == Bot::Raw { "raw" } else { "teloxide" };
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["bench", "--peer", name, telegram.url(), telegram.token()]);
                command
            }
        };
        let running = Running::start(command)?;
        ask(&people, WARM);
        wait_for_messages(&telegram, &people, 2 * WARM).await;
        telegram.hold_updates();
        ask(&people, EACH);
        let cpu = running.cpu()?;
        let began = Instant::now();
        telegram.release_updates();
        wait_for_messages(&telegram, &people, 2 * (WARM + EACH)).await;
        let spent = Spent {
            wall: began.elapsed(),
            cpu: running.cpu()? - cpu,
        };
        running.stop().await?;
        telegram.stop().await;
        Ok(spent)
    }
}

/// One after the other in each chat, as if all of them wrote at once.
fn ask(people: &[tests::servers::telegram::Conversation], each: usize) {
    for _ in 0..each {
        for person in people {
            person.send(QUESTION);
        }
    }
}

fn print(rounds: &[Vec<Spent>]) {
    let over = |bot: usize, number: fn(&Spent) -> f64| {
        median(rounds.iter().map(|round| number(&round[bot])))
    };
    let pace = |bot: usize| over(bot, |spent| spent.per_second(MEASURED));
    let cpu = |bot: usize| over(bot, |spent| spent.cpu_us(MEASURED));
    let mut table = vec![row([
        "",
        "updates/s",
        "CPU µs/update",
        "ours, times its pace",
        "ours, times its CPU",
    ])];
    for (number, (bot, name)) in BOTS.iter().enumerate() {
        let mut line = vec![
            (*name).to_owned(),
            format!("{:.0}", pace(number)),
            format!("{:.0}", cpu(number)),
        ];
        if *bot != Bot::Ours {
            line.push(format!("{:.2}", pace(0) / pace(number)));
            line.push(format!("{:.2}", cpu(0) / cpu(number)));
        }
        table.push(line);
    }
    print_table(&table);
}
