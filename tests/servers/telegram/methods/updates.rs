//! How the bot gets its updates: `getUpdates` and the webhook's settings.

use serde_json::{Value, json};

use crate::servers::telegram::answer::{Answer, ApiError};
use crate::servers::telegram::params::Params;
use crate::servers::telegram::state::State;
use crate::servers::telegram::webhook::Webhook;

/// A `getUpdates` request.
pub(in crate::servers::telegram) struct Poll {
    offset: i64,
    limit: usize,
    /// In seconds.
    pub timeout: u64,
    allowed: Option<Vec<Value>>,
}

impl Poll {
    pub fn read(params: &Params) -> Self {
        Self {
            offset: params.int("offset").unwrap_or(0),
            limit: params
                .int("limit")
                .unwrap_or(100)
                .clamp(1, 100)
                .unsigned_abs() as usize,
            timeout: params
                .int("timeout")
                .unwrap_or(0)
                .clamp(0, 50)
                .unsigned_abs(),
            allowed: params.array("allowed_updates").cloned(),
        }
    }

    /// Confirms what the offset confirms, and ends an earlier poll that still waits. Returns this poll's number.
    ///
    /// # Errors
    /// 409 while a webhook is set.
    pub fn begin(&self, state: &mut State) -> Result<u64, ApiError> {
        if state.push.webhook.is_some() {
            return Err(ApiError::conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            ));
        }
        state.updates.allow(self.allowed.as_ref());
        state.updates.confirm(self.offset);
        state.updates.poll += 1;
        Ok(state.updates.poll)
    }

    /// The updates as a JSON array, where there are any.
    ///
    /// # Errors
    /// 409 where another poll came, or a webhook was set, after poll `mine` began.
    pub fn look(&self, state: &mut State, mine: u64) -> Result<Option<String>, ApiError> {
        if state.push.webhook.is_some() {
            return Err(ApiError::conflict("terminated by setWebhook request"));
        }
        if state.updates.poll != mine {
            return Err(ApiError::conflict(
                "terminated by other getUpdates request; make sure that only one bot instance is running",
            ));
        }
        let now = state.now();
        Ok(state.updates.batch(self.limit, now))
    }
}

pub(super) fn set_webhook(state: &mut State, params: &Params) -> Answer {
    let url = params.text("url").unwrap_or_default();
    if url.is_empty() {
        return delete_webhook(state, params);
    }
    let on_loopback = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"]
        .iter()
        .any(|at| url.starts_with(at));
    if !url.starts_with("https://") && !on_loopback {
        return Err(ApiError::bad(
            "bad webhook: An HTTPS URL must be provided for webhook",
        ));
    }
    let secret = params.text("secret_token").unwrap_or_default();
    if secret.len() > 256 {
        return Err(ApiError::bad("secret token is too long"));
    }
    if !secret
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    {
        return Err(ApiError::bad("secret token contains unallowed characters"));
    }
    state.updates.allow(params.array("allowed_updates"));
    if params.flag("drop_pending_updates") {
        state.updates.clear();
    }
    let max_connections = params
        .int("max_connections")
        .unwrap_or(40)
        .clamp(1, 100)
        .unsigned_abs() as usize;
    let secret = (!secret.is_empty()).then(|| secret.to_owned());
    state
        .push
        .set(Some(Webhook::new(url, secret, max_connections)));
    Ok(json!(true))
}

pub(super) fn delete_webhook(state: &mut State, params: &Params) -> Answer {
    if params.flag("drop_pending_updates") {
        state.updates.clear();
    }
    state.push.set(None);
    Ok(json!(true))
}

pub(super) fn webhook_info(state: &mut State, _: &Params) -> Answer {
    let mut info = json!({
        "url": "", "has_custom_certificate": false, "pending_update_count": state.updates.len(),
    });
    if let Some(webhook) = &state.push.webhook {
        info["url"] = webhook.url.clone().into();
        info["max_connections"] = webhook.max_connections.into();
        if let Some((date, message)) = &webhook.last_error {
            info["last_error_date"] = (*date).into();
            info["last_error_message"] = message.clone().into();
        }
    }
    if !state.updates.allowed.is_empty() {
        info["allowed_updates"] = state.updates.allowed.clone().into();
    }
    Ok(info)
}
