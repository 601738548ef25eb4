//! Builds a [`RichText`] from left to right and keeps count of UTF-16 units, in which its marks are measured.

use domain::rich_text::{Mark, MarkStyle, RichText};

#[derive(Default)]
pub struct Builder {
    text: String,
    units: u32,
    marks: Vec<Mark>,
}

impl Builder {
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self.units += units(text);
        self
    }

    pub fn marked(&mut self, text: &str, style: MarkStyle) -> &mut Self {
        let start = self.at();
        self.push(text);
        self.mark(start, style)
    }

    /// Adds a text that has marks already.
    pub fn append(&mut self, rich: &RichText) -> &mut Self {
        let at = self.at();
        let shifted = rich.marks.iter().map(|mark| Mark {
            start: mark.start + at,
            ..mark.clone()
        });
        self.marks.extend(shifted);
        self.push(&rich.text)
    }

    /// Where the next text will begin.
    #[must_use]
    pub fn at(&self) -> u32 {
        self.units
    }

    /// Marks everything from `start` on; nothing when there is nothing.
    pub fn mark(&mut self, start: u32, style: MarkStyle) -> &mut Self {
        if self.units > start {
            self.marks.push(Mark {
                start,
                len: self.units - start,
                style,
            });
        }
        self
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Line breaks at the end.
    #[must_use]
    pub fn trailing_breaks(&self) -> usize {
        self.text.len() - self.text.trim_end_matches('\n').len()
    }

    /// The text without white space at its end, its marks in order.
    #[must_use]
    pub fn build(mut self) -> RichText {
        let trimmed = self.text.trim_end().len();
        self.units -= units(&self.text[trimmed..]);
        self.text.truncate(trimmed);
        for mark in &mut self.marks {
            mark.len = mark.len.min(self.units.saturating_sub(mark.start));
        }
        self.marks.retain(|mark| mark.len > 0);
        self.marks
            .sort_by_key(|mark| (mark.start, std::cmp::Reverse(mark.len)));
        RichText {
            text: self.text,
            marks: self.marks,
        }
    }
}

/// Length in UTF-16 units. No text of ours comes near 4 GiB.
pub fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}
