//! Reading one text file.

use crate::beneath::{Clean, Root, kind, refused};
use domain::Digest;
use ports::workspace::{FileText, READ_LIMIT, WorkspaceError};
use rustix::{
    fd::OwnedFd,
    fs::{FileType, OFlags},
};
use std::{fs::File, io::Read};

/// Where a NUL makes a file binary, as git decides it.
const BINARY_PROBE: usize = 8 * 1024;

pub fn read(root: &Root, path: &str) -> Result<FileText, WorkspaceError> {
    let clean = Clean::new(path)?;
    let named = || clean.as_str().to_owned();
    let file = match root.open_beneath(&clean, OFlags::RDONLY) {
        // `notes.md/x`: it is not there, and saying that “notes.md/x is not a directory” would mislead.
        Err(WorkspaceError::NotDirectory(path)) => return Err(WorkspaceError::Missing(path)),
        other => other?,
    };
    let stat = rustix::fs::fstat(&file).map_err(|e| refused(e, clean.as_str()))?;
    match kind(&stat) {
        FileType::RegularFile if path.ends_with('/') => {
            return Err(WorkspaceError::NotDirectory(named()));
        }
        FileType::RegularFile => {}
        FileType::Directory => return Err(WorkspaceError::IsDirectory(named())),
        _ => return Err(WorkspaceError::Special(named())),
    }
    let too_large = |bytes| WorkspaceError::TooLarge {
        path: clean.as_str().to_owned(),
        bytes,
        limit: READ_LIMIT,
    };
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    if size > READ_LIMIT {
        return Err(too_large(size));
    }
    let bytes = match up_to(file, READ_LIMIT)
        .map_err(|e| WorkspaceError::Io(format!("“{}”: {e}", clean.as_str())))?
    {
        Some(bytes) => bytes,
        None => return Err(too_large(READ_LIMIT + 1)),
    };
    let digest = Digest::of_bytes(&bytes);
    let text = as_text(bytes).ok_or_else(|| WorkspaceError::Binary(named()))?;
    Ok(FileText { text, digest })
}

/// All bytes, or none when there are more than `limit`. Its size is not asked for: it may grow while it is read, and files in
/// `/proc` say 0.
pub fn up_to(file: OwnedFd, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::from(file).take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// None for binary content.
pub fn as_text(bytes: Vec<u8>) -> Option<String> {
    let probe = bytes.get(..BINARY_PROBE).unwrap_or(&bytes);
    if probe.contains(&0) {
        return None;
    }
    String::from_utf8(bytes).ok()
}
