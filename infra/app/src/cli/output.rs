//! Tables for people, JSON for programs.

use super::Failure;
use bot::text::{en, one_line, time};
use domain::Micros;
use handlers::versions::Past;
use serde::Serialize;
use serde_json::Value;
use std::io::{self, Write};

/// Cells are cut beyond this, in characters.
const WIDEST: usize = 60;

#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub json: bool,
}

impl Output {
    /// The value as JSON, or whatever `people` makes of it.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub fn show<T: Serialize + ?Sized>(
        self,
        value: &T,
        people: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let text = if self.json {
            serde_json::to_string_pretty(value)?
        } else {
            people()
        };
        print(&text);
        Ok(())
    }

    /// A history, oldest first.
    ///
    /// # Errors
    /// As [`Output::show`].
    pub fn past(self, past: &[Past], now: Micros) -> Result<(), Failure> {
        let version = |past: &Past| {
            let head = en::version(past, &when(past.at, now));
            format!("{head}\n{}", past.diff).trim_end().to_owned()
        };
        self.show(past, || {
            past.iter().map(version).collect::<Vec<_>>().join("\n\n")
        })
    }
}

/// Who reads on has what it wanted: `countersign runs list | head` is no failure.
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush());
}

/// A table, or the sentence when there is nothing in it.
pub fn table(head: &[&str], rows: &[Vec<String>], nothing: &str) -> String {
    if rows.is_empty() {
        return nothing.to_owned();
    }
    let head = head.iter().map(|text| text.to_uppercase()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head)
        .chain(
            rows.iter()
                .map(|row| row.iter().map(|cell| cut(cell)).collect()),
        )
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let lines = rows.iter().map(|row| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Names and values below each other.
pub fn fields(pairs: &[(&str, String)]) -> String {
    let width = pairs
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let lines = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            // A value of several lines stands below its name.
            let indent = format!("\n{:width$}  ", "");
            format!("{name:width$}  {}", value.trim_end().replace('\n', &indent))
        });
    lines.collect::<Vec<_>>().join("\n")
}

fn cut(cell: &str) -> String {
    let line = one_line(cell);
    if line.chars().count() <= WIDEST {
        return line;
    }
    let kept: String = line.chars().take(WIDEST - 1).collect();
    format!("{kept}…")
}

/// An enum's name as it is stored: `limit_reached`.
pub fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// How long ago or ahead, roughly.
pub fn when(at: Micros, now: Micros) -> String {
    if at > now {
        return format!("in {}", time::span(at.since(now)));
    }
    format!("{} ago", time::span(now.since(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let rows = vec![
            vec!["a".to_owned(), "long name".to_owned()],
            vec!["bcd".to_owned(), "x\ny".to_owned()],
        ];
        assert_eq!(
            table(&["id", "name"], &rows, ""),
            "ID   NAME\na    long name\nbcd  x y"
        );
        assert_eq!(table(&["id"], &[], "None yet."), "None yet.");
        assert_eq!(
            table(&["id"], &[vec!["ü".repeat(99)]], "")
                .lines()
                .nth(1)
                .unwrap()
                .chars()
                .count(),
            WIDEST
        );
    }

    #[test]
    fn fields_without_a_value_are_left_out() {
        let text = fields(&[
            ("id", "1".to_owned()),
            ("empty", String::new()),
            ("prompt", "a\nb".to_owned()),
        ]);
        assert_eq!(text, "id      1\nprompt  a\n        b");
    }
}
