//! The surfaces of this process: ways in and out, and who shows what a run is doing.

use crate::{config::Config, crash};
use bot::{
    inbox::{Inbox, NotStored},
    telegram::{Api, Me, Pace, Rates, StatusMessages, TelegramFiles, TelegramMessenger},
};
use domain::id::SessionId;
use handlers::{
    Home, outage,
    receive::{Incoming, receive},
};
use ports::{Fetch, Messenger, Progress, progress::Report};
use secrecy::ExposeSecret;
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Ways out by surface (`telegram`, `terminal`), and who shows progress there.
#[derive(Clone, Default)]
pub struct Surfaces {
    pub messengers: BTreeMap<String, Arc<dyn Messenger>>,
    pub progress: BTreeMap<String, Arc<dyn Progress>>,
    /// The bot as Telegram knows it, once it has said so.
    pub me: Arc<OnceLock<Me>>,
    /// Files that people send to the bot.
    pub files: Option<Arc<dyn Fetch>>,
    /// Telegram's, for who has to wait for it.
    status: Option<Arc<StatusMessages>>,
    /// Terminal sessions of this process, whose messages only it can show.
    pub terminals: Vec<SessionId>,
}

impl Surfaces {
    /// Telegram, where there is a token.
    #[must_use]
    pub fn with_telegram(mut self, config: &Config, home: &Home) -> (Self, Option<Api>) {
        let Some(api) = telegram(config) else {
            return (self, None);
        };
        let rates = Arc::new(Rates::new(home.clock.clone(), config.telegram.paced));
        let messenger = TelegramMessenger::new(api.clone(), home.blobs.clone(), rates.clone());
        let status = StatusMessages::new(api.clone(), home.clone(), Pace::default(), rates);
        let status = Arc::new(status);
        self.messengers
            .insert("telegram".to_owned(), crash::messenger(Arc::new(messenger)));
        self.progress.insert("telegram".to_owned(), status.clone());
        self.status = Some(status);
        self.files = Some(Arc::new(TelegramFiles(api.clone())));
        (self, Some(api))
    }

    /// Shows no more of what runs are doing, and ends when all that was begun of it is over.
    pub async fn rest(&self) {
        if let Some(status) = &self.status {
            status.rest().await;
        }
    }

    /// A terminal session with its way out.
    #[must_use]
    pub fn with_terminal(
        mut self,
        session: SessionId,
        messenger: Arc<dyn Messenger>,
        progress: Arc<dyn Progress>,
    ) -> Self {
        self.messengers.insert("terminal".to_owned(), messenger);
        self.progress.insert("terminal".to_owned(), progress);
        self.terminals.push(session);
        self
    }
}

/// The bot's line to Telegram, where there is a token.
#[must_use]
pub fn telegram(config: &Config) -> Option<Api> {
    let token = config.telegram.token.as_ref()?;
    Some(Api::new(
        token.expose_secret(),
        config.telegram.api_url.clone(),
    ))
}

/// A report goes to the surface of its session; to nobody when this process has none such.
impl Progress for Surfaces {
    fn report(&self, report: Report) {
        let surface = report
            .session
            .as_str()
            .split(':')
            .next()
            .unwrap_or_default();
        if let Some(progress) = self.progress.get(surface) {
            progress.report(report);
        }
    }
}

/// The front door's shelf: what arrives becomes a stored job.
pub struct StoredInbox(pub Home);

#[async_trait::async_trait]
impl Inbox for StoredInbox {
    async fn store(&self, incoming: &[Incoming]) -> Result<(), NotStored> {
        let stored = receive(&self.0, incoming).await;
        stored
            .map(drop)
            .map_err(|error| NotStored(error.to_string()))
    }

    async fn heard(&self, surface: &str, patience: Duration) -> Result<(), NotStored> {
        let heard = outage::heard(&self.0, surface, patience).await;
        heard.map_err(|error| NotStored(error.to_string()))
    }
}
