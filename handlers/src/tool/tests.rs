//! What tools say to models and people.

use super::*;
use domain::Digest;
use insta::assert_snapshot;
use ports::sandbox::{Ended, ExecResult};
use std::sync::Arc;
use testkit::{
    home::TestHome,
    presenter::PlainPresenter,
    sandbox::{ScriptedSandbox, exited},
    workspace::{MemoryWorkspace, MemoryWorkspaces},
};

struct Bench {
    home: Home,
    agent: AgentId,
    requester: MemberId,
    session: SessionId,
    tools: Tools,
    workspace: Arc<MemoryWorkspace>,
    sandbox: ScriptedSandbox,
}

impl Bench {
    fn new() -> Self {
        let workspace = MemoryWorkspaces::default().of(&SessionId::new("x"));
        let fakes = TestHome::default();
        Self {
            home: Home {
                team: fakes.team,
                store: fakes.store,
                blobs: fakes.blobs,
                clock: fakes.clock,
                chance: fakes.chance,
                presenter: Arc::new(PlainPresenter),
            },
            agent: AgentId::new("a"),
            requester: MemberId::new("m"),
            session: SessionId::new("x"),
            tools: all(),
            workspace,
            sandbox: ScriptedSandbox::new(),
        }
    }

    fn at(&self) -> ToolContext<'_> {
        ToolContext {
            home: &self.home,
            caller: Caller {
                skills: &[],
                agent: &self.agent,
                requester: &self.requester,
                session: &self.session,
                conversation: 1,
                taint: &[],
                approval: None,
                answers: &[],
            },
            place: Some(Place {
                workspace: &*self.workspace,
                sandbox: &self.sandbox,
            }),
            library: None,
            cancel: Cancel::default(),
            tools: &self.tools,
            presets: &[],
        }
    }

    /// What the model is told.
    async fn does(&self, tool: &str, arguments: Value) -> String {
        let output = all()
            .get(tool)
            .unwrap()
            .perform(&self.at(), &arguments)
            .await;
        output.map_or_else(
            |error| format!("error: {error}"),
            |output| format!("{}: {}", output.ok, output.text),
        )
    }

    async fn shows(&self, tool: &str, arguments: Value) -> Preview {
        all()
            .get(tool)
            .unwrap()
            .preview(&self.at(), &arguments)
            .await
            .unwrap()
    }
}

#[test]
fn specs_are_schemas_that_stay_in_order() {
    let tools = all();
    let names: Vec<String> = tools
        .specs(true)
        .into_iter()
        .map(|spec| spec.name)
        .collect();
    assert_eq!(names.join(", "), tools.names());
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(names, sorted);
    for spec in tools.specs(true) {
        assert_eq!(spec.schema["type"], "object");
        for required in spec.schema["required"].as_array().unwrap() {
            assert!(
                spec.schema["properties"]
                    .get(required.as_str().unwrap())
                    .is_some(),
                "{}",
                spec.name
            );
        }
    }
}

#[test]
fn wrong_arguments_are_named() {
    let say = |tool: &str, arguments: Value| {
        all()
            .get(tool)
            .unwrap()
            .accesses(&arguments)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(say("run_command", json!({})), "“command” is missing.");
    assert_eq!(
        say("run_command", json!({"command": 5})),
        "“command” must be a text."
    );
    assert_eq!(
        say("run_command", json!({"command": " "})),
        "“command” is empty."
    );
    assert_eq!(
        say("run_command", json!({"command": "a\0b"})),
        "“command” contains a NUL byte."
    );
    assert_eq!(
        say("write_file", json!({"path": "a"})),
        "“text” is missing."
    );
    assert_eq!(
        say("read_file", json!({"path": "a/../../b"})),
        "“a/../../b” is outside the workspace"
    );
    assert_eq!(
        say("list_files", json!({"path": "/etc"})),
        "“/etc” is outside the workspace"
    );
}

#[test]
fn paths_are_judged_in_one_spelling() {
    let of = |tool: &str, path: &str| {
        all()
            .get(tool)
            .unwrap()
            .accesses(&json!({"path": path, "text": ""}))
            .unwrap()
    };
    for spelling in ["a/b", "./a//b", " a/./b/ "] {
        assert_eq!(
            of("read_file", spelling),
            [Access::FileRead("a/b".to_owned())]
        );
        assert_eq!(
            of("write_file", spelling),
            [Access::FileWrite("a/b".to_owned())]
        );
    }
    assert_eq!(of("list_files", "./"), [Access::FileRead(".".to_owned())]);
}

#[tokio::test]
async fn files() {
    let bench = Bench::new();
    assert_eq!(bench.does("list_files", json!({})).await, "true: (empty)");
    assert_eq!(
        bench
            .does(
                "write_file",
                json!({"path": "src/a.txt", "text": "one\ntwo\n"})
            )
            .await,
        "true: Wrote 8 bytes to src/a.txt."
    );
    assert_eq!(bench.does("list_files", json!({})).await, "true: src/");
    assert_eq!(
        bench.does("list_files", json!({"recursive": true})).await,
        "true: src/\nsrc/a.txt  8"
    );
    assert_eq!(
        bench.does("read_file", json!({"path": "src/a.txt"})).await,
        "true: one\ntwo\n"
    );
    assert_eq!(
        bench.does("search_files", json!({"text": "tw"})).await,
        "true: src/a.txt:2: two"
    );
    assert_eq!(
        bench
            .does("search_files", json!({"text": "tw", "glob": "*.md"}))
            .await,
        "true: (nothing found)"
    );
    assert_eq!(
        bench
            .does(
                "edit_file",
                json!({"path": "src/a.txt", "old": "two", "new": "2"})
            )
            .await,
        "true: Changed src/a.txt."
    );
    assert_eq!(
        bench.workspace.text("src/a.txt").as_deref(),
        Some("one\n2\n")
    );
    bench.workspace.put("twice", "x x");
    let error = bench
        .does(
            "edit_file",
            json!({"path": "twice", "old": "x", "new": "y"}),
        )
        .await;
    assert_eq!(
        error,
        "error: “old” occurs 2 times in twice: give more of the lines around it."
    );
    let error = bench
        .does("edit_file", json!({"path": "twice", "old": "", "new": "y"}))
        .await;
    assert!(error.starts_with("error: “old” is empty"), "{error}");
    assert_eq!(
        bench.does("read_file", json!({"path": "src"})).await,
        "error: “src” is a directory"
    );
}

#[tokio::test]
async fn a_change_is_shown_as_a_diff_and_bound_to_the_file() {
    let bench = Bench::new();
    let created = bench
        .shows("write_file", json!({"path": "a.txt", "text": "new\n"}))
        .await;
    assert_eq!(created.before, Digest::of_bytes("absent"));
    assert_eq!(created.shown.what, "Create a.txt (4 bytes)");
    bench.workspace.put("a.txt", "1\n2\n3\n4\n5\n6\n7\n8\n");
    let changed = bench
        .shows(
            "edit_file",
            json!({"path": "a.txt", "old": "5\n", "new": "five\n"}),
        )
        .await;
    assert_snapshot!(changed.shown.diff, @r#"
    --- a/a.txt
    +++ b/a.txt
    @@ -2,7 +2,7 @@
     2
     3
     4
    -5
    +five
     6
     7
     8
    "#);
    assert_eq!(changed.before, Digest::of_bytes("1\n2\n3\n4\n5\n6\n7\n8\n"));
    let long = bench
        .shows(
            "write_file",
            json!({"path": "a.txt", "text": "line\n".repeat(2000)}),
        )
        .await;
    assert!(long.shown.diff.len() <= 2000);
    let whole = long.attachment.unwrap();
    assert!(whole.starts_with(&long.shown.diff) && whole.len() > 10_000);
}

#[tokio::test]
async fn commands_say_how_they_ended() {
    let bench = Bench::new();
    let ends = [
        (Ended::Exit(0), ""),
        (Ended::Exit(0), "ok\n"),
        (Ended::Exit(3), "bad\n"),
        (Ended::Signal(9), ""),
        (Ended::TimedOut, "so far"),
        (Ended::OutOfMemory, ""),
        (Ended::TooMuchOutput, "yyy"),
        (Ended::Cancelled, ""),
    ];
    let mut told = Vec::new();
    for (ended, output) in ends {
        bench.sandbox.answer(move |_| ExecResult {
            ended,
            ..exited(0, output)
        });
        told.push(bench.does("run_command", json!({"command": "x"})).await);
    }
    assert_snapshot!(told.join("\n"), @r#"
    true: (no output)
    true: ok
    false: bad
    [exit status 3]
    false: [ended by signal 9]
    false: so far
    [stopped: time limit]
    false: [stopped: memory limit]
    false: yyy
    [stopped: too much output]
    false: [stopped: cancelled]
    "#);
    bench.sandbox.answer(|_| ExecResult {
        output_bytes: 900,
        ..exited(0, "abc")
    });
    assert_eq!(
        bench.does("run_command", json!({"command": "x"})).await,
        "true: abc\n[897 more bytes were cut]"
    );
    bench.sandbox.answer(|_| exited(0, vec![0, 1, 2]));
    assert_eq!(
        bench.does("run_command", json!({"command": "x"})).await,
        "true: [3 bytes of binary output]"
    );
    bench.sandbox.answer(|_| exited(0, "caf\u{e9} \u{1f600}"));
    assert_eq!(
        bench.does("run_command", json!({"command": "x"})).await,
        "true: café 😀"
    );
    bench.sandbox.break_down("install bubblewrap");
    assert_eq!(
        bench.does("run_command", json!({"command": "x"})).await,
        "error: no sandbox here: install bubblewrap"
    );
}

#[tokio::test]
async fn a_command_is_bound_to_the_whole_workspace() {
    let bench = Bench::new();
    let before = bench
        .shows("run_command", json!({"command": "make"}))
        .await
        .before;
    bench.workspace.put("Makefile", "x");
    let after = bench.shows("run_command", json!({"command": "make"})).await;
    assert_ne!(before, after.before);
    assert_eq!(after.shown.what, "make");
    let short = bench
        .shows(
            "run_command",
            json!({"command": "make", "timeout_s": 9_999}),
        )
        .await;
    assert!(
        short.shown.impact.contains("at most 600 s"),
        "{}",
        short.shown.impact
    );
}
