//! A zip, read in memory: how large an entry says that it is counts for nothing, how much comes out of it does.

use crate::{File, too_many};
use domain::skill::{BYTES, FILE_BYTES, FILES};
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// Entries of an archive, folders too.
const ENTRIES: usize = 10 * FILES;

/// Whether a file of this name is in it, in whatever folder; what is no zip has none.
pub fn has(bytes: &[u8], name: &str) -> bool {
    let is_it = |path: &str| path.rsplit('/').next() == Some(name);
    let archive = ZipArchive::new(Cursor::new(bytes));
    archive.is_ok_and(|archive| {
        archive
            .file_names()
            .any(|path| path.is_ok_and(|path| is_it(&path)))
    })
}

pub fn files(bytes: &[u8]) -> Result<Vec<File>, String> {
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|error| format!("is no zip: {error}"))?;
    if archive.len() > ENTRIES {
        return Err(format!("is no skill: {}", too_many(archive.len())));
    }
    let (mut files, mut total) = (Vec::new(), 0);
    for number in 0..archive.len() {
        let entry = archive
            .by_index(number)
            .map_err(|error| format!("is damaged: {error}"))?;
        let name = std::str::from_utf8(entry.name_raw())
            .map_err(|_| "has a file whose name is no UTF-8")?;
        let name = name.to_owned();
        if entry.is_symlink() {
            return Err(format!("has {name}, which is a link"));
        }
        if entry.is_dir() || name.ends_with('/') {
            continue;
        }
        if files.len() >= FILES {
            return Err(format!("is no skill: {}", too_many(files.len() + 1)));
        }
        let mut content = Vec::new();
        let read = entry.take(FILE_BYTES as u64 + 1).read_to_end(&mut content);
        read.map_err(|error| format!("is damaged: {name}: {error}"))?;
        total += content.len();
        if content.len() > FILE_BYTES || total > BYTES {
            return Err(format!("has more in {name} than a skill may have"));
        }
        files.push((name, content));
    }
    Ok(files)
}
