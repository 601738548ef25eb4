//! A message as a terminal shows it.

use super::actions;
use crate::text::{self, visible};
use domain::{
    card::{Action, Block, Card},
    content::Content,
    rich_text::{Mark, MarkStyle, RichText},
};
use ports::message::{Body, Outgoing};

const RESET: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";

/// Ends with a line break; empty for what a terminal has no use for. `width` in columns.
#[must_use]
pub fn render(message: &Outgoing, color: bool, width: usize) -> String {
    match &message.body {
        Body::Text { text, actions } => format!("{}\n{}", rich(text, color), links(actions, color)),
        Body::Card { card } => self::card(card, color, width),
        Body::EditCard { card, .. } if card.actions.is_empty() => settled(card, color),
        Body::EditCard { card, .. } => self::card(card, color, width),
        Body::File {
            name,
            content,
            caption,
        } => file(name, content, caption, color),
        Body::Toast { text, .. } => {
            format!("{}\n", styled(&format!("· {}", visible(text)), DIM, color))
        }
        Body::Leave => String::new(),
    }
}

/// What can be typed to go on.
fn links(actions: &[Vec<Action>], color: bool) -> String {
    let rows = actions.iter().map(|row| {
        let labels: Vec<String> = row.iter().map(|action| visible(&action.label)).collect();
        format!("{}\n", styled(&labels.join(" · "), BOLD, color))
    });
    rows.collect()
}

fn card(card: &Card, color: bool, width: usize) -> String {
    let line = styled(&"─".repeat(width.clamp(20, 100)), DIM, color);
    let keys: Vec<&str> = actions(card).map(|(_, _, label)| label).collect();
    let prompt = styled(&keys.join(" · "), BOLD, color);
    format!(
        "{line}\n{}\n\n{prompt}\n{line}\n",
        rich(&text::card(card), color)
    )
}

/// The card itself stands above already.
fn settled(card: &Card, color: bool) -> String {
    let said = card.blocks.iter().find_map(|block| match block {
        Block::Text { text } => Some(text.as_str()),
        _ => None,
    });
    let title = styled(&visible(&card.title), DIM, color);
    format!("{}\n{title}\n", visible(said.unwrap_or_default()))
}

fn file(name: &str, content: &Content, caption: &str, color: bool) -> String {
    let head = styled(
        &visible(&format!("{name} ({} bytes) {caption}", content.bytes())),
        BOLD,
        color,
    );
    let language = if name.ends_with(".diff") { "diff" } else { "" };
    let mut body = RichText::plain(content.head());
    let len = u32::try_from(body.utf16_len()).unwrap_or(u32::MAX);
    if len > 0 {
        body.marks.push(Mark {
            start: 0,
            len,
            style: MarkStyle::Pre(language.to_owned()),
        });
    }
    format!("{}\n{}\n", head.trim_end(), rich(&body, color).trim_end())
}

fn styled(text: &str, code: &str, color: bool) -> String {
    if color && !text.is_empty() {
        format!("{code}{text}{RESET}")
    } else {
        text.to_owned()
    }
}

/// Without colour the text is all there is, and links are written out.
fn rich(rich: &RichText, color: bool) -> String {
    let mut out = String::with_capacity(rich.text.len());
    let (mut at, mut shown, mut line) = (0u32, String::new(), Line::default());
    for c in rich.text.chars() {
        for mark in rich.marks.iter().filter(|mark| mark.start + mark.len == at) {
            close(mark, &mut out);
        }
        line.next(c);
        let codes = if color {
            codes(rich, at, &line)
        } else {
            String::new()
        };
        if codes != shown {
            out.push_str(if shown.is_empty() { "" } else { RESET });
            out.push_str(&codes);
            shown = codes;
        }
        out.push_str(&visible(c.encode_utf8(&mut [0; 4])));
        at += u32::try_from(c.len_utf16()).unwrap_or(2);
    }
    out.push_str(if shown.is_empty() { "" } else { RESET });
    for mark in rich.marks.iter().filter(|mark| mark.start + mark.len == at) {
        close(mark, &mut out);
    }
    out
}

/// A terminal can't hide an address behind a word.
fn close(mark: &Mark, out: &mut String) {
    if let MarkStyle::Link(url) = &mark.style
        && !out.ends_with(url.as_str())
    {
        out.push_str(&format!(" ({})", visible(url)));
    }
}

/// How the line began, for diffs.
#[derive(Default)]
struct Line {
    first: Option<char>,
    over: bool,
}

impl Line {
    fn next(&mut self, c: char) {
        if self.over || self.first.is_none() {
            self.first = Some(c);
        }
        self.over = c == '\n';
    }
}

fn codes(rich: &RichText, at: u32, line: &Line) -> String {
    let inside = rich
        .marks
        .iter()
        .filter(|mark| mark.start <= at && at < mark.start + mark.len);
    let codes = inside.map(|mark| match (&mark.style, line.first) {
        (MarkStyle::Bold, _) => BOLD,
        (MarkStyle::Italic, _) => "\x1b[3m",
        (MarkStyle::Strike, _) => "\x1b[9m",
        (MarkStyle::Link(_), _) => "\x1b[4m",
        (MarkStyle::Quote, _) => DIM,
        (MarkStyle::Pre(language), Some('+')) if language == "diff" => "\x1b[32m",
        (MarkStyle::Pre(language), Some('-')) if language == "diff" => "\x1b[31m",
        (MarkStyle::Code | MarkStyle::Pre(_), _) => "\x1b[36m",
    });
    codes.collect()
}
