//! What needs the whole tree: listings, searching, and the manifest that an approval is bound to. No link is followed.

use crate::{
    beneath::{Clean, Root, kind, open_entry, refused, stat_entry},
    read::{as_text, up_to},
};
use domain::Digest;
use ports::workspace::{ENTRIES_LIMIT, Entry, Found, WRITE_LIMIT, WorkspaceError};
use rustix::{
    fd::{AsFd, BorrowedFd, OwnedFd},
    fs::{Dir, FileType, OFlags, Stat},
    io::Errno,
};

/// Deeper trees are not made by people. It also bounds the open descriptors (one per level) and our stack.
const DEPTH_LIMIT: usize = 100;
/// Entries that are looked at, in all. A checkout with its dependencies has some 100,000.
const VISIT_LIMIT: usize = 1_000_000;
/// Bytes of a found line that are shown.
const LINE_LIMIT: usize = 400;
/// Larger files count in the manifest by size and time of change only, and are not searched.
const CONTENT_LIMIT: u64 = WRITE_LIMIT;

/// A visit's answer: go on, or enough.
pub type More = bool;

struct Walk<'a> {
    visit: &'a mut dyn FnMut(Visited<'_>) -> More,
    recursive: bool,
    visited: usize,
    /// Where the walk is, relative to the root, and how far below its start.
    path: Vec<u8>,
    depth: usize,
    /// Something was left out: too deep, too much, or the visitor had enough.
    cut: bool,
}

pub struct Visited<'a> {
    pub directory: BorrowedFd<'a>,
    pub name: &'a [u8],
    /// Relative to the root, as bytes: names need not be UTF-8.
    pub path: &'a [u8],
    pub stat: Stat,
}

impl Visited<'_> {
    pub fn open(&self) -> Result<OwnedFd, Errno> {
        let file = open_entry(self.directory, self.name, OFlags::RDONLY)?;
        // Between the listing and now it may have become another thing.
        match kind(&rustix::fs::fstat(&file)?) {
            FileType::RegularFile => Ok(file),
            _ => Err(Errno::NXIO),
        }
    }
}

impl Walk<'_> {
    fn directory(&mut self, directory: &OwnedFd) -> Result<More, Errno> {
        for name in sorted_names(directory)? {
            let Ok(stat) = stat_entry(directory.as_fd(), &name) else {
                continue;
            };
            self.visited += 1;
            if self.visited > VISIT_LIMIT {
                self.cut = true;
                return Ok(false);
            }
            let length = self.path.len();
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(&name);
            let more = self.entry(directory, &name, stat);
            self.path.truncate(length);
            if !more {
                self.cut = true;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn entry(&mut self, directory: &OwnedFd, name: &[u8], stat: Stat) -> More {
        if !(self.visit)(Visited {
            directory: directory.as_fd(),
            name,
            path: &self.path,
            stat,
        }) {
            return false;
        }
        if !self.recursive || kind(&stat) != FileType::Directory {
            return true;
        }
        if self.depth == DEPTH_LIMIT {
            self.cut = true;
            return true;
        }
        // One that cannot be opened has no entries for us; that it is there has been seen.
        let Ok(below) = open_entry(directory.as_fd(), name, OFlags::RDONLY | OFlags::DIRECTORY)
        else {
            return true;
        };
        self.depth += 1;
        let more = self.directory(&below).unwrap_or(true);
        self.depth -= 1;
        more
    }
}

fn sorted_names(directory: &OwnedFd) -> Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.to_vec());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Visits what is below `path` and answers whether something was left out.
pub fn walk(
    root: &Root,
    path: &Clean,
    recursive: bool,
    visit: &mut dyn FnMut(Visited<'_>) -> More,
) -> Result<bool, WorkspaceError> {
    let start = root.open_beneath(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let prefix = if path.is_root() {
        Vec::new()
    } else {
        path.as_str().as_bytes().to_vec()
    };
    let mut walk = Walk {
        visit,
        recursive,
        visited: 0,
        path: prefix,
        depth: 0,
        cut: false,
    };
    walk.directory(&start)
        .map_err(|e| refused(e, path.as_str()))?;
    Ok(walk.cut)
}

pub fn list(
    root: &Root,
    path: &str,
    recursive: bool,
) -> Result<(Vec<Entry>, bool), WorkspaceError> {
    let mut entries = Vec::new();
    let cut = walk(root, &Clean::new(path)?, recursive, &mut |visited| {
        // One more than is shown tells "exactly as many" from "more".
        if entries.len() > ENTRIES_LIMIT {
            return false;
        }
        let mut path = String::from_utf8_lossy(visited.path).into_owned();
        let directory = kind(&visited.stat) == FileType::Directory;
        if directory {
            path.push('/');
        }
        let bytes = if directory {
            0
        } else {
            u64::try_from(visited.stat.st_size).unwrap_or(0)
        };
        entries.push(Entry { path, bytes });
        true
    })?;
    let more = cut || entries.len() > ENTRIES_LIMIT;
    entries.truncate(ENTRIES_LIMIT);
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((entries, more))
}

pub fn search(root: &Root, needle: &str, glob: &str) -> Result<(Vec<Found>, bool), WorkspaceError> {
    if needle.is_empty() {
        return Err(WorkspaceError::Pattern(String::new()));
    }
    let matcher = globset::GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .map_err(|_| WorkspaceError::Pattern(glob.to_owned()))?
        .compile_matcher();
    // As people expect from ripgrep and .gitignore: `*.rs` means one at any depth, `src/*.rs` only there.
    let by_name = !glob.contains('/');
    let mut found = Vec::new();
    let cut = walk(root, &Clean::new(".")?, true, &mut |visited| {
        let path = String::from_utf8_lossy(visited.path);
        let compared = if by_name {
            path.rsplit('/').next().unwrap_or(&path)
        } else {
            &path
        };
        if kind(&visited.stat) != FileType::RegularFile || !matcher.is_match(compared) {
            return true;
        }
        let Some(text) = visited
            .open()
            .ok()
            .and_then(|file| up_to(file, CONTENT_LIMIT).ok().flatten())
            .and_then(as_text)
        else {
            return true;
        };
        for (number, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains(needle))
        {
            if found.len() == ENTRIES_LIMIT {
                return false;
            }
            let line_number = u32::try_from(number + 1).unwrap_or(u32::MAX);
            found.push(Found {
                path: path.to_string(),
                line: line_number,
                text: shortened(line),
            });
        }
        true
    })?;
    Ok((found, cut))
}

fn shortened(line: &str) -> String {
    let mut end = line.len().min(LINE_LIMIT);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line[..end].to_owned()
}

pub fn manifest(root: &Root) -> Result<Digest, WorkspaceError> {
    let mut lines = Vec::new();
    let cut = walk(root, &Clean::new(".")?, true, &mut |visited| {
        // Each field's length goes before it, so that no choice of names makes two trees look alike.
        let state = state(&visited);
        for field in [visited.path, state.as_bytes()] {
            lines.extend_from_slice(&(field.len() as u64).to_le_bytes());
            lines.extend_from_slice(field);
        }
        true
    })?;
    if cut {
        // A part of the tree must never pass for all of it.
        return Err(WorkspaceError::Io(format!(
            "the workspace is too large to be approved as a whole: more than {VISIT_LIMIT} entries or {DEPTH_LIMIT} levels"
        )));
    }
    Ok(Digest::of_bytes(lines))
}

/// Kind, mode and content of one entry.
fn state(visited: &Visited<'_>) -> String {
    let stat = &visited.stat;
    let mode = stat.st_mode;
    let by_size = || {
        format!(
            "{mode:o} {} {}.{:09}",
            stat.st_size, stat.st_mtime, stat.st_mtime_nsec
        )
    };
    match kind(stat) {
        FileType::RegularFile if stat.st_size.unsigned_abs() > CONTENT_LIMIT => by_size(),
        FileType::RegularFile => match visited
            .open()
            .and_then(|file| up_to(file, CONTENT_LIMIT).map_err(|_| Errno::IO))
        {
            Ok(Some(bytes)) => format!("{mode:o} {}", Digest::of_bytes(bytes)),
            Ok(None) => by_size(),
            Err(_) => format!("{mode:o} unreadable"),
        },
        FileType::Symlink => {
            match rustix::fs::readlinkat(visited.directory, visited.name, Vec::new()) {
                Ok(target) => format!("{mode:o} {}", Digest::of_bytes(target.as_bytes())),
                Err(_) => format!("{mode:o} unreadable"),
            }
        }
        _ => format!("{mode:o}"),
    }
}
