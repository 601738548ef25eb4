//! A team's part of the emulator: a table, a bucket, a queue per lane, the secrets; and the program `countersign` beside it.

use super::runtime::Lambda;
use serde_json::{Map, Value, json};
use std::{
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tempfile::TempDir;
use tests::servers::telegram::FakeTelegram;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

const TABLE: &str = include_str!("../../../../../migrations/dynamodb/table.json");
const LANES: [&str; 7] = [
    "front:telegram",
    "circulate",
    "outage",
    "ingest",
    "send",
    "run",
    "sandbox",
];
static CLOUDS: AtomicU32 = AtomicU32::new(0);

pub struct Cloud {
    aws: Aws,
    table: String,
    variables: Vec<(String, String)>,
    home: TempDir,
}

impl Cloud {
    pub async fn start(tg: &FakeTelegram) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let aws = Aws::of_this_machine();
        let number = CLOUDS.fetch_add(1, Ordering::Relaxed);
        let name = format!("functions-{}-{number}", std::process::id());
        aws.make_table(&name).await;
        aws.make_bucket(&name).await;
        let mut queues = Vec::new();
        for lane in LANES {
            let queue = aws
                .make_queue(&format!("{name}-{}", lane.replace(':', "-")))
                .await;
            queues.push(format!("{lane}={queue}"));
        }
        let dead = aws.make_queue(&format!("{name}-dead")).await;
        let secret = json!({"TELEGRAM_BOT_TOKEN": tg.token(), "COUNTERSIGN_AUDIT_KEY": "0123456789abcdef0123"});
        aws.make_secret(&name, &secret).await;
        let variables = [
            ("AWS_ENDPOINT_URL", aws.endpoint.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("COUNTERSIGN_DATABASE_URL", format!("dynamodb://{name}")),
            ("COUNTERSIGN_BUCKET", name.clone()),
            ("COUNTERSIGN_QUEUES", queues.join(",")),
            ("COUNTERSIGN_DEAD_LETTERS", dead),
            ("COUNTERSIGN_SECRETS", name.clone()),
            ("TELEGRAM_API_URL", tg.url().to_owned()),
            // Nobody listens there.
            ("OLLAMA_HOST", "http://127.0.0.1:9".to_owned()),
        ];
        Self {
            aws,
            table: name,
            variables: variables
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// The same through something in front of the emulator.
    pub fn through(&mut self, endpoint: &str) {
        self.set("AWS_ENDPOINT_URL", endpoint);
    }

    /// Where the emulator itself is.
    pub fn endpoint(&self) -> &str {
        &self.aws.endpoint
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub fn unset(&mut self, name: &str) {
        self.variables.retain(|(set, _)| set != name);
    }

    /// A function's environment.
    pub fn variables(&self, role: &str) -> Vec<(String, String)> {
        let role = ("COUNTERSIGN_ROLE".to_owned(), role.to_owned());
        let named = role.1 != "webhook";
        self.variables
            .iter()
            .cloned()
            .chain(named.then_some(role))
            .collect()
    }

    fn queue(&self, lane: &str) -> String {
        let queues = self
            .variables
            .iter()
            .find(|(name, _)| name == "COUNTERSIGN_QUEUES");
        let mut pairs = queues
            .unwrap()
            .1
            .split(',')
            .filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == lane).unwrap().1.to_owned()
    }

    /// What is in the lane's queue, which is waited for until there is this much.
    pub async fn take(&self, lane: &str, least: usize) -> Vec<Value> {
        let mut taken = Vec::new();
        let queue = self.queue(lane);
        while taken.len() < least {
            taken.extend(self.aws.receive(&queue).await);
        }
        taken
    }

    /// The queue's mapping: invokes the function until the test is over.
    pub fn map(&self, lane: &str, function: &Lambda) {
        let (aws, queue, function) = (self.aws.clone(), self.queue(lane), function.invoker());
        tokio::spawn(async move {
            loop {
                let records = aws.receive(&queue).await;
                let event = json!({"Records": records});
                let invoke = || function.invoke(event.clone(), Duration::from_secs(60));
                // What is given back comes again.
                while !records.is_empty()
                    && let Ok(answer) = invoke().await
                    && !messages_in(&answer).is_empty()
                {}
            }
        });
    }

    /// Writes an item past everybody.
    pub async fn put_item(&self, item: &Value) {
        let put = json!({"TableName": self.table, "Item": item});
        self.aws
            .call("DynamoDB_20120810.PutItem", "dynamodb", &put)
            .await;
    }

    /// The jobs that are a conversation's: lane, and the letter of where each stands in it.
    pub async fn turns(&self) -> Vec<String> {
        let scan = json!({"TableName": self.table, "IndexName": "queue"});
        let found = self
            .aws
            .call("DynamoDB_20120810.Scan", "dynamodb", &scan)
            .await;
        let text = |item: &Value, name: &str| item[name]["S"].as_str().unwrap().to_owned();
        let items = found["Items"].as_array().unwrap().iter();
        let turns = items.map(|item| {
            let (lane, turn) = (text(item, "lane_key"), text(item, "turn"));
            format!("{} {}", lane.trim_start_matches("1/"), &turn[..1])
        });
        let others = ["tick", "outage"];
        turns
            .filter(|turn| !others.iter().any(|lane| turn.starts_with(lane)))
            .collect()
    }

    pub async fn drop_table(&self) {
        let named = json!({"TableName": self.table});
        self.aws
            .call("DynamoDB_20120810.DeleteTable", "dynamodb", &named)
            .await;
    }

    fn program(&self) -> Command {
        let program = std::env::var("COUNTERSIGN_BIN").expect(
            "COUNTERSIGN_BIN names the program, with feature aws: `cargo xtask test` builds it",
        );
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("COUNTERSIGN_HOME", self.home.path())
            .envs(self.variables.iter().cloned())
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// What a command prints.
    pub async fn countersign(&self, words: &[&str]) -> String {
        let done = self.program().args(words).output().await.unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{words:?}: {said}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// `countersign worker` on these lanes, once it is ready.
    pub async fn worker(&self, lanes: &str) -> Child {
        let mut command = self.program();
        command
            .args(["worker", "--lanes", lanes])
            .stdout(Stdio::piped());
        let mut worker = command.spawn().unwrap();
        let mut lines = BufReader::new(worker.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line == "ready" {
                return worker;
            }
        }
        panic!("the worker ended");
    }

    /// How often the workspaces' files `effects` were appended to.
    pub fn effects(&self) -> usize {
        // None before the first session.
        let sessions = std::fs::read_dir(self.home.path().join("workspaces"));
        let sessions = sessions.into_iter().flatten();
        let files = sessions.map(|session| session.unwrap().path().join("effects"));
        files
            .filter_map(|file| std::fs::read_to_string(file).ok())
            .map(|text| text.lines().count())
            .sum()
    }
}

/// Identifiers of the messages that a function gave back.
pub fn messages_in(answer: &Value) -> Vec<String> {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    let id = |failure: &Value| failure["itemIdentifier"].as_str().unwrap().to_owned();
    failures.iter().map(id).collect()
}

/// The emulator, over its wire: what a deployment would make is made by hand.
#[derive(Clone)]
struct Aws {
    endpoint: String,
    http: reqwest::Client,
}

impl Aws {
    fn of_this_machine() -> Self {
        let endpoint = std::env::var("COUNTERSIGN_TEST_AWS")
            .expect("COUNTERSIGN_TEST_AWS names an AWS emulator: `cargo xtask test` starts one");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { endpoint, http }
    }

    /// Nobody checks the signature; the service is told by it.
    fn signed(request: reqwest::RequestBuilder, service: &str) -> reqwest::RequestBuilder {
        let credential = format!("test/20260101/us-east-1/{service}/aws4_request");
        let signature =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        request.header("authorization", signature)
    }

    async fn call(&self, target: &str, service: &str, body: &Value) -> Value {
        let request = self
            .http
            .post(&self.endpoint)
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .body(body.to_string());
        let answer = Self::signed(request, service).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{target}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn make_table(&self, name: &str) {
        let mut definition: Map<String, Value> = serde_json::from_str(TABLE).unwrap();
        definition.remove("TimeToLiveSpecification");
        definition.insert("TableName".to_owned(), name.into());
        let definition = Value::Object(definition);
        self.call("DynamoDB_20120810.CreateTable", "dynamodb", &definition)
            .await;
    }

    async fn make_bucket(&self, name: &str) {
        let request = self.http.put(format!("{}/{name}", self.endpoint));
        let made = Self::signed(request, "s3").send().await.unwrap();
        assert!(made.status().is_success(), "{:?}", made.text().await);
    }

    async fn make_queue(&self, name: &str) -> String {
        let made = self
            .call("AmazonSQS.CreateQueue", "sqs", &json!({"QueueName": name}))
            .await;
        made["QueueUrl"].as_str().unwrap().to_owned()
    }

    async fn make_secret(&self, name: &str, values: &Value) {
        let secret = json!({"Name": name, "SecretString": values.to_string(), "ClientRequestToken": "0123456789abcdef0123456789abcdef"});
        self.call("secretsmanager.CreateSecret", "secretsmanager", &secret)
            .await;
    }

    /// Up to ten messages as a function is handed them; they are taken away.
    async fn receive(&self, queue: &str) -> Vec<Value> {
        let asked = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 5});
        let answer = self.call("AmazonSQS.ReceiveMessage", "sqs", &asked).await;
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        for message in &messages {
            let receipt = json!({"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]});
            self.call("AmazonSQS.DeleteMessage", "sqs", &receipt).await;
        }
        let record = |message: &Value| json!({"messageId": message["MessageId"], "body": message["Body"], "eventSource": "aws:sqs"});
        messages.iter().map(record).collect()
    }
}
