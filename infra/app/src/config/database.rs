//! Which database a URL means. SQLite is built in; for the others a clear word.

use std::path::{Path, PathBuf};

/// The SQLite file that the text names, as it stands or as `sqlite:` URL.
///
/// # Errors
/// The rest of a sentence that begins with the setting's name.
pub fn file(text: &str) -> Result<PathBuf, String> {
    for other in ["postgres", "postgresql", "dynamodb", "mysql"] {
        if text
            .strip_prefix(other)
            .is_some_and(|rest| rest.starts_with("://"))
        {
            return Err(format!(
                "names {other}, which is not built into this program yet: leave it out, or name a SQLite file"
            ));
        }
    }
    let path = text
        .strip_prefix("sqlite://")
        .or_else(|| text.strip_prefix("sqlite:"))
        .or_else(|| text.strip_prefix("file://"))
        .unwrap_or(text);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    if path.is_empty() || path == ":memory:" {
        return Err("must name a file: a database in memory would lose what waits".to_owned());
    }
    if path.contains("://") {
        return Err("must be a path or sqlite://path".to_owned());
    }
    if path.ends_with('/') {
        return Err("must name a file, not a directory".to_owned());
    }
    Ok(Path::new(path).to_owned())
}
