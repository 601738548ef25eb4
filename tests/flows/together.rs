//! Several cards decided together, and an “Always” taken back.

use super::Team;

#[tokio::test]
async fn all_of_a_run_but_one_and_the_rest_by_a_button() {
    let team = Team::start().await;
    let asked = team
        .ann
        .send("run: echo 1 >> effects\nrun: echo 2 >> effects\nrun: echo 3 >> effects");
    let offer = team
        .ann
        .wait_for_message(|m| m.id > asked && m.text.contains("3 calls wait"))
        .await;
    let second = team
        .ann
        .wait_for_message(|m| {
            m.text.contains("\necho 2 >> effects\n") && m.button("Modify").is_some()
        })
        .await;
    let data = second.button("Modify").unwrap().data.unwrap();
    let id = data.split(':').nth(1).unwrap();
    let said = team
        .ask(&format!("/deny all except {}", &id[26..]), ": denied")
        .await;
    assert_eq!(said.matches(": denied").count(), 2, "{said}");
    team.ann.tap(offer.id, "Approve all");
    let came = team
        .ann
        .wait_for_message(|m| m.id == offer.id && m.text.contains(": approved"))
        .await;
    assert_eq!(
        came.text.matches("it was denied before").count()
            + came.text.matches("It was denied before").count(),
        2,
        "{}",
        came.text
    );
    assert!(came.buttons().is_empty());
    team.ann
        .wait_for_message(|m| m.id > offer.id && !m.silent && m.text.contains("echo 2 >> effects"))
        .await;
    assert_eq!(
        team.program.workspace_file("effects").as_deref(),
        Some("2\n")
    );
}

#[tokio::test]
async fn always_has_a_button_that_takes_it_back() {
    let team = Team::start().await;
    team.ann.send("run: touch effects");
    let card = team.ann.wait_for_button("Always").await;
    team.ann.tap(card.id, "Always");
    team.ann
        .wait_for_message(|m| m.id == card.id && m.button("Undo “Always”").is_some())
        .await;
    let tap = team.ann.tap(card.id, "Undo “Always”");
    let said = team.ann.wait_for_answer(&tap).await;
    assert!(said.starts_with("Taken back"), "{said}");
    team.ann
        .wait_for_message(|m| m.id == card.id && m.buttons().is_empty())
        .await;
    let again = team.ann.send("run: touch effects");
    team.ann
        .wait_for_message(|m| m.id > again && m.button("Approve").is_some())
        .await;
}
