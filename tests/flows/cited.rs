//! From a file to an answer that says where it stands: the card, a search, reading on, a question, its citations. In each home; then what
//! else happens to documents, and who gets nothing from them.

use super::{Home, Program, Team, code_of, in_each_home, knowledge::pdf};
use serde_json::Value;
use tests::servers::telegram::{Conversation, Message, User};

in_each_home! { a_file_becomes_an_answer_with_citations }

const TRAVEL: &str = "# Travel\n\n## Trains\n\nBook trains before noon, in second class, with the team’s card.\n\n\
    ## Hotels\n\nHotels cost at most 120 a night. Somebody who arrives late calls the desk, which closes at ten.\n";

/// Sends a file and waits for the card of what was understood.
pub async fn reads(person: &Conversation, name: &str, bytes: &[u8], caption: &str) -> Message {
    let sent = person.send_document_with(name, bytes, caption);
    let is_card = |m: &Message| {
        m.id > sent && (m.text.starts_with("Read: ") || m.text.starts_with("Not read"))
    };
    person.wait_for_message(is_card).await
}

/// The bot's answer to a message, with its buttons.
pub async fn says(person: &Conversation, text: &str, expected: &str) -> Message {
    let sent = person.send(text);
    let answers = |m: &Message| m.id > sent && m.text.contains(expected);
    person.wait_for_message(answers).await
}

/// What a tap opens.
pub async fn opens(person: &Conversation, message: &Message, button: &str) -> Message {
    let last = person.last_from_bot().map_or(0, |m| m.id);
    let tap = person.tap(message.id, button);
    assert_eq!(person.wait_for_answer(&tap).await, "Below.");
    person.wait_for_message_after(last).await
}

/// The parts of a message that are bold.
fn bold(message: &Message) -> Vec<String> {
    let units: Vec<u16> = message.text.encode_utf16().collect();
    let is_bold = |entity: &&Value| entity["type"] == "bold";
    let part = |entity: &Value| {
        let at = |key: &str| entity[key].as_u64().unwrap() as usize;
        String::from_utf16(&units[at("offset")..at("offset") + at("length")]).unwrap()
    };
    message.entities.iter().filter(is_bold).map(part).collect()
}

pub fn labels(message: &Message) -> Vec<String> {
    let all = message.buttons().into_iter().flatten();
    all.map(|button| button.label).collect()
}

async fn a_file_becomes_an_answer_with_citations(home: Home) {
    let team = Team::in_home(home, &[]).await;
    team.ask("/kb create handbook", "handbook is there").await;
    let ann = &team.ann;
    let card = reads(ann, "travel.md", TRAVEL.as_bytes(), "handbook").await;
    insta::assert_snapshot!(card.text, @"
    Read: Travel

    File: travel.md (195 bytes)
    Passages: 1
    Language: English
    ");
    // Functions leave it to the worker, which has a sandbox.
    let timetable = pdf(&[
        "The timetable of the year.",
        "The night train leaves from platform seven.",
    ]);
    let card = reads(ann, "timetable.pdf", &timetable, "handbook").await;
    insta::assert_snapshot!(card.text, @"
    Read: The timetable of the year.

    File: timetable.pdf (899 bytes)
    Pages: 2
    Passages: 1
    Language: English
    ");

    let found = says(ann, "/search booking trains", "Travel").await;
    insta::assert_snapshot!(found.text, @"
    1. Travel · line 1 (handbook)
    # Travel ## Trains Book trains before noon, in second class, with the team’s card. ## Hotels Hotels cost at most 120 a night. Somebody who arrives late calls the desk, which closes at ten.

    2. The timetable of the year. · pages 1–2 (handbook)
    The timetable of the year. The night train leaves from platform seven.
    ");
    insta::assert_debug_snapshot!(bold(&found), @r#"
    [
        "Travel",
        "Trains",
        "Book",
        "trains",
        "The timetable of the year.",
        "train",
    ]
    "#);
    assert_eq!(labels(&found), ["1", "2"]);
    let passage = opens(ann, &found, "1").await;
    insta::assert_snapshot!(passage.text, @"
    Travel · line 1
    Passage 1 of 1

    # Travel

    ## Trains

    Book trains before noon, in second class, with the team’s card.

    ## Hotels

    Hotels cost at most 120 a night. Somebody who arrives late calls the desk, which closes at ten.
    ");

    team.ask(
        "/kb attach handbook assistant",
        "looks things up in handbook",
    )
    .await;
    let answer = says(
        ann,
        "From which platform does the night train leave?",
        "[1]",
    )
    .await;
    insta::assert_snapshot!(answer.text, @"
    This is what the documents say about it, word for word (I am a rehearsal, not a language model):

    “The night train leaves from platform seven.” [1]

    “Book trains before noon, in second class, with the team’s card.” [2]
    ");
    insta::assert_debug_snapshot!(labels(&answer), @r#"
    [
        "[1] The timetable of the year.",
        "[2] Travel",
    ]
    "#);
    let passage = opens(ann, &answer, "[1]").await;
    insta::assert_snapshot!(passage.text, @"
    The timetable of the year. · pages 1–2
    Passage 1 of 1

    The timetable of the year.

    The night train leaves from platform seven.
    ");
    let listed = says(ann, "/kb handbook", "travel.md").await;
    insta::assert_snapshot!(listed.text, @"
    handbook
    timetable.pdf — 1 passage
    travel.md — 1 passage
    ");
    assert_eq!(labels(&listed), ["timetable.pdf", "travel.md"]);
    team.assert_well();
}

#[tokio::test]
async fn texts_pages_and_code_are_understood_and_found() {
    let mut team = Team::start().await;
    let ann = &team.ann;
    let page = "<!doctype html><html><head><title>Canteen</title></head><body><nav>Home</nav><main><h1>Canteen</h1>\
        <p>Soup is served from eleven until two, except on Fridays.</p></main><script>var x;</script></body></html>";
    let code =
        "//! Requests.\n\nfn parseHttpRequest(line: &str) -> Request {\n    Request::of(line)\n}\n";
    // In ISO 8859-1, as files were before UTF-8.
    let german = "Der Schlüssel für das Lager hängt am Brett. Wer ihn nimmt, trägt sich in die Liste ein und bringt ihn abends zurück.\n";
    let german: Vec<u8> = german.chars().map(|c| c as u8).collect();
    let mut cards = String::new();
    for (name, bytes) in [
        ("canteen.html", page.as_bytes()),
        ("http.rs", code.as_bytes()),
        ("lager.txt", &german),
    ] {
        cards.push_str(&format!("{}\n\n", reads(ann, name, bytes, "").await.text));
    }
    insta::assert_snapshot!(cards.trim_end(), @"
    Read: Canteen

    File: canteen.html (206 bytes)
    Passages: 1

    Read: http.rs

    File: http.rs (84 bytes)
    Passages: 1

    Read: lager

    File: lager.txt (117 bytes)
    Passages: 1
    Language: German
    ");
    let mut found = String::new();
    for words in ["soup on fridays", "http request", "Schlüssel im Lager"] {
        found.push_str(&format!(
            "{}\n\n",
            says(ann, &format!("/search {words}"), "1. ").await.text
        ));
    }
    insta::assert_snapshot!(found.trim_end(), @"
    1. Canteen (docs)
    Soup is served from eleven until two, except on Fridays.

    1. http.rs · line 1 (docs)
    //! Requests. fn parseHttpRequest(line: &str) -> Request { Request::of(line) }

    1. lager · line 1 (docs)
    Der Schlüssel für das Lager hängt am Brett. Wer ihn nimmt, trägt sich in die Liste ein und bringt ihn abends zurück.
    ");
    let broken = reads(ann, "photo.txt", b"\x89PNG\r\n\x1a\n0000", "").await;
    insta::assert_snapshot!(broken.text, @"
    Not read: photo.txt

    This is a picture, and text in pictures is not read: send it as text or as a PDF with text.
    ");
    team.program.assert_well();
}

#[tokio::test]
async fn a_new_version_is_found_and_an_old_answer_still_opens_what_it_cited() {
    let mut team = Team::start().await;
    let ann = &team.ann;
    team.ask("/kb create handbook", "handbook is there").await;
    team.ask("/kb attach handbook assistant", "looks things up")
        .await;
    reads(ann, "travel.md", TRAVEL.as_bytes(), "handbook").await;
    let question = "What does a hotel cost at most?";
    let old = says(ann, question, "[1]").await;
    assert!(old.text.contains("at most 120 a night"), "{}", old.text);

    let newer = TRAVEL.replace("120", "150");
    let card = reads(ann, "travel.md", newer.as_bytes(), "handbook").await;
    assert!(card.text.starts_with("Read: Travel"), "{}", card.text);
    let new = says(ann, question, "150 a night").await;
    assert!(!new.text.contains("120"), "{}", new.text);
    let found = says(ann, "/search hotels night", "1. ").await;
    assert!(
        found.text.contains("150") && !found.text.contains("120"),
        "{}",
        found.text
    );
    let passage = opens(ann, &old, "[1]").await;
    insta::assert_snapshot!(passage.text, @"
    Travel · line 1
    Passage 1 of 1, as it was before

    # Travel

    ## Trains

    Book trains before noon, in second class, with the team’s card.

    ## Hotels

    Hotels cost at most 120 a night. Somebody who arrives late calls the desk, which closes at ten.
    ");

    // Gone from the next search on, from the next answer, and from what old answers open.
    team.program.quiet().await;
    let tap = ann.tap(card.id, "Remove");
    assert_eq!(
        ann.wait_for_answer(&tap).await,
        "Removed: it is not found any more."
    );
    says(ann, "/search hotels night", "Nothing found").await;
    let nothing = says(ann, question, "rehears").await;
    assert!(
        !nothing.text.contains("150") && labels(&nothing).is_empty(),
        "{}",
        nothing.text
    );
    for answer in [&old, &new] {
        let tap = ann.tap(answer.id, "[1]");
        let said = ann.wait_for_answer(&tap).await;
        assert_eq!(
            said,
            "There is no passage “1”. It was removed, or you can’t read it here."
        );
    }
    team.program.assert_well();
}

#[tokio::test]
async fn who_may_not_read_a_collection_gets_nothing_from_it() {
    let mut team = Team::start().await;
    let code = code_of(&team.ask("/invite operator", "?start=").await);
    let bob = team.tg.private_chat(&User::new(1002, "Bob"));
    bob.send(&format!("/start {code}"));
    bob.wait_for_text("an operator").await;
    let ann = &team.ann;
    team.ask("/kb create diary alone", "only you").await;
    reads(
        ann,
        "monday.md",
        b"# Monday\n\nThe password of the safe is tulip, says the locksmith.\n",
        "diary",
    )
    .await;
    team.ask("/kb attach diary assistant", "where nobody else reads")
        .await;
    let question = "What is the password of the safe?";
    let answer = says(ann, question, "tulip").await;
    assert_eq!(labels(&answer), ["[1] Monday"]);
    // The same agent, asked by somebody else; a list, a search, a forged button.
    let nothing = says(&bob, question, "rehears").await;
    assert!(
        !nothing.text.contains("tulip") && labels(&nothing).is_empty(),
        "{}",
        nothing.text
    );
    says(&bob, "/search password safe", "Nothing found").await;
    says(&bob, "/kb", "no documents yet").await;
    says(&bob, "/kb diary", "There is no collection “diary”").await;
    let data = answer.buttons()[0][0].data.clone().unwrap();
    let tap = bob.tap_data(nothing.id, &data);
    let said = bob.wait_for_answer(&tap).await;
    assert_eq!(
        said,
        "There is no passage “1”. It was removed, or you can’t read it here."
    );
    // Another agent has no such collection, whoever asks it.
    let other = says(ann, &format!("/agent coder {question}"), "rehears").await;
    assert!(!other.text.contains("tulip"), "{}", other.text);
    // Nor is it for a group, where others read along.
    let group = team.tg.group(-100_900, "Office");
    let (ann, bob) = (group.creator(team.ann.person()), group.seat(bob.person()));
    group.add_bot(team.ann.person());
    let said = says(&ann, "/search password safe", "Nothing found").await;
    assert!(said.is_bots());
    drop(bob);
    team.program.assert_well();
}

#[tokio::test]
async fn on_the_command_line_and_in_the_terminal() {
    let program = Program::alone();
    let place = tempfile::tempdir().unwrap();
    let timetable = pdf(&[
        "The timetable of the year.",
        "The night train leaves from platform seven.",
    ]);
    for (name, bytes) in [
        ("travel.md", TRAVEL.as_bytes()),
        ("trains/timetable.pdf", &timetable),
    ] {
        let path = place.path().join("docs").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let docs = place.path().join("docs");
    let does = async |arguments: &[&str], input: &str| {
        let (status, out, err) = program.run_with(arguments, input).await;
        assert_eq!(status, 0, "{arguments:?}: {out}\n{err}");
        out.trim_end().to_owned()
    };
    let added = does(&["knowledge", "add", docs.to_str().unwrap()], "").await;
    assert_eq!(added, "docs: 2 added; 2 passages.");
    let found = does(&["knowledge", "search", "hotel", "at", "night"], "").await;
    insta::assert_snapshot!(found, @"
    1. Travel · line 1 (docs, docs/travel.md)
       …class, with the team’s card. ## Hotels Hotels cost at most 120 a night. Somebody who arrives late calls the desk, which closes at ten.

    2. The timetable of the year. · pages 1–2 (docs, docs/trains/timetable.pdf)
       The timetable of the year. The night train leaves from platform seven.
    ");
    does(&["knowledge", "attach", "docs", "assistant"], "").await;
    let answer = does(
        &["ask", "From which platform does the night train leave?"],
        "",
    )
    .await;
    assert!(
        answer.contains("“The night train leaves from platform seven.” [1]"),
        "{answer}"
    );
    // A button is typed.
    let talk = does(&["chat"], "/search late arrival\n1\n").await;
    assert!(
        talk.contains("Somebody who arrives late calls the desk"),
        "{talk}"
    );
    assert!(talk.contains("Passage 1 of 1"), "{talk}");
    let whole = does(&["knowledge", "verify"], "").await;
    assert_eq!(whole, "docs: 2 documents, 2 passages, 2 segments: whole");
    let again = does(&["knowledge", "reindex"], "").await;
    assert_eq!(again, "docs: 2 documents, 2 passages in 1 segment.");
    let found_again = does(&["knowledge", "search", "hotel", "at", "night"], "").await;
    assert_eq!(found_again, found);
}
