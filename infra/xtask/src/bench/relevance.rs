//! How good the order of what is found is, on a judged collection in BEIR's layout: `corpus.jsonl` (`_id`, `title`, `text`),
//! `queries.jsonl` (`_id`, `text`), and `qrels/test.tsv` or `qrels.tsv` (query, entry, grade; a heading). Beside
//! us, on the same text: rank-bm25, bm25s, SQLite FTS5.
//!
//! Measures are those of trec_eval: nDCG with the grade as the gain, MAP over what was found, both over all queries that
//! have a judged entry. The halves are of the queries: every second one, so that a value that was tuned on one can be seen on the
//! other.

use anyhow::{Context, Result};
use ports::search::{Entry, Search, SearchIndex};
use search_tantivy::{Place, TantivyIndex};
use serde::Deserialize;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use testkit::{
    blobs::MemoryBlobs,
    contract::search::{manifest, revision},
};

use super::{
    Args,
    measure::{directory, print_table, row},
    peers::Peers,
};
use crate::project::Project;

/// How deep MAP and recall look.
const DEPTH: usize = 100;
const PEERS: [&str; 3] = ["rank-bm25", "bm25s", "fts5"];

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    text: String,
}

/// A judged collection.
struct Set {
    corpus: Vec<Text>,
    /// With at least one entry that answers it.
    queries: Vec<Text>,
    /// By query: entries and their grades, above 0.
    judged: HashMap<String, HashMap<String, u32>>,
}

pub fn measure(project: &Project, args: &Args) -> Result<()> {
    anyhow::ensure!(!args.set.is_empty(), "which collection? --set DIR");
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let mut peers = Peers::start(project)?;
    for set in &args.set {
        let read = Set::read(set)?;
        let (entries, queries) = (read.corpus.len(), read.queries.len());
        println!("{}: {entries} entries, {queries} queries", set.display());
        let mut rows = vec![row([
            "",
            "nDCG@10",
            "MAP",
            "recall@100",
            "nDCG@10 of the halves",
        ])];
        let found = runtime.block_on(ours(project, &read))?;
        rows.push(read.line("countersign", &found));
        for peer in PEERS {
            peers.index(peer, &set.join("corpus.jsonl"))?;
            let queries: Vec<_> = read
                .queries
                .iter()
                .map(|query| query.text.clone())
                .collect();
            let found = peers.search(peer, &queries, DEPTH, true)?.found;
            rows.push(read.line(peer, &found));
        }
        print_table(&rows);
    }
    Ok(())
}

/// Ordinals of what we find.
async fn ours(project: &Project, set: &Set) -> Result<Vec<Vec<usize>>> {
    let directory = directory(project)?;
    let place = Place {
        directory: directory.path().to_owned(),
        limit: u64::MAX,
    };
    let index = TantivyIndex::new(Arc::new(MemoryBlobs::new()), place);
    let entry = |(ordinal, text): (usize, &Text)| -> Result<Entry> {
        Ok(Entry {
            revision: revision("set"),
            ordinal: u32::try_from(ordinal)?,
            language: Some("en".to_owned()),
            title: text.title.clone(),
            headings: String::new(),
            text: text.text.clone(),
            code: false,
        })
    };
    let entries = set.corpus.iter().enumerate().map(entry);
    let segment = index.write("", entries.collect::<Result<_>>()?).await?;
    let of = [manifest(&[&segment], &[])];
    let mut found = Vec::new();
    for query in &set.queries {
        let search = Search {
            text: query.text.clone(),
            limit: DEPTH,
        };
        let hits = index.search(&of, &search).await?;
        found.push(hits.iter().map(|hit| hit.ordinal as usize).collect());
    }
    Ok(found)
}

impl Set {
    fn read(directory: &Path) -> Result<Self> {
        let qrels = [
            directory.join("qrels/test.tsv"),
            directory.join("qrels.tsv"),
        ];
        let judged = judged(&qrels)?;
        let mut queries: Vec<Text> = lines(&directory.join("queries.jsonl"))?;
        queries.retain(|query| judged.contains_key(&query.id));
        Ok(Self {
            corpus: lines(&directory.join("corpus.jsonl"))?,
            queries,
            judged,
        })
    }

    fn line(&self, name: &str, found: &[Vec<usize>]) -> Vec<String> {
        let scores: Vec<Scores> = self
            .queries
            .iter()
            .zip(found)
            .map(|(query, found)| self.scores(query, found))
            .collect();
        let all: Vec<&Scores> = scores.iter().collect();
        let half =
            |which: usize| -> Vec<&Scores> { scores.iter().skip(which).step_by(2).collect() };
        let halves = format!("{:.3} {:.3}", mean(&half(0)).ndcg, mean(&half(1)).ndcg);
        let mean = mean(&all);
        let number = |value: f64| format!("{value:.4}");
        vec![
            name.to_owned(),
            number(mean.ndcg),
            number(mean.map),
            number(mean.recall),
            halves,
        ]
    }

    fn scores(&self, query: &Text, found: &[usize]) -> Scores {
        let empty = HashMap::new();
        let judged = self.judged.get(&query.id).unwrap_or(&empty);
        let grade = |at: &usize| {
            let entry = self.corpus.get(*at);
            entry
                .and_then(|entry| judged.get(&entry.id))
                .copied()
                .unwrap_or(0)
        };
        let grades: Vec<u32> = found.iter().take(DEPTH).map(grade).collect();
        let mut best: Vec<u32> = judged.values().copied().collect();
        best.sort_unstable_by(|a, b| b.cmp(a));
        let (mut hits, mut precisions) = (0.0, 0.0);
        for (at, _) in grades.iter().enumerate().filter(|(_, grade)| **grade > 0) {
            hits += 1.0;
            precisions += hits / (at as f64 + 1.0);
        }
        Scores {
            ndcg: gain(&grades) / gain(&best),
            map: precisions / best.len() as f64,
            recall: hits / best.len() as f64,
        }
    }
}

/// Of one query, or the mean of several.
struct Scores {
    ndcg: f64,
    map: f64,
    recall: f64,
}

fn mean(scores: &[&Scores]) -> Scores {
    let mean = |value: fn(&Scores) -> f64| {
        scores.iter().map(|scores| value(scores)).sum::<f64>() / scores.len().max(1) as f64
    };
    Scores {
        ndcg: mean(|scores| scores.ndcg),
        map: mean(|scores| scores.map),
        recall: mean(|scores| scores.recall),
    }
}

/// DCG@10.
fn gain(grades: &[u32]) -> f64 {
    let of = |(at, grade): (usize, &u32)| f64::from(*grade) / (at as f64 + 2.0).log2();
    grades.iter().take(10).enumerate().map(of).sum()
}

fn lines<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn judged(paths: &[PathBuf]) -> Result<HashMap<String, HashMap<String, u32>>> {
    let path = paths
        .iter()
        .find(|path| path.exists())
        .context("there is no qrels/test.tsv")?;
    let mut judged: HashMap<String, HashMap<String, u32>> = HashMap::new();
    for line in fs::read_to_string(path)?.lines().skip(1) {
        let mut fields = line.split('\t');
        if let (Some(query), Some(entry), Some(grade)) =
            (fields.next(), fields.next(), fields.next())
            && let Ok(grade @ 1..) = grade.trim().parse::<u32>()
        {
            judged
                .entry(query.to_owned())
                .or_default()
                .insert(entry.to_owned(), grade);
        }
    }
    Ok(judged)
}
