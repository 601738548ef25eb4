//! Segments from the blob store, kept in a local directory under their digests.
//!
//! The directory may be shared by processes and deleted at any time. A file appears in it under its name with all its bytes; it is
//! checked when a process first opens it, and fetched again when it is not what its name says. Where nothing can be
//! written (a full disk) segments are read into memory. Beyond its limit the files go that nobody has opened for longest, and
//! those that nobody has opened for a day: another process may have deleted the segment.

use crate::{
    blocking,
    pack::{Pack, Packed},
    unkept,
};
use domain::{Digest, knowledge::Segment};
use ports::{Blobs, search::SearchError};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    fs::{self, File, FileTimes, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tantivy::directory::{Directory, FileSlice, MmapDirectory};

/// After which an unfinished file is of a process that died.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// After which a copy goes that nobody opened anew; who needs it fetches it again.
const UNUSED: Duration = Duration::from_secs(24 * 3600);
/// Between two looks at what there is, where little is written.
const LOOK: Duration = Duration::from_secs(3600);

/// Where segments are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub directory: PathBuf,
    /// Bytes. What is open may take more.
    pub limit: u64,
}

/// Of the limit: so much may be written before it is looked again what there is.
const UNSEEN: u64 = 16;

pub struct Cache {
    blobs: Arc<dyn Blobs>,
    kept: Arc<Kept>,
    /// What some view has open, by id.
    open: Mutex<HashMap<String, Weak<Pack>>>,
}

impl Cache {
    pub fn new(blobs: Arc<dyn Blobs>, place: Place) -> Self {
        Self {
            blobs,
            kept: Arc::new(Kept {
                place,
                // Whatever is written first, others have been here.
                unseen: AtomicU64::new(u64::MAX),
                looked: Mutex::new(SystemTime::UNIX_EPOCH),
            }),
            open: Mutex::default(),
        }
    }

    /// Into the blob store, and here.
    ///
    /// # Errors
    /// What the blob store answers.
    pub async fn keep(&self, packed: Packed) -> Result<Segment, SearchError> {
        let blob = self.blobs.put(&packed.bytes).await.map_err(unkept)?;
        let segment = Segment {
            id: blob.as_str().get(..32).unwrap_or_default().to_owned(),
            bytes: packed.bytes.len() as u64,
            passages: packed.passages,
            blob: blob.clone(),
        };
        self.keep_here(blob, packed.bytes).await?;
        Ok(segment)
    }

    /// From memory, from here, else from the blob store.
    ///
    /// # Errors
    /// [`SearchError::Damaged`] when it is in none of them as it should be.
    pub async fn open(&self, segment: &Segment) -> Result<Arc<Pack>, SearchError> {
        let known = self.opened().get(&segment.id).and_then(Weak::upgrade);
        if let Some(pack) = known {
            return Ok(pack);
        }
        let (kept, blob) = (self.kept.clone(), segment.blob.clone());
        let pack = match blocking(move || Ok(kept.read(&blob))).await? {
            Some(bytes) => Pack::open(bytes)?,
            None => {
                let bytes = self.blobs.get(&segment.blob).await.map_err(unkept)?;
                Pack::open(self.keep_here(segment.blob.clone(), bytes).await?)?
            }
        };
        let pack = Arc::new(pack);
        let mut opened = self.opened();
        opened.retain(|_, pack| pack.strong_count() > 0);
        opened.insert(segment.id.clone(), Arc::downgrade(&pack));
        Ok(pack)
    }

    /// From the blob store, whatever is here. A copy here that is not the same goes.
    ///
    /// # Errors
    /// [`SearchError::Damaged`] when it is not there as it should be.
    pub async fn fetch(&self, segment: &Segment) -> Result<Pack, SearchError> {
        let bytes = self.blobs.get(&segment.blob).await.map_err(unkept)?;
        let (kept, blob) = (self.kept.clone(), segment.blob.clone());
        blocking(move || Ok(kept.read(&blob))).await?;
        Pack::open(FileSlice::from(bytes))
    }

    /// From the blob store and from here. Whoever has it open keeps it until then.
    ///
    /// # Errors
    /// What the blob store answers.
    pub async fn delete(&self, segment: &Segment) -> Result<(), SearchError> {
        self.blobs.delete(&segment.blob).await.map_err(unkept)?;
        let (kept, blob) = (self.kept.clone(), segment.blob.clone());
        blocking(move || {
            // A copy that stays goes when it was not used for long enough.
            let _ = fs::remove_file(kept.path(&blob));
            Ok(())
        })
        .await
    }

    /// The bytes again: as a file where that is possible, else as they came.
    async fn keep_here(&self, blob: Digest, bytes: Vec<u8>) -> Result<FileSlice, SearchError> {
        let here = self.kept.clone();
        blocking(move || {
            let kept = here.write(&blob, &bytes).and_then(|()| here.map(&blob));
            Ok(kept.unwrap_or_else(|error| {
                tracing::warn!(%error, "a segment of the index stays in memory");
                FileSlice::from(bytes)
            }))
        })
        .await
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, HashMap<String, Weak<Pack>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The directory, and what is known of it.
struct Kept {
    place: Place,
    /// Bytes written since it was looked what is there.
    unseen: AtomicU64,
    looked: Mutex<SystemTime>,
}

impl Kept {
    fn path(&self, blob: &Digest) -> PathBuf {
        self.place.directory.join(blob.as_str())
    }

    fn map(&self, blob: &Digest) -> io::Result<FileSlice> {
        let directory = MmapDirectory::open(&self.place.directory).map_err(io::Error::other)?;
        let name = Path::new(blob.as_str());
        directory.open_read(name).map_err(io::Error::other)
    }

    /// What is kept under the digest, if it has it.
    fn read(&self, blob: &Digest) -> Option<FileSlice> {
        let path = self.path(blob);
        if digest(&path).ok()? != blob.as_str() {
            let _ = fs::remove_file(&path);
            return None;
        }
        // When it was used last; without it, it goes earlier.
        let used = FileTimes::new().set_modified(SystemTime::now());
        let _ = File::open(&path).and_then(|file| file.set_times(used));
        self.map(blob).ok()
    }

    fn write(&self, blob: &Digest, bytes: &[u8]) -> io::Result<()> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.place.directory)?;
        self.make_room(bytes.len() as u64);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let draft = format!("{}.{number}.incoming", std::process::id());
        let draft = self.place.directory.join(draft);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written = options
            .open(&draft)
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| fs::rename(&draft, self.path(blob)));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written
    }

    /// For so many bytes. Whoever has a file open that goes here keeps it open.
    fn make_room(&self, bytes: u64) {
        let unseen = self.unseen.load(Ordering::Relaxed).saturating_add(bytes);
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let long_ago = looked.elapsed().is_ok_and(|age| age > LOOK);
        let look = unseen > self.place.limit / UNSEEN || long_ago;
        self.unseen
            .store(if look { 0 } else { unseen }, Ordering::Relaxed);
        if !look {
            return;
        }
        *looked = SystemTime::now();
        drop(looked);
        let Ok(entries) = fs::read_dir(&self.place.directory) else {
            return;
        };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in entries.flatten() {
            if let Ok(about) = entry.metadata()
                && let Ok(used) = about.modified()
            {
                files.push((used, about.len(), entry.path()));
            }
        }
        files.sort();
        let mut all = files.iter().map(|(_, size, _)| size).sum::<u64>() + bytes;
        for (used, size, path) in files {
            let unfinished = path.extension().is_some();
            let older = |limit| used.elapsed().is_ok_and(|age| age > limit);
            let goes = match unfinished {
                true => older(FORGOTTEN),
                false => all > self.place.limit || older(UNUSED),
            };
            if goes {
                let _ = fs::remove_file(path);
                all = all.saturating_sub(size);
            }
        }
    }
}

/// Of a file, without having it in memory as a whole.
fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut bytes = vec![0; 128 * 1024];
    loop {
        match file.read(&mut bytes)? {
            0 => break,
            count => hash.update(bytes.get(..count).unwrap_or_default()),
        }
    }
    let hash = hash.finalize();
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}
