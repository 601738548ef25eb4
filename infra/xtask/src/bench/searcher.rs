//! Our index in a process of its own, which answers as the peers do, so that its memory is that of searching and of nothing else.

use anyhow::{Context, Result};
use blob_fs::FsBlobs;
use domain::knowledge::Manifest;
use ports::search::{Search, SearchIndex};
use search_tantivy::{Place, TantivyIndex};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Instant,
};

use super::measure::number_in;

const LIMIT: usize = 10;

/// What a round of searches took.
#[derive(Serialize, Deserialize, Debug)]
pub struct Round {
    /// For each search.
    pub seconds: Vec<f64>,
    /// Bytes by which the process grew since before it opened the index.
    pub resident: f64,
}

/// The index in a directory: `blobs`, and `manifest.json`.
pub fn open(directory: &Path) -> TantivyIndex {
    let place = Place {
        directory: directory.join("cache"),
        limit: u64::MAX,
    };
    TantivyIndex::new(Arc::new(FsBlobs::new(directory.join("blobs"))), place)
}

/// Be the process: a line with a manifest's name and searches, a line with a [`Round`].
pub fn serve(directory: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let before = resident()?;
    let index = open(directory);
    for line in std::io::stdin().lines() {
        let (manifest, searches): (String, Vec<String>) = serde_json::from_str(&line?)?;
        let manifest: Manifest = serde_json::from_slice(&fs::read(directory.join(manifest))?)?;
        let of = [manifest];
        let mut seconds = Vec::new();
        for text in searches {
            let search = Search { text, limit: LIMIT };
            let began = Instant::now();
            runtime.block_on(index.search(&of, &search))?;
            seconds.push(began.elapsed().as_secs_f64());
        }
        let resident = resident()? - before;
        println!("{}", serde_json::to_string(&Round { seconds, resident })?);
    }
    Ok(())
}

fn resident() -> Result<f64> {
    Ok(number_in("/proc/self/status", "VmRSS")? as f64 * 1024.0)
}

/// The process from outside. It ends with this.
pub struct Searcher {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Searcher {
    pub fn start(directory: &Path) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["bench", "search", "--serve"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let requests = process.stdin.take().context("no standard input")?;
        let answers = process.stdout.take().context("no standard output")?;
        Ok(Self {
            process,
            requests,
            answers: BufReader::new(answers),
        })
    }

    pub fn search(&mut self, manifest: &str, searches: &[String]) -> Result<Round> {
        writeln!(
            self.requests,
            "{}",
            serde_json::to_string(&(manifest, searches))?
        )?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line).context("the searching process died")
    }
}

impl Drop for Searcher {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
