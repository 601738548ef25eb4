//! Real processes that speak the protocol, good and bad ones, without walls around them: those are the sandbox's business, and tried with it
//! in the conversations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::{
    Digest,
    elicitation::Given,
    mcp::{McpServer, Standing},
};
use mcp_rmcp::{Bench, Servers, pace::Pace};
use ports::{
    Mcp, Sandbox, Secret, Secrets,
    mcp::{McpCall, McpError},
    sandbox::{Cancel, Ended, Exec, ExecResult, Limits, SandboxError, Serve, Serving, Tier},
    secrets::SecretsError,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, json};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use testkit::{
    contract::mcp::{mcp_contract, server},
    workspace::MemoryWorkspaces,
};
use tokio::{io::AsyncReadExt, process::Command};

/// Starts what it is told to start, and counts.
#[derive(Default)]
struct NoWalls {
    started: AtomicUsize,
    running: Arc<AtomicUsize>,
}

#[async_trait::async_trait]
impl Sandbox for NoWalls {
    async fn probe(&self) -> Result<Tier, SandboxError> {
        Err(SandboxError::Unavailable("there are no walls".to_owned()))
    }

    async fn run(&self, _: Exec, _: Cancel) -> Result<ExecResult, SandboxError> {
        Err(SandboxError::Unavailable("there are no walls".to_owned()))
    }

    async fn serve(&self, serve: Serve, _: Cancel) -> Result<Serving, SandboxError> {
        self.started.fetch_add(1, Ordering::SeqCst);
        let setup = |error: std::io::Error| SandboxError::Setup(error.to_string());
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("exec {}", serve.exec.command));
        for (name, value) in &serve.grants.environment {
            command.env(name, value.expose_secret());
        }
        let directory = Some(&serve.exec.workspace).filter(|place| place.is_dir());
        command.current_dir(directory.map_or(Path::new("/"), PathBuf::as_path));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(setup)?;
        let gone = || SandboxError::Setup("no pipe".to_owned());
        let stdin = child
            .stdin
            .take()
            .ok_or_else(gone)?
            .into_owned_fd()
            .map_err(setup)?;
        let stdout = child
            .stdout
            .take()
            .ok_or_else(gone)?
            .into_owned_fd()
            .map_err(setup)?;
        let mut stderr = child.stderr.take().ok_or_else(gone)?;
        let counted = Counted::new(&self.running);
        let ended = Box::pin(async move {
            let _counted = counted;
            let mut output = Vec::new();
            let read = stderr.read_to_end(&mut output);
            let (read, status) = tokio::join!(read, child.wait());
            read.map_err(setup)?;
            let code = status.map_err(setup)?.code();
            Ok(ExecResult {
                ended: code.map_or(Ended::Signal(9), Ended::Exit),
                output_bytes: output.len() as u64,
                output,
            })
        });
        Ok(Serving {
            stdin,
            stdout,
            ended,
        })
    }

    fn digest(&self, _: &Limits) -> Digest {
        Digest::of_bytes("no walls")
    }
}

struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Fixed(Vec<Secret>);

#[async_trait::async_trait]
impl Secrets for Fixed {
    async fn all(&self) -> Result<Vec<Secret>, SecretsError> {
        Ok(self.0.clone())
    }
    async fn set(&self, _: Secret) -> Result<(), SecretsError> {
        Err(SecretsError::ReadOnly)
    }
    async fn remove(&self, _: &str) -> Result<bool, SecretsError> {
        Err(SecretsError::ReadOnly)
    }
}

struct World {
    sandbox: Arc<NoWalls>,
    servers: Servers,
    place: TempDir,
}

impl World {
    fn new() -> Self {
        Self::with(Pace::default())
    }

    fn with(pace: Pace) -> Self {
        let sandbox = Arc::new(NoWalls::default());
        let bench = Bench {
            sandbox: sandbox.clone(),
            workspaces: Arc::new(MemoryWorkspaces::default()),
        };
        let secret = Secret {
            name: "notes_key".to_owned(),
            value: SecretString::from("k-12345678".to_owned()),
        };
        Self {
            sandbox,
            servers: Servers::new(Some(bench), vec![Arc::new(Fixed(vec![secret]))], pace),
            place: tempfile::tempdir().unwrap(),
        }
    }

    /// Calls `echo` as the server offers it now.
    async fn echo(&self, server: &McpServer) -> Result<(String, bool), McpError> {
        let place = Some(self.place.path());
        let offer = self.servers.tools(server, place).await?;
        let tool = offer
            .tools
            .into_iter()
            .find(|tool| tool.name == "echo")
            .unwrap();
        let arguments = Map::from_iter([("text".to_owned(), json!("hello"))]);
        let call = McpCall {
            tool,
            arguments,
            answers: Vec::new(),
        };
        let answer = self
            .servers
            .call(server, place, &call, &Cancel::default())
            .await?;
        Ok((answer.text, answer.ok))
    }

    fn started(&self) -> usize {
        self.sandbox.started.load(Ordering::SeqCst)
    }

    async fn until_nothing_runs(&self) {
        while self.sandbox.running.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    }
}

fn script(mode: &str) -> McpServer {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/servers/mcp/server.py"
    );
    server(&format!("python3 {file} {mode}"))
}

fn quick() -> Pace {
    Pace {
        start: Duration::from_millis(700),
        call: Duration::from_millis(700),
        ..Pace::default()
    }
}

#[tokio::test]
async fn the_adapter_keeps_the_contract_and_starts_a_server_once() {
    let world = World::new();
    for mode in ["good", "garbage"] {
        mcp_contract(&world.servers, &script(mode)).await.unwrap();
    }
    assert_eq!(world.started(), 2);
    drop(world.servers);
    while world.sandbox.running.load(Ordering::SeqCst) > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_that_never_answers_is_given_up_and_not_asked_again_at_once() {
    let world = World::with(quick());
    let silent = script("silent");
    for words in [
        "did not answer within",
        "did not answer within",
        "failed 2 times in a row",
    ] {
        let error = world.echo(&silent).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(world.started(), 2);
    world.until_nothing_runs().await;
}

#[tokio::test]
async fn a_call_without_an_answer_is_one_of_which_nobody_knows() {
    let call = Duration::from_millis(700);
    let world = World::with(Pace {
        call,
        ..Pace::default()
    });
    let error = world.echo(&script("mute")).await.unwrap_err();
    assert!(
        matches!(&error, McpError::Unknown(why) if why.contains("no answer came")),
        "{error}"
    );
    world.until_nothing_runs().await;
}

#[tokio::test]
async fn one_that_dies_in_a_call_says_how_and_is_started_again() {
    let world = World::new();
    let dies = script("dies");
    let error = world.echo(&dies).await.unwrap_err();
    let expected = "exit status 7 and said “out of luck”";
    assert!(
        matches!(&error, McpError::Unknown(why) if why.contains(expected)),
        "{error}"
    );
    assert!(matches!(world.echo(&dies).await, Err(McpError::Unknown(_))));
    assert_eq!(world.started(), 2);
    let error = world.echo(&dies).await.unwrap_err();
    assert!(
        matches!(&error, McpError::Unavailable(why) if why.contains("tried again in")),
        "{error}"
    );
}

#[tokio::test]
async fn a_flood_and_an_answer_without_end_end_the_connection() {
    let world = World::new();
    let error = world.echo(&script("floods")).await.unwrap_err();
    assert!(
        matches!(&error, McpError::Unknown(why) if why.contains("without end")),
        "{error}"
    );
    assert_eq!(world.echo(&script("huge")).await, Err(McpError::TooLarge));
    world.until_nothing_runs().await;
}

#[tokio::test]
async fn what_it_asks_of_us_is_refused_and_told() {
    let world = World::new();
    let (text, ok) = world.echo(&script("asks")).await.unwrap();
    assert!(
        ok && text.starts_with("refused, refused, refused\n"),
        "{text}"
    );
    assert!(
        text.contains(
            "a model (sampling), an answer of a person (elicitation), directories (roots)"
        ),
        "{text}"
    );
}

/// The server is told `cancel`, and given the answer when it asks the same once more; what is no form is refused even where it may ask.
#[tokio::test]
async fn what_it_asks_people_is_brought_back_where_it_may_ask() {
    let world = World::new();
    let mut server = script("elicits");
    let (text, _) = world.echo(&server).await.unwrap();
    assert!(text.starts_with("error -32601: hello"), "{text}");
    server.elicitation = true;
    let place = Some(world.place.path());
    let offer = world.servers.tools(&server, place).await.unwrap();
    let mut call = McpCall {
        tool: offer.tools[0].clone(),
        arguments: Map::from_iter([("text".to_owned(), json!("milk"))]),
        answers: Vec::new(),
    };
    let cancel = Cancel::default();
    let first = world.servers.call(&server, place, &call, &cancel).await;
    let first = first.unwrap();
    assert_eq!(first.text, "cancel: milk");
    let asked = first.asks.unwrap();
    assert_eq!(asked.message, "Which list is “milk” for?");
    let labels: Vec<String> = asked
        .options()
        .into_iter()
        .map(|(label, _)| label)
        .collect();
    assert_eq!(labels, ["At home", "At work"]);
    call.answers.push(Given {
        question: asked.digest(),
        content: asked.read("at work").unwrap(),
    });
    let second = world.servers.call(&server, place, &call, &cancel).await;
    let second = second.unwrap();
    assert_eq!((second.text.as_str(), second.asks), ("accept: milk", None));
    assert_eq!(
        world.started(),
        2,
        "it is told what it may when it is started"
    );
    // Another question is not answered with it.
    call.arguments.insert("text".to_owned(), json!("tea"));
    let other = world.servers.call(&server, place, &call, &cancel).await;
    assert!(other.unwrap().asks.is_some());

    let mut opens = script("opens");
    opens.elicitation = true;
    let (text, _) = world.echo(&opens).await.unwrap();
    assert!(text.contains("asked for a page to open"), "{text}");
}

#[tokio::test]
async fn a_tool_that_changed_is_not_called() {
    for mode in ["changes", "sneaks"] {
        let world = World::new();
        let mut server = script(mode);
        let place = Some(world.place.path());
        let offer = world.servers.tools(&server, place).await.unwrap();
        server.approved = offer
            .tools
            .iter()
            .map(|tool| (tool.name.clone(), tool.digest()))
            .collect();
        let call = McpCall {
            tool: offer.tools[0].clone(),
            arguments: Map::new(),
            answers: Vec::new(),
        };
        let cancel = Cancel::default();
        world
            .servers
            .call(&server, place, &call, &cancel)
            .await
            .unwrap();
        // A person wants it started again: another process, and another description.
        server.restarts += u32::from(mode == "sneaks");
        let changed = world.servers.call(&server, place, &call, &cancel).await;
        let Err(McpError::Changed(offer)) = changed else {
            panic!("{mode}: {changed:?}");
        };
        assert_eq!(server.standing(&offer.tools[0]), Standing::Changed);
        assert_eq!(server.standing(&offer.tools[1]), Standing::Approved);
        assert_eq!(world.started(), 1 + usize::from(mode == "sneaks"));
    }
}

/// Calls of a server that may ask people are made one after the other; what was approved is looked at when a call's turn comes.
#[tokio::test]
async fn a_tool_that_changes_while_a_call_waits_for_its_turn_is_not_called() {
    let world = World::new();
    let mut server = script("changes");
    server.elicitation = true;
    let place = Some(world.place.path());
    let offer = world.servers.tools(&server, place).await.unwrap();
    let call = McpCall {
        tool: offer.tools[0].clone(),
        arguments: Map::new(),
        answers: Vec::new(),
    };
    let cancel = Cancel::default();
    let made = || world.servers.call(&server, place, &call, &cancel);
    let both = tokio::join!(made(), made());
    let ((Ok(_), Err(error)) | (Err(error), Ok(_))) = both else {
        panic!("{both:?}");
    };
    assert!(matches!(error, McpError::Changed(_)), "{error:?}");
}

#[tokio::test]
async fn what_nobody_can_use_is_left_out_and_named() {
    let world = World::new();
    let offer = world.servers.tools(&script("shadows"), None).await.unwrap();
    let names: Vec<&str> = offer.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["finish", "run_command", "twice"]);
    assert_eq!(offer.left_out.len(), 4, "{:?}", offer.left_out);
    for name in domain::mcp::model_names("tried", &offer.tools).keys() {
        assert!(name.starts_with("tried__"), "{name}");
    }
}

#[tokio::test]
async fn an_unknown_protocol_and_a_server_that_cannot_start_say_why() {
    let world = World::new();
    for (mode, words) in [
        ("old", "speaks version “1999-01-01”"),
        (
            "broken",
            "exit status 1 and said “there is no configuration”",
        ),
    ] {
        let error = world.echo(&script(mode)).await.unwrap_err().to_string();
        assert!(error.contains(words), "{mode}: {error}");
    }
    let error = world
        .echo(&server("/no/such/program"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("not found"), "{error}");
}

#[tokio::test]
async fn a_secret_goes_to_the_process_and_one_that_is_missing_is_named() {
    let world = World::new();
    let mut server = script("environment");
    server
        .secrets
        .insert("NOTES".to_owned(), "notes_key".to_owned());
    let offer = world.servers.tools(&server, None).await.unwrap();
    let call = McpCall {
        tool: offer.tools[1].clone(),
        arguments: Map::new(),
        answers: Vec::new(),
    };
    let answer = world
        .servers
        .call(&server, None, &call, &Cancel::default())
        .await
        .unwrap();
    assert!(
        answer.text.contains(r#""NOTES": "k-12345678""#),
        "{}",
        answer.text
    );
    server
        .secrets
        .insert("MORE".to_owned(), "nobody_has_it".to_owned());
    let error = world.echo(&server).await.unwrap_err().to_string();
    assert!(
        error.contains("there is no secret “nobody_has_it”"),
        "{error}"
    );
}

#[tokio::test]
async fn nobody_elses_files_and_no_process_that_nobody_uses() {
    let pace = Pace {
        idle: Duration::from_millis(20),
        fresh: Duration::ZERO,
        ..Pace::default()
    };
    let world = World::with(pace);
    let good = script("good");
    world.echo(&good).await.unwrap();
    world.servers.tools(&good, None).await.unwrap();
    assert_eq!(world.started(), 2, "another directory, another process");
    world.until_nothing_runs().await;
    world.echo(&good).await.unwrap();
    assert_eq!(world.started(), 3);
}

#[tokio::test]
async fn a_process_without_a_sandbox_says_where_servers_run() {
    let servers = Servers::new(None, Vec::new(), Pace::default());
    let error = servers.tools(&script("good"), None).await.unwrap_err();
    assert!(error.to_string().contains("worker"), "{error}");
}
