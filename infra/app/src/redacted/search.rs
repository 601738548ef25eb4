//! The index of the knowledge: no secret becomes a word of it, and none is searched for.

use super::Redacted;
use domain::{
    knowledge::{Manifest, Revision, Segment},
    redact::Redactor,
};
use ports::search::{Entry, Hit, Merged, Search, SearchError, SearchIndex};
use std::ops::Range;

#[async_trait::async_trait]
impl SearchIndex for Redacted<dyn SearchIndex> {
    async fn write(&self, seal: &str, entries: Vec<Entry>) -> Result<Segment, SearchError> {
        let redactor = self.redaction.now();
        let entries = entries.into_iter().map(|entry| clean(&redactor, entry));
        self.inner.write(seal, entries.collect()).await
    }

    async fn merge(&self, segments: &[Segment], gone: &[Revision]) -> Result<Merged, SearchError> {
        self.inner.merge(segments, gone).await
    }

    async fn delete(&self, segments: &[Segment]) -> Result<(), SearchError> {
        self.inner.delete(segments).await
    }

    async fn search(&self, of: &[Manifest], search: &Search) -> Result<Vec<Hit>, SearchError> {
        let search = Search {
            text: self.redaction.text(&search.text),
            limit: search.limit,
        };
        self.inner.search(of, &search).await
    }

    async fn verify(&self, manifest: &Manifest) -> Result<u64, SearchError> {
        self.inner.verify(manifest).await
    }

    fn highlight(&self, search: &str, text: &str, language: Option<&str>) -> Vec<Range<usize>> {
        self.inner.highlight(search, text, language)
    }
}

fn clean(redactor: &Redactor, entry: Entry) -> Entry {
    let text = |text: &str| redactor.text(text).into_owned();
    Entry {
        title: text(&entry.title),
        headings: text(&entry.headings),
        text: text(&entry.text),
        ..entry
    }
}
