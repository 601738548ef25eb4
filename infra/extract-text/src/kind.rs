//! What a file is.

use crate::code;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Html,
    Markdown,
    Plain,
    Code { media_type: &'static str },
}

pub const BINARY: &str = "this is no text: send text, Markdown, HTML, source code or a PDF.";
const ARCHIVE: &str = "this is an archive: unpack it and send the files in it.";
const PICTURE: &str =
    "this is a picture, and text in pictures is not read: send it as text or as a PDF with text.";
const RECORDING: &str = "this is sound or film, which is not read.";
const PROGRAM: &str = "this is a program, not a text.";

/// Beginnings of files that hold no text, and what to say about them.
const NO_TEXT: [(&[u8], &str); 21] = [
    (
        b"PK\x03\x04",
        "this is a ZIP archive or a document of an office program: send the files in it, or the document as a PDF.",
    ),
    (b"PK\x05\x06", ARCHIVE),
    (b"\x1f\x8b", ARCHIVE),
    (b"BZh", ARCHIVE),
    (b"\xfd7zXZ\0", ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", ARCHIVE),
    (b"Rar!\x1a\x07", ARCHIVE),
    (b"\x28\xb5\x2f\xfd", ARCHIVE),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "this is a document of an old office program: save it as a PDF or as text.",
    ),
    (b"\x89PNG\r\n\x1a\n", PICTURE),
    (b"\xff\xd8\xff", PICTURE),
    (b"GIF8", PICTURE),
    (b"II*\0", PICTURE),
    (b"MM\0*", PICTURE),
    (
        b"RIFF",
        "this is a picture, sound or film, which is not read.",
    ),
    (b"ID3", RECORDING),
    (b"OggS", RECORDING),
    (b"fLaC", RECORDING),
    (b"\x7fELF", PROGRAM),
    (b"MZ\x90\0", PROGRAM),
    (b"SQLite format 3\0", "this is a database, not a text."),
];

/// Why there is no text in these bytes, where their beginning says it.
pub fn no_text(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some(RECORDING);
    }
    let found = NO_TEXT.iter().find(|(begin, _)| bytes.starts_with(begin));
    found.map(|(_, what)| *what)
}

pub fn of(name: &str, text: &str) -> Kind {
    let file = name.rsplit('/').next().unwrap_or(name);
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    let ending = ending.to_ascii_lowercase();
    let begin: String = text.trim_start().chars().take(64).collect();
    let begin = begin.to_ascii_lowercase();
    let is_html = ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|tag| begin.starts_with(tag));
    if is_html || matches!(ending.as_str(), "html" | "htm" | "xhtml") && text.contains('<') {
        return Kind::Html;
    }
    if matches!(ending.as_str(), "md" | "markdown" | "mdown" | "mkd") {
        return Kind::Markdown;
    }
    if let Some(media_type) = code::media_type(&ending).or_else(|| code::of_file(file)) {
        return Kind::Code { media_type };
    }
    match begin.starts_with("#!/") {
        true => Kind::Code {
            media_type: "text/x-script",
        },
        false => Kind::Plain,
    }
}
