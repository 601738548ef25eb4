//! Bytes to text, with a way back to the bytes where the encoding has one.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use domain::knowledge::{Origin, Unit};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

pub struct Decoded {
    pub text: String,
    /// In bytes of the file, where characters can be counted back to them.
    pub origin: Origin,
    /// What was left out, for people.
    pub note: Option<String>,
}

/// Bytes that are looked at to guess an encoding. More would not change it.
const GUESSED: usize = 1 << 20;

/// None for what is no text.
pub fn decode(bytes: &[u8]) -> Option<Decoded> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes)
        && encoding != encoding_rs::UTF_8
    {
        return Some(wide(&bytes[mark..], encoding, mark));
    }
    if let Some(encoding) = looks_wide(bytes) {
        return Some(wide(bytes, encoding, 0));
    }
    let mark = if bytes.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let rest = &bytes[mark..];
    if !looks_like_text(rest) {
        return None;
    }
    if let Ok(text) = std::str::from_utf8(rest) {
        let at = mark as u64;
        return Some(Decoded {
            text: text.to_owned(),
            origin: Origin {
                at,
                unit: Unit::Utf8,
            },
            note: None,
        });
    }
    Some(damaged(rest).unwrap_or_else(|| legacy(rest)))
}

fn wide(bytes: &[u8], encoding: &'static Encoding, at: usize) -> Decoded {
    // Half a character at the end is none.
    let whole = &bytes[..bytes.len() - bytes.len() % 2];
    let (text, _) = encoding.decode_without_bom_handling(whole);
    Decoded {
        text: text.into_owned(),
        origin: Origin {
            at: at as u64,
            unit: Unit::Utf16,
        },
        note: None,
    }
}

/// UTF-16 without a mark: every other byte of Latin text in it is 0.
fn looks_wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4096) & !1];
    let zeros = |from: usize| {
        sample
            .iter()
            .skip(from)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd, half) = (zeros(0), zeros(1), sample.len() / 2);
    match half {
        0..2 => None,
        _ if odd * 10 > half * 7 && even * 10 < half => Some(UTF_16LE),
        _ if even * 10 > half * 7 && odd * 10 < half => Some(UTF_16BE),
        _ => None,
    }
}

/// No zeros, and of the other control characters as few as slip into a text.
fn looks_like_text(bytes: &[u8]) -> bool {
    let odd = |byte: &&u8| matches!(**byte, 1..=8 | 11 | 14..=26 | 28..=31 | 127);
    let sample = &bytes[..bytes.len().min(GUESSED)];
    !bytes.contains(&0) && sample.iter().filter(odd).count() * 50 <= sample.len()
}

/// UTF-8 with some bytes that are not: more whole characters than broken ones.
fn damaged(bytes: &[u8]) -> Option<Decoded> {
    let (mut whole, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    (whole > broken * 4).then(|| Decoded {
        text: String::from_utf8_lossy(bytes).into_owned(),
        origin: Origin::EXTRACTED,
        note: Some(format!("{broken} characters that are broken in the file.")),
    })
}

/// What was written before UTF-8. A page of HTML may say what it is.
fn legacy(bytes: &[u8]) -> Decoded {
    let encoding = labelled(bytes).unwrap_or_else(|| {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(&bytes[..bytes.len().min(GUESSED)], true);
        detector.guess(None, Utf8Detection::Deny)
    });
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let unit = match encoding.is_single_byte() {
        true => Unit::OneByte,
        false => Unit::Extracted,
    };
    let origin = Origin { at: 0, unit };
    Decoded {
        text: text.into_owned(),
        origin,
        note: None,
    }
}

/// `<meta charset=…>` within the first KiB.
fn labelled(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let meta = head.find("<meta")?;
    let label = &head[meta + head[meta..].find("charset=")? + 8..];
    let label = label.trim_start_matches(['"', '\'']);
    let end = label.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'));
    Encoding::for_label(&label.as_bytes()[..end?])
}
