//! Functions on an AWS that is a process: the template deployed with `cargo xtask deploy-local`, one deployment for each test, and a
//! worker for the lane `sandbox` beside it. The conversations that a local process passes are held here too (`in_each_home!`);
//! those in this file are about what only functions have.

use super::{Home, Team};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tests::servers::{
    model::{Dialect, Gate, Reply, Script},
    telegram::{FakeTelegram, PushStyle},
};

/// A deployment; it ends with the value, also when the test is killed.
pub struct Cloud {
    deployment: Child,
    /// Its end is the sign to stop.
    stdin: Option<ChildStdin>,
    /// Open for what it says at its end.
    _stdout: BufReader<ChildStdout>,
    /// What `deploy-local` says about it.
    report: Value,
    /// A process that makes requests for us: AWS's own library, without building it.
    calls: Mutex<(Child, ChildStdin, BufReader<ChildStdout>)>,
}

fn calls(report: &Value) -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
    let mut process = Command::new(report["python"].as_str().unwrap())
        .arg(Path::new(&package).join("aws/call.py"))
        .env_clear()
        .envs(variables(report, "operator"))
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let requests = process.stdin.take().unwrap();
    let answers = BufReader::new(process.stdout.take().unwrap());
    (process, requests, answers)
}

fn variables(report: &Value, of: &str) -> Vec<(String, String)> {
    let variables = report[of].as_object().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    variables
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

impl Cloud {
    /// These variables are in the functions' environment.
    pub async fn deploy(tg: &FakeTelegram, variables: &[(&str, &str)]) -> Self {
        let xtask = std::env::var_os("COUNTERSIGN_TEST_DEPLOY")
            .expect("COUNTERSIGN_TEST_DEPLOY names no xtask: `cargo xtask test` says where it is");
        let program = super::program::binary();
        let mut command = Command::new(xtask);
        command
            .args([
                "deploy-local",
                "--telegram",
                tg.url(),
                "--token",
                tg.token(),
            ])
            .arg("--built")
            .arg(program.parent().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        for (name, value) in variables {
            command.arg("--set").arg(format!("{name}={value}"));
        }
        tokio::task::spawn_blocking(move || Self::ready(command))
            .await
            .unwrap()
    }

    fn ready(mut command: Command) -> Self {
        let mut deployment = command.spawn().unwrap();
        let stdin = deployment.stdin.take();
        let mut output = BufReader::new(deployment.stdout.take().unwrap());
        let mut said = String::new();
        let mut lines = output.by_ref().lines().map_while(Result::ok);
        let report = lines.find_map(|line| {
            said.push_str(&line);
            said.push('\n');
            line.strip_prefix("ready ").map(str::to_owned)
        });
        let Some(report) = report else {
            let ended = deployment.wait();
            panic!("deploy-local did not get ready ({ended:?}):\n{said}");
        };
        let report = serde_json::from_str(&report).unwrap();
        Self {
            deployment,
            stdin,
            _stdout: output,
            calls: Mutex::new(calls(&report)),
            report,
        }
    }

    /// The variables of a `worker` or of the `operator`.
    pub fn environment(&self, of: &str) -> Vec<(String, String)> {
        variables(&self.report, of)
    }

    fn output(&self, name: &str) -> &str {
        self.report["outputs"][name].as_str().unwrap()
    }

    /// One request to AWS, with everybody's rights.
    pub fn call(&self, service: &str, operation: &str, arguments: &Value) -> Value {
        let answer = self.try_call(service, operation, arguments);
        answer.unwrap_or_else(|failed| panic!("{failed}"))
    }

    fn try_call(&self, service: &str, operation: &str, arguments: &Value) -> Result<Value, String> {
        // After a failure of the test its log is still wanted.
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, requests, answers) = &mut *calls;
        writeln!(requests, "{}", json!([service, operation, arguments])).unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        match answer["failed"].as_str() {
            Some(failed) => Err(failed.to_owned()),
            None => Ok(answer["done"].take()),
        }
    }

    /// `kill -9` of the processes that are this function at this moment.
    pub fn kill(&self, function: &str) {
        assert!(self.end(function), "{function} has a process");
    }

    /// The same, whether there are any or not.
    pub fn end(&self, function: &str) -> bool {
        self.signal(function, "KILL")
    }

    fn signal(&self, function: &str, signal: &str) -> bool {
        let operator = self.environment("operator");
        let endpoint = operator.iter().find(|(name, _)| name == "AWS_ENDPOINT_URL");
        let marks = [
            format!("AWS_LAMBDA_FUNCTION_NAME={}", self.physical(function)),
            format!("AWS_ENDPOINT_URL={}", endpoint.unwrap().1),
        ];
        let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let ours = processes.filter(|process| {
            let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
            let has = |mark: &String| {
                environment
                    .split(|b| *b == 0)
                    .any(|it| it == mark.as_bytes())
            };
            marks.iter().all(has)
        });
        let ids: Vec<String> = ours
            .map(|process| process.file_name().to_string_lossy().into_owned())
            .collect();
        if ids.is_empty() {
            return false;
        }
        let sent = Command::new("kill")
            .args(["-s", signal])
            .args(&ids)
            .status();
        sent.unwrap().success()
    }

    /// The name that a resource of the template got.
    pub fn physical(&self, resource: &str) -> String {
        let which = json!({"StackName": self.report["stack"], "LogicalResourceId": resource});
        let found = self.call("cloudformation", "describe_stack_resource", &which);
        let name = found["StackResourceDetail"]["PhysicalResourceId"].as_str();
        name.unwrap().to_owned()
    }

    /// Starts a function as its queue or its schedule does; false when it fails. One that is at work, and alone by its reservation,
    /// is let work.
    pub fn invoke(&self, function: &str) -> bool {
        let event = json!({"FunctionName": self.physical(function), "Payload": "{}"});
        match self.try_call("lambda", "invoke", &event) {
            Ok(answer) => answer["FunctionError"] == Value::Null,
            Err(failed) => failed.contains("TooManyRequests"),
        }
    }

    /// A function's clock is so many seconds ahead from now on; `file` says it to the function.
    pub fn set_clock(&self, function: &str, file: &Path, seconds: u32) {
        std::fs::write(file, seconds.to_string()).unwrap();
        let function = self.physical(function);
        let asked = json!({"FunctionName": function});
        let found = self.call("lambda", "get_function_configuration", &asked);
        let mut variables = found["Environment"]["Variables"].clone();
        variables["COUNTERSIGN_CRASH_CLOCK"] = file.to_str().unwrap().into();
        let changed = json!({"FunctionName": function, "Environment": {"Variables": variables}});
        self.call("lambda", "update_function_configuration", &changed);
    }

    /// Gives each queue's message once more.
    fn wake_again(&self) {
        for queue in [
            "UpdateQueue",
            "SendQueue",
            "RunQueue",
            "CirculateQueue",
            "SandboxQueue",
        ] {
            let message = json!({"QueueUrl": self.physical(queue), "MessageBody": "once more"});
            self.call("sqs", "send_message", &message);
        }
    }

    /// What the functions logged: milliseconds, the stream with the function's name, the line.
    pub fn log(&self) -> String {
        let mut asked = json!({"logGroupName": self.output("LogGroup")});
        let mut log = String::new();
        loop {
            let page = self.call("logs", "filter_log_events", &asked);
            for event in page["events"].as_array().into_iter().flatten() {
                let text = |name: &str| event[name].as_str().unwrap_or_default().trim_end();
                let (stream, message) = (text("logStreamName"), text("message"));
                log.push_str(&format!("{} {stream} {message}\n", event["timestamp"]));
            }
            match &page["nextToken"] {
                Value::Null => return log,
                next => asked["nextToken"] = next.clone(),
            }
        }
    }

    /// No function ever panicked, and none was refused what it needs.
    pub fn assert_well(&self) {
        let log = self.log();
        let bad = ["panicked", "AccessDenied", "may not do that"];
        let found = log
            .lines()
            .find(|line| bad.iter().any(|word| line.contains(word)));
        assert_eq!(found, None, "{log}");
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let table = self.physical("Table");
            let queue = json!({"TableName": table, "IndexName": "queue"});
            let jobs = self.call("dynamodb", "scan", &queue);
            let log = self.log();
            eprintln!(
                "--- the functions' log\n{log}\n--- jobs\n{:#}",
                jobs["Items"]
            );
        }
        let calls = self.calls.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (calls, ..) = calls;
        calls.kill().unwrap();
        calls.wait().unwrap();
        drop(self.stdin.take());
        let _ = self.deployment.wait();
    }
}

#[tokio::test]
async fn a_card_expires_by_the_tick() {
    // The shortest time that can be configured.
    let team = Team::in_home(Home::Cloud, &[("COUNTERSIGN_APPROVAL_S", "60")]).await;
    team.ann.send("run: touch effects");
    let card = team.ann.wait_for_button("Approve").await;
    let expired = team
        .ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Expired"))
        .await;
    assert!(expired.buttons().is_empty());
    team.ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("nobody decided in time"))
        .await;
    assert_eq!(team.program.workspace_file("effects"), None);
    team.assert_well();
}

/// Nothing in the process gets to do anything any more: Lambda ends it at its time-out, its lease runs out, the tick wakes another one.
#[tokio::test]
async fn a_step_whose_function_hangs_is_done_by_another_one() {
    let gate = Gate::new();
    let (held, count) = (gate.clone(), AtomicUsize::new(0));
    let script = Script::answering(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::text("lost").held_by(&held),
        _ => Reply::text("Here is the answer."),
    });
    let (team, model) = Team::in_home_with_model(Home::Cloud, Dialect::Anthropic, script).await;
    let cloud = team.cloud.as_ref().unwrap();
    let short = json!({"FunctionName": cloud.physical("RunFunction"), "Timeout": 20});
    cloud.call("lambda", "update_function_configuration", &short);
    team.ann.send("Hello?");
    model.wait_for_requests(1).await;
    assert!(cloud.signal("RunFunction", "STOP"));
    gate.open();
    team.ann.wait_for_text("Here is the answer.").await;
    let answers = team.ann.messages();
    let answers = answers
        .iter()
        .filter(|m| m.text.contains("Here is the answer."));
    assert_eq!((answers.count(), model.requests().len()), (1, 2));
}

#[tokio::test]
async fn what_a_queue_delivers_again_changes_nothing() {
    let team = Team::in_home(Home::Cloud, &[]).await;
    // Telegram repeats itself as well.
    team.tg.push_style(PushStyle {
        copies: 2,
        ..PushStyle::default()
    });
    let cloud = team.cloud.as_ref().unwrap();
    team.ann.send("run: echo once >> effects");
    cloud.wake_again();
    let card = team.ann.wait_for_button("Approve").await;
    cloud.wake_again();
    team.ann.tap(card.id, "Approve");
    cloud.wake_again();
    let answer = team
        .ann
        .wait_for_message(|m| m.is_bots() && m.id > card.id && m.text.contains("once >> effects"))
        .await;
    cloud.wake_again();
    team.ask("run: echo all is well", "all is well").await;
    let answers = team.ann.messages();
    let answers = answers.iter().filter(|m| m.text == answer.text).count();
    assert_eq!((team.effects(), answers), (1, 1));
    team.assert_well();
}
