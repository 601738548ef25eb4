//! Markdown stays as it is written, cut at its headings.

use crate::encoding::Decoded;
use domain::knowledge::{Origin, Section};
use ports::extract::Extracted;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

pub struct Heading {
    /// Where its line begins.
    pub at: usize,
    /// From 1.
    pub level: usize,
    pub text: String,
}

pub fn read(decoded: &Decoded) -> Extracted {
    of_text(&decoded.text, decoded.origin, Some(1))
}

/// Also of what was made Markdown, which has no lines in a source.
pub fn of_text(text: &str, origin: Origin, line: Option<u32>) -> Extracted {
    let found = headings(text);
    let title = found.iter().min_by_key(|heading| heading.level);
    Extracted {
        title: title
            .map(|heading| heading.text.clone())
            .unwrap_or_default(),
        media_type: "text/markdown".to_owned(),
        sections: sections(text, origin, line, found),
        ..Extracted::default()
    }
}

fn headings(text: &str) -> Vec<Heading> {
    let options = Options::ENABLE_YAML_STYLE_METADATA_BLOCKS | Options::ENABLE_TABLES;
    let mut found = Vec::new();
    let mut open: Option<Heading> = None;
    // Headings in a quotation or a list are part of it.
    let mut depth = 0_usize;
    for (event, bytes) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) if depth == 0 => {
                open = Some(Heading {
                    at: bytes.start,
                    level: level as usize,
                    text: String::new(),
                });
            }
            Event::End(TagEnd::Heading(_)) => found.extend(open.take()),
            Event::Start(Tag::BlockQuote(_) | Tag::List(_)) => depth += 1,
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_)) => depth = depth.saturating_sub(1),
            Event::Text(said) | Event::Code(said) => {
                if let Some(heading) = &mut open {
                    heading.text.push_str(&said);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(heading) = &mut open {
                    heading.text.push(' ');
                }
            }
            _ => {}
        }
    }
    found
}

/// The text cut where headings begin, each section with the path of its heading. Nothing is left out.
pub fn sections(
    text: &str,
    origin: Origin,
    line: Option<u32>,
    headings: Vec<Heading>,
) -> Vec<Section> {
    let mut cutter = Cutter {
        text,
        origin,
        line,
        from: 0,
        path: Vec::new(),
        sections: Vec::new(),
    };
    for heading in headings {
        cutter.cut(heading.at);
        cutter.path.retain(|(level, _)| *level < heading.level);
        cutter.path.push((heading.level, heading.text));
    }
    cutter.cut(text.len());
    cutter.sections
}

struct Cutter<'a> {
    text: &'a str,
    /// Of what is not cut yet.
    origin: Origin,
    line: Option<u32>,
    from: usize,
    path: Vec<(usize, String)>,
    sections: Vec<Section>,
}

impl Cutter<'_> {
    fn cut(&mut self, to: usize) {
        let part = &self.text[self.from..to];
        if part.is_empty() {
            return;
        }
        self.sections.push(Section {
            headings: self.path.iter().map(|(_, text)| text.clone()).collect(),
            text: part.to_owned(),
            origin: Some(self.origin),
            line: self.line,
            ..Section::default()
        });
        self.origin = self.origin.after(part);
        let lines = u32::try_from(part.matches('\n').count()).unwrap_or(u32::MAX);
        self.line = self.line.map(|line| line.saturating_add(lines));
        self.from = to;
    }
}
