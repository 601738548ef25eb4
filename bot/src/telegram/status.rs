//! The one status message of a working run: sent silently after a moment, edited as it goes on, a line when it is over.
//!
//! Each run has a task of its own and a slot that holds its latest report: an older one that was not shown yet is dropped, and
//! nobody waits for Telegram. Only the message's id is stored: when a process dies, the one that goes on with the run takes its
//! message over, instead of leaving a line that says “working” for ever.

use super::{
    api::{Api, ApiError, Sent},
    payload::{DeleteMessage, EditText, NoPreview, SendText, Typing},
    place::Place,
    rates::{Rates, Turn},
};
use crate::text::{en, one_line, time};
use domain::id::RunId;
use handlers::Home;
use ports::{
    progress::{Doing, Progress, Report},
    repo::{self, sent::SentMessage},
    store::Op,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};
use tokio_util::task::TaskTracker;

/// How often a person is shown something.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A run that is over before this shows no status at all.
    pub first: Duration,
    /// Between two edits. Telegram's limit for a group is 20 messages a minute.
    pub edits: Duration,
    /// When only the time went on.
    pub idle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            edits: Duration::from_secs(2),
            idle: Duration::from_secs(10),
        }
    }
}

/// “typing…” is shown for five seconds.
const TYPING: Duration = Duration::from_secs(5);

pub struct StatusMessages {
    api: Api,
    home: Home,
    pace: Pace,
    rates: Arc<Rates>,
    runs: Arc<Mutex<HashMap<RunId, watch::Sender<Report>>>>,
    tasks: TaskTracker,
}

impl StatusMessages {
    #[must_use]
    pub fn new(api: Api, home: Home, pace: Pace, rates: Arc<Rates>) -> Self {
        Self {
            api,
            home,
            pace,
            rates,
            runs: Arc::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// Shows nothing more, and ends when everything that was begun is over. Messages of runs that go on stay as they are, for the
    /// process that goes on with them. For a process that is about to be frozen.
    pub async fn rest(&self) {
        if let Ok(mut runs) = self.runs.lock() {
            runs.clear();
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }
}

impl Progress for StatusMessages {
    fn report(&self, report: Report) {
        let Some(place) = Place::of(&report.session) else {
            return;
        };
        let (Ok(mut runs), Ok(runtime)) = (self.runs.lock(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let last = matches!(report.doing, Doing::Over | Doing::Waiting);
        let run = report.run.clone();
        if let Some(slot) = runs.get(&run) {
            slot.send_replace(report);
        } else {
            // Also for the last report, which may be about a message that another process left.
            let (slot, latest) = watch::channel(report);
            runs.insert(run.clone(), slot);
            let status = Status {
                api: self.api.clone(),
                home: self.home.clone(),
                pace: self.pace,
                rates: self.rates.clone(),
                place,
                receipt: receipt(&run, &place),
                left: None,
                message: None,
                shown: String::new(),
            };
            self.tasks.spawn_on(status.follow(latest), &runtime);
        }
        if last {
            // The slot's end lets its task finish; what is reported next begins a new status.
            runs.remove(&run);
        }
    }
}

/// Where the message's id is kept.
fn receipt(run: &RunId, place: &Place) -> String {
    format!("status:{run}@{}", place.session())
}

struct Status {
    api: Api,
    home: Home,
    pace: Pace,
    rates: Arc<Rates>,
    place: Place,
    receipt: String,
    /// Once looked for: the version of what is kept.
    left: Option<Option<u64>>,
    message: Option<i64>,
    shown: String,
}

impl Status {
    async fn follow(mut self, mut latest: watch::Receiver<Report>) {
        let begun = Instant::now();
        let (mut due, mut typed) = (begun + self.pace.first, None::<Instant>);
        loop {
            let report = latest.borrow_and_update().clone();
            if matches!(report.doing, Doing::Over | Doing::Waiting) {
                return self.end(&report).await;
            }
            let now = Instant::now();
            if typed.is_none_or(|at| now - at >= TYPING) {
                typed = Some(now);
                let typing = Typing {
                    chat_id: self.place.chat,
                    message_thread_id: self.place.topic,
                    action: "typing",
                };
                let _ = self.api.call::<_, bool>(&typing).await;
            }
            if now >= due {
                let wait = self.show(&report).await;
                due = Instant::now() + wait;
            }
            // A new report is shown when an edit is due again; without one the time goes on slowly.
            let idle = if self.message.is_some() {
                due.max(now + self.pace.idle)
            } else {
                due
            };
            tokio::select! {
                changed = latest.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    if !matches!(latest.borrow().doing, Doing::Over | Doing::Waiting) {
                        tokio::select! {
                            () = tokio::time::sleep_until(due) => {}
                            // Nothing is worth waiting for any more.
                            () = over(latest.clone()) => {}
                        }
                    }
                }
                () = tokio::time::sleep_until(idle) => {}
            }
        }
    }

    /// Shows it, and answers how long to wait before the next edit.
    async fn show(&mut self, report: &Report) -> Duration {
        let text = working(report, self.home.now().since(report.started_at));
        if text == self.shown {
            return self.pace.edits;
        }
        if let Turn::Soon(wait) | Turn::Later(wait) = self.rates.take_spare(self.place.chat) {
            return wait.max(self.pace.edits);
        }
        self.find().await;
        let outcome = match self.message {
            None => self.send(text.clone()).await,
            Some(message_id) => self.edit(message_id, text.clone()).await,
        };
        self.shown = text;
        match outcome {
            Err(ApiError::Refused {
                retry_after: Some(wait),
                ..
            }) => {
                self.rates.hold(self.place.chat, wait);
                wait.max(self.pace.edits)
            }
            _ if self.place.is_group() => self.pace.edits * 2,
            _ => self.pace.edits,
        }
    }

    async fn send(&mut self, text: String) -> Result<(), ApiError> {
        let payload = SendText {
            chat_id: self.place.chat,
            message_thread_id: self.place.topic,
            text,
            disable_notification: true,
            ..SendText::default()
        };
        let sent: Sent = self.api.call(&payload).await?;
        self.message = Some(sent.message_id);
        self.keep(sent.message_id).await;
        Ok(())
    }

    /// Takes over the message that a process before this one left, if it did.
    async fn find(&mut self) {
        if self.left.is_some() {
            return;
        }
        let (store, team) = (&*self.home.store, &self.home.team);
        let kept = repo::get::<SentMessage>(store, team, &self.receipt).await;
        let kept = kept.ok().flatten();
        self.left = Some(kept.as_ref().map(|kept| kept.version));
        self.message = kept.and_then(|kept| kept.value.message.parse().ok());
    }

    async fn keep(&mut self, message: i64) {
        let value = SentMessage {
            id: self.receipt.clone(),
            // Apart from the messages that people may answer, which are looked for by their age.
            surface: "status".to_owned(),
            message: message.to_string(),
            at: self.home.now(),
        };
        let before = self.left.flatten();
        let op = repo::put(&self.home.team, &value, before);
        self.left = Some(Some(before.unwrap_or(0) + 1));
        self.write(op.ok()).await;
    }

    async fn forget(&self) {
        let key = repo::key::<SentMessage>(&self.home.team, &self.receipt);
        let version = self.left.flatten();
        let op = version.map(|version| Op::Delete { key, version });
        self.write(op).await;
    }

    /// Nothing depends on it.
    async fn write(&self, op: Option<Op>) {
        if let Err(error) = handlers::commit(&self.home, op.into_iter().collect()).await {
            tracing::debug!(%error, "where a status message is could not be written down");
        }
    }

    async fn edit(&self, message_id: i64, text: String) -> Result<(), ApiError> {
        let chat_id = self.place.chat;
        let payload = EditText {
            chat_id,
            message_id,
            text,
            entities: Vec::new(),
            link_preview_options: NoPreview::default(),
            reply_markup: None,
        };
        self.api
            .call::<_, serde_json::Value>(&payload)
            .await
            .map(|_| ())
    }

    async fn end(mut self, report: &Report) {
        self.find().await;
        let Some(message_id) = self.message else {
            return;
        };
        let chat_id = self.place.chat;
        // While it waits for a person the card says so, and the status would only stand in the way.
        let outcome = match report.doing {
            Doing::Over => {
                let took = time::span(self.home.now().since(report.started_at));
                self.edit(
                    message_id,
                    en::worked(&report.agent, report.step, &took, report.cost),
                )
                .await
            }
            _ => self
                .api
                .call::<_, bool>(&DeleteMessage {
                    chat_id,
                    message_id,
                })
                .await
                .map(|_| ()),
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, "a status message stays as it was");
        }
        self.forget().await;
    }
}

/// Waits until the latest report is the last one, or no more will come.
async fn over(mut latest: watch::Receiver<Report>) {
    let last = |report: &Report| matches!(report.doing, Doing::Over | Doing::Waiting);
    let _ = latest.wait_for(last).await;
}

/// The status message's text.
pub(super) fn working(report: &Report, elapsed: Duration) -> String {
    let doing = match &report.doing {
        Doing::Thinking { said } => en::thinking(&one_line(said)),
        Doing::Using { tool, what } => en::using(&one_line(tool), &one_line(what)),
        Doing::Waiting | Doing::Over => String::new(),
    };
    let line = en::worked(
        &report.agent,
        report.step,
        &time::span(elapsed),
        report.cost,
    );
    format!("{doing}\n{line}").trim().to_owned()
}
