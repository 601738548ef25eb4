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
