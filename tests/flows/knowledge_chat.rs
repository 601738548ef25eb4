//! Collections and documents as a person sees them in a chat over days: reading on, another name, a file that never comes, the end.

use super::{
    Program, Team,
    cited::{labels, opens, reads, says},
    knowledge::{is_whole, pdf},
    knowledge_kept::files,
};
use std::{collections::BTreeSet, path::PathBuf, time::Duration};
use tests::servers::telegram::{FakeTelegram, Fault, Message, Options, User};

/// Of four passages; the word in question stands in the second one.
fn manual() -> String {
    let chapter = |number: usize| {
        let sentence = format!("Chapter {number} says what everybody knows about its subject. ");
        let about = if number == 2 {
            "The gearbox is oiled in May. "
        } else {
            ""
        };
        format!("## Chapter {number}\n\n{about}{}\n\n", sentence.repeat(40))
    };
    format!("# Manual\n\n{}", (1..=4).map(chapter).collect::<String>())
}

fn which(message: &Message) -> &str {
    message.text.lines().nth(1).unwrap_or_default()
}

#[tokio::test]
async fn a_person_reads_on_from_what_was_found() {
    let team = Team::start().await;
    let ann = &team.ann;
    reads(ann, "manual.md", manual().as_bytes(), "").await;
    let found = says(ann, "/search gearbox", "1. ").await;
    let second = opens(ann, &found, "1").await;
    assert_eq!(which(&second), "Passage 2 of 4", "{}", second.text);
    assert!(
        second.text.starts_with("Manual · Chapter 2 · line 7"),
        "{}",
        second.text
    );
    assert_eq!(labels(&second), ["◀ Previous", "Next ▶"]);
    let third = opens(ann, &second, "Next ▶").await;
    let last = opens(ann, &third, "Next ▶").await;
    assert_eq!(
        (which(&third), which(&last)),
        ("Passage 3 of 4", "Passage 4 of 4")
    );
    assert_eq!(labels(&last), ["◀ Previous"]);
    let first = opens(ann, &second, "◀ Previous").await;
    assert_eq!(which(&first), "Passage 1 of 4");
    assert_eq!(labels(&first), ["Next ▶"]);
    // Every sentence is in exactly one of them.
    let read =
        [&first, &second, &third, &last].map(|one| one.text.matches("everybody knows").count());
    assert_eq!(read, [40; 4]);
    team.assert_well();
}

#[tokio::test]
async fn a_collection_gets_another_name_and_goes_with_all_that_is_in_it() {
    let team = Team::start().await;
    let ann = &team.ann;
    let before: BTreeSet<_> = files(&team.program).into_iter().collect();
    team.ask("/kb create handbook", "handbook is there").await;
    reads(ann, "manual.md", manual().as_bytes(), "handbook").await;
    reads(
        ann,
        "oil.pdf",
        &pdf(&["Oil is in the cellar, beside the gearbox."]),
        "handbook",
    )
    .await;
    // Originals, passages, outlines, segments, and copies of these.
    let kept: BTreeSet<_> = files(&team.program).into_iter().collect();
    let kept: BTreeSet<PathBuf> = kept.difference(&before).cloned().collect();
    assert!(kept.len() >= 8, "{kept:?}");
    team.ask(
        "/kb attach handbook assistant",
        "looks things up in handbook",
    )
    .await;
    let found = says(ann, "/search gearbox in May", "(handbook)").await;

    team.ask("/kb rename handbook garage", "handbook is garage now.")
        .await;
    says(ann, "/kb handbook", "There is no collection “handbook”").await;
    says(ann, "/kb", "garage — assistant").await;
    let again = says(ann, "/search gearbox in May", "(garage)").await;
    assert_eq!(labels(&again), labels(&found));
    // What was shown before opens all the same, and a file goes where the new name leads.
    let opened = opens(ann, &found, "2").await;
    assert!(opened.text.contains("gearbox"), "{}", opened.text);
    reads(
        ann,
        "tyres.md",
        b"# Tyres\n\nThey are changed in October.\n",
        "garage",
    )
    .await;
    let answer = says(ann, "When is the gearbox oiled?", "[1]").await;
    assert!(answer.text.contains("oiled in May"), "{}", answer.text);

    says(
        ann,
        "/kb remove garage",
        "“garage” is used by assistant: detach it there first.",
    )
    .await;
    team.ask("/kb detach garage assistant", "nothing to do with garage")
        .await;
    // Who doesn't own the team may not.
    let code = super::code_of(&team.ask("/invite operator", "?start=").await);
    let bob = team.tg.private_chat(&User::new(1002, "Bob"));
    bob.send(&format!("/start {code}"));
    bob.wait_for_text("an operator").await;
    says(&bob, "/search gearbox", "(garage)").await;
    team.ask("/kb remove garage", "The collection is gone: garage")
        .await;
    for person in [ann, &bob] {
        says(person, "/search gearbox", "Nothing found").await;
    }
    for (message, button) in [(&opened, "Next ▶"), (&answer, "[2]")] {
        let said = ann.wait_for_answer(&ann.tap(message.id, button)).await;
        assert!(said.starts_with("There is no passage"), "{said}");
    }
    an_hour_passes(&team.program).await;
    let left: BTreeSet<_> = files(&team.program).into_iter().collect();
    assert_eq!(
        left.intersection(&kept).collect::<Vec<_>>(),
        Vec::<&PathBuf>::new()
    );
    team.assert_well();
}

/// Until nothing of the documents is left to be done.
async fn an_hour_passes(program: &Program) {
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..3_000 {
        looks.tick().await;
        let sql = program.sql();
        sql.execute("UPDATE task_queue SET due = 1 WHERE due > 1 AND name = 'ingest'");
        if sql.number("SELECT count(*) FROM task_queue WHERE name = 'ingest'") == 0 {
            return;
        }
    }
    panic!("documents are still worked on:\n{}", program.printed());
}

/// Whoever sent it hears what to do, and hears it once; the owner hears why.
#[tokio::test]
async fn a_file_that_telegram_never_hands_over_is_told_to_who_sent_it() {
    // Its attempts take half a minute.
    let tg = FakeTelegram::start_with(Options {
        patience: Duration::from_secs(90),
        ..Options::default()
    });
    let tg = tg.await;
    let mut program = Program::new(&tg);
    program.up().await;
    let mut team = Team::of(tg, program).await;
    let code = super::code_of(&team.ask("/invite operator", "?start=").await);
    let bob = team.tg.private_chat(&User::new(1002, "Bob"));
    bob.send(&format!("/start {code}"));
    bob.wait_for_text("an operator").await;
    let text = b"# Tyres\n\nThey are changed in October.\n";
    team.tg.inject_times("getFile", Fault::BadGateway, 5);
    let sent = bob.send_document("tyres.md", text);
    let said = bob.wait_for_message_after(sent).await;
    insta::assert_snapshot!(said.text, @"“tyres.md” could not be taken in, though it was tried several times. Nothing of it was added: send it again.");
    assert_eq!(said.reply_to, Some(sent));
    team.ann
        .wait_for_text("A job was set aside after 5 attempts")
        .await;
    team.program.quiet().await;
    let of_it = bob
        .messages()
        .into_iter()
        .filter(|m| m.is_bots() && m.id > sent);
    assert_eq!(of_it.count(), 1);
    // Sent again it is read.
    reads(&bob, "tyres.md", text, "").await;
    is_whole(&team.program, 1).await;
    team.program.assert_well();
}
