//! An agent with many tools of a server: it looks for the one that it needs, and the call of it is asked about as any other.

use super::{
    Home, Team, in_each_home,
    mcp::{added, mark},
    team::short_id,
};

async fn a_tool_among_many_is_looked_for_and_called_after_a_card(home: Home) {
    let team = Team::in_home(home, &[]).await;
    // Where the sandbox is: no function starts a server.
    let (_keep, out) = added(&team.program, "many").await;
    let mark = mark(&out);
    team.ask(&format!("/mcp approve notes {mark}"), "branch_39")
        .await;
    let asked = team
        .ann
        .send(r#"{"tool": "says it again", "arguments": {"text": "milk"}}"#);
    let card = team
        .ann
        .wait_for_message(|m| m.id > asked && m.button("Approve").is_some())
        .await;
    for part in [
        "mcp:notes/echo",
        "text: milk",
        "no rule speaks about the tool “mcp:notes/echo”",
    ] {
        assert!(card.text.contains(part), "{part}:\n{}", card.text);
    }
    assert!(!card.text.contains("use_tool"), "{}", card.text);
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("echo: milk"))
        .await;
    let run = short_id(&team.ask("/runs", "/run <id>").await);
    let told = team.ask(&format!("/run {run}"), "to be looked for").await;
    assert!(told.contains("find_tools"), "{told}");
    team.assert_well();
}

in_each_home!(a_tool_among_many_is_looked_for_and_called_after_a_card);
