//! The wrapped ports: what they promise holds, and a secret goes through none of them.

use super::*;
use domain::{
    MicroUsd, Micros,
    approval::Subject,
    canonical_json,
    content::Content,
    id::{CallId, CommitId, JobId, SessionId, TeamId},
    message::Message,
    rich_text::{Mark, MarkStyle, RichText},
};
use ports::{
    Blobs, Messenger, Model, Progress, Sandbox, Store, Workspace,
    job::{Received, new_job},
    message::{Body, Outgoing},
    model::{ModelError, ModelRequest},
    progress::{Doing, Report},
    repo,
    sandbox::{Cancel, Exec, Limits, SandboxError},
    search::{Search, SearchIndex},
    store::{Batch, Expect, Op, StoreError},
    workspace::WorkspaceError,
};
use secrecy::SecretString;
use serde_json::json;
use std::{sync::Mutex, time::Duration};
use testkit::{
    blobs::MemoryBlobs,
    contract::Broken,
    contract::search::{entry, manifest},
    memory_store::MemoryStore,
    messenger::RecordingMessenger,
    sandbox::{ScriptedSandbox, exited},
    scripted_model::{ScriptedModel, Turn},
    search::MemoryIndex,
    workspace::MemoryWorkspace,
};

const KEY: &str = "sk-live-0123456789";
const GONE: &str = "[secret:key]";

fn redaction() -> Redaction {
    let redaction = Redaction::default();
    let value = SecretString::from(KEY.to_owned());
    let name = "key".to_owned();
    redaction.set("test", vec![Secret { name, value }]);
    redaction
}

/// Every promise of the port holds for the wrapped one too.
mod store_contract {
    use super::*;

    async fn make() -> Result<(Arc<dyn Store>, ()), Broken> {
        let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
        Ok((redaction().over_store(inner), ()))
    }

    testkit::store_contract!(make);
}

fn team() -> TeamId {
    TeamId::new("home")
}

fn batch(ops: Vec<Op>) -> Batch {
    Batch {
        id: CommitId::new("c"),
        at: Micros(1),
        ops,
    }
}

fn message(text: &str) -> Outgoing {
    let mark = Mark {
        start: 0,
        len: u32::try_from(text.len()).unwrap(),
        style: MarkStyle::Code,
    };
    Outgoing {
        to: SessionId::new("telegram:1"),
        body: Body::text(RichText {
            text: text.to_owned(),
            marks: vec![mark],
        }),
        tag: None,
        rings: false,
        reply_to: None,
        approval: None,
    }
}

#[tokio::test]
async fn nothing_that_is_kept_holds_it() {
    let inner = Arc::new(MemoryStore::new());
    let store = redaction().over_store(inner.clone());
    let key = repo::key::<domain::agent::Agent>(&team(), "a");
    let journal = repo::runs::journal(&team(), &"r".into());
    let update = json!({"message": {"text": format!("my key: {KEY}")}}).to_string();
    let received = Received {
        sandbox: false,
        surface: "telegram".to_owned(),
        session: SessionId::new("telegram:1"),
        raw: update,
        received_at: Micros(1),
    };
    let ops = vec![
        Op::Put {
            key: key.clone(),
            doc: canonical_json(&json!({"name": KEY})).unwrap(),
            expect: Expect::Absent,
        },
        Op::Append {
            journal: journal.clone(),
            at: 0,
            entries: vec![json!({"output": format!("X={KEY}\n")}).to_string()],
        },
        Op::Enqueue(new_job(&team(), "in".to_owned(), &received, Micros(1)).unwrap()),
        Op::Enqueue(new_job(&team(), "out".to_owned(), &message(KEY), Micros(1)).unwrap()),
    ];
    store.commit(batch(ops)).await.unwrap();
    let doc = inner.get(&key).await.unwrap().unwrap().doc;
    assert_eq!(doc, r#"{"name":"[secret:key]"}"#);
    let entries = inner.read(&journal, 0, 10).await.unwrap();
    assert_eq!(entries, [r#"{"output":"X=[secret:key]\n"}"#]);
    let payload = async |id: &str| inner.job(&JobId::new(id)).await.unwrap().unwrap().payload;
    let update: Received = serde_json::from_str(&payload("in").await).unwrap();
    assert_eq!(update.raw, r#"{"message":{"text":"my key: [secret:key]"}}"#);
    let sent: Outgoing = serde_json::from_str(&payload("out").await).unwrap();
    let plain = Body::text(RichText::plain(GONE));
    assert_eq!(sent.body, plain, "marks would stand beside their words");
}

#[tokio::test]
async fn the_audit_is_not_changed_behind_its_back() {
    let store = redaction().over_store(Arc::new(MemoryStore::new()));
    let append = Op::Append {
        journal: repo::audit::journal(&team(), "team"),
        at: 0,
        entries: vec![json!({"detail": KEY}).to_string()],
    };
    let error = store.commit(batch(vec![append])).await.unwrap_err();
    assert!(matches!(error, StoreError::Rejected(_)), "{error}");
    assert!(!error.to_string().contains(KEY));
}

#[tokio::test]
async fn blobs_are_named_by_what_is_kept() {
    let inner: Arc<dyn Blobs> = Arc::new(MemoryBlobs::default());
    let blobs = redaction().over(inner.clone());
    let digest = blobs.put(format!("a {KEY} b").as_bytes()).await.unwrap();
    assert_eq!(
        inner.get(&digest).await.unwrap(),
        format!("a {GONE} b").into_bytes()
    );
    let early = inner.put(KEY.as_bytes()).await.unwrap();
    assert_eq!(blobs.get(&early).await.unwrap(), GONE.as_bytes());
    let odd = [b"\xff\xfe", KEY.as_bytes()].concat();
    let digest = blobs.put(&odd).await.unwrap();
    assert_eq!(
        inner.get(&digest).await.unwrap(),
        [b"\xff\xfe", GONE.as_bytes()].concat()
    );
}

fn request(text: &str) -> ModelRequest {
    ModelRequest {
        model: "one".to_owned(),
        system: format!("You know {text}."),
        messages: vec![Message::User {
            text: Content::inline(text),
        }],
        tools: Vec::new(),
        max_output_tokens: 100,
        timeout: Duration::from_secs(9),
    }
}

#[tokio::test]
async fn a_model_hears_and_says_none() {
    let inner = ScriptedModel::answering(|_| {
        Turn::text_and_calls(
            format!("The key is {KEY}."),
            [("run_command", json!({"command": format!("echo {KEY}")}))],
        )
    });
    let model = redaction().over(Arc::new(inner.clone()) as Arc<dyn Model>);
    let mut shown = String::new();
    let mut on_text = |text: &str| shown.push_str(text);
    let reply = model.complete(&request(KEY), &mut on_text).await.unwrap();
    assert_eq!(reply.text, format!("The key is {GONE}."));
    assert_eq!(
        reply.calls[0].arguments,
        json!({"command": format!("echo {GONE}")})
    );
    assert!(shown.is_empty() || shown.contains(GONE), "{shown}");
    assert!(!format!("{:?}", inner.requests()).contains(KEY));
    // What a person approves is what runs, whatever is wrapped around.
    let subject = Subject {
        tool: reply.calls[0].name.clone(),
        arguments: reply.calls[0].arguments.clone(),
        agent: "a".into(),
        agent_version: 1,
        working_directory: "/w".to_owned(),
        sandbox: domain::Digest::of_bytes("s"),
        before: domain::Digest::of_bytes("b"),
    };
    let text = canonical_json(&subject).unwrap();
    assert_eq!(redaction().now().json(&text), text);
    assert_eq!(reply.calls[0].id, CallId::new(reply.calls[0].id.as_str()));
}

#[tokio::test]
async fn an_error_of_a_provider_quotes_none() {
    let refused = ModelError::Unauthorized(format!("Incorrect API key provided: {KEY}"));
    let inner = ScriptedModel::queue([Turn::fail(refused)]);
    let model = redaction().over(Arc::new(inner) as Arc<dyn Model>);
    let error = model.complete(&request("hi"), &mut |_: &str| {}).await;
    let clean = ModelError::Unauthorized(format!("Incorrect API key provided: {GONE}"));
    assert_eq!(error.unwrap_err(), clean);
}

#[tokio::test]
async fn commands_get_and_print_none() {
    let inner = Arc::new(ScriptedSandbox::new());
    inner.answer(|_| exited(0, format!("X={KEY}\n")));
    let sandbox = redaction().over(inner.clone() as Arc<dyn Sandbox>);
    let exec = |limits| Exec {
        command: "cat .env".to_owned(),
        workspace: "/w".into(),
        files: Vec::new(),
        read_only: false,
        limits,
    };
    let result = sandbox
        .run(exec(Limits::default()), Cancel::default())
        .await
        .unwrap();
    assert_eq!(result.output, b"X=[secret:key]\n");
    assert_eq!(result.output_bytes, result.output.len() as u64);
    assert_eq!(inner.started(), ["cat .env"]);
    let mut told = exec(Limits::default());
    told.command = format!("echo {KEY}");
    let refused = sandbox.run(told, Cancel::default()).await;
    assert!(
        matches!(refused, Err(SandboxError::HoldsSecret)) && inner.started().len() == 1,
        "another command than the approved one must not run"
    );
    // Cut in the middle of it: so much of it is still too much.
    inner.answer(|_| {
        let mut result = exited(0, &KEY[..12]);
        result.output_bytes = 100;
        result
    });
    let result = sandbox
        .run(exec(Limits::default()), Cancel::default())
        .await
        .unwrap();
    assert_eq!(result.output, "[secret:…]".as_bytes());
    assert_eq!(result.output_bytes, result.output.len() as u64 + 88);
}

#[tokio::test]
async fn files_are_read_without_it_and_written_without_it() {
    let inner = Arc::new(MemoryWorkspace::new("/w"));
    inner.put(".env", format!("KEY={KEY}\n"));
    let files: Arc<dyn Workspace> = redaction().over(inner.clone() as Arc<dyn Workspace>);
    let read = files.read(".env").await.unwrap();
    assert_eq!(read.text, format!("KEY={GONE}\n"));
    assert_eq!(
        read.digest,
        inner.read(".env").await.unwrap().digest,
        "of the file as it is"
    );
    let (found, _) = files.search("KEY", "**").await.unwrap();
    assert_eq!(found[0].text, format!("KEY={GONE}"));
    // The placeholder must not be written over the person's secret.
    let refused = files.write(".env", "KEY=[secret:key]\nMORE=1\n").await;
    assert_eq!(refused, Err(WorkspaceError::HoldsSecret(".env".to_owned())));
    // Nor another text than the approved one.
    let refused = files.write("new", KEY).await;
    let in_text = WorkspaceError::SecretInText("new".to_owned());
    assert_eq!((refused, inner.text("new")), (Err(in_text), None));
    files.write("new", "another text").await.unwrap();
    // What cannot be looked into may hold one.
    inner.put("large", "x".repeat(300 * 1024) + KEY);
    let refused = files.write("large", "small").await;
    assert!(
        matches!(refused, Err(WorkspaceError::TooLarge { .. })),
        "{refused:?}"
    );
    assert!(inner.text("large").unwrap().ends_with(KEY));
}

#[tokio::test]
async fn messages_say_none() {
    let inner = Arc::new(RecordingMessenger::default());
    let messenger = redaction().over(inner.clone() as Arc<dyn Messenger>);
    messenger
        .send(&message("plain"), None, false)
        .await
        .unwrap();
    messenger
        .send(&message(&format!("it is {KEY}")), None, false)
        .await
        .unwrap();
    let sent: Vec<Outgoing> = inner.arrived().into_iter().map(|one| one.message).collect();
    assert_eq!(sent[0], message("plain"));
    let plain = Body::text(RichText::plain(format!("it is {GONE}")));
    assert_eq!(sent[1].body, plain);
}

/// Keeps what it is told.
#[derive(Default)]
struct Reports(Mutex<Vec<Report>>);

impl Progress for Reports {
    fn report(&self, report: Report) {
        self.0.lock().unwrap().push(report);
    }
}

#[test]
fn progress_shows_none() {
    let inner = Arc::new(Reports::default());
    let progress = redaction().over(inner.clone() as Arc<dyn Progress>);
    let report = |doing| Report {
        run: "r".into(),
        session: SessionId::new("telegram:1"),
        agent: format!("agent {KEY}"),
        doing,
        step: 1,
        cost: MicroUsd(0),
        started_at: Micros(0),
    };
    progress.report(report(Doing::Thinking {
        said: format!("it is {KEY}, or"),
    }));
    progress.report(report(Doing::Using {
        tool: "run_command".to_owned(),
        what: format!("echo {}", &KEY[..12]),
    }));
    let told = inner.0.lock().unwrap();
    assert_eq!(told[0].agent, format!("agent {GONE}"));
    let said = format!("it is {GONE}, or");
    assert_eq!(told[0].doing, Doing::Thinking { said });
    let using = Doing::Using {
        tool: "run_command".to_owned(),
        what: "echo [secret:…]".to_owned(),
    };
    assert_eq!(told[1].doing, using);
}

#[tokio::test]
async fn the_index_finds_none() -> Result<(), Broken> {
    let inner: Arc<dyn SearchIndex> = Arc::new(MemoryIndex::new());
    let index = redaction().over(inner.clone());
    let segment = index.write("", vec![entry("keys", 0, KEY)]).await?;
    let of = [manifest(&[&segment], &[])];
    let search = |text: &str| Search {
        text: text.to_owned(),
        limit: 10,
    };
    assert_eq!(inner.search(&of, &search(KEY)).await?.len(), 0);
    assert_eq!(index.search(&of, &search("secret")).await?.len(), 1);
    Ok(())
}

#[test]
fn what_becomes_known_later_is_hidden_and_what_goes_is_not() {
    let redaction = redaction();
    let secret = |value: &str| Secret {
        name: "later".to_owned(),
        value: SecretString::from(value.to_owned()),
    };
    redaction.set(
        "file",
        vec![secret("correct horse battery"), secret("short")],
    );
    assert_eq!(redaction.text("correct horse battery"), "[secret:later]");
    assert_eq!(redaction.too_short(), ["later"]);
    redaction.set("file", Vec::new());
    assert_eq!(
        redaction.text("correct horse battery"),
        "correct horse battery"
    );
    assert_eq!(redaction.text(KEY), GONE);
    assert_eq!(format!("{redaction:?}"), "Redaction");
}
