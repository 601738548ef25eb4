//! A server somewhere else, over streamable HTTP.

use crate::{ear::Heard, live::Live, pace::Pace};
use ports::{Secret, mcp::MESSAGE_LIMIT};
use reqwest::{
    header::{HeaderName, HeaderValue},
    redirect::Policy,
};
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransport, StreamableHttpClientTransportConfig,
};
use secrecy::ExposeSecret;
use std::{collections::HashMap, error::Error, sync::Arc};

/// Redirects of one request; all within one origin, because keys go with them.
const REDIRECTS: usize = 3;

/// # Errors
/// Words for people.
pub async fn connect(
    url: &str,
    secrets: Vec<Secret>,
    heard: Heard,
    pace: &Pace,
) -> Result<Live, String> {
    let client = reqwest::Client::builder()
        .connect_timeout(pace.start)
        // What a server packs tightly could be of any size.
        .no_gzip()
        .redirect(Policy::custom(|attempt| {
            let from = attempt.previous();
            let stays = from
                .first()
                .is_some_and(|first| first.origin() == attempt.url().origin());
            match stays && from.len() <= REDIRECTS {
                true => attempt.follow(),
                false => attempt.stop(),
            }
        }))
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|error| error.to_string())?;
    let mut headers = HashMap::new();
    for secret in secrets {
        let wrong = |_| format!("the secret in “{}” is no header’s value", secret.name);
        let name = HeaderName::try_from(&secret.name)
            .map_err(|_| format!("“{}” is no header", secret.name))?;
        let mut value = HeaderValue::try_from(secret.value.expose_secret()).map_err(wrong)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let config = StreamableHttpClientTransportConfig::with_uri(url)
        .custom_headers(headers)
        .max_sse_event_size(MESSAGE_LIMIT);
    let transport = StreamableHttpClientTransport::with_client(client, config);
    Live::begin(transport, Arc::new(heard), None, pace).await
}

/// An error with its causes, as far as they say more.
pub fn plainly(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text.chars().take(400).collect()
}
