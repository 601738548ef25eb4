//! The languages of a document and of its sections.

use domain::content::prefix;
use ports::extract::Extracted;
use whatlang::Lang;

/// Bytes below which a guess is worth nothing.
const ENOUGH: usize = 200;
/// Bytes that are looked at.
const SAMPLE: usize = 16 * 1024;

/// Says in which language each section is, as far as it is clear; a short one is in the document's.
pub fn speak(extracted: &mut Extracted) {
    let mut all = String::new();
    for section in extracted.sections.iter().filter(|section| !section.code) {
        if all.len() > SAMPLE {
            break;
        }
        all.push_str(prefix(&section.text, SAMPLE));
        all.push('\n');
    }
    let main = guess(&all, 1);
    for section in extracted.sections.iter_mut().filter(|one| !one.code) {
        section.language = guess(&section.text, ENOUGH).or(main).map(str::to_owned);
    }
    extracted.language = main.map(str::to_owned);
}

fn guess(text: &str, enough: usize) -> Option<&'static str> {
    let text = prefix(text, SAMPLE);
    if text.len() < enough {
        return None;
    }
    let found = whatlang::detect(text).filter(whatlang::Info::is_reliable)?;
    code(found.lang())
}

/// ISO 639-1 of those that the index may know something about.
fn code(language: Lang) -> Option<&'static str> {
    Some(match language {
        Lang::Eng => "en",
        Lang::Rus => "ru",
        Lang::Deu => "de",
        Lang::Fra => "fr",
        Lang::Spa => "es",
        Lang::Ita => "it",
        Lang::Por => "pt",
        Lang::Nld => "nl",
        Lang::Swe => "sv",
        Lang::Nob => "no",
        Lang::Dan => "da",
        Lang::Fin => "fi",
        Lang::Hun => "hu",
        Lang::Ron => "ro",
        Lang::Tur => "tr",
        Lang::Ara => "ar",
        Lang::Ell => "el",
        Lang::Ukr => "uk",
        Lang::Pol => "pl",
        Lang::Ces => "cs",
        Lang::Heb => "he",
        Lang::Cmn => "zh",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        _ => return None,
    })
}
