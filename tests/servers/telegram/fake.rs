//! The handle that a test or bench holds: starting, stopping, the clock, faults, and what was recorded.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::connection::{CuttableListener, Scissors};
use super::faults::{Fault, Gate, Held};
use super::group::Group;
use super::person::Conversation;
use super::rates::Rates;
use super::server::{self, Shared};
use super::state::{CallbackAnswer, RecordedRequest, State, User};
use super::transcript;
use super::view::{self, View};
use super::webhook::{self, DeliveryAttempt, PushStyle};

/// How a fake is started; `Options::default()` is what tests want.
#[derive(Debug, Clone)]
pub struct Options {
    /// As Telegram writes them: the bot's id, a colon, a secret.
    pub token: String,
    /// Whether [`FakeTelegram::requests`] is kept. A bench that runs for long turns it off.
    pub record_requests: bool,
    /// How long a test waits for what it waits for, at most.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            token: "4242424242:a-made-up-secret-for-tests".into(),
            record_requests: true,
            patience: Duration::from_secs(30),
        }
    }
}

/// A Bot API server on loopback. Dropping it stops it; [`FakeTelegram::stop`] also waits until it has stopped.
pub struct FakeTelegram {
    pub(super) shared: Arc<Shared>,
    url: String,
    token: String,
    serving: Option<JoinHandle<()>>,
}

impl FakeTelegram {
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// # Panics
    /// Where loopback has no free port.
    pub async fn start_with(options: Options) -> Self {
        let bound = TcpListener::bind("127.0.0.1:0")
            .await
            .and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = match bound {
            Ok(bound) => bound,
            Err(error) => view::give_up(&format!("no port for the fake Telegram: {error}")),
        };
        let shared = Shared::new(State::new(&options));
        let app = server::router(shared.clone()).into_make_service_with_connect_info::<Scissors>();
        let told = shared.clone();
        tokio::spawn(webhook::run(shared.clone()));
        let serving = tokio::spawn(async move {
            let serve = axum::serve(CuttableListener(listener), app);
            let _ = serve
                .with_graceful_shutdown(async move { told.stop_asked().await })
                .await;
        });
        Self {
            shared,
            url: format!("http://{address}"),
            token: options.token,
            serving: Some(serving),
        }
    }

    /// Stops it: requests under way are cut, the port is free afterwards.
    pub async fn stop(mut self) {
        self.shared.stopping.send_replace(true);
        if let Some(serving) = self.serving.take() {
            let _ = serving.await;
        }
    }

    /// What stands for `https://api.telegram.org`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// The bot as Telegram knows it.
    pub fn bot(&self) -> User {
        self.shared.lock().me.clone()
    }

    /// A person's private chat with the bot; its id is the person's. The bot can write there once the person has.
    pub fn private_chat(&self, person: &User) -> Conversation {
        Conversation::private(self.shared.clone(), person)
    }

    /// A supergroup (`id` is negative, as Telegram's are). The bot is in it once somebody has added it.
    pub fn group(&self, id: i64, title: &str) -> Group {
        Group::open(self.shared.clone(), id, title)
    }

    /// Waits until `look` finds what it looks for; it is asked again whenever the bot did something.
    ///
    /// # Panics
    /// After [`Options::patience`] without it, with a dump of every conversation and of the last requests.
    pub async fn wait_for<T>(&self, look: impl FnMut(&View<'_>) -> Option<T>) -> T {
        view::wait(&self.shared, "what the test waits for", look).await
    }

    /// `look` at everything as it stands now.
    pub fn view<T>(&self, look: impl FnOnce(&View<'_>) -> T) -> T {
        view::look(&self.shared, look)
    }

    /// Every chat as text.
    pub fn transcript(&self) -> String {
        transcript::all(&self.shared.lock())
    }

    /// Every request to a known method with the right token, in the order of arrival.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.lock().requests.clone()
    }

    pub fn record_requests(&self, recording: bool) {
        self.shared.lock().recording = recording;
    }

    /// In the order given.
    pub fn answers_to_callbacks(&self) -> Vec<CallbackAnswer> {
        self.shared.lock().answers.clone()
    }

    /// The most that was sent within Telegram's windows.
    pub fn rates(&self) -> Rates {
        self.shared.lock().rates.rates()
    }

    /// How many updates wait for the bot.
    pub fn pending_updates(&self) -> usize {
        self.shared.lock().updates.len()
    }

    /// Moves the fake's clock: taps and updates expire. Nothing waits in real time.
    pub fn advance(&self, by: Duration) {
        self.shared.lock().advance(by);
        self.shared.updates_came.notify_waiters();
    }

    /// The next call of `method` meets `fault`; `*` is the next call of any method but `getUpdates`. Faults wait in line.
    pub fn inject(&self, method: &str, fault: Fault) {
        self.inject_times(method, fault, 1);
    }

    /// The same for the next `times` calls.
    pub fn inject_times(&self, method: &str, fault: Fault, times: usize) {
        if times > 0 {
            self.shared.lock().faults.add(method, fault, times);
        }
    }

    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Holds the next call of `method` before it is carried out.
    pub fn hold(&self, method: &str) -> Held {
        let gate = Gate::new();
        self.inject(method, Fault::HoldBefore(gate.clone()));
        Held(gate)
    }

    /// Carries out the next call of `method`, and holds back the answer.
    pub fn hold_answer(&self, method: &str) -> Held {
        let gate = Gate::new();
        self.inject(method, Fault::HoldAfter(gate.clone()));
        Held(gate)
    }

    /// Keeps updates from the bot until [`FakeTelegram::release_updates`], so that several arrive together.
    pub fn hold_updates(&self) {
        self.shared.lock().updates.held = true;
    }

    pub fn release_updates(&self) {
        self.shared.lock().updates.held = false;
        self.shared.updates_came.notify_waiters();
    }

    /// How updates are pushed to the webhook from now on.
    pub fn push_style(&self, style: PushStyle) {
        self.shared.lock().push.style = style;
        self.shared.updates_came.notify_waiters();
    }

    /// Every attempt to reach the webhook, in the order in which they ended.
    pub fn deliveries(&self) -> Vec<DeliveryAttempt> {
        self.shared.lock().push.attempts.clone()
    }
}

impl Drop for FakeTelegram {
    fn drop(&mut self) {
        self.shared.stopping.send_replace(true);
    }
}
