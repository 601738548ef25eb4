//! The search index on tantivy: immutable segments in the blob store, read through a local cache. Only this crate names tantivy.
