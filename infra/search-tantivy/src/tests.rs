//! The suite for search indexes, over blobs in memory and a cache directory; and what only this one promises.

use crate::{Place, TantivyIndex};
use async_trait::async_trait;
use domain::knowledge::Segment;
use std::{path::PathBuf, sync::Arc};
use tempfile::TempDir;
use testkit::{
    blobs::MemoryBlobs,
    contract::{
        Broken, Outcome,
        search::{Indexed, Spoiling},
    },
};

mod cached;
mod exact;
mod languages;
mod ranked;

struct Vandal {
    blobs: Arc<MemoryBlobs>,
    directory: PathBuf,
}

#[async_trait]
impl Spoiling for Vandal {
    async fn spoil(&self, segment: &Segment) -> Outcome {
        self.blobs.damage(&segment.blob);
        std::fs::write(self.directory.join(segment.blob.as_str()), "spoiled")?;
        Ok(())
    }
}

async fn make() -> Result<(Indexed, TempDir), Broken> {
    let directory = tempfile::tempdir()?;
    let blobs = Arc::new(MemoryBlobs::new());
    let vandal = Box::new(Vandal {
        blobs: blobs.clone(),
        directory: directory.path().to_owned(),
    });
    let index = Arc::new(TantivyIndex::new(blobs, place(&directory)));
    Ok((Indexed { index, vandal }, directory))
}

fn place(directory: &TempDir) -> Place {
    Place {
        directory: directory.path().to_owned(),
        limit: 1_000_000,
    }
}

testkit::search_contract!(make);
