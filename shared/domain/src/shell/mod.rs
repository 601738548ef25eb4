//! What a shell line would do, read from its grammar and not from its first word.
//!
//! [`parse`] walks the whole line (pipelines, lists, groups, loops, substitutions, here-documents, `sh -c` scripts) and
//! names every command that it could start and every file that a redirection opens. It fails closed: what bash and dash
//! read differently, what is only known when it runs, and what this module does not know is an error or [`ShellLine::opaque`],
//! and no rule but a rule for everything allows those. Nothing is executed, nothing is expanded.
//!
//! The grammar is POSIX's (XCU 2.10) with the bash forms that people write. It is our own, in [`grammar`] and [`word`]: the
//! permissive parser crates we tried panic on some lines and read `( ( rm x ) )` as arithmetic. What commands start other
//! commands (`env`, `xargs`, `sudo`, …) is in [`reach`].

mod assign;
mod expansion;
mod grammar;
mod options;
mod reach;
mod redirect;
mod word;
mod wrappers;

#[cfg(test)]
mod tests;

use crate::permission::Access;

/// The longest line that is read, in bytes.
pub const LENGTH_LIMIT: usize = 64 * 1024;
/// How deep groups, substitutions and `sh -c` scripts may lie in each other.
pub const DEPTH_LIMIT: usize = 32;

/// Everything that a line would touch, in the order in which it is found (an inner command before the one around it).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ShellLine {
    pub commands: Vec<Command>,
    pub reads: Vec<Redirect>,
    pub writes: Vec<Redirect>,
    /// What cannot be judged, each as a few words for people: `the name of a command is only known when it runs`.
    pub opaque: Vec<String>,
}

/// One command with its words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// After quote removal. `None` is a word whose value (or number of words) is only known when it runs.
    pub words: Vec<Option<String>>,
    /// The same words as they stand in the line, for those that are `None`.
    pub source: Vec<String>,
}

/// A file that a redirection opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// Without `.` and doubled slashes. It may be absolute or climb with `..`: then no rule for paths allows it.
    pub path: String,
}

/// Why a line could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ShellError {
    #[error("the line has {0} bytes; at most {LENGTH_LIMIT} are read")]
    TooLong(usize),
    #[error("commands lie more than {DEPTH_LIMIT} deep in each other")]
    TooDeep,
    #[error("there is a control character in the line (U+{0:04X})")]
    Control(u32),
    #[error("{what} (at byte {at})")]
    Syntax { at: usize, what: &'static str },
}

/// Reads a line as `sh -c` or `bash -c` would.
///
/// # Errors
/// When it is too long or too deep, has control characters, is no shell grammar, or is a form that shells read differently.
pub fn parse(line: &str) -> Result<ShellLine, ShellError> {
    let mut out = ShellLine::default();
    reach::script(line, 0, &mut out)?;
    Ok(out)
}

/// What the line would touch, for `permission::Rules`. A line that cannot be read is one [`Access::Opaque`].
#[must_use]
pub fn accesses(line: &str) -> Vec<Access> {
    match parse(line) {
        Ok(found) => found.accesses(),
        Err(error) => vec![Access::Opaque(error.to_string())],
    }
}

impl ShellLine {
    /// Each thing once.
    #[must_use]
    pub fn accesses(&self) -> Vec<Access> {
        let commands = self
            .commands
            .iter()
            .map(|c| Access::Command(c.words.clone()));
        let writes = self
            .writes
            .iter()
            .map(|r| Access::FileWrite(r.path.clone()));
        let reads = self.reads.iter().map(|r| Access::FileRead(r.path.clone()));
        let opaque = self
            .opaque
            .iter()
            .map(|reason| Access::Opaque(reason.clone()));
        let mut all: Vec<Access> = Vec::new();
        for access in commands.chain(writes).chain(reads).chain(opaque) {
            if !all.contains(&access) {
                all.push(access);
            }
        }
        all
    }
}

/// For cards: a command a line with its words quoted, then what is written, read, and not understood.
impl std::fmt::Display for ShellLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut lines: Vec<String> = self.commands.iter().map(ToString::to_string).collect();
        lines.extend(self.writes.iter().map(|r| format!("> {}", quote(&r.path))));
        lines.extend(self.reads.iter().map(|r| format!("< {}", quote(&r.path))));
        lines.extend(self.opaque.iter().map(|reason| format!("? {reason}")));
        f.write_str(&lines.join("\n"))
    }
}

/// The words separated by spaces, quoted where the shell needs it; a word known only when it runs as it stands in the line.
impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, word) in self.words.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            match word {
                Some(text) => f.write_str(&quote(text))?,
                None => f.write_str(self.source.get(i).map_or("…", String::as_str))?,
            }
        }
        Ok(())
    }
}

/// A word so that a shell, and a command pattern of a rule, reads exactly this text.
#[must_use]
pub fn quote(text: &str) -> String {
    let plain = |c: char| {
        c.is_ascii_alphanumeric()
            || "_-./:=@%+,".contains(c)
            || (!c.is_ascii() && c.is_alphanumeric())
    };
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A path without `.` and doubled slashes; `..` stays, because what it means depends on links.
#[must_use]
pub(crate) fn tidy_path(path: &str) -> String {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}
