//! Plain text: headings are lines that are underlined, as in reStructuredText and in mail.

use crate::encoding::Decoded;
use crate::markdown::{Heading, sections};
use ports::extract::Extracted;

/// Bytes of a line that can be a heading or a title.
const LINE: usize = 120;

pub fn read(decoded: &Decoded) -> Extracted {
    let found = headings(&decoded.text);
    let title = found
        .first()
        .map_or_else(|| first(&decoded.text), |one| one.text.clone());
    Extracted {
        title,
        media_type: "text/plain".to_owned(),
        sections: sections(&decoded.text, decoded.origin, Some(1), found),
        ..Extracted::default()
    }
}

/// The first line, where it stands alone.
fn first(text: &str) -> String {
    let mut lines = text.trim_start().lines();
    let line = lines.next().unwrap_or_default().trim();
    let alone = lines.next().is_none_or(|next| next.trim().is_empty());
    match alone && line.len() <= LINE {
        true => line.to_owned(),
        false => String::new(),
    }
}

fn headings(text: &str) -> Vec<Heading> {
    let mut found = Vec::new();
    // Which mark was used first says how deep it is.
    let mut marks: Vec<char> = Vec::new();
    let mut before: Option<(usize, &str)> = None;
    let (mut at, mut is_first_of_paragraph) = (0, true);
    for line in text.split_inclusive('\n') {
        let said = line.trim_end();
        if let (Some(mark), Some((start, title))) = (underline(said), before) {
            let fits = title.chars().count() <= said.chars().count() + 2;
            if fits && title.len() <= LINE {
                let depth = marks.iter().position(|known| *known == mark);
                let depth = depth.unwrap_or_else(|| {
                    marks.push(mark);
                    marks.len() - 1
                });
                found.push(Heading {
                    at: start,
                    level: depth + 1,
                    text: title.trim().to_owned(),
                });
            }
        }
        before = (is_first_of_paragraph && !said.trim().is_empty()).then_some((at, said));
        // Under a line above the title, as some write it, the title is the second line.
        is_first_of_paragraph = said.trim().is_empty() || underline(said).is_some();
        at += line.len();
    }
    found
}

fn underline(line: &str) -> Option<char> {
    let mark = line.chars().next()?;
    let is_mark = matches!(mark, '=' | '-' | '~' | '^' | '"' | '*' | '#' | '+');
    (is_mark && line.len() >= 3 && line.chars().all(|c| c == mark)).then_some(mark)
}
