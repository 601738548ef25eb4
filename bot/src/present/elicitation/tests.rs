use super::*;
use crate::text::{self, PART_LIMIT};
use domain::{
    Digest,
    elicitation::{Choice, Elicitation, FIELDS, Field, Kind, Unfit},
};
use ports::problem::{NoAnswer, Problem};
use proptest::prelude::*;

fn field(name: &str, kind: Kind) -> Field {
    Field {
        name: name.to_owned(),
        title: String::new(),
        description: String::new(),
        kind,
        required: true,
        default: None,
    }
}

fn size() -> Field {
    let kind = Kind::Number {
        whole: true,
        minimum: Some(1.0),
        maximum: Some(9.0),
    };
    Field {
        title: "Size".to_owned(),
        description: "How large?".to_owned(),
        default: Some(json!(4)),
        ..field("n", kind)
    }
}

fn notice(question: Elicitation, arguments: &str) -> Notice {
    Notice::Elicited {
        asked: ServerQuestion {
            run: "r1".into(),
            mark: Digest::of_bytes("x"),
            server: "notes".to_owned(),
            question,
        },
        agent: "assistant".to_owned(),
        tool: "notes__add".to_owned(),
        arguments: arguments.to_owned(),
        said: "cancelled".to_owned(),
    }
}

fn card(messages: &[Outgoing]) -> &Card {
    match &messages[0].body {
        Body::Card { card } | Body::EditCard { card, .. } => card,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_card_names_the_call_and_both_surfaces_describe_the_fields_alike() {
    let options = ["home", "work"].map(|value| Choice {
        value: value.to_owned(),
        title: value.to_owned(),
    });
    let options = options.to_vec();
    let question = Elicitation {
        message: "Which list?".to_owned(),
        fields: vec![field("list", Kind::One { options }), size()],
    };
    let notice = notice(question, "text: milk");
    let messages = present(&"telegram:1".into(), &notice);
    insta::assert_snapshot!(text::card(card(&messages)).text, @r"
    ❓ The MCP server “notes” asks you

    Tool: notes__add

    text: milk

    In the middle of this call of assistant. These are the server’s own words, which nobody checks:

    Which list?

    list: one of home, work, needed
    n: a whole number from 1 to 9, else 4 — Size: How large?

    Write a line NAME: VALUE for each of these. The answer is the next message here of who asked for this, or anybody’s reply to this card. It goes to this server only, and the call is made once more with it.

    For now the call ended with “cancelled”. If you decline, it stays so.
    ");
    insta::assert_snapshot!(en::elicited(&notice).unwrap(), @r"
    ❓ The MCP server “notes” asks you
    Tool: notes__add
    text: milk
    In the middle of this call of assistant. These are the server’s own words, which nobody checks:
    Which list?
    list: one of home, work, needed
    n: a whole number from 1 to 9, else 4 — Size: How large?
    Write a line NAME: VALUE for each of these. Your next message here is the answer. It goes to this server only, and the call is made once more with it. Or write decline.
    ");
    assert_eq!(messages.len(), 1, "all of it is on the card");
    let mark = Digest::of_bytes("x");
    let tag = messages[0].tag.as_deref();
    assert_eq!(mark_of(tag, None), Some(mark.short()));
    assert_eq!(messages[0].question(), Some("r1".into()));
    let data = &card(&messages).actions[0][0].data;
    assert_eq!(mark_of(None, Some(data)), Some(mark.short()));
    assert_eq!(mark_of(Some("question:r1"), Some(data)), None);
}

#[test]
fn how_it_came_out_stands_in_the_place_of_the_buttons() {
    let Notice::Elicited { asked, .. } = notice(
        Elicitation {
            message: "Sure?".to_owned(),
            fields: Vec::new(),
        },
        "",
    ) else {
        panic!("no question");
    };
    let by = || "Ann".to_owned();
    let answer = json!({"n": 4});
    let all = [
        Settled::Answered { by: by(), answer },
        Settled::Declined { by: by() },
        Settled::Left { by: by() },
        Settled::Over,
    ];
    let all = all.map(|how| {
        let asked = asked.clone();
        let messages = present(
            &"telegram:1".into(),
            &Notice::ElicitationSettled { asked, how },
        );
        assert!(card(&messages).actions.is_empty());
        let said = text::card(card(&messages)).text;
        said.lines().nth(2).unwrap_or_default().to_owned()
    });
    insta::assert_snapshot!(all.join("\n"), @r#"
    Answered by Ann: {"n":4}
    Declined by Ann.
    Not answered: Ann went on with something else. The call stays as it ended.
    Not answered: the run is over.
    "#);
}

#[test]
fn what_is_no_answer_is_told_in_words() {
    let unfit = [
        Unfit::NoYes,
        Unfit::NoSuchField {
            name: "age".to_owned(),
            fields: vec!["name".to_owned(), "size".to_owned()],
        },
        Unfit::Missing {
            field: "name".to_owned(),
        },
        Unfit::Wrong {
            field: "n".to_owned(),
            takes: size().kind,
        },
    ];
    let words = unfit.map(|unfit| en::problem(&Problem::Answer(NoAnswer::Unfit(unfit))));
    insta::assert_snapshot!(words.join("\n"), @r"
    Write yes to go on, or decline.
    “age” is none of its fields: write a line NAME: VALUE for each of name, size.
    “name” is missing: write a line NAME: VALUE for it.
    “n” takes a whole number from 1 to 9.
    ");
}

proptest! {
    /// Whatever a server asks: it is one message, and what is not on it hangs on it.
    #[test]
    fn a_card_fits(message in "\\PC{0,2000}", words in "\\PC{0,200}", fields in 0..=FIELDS) {
        let kind = || Kind::Text { format: Some(words.clone()) };
        let fields = (0..fields).map(|_| Field { title: words.clone(), ..field(&words, kind()) });
        let question = Elicitation { message: format!("password? {message}"), fields: fields.collect() };
        let messages = present(&"telegram:1".into(), &notice(question, &message));
        let text = text::card(card(&messages));
        prop_assert!(text.utf16_len() <= PART_LIMIT, "{}", text.utf16_len());
        let buttons = card(&messages).actions.iter().flatten();
        prop_assert!(buttons.into_iter().all(|button| button.data.len() <= 64));
    }
}
