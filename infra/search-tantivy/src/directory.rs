//! What tantivy takes for a directory with an index: packed segments, and a `meta.json` that names them. It is read only.

use crate::pack::Pack;
use std::{collections::BTreeMap, io, path::Path, sync::Arc};
use tantivy::directory::{
    Directory, DirectoryLock, FileHandle, Lock, WatchCallback, WatchHandle, WritePtr,
    error::{DeleteError, LockError, OpenReadError, OpenWriteError},
};

/// Segments by their ids.
#[derive(Clone, Debug)]
pub struct Packs {
    meta: Arc<[u8]>,
    packs: Arc<BTreeMap<String, Arc<Pack>>>,
}

impl Packs {
    /// `meta`: JSON of tantivy's `IndexMeta`.
    pub fn new(meta: Vec<u8>, packs: BTreeMap<String, Arc<Pack>>) -> Self {
        Self {
            meta: meta.into(),
            packs: Arc::new(packs),
        }
    }

    fn find(&self, path: &Path) -> Option<Arc<dyn FileHandle>> {
        let (segment, ending) = path.to_str()?.split_once('.')?;
        let file = self.packs.get(segment)?.file(ending)?;
        Some(Arc::new(file))
    }
}

impl Directory for Packs {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.find(path)
            .ok_or_else(|| OpenReadError::FileDoesNotExist(path.to_owned()))
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(path == Path::new("meta.json") || self.find(path).is_some())
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        if path == Path::new("meta.json") {
            return Ok(self.meta.to_vec());
        }
        Err(OpenReadError::FileDoesNotExist(path.to_owned()))
    }

    fn atomic_write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(read_only())
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::wrap_io_error(read_only(), path.to_owned()))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        Err(DeleteError::IoError {
            io_error: Arc::new(read_only()),
            filepath: path.to_owned(),
        })
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    /// Against a writer, of which there is none.
    fn acquire_lock(&self, _: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

fn read_only() -> io::Error {
    io::Error::from(io::ErrorKind::ReadOnlyFilesystem)
}
