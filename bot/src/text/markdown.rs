//! Markdown to text with marks. Nothing is eaten: what a chat can't show (tables, images, HTML) appears as text.

use super::builder::{Builder, units};
use domain::rich_text::{MarkStyle, RichText};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::ops::Range;

/// Renders what a model wrote.
#[must_use]
pub fn markdown(source: &str) -> RichText {
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES;
    let mut parser = Parser::new_ext(source, options).into_offset_iter();
    let mut writer = Writer {
        source,
        ..Writer::default()
    };
    for (event, range) in parser.by_ref() {
        writer.event(event, range);
    }
    // A definition shows where its link is used; one that is never used would vanish.
    let mut unused: Vec<Range<usize>> = parser
        .reference_definitions()
        .iter()
        .filter(|(_, definition)| {
            !writer
                .destinations
                .iter()
                .any(|used| used == definition.dest.as_ref())
        })
        .map(|(_, definition)| definition.span.clone())
        .collect();
    unused.sort_by_key(|span| span.start);
    for span in unused {
        writer.block();
        writer.text(source.get(span).unwrap_or_default());
    }
    writer.out.build()
}

#[derive(Default)]
struct Writer<'a> {
    source: &'a str,
    out: Builder,
    /// Line breaks that are due before the next text.
    due: usize,
    /// A bullet was just written: the item's first block follows on its line.
    after_bullet: bool,
    /// Per open list whether it is numbered.
    lists: Vec<bool>,
    quotes: usize,
    open: Vec<Open>,
    destinations: Vec<String>,
    in_code: bool,
    /// Nothing but white space in it so far.
    blank_code: bool,
    table: Option<Table>,
}

/// A tag that is open, and where its text began.
struct Open {
    start: u32,
    style: Option<MarkStyle>,
    /// For a link or image: where it leads, and its title.
    leads: Option<(String, String)>,
}

#[derive(Default)]
struct Table {
    rows: Vec<Vec<String>>,
    cell: String,
}

impl Writer<'_> {
    fn event(&mut self, event: Event, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag),
            Event::Text(text)
            | Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text) => self.text(&text),
            Event::Code(text) => self.marked(&text, MarkStyle::Code),
            // A line break that the model wrote means something in a chat.
            Event::SoftBreak | Event::HardBreak => self.text("\n"),
            Event::Rule => {
                self.block();
                self.text("———");
                self.block();
            }
            Event::FootnoteReference(name) => self.text(&name),
            Event::TaskListMarker(done) => self.text(if done { "[x] " } else { "[ ] " }),
        }
    }

    fn start(&mut self, tag: Tag, range: Range<usize>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.block(),
            Tag::Heading { .. } => {
                self.block();
                self.begin(Some(MarkStyle::Bold), None);
            }
            Tag::BlockQuote(_) => {
                self.block();
                self.quotes += 1;
                // Telegram refuses a quote within a quote.
                self.begin((self.quotes == 1).then_some(MarkStyle::Quote), None);
            }
            Tag::CodeBlock(kind) => self.start_code(&kind),
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.block();
                }
                self.lists.push(first.is_some());
            }
            Tag::Item => self.start_item(range),
            Tag::Table(_) => {
                self.block();
                self.flush();
                self.table = Some(Table::default());
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            Tag::Emphasis => self.begin(Some(MarkStyle::Italic), None),
            Tag::Strong => self.begin(Some(MarkStyle::Bold), None),
            Tag::Strikethrough => self.begin(Some(MarkStyle::Strike), None),
            Tag::Link {
                dest_url, title, ..
            }
            | Tag::Image {
                dest_url, title, ..
            } => {
                self.destinations.push(dest_url.to_string());
                self.begin(None, Some((dest_url.into_string(), title.into_string())));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.block(),
            TagEnd::Heading(_) => {
                self.finish();
                self.block();
            }
            TagEnd::BlockQuote(_) => {
                self.quotes = self.quotes.saturating_sub(1);
                self.finish();
                self.block();
            }
            TagEnd::CodeBlock => {
                self.in_code = false;
                self.name_empty_code();
                self.finish();
                self.block();
            }
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.block();
                }
            }
            TagEnd::Item => self.after_bullet = false,
            TagEnd::Table => self.end_table(),
            TagEnd::TableCell => {
                if let Some(table) = &mut self.table {
                    let cell = std::mem::take(&mut table.cell);
                    if let Some(row) = table.rows.last_mut() {
                        row.push(cell);
                    }
                }
            }
            TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Link
            | TagEnd::Image => self.finish(),
            _ => {}
        }
    }

    fn start_code(&mut self, kind: &CodeBlockKind) {
        self.block();
        let info = match kind {
            CodeBlockKind::Fenced(info) => info.trim(),
            CodeBlockKind::Indented => "",
        };
        if info.contains(char::is_whitespace) {
            // More than a language: a file's name, options. It is shown, for the mark has no place for it.
            self.text(info);
            self.due = 1;
        }
        let language = info.split_whitespace().next().unwrap_or_default();
        self.begin(Some(MarkStyle::Pre(language.to_owned())), None);
        self.in_code = true;
        self.blank_code = true;
    }

    /// A block without a word, such as a fence that was just opened when the text ended: its language would vanish.
    fn name_empty_code(&mut self) {
        let Some(Open {
            style: Some(MarkStyle::Pre(language)),
            ..
        }) = self.open.last()
        else {
            return;
        };
        if self.blank_code {
            self.out.push(language);
        }
    }

    fn start_item(&mut self, range: Range<usize>) {
        self.after_bullet = false;
        if self.due == 0 && !self.out.is_empty() && self.out.trailing_breaks() == 0 {
            self.due = 1;
        }
        if self.due > 1 && self.lists.len() > 1 {
            self.due = 1;
        }
        // The number as it was written; Markdown itself would count on from the first.
        let written = self.source.get(range).unwrap_or_default().trim_start();
        let digits: String = written.chars().take_while(char::is_ascii_digit).collect();
        let bullet = match self.lists.last() {
            Some(true) if !digits.is_empty() => format!("{digits}. "),
            _ => "• ".to_owned(),
        };
        self.flush();
        self.out
            .push(&"  ".repeat(self.lists.len().saturating_sub(1)));
        self.out.push(&bullet);
        self.after_bullet = true;
    }

    fn end_table(&mut self) {
        let Some(table) = self.table.take() else {
            return;
        };
        self.marked(&aligned(&table.rows), MarkStyle::Pre(String::new()));
        self.block();
    }

    fn begin(&mut self, style: Option<MarkStyle>, leads: Option<(String, String)>) {
        if self.table.is_none() {
            self.flush();
        }
        let start = match &self.table {
            Some(table) => units(&table.cell),
            None => self.out.at(),
        };
        self.open.push(Open {
            start,
            style,
            leads,
        });
    }

    fn finish(&mut self) {
        let Some(Open {
            start,
            style,
            leads,
        }) = self.open.pop()
        else {
            return;
        };
        if let Some((url, title)) = leads {
            return self.finish_link(start, &url, &title);
        }
        if let (Some(style), None) = (style, &self.table) {
            self.out.mark(start, style);
        }
    }

    fn finish_link(&mut self, start: u32, url: &str, title: &str) {
        let empty = match &self.table {
            Some(table) => units(&table.cell) == start,
            None => self.out.at() == start,
        };
        let linked = self.table.is_none() && opens(url);
        if empty {
            self.text(url);
        } else if !linked && !url.is_empty() {
            self.text(&format!(" ({url})"));
        }
        if linked {
            self.out.mark(start, MarkStyle::Link(url.to_owned()));
        }
        if !title.is_empty() {
            self.text(&format!(" ({title})"));
        }
    }

    fn marked(&mut self, text: &str, style: MarkStyle) {
        self.begin(Some(style), None);
        self.text(text);
        self.finish();
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(table) = &mut self.table {
            table.cell.push_str(&text.replace('\n', " "));
            return;
        }
        self.flush();
        self.after_bullet = false;
        if self.in_code {
            self.blank_code &= text.trim().is_empty();
            // The last line's break belongs to what follows.
            self.out.push(text.strip_suffix('\n').unwrap_or(text));
            self.due = usize::from(text.ends_with('\n'));
        } else if self.lists.is_empty() {
            self.out.push(text);
        } else {
            // Further lines of an item stand under its first.
            let indent = format!("\n{}", "  ".repeat(self.lists.len()));
            self.out.push(&text.replace('\n', &indent));
        }
    }

    /// A blank line before whatever comes next.
    fn block(&mut self) {
        if !self.after_bullet && !self.out.is_empty() {
            self.due = if self.lists.is_empty() {
                2
            } else {
                self.due.max(1)
            };
        }
    }

    fn flush(&mut self) {
        // In code every line counts; elsewhere breaks that are there already will do.
        let there = if self.in_code {
            0
        } else {
            self.out.trailing_breaks()
        };
        for _ in there..std::mem::take(&mut self.due) {
            self.out.push("\n");
        }
    }
}

/// Whether a chat's client opens it; what it wouldn't open is written out.
fn opens(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "tg" | "mailto"))
}

fn aligned(rows: &[Vec<String>]) -> String {
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
    let mut lines = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        lines.push(cells.join(" | ").trim_end().to_owned());
        if number == 0 {
            lines.push(
                widths
                    .iter()
                    .map(|width| "-".repeat(*width))
                    .collect::<Vec<_>>()
                    .join("-+-"),
            );
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
