//! Searches in Python that ours is measured beside: one process, one request a line, `infra/xtask/bench/search_peers.py`.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use crate::{
    project::Project,
    setup::python::{Environment, environment},
    steps::Steps,
};

const ENVIRONMENT: Environment = Environment {
    requirements: "infra/xtask/bench/search-requirements.txt",
    why: "rank-bm25 and bm25s, which the search is measured beside",
};

/// Its process ends with it.
pub struct Peers {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

#[derive(Deserialize, Debug)]
pub struct Indexed {
    /// From texts in memory to the first search.
    pub seconds: f64,
    /// Bytes by which the process grew.
    pub resident: f64,
}

#[derive(Deserialize, Debug)]
pub struct Answered {
    /// Ordinals of entries of the corpus for each query, the best first.
    pub found: Vec<Vec<usize>>,
    /// For each query.
    pub seconds: Vec<f64>,
}

impl Peers {
    /// # Errors
    /// Where there is no Python, or its packages can't be had.
    pub fn start(project: &Project) -> Result<Self> {
        let python = environment(project, &mut Steps::new(), &ENVIRONMENT)?
            .context("there is no Python environment for the peers")?;
        let mut process = project
            .clean_command(python)
            .arg("infra/xtask/bench/search_peers.py")
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

    /// Makes the peer's index of the entries in a file of JSON lines.
    pub fn index(&mut self, peer: &str, corpus: &Path) -> Result<Indexed> {
        let request = json!({"do": "index", "peer": peer, "corpus": corpus});
        Ok(serde_json::from_value(self.ask(&request)?)?)
    }

    pub fn search(
        &mut self,
        peer: &str,
        queries: &[String],
        limit: usize,
        found: bool,
    ) -> Result<Answered> {
        let request = json!({
            "do": "search", "peer": peer, "queries": queries, "limit": limit, "found": found,
        });
        Ok(serde_json::from_value(self.ask(&request)?)?)
    }

    fn ask(&mut self, request: &Value) -> Result<Value> {
        writeln!(self.requests, "{request}")?;
        self.requests.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line).context("a peer died: it has said why above")
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
