//! AWS on a bad day: what stands between the functions and the emulator, and decides which requests get through.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::net::TcpListener;

/// Before the name of the process, in the first part of the path.
const OF: &str = "of-";

/// How DynamoDB is; S3, SQS and Secrets Manager are well.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Day {
    Good,
    /// No request is answered by it.
    Gone,
    /// Every other request is refused.
    Throttled,
    /// Of transactions only each third one does not meet another one.
    Storm,
    /// Whoever signs with this key has to renew it.
    Expired(&'static str),
    /// Writing is refused.
    ReadOnly,
}

/// How many requests of each operation who made: process, operation, count.
pub type Counts = BTreeMap<(String, String), usize>;

#[derive(Clone)]
pub struct Gate {
    address: String,
    upstream: String,
    http: reqwest::Client,
    counts: Arc<Mutex<Counts>>,
    day: Arc<Mutex<Day>>,
    seen: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl Gate {
    /// It ends with the test.
    pub async fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            upstream: upstream.to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            counts: Arc::default(),
            day: Arc::new(Mutex::new(Day::Good)),
            seen: Arc::default(),
            refused: Arc::default(),
        };
        let router = Router::new().fallback(pass).with_state(gate.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        gate
    }

    /// Where this process finds AWS.
    pub fn endpoint(&self, of: &str) -> String {
        format!("{}/{OF}{of}", self.address)
    }

    /// Requests to DynamoDB since the last time that this was asked.
    pub fn take_counts(&self) -> Counts {
        std::mem::take(&mut *self.counts.lock().unwrap())
    }

    pub fn is(&self, day: Day) {
        *self.day.lock().unwrap() = day;
    }

    /// Requests that did not get through so far.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    fn verdict(&self, of: &str, headers: &HeaderMap) -> Option<Response> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let operation = text("x-amz-target")?.strip_prefix("DynamoDB_20120810.")?;
        let whose = (of.to_owned(), operation.to_owned());
        *self.counts.lock().unwrap().entry(whose).or_default() += 1;
        let day = *self.day.lock().unwrap();
        let writes = [
            "TransactWriteItems",
            "PutItem",
            "UpdateItem",
            "BatchWriteItem",
        ];
        let each = |nth| self.seen.fetch_add(1, Ordering::SeqCst) % nth == nth - 1;
        match day {
            Day::Gone => Some(StatusCode::SERVICE_UNAVAILABLE.into_response()),
            Day::Throttled if !each(2) => Some(error("ThrottlingException", "")),
            Day::Storm if operation == "TransactWriteItems" && !each(3) => Some(error(
                "TransactionCanceledException",
                ",\"CancellationReasons\":[{\"Code\":\"TransactionConflict\"}]",
            )),
            Day::Expired(key) if text("authorization")?.contains(&format!("{key}/")) => {
                Some(error("ExpiredTokenException", ""))
            }
            Day::ReadOnly if writes.contains(&operation) => {
                Some(error("AccessDeniedException", ""))
            }
            _ => None,
        }
    }
}

async fn pass(
    State(gate): State<Gate>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.to_string();
    let (of, path) = path
        .strip_prefix(&format!("/{OF}"))
        .and_then(|path| path.split_at_checked(path.find('/')?))
        .unwrap();
    if let Some(refusal) = gate.verdict(of, &headers) {
        gate.refused.fetch_add(1, Ordering::SeqCst);
        return refusal;
    }
    let url = format!("{}{path}", gate.upstream);
    let request = gate.http.request(method, url).headers(headers).body(body);
    let Ok(answer) = request.send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove("transfer-encoding");
    (status, headers, answer.bytes().await.unwrap_or_default()).into_response()
}

/// An error of DynamoDB's, with what it has besides.
fn error(name: &str, more: &str) -> Response {
    let body = format!(
        "{{\"__type\":\"com.amazonaws.dynamodb.v20120810#{name}\",\"message\":\"as ordered\"{more}}}"
    );
    let json = [("content-type", "application/x-amz-json-1.0")];
    (StatusCode::BAD_REQUEST, json, body).into_response()
}
