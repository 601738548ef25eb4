//! One call of the Bot API: teloxide's payloads through teloxide's client, with answers read here.
//!
//! teloxide's own way of reading an answer sleeps ten seconds after each 5xx and refuses a message whose newest fields it does
//! not know, though all we want of it is its id. Whether a request may have arrived is told apart here as well.

use super::parse::surface;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::time::Duration;
use teloxide::{Bot, payloads, requests::Payload};
use url::Url;

/// In addition to the time that Telegram itself may wait.
const TIMEOUT: Duration = Duration::from_secs(17);

/// For a file of 20 MB.
const DOWNLOAD: Duration = Duration::from_secs(25);

/// The bot's line to Telegram. Its token appears in no error and no log.
#[derive(Clone)]
pub struct Api {
    bot: Bot,
}

#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum ApiError {
    /// Telegram said no, in its own words.
    #[error("{description} ({code})")]
    Refused {
        code: u16,
        description: String,
        retry_after: Option<Duration>,
        migrate_to: Option<i64>,
    },
    /// There was no connection: nothing arrived.
    #[error("no connection to Telegram: {0}")]
    Unreachable(String),
    /// The request went out and no answer that can be read came back.
    #[error("no answer from Telegram: {0}")]
    Broken(String),
}

/// The bot as Telegram knows it.
#[derive(Clone, PartialEq, Eq, Deserialize, Debug)]
pub struct Me {
    pub id: i64,
    /// Without `@`.
    pub username: String,
}

/// A message that was sent; the rest of it is known.
#[derive(Deserialize, Debug)]
pub(super) struct Sent {
    pub message_id: i64,
}

#[derive(Deserialize)]
struct Answer<'a> {
    ok: bool,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error_code: Option<u16>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize, Default)]
struct Parameters {
    retry_after: Option<u64>,
    migrate_to_chat_id: Option<i64>,
}

impl Api {
    /// `url`: a Bot API server of one's own, else Telegram's.
    #[must_use]
    pub fn new(token: &str, url: Option<Url>) -> Self {
        let bot = Bot::new(token);
        Self {
            bot: url.into_iter().fold(bot, Bot::set_api_url),
        }
    }

    /// The bot's id, which is the part of a token before its colon; empty when the token is none.
    #[must_use]
    pub fn bot_id(&self) -> &str {
        self.bot.token().split_once(':').map_or("", |(id, _)| id)
    }

    /// Whose updates these are: numbers of one bot mean nothing for another.
    #[must_use]
    pub fn surface(&self) -> String {
        surface(self.bot_id())
    }

    /// Who the token belongs to; fails with code 401 or 404 for a wrong one.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn me(&self) -> Result<Me, ApiError> {
        self.call(&payloads::GetMe::new()).await
    }

    /// # Errors
    /// [`ApiError`].
    pub(super) async fn call<P, R>(&self, payload: &P) -> Result<R, ApiError>
    where
        P: Payload + serde::Serialize,
        R: DeserializeOwned,
    {
        let body = serde_json::to_vec(payload).map_err(|error| invalid(&error.to_string()))?;
        let wait = payload.timeout_hint().unwrap_or_default();
        self.post(P::NAME, "application/json", body, wait).await
    }

    /// # Errors
    /// [`ApiError`].
    pub(super) async fn post<R: DeserializeOwned>(
        &self,
        method: &str,
        kind: &str,
        body: Vec<u8>,
        wait: Duration,
    ) -> Result<R, ApiError> {
        let request = self
            .bot
            .client()
            .post(self.url(method)?)
            .header("content-type", kind)
            .timeout(TIMEOUT + wait);
        // An error's text would name the URL, and with it the token.
        let answer = request.body(body).send().await.map_err(|error| {
            match error.is_connect() || error.is_builder() {
                true => ApiError::Unreachable(causes(&error.without_url())),
                false => ApiError::Broken(causes(&error.without_url())),
            }
        })?;
        let status = answer.status().as_u16();
        let text = answer
            .text()
            .await
            .map_err(|error| ApiError::Broken(causes(&error.without_url())))?;
        read(status, &text)
    }

    /// What lies at a path that `getFile` named, at most `limit` bytes of it.
    ///
    /// # Errors
    /// [`ApiError`]; 413 when there is more.
    pub(super) async fn download(&self, path: &str, limit: u64) -> Result<Vec<u8>, ApiError> {
        let mut url = self.bot.api_url();
        {
            let unusable = |()| invalid("the Bot API server's URL cannot be used");
            let mut segments = url.path_segments_mut().map_err(unusable)?;
            let token = format!("bot{}", self.bot.token());
            segments
                .pop_if_empty()
                .push("file")
                .push(&token)
                .extend(path.split('/'));
        }
        let request = self.bot.client().get(url).timeout(DOWNLOAD);
        let sent = request.send().await;
        let mut answer = sent.map_err(|error| ApiError::Broken(causes(&error.without_url())))?;
        let code = answer.status().as_u16();
        let refused = |code, description: String| ApiError::Refused {
            code,
            description,
            retry_after: None,
            migrate_to: None,
        };
        if code >= 400 {
            return Err(refused(code, format!("HTTP status {code}")));
        }
        let mut bytes = Vec::new();
        loop {
            let chunk = answer.chunk().await;
            let chunk = chunk.map_err(|error| ApiError::Broken(causes(&error.without_url())))?;
            let Some(chunk) = chunk else { return Ok(bytes) };
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > limit {
                return Err(refused(413, "file is too big".to_owned()));
            }
        }
    }

    fn url(&self, method: &str) -> Result<Url, ApiError> {
        let mut url = self.bot.api_url();
        match url.path_segments_mut() {
            Ok(mut segments) => {
                segments
                    .pop_if_empty()
                    .push(&format!("bot{}", self.bot.token()))
                    .push(method);
            }
            Err(()) => return Err(invalid("the Bot API server's URL cannot be used")),
        }
        Ok(url)
    }
}

fn invalid(why: &str) -> ApiError {
    ApiError::Refused {
        code: 400,
        description: why.to_owned(),
        retry_after: None,
        migrate_to: None,
    }
}

fn read<R: DeserializeOwned>(status: u16, text: &str) -> Result<R, ApiError> {
    let answer = match serde_json::from_str::<Answer>(text) {
        Ok(answer) => answer,
        // A proxy's page: its code says as much as it knows.
        Err(_) if status >= 400 => {
            return Err(ApiError::Refused {
                code: status,
                description: format!("HTTP status {status}"),
                retry_after: None,
                migrate_to: None,
            });
        }
        Err(error) => return Err(ApiError::Broken(format!("not JSON: {error}"))),
    };
    if answer.ok {
        let result = answer.result.map_or("null", RawValue::get);
        return serde_json::from_str(result)
            .map_err(|error| ApiError::Broken(format!("an unexpected result: {error}")));
    }
    let parameters = answer.parameters.unwrap_or_default();
    Err(ApiError::Refused {
        code: answer.error_code.unwrap_or(status),
        description: answer.description.unwrap_or_default(),
        retry_after: parameters.retry_after.map(Duration::from_secs),
        migrate_to: parameters.migrate_to_chat_id,
    })
}

/// The error with what caused it: reqwest says “error sending request”, its cause says why.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
