//! Text, Markdown, HTML and source code, in whatever encoding. What a file is, its bytes say; its name decides only between kinds that
//! look the same (code, plain text).

mod code;
mod encoding;
mod html;
mod kind;
mod language;
mod markdown;
mod plain;

pub use kind::no_text;
pub use language::speak;

use domain::knowledge::Section;
use encoding::Decoded;
use kind::Kind;
use ports::extract::{ExtractError, Extracted, File};

/// The text of a file with its headings, places and languages. Of a large file this takes seconds of a processor.
///
/// # Errors
/// [`ExtractError::Unreadable`] for what is no text.
pub fn read(file: File<'_>) -> Result<Extracted, ExtractError> {
    let unreadable = |why: &str| ExtractError::Unreadable(why.to_owned());
    if let Some(what) = kind::no_text(file.bytes) {
        return Err(unreadable(what));
    }
    let decoded = encoding::decode(file.bytes).ok_or_else(|| unreadable(kind::BINARY))?;
    if decoded.text.trim().is_empty() {
        return Err(unreadable("there is no text in it."));
    }
    let mut extracted = match kind::of(file.name, &decoded.text) {
        Kind::Html => html::read(&decoded.text).map_err(|why| unreadable(&why))?,
        Kind::Markdown => markdown::read(&decoded),
        Kind::Plain => plain::read(&decoded),
        Kind::Code { media_type } => code(&decoded, media_type),
    };
    if extracted.title.trim().is_empty() {
        extracted.title = stem(file.name).to_owned();
    }
    extracted.skipped.extend(decoded.note);
    speak(&mut extracted);
    Ok(extracted)
}

fn code(decoded: &Decoded, media_type: &str) -> Extracted {
    Extracted {
        media_type: media_type.to_owned(),
        sections: vec![Section {
            code: true,
            text: decoded.text.clone(),
            origin: Some(decoded.origin),
            line: Some(1),
            ..Section::default()
        }],
        ..Extracted::default()
    }
}

/// The name without directories; without what says its kind, unless that is all there is.
fn stem(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    match name.rsplit_once('.') {
        // Of code the whole name is what people know it by.
        Some((stem, kind)) if !stem.is_empty() && code::media_type(kind).is_none() => stem,
        _ => name,
    }
}

#[cfg(test)]
mod tests;
