//! Which files are meant by the paths of a command line.

use ports::extract::MAX_BYTES;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file with the name that its document gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    pub name: String,
    /// None for the standard input.
    pub path: Option<PathBuf>,
    /// It was found below a directory: nobody asked for just this one.
    pub found: bool,
}

/// All files that are meant, and what can't be had. Below a directory, hidden files and links are passed over.
pub fn named(paths: &[PathBuf]) -> (Vec<Named>, Vec<String>) {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == "-" {
            files.push(Named {
                name: "stdin".to_owned(),
                path: None,
                found: false,
            });
            continue;
        }
        let name = base(path);
        let looked = match fs::metadata(path) {
            Ok(found) if found.is_dir() => below(path, &name, &mut files),
            Ok(_) => {
                files.push(Named {
                    name,
                    path: Some(path.clone()),
                    found: false,
                });
                Ok(())
            }
            Err(error) => Err(error),
        };
        problems.extend(
            looked
                .err()
                .map(|error| format!("{}: {error}", path.display())),
        );
    }
    (files, problems)
}

/// What a path is called, also `.` and `..`.
fn base(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().or_else(|| whole.file_name());
    name.unwrap_or_default().to_string_lossy().into_owned()
}

fn below(directory: &Path, name: &str, files: &mut Vec<Named>) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(directory)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        let own = entry.file_name().to_string_lossy().into_owned();
        if own.starts_with('.') {
            continue;
        }
        let name = format!("{name}/{own}");
        if kind.is_dir() {
            below(&entry.path(), &name, files)?;
        } else if kind.is_file() {
            files.push(Named {
                name,
                path: Some(entry.path()),
                found: true,
            });
        }
    }
    Ok(())
}

/// Its bytes, or why it is not taken.
pub fn read(file: &Named) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("it cannot be read ({error}).");
    let bytes = match &file.path {
        Some(path) => {
            let size = fs::metadata(path).map_err(failed)?.len();
            fits(size)?;
            fs::read(path).map_err(failed)?
        }
        None => {
            let mut bytes = Vec::new();
            let input = io::Read::take(io::stdin().lock(), MAX_BYTES + 1);
            io::Read::read_to_end(&mut { input }, &mut bytes).map_err(failed)?;
            bytes
        }
    };
    fits(bytes.len() as u64)?;
    match extract_text::no_text(&bytes) {
        // Among many files those without text are no failure, and need no record.
        Some(why) if file.found => Err(why.to_owned()),
        _ => Ok(bytes),
    }
}

fn fits(bytes: u64) -> Result<(), String> {
    match bytes {
        0 => Err("it is empty.".to_owned()),
        _ if bytes > MAX_BYTES => Err(format!(
            "it has {}, and at most {} are read: split it.",
            bot::text::en::bytes(bytes),
            bot::text::en::bytes(MAX_BYTES)
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_walked_in_order_without_what_is_hidden() {
        let place = tempfile::tempdir().unwrap();
        let docs = place.path().join("docs");
        fs::create_dir_all(docs.join("b/.git")).unwrap();
        for file in ["a.md", "b/c.txt", "b/.git/config", ".hidden"] {
            fs::write(docs.join(file), "x").unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", docs.join("link")).unwrap();
        let paths = [
            docs.clone(),
            docs.join("a.md"),
            docs.join("missing"),
            "-".into(),
        ];
        let (files, problems) = named(&paths);
        let names: Vec<&str> = files.iter().map(|file| &*file.name).collect();
        assert_eq!(names, ["docs/a.md", "docs/b/c.txt", "a.md", "stdin"]);
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn half_a_gigabyte_is_not_even_read() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("large.txt");
        fs::File::create(&path).unwrap().set_len(500 << 20).unwrap();
        let large = Named {
            name: "large.txt".to_owned(),
            path: Some(path),
            found: false,
        };
        let why = read(&large).unwrap_err();
        assert_eq!(why, "it has 524 MB, and at most 104 MB are read: split it.");
    }
}
