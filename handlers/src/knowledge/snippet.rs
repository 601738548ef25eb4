//! The stretch of a passage that shows best why it was found.

use std::ops::Range;

/// Bytes of context before the first highlight.
const BEFORE: usize = 40;

/// About `width` bytes of the text on one line, and the highlights in them.
pub fn snippet(
    text: &str,
    highlights: &[Range<usize>],
    width: usize,
) -> (String, Vec<Range<usize>>) {
    let fits = |start: usize| {
        let inside = |mark: &&Range<usize>| mark.start >= start && mark.end <= start + width;
        highlights.iter().filter(inside).count()
    };
    // The most highlights; of equals the first.
    let best = highlights.iter().map(|mark| mark.start).rev();
    let best = best.max_by_key(|start| fits(*start)).unwrap_or(0);
    let start = word_border(text, best.saturating_sub(BEFORE), best);
    let end = match start + width < text.len() {
        true => word_end(text, start, start + width),
        false => text.len(),
    };
    let mut out = Line::default();
    if start > 0 {
        out.text.push('…');
    }
    let mut marks = Vec::new();
    for (at, c) in text[start..end].char_indices() {
        let at = start + at;
        if let Some(mark) = highlights
            .iter()
            .find(|mark| mark.start == at && mark.end <= end)
        {
            marks.push((out.next(c), mark.end));
        }
        out.push(c);
        if let Some((from, to)) = marks.last().copied()
            && at + c.len_utf8() == to
        {
            out.marks.push(from..out.text.len());
        }
    }
    if end < text.len() {
        out.text.push('…');
    }
    (out.text, out.marks)
}

/// The beginning of the first word at or after `from`, at most `until`.
fn word_border(text: &str, from: usize, until: usize) -> usize {
    if from == 0 {
        return 0;
    }
    let from = (from..until).find(|at| text.is_char_boundary(*at));
    let after = |from: usize| {
        let space = text[from..until].find(char::is_whitespace)?;
        text[from + space..until]
            .find(|c: char| !c.is_whitespace())
            .map(|word| from + space + word)
    };
    from.and_then(after).unwrap_or(until)
}

/// The end of the last whole word between `from`, where a word may begin, and `to`.
fn word_end(text: &str, from: usize, to: usize) -> usize {
    let to = (0..=to)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let start = to.saturating_sub(BEFORE).max(from);
    let start = (start..=to)
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(to);
    match text[start..to].rfind(char::is_whitespace) {
        Some(space) => start + space,
        None => to,
    }
}

/// A text whose white space becomes single spaces.
#[derive(Default)]
struct Line {
    text: String,
    space: bool,
    marks: Vec<Range<usize>>,
}

impl Line {
    /// Where this character would stand.
    fn next(&self, c: char) -> usize {
        self.text.len() + usize::from(self.space && !c.is_whitespace() && !self.text.is_empty())
    }

    fn push(&mut self, c: char) {
        if c.is_whitespace() || c.is_control() {
            self.space = true;
            return;
        }
        if self.space && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.space = false;
        self.text.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marked(text: &str, words: &[&str], width: usize) -> String {
        let find = |word: &&str| {
            let found = text.match_indices(*word);
            found
                .map(|(at, word)| at..at + word.len())
                .collect::<Vec<_>>()
        };
        let mut marks: Vec<Range<usize>> = words.iter().flat_map(find).collect();
        marks.sort_by_key(|mark| mark.start);
        let (text, marks) = snippet(text, &marks, width);
        let mut out = text.clone();
        for mark in marks.iter().rev() {
            out.replace_range(mark.clone(), &format!("<{}>", &text[mark.clone()]));
        }
        out
    }

    #[test]
    fn it_shows_where_most_of_the_words_stand() {
        let text = "Trains are named once here. Then comes a long stretch of other words that say nothing at all.\n\nBook trains\n  before noon, says the rule.";
        let shown = marked(text, &["rains", "noon"], 60);
        assert_eq!(
            shown,
            "…words that say nothing at all. Book t<rains> before <noon>,…"
        );
        assert_eq!(marked("Short.", &[], 60), "Short.");
        assert_eq!(marked("", &[], 60), "");
    }

    proptest! {
        #[test]
        fn highlights_lie_within_and_are_what_they_were(text in "[a-z ä😀\n]{0,200}", word in "[a-z]{1,2}", width in 20..80_usize) {
            let marks: Vec<Range<usize>> = text.match_indices(&*word).map(|(at, w)| at..at + w.len()).collect();
            let (short, found) = snippet(&text, &marks, width);
            for mark in found {
                prop_assert_eq!(&short[mark], &*word);
            }
        }
    }
}
