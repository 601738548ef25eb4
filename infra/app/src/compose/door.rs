//! The webhook's path and secret: of the bot's token, so that they are the same for every process and after every start, and kept
//! nowhere.

use crate::config::Config;
use axum::Router;
use bot::{
    inbox::Inbox,
    telegram::{Api, Webhook, webhook},
};
use domain::Digest;
use ports::Secret;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use url::Url;

pub struct Door {
    path: String,
    /// What Telegram sends along.
    pub secret: String,
}

impl Door {
    /// Where there is a token.
    #[must_use]
    pub fn of(config: &Config) -> Option<Self> {
        let token = config.telegram.token.as_ref()?.expose_secret();
        let of = |what: &str| {
            Digest::of_bytes(format!("countersign webhook {what} {token}")).to_string()
        };
        Some(Self {
            path: of("path"),
            secret: of("secret"),
        })
    }

    /// Where Telegram pushes to, below the public address.
    ///
    /// # Errors
    /// When the address has no place below it.
    pub fn url(&self, public: &Url) -> Result<Url, url::ParseError> {
        let public = public.as_str().trim_end_matches('/');
        format!("{public}/telegram/{}", self.path).parse()
    }

    /// What nobody may see.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let values = [
            ("webhook_path", &self.path),
            ("webhook_secret", &self.secret),
        ];
        let secret = |(name, value): (&str, &String)| Secret {
            name: name.to_owned(),
            value: SecretString::from(value.clone()),
        };
        values.into_iter().map(secret).collect()
    }

    /// The page that Telegram pushes to.
    pub fn router(self, api: &Api, inbox: Arc<dyn Inbox>) -> Router {
        let bot_id = api.bot_id().to_owned();
        let secret = self.secret;
        webhook(
            &self.path,
            Webhook {
                inbox,
                bot_id,
                secret,
            },
        )
    }
}
