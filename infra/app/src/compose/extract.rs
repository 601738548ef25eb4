//! Who reads which file: the bytes decide, not the name.

use super::sandbox;
use crate::config::Config;
use extract_pdf::{PdfExtract, is_pdf};
use ports::{
    Extract, Sandbox,
    extract::{ExtractError, Extracted, File},
};
use std::sync::Arc;

/// Text everywhere, PDFs where there is a sandbox.
pub struct Extractors {
    pdf: Option<PdfExtract>,
}

impl Extractors {
    /// `sandbox`: none where the process can't have one and another one does this work. A sandbox that refuses says why in
    /// each document.
    #[must_use]
    pub fn new(config: &Config, sandbox: Option<Arc<dyn Sandbox>>) -> Self {
        let scratch = config.home.join("cache").join("extract");
        let pdf = sandbox.map(|sandbox| {
            PdfExtract::new(sandbox, scratch)
                .owned_by(sandbox::uid())
                .within(config.pdf)
        });
        Self { pdf }
    }
}

#[async_trait::async_trait]
impl Extract for Extractors {
    async fn extract(&self, file: File<'_>) -> Result<Extracted, ExtractError> {
        if !is_pdf(file.bytes) {
            return text(file).await;
        }
        let Some(pdf) = &self.pdf else {
            return Err(ExtractError::NeedsSandbox);
        };
        let mut extracted = pdf.extract(file).await?;
        extract_text::speak(&mut extracted);
        Ok(extracted)
    }
}

/// In a thread of its own: a large file takes seconds of a processor.
async fn text(file: File<'_>) -> Result<Extracted, ExtractError> {
    let (name, bytes) = (file.name.to_owned(), file.bytes.to_vec());
    let reading = tokio::task::spawn_blocking(move || {
        extract_text::read(File {
            name: &name,
            bytes: &bytes,
        })
    });
    // What a reader dies of, it would die of again.
    let broken =
        |_| ExtractError::Unreadable("this file can’t be read: save it as plain text.".to_owned());
    reading.await.map_err(broken)?
}
