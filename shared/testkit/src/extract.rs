//! Reads any UTF-8 as text, for tests of what becomes of it.

use async_trait::async_trait;
use domain::knowledge::{Origin, Section, Unit};
use ports::extract::{Extract, ExtractError, Extracted, File};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Paragraphs are sections. What begins with `%PDF` needs a sandbox, unless there is one here; what is not UTF-8 is unreadable.
#[derive(Default, Debug)]
pub struct PlainExtract {
    pub sandbox: AtomicBool,
    /// How often it was asked.
    pub times: AtomicUsize,
}

#[async_trait]
impl Extract for PlainExtract {
    async fn extract(&self, file: File<'_>) -> Result<Extracted, ExtractError> {
        self.times.fetch_add(1, Ordering::SeqCst);
        if file.bytes.starts_with(b"%PDF") && !self.sandbox.load(Ordering::SeqCst) {
            return Err(ExtractError::NeedsSandbox);
        }
        let unreadable = |_| ExtractError::Unreadable("this is no text.".to_owned());
        let text = std::str::from_utf8(file.bytes).map_err(unreadable)?;
        let (mut sections, mut at, mut line) = (Vec::new(), 0, 1);
        for part in text.split_inclusive("\n\n") {
            sections.push(Section {
                text: part.to_owned(),
                origin: Some(Origin {
                    at,
                    unit: Unit::Utf8,
                }),
                line: Some(line),
                ..Section::default()
            });
            at += part.len() as u64;
            line += u32::try_from(part.matches('\n').count()).unwrap_or(u32::MAX);
        }
        Ok(Extracted {
            title: text.lines().next().unwrap_or(file.name).to_owned(),
            media_type: "text/plain".to_owned(),
            language: Some("en".to_owned()),
            pages: None,
            sections,
            skipped: Vec::new(),
        })
    }
}
