//! `countersign import`: a backup into an empty data directory. The whole file is read and checked first; then it is one
//! transaction of the store, which ends when the blobs and the files are in their places.

use super::{Context, Failure};
use crate::{
    compose::{backup::Parts, database, directory},
    config::Config,
};
use archive_file::{Counts, Line, ReadError, Reader};
use domain::Digest;
use futures::stream;
use ports::{
    Blobs,
    archive::{ArchiveError, Item},
    blob::BlobError,
    workspace::WorkspaceError,
};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, IsTerminal, Seek},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::Arc,
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};
use workspace_fs::{
    FsWorkspaces,
    backup::{Complete, Import, Piece},
};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// What `countersign export` wrote; - for the standard input
    file: PathBuf,
}

/// Lines that are read ahead.
const AHEAD: usize = 64;

pub async fn run(context: Context, arguments: &Arguments) -> Result<u8, Failure> {
    let Context { config, output, .. } = context;
    let name = arguments.file.display().to_string();
    let mut file = match name == "-" {
        true => spooled(&config)?,
        false => File::open(&arguments.file)
            .map_err(|error| Failure::new(format!("{name} cannot be read ({error}).")))?,
    };
    let counts = check(&file, &name)?;
    file.rewind()
        .map_err(|error| refused(&name, &ReadError::Io(error)))?;
    directory::prepare(&config)?;
    let parts = Parts::open(&config).await?;
    fill(&parts, file, &name).await?;
    parts.database.close().await;
    let value = serde_json::json!({"file": name, "contents": counts});
    output.show(&value, || told(&counts, &config))?;
    Ok(0)
}

fn told(counts: &Counts, config: &Config) -> String {
    let Counts {
        records,
        entries,
        counters,
        jobs,
        blobs,
        files,
    } = counts;
    let mut text = format!(
        "Imported: {records} records, {entries} journal entries, {counters} counters, {jobs} jobs, {blobs} blobs, {files} files. Stop the old service before you start this one."
    );
    if !directory::has_audit_key(config) {
        let file = match config.database.is_cloud() {
            true => "",
            false => "put the old audit.key into the data directory, or ",
        };
        text.push_str(&format!(
            "\nBefore the first start, {file}set COUNTERSIGN_AUDIT_KEY to the old key: the audit's seals were made with it."
        ));
    }
    text
}

/// The standard input can't be read twice, so it is put aside, in a file without a name.
fn spooled(config: &Config) -> Result<File, Failure> {
    if io::stdin().is_terminal() {
        return Err(Failure::usage("Name a file, or redirect the input."));
    }
    directory::prepare(config)?;
    let path = config.home.join(format!(".import.{}", std::process::id()));
    let spool = || -> io::Result<File> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        std::fs::remove_file(&path)?;
        io::copy(&mut io::stdin().lock(), &mut file)?;
        file.rewind()?;
        Ok(file)
    };
    spool().map_err(|error| {
        Failure::new(format!(
            "The standard input cannot be kept in {} ({error}).",
            config.home.display()
        ))
    })
}

/// Reads all of it, and believes it only then.
fn check(file: &File, name: &str) -> Result<Counts, Failure> {
    let mut reader = Reader::begin(BufReader::new(file)).map_err(|error| refused(name, &error))?;
    let (schema, known) = (reader.header().schema, database::known());
    if schema > known {
        return Err(Failure::new(format!(
            "{name} was not imported: it was written by a newer version of the program ({}, schema {schema}; this program knows {known}): install that one.",
            reader.header().program
        )));
    }
    while reader
        .line()
        .map_err(|error| refused(name, &error))?
        .is_some()
    {}
    reader
        .counts()
        .ok_or_else(|| refused(name, &ReadError::Cut))
}

fn refused(name: &str, error: &ReadError) -> Failure {
    Failure::new(format!("{name} was not imported: {error}."))
}

/// The store takes the items as they are read, and commits when all else is in its place.
async fn fill(parts: &Parts, file: File, name: &str) -> Result<(), Failure> {
    let (begun, begins) = oneshot::channel();
    let (items, received) = mpsc::channel(AHEAD);
    let unpacking = Unpacking {
        items,
        blobs: parts.blobs.clone(),
        workspaces: parts.workspaces.clone(),
        name: name.to_owned(),
        runtime: Handle::current(),
    };
    let reading = tokio::task::spawn_blocking(move || unpacking.run(begins, file));
    // The store asks for the first item when it knows that it is empty: nothing is touched before.
    let from = (Some(begun), received);
    let taken = stream::unfold(from, |(begun, mut received)| async move {
        if let Some(begun) = begun {
            let _ = begun.send(());
        }
        received.recv().await.map(|item| (item, (None, received)))
    });
    parts.database.archive().import(Box::pin(taken)).await?;
    let complete = reading
        .await
        .map_err(|error| Failure::new(format!("{error}.")))?;
    if let Some(complete) = complete {
        complete
            .unmark()
            .map_err(|error| Failure::new(format!("It was imported, but {error}.")))?;
    }
    Ok(())
}

/// Reads the file in a thread of its own and gives each line to where it belongs.
struct Unpacking {
    items: mpsc::Sender<Result<Item, ArchiveError>>,
    blobs: Arc<dyn Blobs>,
    workspaces: FsWorkspaces,
    name: String,
    runtime: Handle,
}

#[derive(thiserror::Error, Debug)]
enum Stop {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error("a blob has another digest than its name")]
    OtherBlob,
    #[error("the store has stopped")]
    NobodyListens,
}

impl Unpacking {
    /// Answers the workspaces, whose mark goes when the store has committed. A failure reaches the store as an item.
    fn run(self, begins: oneshot::Receiver<()>, file: File) -> Option<Complete> {
        begins.blocking_recv().ok()?;
        match self.lines(file) {
            Ok(complete) => Some(complete),
            Err(Stop::NobodyListens) => None,
            Err(error) => {
                let text = format!("{} was not imported: {error}.", self.name);
                let _ = self.items.blocking_send(Err(ArchiveError::Cut(text)));
                None
            }
        }
    }

    fn lines(&self, file: File) -> Result<Complete, Stop> {
        let mut reader = Reader::begin(BufReader::new(file))?;
        let mut files = self.workspaces.import()?;
        let mut blob: Option<(Digest, Vec<u8>)> = None;
        while let Some(line) = reader.line()? {
            match (line, &mut blob) {
                (Line::Bytes(bytes), Some((_, blob))) => blob.extend(bytes),
                (line, _) => {
                    self.keep(blob.take())?;
                    match line {
                        Line::Store(item) => self
                            .items
                            .blocking_send(Ok(item))
                            .map_err(|_| Stop::NobodyListens)?,
                        Line::Blob { digest } => blob = Some((digest, Vec::new())),
                        line => put(&mut files, &line)?,
                    }
                }
            }
        }
        self.keep(blob)?;
        Ok(files.finish()?)
    }

    fn keep(&self, blob: Option<(Digest, Vec<u8>)>) -> Result<(), Stop> {
        let Some((digest, bytes)) = blob else {
            return Ok(());
        };
        match self.runtime.block_on(self.blobs.put(&bytes))? == digest {
            true => Ok(()),
            false => Err(Stop::OtherBlob),
        }
    }
}

fn put(files: &mut Import, line: &Line) -> Result<(), Stop> {
    let piece = match line {
        Line::Directory { path, mode } => Piece::Directory { path, mode: *mode },
        Line::File {
            path,
            mode,
            modified,
        } => Piece::File {
            path,
            mode: *mode,
            modified: *modified,
        },
        Line::Link { path, target } => Piece::Link { path, target },
        Line::Bytes(bytes) => Piece::Bytes(bytes),
        _ => return Err(ReadError::Altered("a line of it is in a wrong place").into()),
    };
    Ok(files.put(piece)?)
}
