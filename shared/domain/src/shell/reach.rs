//! From commands as written to what they reach: files that are opened, and commands that start other commands.

use super::{
    Command, DEPTH_LIMIT, LENGTH_LIMIT, Redirect, ShellError, ShellLine, assign,
    grammar::{Open, Simple},
    tidy_path,
    word::{Scanner, Word},
    wrappers,
};

/// Redirections that neither show nor change anything.
const FREE: [&str; 4] = ["/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr"];

/// A word of a command whose reach is looked for.
#[derive(Clone, Debug)]
pub(super) struct Arg {
    pub text: Option<String>,
    pub source: String,
    /// Nothing in it is expanded: it is this very word that the command gets.
    pub verbatim: bool,
}

impl Arg {
    fn of(word: &Word) -> Self {
        Self {
            text: word.value().map(str::to_owned),
            source: word.source.clone(),
            verbatim: word.verbatim(),
        }
    }

    /// A word that another command fills in when it runs.
    pub fn unknown(source: &str) -> Self {
        Self {
            text: None,
            source: source.to_owned(),
            verbatim: false,
        }
    }

    pub fn is(&self, text: &str) -> bool {
        self.text.as_deref() == Some(text)
    }
}

/// Reads a script and adds what it reaches; `depth` counts the scripts and groups around it.
pub(super) fn script(text: &str, depth: usize, out: &mut ShellLine) -> Result<(), ShellError> {
    if text.len() > LENGTH_LIMIT {
        return Err(ShellError::TooLong(text.len()));
    }
    if depth >= DEPTH_LIMIT {
        return Err(ShellError::TooDeep);
    }
    if let Some(c) = text
        .chars()
        .find(|c| c.is_control() && !matches!(c, '\n' | '\t'))
    {
        return Err(ShellError::Control(u32::from(c)));
    }
    let mut scanner = Scanner::new(text, depth);
    scanner.whole()?;
    out.opaque.append(&mut scanner.opaque);
    for simple in &scanner.commands {
        self::simple(simple, depth, out);
    }
    if depth == 0 {
        relative_to_somewhere_else(out);
    }
    Ok(())
}

fn simple(simple: &Simple, depth: usize, out: &mut ShellLine) {
    for name in &simple.assigned {
        let harmless = name.as_ref().is_some_and(|name| {
            if simple.words.is_empty() {
                assign::harmless_in_the_shell(name)
            } else {
                assign::harmless_for_a_command(name)
            }
        });
        if !harmless {
            let name = name.as_deref().unwrap_or("an array or a list");
            out.opaque
                .push(format!("setting {name} can change what commands do"));
        }
    }
    for open in &simple.redirects {
        redirect(open, out);
    }
    let args: Vec<Arg> = simple.words.iter().map(Arg::of).collect();
    command(&args, depth, out);
}

fn redirect(open: &Open, out: &mut ShellLine) {
    if open.target.process {
        return; // its commands are in the list
    }
    let Some(path) = open
        .target
        .value()
        .filter(|path| open.target.verbatim() && !path.is_empty())
    else {
        out.opaque.push(format!(
            "which file “{}” opens is only known when it runs",
            open.target.source
        ));
        return;
    };
    if FREE.contains(&path) {
        return;
    }
    let path = tidy_path(path);
    if open.write {
        out.writes.push(Redirect { path: path.clone() });
    }
    if open.read {
        out.reads.push(Redirect { path });
    }
}

/// Adds one command and the commands that it starts.
pub(super) fn command(args: &[Arg], depth: usize, out: &mut ShellLine) {
    let Some(first) = args.first() else { return };
    let name = first
        .text
        .as_deref()
        .filter(|name| first.verbatim && !name.is_empty() && !name.starts_with('-'));
    let Some(name) = name else {
        out.opaque.push(format!(
            "which command “{}” is, is only known when it runs",
            first.source
        ));
        return;
    };
    if depth >= DEPTH_LIMIT {
        out.opaque.push(ShellError::TooDeep.to_string());
        return;
    }
    wrappers::command(standard(name), args, depth, out);
}

/// A command without the directory where the system keeps its own.
fn standard(name: &str) -> &str {
    let bare = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"]
        .iter()
        .find_map(|directory| name.strip_prefix(directory));
    bare.filter(|rest| !rest.contains('/')).unwrap_or(name)
}

pub(super) fn record(args: &[Arg], out: &mut ShellLine) {
    out.commands.push(Command {
        words: args.iter().map(|arg| arg.text.clone()).collect(),
        source: args.iter().map(|arg| arg.source.clone()).collect(),
    });
}

/// After a `cd` anywhere in the line nobody knows what a relative path names.
fn relative_to_somewhere_else(out: &mut ShellLine) {
    let moves = |c: &Command| matches!(c.words.first(), Some(Some(name)) if matches!(name.as_str(), "cd" | "pushd" | "popd"));
    if !out.commands.iter().any(moves) {
        return;
    }
    let opaque = &mut out.opaque;
    for list in [&mut out.writes, &mut out.reads] {
        list.retain(|r| {
            let known = r.path.starts_with('/');
            if !known {
                opaque.push(format!(
                    "which file “{}” is after a change of directory",
                    r.path
                ));
            }
            known
        });
    }
}
