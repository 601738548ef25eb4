//! What the process in the sandbox does.

use domain::{
    content::prefix,
    knowledge::{Origin, Section},
};
use pdf_oxide::PdfDocument;
use ports::extract::Extracted;
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the process prints, as JSON.
#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Read(Extracted),
    /// For people, with what to do.
    Unreadable(String),
}

pub const BROKEN: &str = "this PDF is broken: open it in a viewer, save it anew and send that.";
const ENCRYPTED: &str = "this PDF is encrypted: save it without a password and send that.";
const SCANNED: &str =
    "this PDF has no text, only pictures of pages (a scan): run text recognition over it first.";

const BLANK: &str = "there is no text in this PDF: its pages are blank, or drawn.";

/// The longest documents that people keep as one file have some ten thousand.
const PAGES: usize = 50_000;

/// Bytes of a line that can be a title.
const TITLE: usize = 120;

/// Reads all pages. One that can't be read is left out, with a remark.
#[must_use]
pub fn parse(bytes: Vec<u8>) -> Answer {
    let read = catch_unwind(AssertUnwindSafe(|| read(bytes)));
    match read {
        Ok(Ok(extracted)) => Answer::Read(extracted),
        Ok(Err(why)) => Answer::Unreadable(why),
        Err(_) => Answer::Unreadable(BROKEN.to_owned()),
    }
}

fn read(bytes: Vec<u8>) -> Result<Extracted, String> {
    let pictures = has_pictures(&bytes);
    let document = PdfDocument::from_bytes(bytes).map_err(|error| {
        let encrypted = error.to_string().to_lowercase().contains("encrypt");
        if encrypted { ENCRYPTED } else { BROKEN }.to_owned()
    })?;
    // Some are encrypted without a password, which is for printers.
    if document.is_encrypted()
        && !document.is_authenticated()
        && !document.authenticate(b"").unwrap_or(false)
    {
        return Err(ENCRYPTED.to_owned());
    }
    let count = document.page_count().map_err(|_| BROKEN)?;
    if count > PAGES {
        return Err(format!(
            "this PDF has {count} pages, and at most {PAGES} are read: split it."
        ));
    }
    let (mut sections, mut empty, mut broken) = (Vec::new(), Vec::new(), Vec::new());
    for page in 0..count {
        let number = u32::try_from(page + 1).unwrap_or(u32::MAX);
        let text = catch_unwind(AssertUnwindSafe(|| document.extract_text(page)));
        match text {
            Ok(Ok(text)) if text.trim().is_empty() => match is_sound(&document, page) {
                true => empty.push(number),
                false => broken.push(number),
            },
            Ok(Ok(text)) => sections.push(Section {
                page: Some(number),
                text: tidy(&text),
                ..Section::default()
            }),
            Ok(Err(_)) | Err(_) => broken.push(number),
        }
    }
    place(&mut sections);
    if sections.is_empty() {
        let whole = broken.is_empty() && count > 0;
        return Err(textless(whole, pictures).to_owned());
    }
    let mut skipped = Vec::new();
    if !empty.is_empty() {
        skipped.push(format!(
            "{} without text (pictures, or blank).",
            pages(&empty)
        ));
    }
    if !broken.is_empty() {
        skipped.push(format!("{}, which cannot be read.", pages(&broken)));
    }
    Ok(Extracted {
        title: title(&sections[0].text),
        media_type: "application/pdf".to_owned(),
        language: None,
        pages: Some(u32::try_from(count).unwrap_or(u32::MAX)),
        sections,
        skipped,
    })
}

/// Says where each page stands in the text of all.
fn place(sections: &mut [Section]) {
    let mut origin = Origin::EXTRACTED;
    for section in sections {
        section.origin = Some(origin);
        origin = origin.after(&section.text);
    }
}

/// Why there is no text at all.
fn textless(whole: bool, pictures: bool) -> &'static str {
    match (whole, pictures) {
        (false, _) => BROKEN,
        (true, true) => SCANNED,
        (true, false) => BLANK,
    }
}

/// Whether what a page shows can be unpacked: of what can't be the parser says that it is empty.
fn is_sound(document: &PdfDocument, page: usize) -> bool {
    let content = catch_unwind(AssertUnwindSafe(|| document.get_page_content_data(page)));
    matches!(content, Ok(Ok(_)))
}

/// Pictures are streams, and what a stream is stands in the file as it is, also in one that is encrypted.
fn has_pictures(bytes: &[u8]) -> bool {
    const NAME: &[u8] = b"/Image";
    let after = |at: usize| bytes.get(at + NAME.len());
    let mut found = bytes.windows(NAME.len()).enumerate();
    // And not, say, /ImageMask.
    found.any(|(at, name)| name == NAME && !after(at).is_some_and(u8::is_ascii_alphanumeric))
}

/// Lines without blank at their ends, and no characters that no one sees. After a page a line is empty: what follows is another paragraph.
fn tidy(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let visible = |c: &char| !c.is_control() || *c == '\t';
        line.chars()
            .filter(visible)
            .collect::<String>()
            .trim_end()
            .to_owned()
    });
    let mut text = lines.collect::<Vec<_>>().join("\n");
    text.push_str("\n\n");
    text
}

fn title(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    prefix(line.unwrap_or_default(), TITLE).to_owned()
}

/// `page 3`, `pages 1–4, 7`.
pub(crate) fn pages(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|a, b| a + 1 == *b);
    let runs = runs.map(|run| match run {
        [one] => one.to_string(),
        [first, .., last] => format!("{first}–{last}"),
        [] => String::new(),
    });
    let word = if numbers.len() == 1 { "page" } else { "pages" };
    format!("{word} {}", runs.collect::<Vec<_>>().join(", "))
}
