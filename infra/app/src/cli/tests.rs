use super::*;

#[test]
fn the_command_line_is_consistent() {
    description().debug_assert();
}

#[test]
fn without_a_command_it_is_up_and_flags_may_stand_anywhere() {
    let parse = |words: &[&str]| Arguments::try_parse_from(words).unwrap();
    assert!(parse(&["countersign"]).command.is_none());
    assert!(parse(&["countersign", "agents", "list", "--json"]).json);
    let asked = parse(&[
        "countersign",
        "--config",
        "x.toml",
        "ask",
        "what is here?",
        "--agent",
        "coder",
    ]);
    assert_eq!(asked.config, Some(PathBuf::from("x.toml")));
    assert!(matches!(asked.command, Some(Command::Ask(_))));
}

#[test]
fn a_wrong_command_line_has_status_2() {
    for words in [
        &["countersign", "fly"][..],
        &["countersign", "ask"],
        &["countersign", "pair", "--role", "king"],
    ] {
        assert_eq!(Arguments::try_parse_from(words).unwrap_err().exit_code(), 2);
    }
}

#[test]
fn a_command_that_lists_needs_no_verb() {
    let read = |line: &str| {
        let words = std::iter::once("countersign").chain(line.split_whitespace());
        Arguments::read(words).map(|arguments| format!("{arguments:?}"))
    };
    for (short, long) in [
        ("runs", "runs list"),
        ("rules", "rules list"),
        ("agents --all", "agents list --all"),
        ("approvals --json", "approvals list --json"),
        (
            "--config runs audit --limit 5",
            "--config runs audit list --limit 5",
        ),
        ("--json runs --active", "--json runs list --active"),
        ("runs --json show 1", "--json runs show 1"),
    ] {
        assert_eq!(read(short).unwrap(), read(long).unwrap(), "{short}");
    }
    for line in ["agents fly", "runs --fly", "rules list list", "pair list"] {
        assert_eq!(read(line).unwrap_err().exit_code(), 2, "{line}");
    }
    let help = read("runs --help").unwrap_err();
    assert_eq!(help.kind(), clap::error::ErrorKind::DisplayHelp);
    assert!(help.to_string().contains("journal"), "{help}");
}
