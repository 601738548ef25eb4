use super::*;
use crate::text::markdown;
use proptest::prelude::*;

fn without_white(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn a_cut_lies_between_paragraphs_and_around_code() {
    let rich = markdown("One two three.\n\nFour five six.\n\n```\nseven eight nine\n```\n\nTen.");
    let texts: Vec<String> = cut(&rich, 40).into_iter().map(|part| part.text).collect();
    assert_eq!(
        texts,
        [
            "One two three.\n\nFour five six.",
            "seven eight nine\n\nTen."
        ]
    );
}

#[test]
fn code_that_is_cut_is_code_in_both_parts() {
    let rich = markdown("```rs\nfn a() {\n    b();\n}\n```");
    let parts = cut(&rich, 12);
    let pre = MarkStyle::Pre("rs".to_owned());
    let styles: Vec<_> = parts
        .iter()
        .map(|p| {
            (
                p.text.as_str(),
                p.marks.iter().map(|m| &m.style).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        styles,
        [("fn a() {", vec![&pre]), ("    b();\n}", vec![&pre])]
    );
}

#[test]
fn several_parts_are_numbered() {
    let rich = RichText::plain(format!("{}\n\n{}", "a".repeat(4000), "b".repeat(4000)));
    let parts = parts(&rich);
    let ends: Vec<&str> = parts.iter().map(|p| &p.text[p.text.len() - 5..]).collect();
    assert_eq!(ends, ["(1/2)", "(2/2)"]);
    assert!(parts.iter().all(|part| part.utf16_len() <= PART_LIMIT));
}

#[test]
fn no_part_has_more_marks_than_telegram_shows() {
    let rich = markdown(&"**b** x ".repeat(350));
    let parts = parts(&rich);
    assert!(parts.iter().all(|part| part.marks.len() <= MARKS));
    assert_eq!(
        parts.iter().map(|part| part.marks.len()).sum::<usize>(),
        350
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_hold_all_of_the_text(source in "(\\PC|[a-z]{1,9}|[ \n`*>]|\n\n|🚀|```\n){0,200}", limit in 2usize..60) {
        let rich = markdown(&source);
        let parts = cut(&rich, limit);
        let together: String = parts.iter().map(|part| without_white(&part.text)).collect();
        prop_assert_eq!(together, without_white(&rich.text));
        for part in &parts {
            prop_assert!(part.utf16_len() <= limit && !part.text.trim().is_empty());
            let units: Vec<u16> = part.text.encode_utf16().collect();
            let splits = |at: u32| units.get(at as usize).is_some_and(|unit| (0xDC00..0xE000).contains(unit));
            for mark in &part.marks {
                prop_assert!(mark.len > 0 && (mark.start + mark.len) as usize <= units.len());
                prop_assert!(!splits(mark.start) && !splits(mark.start + mark.len));
            }
        }
    }
}
