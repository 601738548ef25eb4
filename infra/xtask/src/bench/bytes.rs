//! What a step writes, in a run of 50 steps and in one of 500: bytes of rows (all values of every row that is inserted or
//! written anew), and bytes that reach the disk (SQLite's log and its checkpoints write whole pages). Both beside the
//! bytes that are new in the run's journal. A design that stores the whole state with each step shows here: its
//! bytes per step grow with the run.

use anyhow::Result;
use std::sync::Arc;

use super::{
    Args,
    counting::{Count, CountingStore},
    engine::{Engine, open_store},
    measure::{Spent, Watch, directory, number_in, print_table, row},
};
use crate::project::Project;

struct Sample {
    steps: u64,
    count: Count,
    /// By this process to storage.
    physical: u64,
    spent: Spent,
}

pub fn measure(project: &Project, _: &Args) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut samples = Vec::new();
    for steps in [50, 500] {
        samples.push(runtime.block_on(one_run(project, steps))?);
    }
    print(&samples);
    Ok(())
}

async fn one_run(project: &Project, steps: usize) -> Result<Sample> {
    let directory = directory(project)?;
    let store = open_store(directory.path(), "run.db").await?;
    let store = Arc::new(CountingStore::new(store));
    let engine = Engine::new(store.clone(), directory.path(), steps).await?;
    engine.ask(1).await?;
    store.take();
    let before = number_in("/proc/self/io", "write_bytes")?;
    let watch = Watch::start()?;
    engine.work(1).await?;
    let spent = watch.stop()?;
    let physical = number_in("/proc/self/io", "write_bytes")? - before;
    let count = store.take();
    engine.check().await?;
    Ok(Sample {
        steps: steps as u64,
        count,
        physical,
        spent,
    })
}

fn print(samples: &[Sample]) {
    let mut heading = row(["per step", "steps"]);
    let columns = [
        "commits",
        "journal",
        "row bytes",
        "rows/journal",
        "disk bytes",
        "disk/journal",
        "CPU µs",
    ];
    heading.extend(row(columns));
    let mut table = vec![heading];
    for sample in samples {
        let per_step = |bytes: u64| bytes as f64 / sample.steps as f64;
        let per_byte = |bytes: u64| bytes as f64 / sample.count.journal as f64;
        let rows = sample.count.row_bytes();
        table.push(vec![
            String::new(),
            sample.steps.to_string(),
            format!("{:.2}", per_step(sample.count.commits)),
            format!("{:.0}", per_step(sample.count.journal)),
            format!("{:.0}", per_step(rows)),
            format!("{:.2}", per_byte(rows)),
            format!("{:.0}", per_step(sample.physical)),
            format!("{:.1}", per_byte(sample.physical)),
            format!("{:.0}", sample.spent.cpu_us(sample.steps)),
        ]);
    }
    print_table(&table);
    println!("\n  row bytes per step by table");
    let mut tables = vec![row(["", "table", "50 steps", "500 steps"])];
    let mut names: Vec<&str> = samples
        .iter()
        .flat_map(|sample| sample.count.rows.keys().copied())
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let mut line = row(["", name]);
        line.extend(samples.iter().map(|sample| {
            let bytes = sample.count.rows.get(name).copied().unwrap_or(0);
            format!("{:.1}", bytes as f64 / sample.steps as f64)
        }));
        tables.push(line);
    }
    print_table(&tables);
}
