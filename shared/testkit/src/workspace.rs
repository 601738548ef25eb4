//! Workspaces in memory: files in a map, with the port's rules about paths and sizes.

use async_trait::async_trait;
use domain::{Digest, content, id::SessionId};
use globset::Glob;
use ports::{
    Workspace,
    workspace::{
        ENTRIES_LIMIT, Entry, FileText, Found, READ_LIMIT, WRITE_LIMIT, WorkspaceError, Workspaces,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// One workspace a session, made when it is opened; and directories of people's own, which a test makes.
#[derive(Default)]
pub struct MemoryWorkspaces {
    made: Mutex<BTreeMap<String, Arc<MemoryWorkspace>>>,
}

impl MemoryWorkspaces {
    /// The session's workspace, as the handler will find it.
    pub fn of(&self, session: &SessionId) -> Arc<MemoryWorkspace> {
        self.at(&format!("/memory/{session}"))
    }

    /// A directory of a person's own, which is there from now on.
    pub fn own(&self, path: &str) -> Arc<MemoryWorkspace> {
        self.at(path)
    }

    fn at(&self, root: &str) -> Arc<MemoryWorkspace> {
        let mut made = lock(&self.made);
        let workspace = made
            .entry(root.to_owned())
            .or_insert_with(|| Arc::new(MemoryWorkspace::new(root)));
        Arc::clone(workspace)
    }
}

#[async_trait]
impl Workspaces for MemoryWorkspaces {
    async fn open(
        &self,
        session: &SessionId,
        own: Option<&str>,
    ) -> Result<Arc<dyn Workspace>, WorkspaceError> {
        match own {
            None => Ok(self.of(session)),
            Some(own) => match lock(&self.made).get(own) {
                Some(workspace) => Ok(Arc::clone(workspace) as Arc<dyn Workspace>),
                None => Err(WorkspaceError::Missing(own.to_owned())),
            },
        }
    }
}

/// Files by normal path; directories are where files are.
pub struct MemoryWorkspace {
    root: PathBuf,
    files: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl MemoryWorkspace {
    #[must_use]
    pub fn new(root: &str) -> Self {
        Self {
            root: PathBuf::from(root),
            files: Mutex::default(),
        }
    }

    /// Puts a file there, as a person at the machine or a command would.
    pub fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        lock(&self.files).insert(path.to_owned(), bytes.into());
    }

    pub fn remove(&self, path: &str) {
        lock(&self.files).remove(path);
    }

    /// A file's text, if it is there.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<String> {
        let bytes = lock(&self.files).get(path).cloned()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// `./a//b` as `a/b`, the root as the empty text.
fn normal(path: &str) -> Result<String, WorkspaceError> {
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(WorkspaceError::Outside(path.to_owned()));
    }
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    Ok(parts.collect::<Vec<_>>().join("/"))
}

fn is_below(path: &str, directory: &str) -> bool {
    directory.is_empty()
        || path
            .strip_prefix(directory)
            .is_some_and(|rest| rest.starts_with('/'))
}

fn text_of(path: &str, bytes: &[u8]) -> Result<FileText, WorkspaceError> {
    let size = bytes.len() as u64;
    if size > READ_LIMIT {
        let (path, limit) = (path.to_owned(), READ_LIMIT);
        return Err(WorkspaceError::TooLarge {
            path,
            bytes: size,
            limit,
        });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(FileText {
            text: text.to_owned(),
            digest: Digest::of_bytes(bytes),
        }),
        _ => Err(WorkspaceError::Binary(path.to_owned())),
    }
}

#[async_trait]
impl Workspace for MemoryWorkspace {
    fn root(&self) -> PathBuf {
        self.root.clone()
    }

    async fn list(
        &self,
        path: &str,
        recursive: bool,
    ) -> Result<(Vec<Entry>, bool), WorkspaceError> {
        let directory = normal(path)?;
        let files = lock(&self.files);
        if files.contains_key(&directory) {
            return Err(WorkspaceError::NotDirectory(path.to_owned()));
        }
        if !directory.is_empty() && !files.keys().any(|file| is_below(file, &directory)) {
            return Err(WorkspaceError::Missing(path.to_owned()));
        }
        let start = if directory.is_empty() {
            0
        } else {
            directory.len() + 1
        };
        let mut found = BTreeSet::new();
        for (file, bytes) in files.iter().filter(|(file, _)| is_below(file, &directory)) {
            for (slash, _) in file[start..].match_indices('/') {
                found.insert((format!("{}/", &file[..start + slash]), 0));
            }
            found.insert((file.clone(), bytes.len() as u64));
        }
        let entries = found
            .into_iter()
            .filter(|(path, _)| recursive || !path[start..].trim_end_matches('/').contains('/'))
            .map(|(path, bytes)| Entry { path, bytes });
        let mut entries: Vec<Entry> = entries.collect();
        let more = entries.len() > ENTRIES_LIMIT;
        entries.truncate(ENTRIES_LIMIT);
        Ok((entries, more))
    }

    async fn read(&self, path: &str) -> Result<FileText, WorkspaceError> {
        let file = normal(path)?;
        let files = lock(&self.files);
        match files.get(&file) {
            Some(bytes) => text_of(path, bytes),
            None if files.keys().any(|other| is_below(other, &file)) || file.is_empty() => {
                Err(WorkspaceError::IsDirectory(path.to_owned()))
            }
            None => Err(WorkspaceError::Missing(path.to_owned())),
        }
    }

    async fn write(&self, path: &str, text: &str) -> Result<(), WorkspaceError> {
        let file = normal(path)?;
        let (bytes, limit) = (text.len() as u64, WRITE_LIMIT);
        if bytes > limit {
            let path = path.to_owned();
            return Err(WorkspaceError::TooLarge { path, bytes, limit });
        }
        let mut files = lock(&self.files);
        if file.is_empty() || files.keys().any(|other| is_below(other, &file)) {
            return Err(WorkspaceError::IsDirectory(path.to_owned()));
        }
        if files.keys().any(|other| is_below(&file, other)) {
            return Err(WorkspaceError::NotDirectory(path.to_owned()));
        }
        files.insert(file, text.as_bytes().to_vec());
        Ok(())
    }

    async fn search(&self, needle: &str, glob: &str) -> Result<(Vec<Found>, bool), WorkspaceError> {
        let pattern = Glob::new(glob).map_err(|_| WorkspaceError::Pattern(glob.to_owned()))?;
        let pattern = pattern.compile_matcher();
        let mut found = Vec::new();
        for (path, bytes) in lock(&self.files).iter() {
            let Ok(file) = text_of(path, bytes) else {
                continue;
            };
            let lines = file.text.lines().zip(1..);
            for (text, line) in
                lines.filter(|(text, _)| pattern.is_match(path) && text.contains(needle))
            {
                let text = content::prefix(text, 400).to_owned();
                found.push(Found {
                    path: path.clone(),
                    line,
                    text,
                });
            }
        }
        let more = found.len() > ENTRIES_LIMIT;
        found.truncate(ENTRIES_LIMIT);
        Ok((found, more))
    }

    async fn manifest(&self) -> Result<Digest, WorkspaceError> {
        let files = lock(&self.files);
        let listed: Vec<(&String, Digest)> = files
            .iter()
            .map(|(path, bytes)| (path, Digest::of_bytes(bytes)))
            .collect();
        Digest::of(&listed).map_err(|e| WorkspaceError::Io(e.to_string()))
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
