//! Files that people sent to the bot: Telegram says where one is, then it is downloaded.

use super::api::{Api, ApiError};
use crate::text::en;
use ports::fetch::{Fetch, FetchError};
use serde::{Deserialize, Serialize};
use teloxide::requests::Payload;

/// What a bot may download, in bytes (<https://core.telegram.org/bots/api#getfile>).
pub const LIMIT: u64 = 20 << 20;

#[derive(Clone)]
pub struct TelegramFiles(pub Api);

#[derive(Serialize)]
struct GetFile<'a> {
    file_id: &'a str,
}

impl Payload for GetFile<'_> {
    type Output = Place;
    const NAME: &'static str = "getFile";
}

#[derive(Deserialize, Clone, Debug)]
pub struct Place {
    file_path: Option<String>,
    file_size: Option<u64>,
}

#[async_trait::async_trait]
impl Fetch for TelegramFiles {
    async fn fetch(&self, file: &str) -> Result<Vec<u8>, FetchError> {
        let place: Place = self
            .0
            .call(&GetFile { file_id: file })
            .await
            .map_err(failed)?;
        if place.file_size.is_some_and(|bytes| bytes > LIMIT) {
            return Err(FetchError::Refused(en::too_big(place.file_size, LIMIT)));
        }
        let Some(path) = place.file_path else {
            return Err(FetchError::Refused(en::FILE_GONE.to_owned()));
        };
        self.0.download(&path, LIMIT).await.map_err(failed)
    }
}

fn failed(error: ApiError) -> FetchError {
    match error {
        ApiError::Refused {
            code: 400 | 404 | 413,
            description,
            ..
        } => FetchError::Refused(match description.contains("too big") {
            true => en::too_big(None, LIMIT),
            false => en::FILE_GONE.to_owned(),
        }),
        other => FetchError::Unavailable(other.to_string()),
    }
}
