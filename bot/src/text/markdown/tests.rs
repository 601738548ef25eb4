use super::*;
use domain::rich_text::Mark;
use proptest::prelude::*;

/// The text with each mark's style and the words that it covers.
fn shown(source: &str) -> String {
    let rich = markdown(source);
    let units: Vec<u16> = rich.text.encode_utf16().collect();
    let marks = rich.marks.iter().map(|Mark { start, len, style }| {
        let covered = String::from_utf16(&units[*start as usize..(start + len) as usize]).unwrap();
        format!("{style:?} {covered:?}\n")
    });
    let marks: String = marks.collect();
    format!("{}\n--\n{marks}", rich.text)
}

#[test]
fn paragraphs_marks_and_links() {
    insta::assert_snapshot!(shown("# Done\n\nI *changed* **two ~~old~~ files**, see [the docs](https://example.org/a \"Docs\") and [notes](notes.md).\nUse `cargo run` 🚀 `now`."), @r#"
    Done

    I changed two old files, see the docs (Docs) and notes (notes.md).
    Use cargo run 🚀 now.
    --
    Bold "Done"
    Italic "changed"
    Bold "two old files"
    Strike "old"
    Link("https://example.org/a") "the docs"
    Code "cargo run"
    Code "now"
    "#);
}

#[test]
fn lists_keep_their_numbers_and_depth() {
    insta::assert_snapshot!(shown("Steps:\n\n3. first\n5. second\n   more\n   - inner\n   - inner two\n\nAfter."), @r#"
    Steps:

    3. first
    5. second
      more
      • inner
      • inner two

    After.
    --
    "#);
}

#[test]
fn code_keeps_every_blank() {
    insta::assert_snapshot!(shown("Run:\n\n```sh name=x\n  a  b\n\n\tc\n```\nthen\n\n    indented"), @r#"
    Run:

    sh name=x
      a  b

    	c

    then

    indented
    --
    Pre("sh") "  a  b\n\n\tc"
    Pre("") "indented"
    "#);
}

#[test]
fn a_table_is_aligned() {
    insta::assert_snapshot!(shown("| File | Lines |\n|--|--:|\n| `a.rs` | 3 |\n| [long name](https://example.org) | 1200 |\n"), @r#"
    File                            | Lines
    --------------------------------+------
    a.rs                            | 3
    long name (https://example.org) | 1200
    --
    Pre("") "File                            | Lines\n--------------------------------+------\na.rs                            | 3\nlong name (https://example.org) | 1200"
    "#);
}

#[test]
fn what_a_chat_cannot_show_appears_as_text() {
    insta::assert_snapshot!(shown("![a cat](cat.png) ![](https://example.org/x.png)\n\n<b>html</b> & <script>x</script>\n\n<div>\nblock\n</div>\n\n> quoted\n> > twice\n\n---\n\n[unused]: https://example.org/kept \"title\"\n"), @r#"
    a cat (cat.png) https://example.org/x.png

    <b>html</b> & <script>x</script>

    <div>
    block
    </div>

    quoted

    twice

    ———

    [unused]: https://example.org/kept "title"
    --
    Link("https://example.org/x.png") "https://example.org/x.png"
    Quote "quoted\n\ntwice"
    "#);
}

/// Letters and digits that a reader could miss, in order of their code points.
fn letters(text: &str) -> Vec<char> {
    let mut letters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    letters.sort_unstable();
    letters
}

fn contains_all(wanted: &[char], found: &[char]) -> bool {
    let mut found = found.iter();
    wanted.iter().all(|c| found.by_ref().any(|f| f == c))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_eaten(source in "([a-z0-9é🚀]|[ \\n*_`~#>|()\\[\\]!<+.:=\"-]|\n\n|```|\\]\\(|- |1\\. ){0,60}") {
        let rich = markdown(&source);
        let mut all = rich.text.clone();
        for mark in &rich.marks {
            match &mark.style {
                MarkStyle::Link(url) => all.push_str(url),
                MarkStyle::Pre(language) => all.push_str(language),
                _ => {}
            }
        }
        prop_assert!(contains_all(&letters(&source), &letters(&all)), "{source:?} became {rich:?}");
    }

    #[test]
    fn marks_lie_within_the_text(source in "\\PC{0,40}([*_`>#\\[\\]()~| \\n]|\\PC){0,80}") {
        let rich = markdown(&source);
        check_marks(&rich)?;
    }
}

fn check_marks(rich: &RichText) -> Result<(), TestCaseError> {
    let units: Vec<u16> = rich.text.encode_utf16().collect();
    let splits = |at: usize| {
        units
            .get(at)
            .is_some_and(|unit| (0xDC00..0xE000).contains(unit))
    };
    for mark in &rich.marks {
        let (start, end) = (mark.start as usize, (mark.start + mark.len) as usize);
        prop_assert!(mark.len > 0 && end <= units.len());
        prop_assert!(!splits(start) && !splits(end));
    }
    Ok(())
}
