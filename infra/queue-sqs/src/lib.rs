//! The wake-up of cloud functions: an SQS queue per lane. A message says that there may be work in its lane and nothing else; the
//! store is the truth about work, so a lost, doubled or late message changes nothing but latency.
//!
//! Whoever commits a job wakes its lane. A function is invoked by its queue's mapping; a process that stays receives
//! ([`Wake::wait`]). A function is frozen once it has answered, so it calls [`SqsWake::sent`] before.

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    config::{Builder, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    types::QueueAttributeName,
};
use client_aws::{SdkConfig, causes};
use ports::Wake;
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

#[cfg(test)]
mod tests;

/// SQS delays a message by at most this.
pub const LONGEST_DELAY: Duration = Duration::from_secs(900);
/// SQS waits for a message at most this long.
const LONGEST_POLL: Duration = Duration::from_secs(LONGEST_POLL_S as u64);
const LONGEST_POLL_S: i32 = 20;
/// One request with its repetitions. A long poll has its own time on top.
const REQUEST: Duration = Duration::from_secs(4);
/// After a queue that can't be asked; it doubles, up to [`LONGEST_POLL`].
const PAUSE: Duration = Duration::from_secs(1);

/// A client for [`SqsWake`].
#[must_use]
pub fn connect(shared: &SdkConfig) -> Client {
    let longest = TimeoutConfig::builder().operation_timeout(REQUEST + LONGEST_POLL);
    let config = Builder::from(shared).timeout_config(longest.build());
    Client::from_conf(config.build())
}

/// Queues by lane. A lane without one is woken within this process only.
pub struct SqsWake {
    client: Client,
    /// Lane → the queue's URL.
    queues: BTreeMap<String, String>,
    /// Within this process, and for what has no queue.
    bells: Arc<dyn Wake>,
    sending: TaskTracker,
    /// Lanes whose queues are heard, and who does it. They end with the value.
    heard: Mutex<(BTreeSet<String>, JoinSet<()>)>,
    /// Lane → when it is woken next, as far as this process has seen to it.
    planned: Mutex<BTreeMap<String, Instant>>,
}

impl SqsWake {
    #[must_use]
    pub fn new(client: Client, queues: BTreeMap<String, String>, bells: Arc<dyn Wake>) -> Self {
        Self {
            client,
            queues,
            bells,
            sending: TaskTracker::new(),
            heard: Mutex::default(),
            planned: Mutex::default(),
        }
    }

    /// Wakes a lane in a while, unless that is planned already. What is further off than [`LONGEST_DELAY`] is left to the tick.
    pub fn wake_in(&self, lane: &str, delay: Duration) {
        if delay > LONGEST_DELAY || !self.queues.contains_key(lane) {
            return;
        }
        let (now, at) = (Instant::now(), Instant::now() + delay);
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        if planned
            .get(lane)
            .is_some_and(|next| now < *next && *next <= at + PAUSE)
        {
            return;
        }
        planned.insert(lane.to_owned(), at);
        drop(planned);
        self.send(lane, delay);
    }

    /// Not awaited: whoever commits has nothing to gain from it.
    fn send(&self, lane: &str, delay: Duration) {
        let Some(queue) = self.queues.get(lane) else {
            return;
        };
        // Rounded up: a message that comes too early finds nothing due.
        let seconds = i32::try_from(delay.as_millis().div_ceil(1000)).unwrap_or(0);
        let request = self
            .client
            .send_message()
            .queue_url(queue)
            .message_body(lane)
            .delay_seconds(seconds);
        let lane = lane.to_owned();
        self.sending.spawn(async move {
            let why = match tokio::time::timeout(REQUEST, request.send()).await {
                Ok(Ok(_)) => return,
                Ok(Err(error)) => explain(&error),
                Err(_) => "no answer".to_owned(),
            };
            tracing::warn!(lane, why, "a lane could not be woken; the tick will");
        });
    }

    /// Waits until every wake-up so far is with its queue, or could not be brought there.
    pub async fn sent(&self) {
        self.sending.close();
        self.sending.wait().await;
        self.sending.reopen();
    }

    /// About how many messages lie in a queue, waiting or hidden.
    ///
    /// # Errors
    /// What SQS answers, as a sentence.
    pub async fn depth(&self, queue: &str) -> Result<u64, String> {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let asked = self
            .client
            .get_queue_attributes()
            .queue_url(queue)
            .set_attribute_names(Some(counts.to_vec()));
        let answer = tokio::time::timeout(REQUEST, asked.send())
            .await
            .map_err(|_| "no answer".to_owned())?
            .map_err(|error| explain(&error))?;
        let found = answer.attributes.unwrap_or_default();
        let count = |name| {
            found
                .get(name)
                .and_then(|text: &String| text.parse::<u64>().ok())
        };
        Ok(counts.iter().filter_map(count).sum())
    }

    /// Hears a lane's queue from the first wait on, for as long as this value lives. Not for the time of a wait only: a request that
    /// is given up may still be answered with a message, and then nobody sees that one until SQS shows it again.
    fn hear(&self, lane: &str) {
        let Some(queue) = self.queues.get(lane) else {
            return;
        };
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let (lanes, tasks) = &mut *heard;
        if lanes.insert(lane.to_owned()) {
            let (client, bells) = (self.client.clone(), self.bells.clone());
            tasks.spawn(listen(client, queue.clone(), lane.to_owned(), bells));
        }
    }
}

/// Takes hints from a queue and rings for them.
async fn listen(client: Client, queue: String, lane: String, bells: Arc<dyn Wake>) {
    let mut pause = PAUSE;
    loop {
        let received = client
            .receive_message()
            .queue_url(&queue)
            .max_number_of_messages(10)
            .wait_time_seconds(LONGEST_POLL_S)
            .send()
            .await;
        let messages = match received {
            Ok(received) => received.messages.unwrap_or_default(),
            Err(error) => {
                let why = explain(&error);
                tracing::warn!(
                    lane,
                    why,
                    "a queue cannot be heard; work is looked for by itself"
                );
                bells.wake(&lane);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_POLL);
                continue;
            }
        };
        pause = PAUSE;
        let some = !messages.is_empty();
        for receipt in messages
            .into_iter()
            .filter_map(|message| message.receipt_handle)
        {
            let delete = client.delete_message().queue_url(&queue);
            // One that stays comes again, and changes nothing.
            if let Err(error) = delete.receipt_handle(receipt).send().await {
                let why = explain(&error);
                tracing::warn!(lane, why, "a hint stays in its queue and will come again");
            }
        }
        if some {
            bells.wake(&lane);
        }
    }
}

#[async_trait]
impl Wake for SqsWake {
    fn wake(&self, lane: &str) {
        self.bells.wake(lane);
        self.send(lane, Duration::ZERO);
    }

    async fn wait(&self, lanes: &[&str], limit: Duration) {
        for lane in lanes {
            self.hear(lane);
        }
        self.bells.wait(lanes, limit).await;
    }
}

fn explain<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
    R: Debug + 'static,
{
    match error.code() {
        Some(code) => format!("{code}: {}", error.message().unwrap_or_default()),
        None => causes(error),
    }
}
