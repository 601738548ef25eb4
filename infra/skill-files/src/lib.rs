//! Skills as files of this machine: a folder, a zip, a git bundle, and an index that names such.
//!
//! What is read is somebody else's: no link is followed, nothing is unpacked onto a disk, sizes are counted while they are read and
//! not believed. What makes a folder a skill is told in `domain::skill`.

mod bundle;
mod directory;
mod index;
mod zipped;

#[cfg(test)]
mod tests;

pub use index::Index;

use domain::skill::{BYTES, BadSkill, MANIFEST, Package};
use ports::{Sandbox, shelf::ShelfError};
use std::{collections::BTreeSet, path::Path};

/// Bytes of an archive; what is in it is limited by itself.
const ARCHIVE: u64 = 4 * BYTES as u64;

/// A file by its path within the folder or archive.
type File = (String, Vec<u8>);

/// Reads a folder, a `.zip` or a `.bundle` (of git, unpacked in the sandbox).
///
/// # Errors
/// [`ShelfError`].
pub async fn read(path: &Path, sandbox: Option<&dyn Sandbox>) -> Result<Package, ShelfError> {
    let shown = path.display().to_string();
    let files = match path.extension().and_then(|ending| ending.to_str()) {
        _ if path.is_dir() => of_disk(path, directory::files).await?,
        Some("zip") => {
            let bytes = of_disk(path, archive).await?;
            zipped::files(&bytes).map_err(|why| unreadable(&shown, why))?
        }
        Some("bundle") => {
            let bytes = of_disk(path, archive).await?;
            let zip = bundle::archived(bytes, sandbox).await;
            let zip = zip.map_err(|why| unreadable(&shown, why))?;
            zipped::files(&zip).map_err(|why| unreadable(&shown, why))?
        }
        _ if !path.exists() => return Err(ShelfError::Missing(shown)),
        _ => {
            let why = "is neither a folder nor a .zip or .bundle";
            return Err(unreadable(&shown, why.to_owned()));
        }
    };
    package(&shown, files)
}

/// Whether it is a zip with a SKILL.md, or a bundle of git. Only its list of contents is looked at.
#[must_use]
pub fn is_skill(bytes: &[u8]) -> bool {
    bundle::is(bytes) || zipped::has(bytes, MANIFEST)
}

/// Reads what came as one file of this name: a bundle of git, else a zip.
///
/// # Errors
/// [`ShelfError`].
pub async fn unpack(
    name: &str,
    bytes: &[u8],
    sandbox: Option<&dyn Sandbox>,
) -> Result<Package, ShelfError> {
    let unreadable = |why| unreadable(name, why);
    if bytes.len() as u64 > ARCHIVE {
        return Err(unreadable(format!("has more than {ARCHIVE} bytes")));
    }
    let files = match bundle::is(bytes) {
        true => {
            let zip = bundle::archived(bytes.to_vec(), sandbox).await;
            zipped::files(&zip.map_err(unreadable)?)
        }
        false => zipped::files(bytes),
    };
    package(name, files.map_err(unreadable)?)
}

fn package(shown: &str, files: Vec<File>) -> Result<Package, ShelfError> {
    let files = folder(files).map_err(|why| unreadable(shown, why))?;
    Package::read(files).map_err(|error| ShelfError::NoSkill {
        path: shown.to_owned(),
        error,
    })
}

fn unreadable(path: &str, why: String) -> ShelfError {
    ShelfError::Unreadable {
        path: path.to_owned(),
        why,
    }
}

async fn of_disk<T: Send + 'static>(
    path: &Path,
    read: fn(&Path) -> Result<T, String>,
) -> Result<T, ShelfError> {
    let (owned, shown) = (path.to_owned(), path.display().to_string());
    let done = tokio::task::spawn_blocking(move || read(&owned)).await;
    let done = done.unwrap_or_else(|error| Err(error.to_string()));
    done.map_err(|why| unreadable(&shown, why))
}

fn archive(path: &Path) -> Result<Vec<u8>, String> {
    directory::bytes(path, ARCHIVE)
}

/// The files of the one folder with a SKILL.md, which may be the top or one below it, as archives have it.
fn folder(files: Vec<File>) -> Result<Vec<File>, String> {
    let folders: BTreeSet<&str> = files
        .iter()
        .filter_map(|(path, _)| path.strip_suffix(MANIFEST))
        .filter(|folder| folder.is_empty() || folder.ends_with('/'))
        .collect();
    let folders: Vec<String> = folders.into_iter().map(str::to_owned).collect();
    match folders.as_slice() {
        [] => Err("has no SKILL.md".to_owned()),
        // A skill may have examples of skills in it.
        [top, ..] if top.is_empty() => Ok(files),
        [one] => {
            let inside = files.into_iter().filter_map(|(path, bytes)| {
                Some((path.strip_prefix(one.as_str())?.to_owned(), bytes))
            });
            Ok(inside.collect())
        }
        several => {
            let names: Vec<&str> = several
                .iter()
                .map(|name| name.trim_end_matches('/'))
                .collect();
            Err(format!(
                "has several skills: name the folder of one ({})",
                names.join(", ")
            ))
        }
    }
}

/// For errors of a skill that is read before all of it is known.
fn too_many(count: usize) -> String {
    BadSkill::TooManyFiles { count }.to_string()
}
