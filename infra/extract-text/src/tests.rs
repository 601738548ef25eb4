use super::*;
use domain::knowledge::{Unit, passages};

const RUSSIAN: &str = "Поезд отправляется в полдень с третьего пути. Билеты продаются в кассе на первом этаже до одиннадцати часов. \
    Если поезд опаздывает, пассажиры узнают об этом из объявлений на вокзале и на сайте железной дороги.";

fn file<'a>(name: &'a str, bytes: &'a [u8]) -> File<'a> {
    File { name, bytes }
}

fn understood(name: &str, bytes: &[u8]) -> Extracted {
    read(file(name, bytes)).unwrap()
}

fn refused(name: &str, bytes: &[u8]) -> String {
    read(file(name, bytes)).unwrap_err().to_string()
}

/// Each passage is what its bytes say in that encoding.
fn stands(bytes: &[u8], extracted: &Extracted, decode: impl Fn(&[u8]) -> String) {
    let found = passages(&extracted.sections);
    assert!(!found.is_empty());
    for passage in found {
        let at = passage.at.expect("a place");
        assert_eq!(
            decode(&bytes[at.start as usize..at.end as usize]),
            passage.text
        );
    }
}

/// Each passage is what its bytes of the extracted text say, and that is always the same.
fn is_extracted_again(extracted: &Extracted, name: &str, bytes: &[u8]) {
    for _ in 0..10 {
        let again = understood(name, bytes);
        assert_eq!(again, *extracted);
        let text: String = again.sections.iter().map(|one| &*one.text).collect();
        for passage in passages(&extracted.sections) {
            let within = passage.within.expect("a place");
            assert_eq!(passage.at, None);
            assert_eq!(
                text[within.start as usize..within.end as usize],
                passage.text
            );
        }
    }
}

#[test]
fn markdown_keeps_its_headings_places_and_lines() {
    let text = "---\ntitle: x\n---\nBefore.\n\n# Guide\n\nHello.\n\n## `fn` of *it*\n\n```\n# no heading\n```\n\n# Other\n\nEnd.\n";
    let read = understood("docs/guide.md", text.as_bytes());
    let parts: Vec<_> = read
        .sections
        .iter()
        .map(|s| (s.headings.join("/"), s.line.unwrap()))
        .collect();
    let expected = [("", 1), ("Guide", 6), ("Guide/fn of it", 10), ("Other", 16)];
    assert_eq!(parts, expected.map(|(path, line)| (path.to_owned(), line)));
    assert_eq!(
        (&*read.title, &*read.media_type),
        ("Guide", "text/markdown")
    );
    let whole: String = read.sections.iter().map(|section| &*section.text).collect();
    assert_eq!(whole, text);
    stands(text.as_bytes(), &read, |bytes| {
        String::from_utf8(bytes.to_vec()).unwrap()
    });
}

#[test]
fn plain_text_has_underlined_headings_and_a_title() {
    let text = "=====\nGuide\n=====\n\nWords.\n\nPart one\n--------\nMore.\n\n-----\n\nPart two\n--------\n\nEnd.\n";
    let read = understood("guide.rst", text.as_bytes());
    let paths: Vec<_> = read.sections.iter().map(|s| s.headings.join("/")).collect();
    assert_eq!(paths, ["", "Guide", "Guide/Part one", "Guide/Part two"]);
    assert_eq!(read.title, "Guide");
    assert_eq!(
        understood("a/notes.txt", b"Some words\nthat go on.").title,
        "notes"
    );
    assert_eq!(
        understood("a/notes.txt", b"A title\n\nand words.").title,
        "A title"
    );
}

#[test]
fn code_is_code() {
    let read = understood("src/main.rs", b"fn main() {}\n");
    assert_eq!(
        (&*read.title, &*read.media_type),
        ("main.rs", "text/x-rust")
    );
    assert!(read.sections[0].code && read.language.is_none());
    assert_eq!(
        understood("run", b"#!/bin/sh\nls\n").media_type,
        "text/x-script"
    );
    assert_eq!(
        understood("Makefile", b"all:\n").media_type,
        "text/x-makefile"
    );
}

#[test]
fn encodings_are_detected_and_places_hold_in_them() {
    let (koi, _, _) = encoding_rs::KOI8_R.encode(RUSSIAN);
    let (cp1251, _, _) = encoding_rs::WINDOWS_1251.encode(RUSSIAN);
    for (bytes, encoding) in [
        (koi, encoding_rs::KOI8_R),
        (cp1251, encoding_rs::WINDOWS_1251),
    ] {
        let read = understood("a.txt", &bytes);
        assert_eq!(read.sections[0].text, RUSSIAN);
        assert_eq!(
            (
                read.language.as_deref(),
                read.sections[0].origin.unwrap().unit
            ),
            (Some("ru"), Unit::OneByte)
        );
        stands(&bytes, &read, |bytes| {
            encoding.decode_without_bom_handling(bytes).0.into_owned()
        });
    }
    let german = "Der Zug fährt um zwölf Uhr von Gleis drei ab. Fahrkarten gibt es am Schalter im Erdgeschoß bis elf Uhr früh.";
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(german);
    let read = understood("a.txt", &latin);
    assert_eq!(
        (&*read.sections[0].text, read.language.as_deref()),
        (german, Some("de"))
    );
    let le: Vec<u8> = RUSSIAN.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xff\xfe".as_slice(), &le].concat();
    let be: Vec<u8> = "plain words"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    assert_eq!(understood("a.txt", &be).sections[0].text, "plain words");
    let read = understood("a.txt", &marked);
    stands(&marked, &read, |bytes| {
        encoding_rs::UTF_16LE
            .decode_without_bom_handling(bytes)
            .0
            .into_owned()
    });
    let marked = [b"\xef\xbb\xbf".as_slice(), RUSSIAN.as_bytes()].concat();
    let read = understood("a.txt", &marked);
    stands(&marked, &read, |bytes| {
        String::from_utf8(bytes.to_vec()).unwrap()
    });
}

#[test]
fn letters_of_several_bytes_are_counted_in_the_extracted_text() {
    let text =
        "列車は正午に三番線から発車します。切符は一階の窓口で十一時まで販売しています。".repeat(3);
    let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode(&text);
    let read = understood("a.txt", &bytes);
    assert_eq!(read.sections[0].text, text);
    is_extracted_again(&read, "a.txt", &bytes);
}

#[test]
fn broken_characters_are_said() {
    let mut bytes = RUSSIAN.as_bytes().to_vec();
    bytes[20] = 0xff;
    let read = understood("a.txt", &bytes);
    assert_eq!(read.skipped.len(), 1, "{:?}", read.skipped);
    assert_eq!(read.language.as_deref(), Some("ru"));
    is_extracted_again(&read, "a.txt", &bytes);
}

#[test]
fn what_is_no_text_says_what_it_is() {
    let cases: [(&str, &[u8], &str); 8] = [
        ("a.txt", b"PK\x03\x04....", "ZIP archive"),
        ("a.txt", b"\x89PNG\r\n\x1a\n..", "picture"),
        ("a.md", b"\x1f\x8b\x08...", "archive"),
        ("a.docx", b"PK\x03\x04....", "office program"),
        ("a.txt", b"\x7fELF\x02\x01", "program"),
        ("a.txt", b"abc\0\x01\x02\x03def", "no text"),
        ("a.txt", b" \n\t\n ", "no text in it"),
        ("a.mp4", b"\0\0\0\x20ftypisom", "film"),
    ];
    for (name, bytes, said) in cases {
        let why = refused(name, bytes);
        assert!(why.contains(said), "{name}: {why}");
    }
    let noise: Vec<u8> = (0..4096_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    assert!(refused("a.txt", &noise).contains("no text"));
}

const PAGE: &str = r"<!doctype html><html><head><title>Trains</title><style>p {}</style></head><body>
<nav><a href='/'>Home</a></nav><main><h1>Trains</h1><p>They leave at <b>noon</b>, from the third platform, as every day of the week.</p>
<h2>Tickets</h2><p>Buy them before eleven at the desk on the ground floor, or at the machine beside it.</p>
<script>var secret = 1;</script><pre><code>fn main() {}</code></pre></main></body></html>";

#[test]
fn html_becomes_sections_without_menus_and_scripts() {
    // The name is wrong, the bytes are right.
    let read = understood("page.txt", PAGE.as_bytes());
    assert_eq!((&*read.title, &*read.media_type), ("Trains", "text/html"));
    let text: String = read.sections.iter().map(|section| &*section.text).collect();
    assert!(
        text.contains("**noon**") && text.contains("fn main() {}"),
        "{text}"
    );
    assert!(!text.contains("secret") && !text.contains("p {}"), "{text}");
    let tickets = read
        .sections
        .iter()
        .find(|one| one.text.contains("eleven"))
        .unwrap();
    assert_eq!(tickets.headings.last().map(String::as_str), Some("Tickets"));
    assert_eq!(tickets.origin.unwrap().unit, Unit::Extracted);
    is_extracted_again(&read, "page.txt", PAGE.as_bytes());
}

#[test]
fn html_says_its_encoding() {
    let page = format!("<html><meta charset=\"windows-1251\"><body><p>{RUSSIAN}</p></body></html>");
    let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(&page);
    let read = understood("a.html", &bytes);
    assert!(
        read.sections[0].text.contains("Поезд"),
        "{:?}",
        read.sections
    );
}

#[test]
fn html_that_is_nested_without_end_is_read_all_the_same() {
    for depth in [300, 200_000] {
        let page = format!(
            "<html><body>{}<p>the &lt;core&gt;</p>{}</body></html>",
            "<div>".repeat(depth),
            "</div>".repeat(depth)
        );
        let read = understood("deep.html", page.as_bytes());
        let text: String = read.sections.iter().map(|section| &*section.text).collect();
        assert!(text.contains("core"), "{depth}: {text}");
        assert_eq!(
            read.skipped.len(),
            usize::from(depth > 400),
            "{:?}",
            read.skipped
        );
    }
}

#[test]
fn a_line_of_ten_megabytes_is_read() {
    let line = "word ".repeat(2 << 20);
    for name in ["a.txt", "a.md", "a.json"] {
        let read = understood(name, line.as_bytes());
        assert_eq!(
            read.sections.iter().map(|s| s.text.len()).sum::<usize>(),
            line.len(),
            "{name}"
        );
    }
}

#[test]
fn sections_have_languages_of_their_own() {
    let french = "Le train part à midi du troisième quai. Les billets se vendent au guichet du rez-de-chaussée jusqu’à onze heures, et tout le monde le sait bien.";
    let english = "The train leaves at noon from the third platform. Tickets are sold at the desk on the ground floor until eleven o’clock, as everybody knows here.";
    let text = format!("# A\n\n{english}\n\n{english}\n\n# B\n\n{french}\n\n{french}\n");
    let read = understood("a.md", text.as_bytes());
    let languages: Vec<_> = read
        .sections
        .iter()
        .map(|s| s.language.as_deref())
        .collect();
    assert_eq!(languages, [Some("en"), Some("fr")]);
}
