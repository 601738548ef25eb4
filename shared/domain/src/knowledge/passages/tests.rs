use super::*;
use crate::knowledge::Unit;
use proptest::prelude::*;

fn section(text: &str) -> Section {
    Section {
        text: text.to_owned(),
        line: Some(1),
        origin: Some(Origin {
            at: 0,
            unit: Unit::Utf8,
        }),
        ..Section::default()
    }
}

/// As an extractor cuts a source: each begins where the one before it ends.
fn document(texts: &[&str]) -> (String, Vec<Section>) {
    let (mut whole, mut sections) = (String::new(), Vec::new());
    for text in texts {
        let at = whole.len() as u64;
        let heading = text.lines().next().filter(|line| line.starts_with('#'));
        sections.push(Section {
            headings: heading
                .map(|line| line.trim_matches(['#', ' ']).to_owned())
                .into_iter()
                .collect(),
            line: Some(1 + whole.matches('\n').count() as u32),
            origin: Some(Origin {
                at,
                unit: Unit::Utf8,
            }),
            ..section(text)
        });
        whole.push_str(text);
    }
    (whole, sections)
}

#[test]
fn a_passage_over_several_pages_names_the_first_and_the_last() {
    let page = |page, text: &str| Section {
        page: Some(page),
        ..section(text)
    };
    let long = sentences(60);
    let sections = [
        page(2, "One."),
        page(3, "Two."),
        page(7, &long),
        page(8, &long),
    ];
    let found = passages(&sections);
    let pages: Vec<_> = found.iter().map(|one| (one.page, one.last_page)).collect();
    assert_eq!(pages, [(Some(2), Some(7)), (Some(8), None)]);
    let before = r#"{"ordinal":0,"text":"One.","page":2}"#;
    let read: Passage = serde_json::from_str(before).unwrap();
    assert_eq!((read.page, read.last_page), (Some(2), None));
    assert_eq!(serde_json::to_string(&read).unwrap(), before);
}

fn sentences(count: usize) -> String {
    (0..count)
        .map(|n| format!("Sentence number {n} says something that is worth fifty bytes. "))
        .collect()
}

#[test]
fn a_short_text_is_one_passage() {
    let found = passages(&[section("  One line.\n\nAnother one.\n")]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].text, "One line.\n\nAnother one.");
    assert_eq!((found[0].line, found[0].at.clone()), (Some(1), Some(2..25)));
    assert_eq!(passages(&[section(" \n\n\t")]), []);
    assert_eq!(passages(&[]), []);
}

#[test]
fn small_sections_stand_together_and_large_ones_begin_anew() {
    let long = format!("## Long\n\n{}\n", sentences(40));
    let (_, sections) = document(&[
        "# A\n\nshort\n\n",
        "## B\n\nshort\n\n",
        &long,
        "## C\n\nthe end\n",
    ]);
    let found = passages(&sections);
    let begins: Vec<_> = found
        .iter()
        .map(|p| (p.text.lines().next().unwrap(), p.headings.join("/")))
        .collect();
    assert_eq!(begins, [("# A", "A".to_owned())], "{found:#?}");
    let longer = format!("## Long\n\n{}\n", sentences(70));
    let (_, sections) = document(&[&longer, "## C\n\nthe end\n"]);
    assert_eq!(passages(&sections).len(), 2);
}

#[test]
fn a_passage_ends_with_a_sentence() {
    let text = sentences(300);
    let found = passages(&[section(&text)]);
    assert!(found.len() > 3);
    for passage in &found {
        assert!(passage.text.starts_with("Sentence") && passage.text.ends_with("bytes."));
    }
}

#[test]
fn full_stops_of_shortened_words_end_no_sentence() {
    let of = |text: &str| of_text(text);
    assert_eq!(
        of("See Dr. Smith, e.g. Today. Or not!"),
        ["See Dr. Smith, e.g. Today.", "Or not!"]
    );
    assert_eq!(
        of("Das ist z. B. Unsinn. “Ja?” Nein."),
        ["Das ist z. B. Unsinn.", "“Ja?”", "Nein."]
    );
    assert_eq!(
        of("Version 1.2 came. 3 went."),
        ["Version 1.2 came.", "3 went."]
    );
    assert_eq!(of("См. рис. Пять. Конец."), ["См. рис. Пять.", "Конец."]);
    assert_eq!(of("一。二。"), ["一。", "二。"]);
}

fn of_text(text: &str) -> Vec<String> {
    let pieces = pieces::of(0, &section(text));
    pieces
        .into_iter()
        .map(|piece| text[piece.bytes].to_owned())
        .collect()
}

#[test]
fn lines_of_lists_tables_and_code_are_pieces() {
    let text = "Before\nit.\n- one\n  goes on\n- two\n\n```rust\nfn a() {\n\n    b();\n}\n```\n| x | y |\n";
    assert_eq!(
        of_text(text),
        [
            "Before\nit.",
            "- one",
            "goes on",
            "- two",
            "```rust",
            "fn a() {",
            "    b();",
            "}",
            "```",
            "| x | y |"
        ]
    );
}

#[test]
fn code_is_cut_between_definitions() {
    let function = |n: usize| {
        format!(
            "fn number_{n}() {{\n{}}}\n\n",
            "    call(); // and a comment\n\n".repeat(20)
        )
    };
    let text: String = (0..12).map(function).collect();
    let found = passages(&[Section {
        code: true,
        ..section(&text)
    }]);
    assert!(found.len() > 2);
    assert!(
        found
            .iter()
            .all(|passage| passage.text.starts_with("fn number_") && passage.code)
    );
}

#[test]
fn a_line_of_ten_megabytes_is_cut_into_passages() {
    let text = "x".repeat(10 << 20);
    let found = passages(&[section(&text)]);
    assert_eq!(found.len(), (10_usize << 20).div_ceil(LARGEST));
    assert_eq!(found.iter().map(|p| p.text.len()).sum::<usize>(), 10 << 20);
}

#[test]
fn places_are_counted_in_the_sources_encoding() {
    let text = "Привет. Мир.";
    let at = |unit| {
        let origin = Some(Origin { at: 2, unit });
        passages(&[Section {
            origin,
            ..section(text)
        }])[0]
            .at
            .clone()
    };
    assert_eq!(at(Unit::OneByte), Some(2..14));
    assert_eq!(at(Unit::Utf16), Some(2..26));
    assert_eq!(at(Unit::Utf8), Some(2..23));
}

/// Text with everything that makes a difference.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![
        8 => "[a-zA-Zäßя]{1,9}",
        1 => Just(".".to_owned()),
        1 => Just(". Then".to_owned()),
        1 => Just("\n".to_owned()),
        1 => Just("\n\n".to_owned()),
        1 => Just("\n- item".to_owned()),
        1 => Just("\n```\n".to_owned()),
        1 => Just("\n    ".to_owned()),
    ];
    let text = proptest::collection::vec(word, 0..700).prop_map(|words| words.join(" "));
    proptest::collection::vec(text, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn nothing_is_lost_and_nothing_stands_twice(texts in texts(), code in any::<bool>()) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (whole, mut sections) = document(&texts);
        for section in &mut sections {
            section.code = code;
        }
        let found = passages(&sections);
        let mut from = 0;
        for passage in &found {
            let at = passage.at.clone().unwrap();
            let (begin, end) = (at.start as usize, at.end as usize);
            prop_assert_eq!(&whole[begin..end], &passage.text);
            prop_assert!(whole[from..begin].trim().is_empty(), "{:?} was lost", &whole[from..begin]);
            prop_assert_eq!(passage.line.unwrap() as usize, 1 + whole[..begin].matches('\n').count());
            from = end;
        }
        prop_assert!(whole[from..].trim().is_empty());
    }

    #[test]
    fn sizes_are_kept(texts in texts()) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (_, sections) = document(&texts);
        let found = passages(&sections);
        let longest = sections.iter().enumerate().flat_map(|(at, section)| pieces::of(at, section)).map(|piece| piece.bytes.len()).max();
        for (at, passage) in found.iter().enumerate() {
            // Blank between sections is not counted.
            prop_assert!(passage.text.len() <= LARGEST + 8 * 64, "{}", passage.text.len());
            // One that is too short is the last, or the sentence after it had no room.
            let short = passage.text.len() < SMALLEST;
            prop_assert!(!short || at + 1 == found.len() || longest > Some(LARGEST - SMALLEST));
        }
    }
}
