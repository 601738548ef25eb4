//! What all benchmarks measure with: processor time and bytes of a process, a directory on the disk, medians, tables.

use anyhow::{Context, Result};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};
#[cfg(feature = "bench-search")]
use tempfile::TempDir;

#[cfg(feature = "bench-search")]
use crate::project::Project;

/// `sysconf(_SC_CLK_TCK)`, which is 100 on every Linux: `/proc` counts processor time in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// Time that passed and processor time that was used.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    pub wall: Duration,
    /// Seconds, user and system, all threads.
    pub cpu: f64,
}

impl Spent {
    pub fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.wall.as_secs_f64()
    }

    /// Microseconds of processor time for each of `count`.
    pub fn cpu_us(&self, count: u64) -> f64 {
        self.cpu * 1e6 / count as f64
    }
}

/// A measurement of this process under way.
pub struct Watch {
    began: Instant,
    cpu: f64,
}

impl Watch {
    pub fn start() -> Result<Self> {
        Ok(Self {
            cpu: cpu_of("self")?,
            began: Instant::now(),
        })
    }

    pub fn stop(&self) -> Result<Spent> {
        Ok(Spent {
            wall: self.began.elapsed(),
            cpu: cpu_of("self")? - self.cpu,
        })
    }
}

/// Processor seconds of a process so far: its id, or `self`.
pub fn cpu_of(process: &str) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th field after it.
    let ticks = stat.rsplit_once(')').and_then(|(_, fields)| {
        let mut fields = fields.split_whitespace().skip(11);
        Some(fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?)
    });
    Ok(ticks.with_context(|| format!("{path} looks unfamiliar"))? / TICKS_PER_SECOND)
}

/// A number from a file such as `/proc/self/io`, where each line is `name: number …`.
pub fn number_in(path: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("{path} has no {name}"))
}

/// A directory that goes away. Beside what cargo builds, because a temporary directory may be memory and no disk.
#[cfg(feature = "bench-search")]
pub fn directory(project: &Project) -> Result<TempDir> {
    let parent = project.target.join("bench");
    fs::create_dir_all(&parent)?;
    Ok(tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(parent)?)
}

pub fn text_of(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}

/// The middle one; the mean of the middle two of an even number; 0 of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

/// Prints rows in columns, the first to the left, the others to the right; the first row is the heading.
pub fn print_table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate();
        let line: Vec<String> = cells
            .map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        println!("  {}", line.join("   ").trim_end());
    }
}

/// A row of a table.
pub fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}
