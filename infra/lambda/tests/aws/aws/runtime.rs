//! A Lambda runtime API for one function: hands out an event at a time, takes the answer.

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    process::{Child, Command},
    sync::{mpsc, oneshot},
};

type Answer = Result<Value, String>;

struct Event {
    payload: Value,
    /// In milliseconds of Unix time.
    deadline: u128,
    answer: oneshot::Sender<Answer>,
}

struct Api {
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
}

/// A function's process, and the way to invoke it.
pub struct Lambda {
    process: Child,
    events: mpsc::UnboundedSender<Event>,
}

/// Invokes the function that it came from.
#[derive(Clone)]
pub struct Invoker(mpsc::UnboundedSender<Event>);

impl Lambda {
    /// Starts the program with these variables and no others but those that Lambda sets.
    pub async fn start(program: &str, variables: &[(String, String)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (events, received) = mpsc::unbounded_channel();
        let api = Arc::new(Api {
            events: tokio::sync::Mutex::new(received),
            waiting: Mutex::default(),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{what}", post(answered))
            .with_state(api);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let process = Command::new(program)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "tested")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .envs(variables.iter().cloned())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { process, events }
    }

    pub fn invoker(&self) -> Invoker {
        Invoker(self.events.clone())
    }

    /// One invocation that may take this long. An error is what the function reported.
    pub async fn invoke(&self, payload: Value, time: Duration) -> Answer {
        self.invoker().invoke(payload, time).await
    }

    /// Waits until the process has ended, and answers what it said.
    pub async fn end(&mut self) -> String {
        let mut said = String::new();
        let mut stderr = self.process.stderr.take().unwrap();
        stderr.read_to_string(&mut said).await.unwrap();
        assert!(!self.process.wait().await.unwrap().success());
        said
    }

    /// From now on the process gets this much more memory than it has (bytes), and no more: `RLIMIT_DATA`.
    pub async fn limit_memory(&self, more: u64) {
        let id = self.process.id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let has = status.lines().find_map(|line| line.strip_prefix("VmData:"));
        let has = has.unwrap().trim().trim_end_matches(" kB");
        let limit = has.parse::<u64>().unwrap() * 1024 + more;
        let limited = Command::new("prlimit")
            .args([format!("--pid={id}"), format!("--data={limit}")])
            .status();
        assert!(limited.await.unwrap().success());
    }

    /// A function URL on loopback: what is posted there becomes an event.
    pub async fn behind_a_url(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(forward).with_state(self.invoker());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }
}

impl Invoker {
    pub async fn invoke(&self, payload: Value, time: Duration) -> Answer {
        let (answer, answers) = oneshot::channel();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let deadline = (now + time).as_millis();
        let event = Event {
            payload,
            deadline,
            answer,
        };
        if self.0.send(event).is_err() {
            return Err("the test is over".to_owned());
        }
        answers.await.unwrap_or_else(|_| Err("it ended".to_owned()))
    }
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    let Some(event) = api.events.lock().await.recv().await else {
        return std::future::pending().await;
    };
    let mut waiting = api.waiting.lock().unwrap();
    let id = format!(
        "invocation-{}",
        event.deadline as u64 + waiting.len() as u64
    );
    waiting.insert(id.clone(), event.answer);
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", event.deadline.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:0:function:tested".to_owned(),
        ),
        ("content-type", "application/json".to_owned()),
    ];
    (headers, event.payload.to_string()).into_response()
}

async fn answered(
    State(api): State<Arc<Api>>,
    Path((id, what)): Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    let answer = api.waiting.lock().unwrap().remove(&id);
    let text = String::from_utf8_lossy(&body).into_owned();
    let answer = answer.expect("an answer to an event");
    let _ = answer.send(match what.as_str() {
        "response" => Ok(serde_json::from_str(&text).unwrap()),
        _ => Err(text),
    });
    StatusCode::ACCEPTED
}

/// As a function URL does it: payload format 2.0.
async fn forward(
    State(function): State<Invoker>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let headers: HashMap<String, String> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": uri.path(),
        "rawQueryString": uri.query().unwrap_or_default(),
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous", "apiId": "tested", "domainName": "tested.lambda-url.us-east-1.on.aws", "domainPrefix": "tested",
            "http": {"method": method.as_str(), "path": uri.path(), "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
            "requestId": "r", "routeKey": "$default", "stage": "$default", "time": "", "timeEpoch": 0,
        },
        "body": body,
        "isBase64Encoded": false,
    });
    match function.invoke(event, Duration::from_secs(10)).await {
        Ok(answer) => {
            let code = answer["statusCode"].as_u64().unwrap();
            StatusCode::from_u16(u16::try_from(code).unwrap())
                .unwrap()
                .into_response()
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error).into_response(),
    }
}
