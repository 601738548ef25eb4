//! AWS on a bad day: what stands between the functions and the emulator, and decides which requests get through.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::net::TcpListener;

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

#[derive(Clone)]
pub struct Gate {
    upstream: String,
    http: reqwest::Client,
    day: Arc<Mutex<Day>>,
    seen: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl Gate {
    /// Its address, and the gate. It ends with the test.
    pub async fn before(upstream: &str) -> (String, Self) {
        let gate = Self {
            upstream: upstream.to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            day: Arc::new(Mutex::new(Day::Good)),
            seen: Arc::default(),
            refused: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(gate.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (address, gate)
    }

    pub fn is(&self, day: Day) {
        *self.day.lock().unwrap() = day;
    }

    /// Requests that did not get through so far.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    fn verdict(&self, headers: &HeaderMap) -> Option<Response> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let operation = text("x-amz-target")?.strip_prefix("DynamoDB_20120810.")?;
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
    if let Some(refusal) = gate.verdict(&headers) {
        gate.refused.fetch_add(1, Ordering::SeqCst);
        return refusal;
    }
    let url = format!("{}{uri}", gate.upstream);
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
