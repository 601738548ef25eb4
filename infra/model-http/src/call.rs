//! One HTTP exchange: the request with its key, and the answer as a bounded sequence of events.

use crate::{Dialect, SetupError, endpoint::Endpoint, failure};
use bytes::Bytes;
use eventsource_stream::{EventStreamError, Eventsource};
use futures::{Stream, StreamExt, stream::BoxStream};
use ports::model::ModelError;
use reqwest::{
    Client, RequestBuilder, Response,
    header::{CONTENT_TYPE, HeaderValue},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// An answer of a model has some 100 KB at most; what is larger than this is none.
const ANSWER_BYTES: usize = 32 << 20;
/// Error pages are read up to here.
const ERROR_BYTES: usize = 64 << 10;
/// To a host that is there. The request's own time-out covers the rest.
const CONNECT: Duration = Duration::from_secs(10);
/// The version of the Messages API that this crate is written for.
const ANTHROPIC_VERSION: &str = "2023-06-01";

pub struct Caller {
    client: Client,
    pub endpoint: Endpoint,
    key: Option<SecretString>,
}

impl Caller {
    pub fn new(endpoint: Endpoint, key: Option<SecretString>) -> Result<Self, SetupError> {
        let mut client = Client::builder()
            .connect_timeout(CONNECT)
            .redirect(Policy::none())
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
        if endpoint.is_loopback() {
            client = client.no_proxy();
        }
        if !endpoint.is_https() {
            // Nothing is followed to https either, so a machine without certificates can use its local models.
            client = client.tls_certs_only([]);
        }
        // White space around a key comes from pasting.
        let key = key
            .map(|key| key.expose_secret().trim().to_owned())
            .filter(|key| !key.is_empty());
        if let Some(key) = &key {
            HeaderValue::from_str(key).map_err(|_| SetupError::Key)?;
        }
        Ok(Self {
            client: client
                .build()
                .map_err(|error| SetupError::Client(chain(&error)))?,
            endpoint,
            key: key.map(SecretString::from),
        })
    }

    /// Sends a request for a reply.
    ///
    /// # Errors
    /// `Unreachable` when there is no connection, otherwise what the server says.
    pub async fn post(&self, dialect: Dialect, body: Vec<u8>) -> Result<Events, ModelError> {
        let path = match dialect {
            Dialect::Anthropic => "messages",
            Dialect::OpenAi => "chat/completions",
        };
        let request = self
            .client
            .post(self.endpoint.join(path))
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let response = self.send(dialect, request).await?;
        Events::of(response).await
    }

    /// Fetches a small JSON document.
    pub async fn get(&self, dialect: Dialect, url: String) -> Result<String, ModelError> {
        let response = self.send(dialect, self.client.get(url)).await?;
        text(response, ANSWER_BYTES).await
    }

    async fn send(
        &self,
        dialect: Dialect,
        request: RequestBuilder,
    ) -> Result<Response, ModelError> {
        let response = self.sign(dialect, request)?.send().await.map_err(broken)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let headers = response.headers().clone();
        // A body that can't be read leaves the status, which says enough.
        let body = text(response, ERROR_BYTES).await.unwrap_or_default();
        // The key is cut out before anything is shortened: half a key would not be found.
        Err(failure::of_response(
            status,
            &headers,
            &self.without_key(&body),
        ))
    }

    fn sign(
        &self,
        dialect: Dialect,
        request: RequestBuilder,
    ) -> Result<RequestBuilder, ModelError> {
        let request = match dialect {
            Dialect::Anthropic => request.header("anthropic-version", ANTHROPIC_VERSION),
            Dialect::OpenAi => request,
        };
        let Some(key) = &self.key else {
            return Ok(request);
        };
        let (name, value) = match dialect {
            Dialect::Anthropic => ("x-api-key", key.expose_secret().to_owned()),
            Dialect::OpenAi => ("authorization", format!("Bearer {}", key.expose_secret())),
        };
        // `new` has tried it.
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| ModelError::Unauthorized(SetupError::Key.to_string()))?;
        value.set_sensitive(true);
        Ok(request.header(name, value))
    }

    fn without_key(&self, text: &str) -> String {
        match &self.key {
            Some(key) => text.replace(key.expose_secret(), "[key]"),
            None => text.to_owned(),
        }
    }

    /// The same error without the key, which a server may have echoed in the middle of a stream.
    pub fn redact(&self, error: ModelError) -> ModelError {
        let clean = |text: String| self.without_key(&text);
        match error {
            ModelError::Unauthorized(text) => ModelError::Unauthorized(clean(text)),
            ModelError::Unavailable(text) => ModelError::Unavailable(clean(text)),
            ModelError::Unreachable(text) => ModelError::Unreachable(clean(text)),
            ModelError::Broken(text) => ModelError::Broken(clean(text)),
            ModelError::Refused(text) => ModelError::Refused(clean(text)),
            ModelError::TooLong(text) => ModelError::TooLong(clean(text)),
            ModelError::Garbled(text) => ModelError::Garbled(clean(text)),
            other @ (ModelError::RateLimited { .. } | ModelError::TimedOut(_)) => other,
        }
    }
}

/// The data of one server-sent event after the other; a server that does not stream gives its whole answer as one.
pub struct Events {
    stream: BoxStream<'static, Result<String, ModelError>>,
    seen: bool,
}

impl Events {
    async fn of(response: Response) -> Result<Self, ModelError> {
        let header = response.headers().get(CONTENT_TYPE);
        let kind = header
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default()
            .to_ascii_lowercase();
        if kind.starts_with("application/json") {
            let whole = text(response, ANSWER_BYTES).await?;
            let stream = futures::stream::once(async { Ok(whole) }).boxed();
            return Ok(Self {
                stream,
                seen: false,
            });
        }
        if kind.starts_with("text/html") {
            let page = text(response, ERROR_BYTES).await.unwrap_or_default();
            return Err(ModelError::Garbled(format!(
                "a web page: “{}”",
                failure::shorten(&page)
            )));
        }
        let stream = bounded(response.bytes_stream(), ANSWER_BYTES)
            .eventsource()
            .map(|event| match event {
                Ok(event) => Ok(event.data),
                Err(EventStreamError::Transport(error)) => Err(error),
                Err(EventStreamError::Utf8(error)) => Err(ModelError::Garbled(error.to_string())),
                Err(EventStreamError::Parser(error)) => {
                    Err(ModelError::Garbled(failure::shorten(&error.to_string())))
                }
            });
        Ok(Self {
            stream: stream.boxed(),
            seen: false,
        })
    }

    /// The next event's data, `None` at the end of the stream.
    pub async fn next(&mut self) -> Result<Option<String>, ModelError> {
        let next = self.stream.next().await.transpose()?;
        self.seen |= next.is_some();
        Ok(next)
    }

    /// The error for a stream that ended, in good order, before the answer did.
    pub fn ended_early(&self) -> ModelError {
        if self.seen {
            ModelError::Broken("the stream ended in the middle of the reply".to_owned())
        } else {
            ModelError::Garbled("not one event in the answer".to_owned())
        }
    }
}

fn bounded(
    stream: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
    limit: usize,
) -> impl Stream<Item = Result<Bytes, ModelError>> + Send + 'static {
    stream.scan(0, move |total, chunk| {
        let chunk = chunk.map_err(broken).and_then(|chunk| {
            *total += chunk.len();
            if *total <= limit {
                Ok(chunk)
            } else {
                Err(ModelError::Garbled("the answer does not end".to_owned()))
            }
        });
        futures::future::ready(Some(chunk))
    })
}

async fn text(response: Response, limit: usize) -> Result<String, ModelError> {
    let mut chunks = bounded(response.bytes_stream(), limit).boxed();
    let mut whole = Vec::new();
    while let Some(chunk) = chunks.next().await {
        whole.extend_from_slice(&chunk?);
    }
    Ok(String::from_utf8_lossy(&whole).into_owned())
}

/// Without the URL, which is known and may be long, and with the causes, where the reason is.
fn broken(error: reqwest::Error) -> ModelError {
    let sent = !error.is_connect();
    let why = failure::shorten(&chain(&error.without_url()));
    match sent {
        true => ModelError::Broken(why),
        false => ModelError::Unreachable(why),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let why = error.to_string();
        if !text.contains(&why) {
            text = format!("{text}: {why}");
        }
        cause = error.source();
    }
    text
}
