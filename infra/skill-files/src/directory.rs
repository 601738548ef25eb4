//! A folder: its plain files, at most as many as a skill has. Links are refused, whatever they point at.

use crate::{File, too_many};
use domain::skill::{FILE_BYTES, FILES};
use rustix::fs::OFlags;
use std::{
    fs::{self, OpenOptions},
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Folders below each other.
const DEPTH: usize = 8;
/// What version control and Python leave there is no part of a skill.
const PASSED_OVER: [&str; 3] = [".git", "__pycache__", ".DS_Store"];

pub fn files(root: &Path) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    walk(root, "", 0, &mut files)?;
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, depth: usize, files: &mut Vec<File>) -> Result<(), String> {
    if depth > DEPTH {
        return Err(format!("has more than {DEPTH} folders below each other"));
    }
    let entries = fs::read_dir(folder).map_err(|error| format!("can’t be read: {error}"))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("can’t be read: {error}"))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err("has a file whose name is no UTF-8".to_owned());
        };
        if PASSED_OVER.contains(&name) {
            continue;
        }
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(|error| error.to_string())?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), depth + 1, files)?;
        } else if kind.is_file() {
            if files.len() >= FILES {
                return Err(format!("is no skill: {}", too_many(files.len() + 1)));
            }
            let content = bytes(&entry.path(), FILE_BYTES as u64);
            files.push((
                path.clone(),
                content.map_err(|why| format!("has {path}, which {why}"))?,
            ));
        } else {
            return Err(format!("has {path}, which is a link or no plain file"));
        }
    }
    Ok(())
}

/// A file's content, if it is a plain one and no larger than that.
pub fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| format!("can’t be opened: {error}"))?;
    let about = file.metadata().map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("is no plain file".to_owned());
    }
    let mut content = Vec::new();
    let read = file.take(limit + 1).read_to_end(&mut content);
    read.map_err(|error| format!("can’t be read: {error}"))?;
    match content.len() as u64 > limit {
        true => Err(format!("has more than {limit} bytes")),
        false => Ok(content),
    }
}
