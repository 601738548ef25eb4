//! Pushing updates to a webhook: in order per lane, lanes side by side, again after a failure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::server::Shared;
use super::state::State;
use super::updates::Lane;

/// Delays stop doubling here.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// A `Retry-After` is honoured up to this.
const LONGEST_RETRY_AFTER: u64 = 3600;
const SECRET_HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";

/// How updates are pushed; a test may ask for worse than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PushStyle {
    /// How often an update is delivered although it was acknowledged; 1 is usual.
    pub copies: usize,
    /// One at a time, the newest waiting one first, instead of in order. Together with
    /// [`super::FakeTelegram::hold_updates`] a test gets a batch in reverse.
    pub newest_first: bool,
    /// The delay before the third attempt; the second follows the first at once, later delays double.
    pub backoff: Duration,
}

impl Default for PushStyle {
    fn default() -> Self {
        Self {
            copies: 1,
            newest_first: false,
            backoff: Duration::from_secs(1),
        }
    }
}

/// One attempt to deliver an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAttempt {
    pub update_id: i64,
    /// The HTTP status; `None` where there was no answer.
    pub status: Option<u16>,
    /// Until it was answered.
    pub took: Duration,
}

#[derive(Default)]
pub(super) struct Push {
    pub webhook: Option<Webhook>,
    pub style: PushStyle,
    pub attempts: Vec<DeliveryAttempt>,
    /// Counts `setWebhook` and `deleteWebhook`: a delivery begun under an earlier one changes nothing.
    generation: u64,
}

impl Push {
    pub fn set(&mut self, webhook: Option<Webhook>) {
        self.generation += 1;
        self.webhook = webhook;
    }
}

pub(super) struct Webhook {
    pub url: String,
    secret: Option<String>,
    pub max_connections: usize,
    /// When (seconds since 1970) and what.
    pub last_error: Option<(i64, String)>,
    lanes: BTreeMap<Lane, LaneState>,
}

/// A lane whose oldest update is on its way or waits for another attempt.
#[derive(Default)]
struct LaneState {
    under_way: bool,
    failures: u32,
    not_before: Option<Instant>,
}

impl Webhook {
    pub fn new(url: &str, secret: Option<String>, max_connections: usize) -> Self {
        Self {
            url: url.to_owned(),
            secret,
            max_connections,
            last_error: None,
            lanes: BTreeMap::new(),
        }
    }

    fn under_way(&self) -> usize {
        self.lanes.values().filter(|lane| lane.under_way).count()
    }
}

/// An update on its way.
struct Delivery {
    update_id: i64,
    lane: Lane,
    generation: u64,
    url: String,
    secret: Option<String>,
    body: String,
    copies: usize,
}

/// Runs until the server stops.
pub(super) async fn run(shared: Arc<Shared>) {
    // Another part of the test may have chosen a provider already; any will do, since only loopback is spoken to.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Ok(client) = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(60))
        .build()
    else {
        return;
    };
    let work = async {
        loop {
            let mut came = std::pin::pin!(shared.updates_came.notified());
            came.as_mut().enable();
            let (due, wake) = due(&mut shared.lock(), Instant::now());
            for delivery in due {
                tokio::spawn(deliver(shared.clone(), client.clone(), delivery));
            }
            match wake {
                Some(at) => drop(tokio::time::timeout_at(at, came).await),
                None => came.await,
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = shared.stop_asked() => {}
    }
}

/// What is to be sent now, and when to look again.
fn due(state: &mut State, now: Instant) -> (Vec<Delivery>, Option<Instant>) {
    let clock = state.now();
    state.updates.drop_expired(clock);
    let heads = match state.push.style.newest_first {
        true => state
            .updates
            .newest()
            .map(|id| (id, Lane::Everything))
            .into_iter()
            .collect(),
        false => state.updates.heads(),
    };
    let (generation, copies) = (state.push.generation, state.push.style.copies);
    let Some(webhook) = state.push.webhook.as_mut().filter(|_| !state.updates.held) else {
        return (Vec::new(), None);
    };
    let mut due = Vec::new();
    let mut wake: Option<Instant> = None;
    for (update_id, lane) in heads {
        if webhook.under_way() >= webhook.max_connections {
            break;
        }
        let status = webhook.lanes.entry(lane).or_default();
        if status.under_way {
            continue;
        }
        if let Some(at) = status.not_before.filter(|at| *at > now) {
            wake = Some(wake.map_or(at, |earlier| earlier.min(at)));
            continue;
        }
        let Some(pending) = state.updates.get(update_id) else {
            continue;
        };
        status.under_way = true;
        let (url, secret, body) = (
            webhook.url.clone(),
            webhook.secret.clone(),
            pending.body.clone(),
        );
        due.push(Delivery {
            update_id,
            lane,
            generation,
            url,
            secret,
            body,
            copies,
        });
    }
    (due, wake)
}

async fn deliver(shared: Arc<Shared>, client: reqwest::Client, delivery: Delivery) {
    let mut last = Err(None);
    for _ in 0..delivery.copies.max(1) {
        let begun = Instant::now();
        last = post(&client, &delivery).await;
        let status = last.as_ref().map_or_else(
            |failure| failure.as_ref().map(|f| f.status),
            |status| Some(*status),
        );
        let attempt = DeliveryAttempt {
            update_id: delivery.update_id,
            status,
            took: begun.elapsed(),
        };
        shared.lock().push.attempts.push(attempt);
        if last.is_err() {
            break;
        }
    }
    settle(&mut shared.lock(), &delivery, last);
    shared.bot_acted.notify_waiters();
    shared.updates_came.notify_waiters();
}

/// An answer that doesn't acknowledge.
struct Refusal {
    status: u16,
    /// In seconds.
    retry_after: Option<u64>,
}

/// The status of an acknowledgement; else the refusal, if anything was answered at all.
async fn post(client: &reqwest::Client, delivery: &Delivery) -> Result<u16, Option<Refusal>> {
    let mut request = client
        .post(&delivery.url)
        .header("Content-Type", "application/json")
        .body(delivery.body.clone());
    if let Some(secret) = &delivery.secret {
        request = request.header(SECRET_HEADER, secret);
    }
    let response = request.send().await.map_err(|_| None)?;
    let status = response.status();
    if status.is_success() {
        return Ok(status.as_u16());
    }
    let retry_after = response
        .headers()
        .get("Retry-After")
        .and_then(|value| value.to_str().ok()?.parse().ok());
    Err(Some(Refusal {
        status: status.as_u16(),
        retry_after,
    }))
}

fn settle(state: &mut State, delivery: &Delivery, result: Result<u16, Option<Refusal>>) {
    if state.push.generation != delivery.generation {
        return;
    }
    let (now, backoff) = (state.now(), state.push.style.backoff);
    let Some(webhook) = state.push.webhook.as_mut() else {
        return;
    };
    let refusal = match result {
        Ok(_) => {
            webhook.lanes.remove(&delivery.lane);
            state.updates.remove(delivery.update_id);
            return;
        }
        Err(refusal) => refusal,
    };
    let lane = webhook.lanes.entry(delivery.lane).or_default();
    lane.under_way = false;
    lane.failures += 1;
    let doubled = match lane.failures {
        1 => Duration::ZERO,
        failures => backoff
            .saturating_mul(2u32.saturating_pow(failures - 2))
            .min(LONGEST_BACKOFF),
    };
    let asked = refusal
        .as_ref()
        .and_then(|refusal| refusal.retry_after)
        .unwrap_or(0)
        .min(LONGEST_RETRY_AFTER);
    lane.not_before = Some(Instant::now() + doubled.max(Duration::from_secs(asked)));
    let words = match refusal {
        Some(refusal) => format!("Wrong response from the webhook: {}", refusal.status),
        None => "Connection failed".into(),
    };
    webhook.last_error = Some((now, words));
}
