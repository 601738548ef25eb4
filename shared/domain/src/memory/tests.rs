//! Entries in memories: added once, replaced, forgotten, marked; what is at hand and what is found.

use super::*;
use proptest::prelude::*;

fn entry<'a>(text: &'a str, replaces: Option<&'a str>, taint: &'a [String]) -> Entry<'a> {
    Entry {
        text,
        replaces,
        taint,
    }
}

#[test]
fn an_entry_is_added_once_replaced_and_forgotten() {
    let outside = ["notes.md".to_owned(), "ls [-la], x".to_owned()];
    let steps = [
        entry("Invoices go into out/.", None, &[]),
        entry("Invoices go into out/.", None, &[]),
        entry("The port is 8080.", None, &outside),
        entry("The port is 8080.", None, &[]),
        entry(
            "Invoices go into bills/.",
            Some("- Invoices go into out/."),
            &[],
        ),
        entry("## People\n- Ann prefers tables.", None, &[]),
        entry("The port is 9090.", Some("The port is 8080."), &[]),
        entry("", Some("Ann prefers tables."), &[]),
    ];
    let mut memory = String::new();
    let mut said = String::new();
    for step in steps {
        memory = with(&memory, step).unwrap();
        assert!(has(&memory, step), "{step:?} in {memory}");
        assert_eq!(
            with(
                &memory,
                Entry {
                    replaces: None,
                    ..step
                }
            )
            .unwrap_or(memory.clone()),
            memory
        );
        said.push_str(&format!("{memory}---\n"));
    }
    insta::assert_snapshot!(said, @r#"
    - Invoices go into out/.
    ---
    - Invoices go into out/.
    ---
    - Invoices go into out/.
    - The port is 8080. [from outside: notes.md, ls -la x]
    ---
    - Invoices go into out/.
    - The port is 8080. [from outside: notes.md, ls -la x]
    ---
    - Invoices go into bills/.
    - The port is 8080. [from outside: notes.md, ls -la x]
    ---
    - Invoices go into bills/.
    - The port is 8080. [from outside: notes.md, ls -la x]
    ## People
    - Ann prefers tables.
    ---
    - Invoices go into bills/.
    - The port is 9090.
    ## People
    - Ann prefers tables.
    ---
    - Invoices go into bills/.
    - The port is 9090.
    ## People
    ---
    "#);
}

#[test]
fn what_does_not_fit_is_said() {
    let memory = "- a\n- a\n";
    let why = |entry| with(memory, entry).unwrap_err().to_string();
    let long = "x".repeat(MEMORY_LIMIT);
    insta::assert_snapshot!([
        why(entry(" ", None, &[])),
        why(entry("b", Some("c"), &[])),
        why(entry("b", Some("a"), &[])),
        why(entry(&long, None, &[])),
    ].join("\n"), @r#"
    there is nothing to remember: give a text, or with an empty one the line to forget as “replaces”
    no line reads “c”: recall it and give the line as it stands
    2 lines read “a”: a person has to edit them
    the memory would have 32778 bytes and may have 32768: replace or forget something first
    "#);
}

#[test]
fn lines_from_outside_are_not_at_hand_and_say_where_they_came_from() {
    let memory = "# Team\n- own\n- theirs [from outside: notes.md, ls -la]\n";
    assert_eq!(at_hand(memory, 100), ("# Team\n- own".to_owned(), 1));
    assert_eq!(
        sources("- theirs [from outside: notes.md, ls -la]"),
        ["notes.md", "ls -la"]
    );
    assert_eq!(sources("- own [1]"), Vec::<String>::new());
}

#[test]
fn of_a_long_memory_beginning_and_end_are_at_hand() {
    let lines: Vec<String> = (0..100).map(|n| format!("- line {n}")).collect();
    let (shown, left) = at_hand(&lines.join("\n"), 60);
    insta::assert_snapshot!(format!("{shown}\nleft: {left}"), @r#"
    - line 0
    - line 1
    - line 2
    - line 97
    - line 98
    - line 99
    left: 94
    "#);
}

#[test]
fn words_find_lines() {
    let memory =
        "- Invoices go into out/.\n- The port is 8080.\n- Ann's invoices are due on Monday.\n";
    assert_eq!(
        find(memory, "Ann invoice?"),
        [
            "- Ann's invoices are due on Monday.",
            "- Invoices go into out/."
        ]
    );
    assert_eq!(find(memory, "").len(), 3);
    assert_eq!(find(memory, "zebra"), Vec::<&str>::new());
}

proptest! {
    /// Whatever is remembered: a second time changes nothing, and what came from outside says so.
    #[test]
    fn remembering_twice_is_remembering_once(memory in "[ab\\-\n\\[\\]]{0,30}", text in "[ab\\- ]{1,10}", source in "[a\\],]{1,5}") {
        let taint = [source];
        let wanted = entry(&text, None, &taint);
        if let Ok(once) = with(&memory, wanted) {
            prop_assert_eq!(with(&once, wanted).unwrap(), once.clone());
            let is_new = memory.lines().all(|line| plain(line) != plain(&text));
            let last = once.lines().last().unwrap_or_default();
            prop_assert!(!is_new || !sources(last).is_empty(), "{}", once);
        }
    }
}
