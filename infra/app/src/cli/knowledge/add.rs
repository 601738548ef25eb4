//! `countersign knowledge add`: each file is stored with a job; then this process does the jobs, beside whoever else does, until all
//! of its files are read. A ctrl-c leaves the rest to the next process.

use super::{
    documents::{index, reader},
    files::{self, Named},
};
use crate::{
    cli::{Failure, output::Output, stop},
    compose::{
        Local, alert::alert, sandbox, surfaces::Surfaces, table::Table, worker::INGEST_AT_ONCE,
    },
    worker::{Handlers, Lane, Pace, Worker},
};
use domain::{
    id::DocumentId,
    knowledge::{Collection, Document, DocumentStatus},
};
use handlers::{
    CommandError, Problem, commit_with,
    ingest::{self, Added, New},
};
use ports::{job::lane, repo};
use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio_util::sync::CancellationToken;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Files, directories, or - for the standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Into which collection, which is made if it is not there; docs without it
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
}

/// Between two looks at documents that others read.
const LOOK: Duration = Duration::from_millis(200);

/// What became of the files.
#[derive(serde::Serialize, Default)]
struct Summary {
    collection: String,
    added: usize,
    new_versions: usize,
    the_same: usize,
    passages: u64,
    /// Names with reasons.
    not_read: Vec<(String, String)>,
    /// Found below directories, and no texts.
    left_out: Vec<(String, String)>,
    /// Not done when this command was stopped.
    waiting: usize,
}

pub async fn run(local: &Local, output: Output, arguments: Arguments) -> Result<u8, Failure> {
    let stop = stop::on_signal()?;
    let home = &local.home;
    let name = arguments.collection.as_deref();
    let collection = commit_with(home, async || {
        ingest::place(home, reader(local), name).await
    })
    .await?;
    let (files, problems) = files::named(&arguments.paths);
    let mut summary = Summary {
        collection: collection.name.clone(),
        ..Summary::default()
    };
    for problem in problems {
        let (name, why) = problem.split_once(": ").unwrap_or((&problem, ""));
        summary.not_read.push((name.to_owned(), why.to_owned()));
    }
    let mut bar = Bar {
        left_out: 0,
        shown: !output.json && files.len() > 1 && std::io::stderr().is_terminal(),
    };
    let mut waiting = Vec::new();
    for (at, file) in files.iter().enumerate() {
        if stop.is_cancelled() {
            summary.waiting += files.len() - at;
            break;
        }
        bar.show("stored", at, files.len());
        waiting.extend(store(local, &collection, file, &mut summary).await?);
        bar.left_out = summary.left_out.len() + summary.not_read.len();
    }
    read(local, &mut waiting, &bar, &stop).await?;
    bar.clear();
    summary.waiting += waiting.len();
    count(local, &collection, &files, &mut summary).await?;
    output.show(&summary, || told(&summary))?;
    let done = summary.not_read.is_empty() && summary.waiting == 0;
    Ok(u8::from(!done))
}

/// The document that has to be read now, if any.
async fn store(
    local: &Local,
    collection: &Collection,
    file: &Named,
    summary: &mut Summary,
) -> Result<Option<DocumentId>, Failure> {
    let bytes = match files::read(file) {
        Ok(bytes) => bytes,
        Err(why) => {
            let list = match file.found {
                true => &mut summary.left_out,
                false => &mut summary.not_read,
            };
            list.push((file.name.clone(), why));
            return Ok(None);
        }
    };
    let new = New {
        collection,
        name: &file.name,
        bytes: &bytes,
        tell: None,
    };
    let (home, owner) = (&local.home, &local.owner);
    let added = match commit_with(home, async || ingest::add(home, owner, new).await).await {
        Ok(added) => added,
        Err(CommandError::Problem(Problem::Invalid(why))) => {
            summary.not_read.push((file.name.clone(), why));
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    match &added {
        Added::New(_) => summary.added += 1,
        Added::Version(_) => summary.new_versions += 1,
        Added::Same(_) => summary.the_same += 1,
    }
    let document = added.document();
    Ok((document.status == DocumentStatus::Reading).then(|| document.id.clone()))
}

/// Does the jobs of the lane until none of `waiting` waits any more.
async fn read(
    local: &Local,
    waiting: &mut Vec<DocumentId>,
    bar: &Bar,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let all = waiting.len();
    if all == 0 {
        return Ok(());
    }
    let handlers = handlers(local).await?;
    while !waiting.is_empty() && !stop.is_cancelled() {
        let pace = Pace {
            shutdown: local.config.shutdown,
            ..Pace::default()
        };
        let worker = Worker::new(
            local.bench(),
            handlers.clone(),
            alert(local.home.clone(), Arc::default()),
            pace,
        );
        let lane = Lane {
            name: lane::INGEST.to_owned(),
            at_once: INGEST_AT_ONCE,
            gate: None,
        };
        let mut working = std::pin::pin!(worker.drain(&lane, stop.clone()));
        loop {
            tokio::select! {
                drained = &mut working => {
                    drained?;
                    break;
                }
                () = tokio::time::sleep(LOOK) => {}
            }
            look(local, waiting).await?;
            bar.show("read", all - waiting.len(), all);
        }
        look(local, waiting).await?;
        bar.show("read", all - waiting.len(), all);
        if !waiting.is_empty() {
            // Somebody else reads them, or they are tried again in a moment.
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(())
}

async fn handlers(local: &Local) -> Result<Handlers, Failure> {
    let picked = sandbox::pick(&local.config).await;
    let surfaces = Surfaces::default();
    let table = Table::new(&local.config, &local.home, &surfaces);
    let sandbox = local.config.redaction.over(picked.sandbox);
    Ok(table.ingest(index(local).await?, Some(sandbox)).handlers)
}

/// Those that are read leave the list. It is looked at from its beginning, where the oldest are.
async fn look(local: &Local, waiting: &mut Vec<DocumentId>) -> Result<(), Failure> {
    let (mut left, mut still) = (Vec::new(), 0);
    for id in waiting.drain(..) {
        // Of many that wait, the first tell enough.
        if still < 32 {
            let home = &local.home;
            let stored = repo::get::<Document>(&*home.store, &home.team, id.as_str()).await?;
            if stored.is_none_or(|stored| stored.value.status != DocumentStatus::Reading) {
                continue;
            }
            still += 1;
        }
        left.push(id);
    }
    *waiting = left;
    Ok(())
}

/// What is in the documents of these files now.
async fn count(
    local: &Local,
    collection: &Collection,
    files: &[Named],
    summary: &mut Summary,
) -> Result<(), Failure> {
    let home = &local.home;
    for file in files {
        let id = ingest::document_id(&collection.id, &file.name);
        let stored = repo::get::<Document>(&*home.store, &home.team, id.as_str()).await?;
        let Some(document) = stored.map(|stored| stored.value) else {
            continue;
        };
        match (document.status, document.problem, document.current) {
            (DocumentStatus::Failed, why, _) => {
                let why = why.unwrap_or_default();
                summary.not_read.push((file.name.clone(), why));
                // It was counted as one of these when it was stored.
                let counted = match document.revision {
                    1 => &mut summary.added,
                    _ => &mut summary.new_versions,
                };
                *counted = counted.saturating_sub(1);
            }
            (_, _, Some(reading)) => summary.passages += u64::from(reading.passages),
            _ => {}
        }
    }
    Ok(())
}

fn told(summary: &Summary) -> String {
    let mut parts = Vec::new();
    let mut part = |count: usize, what: &str| {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    };
    part(summary.added, "added");
    part(summary.new_versions, "with new content");
    part(summary.the_same, "there already");
    part(summary.not_read.len(), "not read");
    part(summary.left_out.len(), "left out");
    part(
        summary.waiting,
        "still waiting, for `countersign up` or the next command",
    );
    let counts = match parts.is_empty() {
        true => "no files".to_owned(),
        false => parts.join(", "),
    };
    let mut lines = vec![format!(
        "{}: {counts}; {}.",
        summary.collection,
        bot::text::en::passages(summary.passages)
    )];
    let reasons = summary.not_read.iter().chain(&summary.left_out);
    lines.extend(reasons.map(|(name, why)| format!("  {name}: {why}")));
    lines.join("\n")
}

/// A line on the terminal that is written over.
struct Bar {
    shown: bool,
    left_out: usize,
}

impl Bar {
    fn show(&self, what: &str, done: usize, all: usize) {
        if !self.shown || all == 0 {
            return;
        }
        const WIDTH: usize = 30;
        let full = WIDTH * done / all;
        let bar = format!("{}{}", "█".repeat(full), "░".repeat(WIDTH - full));
        let left_out = match self.left_out {
            0 => String::new(),
            count => format!(", {count} left out"),
        };
        let _ = write!(
            std::io::stderr(),
            "\r{bar} {what} {done} of {all}{left_out} "
        );
    }

    fn clear(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
