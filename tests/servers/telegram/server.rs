//! The HTTP front: which bot, which method, which fault, and the answer. Long polling waits here, outside the mutex.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State as Extracted};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::answer::{ApiError, ok};
use super::connection::Scissors;
use super::faults::Fault;
use super::methods;
use super::params::{BODY_LIMIT, Params};
use super::state::{RecordedRequest, State};
use super::view;

/// What the server, the webhook's task and the test's handles share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Somebody wrote, tapped, set a webhook or moved the clock: pollers and the webhook look again.
    pub updates_came: Notify,
    /// The bot did something: a test's `wait_for` looks again.
    pub bot_acted: Notify,
    pub stopping: watch::Sender<bool>,
}

impl Shared {
    pub fn new(state: State) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(state),
            updates_came: Notify::new(),
            bot_acted: Notify::new(),
            stopping: watch::Sender::new(false),
        })
    }

    /// A failed test may have panicked inside: the state is still good enough to be dumped.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        view::check_not_looking();
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when the server is told to stop.
    pub async fn stop_asked(&self) {
        let _ = self
            .stopping
            .subscribe()
            .wait_for(|stopping| *stopping)
            .await;
    }
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(shared)
}

async fn answer(
    Extracted(shared): Extracted<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: Request,
) -> Response {
    tokio::select! {
        response = routed(&shared, &scissors, request) => response,
        () = shared.stop_asked() => cut(&scissors),
    }
}

async fn routed(shared: &Shared, scissors: &Scissors, request: Request) -> Response {
    let path = request.uri().path().replace("%3A", ":").replace("%3a", ":");
    if let Some(rest) = path.strip_prefix("/file/bot") {
        return file(shared, rest);
    }
    let Some((token, method)) = path
        .strip_prefix("/bot")
        .and_then(|rest| rest.split_once('/'))
    else {
        return ApiError::new(404, "Not Found").into_response();
    };
    if token != shared.lock().token {
        return ApiError::new(401, "Unauthorized").into_response();
    }
    let Some((name, handler)) = methods::find(method) else {
        return ApiError::new(404, "Not Found").into_response();
    };
    let params = match Params::read(request).await {
        Ok(params) => params,
        Err(error) => return error.into_response(),
    };
    let (fault, record) = admit(shared, name, &params);
    shared.bot_acted.notify_waiters();
    let call = Call {
        shared,
        scissors,
        name,
        handler,
        params,
    };
    let (response, outcome) = call.carry_out(fault).await;
    if let Some(record) = record
        && let Some(request) = shared.lock().requests.get_mut(record)
    {
        request.outcome = Some(outcome);
    }
    shared.bot_acted.notify_waiters();
    response
}

/// Notes the request, and which fault befalls it.
fn admit(shared: &Shared, name: &str, params: &Params) -> (Option<Fault>, Option<usize>) {
    let mut state = shared.lock();
    let fault = state.faults.next(name);
    if !state.recording {
        return (fault, None);
    }
    let mut shown = params.values.clone();
    for part in params.uploads.keys().filter(|part| {
        !params
            .values
            .values()
            .any(|v| attached(v) == Some(part.as_str()))
    }) {
        shown.insert(part.clone(), format!("attach://{part}").into());
    }
    let at = state.started.elapsed();
    state.requests.push(RecordedRequest {
        method: name.into(),
        params: Value::Object(shown),
        at,
        outcome: None,
    });
    (fault, Some(state.requests.len() - 1))
}

/// The multipart part that a parameter's value points to.
pub(super) fn attached(value: &Value) -> Option<&str> {
    value.as_str()?.strip_prefix("attach://")
}

fn cut(scissors: &Scissors) -> Response {
    scissors.cut();
    StatusCode::OK.into_response()
}

/// One call of a method, its parameters read.
struct Call<'a> {
    shared: &'a Shared,
    scissors: &'a Scissors,
    name: &'static str,
    handler: methods::Handler,
    params: Params,
}

impl Call<'_> {
    /// The response, and the word for it in the record.
    async fn carry_out(&self, fault: Option<Fault>) -> (Response, String) {
        if let Some(error) = fault.as_ref().and_then(Fault::error) {
            return refused(error);
        }
        match &fault {
            Some(Fault::BadGateway) => return bad_gateway(),
            Some(Fault::DropBefore) => return (cut(self.scissors), "cut".into()),
            Some(Fault::Delay(time)) => tokio::time::sleep(*time).await,
            Some(Fault::HoldBefore(gate)) => gate.pass().await,
            _ => {}
        }
        let result = match self.name {
            "getUpdates" => self.poll().await,
            _ => {
                (self.handler)(&mut self.shared.lock(), &self.params).map(|value| value.to_string())
            }
        };
        self.wake();
        match &fault {
            Some(Fault::DropAfter) => return (cut(self.scissors), "cut".into()),
            Some(Fault::HoldAfter(gate)) => gate.pass().await,
            _ => {}
        }
        match result {
            Ok(result) => (ok(&result), "ok".into()),
            Err(error) => refused(error),
        }
    }

    fn wake(&self) {
        self.shared.bot_acted.notify_waiters();
        if matches!(self.name, "setWebhook" | "deleteWebhook" | "leaveChat") {
            self.shared.updates_came.notify_waiters();
        }
    }

    async fn poll(&self) -> Result<String, ApiError> {
        let wanted = methods::updates::Poll::read(&self.params);
        let deadline = Instant::now() + Duration::from_secs(wanted.timeout);
        let mine = {
            let mut state = self.shared.lock();
            wanted.begin(&mut state)?
        };
        // An earlier poll that still waits learns of this one.
        self.shared.updates_came.notify_waiters();
        loop {
            let mut came = std::pin::pin!(self.shared.updates_came.notified());
            came.as_mut().enable();
            if let Some(batch) = wanted.look(&mut self.shared.lock(), mine)? {
                return Ok(batch);
            }
            if tokio::time::timeout_at(deadline, came).await.is_err() {
                return Ok("[]".into());
            }
        }
    }
}

fn refused(error: ApiError) -> (Response, String) {
    let outcome = error.description.clone();
    (error.into_response(), outcome)
}

fn bad_gateway() -> (Response, String) {
    let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
    (
        (
            StatusCode::BAD_GATEWAY,
            [(header::CONTENT_TYPE, "text/html")],
            page,
        )
            .into_response(),
        "502 Bad Gateway".into(),
    )
}

/// `rest` is `<token>/<path>`.
fn file(shared: &Shared, rest: &str) -> Response {
    let state = shared.lock();
    let Some(path) = rest
        .strip_prefix(state.token.as_str())
        .and_then(|rest| rest.strip_prefix('/'))
    else {
        return ApiError::new(401, "Unauthorized").into_response();
    };
    match state.files.values().find(|file| file.path == path) {
        Some(file) => file.document.bytes.clone().into_response(),
        None => ApiError::new(404, "Not Found").into_response(),
    }
}
