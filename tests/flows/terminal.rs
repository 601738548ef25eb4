//! The terminal: one task, a conversation, the other commands.

use super::Program;

#[tokio::test]
async fn ask_does_one_task_and_says_how_it_ended() {
    let program = Program::alone();
    let (status, out, err) = program.run(&["ask", "run: echo hello there"]).await;
    assert_eq!(
        (status, out.contains("hello there")),
        (0, true),
        "{out}\n{err}"
    );
    let (status, out, err) = program
        .run(&["ask", "--json", "run: echo hello there"])
        .await;
    let value: serde_json::Value =
        serde_json::from_str(out.trim()).unwrap_or_else(|e| panic!("{e}: {out}\n{err}"));
    assert_eq!((status, value["status"].as_str()), (0, Some("answered")));
    let (status, _, err) = program.run(&["ask", ""]).await;
    assert_ne!(status, 0);
    assert!(!err.is_empty());
}

#[tokio::test]
async fn a_conversation_over_a_pipe_with_a_card_in_it() {
    let program = Program::alone();
    let (status, out, err) = program
        .run_with(&["chat"], "write: notes.md: buy milk\na\n")
        .await;
    assert_eq!(status, 0, "{out}\n{err}");
    assert!(out.contains("+buy milk"), "{out}\n{err}");
    assert_eq!(
        program.workspace_file("notes.md").as_deref(),
        Some("buy milk"),
        "{out}\n{err}"
    );
}

#[tokio::test]
async fn every_listing_has_a_table_and_json() {
    let program = Program::alone();
    program.run(&["ask", "run: echo hi"]).await;
    for listing in [
        &["agents", "list"][..],
        &["runs", "list"],
        &["approvals", "list"],
        &["rules", "list"],
        &["audit", "verify"],
        &["doctor"],
    ] {
        let (status, out, err) = program.run(listing).await;
        assert_eq!(
            (status, out.is_empty()),
            (0, false),
            "{listing:?}: {out}\n{err}"
        );
        let json: Vec<&str> = listing.iter().copied().chain(["--json"]).collect();
        let (status, out, err) = program.run(&json).await;
        assert_eq!(status, 0, "{listing:?}: {err}");
        serde_json::from_str::<serde_json::Value>(&out)
            .unwrap_or_else(|e| panic!("{listing:?}: {e}\n{out}"));
    }
}
