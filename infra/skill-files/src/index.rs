//! The index: `index.yaml` (or `.json`) in a directory, which names skills that lie beside it.
//!
//! ```yaml
//! skills:
//!   - name: release-notes
//!     path: release-notes        # a folder, a .zip or a .bundle, below this directory
//!     digest: 3f9a…              # if it is there, another content is refused
//! ```

use crate::{directory, read};
use domain::skill::{Package, check_path};
use ports::{
    Sandbox,
    shelf::{Fetched, Offer, Shelf, ShelfError},
};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

const FILES: [&str; 2] = ["index.yaml", "index.json"];
/// Bytes of the index.
const BYTES: u64 = 256 * 1024;

pub struct Index {
    directory: PathBuf,
    /// For git bundles.
    sandbox: Option<Arc<dyn Sandbox>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    skills: Vec<Entry>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    path: String,
    #[serde(default)]
    digest: String,
}

impl Index {
    #[must_use]
    pub fn new(directory: PathBuf, sandbox: Option<Arc<dyn Sandbox>>) -> Self {
        Self { directory, sandbox }
    }

    fn entries(&self) -> Result<Vec<Entry>, ShelfError> {
        let Some(path) = FILES
            .map(|file| self.directory.join(file))
            .into_iter()
            .find(|path| path.exists())
        else {
            return Ok(Vec::new());
        };
        let mut entries = parse(&path)?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let twice = entries.windows(2).find(|two| two[0].name == two[1].name);
        match twice {
            Some(two) => Err(unreadable(
                &path,
                format!("names two skills “{}”", two[0].name),
            )),
            None => Ok(entries),
        }
    }
}

fn unreadable(path: &Path, why: String) -> ShelfError {
    let path = path.display().to_string();
    ShelfError::Unreadable { path, why }
}

fn parse(path: &Path) -> Result<Vec<Entry>, ShelfError> {
    let text = directory::bytes(path, BYTES).map_err(|why| unreadable(path, why))?;
    let text = String::from_utf8_lossy(&text);
    let file: File = serde_saphyr::from_str(&text)
        .map_err(|error| unreadable(path, format!("can’t be read: {error}")))?;
    for entry in &file.skills {
        check_path(&entry.path).map_err(|error| unreadable(path, error.to_string()))?;
    }
    Ok(file.skills)
}

#[async_trait::async_trait]
impl Shelf for Index {
    async fn offers(&self) -> Result<Vec<Offer>, ShelfError> {
        let offer = |entry: Entry| Offer {
            name: entry.name,
            source: entry.path,
        };
        Ok(self.entries()?.into_iter().map(offer).collect())
    }

    async fn fetch(&self, name: &str) -> Result<Fetched, ShelfError> {
        let found = self.entries()?.into_iter().find(|entry| entry.name == name);
        let entry = found.ok_or_else(|| ShelfError::Missing(name.to_owned()))?;
        let path = self.directory.join(&entry.path);
        let package = read(&path, self.sandbox.as_deref()).await?;
        let changed = !entry.digest.is_empty() && entry.digest != package.digest.as_str();
        if changed || package.front.name != entry.name {
            return Err(ShelfError::Changed { name: entry.name });
        }
        Ok(Fetched {
            package,
            source: format!("the index: {}", entry.path),
        })
    }

    fn is_skill(&self, _: &str, bytes: &[u8]) -> bool {
        crate::is_skill(bytes)
    }

    async fn unpack(&self, name: &str, bytes: &[u8]) -> Result<Package, ShelfError> {
        crate::unpack(name, bytes, self.sandbox.as_deref()).await
    }
}
