//! `countersign export`: a backup of one moment, in one file.

use super::{Context, Failure, output::print};
use crate::{
    clock::SystemClock,
    compose::{backup::Parts, database},
};
use archive_file::{Counts, FORMAT, Header, Line, Writer, place::Draft};
use domain::Digest;
use futures::StreamExt;
use ports::{Clock, archive::Item, blob::BlobError, workspace::WorkspaceError};
use std::{
    collections::BTreeSet,
    io::{self, BufWriter, ErrorKind, IsTerminal, Write},
    path::PathBuf,
};
use workspace_fs::backup::Piece;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// A file that is not there yet; - for the standard output
    file: PathBuf,
}

/// What could not be put into a backup that was made all the same.
#[derive(Default)]
struct Left {
    damaged: Vec<Digest>,
    files: u64,
}

pub async fn run(context: Context, arguments: &Arguments) -> Result<u8, Failure> {
    let Context { config, output, .. } = context;
    if database::schema(&config).await?.is_none() {
        return Err(Failure::new(format!(
            "There is nothing to export: {} has no tables yet.",
            config.database
        )));
    }
    let name = arguments.file.display().to_string();
    let failed = |error: io::Error| Failure::new(words(&name, &error));
    let (counts, left) = if name == "-" {
        if io::stdout().is_terminal() {
            return Err(Failure::usage(
                "A backup is nothing for a terminal: name a file, or redirect the output.",
            ));
        }
        let parts = Parts::open(&config).await?;
        let (_, counts, left) = write(&parts, BufWriter::new(io::stdout()), failed).await?;
        (counts, left)
    } else {
        let draft = Draft::create(&arguments.file).map_err(failed)?;
        let parts = Parts::open(&config).await?;
        let (out, counts, left) = write(&parts, BufWriter::new(draft), failed).await?;
        let draft = out
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        draft.keep().map_err(failed)?;
        (counts, left)
    };
    let value = serde_json::json!({"file": name, "contents": counts, "damaged": left.damaged, "left_out": left.files});
    let told = if output.json {
        serde_json::to_string_pretty(&value)?
    } else {
        told(&name, &counts, &left)
    };
    // With the backup in the standard output, nothing else may stand there.
    match name == "-" {
        true => eprintln!("{told}"),
        false => print(&told),
    }
    Ok(0)
}

fn told(name: &str, counts: &Counts, left: &Left) -> String {
    let Counts {
        records,
        entries,
        counters,
        jobs,
        blobs,
        files,
    } = counts;
    let mut lines = vec![
        format!("Exported to {name}: {records} records, {entries} journal entries, {counters} counters, {jobs} jobs, {blobs} blobs, {files} files."),
        "Not in it: the configuration, the file of secrets, and the audit's key (audit.key in the data directory, or COUNTERSIGN_AUDIT_KEY). Keep them beside it, in another place: \
         without its key the audit cannot be verified.".to_owned(),
        "In it as it stands there: a secret in a file of a workspace, and in what was kept before the secret was set. Keep the backup as safe as the data directory.".to_owned(),
    ];
    for digest in &left.damaged {
        lines.push(format!("Left out: the blob {digest} is damaged."));
    }
    if left.files > 0 {
        lines.push(format!(
            "Left out: {} files of workspaces that cannot be read, or are no files.",
            left.files
        ));
    }
    lines.join("\n")
}

fn words(name: &str, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AlreadyExists => {
            format!("{name} is there already: name another file, or move it away.")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!(
                "The disk of {name} is full: make room there, or name another place. Nothing was exported."
            )
        }
        _ => format!("{name} cannot be written ({error}). Nothing was exported."),
    }
}

async fn write<W: Write>(
    parts: &Parts,
    out: W,
    failed: impl Fn(io::Error) -> Failure + Copy,
) -> Result<(W, Counts, Left), Failure> {
    let header = Header {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        schema: database::known(),
        at: SystemClock::default().now(),
    };
    let mut writer = Writer::begin(out, header).map_err(failed)?;
    let (mut left, mut kept) = (Left::default(), BTreeSet::new());
    let mut items = parts.database.archive().export().await?;
    while let Some(item) = items.next().await {
        let line = Line::Store(item?);
        writer.line(&line).map_err(failed)?;
        let Line::Store(item) = line else { continue };
        for digest in digests(text(&item)) {
            if kept.contains(&digest) {
                continue;
            }
            match parts.blobs.get(&digest).await {
                Ok(bytes) => {
                    writer
                        .line(&Line::Blob {
                            digest: digest.clone(),
                        })
                        .map_err(failed)?;
                    writer.bytes(&bytes).map_err(failed)?;
                    kept.insert(digest);
                }
                // Most digests are not of blobs: of what was shown on a card, of an entry of the audit.
                Err(BlobError::Missing(_)) => {}
                Err(BlobError::Damaged(_)) => left.damaged.push(digest),
                Err(BlobError::Io(error)) => {
                    return Err(Failure::new(format!("A blob cannot be read: {error}.")));
                }
            }
        }
    }
    left.files = parts
        .workspaces
        .export(|piece| put(&mut writer, piece).map_err(Stopped::Output))
        .map_err(|stopped| match stopped {
            Stopped::Output(error) => failed(error),
            Stopped::Workspace(error) => {
                Failure::new(format!("The workspaces cannot be read: {error}."))
            }
        })?;
    let (out, counts) = writer.finish().map_err(failed)?;
    Ok((out, counts, left))
}

enum Stopped {
    Output(io::Error),
    Workspace(WorkspaceError),
}

impl From<WorkspaceError> for Stopped {
    fn from(error: WorkspaceError) -> Self {
        Self::Workspace(error)
    }
}

fn put<W: Write>(writer: &mut Writer<W>, piece: Piece<'_>) -> io::Result<()> {
    let path = str::to_owned;
    writer.line(&match piece {
        Piece::Bytes(bytes) => return writer.bytes(bytes),
        Piece::Directory { path: name, mode } => Line::Directory {
            path: path(name),
            mode,
        },
        Piece::File {
            path: name,
            mode,
            modified,
        } => Line::File {
            path: path(name),
            mode,
            modified,
        },
        Piece::Link { path: name, target } => Line::Link {
            path: path(name),
            target: path(target),
        },
    })
}

fn text(item: &Item) -> &str {
    match item {
        Item::Record { doc, .. } => doc,
        Item::Entry { entry, .. } => entry,
        Item::Job(job) => &job.payload,
        Item::Counter { .. } => "",
    }
}

/// Whatever may be the name of a blob, however deep it stands: 64 hexadecimal digits in a row. What is too much is not there, and
/// nothing is forgotten when a new kind of record names one.
fn digests(text: &str) -> impl Iterator<Item = Digest> {
    let words = text.split(|c: char| !matches!(c, '0'..='9' | 'a'..='f'));
    words
        .filter(|word| word.len() == 64)
        .filter_map(|word| serde_json::from_value(word.into()).ok())
}
