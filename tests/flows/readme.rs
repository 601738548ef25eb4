//! The conversation in the README is one that happened.

use super::Team;

#[tokio::test]
async fn the_conversation_in_the_readme_is_real() {
    let team = Team::start().await;
    let before = team.ann.transcript();
    team.ann.send("run: echo hello");
    let hello = team
        .ann
        .wait_for_message(|m| m.is_bots() && !m.deleted && m.text.contains("hello") && !m.silent)
        .await;
    team.ann.send("write: notes.md: buy milk");
    let card = team.ann.wait_for_button("Approve").await;
    let asked = told(&team.ann.transcript(), &before);
    team.ann.tap(card.id, "Approve");
    let approved = team
        .ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Approved by Ann"))
        .await;
    let answer = team
        .ann
        .wait_for_message(|m| m.is_bots() && !m.silent && m.id > card.id && m.document.is_none())
        .await;
    let edited = approved
        .text
        .lines()
        .find(|line| line.contains("Approved by"))
        .unwrap();
    let told = format!(
        "{asked}\nAnn taps Approve; the card says: {edited}\nBot: {}",
        answer.text
    );
    let told = timeless(&told);
    assert!(hello.id < card.id);

    is_shown(1, &told);
}

const HOTELS: &str =
    "# Hotels\n\nHotels cost at most 120 a night. Who arrives late calls the desk.\n";

#[tokio::test]
async fn the_cited_answer_in_the_readme_is_real() {
    let team = Team::start().await;
    let before = team.ann.transcript();
    let ann = &team.ann;
    ann.send_document("hotels.md", HOTELS.as_bytes());
    ann.wait_for_text("Read: Hotels").await;
    ann.send("/kb attach docs assistant");
    ann.wait_for_text("looks things up in docs").await;
    ann.send("What may a hotel cost?");
    let answer = ann
        .wait_for_message(|m| m.is_bots() && m.text.contains("[1]"))
        .await;
    let asked = told(&ann.transcript(), &before);
    ann.tap(answer.id, "[1]");
    let passage = ann.wait_for_message_after(answer.id).await;
    let told = format!("{asked}\nAnn taps [1] Hotels\nBot: {}", passage.text);
    // The card comes when the file does, and says later what is in it; neither rings.
    let told = told.replace("Bot (silent, edited)", "Bot");
    is_shown(2, &timeless(&told.replace("Bot (silent)", "Bot")));
}

/// The README's block of this number says so.
fn is_shown(number: usize, told: &str) {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```text\n");
    let shown = blocks.into_iter().nth(number);
    let shown = shown.and_then(|rest| rest.split("\n```").next());
    assert_eq!(
        shown.unwrap_or_default(),
        told,
        "put this into the README:\n{told}\n"
    );
}

/// What was said after `before`, status messages apart.
fn told(transcript: &str, before: &str) -> String {
    transcript
        .strip_prefix(before)
        .unwrap_or(transcript)
        .trim()
        .to_owned()
}

/// Times of the day and dates as they are in the README.
fn timeless(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        match line.split_once("Expires: ") {
            Some((start, _)) => {
                lines.push(format!("{start}Expires: tomorrow 14:02 UTC (23 h left)"))
            }
            None => lines.push(match line.split_once(" at ") {
                Some((start, _)) if start.contains("Approved by") => {
                    format!("{start} at 14:03 UTC")
                }
                _ => line.to_owned(),
            }),
        }
    }
    lines.join("\n")
}
