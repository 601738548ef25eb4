//! A request's parameters, whichever of the four ways they came: query string, form, JSON or multipart.

use std::collections::HashMap;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use serde_json::{Map, Value};

use super::answer::ApiError;

/// Above Telegram's own upload limit of 50 MB, so that the method and not the transport refuses.
pub(super) const BODY_LIMIT: usize = 60 * 1024 * 1024;

/// Parameters that hold JSON; forms carry them as text.
const STRUCTURED: &[&str] = &[
    "allowed_updates",
    "caption_entities",
    "commands",
    "entities",
    "link_preview_options",
    "media",
    "message_ids",
    "permissions",
    "reaction",
    "reply_markup",
    "reply_parameters",
    "scope",
];

/// A file that came with a multipart request.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub name: String,
    pub mime: Option<String>,
    pub bytes: Bytes,
}

#[derive(Debug, Default)]
pub(super) struct Params {
    pub values: Map<String, Value>,
    pub uploads: HashMap<String, Upload>,
}

impl Params {
    /// # Errors
    /// 400 where the body is not what its content type says; 413 where it is larger than Telegram takes.
    pub async fn read(request: Request) -> Result<Self, ApiError> {
        let mut params = Self::default();
        if let Some(query) = request.uri().query() {
            params.add_form(query.as_bytes());
        }
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("")
            .to_owned();
        if kind.starts_with("multipart/form-data") {
            params.add_multipart(request).await?;
        } else {
            let body = to_bytes(request.into_body(), BODY_LIMIT)
                .await
                .map_err(|_| ApiError::new(413, "Request Entity Too Large"))?;
            if kind.starts_with("application/json") {
                params.add_json(&body)?;
            } else if kind.starts_with("application/x-www-form-urlencoded") {
                params.add_form(&body);
            }
        }
        params.lift_structured();
        Ok(params)
    }

    fn add_json(&mut self, body: &[u8]) -> Result<(), ApiError> {
        if body.is_empty() {
            return Ok(());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => {
                self.values
                    .extend(map.into_iter().filter(|(_, value)| !value.is_null()));
                Ok(())
            }
            Ok(Value::Null) => Ok(()),
            _ => Err(ApiError::bad("object expected")),
        }
    }

    fn add_form(&mut self, body: &[u8]) {
        for pair in body.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let key = percent_decoded(halves.next().unwrap_or_default());
            let value = percent_decoded(halves.next().unwrap_or_default());
            self.values.insert(key, Value::String(value));
        }
    }

    async fn add_multipart(&mut self, request: Request) -> Result<(), ApiError> {
        let broken = |_| ApiError::bad("can't parse multipart/form-data");
        let mut multipart = Multipart::from_request(request, &())
            .await
            .map_err(|_| ApiError::bad("can't parse multipart/form-data"))?;
        while let Some(field) = multipart.next_field().await.map_err(broken)? {
            let key = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let mime = field.content_type().map(str::to_owned);
            let bytes = field.bytes().await.map_err(broken)?;
            match file_name {
                Some(name) => {
                    self.uploads.insert(key, Upload { name, mime, bytes });
                }
                None => {
                    self.values.insert(
                        key,
                        Value::String(String::from_utf8_lossy(&bytes).into_owned()),
                    );
                }
            }
        }
        Ok(())
    }

    fn lift_structured(&mut self) {
        for key in STRUCTURED {
            if let Some(Value::String(text)) = self.values.get(*key)
                && let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
            {
                self.values.insert((*key).to_owned(), value);
            }
        }
    }

    pub fn int(&self, key: &str) -> Option<i64> {
        match self.values.get(key)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key)?.as_str()
    }

    /// Forms say `true`, `True` or `1`.
    pub fn flag(&self, key: &str) -> bool {
        match self.values.get(key) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true") || text == "1",
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    pub fn array(&self, key: &str) -> Option<&Vec<Value>> {
        self.values.get(key)?.as_array()
    }
}

fn percent_decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit =
                    |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).unwrap_or(0) as u8;
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                bytes.push(high * 16 + low);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
