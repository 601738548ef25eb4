//! The server: routes, keys, records, and the way of a reply onto the wire.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{
    anthropic,
    asked::{Asked, Dialect},
    cache::{Cache, Counted},
    check, openai,
    script::{Reply, Script},
};

/// Ends with its last handle.
pub struct FakeModel {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    script: Script,
    key: Option<String>,
    recorded: Mutex<Vec<Recorded>>,
    arrived: watch::Sender<usize>,
    cache: Mutex<Cache>,
}

/// A request for a reply, as it arrived; those with a wrong key too.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub dialect: Dialect,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Recorded {
    /// # Errors
    /// When it is not JSON.
    pub fn json(&self) -> serde_json::Result<Value> {
        serde_json::from_slice(&self.body)
    }
}

/// What both lists name.
pub const MODELS: [&str; 2] = ["fake-large", "fake-small"];

impl FakeModel {
    /// Takes any key, or none.
    ///
    /// # Errors
    /// When loopback has no free port.
    pub async fn start(script: Script) -> io::Result<Self> {
        Self::start_with(script, None).await
    }

    /// Refuses any other key with status 401, and tells the key in the error as careless servers do.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with_key(script: Script, key: &str) -> io::Result<Self> {
        Self::start_with(script, Some(key.to_owned())).await
    }

    async fn start_with(script: Script, key: Option<String>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            script,
            key,
            recorded: Mutex::default(),
            arrived: watch::Sender::new(0),
            cache: Mutex::default(),
        });
        let router = Router::new()
            .route("/v1/messages", post(messages))
            .route("/v1/chat/completions", post(chat_completions))
            .route("/v1/models", get(models))
            .route("/api/tags", get(tags))
            .with_state(Arc::clone(&shared));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            // It never ends by itself, and without it every test fails at once.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            shared,
            server,
        })
    }

    /// The base URL, without the version.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests for a reply so far, in order.
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.shared.recorded).clone()
    }

    /// Waits until `count` requests for a reply have arrived in all.
    pub async fn wait_for_requests(&self, count: usize) {
        let mut arrived = self.shared.arrived.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        let _ = arrived.wait_for(|arrived| *arrived >= count).await;
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn messages(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&shared, Dialect::Anthropic, headers, body).await
}

async fn chat_completions(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&shared, Dialect::OpenAi, headers, body).await
}

async fn models(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let dialect = if headers.contains_key("anthropic-version") {
        Dialect::Anthropic
    } else {
        Dialect::OpenAi
    };
    if let Some(refusal) = wrong_key(&shared, dialect, &headers) {
        return refusal;
    }
    Json(json!({"object": "list", "data": MODELS.map(|id| json!({"id": id}))})).into_response()
}

async fn tags() -> Response {
    Json(json!({"models": MODELS.map(|name| json!({"name": name}))})).into_response()
}

async fn answer(shared: &Shared, dialect: Dialect, headers: HeaderMap, body: Bytes) -> Response {
    {
        let mut recorded = lock(&shared.recorded);
        recorded.push(Recorded {
            dialect,
            headers: headers.clone(),
            body: body.clone(),
        });
        shared.arrived.send_replace(recorded.len());
    }
    if let Some(refusal) = wrong_key(shared, dialect, &headers) {
        return refusal;
    }
    let Ok(parsed) = serde_json::from_slice::<Value>(&body) else {
        return error(dialect, 400, "the body is not JSON");
    };
    if dialect == Dialect::Anthropic && !headers.contains_key("anthropic-version") {
        return error(dialect, 400, "anthropic-version: header is required");
    }
    if let Some(complaint) = check::complaint(dialect, &parsed) {
        return error(dialect, 400, &complaint);
    }
    let asked = Asked::parse(dialect, parsed);
    let reply = shared.script.reply_to(&asked);
    if let Some(gate) = &reply.gate {
        gate.opened().await;
    }
    let counted = lock(&shared.cache).count(&asked);
    written(&asked, &reply, counted)
}

fn wrong_key(shared: &Shared, dialect: Dialect, headers: &HeaderMap) -> Option<Response> {
    let wanted = shared.key.as_deref()?;
    let header = match dialect {
        Dialect::Anthropic => headers.get("x-api-key"),
        Dialect::OpenAi => headers.get(header::AUTHORIZATION),
    };
    let given = header
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let given = given.strip_prefix("Bearer ").unwrap_or(given);
    (given != wanted).then(|| error(dialect, 401, &format!("invalid API key: {given}")))
}

fn error(dialect: Dialect, status: u16, message: &str) -> Response {
    let body = match dialect {
        Dialect::Anthropic => anthropic::error(status, message),
        Dialect::OpenAi => openai::error(status, message),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_IMPLEMENTED);
    (status, Json(body)).into_response()
}

fn written(asked: &Asked, reply: &Reply, counted: Counted) -> Response {
    if let Some(status) = reply.status {
        let mut response = error(asked.dialect, status, &reply.error);
        let after = reply
            .retry_after
            .as_deref()
            .and_then(|after| after.parse().ok());
        if let Some(after) = after {
            response.headers_mut().insert(header::RETRY_AFTER, after);
        }
        return response;
    }
    if asked.body["stream"] != true || reply.flaws.unstreamed {
        return Json(match asked.dialect {
            Dialect::Anthropic => anthropic::whole(asked, reply, counted),
            Dialect::OpenAi => openai::whole(asked, reply, counted),
        })
        .into_response();
    }
    let (events, failure): (Vec<String>, fn(&str) -> String) = match asked.dialect {
        Dialect::Anthropic => (
            anthropic::events(asked, reply, counted),
            anthropic::error_event,
        ),
        Dialect::OpenAi => (openai::events(asked, reply, counted), openai::error_event),
    };
    (
        [(header::CONTENT_TYPE, "text/event-stream")],
        streamed(events, failure, reply),
    )
        .into_response()
}

/// The events in two halves, with whatever the script does between them.
fn streamed(mut events: Vec<String>, failure: fn(&str) -> String, reply: &Reply) -> Body {
    if reply.flaws.garbage {
        return Body::from("data: <html>not what you expect</html>\n\n");
    }
    let mut second = events.split_off(events.len() / 2);
    if let Some(kind) = &reply.flaws.error_kind {
        second = vec![failure(kind)];
    }
    if reply.flaws.short || reply.flaws.cut {
        second.clear();
    }
    let pieces = |events: Vec<String>| match reply.flaws.piece_bytes {
        Some(size) => events
            .concat()
            .as_bytes()
            .chunks(size)
            .map(Bytes::copy_from_slice)
            .collect(),
        None => events.into_iter().map(Bytes::from).collect::<Vec<_>>(),
    };
    let (first, second) = (pieces(events), pieces(second));
    let pause = reply.pause.clone();
    let cut = reply
        .flaws
        .cut
        .then(|| Err(io::Error::other("the script cuts the connection")));
    let between = stream::once(async move {
        if let Some(gate) = pause {
            gate.opened().await;
        }
        Ok(Bytes::new())
    });
    Body::from_stream(
        stream::iter(first)
            .map(Ok)
            .chain(between)
            .chain(stream::iter(second).map(Ok))
            .chain(stream::iter(cut))
            .then(|piece| async {
                // So that each piece is sent by itself.
                tokio::task::yield_now().await;
                piece
            }),
    )
}

pub(super) fn output_tokens(reply: &Reply) -> usize {
    let calls: usize = reply
        .calls
        .iter()
        .map(|(name, arguments)| name.len() + arguments.len())
        .sum();
    (reply.text.len() + calls).div_ceil(4)
}

/// A text in two parts, to be put together again.
pub(super) fn halves(text: &str) -> [String; 2] {
    let at = domain::content::prefix(text, text.len() / 2).len();
    let (first, second) = text.split_at(at);
    [first.to_owned(), second.to_owned()]
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
