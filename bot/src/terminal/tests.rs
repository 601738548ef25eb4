use super::*;
use crate::{present, text::markdown};
use domain::card::{Block, Style};

fn card() -> Outgoing {
    let action = |label: &str, data: &str| Action {
        label: label.to_owned(),
        data: data.to_owned(),
        style: Style::Plain,
    };
    let card = Card {
        title: "coder wants to change a file".to_owned(),
        blocks: vec![Block::Code {
            language: "diff".to_owned(),
            text: " a\n-b\n+c \u{1b}[2Jgone".to_owned(),
        }],
        actions: vec![
            vec![action("Approve", "ok:id1:d1"), action("Deny", "no:id1:d1")],
            vec![action("Details", "details:id1")],
        ],
    };
    Outgoing {
        tag: Some("approval:id1".to_owned()),
        ..present::outgoing(&"terminal:main".into(), Body::Card { card })
    }
}

fn state(messages: &[Outgoing]) -> TerminalState {
    let mut state = TerminalState::new("terminal:main".into());
    messages.iter().for_each(|message| state.showed(message));
    state
}

fn settled() -> Outgoing {
    let text = "✅ Approved by you at 11:03 CET".to_owned();
    let card = Card {
        title: "coder wants to change a file".to_owned(),
        blocks: vec![Block::Text { text }],
        actions: Vec::new(),
    };
    present::outgoing(
        &"terminal:main".into(),
        Body::EditCard {
            tag: "approval:id1".to_owned(),
            card,
        },
    )
}

#[test]
fn keys_are_taps_while_a_card_waits() {
    let waiting = state(&[card()]);
    let meant = |text: &str, state: &TerminalState| match line(text, state).what {
        What::Tap { data, .. } => data,
        What::Text { text, .. } => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(meant(" a ", &waiting), "ok:id1:d1");
    assert_eq!(meant("d", &waiting), "no:id1:d1");
    assert_eq!(
        meant("d use a branch", &waiting),
        "/deny id1.d1 use a branch"
    );
    assert_eq!(meant("?", &waiting), "details:id1");
    assert_eq!(meant("approve", &waiting), "ok:id1:d1");
    assert_eq!(meant("No", &waiting), "no:id1:d1");
    assert_eq!(meant("deny too early", &waiting), "/deny id1.d1 too early");
    // Not offered on this card.
    assert_eq!(meant("A", &waiting), "A");
    assert_eq!(meant("do it again", &waiting), "do it again");
    assert_eq!(meant("a", &state(&[card(), settled()])), "a");
}

#[test]
fn a_card_with_its_keys() {
    insta::assert_snapshot!(format!("{}{}", render(&card(), false, 40), render(&settled(), false, 40)), @r#"
    ────────────────────────────────────────
    coder wants to change a file

     a
    -b
    +c ⟨U+001B⟩[2Jgone

    [a]pprove · [d]eny (d REASON says why) · [?] details
    ────────────────────────────────────────
    ✅ Approved by you at 11:03 CET
    coder wants to change a file
    "#);
}

#[test]
fn colours_only_where_they_are_understood() {
    let message = present::say(
        &"terminal:main".into(),
        markdown("**Bold**, [docs](https://example.org/) and `code`"),
    );
    assert_eq!(
        render(&message, false, 80),
        "Bold, docs (https://example.org/) and code\n"
    );
    insta::assert_debug_snapshot!(render(&message, true, 80), @r#""\u{1b}[1mBold\u{1b}[0m, \u{1b}[4mdocs (https://example.org/)\u{1b}[0m and \u{1b}[36mcode\u{1b}[0m\n""#);
    // What a model writes can't move the cursor.
    assert!(!render(&card(), false, 80).contains('\u{1b}'));
}

#[test]
fn what_was_meant_survives_being_stored() {
    let inbound = line("a", &state(&[card()]));
    let stored = serde_json::to_string(&inbound).unwrap();
    assert_eq!(serde_json::from_str::<Inbound>(&stored).unwrap(), inbound);
}
