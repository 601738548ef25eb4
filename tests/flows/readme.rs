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

    let readme = include_str!("../../README.md");
    let shown = readme
        .split("```text\n")
        .nth(1)
        .and_then(|rest| rest.split("\n```").next())
        .unwrap_or_default();
    assert_eq!(shown, told, "put this into the README:\n{told}\n");
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
