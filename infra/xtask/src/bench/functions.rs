//! The cloud functions as they are deployed (profile `dist`): how long a process takes to ask for its first event, and to answer it, beside
//! a function that only says hello; and how large each archive is.
//!
//! The runtime API is a server on the loopback, as Lambda has one beside each process. What the deployed function of the role
//! `run` has in its environment is asked of the deployment, which is the template on ministack.

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    time::{Duration, Instant},
};

use super::{
    Args,
    measure::{median, print_table, row},
};
use crate::{
    deploy::{FUNCTIONS, Stack, Wanted},
    project::Project,
    setup::aws,
    steps::Steps,
};

const PROFILE: &str = "dist";
const ROUNDS: usize = 31;
/// Longer than any start; one that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);
const NEXT: &str = "GET /2018-06-01/runtime/invocation/next ";

/// A program that is started, and what it finds in its environment.
struct Started {
    name: &'static str,
    program: PathBuf,
    variables: Vec<(String, String)>,
    /// Whether an event without content is one for it.
    answers: bool,
}

pub fn measure(project: &Project, _: &Args) -> Result<()> {
    let built = build(project)?;
    let python = aws::packages(project, &mut Steps::new())?;
    let python = python.context("there is no ministack to deploy on")?;
    sizes(&python, &built)?;
    let wanted = Wanted {
        telegram: None,
        variables: vec![(
            "TELEGRAM_BOT_TOKEN".to_owned(),
            format!("1:{}", "A".repeat(35)),
        )],
        built: built.clone(),
    };
    let mut stack = Stack::deploy(project, python, &wanted)?;
    let programs = [
        Started {
            name: "hello",
            program: built.join("hello"),
            variables: Vec::new(),
            answers: true,
        },
        Started {
            name: "run",
            program: built.join("function"),
            variables: stack.variables("RunFunction")?,
            answers: true,
        },
        Started {
            name: "webhook",
            program: built.join("webhook"),
            variables: stack.variables("WebhookFunction")?,
            answers: false,
        },
    ];
    starts(&programs)
}

fn build(project: &Project) -> Result<PathBuf> {
    let done = project
        .clean_command("cargo")
        .args(["build", "--profile", PROFILE, "--package", "lambda"])
        .args(["--bins", "--features", "hello"])
        .status()?;
    ensure!(done.success(), "the functions could not be built");
    Ok(project.target.join(PROFILE))
}

/// As `sam` packs them.
fn sizes(python: &Path, built: &Path) -> Result<()> {
    let mut table = vec![row(["", "program MB", "archive MB"])];
    for name in FUNCTIONS {
        let directory = built.join("packed").join(name);
        fs::create_dir_all(&directory)?;
        fs::copy(built.join(name), directory.join("bootstrap"))?;
        let packed = Command::new(python)
            .args(["-m", "zipfile", "-c", "function.zip", "bootstrap"])
            .current_dir(&directory)
            .status()?;
        ensure!(packed.success(), "{name} could not be packed");
        let size = |file: &str| -> Result<String> {
            let bytes = fs::metadata(directory.join(file))?.len();
            Ok(format!("{:.1}", bytes as f64 / 1e6))
        };
        let cells = vec![name.to_owned(), size("bootstrap")?, size("function.zip")?];
        table.push(cells);
        fs::remove_dir_all(&directory)?;
    }
    print_table(&table);
    println!();
    Ok(())
}

fn starts(programs: &[Started]) -> Result<()> {
    let mut seen: Vec<Vec<(f64, f64)>> = vec![Vec::new(); programs.len()];
    // The first round only brings the programs into memory.
    for round in 0..=ROUNDS {
        for (program, seen) in programs.iter().zip(&mut seen) {
            let times = start(program)?;
            if round > 0 {
                seen.push(times);
            }
        }
    }
    let mut table = vec![row([
        "",
        "first event asked for, ms",
        "of hello",
        "fastest",
        "and answered, ms",
    ])];
    let asked = |seen: &[(f64, f64)]| median(seen.iter().map(|times| times.0));
    let hello = asked(&seen[0]);
    for (program, seen) in programs.iter().zip(&seen) {
        let fastest = seen
            .iter()
            .map(|times| times.0)
            .fold(f64::INFINITY, f64::min);
        let answered = match program.answers {
            true => format!("{:.1}", median(seen.iter().map(|times| times.1))),
            false => String::new(),
        };
        table.push(vec![
            program.name.to_owned(),
            format!("{:.1}", asked(seen)),
            format!("{:.2}", asked(seen) / hello),
            format!("{fastest:.1}"),
            answered,
        ]);
    }
    print_table(&table);
    Ok(())
}

/// Milliseconds from the start of the process until it asks for an event, and until it has answered the first one.
fn start(what: &Started) -> Result<(f64, f64)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (seen, requests) = channel();
    std::thread::spawn(move || listen(&listener, &seen));
    let began = Instant::now();
    let mut process = Command::new(&what.program)
        .env_clear()
        .envs(what.variables.iter().cloned())
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", what.name)
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", what.program.display()))?;
    let times = times(&requests, began, what);
    process.kill()?;
    process.wait()?;
    times
}

fn times(
    requests: &Receiver<(String, Instant)>,
    began: Instant,
    what: &Started,
) -> Result<(f64, f64)> {
    let milliseconds = |at: Instant| (at - began).as_secs_f64() * 1e3;
    let (line, asked) = requests
        .recv_timeout(PATIENCE)
        .with_context(|| format!("{} asks for nothing", what.name))?;
    ensure!(line.starts_with(NEXT), "{} says {line}", what.name);
    if !what.answers {
        return Ok((milliseconds(asked), 0.0));
    }
    let (line, answered) = requests
        .recv_timeout(PATIENCE)
        .with_context(|| format!("{} does not answer", what.name))?;
    ensure!(line.contains("/response "), "{} says {line}", what.name);
    Ok((milliseconds(asked), milliseconds(answered)))
}

/// A runtime API with one event, until nobody wants to know any more what was asked of it.
fn listen(listener: &TcpListener, seen: &Sender<(String, Instant)>) {
    for connection in listener.incoming().map_while(Result::ok) {
        let seen = seen.clone();
        std::thread::spawn(move || converse(&connection, &seen).ok());
    }
}

fn converse(connection: &TcpStream, seen: &Sender<(String, Instant)>) -> Result<()> {
    let mut reader = BufReader::new(connection);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let at = Instant::now();
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            if header.trim().is_empty() {
                break;
            }
            if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        reader.by_ref().take(length).read_to_end(&mut Vec::new())?;
        let first = line.starts_with(NEXT);
        if seen.send((line, at)).is_err() {
            bail!("nobody asks any more");
        }
        write!(&*connection, "{}", if first { event() } else { taken() })?;
    }
}

fn event() -> String {
    let body = json!({}).to_string();
    format!(
        "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 1\r\nlambda-runtime-deadline-ms: 99999999999999\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:0:function:measured\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn taken() -> String {
    "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned()
}
