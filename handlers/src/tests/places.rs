//! Steps without a workspace: what needs one is left to a worker that has it, and nothing else is.

use super::team::Team;
use domain::approval::Choice;

async fn functions() -> Team {
    let mut team = Team::new().await;
    team.functions = true;
    team
}

fn lanes(team: &Team) -> Vec<String> {
    std::mem::take(&mut *team.lanes.lock().unwrap())
}

#[tokio::test]
async fn a_call_that_needs_files_goes_where_they_are_and_the_run_ends_there() {
    let team = functions().await;
    team.workspace().put("notes.md", "buy milk");
    team.says("read: notes.md").await;
    assert_eq!(lanes(&team), ["run", "sandbox"]);
    assert!(
        team.transcript().contains("buy milk"),
        "{}",
        team.transcript()
    );
    team.audit_holds().await;
}

#[tokio::test]
async fn words_and_questions_need_no_workspace() {
    let team = functions().await;
    team.says("hello").await;
    team.says("ask: which one?").await;
    team.says("the red one").await;
    assert!(lanes(&team).iter().all(|lane| lane == "run"));
    assert!(team.transcript().contains("which one?"));
    team.says("finish: so it is").await;
    assert!(team.transcript().contains("so it is"));
    assert!(lanes(&team).iter().all(|lane| lane == "run"));
}

#[tokio::test]
async fn what_was_approved_is_done_where_its_card_was_made() {
    let team = functions().await;
    team.says("write: notes.md = buy milk").await;
    assert_eq!(lanes(&team), ["run", "sandbox"]);
    assert_eq!(team.workspace().text("notes.md"), None);
    team.decides(Choice::Approve).await;
    assert_eq!(lanes(&team), ["run", "sandbox"]);
    assert_eq!(
        team.workspace().text("notes.md").as_deref(),
        Some("buy milk")
    );
    team.audit_holds().await;
}

#[tokio::test]
async fn the_same_run_in_one_process_and_in_two_places_has_the_same_journal() {
    let mut journals = Vec::new();
    for functions in [false, true] {
        let mut team = Team::new().await;
        team.functions = functions;
        team.says("write: notes.md = buy milk").await;
        team.decides(Choice::Approve).await;
        let events = team.events(&team.latest().await.id).await;
        let kinds = events
            .into_iter()
            .map(|event| serde_json::to_value(event).unwrap()["type"].clone());
        // A step that another one follows leaves this trace.
        journals.push(
            kinds
                .filter(|kind| kind != "Resumed" && kind != "resumed")
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(journals[0], journals[1]);
}
