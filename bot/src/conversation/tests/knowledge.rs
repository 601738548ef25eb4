//! Collections, searching and reading on, in a chat and at the terminal.

use super::*;
use domain::{citation::Source, knowledge::Document};
use handlers::knowledge::Reader;
use ports::{Presenter as _, message::Body, present::Notice};

const TRAVEL: [&str; 3] = [
    "Trains first: book them before noon, in second class.",
    "Flights need a yes of the head of the team.",
    "Hotels cost at most 120 a night. Trains to the hotel are free.",
];

impl World {
    /// Puts a document into Ann's or the team's collection of this name.
    async fn writes(&self, collection: &str, name: &str, texts: &[&str]) -> Document {
        let ann = self.person_of(ANN).await;
        let reader = Reader {
            member: &ann,
            alone: true,
        };
        let found = handlers::knowledge::find(&self.talk.home, reader, collection).await;
        self.fakes
            .document(&found.unwrap().value.id, name, texts)
            .await
            .unwrap()
    }

    async fn person_of(&self, id: i64) -> Member {
        let id = format!("telegram:{id}").as_str().into();
        members::find(&self.talk.home, &id).await.unwrap().unwrap()
    }
}

fn open(document: &Document, ordinal: u32) -> String {
    format!("open:{}:{}:{ordinal}", document.id, document.revision)
}

#[tokio::test]
async fn collections_are_made_listed_and_given_to_agents() {
    let mut world = World::new().await;
    let mut said = String::new();
    for line in [
        "/kb",
        "/kb create handbook",
        "/kb create diary alone",
        "/kb create handbook",
        "/kb create Hand Book",
        "/kb attach handbook coder",
        "/kb attach nothing coder",
        "/kb",
        "/kb handbook",
        "/kb remove handbook",
        "/kb rename handbook book",
        "/kb detach book coder",
        "/kb remove book",
        "/kb book",
        "/kb create",
    ] {
        said.push_str(&format!("> {line}\n{}\n", world.say(ANN, line).await));
    }
    insta::assert_snapshot!(said, @"
    > /kb
    There are no documents yet. /kb create handbook makes a collection for the team, /kb create notes alone one that only you see.
    > /kb create handbook
    Collection handbook is there; everybody in the team can read it.
    > /kb create diary alone
    Collection diary is there; only you can read it.
    > /kb create handbook
    There is a collection “handbook” already.
    > /kb create Hand Book
    Write it like this: /kb [NAME [PAGE] | create NAME [alone] | rename NAME NEW | remove NAME | attach NAME AGENT | detach NAME AGENT]
    > /kb attach handbook coder
    coder looks things up in handbook now, and cites them.
    > /kb attach nothing coder
    There is no collection “nothing”. /kb lists them.
    > /kb
    diary (only you)
    handbook — coder

    /search <words> finds passages in them. /kb attach <name> <agent> lets an agent do that.
    [diary] [handbook]
    > /kb handbook
    handbook
    It is empty.
    > /kb remove handbook
    “handbook” is used by coder: detach it there first.
    > /kb rename handbook book
    handbook is book now.
    > /kb detach book coder
    coder has nothing to do with book any more.
    > /kb remove book
    The collection is gone: book
    > /kb book
    There is no collection “book”. /kb lists them.
    > /kb create
    Write it like this: /kb [NAME [PAGE] | create NAME [alone] | rename NAME NEW | remove NAME | attach NAME AGENT | detach NAME AGENT]
    ");
}

#[tokio::test]
async fn a_search_answers_at_once_and_buttons_read_on() {
    let mut world = World::new().await;
    world.say(ANN, "/kb create handbook").await;
    let travel = world.writes("handbook", "travel.md", &TRAVEL).await;
    insta::assert_snapshot!(world.say(BOB, "/search trains").await, @"
    1. travel · Part 1 · line 1 (handbook)
    Trains first: book them before noon, in second class.

    2. travel · Part 3 · line 21 (handbook)
    Hotels cost at most 120 a night. Trains to the hotel are free.
    [1] [2]
    ");
    insta::assert_snapshot!(world.say(BOB, "/search submarines").await, @"Nothing found in the documents that you can read here. Fewer or other words may help; /kb lists the collections.");
    insta::assert_snapshot!(world.say(BOB, "/search").await, @"Write it like this: /search <words>");
    insta::assert_snapshot!(world.tap(BOB, &open(&travel, 0)).await, @"
    (toast) Below.
    --
    travel · Part 1 · line 1
    Passage 1 of 3

    Trains first: book them before noon, in second class.
    [Next ▶]
    ");
    insta::assert_snapshot!(world.tap(BOB, &open(&travel, 1)).await, @"
    (toast) Below.
    --
    travel · Part 2 · line 11
    Passage 2 of 3

    Flights need a yes of the head of the team.
    [◀ Previous] [Next ▶]
    ");
    insta::assert_snapshot!(world.tap(BOB, &open(&travel, 7)).await, @"(toast) There is no passage “8”. It was removed, or you can’t read it here.");
    insta::assert_snapshot!(world.say(BOB, "/kb handbook").await, @"
    handbook
    travel.md — 3 passages
    [travel.md]
    ");
    insta::assert_snapshot!(world.tap(BOB, &format!("kb:{}:0", travel.collection)).await, @"
    (toast) Below.
    --
    handbook
    travel.md — 3 passages
    [travel.md]
    ");
    insta::assert_snapshot!(world.tap(BOB, "kbs:0").await, @"
    (toast) Below.
    --
    handbook

    /search <words> finds passages in them. /kb attach <name> <agent> lets an agent do that.
    [handbook]
    ");
    insta::assert_snapshot!(world.tap(BOB, "open:x").await, @"(toast) I don’t know this button.");
    world.fakes.remove_document(&travel).await.unwrap();
    insta::assert_snapshot!(world.say(BOB, "/search trains").await, @"Nothing found in the documents that you can read here. Fewer or other words may help; /kb lists the collections.");
    insta::assert_snapshot!(world.tap(BOB, &open(&travel, 0)).await, @"(toast) There is no passage “1”. It was removed, or you can’t read it here.");
}

#[tokio::test]
async fn what_is_one_persons_alone_is_nobody_elses() {
    let mut world = World::new().await;
    world.say(ANN, "/kb create diary alone").await;
    let diary = world
        .writes("diary", "monday.md", &["Trains make me sad."])
        .await;
    let opened = world.tap(ANN, &open(&diary, 0)).await;
    assert!(opened.contains("make me sad"), "{opened}");
    for (line, data) in [
        ("/search trains", open(&diary, 0)),
        ("/kb", "kbs:0".to_owned()),
        ("/kb diary", format!("kb:{}:0", diary.collection)),
    ] {
        let said = world.say(BOB, line).await + &world.tap(BOB, &data).await;
        assert!(
            !said.contains("sad") && !said.contains("monday") && !said.contains("(only you)"),
            "{said}"
        );
        // Where others read along it isn't there for Ann either.
        let said = world.message(ANN, GROUP, json!({"text": line})).await;
        assert!(
            !said.contains("sad") && !said.contains("monday") && !said.contains("(only you)"),
            "{said}"
        );
    }
    let mine = world.say(ANN, "/search trains").await;
    assert!(mine.contains("make me sad"), "{mine}");
}

#[tokio::test]
async fn an_answers_citations_are_buttons_and_keys() {
    let mut world = World::new().await;
    world.say(ANN, "/kb create handbook").await;
    let travel = world.writes("handbook", "travel.md", &TRAVEL).await;
    let source = |number, ordinal, title: &str| Source {
        number,
        document: travel.id.clone(),
        revision: 1,
        ordinal,
        title: title.to_owned(),
    };
    let ended = |answer: String| Notice::RunEnded {
        run: "r".into(),
        agent: "coder".to_owned(),
        outcome: domain::run::Outcome::Answered,
        answer: Some(domain::content::Content::Inline(answer)),
        cited: vec![
            source(2, 0, "Travel"),
            source(5, 2, "A handbook with a very long title\nindeed"),
        ],
        took: Duration::ZERO,
        cost: MicroUsd::ZERO,
        steps: 1,
    };
    let told = |answer: &str| {
        let (to, now) = ("terminal:main".into(), Micros(0));
        English.present(&to, &ended(answer.to_owned()), now, "")
    };
    let messages = told("Before noon [2], by train [5].");
    insta::assert_snapshot!(shown(&messages[0]), @"
    Before noon [2], by train [5].
    [[2] Travel] [[5] A handbook with a very long …]
    ");
    // In parts or as a file, the buttons are below the last text.
    for (long, texts) in [("word ".repeat(1500), 2), ("word ".repeat(9000), 1)] {
        let messages = told(&long);
        let buttons = |message: &Outgoing| match &message.body {
            Body::Text { actions, .. } => Some(actions.len()),
            _ => None,
        };
        let buttons: Vec<usize> = messages.iter().filter_map(buttons).collect();
        assert_eq!((buttons.len(), buttons.last()), (texts, Some(&1)));
    }
    let screen = Screen::new(
        "terminal:main".into(),
        world.fakes.blobs.clone(),
        world.fakes.clock.clone(),
        (Box::new(std::io::sink()), Clear::Never, 80),
    );
    let owner = Member {
        id: "terminal:owner".into(),
        ..world.person_of(ANN).await
    };
    commit(
        &world.talk.home,
        vec![repo::create(&world.talk.home.team, &owner).unwrap()],
    )
    .await
    .unwrap();
    screen.send(&messages[0], None, false).await.unwrap();
    insta::assert_snapshot!(world.type_line(&screen, "[2]").await, @"
    (toast) Below.
    --
    travel · Part 1 · line 1
    Passage 1 of 3

    Trains first: book them before noon, in second class.
    [Next ▶]
    ");
}
