//! A server that runs in the sandbox: its stdin and stdout are the connection, and its end is noticed at once.

use crate::{
    Bench,
    ear::Heard,
    lines::Lines,
    live::Live,
    pace::{LIFE, Pace},
};
use domain::{
    content::prefix,
    id::SessionId,
    mcp::{McpServer, Reach},
};
use ports::{
    Secret,
    mcp::MESSAGE_LIMIT,
    sandbox::{Cancel, Ended, Exec, ExecResult, Grants, Limits, SandboxError, Serve, Serving},
};
use rmcp::transport::async_rw::AsyncRwTransport;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::net::unix::pipe;
use tokio_util::task::AbortOnDropHandle;

/// Bytes of what a server that ended said on stderr.
const WORDS: usize = 600;

/// # Errors
/// Words for people.
pub async fn connect(
    bench: &Bench,
    server: &McpServer,
    place: Option<&Path>,
    secrets: Vec<Secret>,
    pace: &Pace,
) -> Result<Live, String> {
    let serve = Serve {
        exec: Exec {
            command: command(server).to_owned(),
            workspace: workspace(bench, server, place).await?,
            files: Vec::new(),
            read_only: false,
            limits: Limits {
                wall: LIFE,
                ..Limits::default()
            },
        },
        grants: grants(server, secrets),
    };
    let serving = bench.sandbox.serve(serve, Cancel::default()).await;
    let Serving {
        stdin,
        stdout,
        ended,
    } = serving.map_err(|error| error.to_string())?;
    let heard = Arc::new(Heard::new(server.elicitation));
    let pipes = || -> std::io::Result<_> {
        let inner = pipe::Receiver::from_owned_fd(stdout)?;
        Ok((inner, pipe::Sender::from_owned_fd(stdin)?))
    };
    let (inner, stdin) = pipes().map_err(|error| format!("it cannot be talked to: {error}"))?;
    let lines = Lines {
        inner,
        heard: heard.clone(),
        line: 0,
    };
    // One more than ours: the end of a line that is too long is ours to notice.
    let transport =
        AsyncRwTransport::new_client(lines, stdin).with_max_line_length(2 * MESSAGE_LIMIT);
    let watched = heard.clone();
    let process = tokio::spawn(async move { watched.ended(said(ended.await)) });
    Live::begin(
        transport,
        heard,
        Some(AbortOnDropHandle::new(process)),
        pace,
    )
    .await
}

fn command(server: &McpServer) -> &str {
    match &server.reach {
        Reach::Stdio { command, .. } => command,
        Reach::Http { .. } => "",
    }
}

fn grants(server: &McpServer, secrets: Vec<Secret>) -> Grants {
    let (network, readable) = match &server.reach {
        Reach::Stdio {
            network, readable, ..
        } => (*network, readable.iter().map(PathBuf::from).collect()),
        Reach::Http { .. } => (false, Vec::new()),
    };
    let variable = |secret: Secret| (secret.name, secret.value);
    Grants {
        network,
        readable,
        environment: secrets.into_iter().map(variable).collect(),
    }
}

/// The session's files, or an empty place of the server's own.
async fn workspace(
    bench: &Bench,
    server: &McpServer,
    place: Option<&Path>,
) -> Result<PathBuf, String> {
    if let Some(place) = place {
        return Ok(place.to_owned());
    }
    let own = SessionId::new(format!("mcp:{}", server.name));
    let opened = bench.workspaces.open(&own, None).await;
    opened
        .map(|workspace| workspace.root())
        .map_err(|error| format!("it has no place to run in: {error}"))
}

/// How it ended and the end of what it said: there the error stands.
fn said(ended: Result<ExecResult, SandboxError>) -> String {
    let result = match ended {
        Ok(result) => result,
        Err(error) => return error.to_string(),
    };
    let how = match result.ended {
        Ended::Exit(status) => format!("it ended with exit status {status}"),
        Ended::Signal(signal) => format!("it was ended by signal {signal}"),
        Ended::TimedOut => "it had run for a day".to_owned(),
        Ended::OutOfMemory => "it used more memory than it may".to_owned(),
        Ended::TooMuchOutput => "it wrote too much to stderr".to_owned(),
        Ended::Cancelled => "it was stopped".to_owned(),
    };
    let words = String::from_utf8_lossy(&result.output);
    let words = words.trim();
    let from = words.len().saturating_sub(WORDS);
    let cut = prefix(words, from).len();
    match words[cut..].trim() {
        "" => how,
        words => format!("{how} and said “{words}”"),
    }
}
