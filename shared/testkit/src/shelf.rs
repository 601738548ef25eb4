//! An index of skills in memory.

use async_trait::async_trait;
use domain::skill::Package;
use ports::shelf::{Fetched, Offer, Shelf, ShelfError};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

#[derive(Default)]
pub struct MemoryShelf(Mutex<BTreeMap<String, Package>>);

impl MemoryShelf {
    /// Lays a skill on it, in the place of one of the same name.
    pub fn put(&self, package: Package) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.insert(package.front.name.clone(), package);
    }

    /// An archive here is a name: that of a skill which lies on the shelf, with the file's ending.
    fn archived(&self, name: &str) -> Result<Package, ShelfError> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = name.strip_suffix(".zip").and_then(|name| shelf.get(name));
        found
            .cloned()
            .ok_or_else(|| ShelfError::Missing(name.to_owned()))
    }
}

#[async_trait]
impl Shelf for MemoryShelf {
    async fn offers(&self) -> Result<Vec<Offer>, ShelfError> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let offer = |name: &String| Offer {
            name: name.clone(),
            source: "memory".to_owned(),
        };
        Ok(shelf.keys().map(offer).collect())
    }

    async fn fetch(&self, name: &str) -> Result<Fetched, ShelfError> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let package = shelf.get(name).cloned();
        let package = package.ok_or_else(|| ShelfError::Missing(name.to_owned()))?;
        let source = "the index: memory".to_owned();
        Ok(Fetched { package, source })
    }

    fn is_skill(&self, name: &str, _bytes: &[u8]) -> bool {
        self.archived(name).is_ok()
    }

    async fn unpack(&self, name: &str, _bytes: &[u8]) -> Result<Package, ShelfError> {
        self.archived(name)
    }
}
