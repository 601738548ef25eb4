//! Searching a team's worth of documentation: how long a search takes, what it takes of memory and disk, how long the index
//! takes to make, and what becomes of it when documents come one by one. Beside us, in the same rounds: bm25s with numba, and
//! rank-bm25, which is asked less often because it is slow. Peers' times are without what Python needs to be asked.

use anyhow::{Context, Result};
use domain::knowledge::{Manifest, Segment};
use ports::search::{Entry, SearchIndex};
use std::{fs, path::Path, time::Instant};
use testkit::contract::search::{manifest, revision};

use super::{
    Args, corpus,
    measure::{directory, median, print_table, row},
    peers::{Indexed, Peers},
    searcher::{Searcher, open},
};
use crate::project::Project;

const ROUNDS: usize = 5;
const SEARCHES: usize = 200;
/// What rank-bm25 is asked in a round.
const FEW: usize = 6;
const SMALL: usize = 8_000;
const LARGE: usize = 80_000;
/// Documents that come one by one: at 10,000 all would just have become one segment, here there are as many as there can be.
const SINGLE: usize = 10_333;

pub fn measure(project: &Project, args: &Args) -> Result<()> {
    if let Some(directory) = &args.serve {
        return super::searcher::serve(directory);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let file = corpus::passages(project)?;
    let passages = corpus::read(&file, LARGE)?;
    anyhow::ensure!(passages.len() == LARGE, "only {} passages", passages.len());
    let searches = corpus::searches(&passages, SEARCHES);
    let directory = directory(project)?;
    let made = runtime.block_on(make(directory.path(), &passages))?;
    let bytes: usize = passages
        .iter()
        .map(|(title, text)| title.len() + text.len())
        .sum();
    drop(passages);

    let exactly = directory.path().join("corpus.jsonl");
    let lines = fs::read_to_string(&file)?;
    let lines: Vec<&str> = lines.lines().take(LARGE).collect();
    fs::write(&exactly, lines.join("\n"))?;
    let mut peers = [Peers::start(project)?, Peers::start(project)?];
    let [bm25s, rank] = &mut peers;
    let indexed = [
        bm25s.index("bm25s", &exactly)?,
        rank.index("rank-bm25", &exactly)?,
    ];
    let mut rounds = Rounds::default();
    let mut searcher = Searcher::start(directory.path())?;
    for round in 0..=ROUNDS {
        let times = [
            searcher.search("large.json", &searches)?,
            searcher.search("small.json", &searches)?,
            searcher.search("bulk.json", &searches)?,
            searcher.search("singly.json", &searches)?,
        ];
        let [large, small, bulk, singly] = times.map(|round| round.seconds);
        let bm25s = bm25s.search("bm25s", &searches, 10, false)?.seconds;
        let rank = rank
            .search("rank-bm25", &searches[..FEW], 10, false)?
            .seconds;
        // The first one opens files and compiles.
        if round > 0 {
            rounds.add([large, small, bulk, singly, bm25s, rank]);
        }
    }
    // On its own: of the large index and no other.
    let mut alone = Searcher::start(directory.path())?;
    let resident = alone.search("large.json", &searches)?.resident;
    print(&rounds, &made, &indexed, (bytes, resident));
    Ok(())
}

/// Our indexes.
struct Made {
    seconds: f64,
    segment: Segment,
    /// Seconds for all documents that came one by one, merges included.
    singly: f64,
    /// Segments of these at the end.
    segments: usize,
}

async fn make(directory: &Path, passages: &[(String, String)]) -> Result<Made> {
    let index = open(directory);
    let of = |range: std::ops::Range<usize>| entries(passages, range);
    let began = Instant::now();
    let segment = index.write("", of(0..LARGE)?).await?;
    let seconds = began.elapsed().as_secs_f64();
    keep(directory, "large.json", &manifest(&[&segment], &[]))?;
    let small = index.write("", of(0..SMALL)?).await?;
    keep(directory, "small.json", &manifest(&[&small], &[]))?;
    let bulk = index.write("", of(0..SINGLE)?).await?;
    keep(directory, "bulk.json", &manifest(&[&bulk], &[]))?;

    let began = Instant::now();
    let mut singly = manifest(&[], &[]);
    for at in 0..SINGLE {
        singly
            .segments
            .push(index.write("", of(at..at + 1)?).await?);
        while let Some(few) = singly.to_merge() {
            let merged = index.merge(&few, &[]).await?;
            singly.segments.retain(|segment| !few.contains(segment));
            singly.segments.extend(merged.segment);
        }
    }
    keep(directory, "singly.json", &singly)?;
    Ok(Made {
        seconds,
        segment,
        singly: began.elapsed().as_secs_f64(),
        segments: singly.segments.len(),
    })
}

fn entries(passages: &[(String, String)], range: std::ops::Range<usize>) -> Result<Vec<Entry>> {
    let chosen = passages
        .iter()
        .enumerate()
        .take(range.end)
        .skip(range.start);
    let entry = |(at, (title, text)): (usize, &(String, String))| -> Result<Entry> {
        Ok(Entry {
            revision: revision(&format!("document-{at}")),
            ordinal: 0,
            language: Some("en".to_owned()),
            title: title.clone(),
            headings: String::new(),
            text: text.clone(),
            code: false,
        })
    };
    chosen.map(entry).collect()
}

fn keep(directory: &Path, name: &str, manifest: &Manifest) -> Result<()> {
    fs::write(directory.join(name), serde_json::to_vec(manifest)?)
        .context("cannot write a manifest")
}

/// Seconds of each search, of all rounds: ours of 80,000, ours of 8,000, ours in bulk and one by one, bm25s, rank-bm25.
#[derive(Default)]
struct Rounds([Vec<f64>; 6]);

impl Rounds {
    fn add(&mut self, round: [Vec<f64>; 6]) {
        for (all, times) in self.0.iter_mut().zip(round) {
            all.extend(times);
        }
    }
}

fn p99(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times
        .get(times.len() * 99 / 100)
        .copied()
        .unwrap_or_default()
}

/// What is set beside the peers.
struct Outcome {
    /// Median and 99th percentile, seconds.
    ours: (f64, f64),
    bm25s: (f64, f64),
    rank: (f64, f64),
    /// Bytes by which our process grows.
    resident: f64,
}

fn print(rounds: &Rounds, made: &Made, indexed: &[Indexed; 2], (bytes, resident): (usize, f64)) {
    let [large, small, bulk, singly, bm25s, rank] = &rounds.0;
    let both = |times: &Vec<f64>| (median(times.iter().copied()), p99(times));
    let outcome = Outcome {
        ours: both(large),
        bm25s: both(bm25s),
        rank: both(rank),
        resident,
    };
    print_beside(&outcome, made, indexed);
    let size = made.segment.bytes as f64 / bytes as f64;
    println!("  index: {size:.2} of the text's {} MiB", mib(bytes as f64));
    let (small, bulk, singly) = (both(small).0, both(bulk).0, both(singly).0);
    let large = outcome.ours.0;
    println!(
        "  from 8,000 to 80,000 passages the median grows {:.2} times ({} to {} ms)",
        large / small,
        ms(small),
        ms(large)
    );
    println!(
        "  {SINGLE} documents one by one ({} segments, {:.1} ms each): a search takes {:.2} times as long as after one load ({} to {} ms)",
        made.segments,
        made.singly * 1e3 / SINGLE as f64,
        singly / bulk,
        ms(bulk),
        ms(singly),
    );
}

fn print_beside(outcome: &Outcome, made: &Made, indexed: &[Indexed; 2]) {
    let [bm25s, rank] = indexed;
    let line = |name: &str, times: (f64, f64), resident: f64, seconds: f64| {
        let seconds = format!("{seconds:.1}");
        vec![
            name.to_owned(),
            ms(times.0),
            ms(times.1),
            mib(resident),
            seconds,
        ]
    };
    let heading = [
        "80,000 passages",
        "median ms",
        "p99 ms",
        "grows by MiB",
        "made in s",
    ];
    print_table(&[
        row(heading),
        line("countersign", outcome.ours, outcome.resident, made.seconds),
        line("bm25s, numba", outcome.bm25s, bm25s.resident, bm25s.seconds),
        line("rank-bm25", outcome.rank, rank.resident, rank.seconds),
    ]);
    println!(
        "\n  median: {:.2} of bm25s, rank-bm25 takes {:.0} times as long",
        outcome.ours.0 / outcome.bm25s.0,
        outcome.rank.0 / outcome.ours.0
    );
    println!("  p99: {:.2} of bm25s", outcome.ours.1 / outcome.bm25s.1);
    println!(
        "  memory: {:.2} of bm25s; making: {:.1} times as fast as rank-bm25",
        outcome.resident / bm25s.resident,
        rank.seconds / made.seconds
    );
}

fn ms(seconds: f64) -> String {
    format!("{:.3}", seconds * 1e3)
}

fn mib(bytes: f64) -> String {
    format!("{:.0}", bytes / f64::from(1 << 20))
}
