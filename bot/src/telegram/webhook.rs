//! The webhook: Telegram pushes each update. It is stored first and acknowledged then; only who knows the secret is heard.

use super::{
    api::{Api, ApiError},
    parse::incoming,
    payload::allowed_updates,
};
use crate::inbox::Inbox;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde::Deserialize;
use std::sync::Arc;
use teloxide::payloads::{self, SetWebhookSetters};
use url::Url;

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// In bytes. An update holds texts, never files.
const BODY_LIMIT: usize = 1024 * 1024;

/// What the front door needs to know.
#[derive(Clone)]
pub struct Webhook {
    pub inbox: Arc<dyn Inbox>,
    pub bot_id: String,
    /// 1 to 256 of `A-Z a-z 0-9 _ -`. With an empty one nobody is heard.
    pub secret: String,
}

/// How updates are pushed, as Telegram has it.
#[derive(Clone, PartialEq, Eq, Deserialize, Debug)]
pub struct WebhookInfo {
    /// Empty when nothing is pushed.
    pub url: String,
    pub pending_update_count: u64,
    /// Of the latest attempt that failed, in seconds of Unix time.
    #[serde(default)]
    pub last_error_date: Option<i64>,
    #[serde(default)]
    pub last_error_message: Option<String>,
}

/// `POST /telegram/<path>`.
pub fn webhook(path: &str, webhook: Webhook) -> Router {
    Router::new()
        .route(&format!("/telegram/{path}"), post(receive))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(webhook)
}

async fn receive(State(webhook): State<Webhook>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let given = headers
        .get(SECRET_HEADER)
        .map_or(&b""[..], |value| value.as_bytes());
    if webhook.secret.is_empty() || !same(given, webhook.secret.as_bytes()) {
        return StatusCode::UNAUTHORIZED;
    }
    let Some(update) = std::str::from_utf8(&body)
        .ok()
        .and_then(|raw| incoming(raw, &webhook.bot_id))
    else {
        // It came from Telegram, and would come again and again, before everything that waits behind it.
        tracing::warn!(bytes = body.len(), "an update that is none was passed over");
        return StatusCode::OK;
    };
    match webhook.inbox.store(&[update]).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            tracing::error!(%error, "a received update could not be stored; Telegram will send it again");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Takes the same time wherever the first difference is.
fn same(given: &[u8], wanted: &[u8]) -> bool {
    let differences = given
        .iter()
        .zip(wanted)
        .fold(0, |differences, (a, b)| differences | (a ^ b));
    given.len() == wanted.len() && differences == 0
}

impl Api {
    /// Has updates pushed to `url` from now on.
    ///
    /// # Errors
    /// [`ApiError`], such as a URL that is not HTTPS.
    pub async fn set_webhook(&self, url: Url, secret: &str) -> Result<(), ApiError> {
        // The payload's certificate is an optional file, left out; without it the rest is plain JSON.
        let payload = payloads::SetWebhook::new(url)
            .secret_token(secret)
            .allowed_updates(allowed_updates())
            .max_connections(40);
        self.call::<_, bool>(&payload).await.map(|_| ())
    }

    /// Has nothing pushed any more; what waits is kept.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn delete_webhook(&self) -> Result<(), ApiError> {
        let payload = payloads::DeleteWebhook::new();
        self.call::<_, bool>(&payload).await.map(|_| ())
    }

    /// # Errors
    /// [`ApiError`].
    pub async fn webhook_info(&self) -> Result<WebhookInfo, ApiError> {
        self.call(&payloads::GetWebhookInfo::new()).await
    }
}
