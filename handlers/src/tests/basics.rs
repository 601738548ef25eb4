//! The everyday conversations.

use super::{
    rehearsal::{calls, rehearse, told},
    team::Team,
};
use crate::{agents, ask, ask::Asked, queries, sessions};
use domain::{agent::AgentStatus, approval::Choice, id::AgentId, message::Message, run::RunStatus};
use insta::{assert_json_snapshot, assert_snapshot};
use ports::model::ModelRequest;
use serde_json::json;
use std::time::Duration;
use testkit::scripted_model::{Gate, ScriptedModel, Turn};

#[tokio::test]
async fn what_is_allowed_runs_at_once() {
    let team = Team::new().await;
    team.workspace().put("notes.md", "buy milk");
    team.says("read: notes.md\nrun: ls").await;
    assert_snapshot!(team.transcript(), @r#"
    ann> read: notes.md ⏎ run: ls
    bot> [answered] done: buy milk | ran: ls
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn what_needs_a_person_waits_for_one_card_and_runs_once() {
    let team = Team::new().await;
    team.says("say: I need this.\nrun: make all").await;
    assert_eq!(team.fakes.sandbox.started(), Vec::<String>::new());
    let card = team.card().await;
    assert_eq!(
        (card.shown.what.as_str(), card.shown.why.as_str()),
        ("make all", "I need this.")
    );
    team.decides(Choice::Approve).await;
    assert_eq!(team.fakes.sandbox.started(), ["make all"]);
    assert_snapshot!(team.transcript(), @r#"
    ann> say: I need this. ⏎ run: make all
    bot> [approval asked] run_command: make all
    ann> (Approve)
    edit> [approved by ann] run_command: make all
    bot> [answered] done: ran: make all
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn a_question_parks_and_the_next_text_answers_it() {
    let team = Team::new().await;
    team.says("ask: Which colour?\nthen\nfinish: It is blue.")
        .await;
    assert_eq!(team.latest().await.status, RunStatus::Waiting);
    assert_eq!(
        team.says("blue").await,
        Asked::Answered {
            run: team.latest().await.id
        }
    );
    assert_eq!(told(&team.model.requests()[1]), ["blue"]);
    assert_snapshot!(team.transcript(), @r#"
    ann> ask: Which colour? ⏎ then ⏎ finish: It is blue.
    bot> [question] Which colour?
    ann> blue
    bot> [answered] It is blue.
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn a_message_written_while_the_run_works_does_not_disturb_its_question() {
    let gate = Gate::new();
    let held = gate.clone();
    let team = Team::with(ScriptedModel::answering(move |request| {
        rehearse(request).held_by(&held)
    }))
    .await;
    team.writes("ask: Which colour?").await.unwrap();
    let worker = team.work();
    let person = async {
        team.model.wait_for_requests(1).await;
        assert!(matches!(
            team.writes("say: one more thing").await,
            Ok(Asked::Queued { waiting: 1, .. })
        ));
        gate.open();
    };
    tokio::join!(worker, person);
    assert_eq!(team.model.requests().len(), 1, "the reply was not lost");
    team.says("blue").await;
    assert_snapshot!(team.transcript(), @r#"
    ann> ask: Which colour?
    ann> say: one more thing
    bot> [question] Which colour?
    ann> blue
    bot> [answered] done: blue
    bot> [answered] one more thing
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn starting_afresh_lets_a_run_that_asked_go_on_without_an_answer() {
    let team = Team::new().await;
    team.says("ask: Which colour?\nthen\nask: And which size?")
        .await;
    team.does(|| sessions::renew(&team.home, &team.ann, &team.session))
        .await
        .unwrap();
    team.work().await;
    let run = team.latest().await;
    assert_eq!(run.status, RunStatus::Answered);
    assert_snapshot!(told(team.model.requests().last().unwrap()).join("\n"), @r#"
    Not answered: the person started afresh. Decide yourself, or finish.
    Not asked: the person has started something else and would not know what this is about. Decide yourself, or finish.
    "#);
    // The session belongs to nobody, and its next text is a new task.
    assert_eq!(
        (team.talk().await.run, team.talk().await.turns),
        (None, Vec::new())
    );
    assert!(matches!(
        team.says("say: hello").await,
        Asked::Started { .. }
    ));
    team.is_quiet();
}

#[tokio::test]
async fn finish_with_bad_arguments_ends_nothing() {
    let team = Team::new().await;
    team.says("call: finish = {\"text\": \"x\"}\nthen\nfinish: Done.")
        .await;
    assert_snapshot!(team.transcript(), @r#"
    ann> call: finish = {"text": "x"} ⏎ then ⏎ finish: Done.
    bot> [answered] Done.
    "#);
    assert_eq!(team.model.requests().len(), 2);
    team.is_quiet();
}

#[tokio::test]
async fn what_the_model_gets_wrong_it_is_told() {
    let turns = [
        Turn::malformed_call("run_command", "{\"command\": "),
        Turn::calls([
            ("fly", json!({})),
            ("read_file", json!({"file": "x"})),
            ("read_file", json!({"path": "gone.md"})),
        ]),
        Turn::calls([
            ("read_file", json!({"path": "../secret"})),
            ("write_file", json!({"path": "a", "text": {"$blob": "00"}})),
        ]),
        Turn::text("I give up."),
    ];
    let team = Team::with(ScriptedModel::queue(turns)).await;
    team.says("go").await;
    assert_snapshot!(told(team.model.requests().last().unwrap()).join("\n"), @r#"
    Not run: its arguments are not a JSON object: {"command":  (not JSON).
    Not run: there is no tool “fly”; there are: ask_person, create_agent, create_skill, edit_file, finish, list_files, read_file, recall, remember, run_command, run_skill_script, search_files, search_knowledge, use_skill, write_file.
    Not run: “path” is missing.
    “gone.md” does not exist
    Not run: “../secret” is outside the workspace.
    Not run: its arguments are not a JSON object: no object in them may have the key $blob.
    "#);
    assert_snapshot!(team.transcript(), @r#"
    ann> go
    bot> [answered] I give up.
    "#);
    team.is_quiet();
}

#[tokio::test]
async fn prompts_wait_behind_a_run_and_start_in_order() {
    let team = Team::new().await;
    team.says("run: make").await;
    assert!(matches!(
        team.writes("say: second").await,
        Ok(Asked::Queued { waiting: 1, .. })
    ));
    assert!(matches!(
        team.writes("say: third").await,
        Ok(Asked::Queued { waiting: 2, .. })
    ));
    team.work().await;
    team.decides(Choice::Approve).await;
    assert_snapshot!(team.transcript(), @r#"
    ann> run: make
    bot> [approval asked] run_command: make
    ann> say: second
    ann> say: third
    ann> (Approve)
    edit> [approved by ann] run_command: make
    bot> [answered] done: ran: make
    bot> [answered] second
    bot> [answered] third
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn a_waiting_prompt_whose_agent_is_gone_does_not_hold_up_the_others() {
    let team = Team::new().await;
    team.says("run: make").await;
    let coder = AgentId::new("coder");
    team.does(|| {
        ask::ask(
            &team.home,
            &team.ann,
            &team.session,
            "say: for the coder",
            Some(&coder),
        )
    })
    .await
    .unwrap();
    team.writes("say: third").await.unwrap();
    let pause = || agents::Change {
        status: Some(AgentStatus::Paused),
        ..Default::default()
    };
    team.does(|| agents::change(&team.home, &team.ann, "coder", pause()))
        .await
        .unwrap();
    team.decides(Choice::Approve).await;
    assert_snapshot!(team.transcript(), @r#"
    ann> run: make
    bot> [approval asked] run_command: make
    ann> say: third
    ann> (Approve)
    edit> [approved by ann] run_command: make
    bot> [answered] done: ran: make
    bot> [not started: AgentNotActive { name: "coder", archived: false }] say: for the coder
    bot> [answered] third
    "#);
    team.is_quiet();
}

#[tokio::test]
async fn a_store_that_fails_at_the_end_loses_no_waiting_prompt() {
    let team = Team::new().await;
    team.says("run: make").await;
    team.writes("say: second").await.unwrap();
    let card = team.card().await;
    team.choose(&team.ann, &card.id, Choice::Approve)
        .await
        .unwrap();
    team.fakes
        .store
        .fail_commits(2, ports::store::StoreError::Unavailable);
    team.work().await;
    team.waits(Duration::from_secs(10)).await;
    assert_eq!(queries::runs(&team.home, None, 10).await.unwrap().len(), 2);
    assert_eq!(team.talk().await.queued, []);
}

#[tokio::test]
async fn the_history_stands_before_the_next_prompt() {
    let team = Team::new().await;
    team.says("finish: The sky is blue.").await;
    team.says("say: and the sea?").await;
    let request = team.model.requests().pop().unwrap();
    assert_json_snapshot!(request.messages, @r#"
    [
      {
        "role": "user",
        "text": "finish: The sky is blue."
      },
      {
        "role": "assistant",
        "text": "The sky is blue.",
        "calls": []
      },
      {
        "role": "user",
        "text": "say: and the sea?"
      }
    ]
    "#);
}

#[tokio::test]
async fn what_models_are_asked_begins_as_before() {
    let team = Team::new().await;
    team.model.set_window(1 << 40);
    team.workspace().put("notes.md", "x".repeat(20_000));
    let long = "y".repeat(10_000);
    team.says(&format!("run: ls\nread: notes.md\nthen\nwrite: b.txt = {long}\nrun: make\nthen\nask: sure?\nthen\nread: b.txt")).await;
    team.answers_everything().await;
    team.says("yes").await;
    let requests = team.model.requests();
    assert_eq!(requests.len(), 5);
    for (before, after) in requests.iter().zip(&requests[1..]) {
        let text = |request: &ModelRequest| {
            serde_json::to_string(&(&request.system, &request.tools, &request.messages)).unwrap()
        };
        let before = text(before);
        assert!(
            text(after).starts_with(before.trim_end_matches(']')),
            "the prefix changed"
        );
    }
    let whole = |message: &Message| match message {
        Message::Tool { output, .. } => output.bytes(),
        _ => 0,
    };
    assert!(
        requests[1]
            .messages
            .iter()
            .any(|message| whole(message) == 20_000),
        "a large result comes back whole"
    );
    assert_eq!(
        calls(&requests[2])[2].text("text").map(str::len),
        Some(10_000),
        "a large argument comes back whole"
    );
    assert_eq!(
        team.workspace().text("b.txt").map(|text| text.len()),
        Some(10_000)
    );
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn a_workspace_of_ones_own_that_is_gone_ends_the_run_with_a_sentence() {
    let team = Team::new().await;
    let gone = Some("/home/ann/gone".to_owned());
    team.does(|| sessions::choose_workspace(&team.home, &team.session, gone.clone()))
        .await
        .unwrap();
    team.says("run: ls").await;
    assert_snapshot!(team.transcript(), @r#"
    ann> run: ls
    bot> [failed] the workspace cannot be opened: “/home/ann/gone” does not exist.
    "#);
    let own = team.fakes.workspaces.own("/home/ann/gone");
    own.put("here.md", "yes");
    team.says("read: here.md").await;
    assert_snapshot!(team.transcript(), @r#"
    ann> read: here.md
    bot> [answered] done: yes
    "#);
    team.is_quiet();
}

#[tokio::test]
async fn people_see_what_the_run_does() {
    let team = Team::new().await;
    team.says("run: make").await;
    team.decides(Choice::Approve).await;
    assert_eq!(
        team.fakes.progress.doings(),
        [
            "thinking",
            "waiting",
            "using run_command: make",
            "thinking",
            "over"
        ]
    );
}

#[tokio::test]
async fn a_run_woken_for_nothing_still_waits() {
    let team = Team::new().await;
    team.says("run: make").await;
    let run = team.latest().await.id;
    crate::commit(&team.home, vec![ask::wake(&team.home, &run).unwrap()])
        .await
        .unwrap();
    team.work().await;
    assert_eq!(team.latest().await.status, RunStatus::Waiting);
    assert_eq!(team.cards().await.len(), 1);
}
