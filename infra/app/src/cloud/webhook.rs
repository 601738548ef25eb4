//! The front door: an update is stored, the function that handles it is woken, and only then Telegram hears that it arrived.

use super::{configured, ground, without_token};
use crate::{
    compose::{
        BadStart,
        door::Door,
        surfaces::{self, StoredInbox},
    },
    redacted::Redaction,
};
use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
};
use std::sync::Arc;

/// The webhook's page. Its answer waits for the wake-up, because the process is frozen after it.
///
/// # Errors
/// [`BadStart`] when the configuration is wrong, or what it names cannot be had.
pub async fn webhook() -> Result<Router, BadStart> {
    let config = configured(&Redaction::default()).await?;
    let (Some(api), Some(door)) = (surfaces::telegram(&config), Door::of(&config)) else {
        return Err(without_token());
    };
    config.redaction.set("webhook", door.secrets());
    let ground = ground(config, "").await?;
    let inbox = Arc::new(StoredInbox(ground.home));
    let wake = ground.wake;
    let flushed = from_fn(move |request: Request, next: Next| {
        let wake = wake.clone();
        async move {
            let answer = next.run(request).await;
            wake.sent().await;
            answer
        }
    });
    Ok(door.router(&api, inbox).layer(flushed))
}
