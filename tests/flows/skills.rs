//! Skills from the index to the answer: installed by a card, given to an agent, used, run in the real sandbox; and scripts that
//! misbehave there.

use super::{Program, Team, team::redacted};
use std::{fs, path::PathBuf};

const FRONT: &str = "---\nname: greet\ndescription: Greets people.\nlicense: MIT\n---\nSay hello in a friendly way.\n";
const SCHEMA: &str = r#"{"description": "Greets.", "reads_only": true,
    "input": {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]},
    "output": {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}}"#;
const GREET: &str = "import json, sys\nasked = json.load(sys.stdin)\nprint(\"thinking\", file=sys.stderr)\nprint(json.dumps({\"said\": \"hello \" + asked[\"who\"]}))\n";

/// Lays a folder beside the index, which names it.
fn shelve(program: &Program, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let shelf = program.home().join("data/skills");
    for (path, text) in files {
        let path = shelf.join(name).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let index = format!("skills:\n  - {{name: {name}, path: {name}}}\n");
    fs::write(shelf.join("index.yaml"), index).unwrap();
    shelf.join(name)
}

/// A team whose assistant has the skill, and may run its scripts.
async fn with_skill(name: &str, files: &[(&str, &str)]) -> Team {
    let team = Team::start().await;
    shelve(&team.program, name, files);
    team.ann.send(&format!("/skill install {name}"));
    let card = team.ann.wait_for_button("Install").await;
    team.ann.tap(card.id, "Install");
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("is installed"))
        .await;
    team.ask(
        &format!("/skill enable {name} assistant"),
        "from its next task on",
    )
    .await;
    team.ask(
        &format!("/rules add allow shell_exec run_skill_script {name} *"),
        "allow",
    )
    .await;
    team
}

#[tokio::test]
async fn a_skill_is_installed_given_used_and_counted() {
    let team = Team::start().await;
    let files = [
        ("SKILL.md", FRONT),
        ("scripts/greet.py", GREET),
        ("scripts/greet.schema.json", SCHEMA),
        (
            "tests/bob.json",
            r#"{"script": "greet", "input": {"who": "Bob"}, "output": {"said": "hello Bob"}}"#,
        ),
    ];
    let folder = shelve(&team.program, "greet", &files);
    let begun = team.ann.transcript().len();
    team.ask("/skills", "To be installed").await;
    team.ann.send("/skill install greet");
    let card = team.ann.wait_for_button("Install").await;
    for part in [
        "greet.py: python3 has nothing to say",
        "1 of its tests pass",
    ] {
        assert!(card.text.contains(part), "{part}:\n{}", card.text);
    }
    fs::write(folder.join("SKILL.md"), FRONT.replace("friendly", "rude")).unwrap();
    let tap = team.ann.tap(card.id, "Install");
    assert!(
        team.ann
            .wait_for_answer(&tap)
            .await
            .contains("another one than on that card")
    );
    fs::write(folder.join("SKILL.md"), FRONT).unwrap();
    team.ann.tap(card.id, "Install");
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("greet is installed"))
        .await;
    team.ask("/skill enable greet assistant", "from its next task on")
        .await;
    team.ask(
        "{\"tool\": \"use_skill\", \"arguments\": {\"name\": \"greet\"}}",
        "friendly",
    )
    .await;
    let asked = team.ann.send("{\"tool\": \"run_skill_script\", \"arguments\": {\"name\": \"greet\", \"script\": \"greet\", \"input\": {\"who\": \"Ann\"}}}");
    let card = team
        .ann
        .wait_for_message(|m| m.id > asked && m.button("Approve").is_some())
        .await;
    for part in [
        "scripts/greet.py of the skill greet",
        "json.load",
        "writes nothing",
    ] {
        assert!(card.text.contains(part), "{part}:\n{}", card.text);
    }
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("{\"said\":\"hello Ann\"}"))
        .await;
    let shown = team.ask("/skill show greet", "friendly").await;
    assert!(
        shown.contains("2 tasks, 2 answered, 1 scripts (0 failed)"),
        "{shown}"
    );
    team.ask("/skill remove greet", "It was taken from assistant")
        .await;
    let transcript = redacted(&team.ann.transcript()[begun..]);
    assert!(!transcript.contains("panicked"));
    team.assert_well();
}

#[tokio::test]
async fn scripts_that_misbehave_end_and_are_told() {
    let front = FRONT.replace("greet", "odd");
    let team = with_skill(
        "odd",
        &[
            ("SKILL.md", &front),
            ("scripts/hang.sh", "sleep 1000"),
            ("scripts/fork.sh", "b() { b | b & }; b; sleep 1000"),
            ("scripts/flood.py", "while True: print('x' * 100000)"),
            ("scripts/die.js", "process.kill(process.pid, 'SIGKILL')"),
            ("scripts/code.sh", "exit 137"),
        ],
    )
    .await;
    for (script, said) in [
        ("hang", "[stopped: time limit]"),
        ("fork", "fork: retry: Resource temporarily unavailable"),
        ("flood", "[stopped: too much output]"),
        ("die", "[ended by signal 9]"),
        ("code", "[ended by signal 9]"),
    ] {
        let call = format!(
            "{{\"tool\": \"run_skill_script\", \"arguments\": {{\"name\": \"odd\", \"script\": \"{script}\", \"timeout_s\": 3}}}}"
        );
        team.ask(&call, said).await;
    }
    let shown = team.ask("/skill show odd", "friendly").await;
    assert!(shown.contains("5 scripts (5 failed)"), "{shown}");
    team.assert_well();
}

#[tokio::test]
async fn built_in_skills_pass_their_own_tests_here() {
    let program = Program::alone();
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    for (name, tests) in [
        ("keyword-research", "1 of its tests pass"),
        ("ralph-loop", "3 of its tests pass"),
    ] {
        let folder = package.join("../shared/catalog/skills").join(name);
        let (status, out, err) = program
            .run(&["skills", "check", folder.to_str().unwrap()])
            .await;
        assert_eq!(status, 0, "{out}\n{err}");
        assert!(out.contains(tests) && !out.contains("high "), "{out}");
    }
}

#[tokio::test]
async fn the_command_line_installs_only_what_was_agreed_to() {
    let program = Program::alone();
    let folder = shelve(
        &program,
        "greet",
        &[("SKILL.md", FRONT), ("scripts/x.sh", "if\n")],
    );
    let path = folder.to_str().unwrap();
    let (status, out, _) = program.run(&["skills", "check", path]).await;
    assert!(
        status == 1 && out.contains("high") && out.contains("syntax error"),
        "{out}"
    );
    let (status, out, err) = program.run(&["skills", "install", path]).await;
    assert!(status == 2 && out.contains("syntax error"), "{out}{err}");
    let digest = err
        .split("--digest ")
        .nth(1)
        .unwrap()
        .trim()
        .trim_end_matches('.')
        .to_owned();
    let (status, _, err) = program
        .run(&["skills", "install", path, "--digest", &digest[1..]])
        .await;
    assert!(status == 1 && err.contains("Not installed"), "{err}");
    let (status, out, err) = program
        .run(&["skills", "install", path, "--digest", &digest])
        .await;
    assert!(
        status == 0 && out.contains("greet is installed"),
        "{out}{err}"
    );
    let (_, out, _) = program.run(&["skills"]).await;
    assert!(
        out.contains("greet") && out.contains("ralph-loop") && out.contains("built in"),
        "{out}"
    );
    let (status, _, err) = program.run(&["skills", "enable", "greet", "coder"]).await;
    assert_eq!(status, 0, "{err}");
    let (_, out, _) = program.run(&["skills", "show", "greet", "--json"]).await;
    assert!(
        out.contains("\"agreed_by\"") && out.contains("\"tasks\": 0"),
        "{out}"
    );
    let (_, out, _) = program.run(&["skills", "remove", "greet"]).await;
    assert!(out.contains("It was taken from coder"), "{out}");
    let (status, _, err) = program.run(&["skills", "install", "/etc"]).await;
    assert!(status == 1 && !err.contains("panicked"), "{err}");
}

fn call(tool: &str, arguments: &serde_json::Value) -> String {
    serde_json::json!({"tool": tool, "arguments": arguments}).to_string()
}

#[tokio::test]
async fn the_built_in_skills_do_their_work() {
    use serde_json::json;
    let team = Team::start().await;
    for name in ["planning", "ralph-loop", "keyword-research", "memory"] {
        team.ask(
            &format!("/skill enable {name} assistant"),
            "from its next task on",
        )
        .await;
    }
    for rule in [
        "shell_exec run_skill_script *",
        "file_write PLAN.md",
        "memory",
    ] {
        team.ask(&format!("/rules add allow {rule}"), "allow").await;
    }
    for (name, part) in [
        ("planning", "PLAN.md"),
        ("ralph-loop", "Ralph loop"),
        ("keyword-research", "Keyword research"),
        ("memory", "`recall` finds words"),
    ] {
        team.ask(&call("use_skill", &json!({"name": name})), part)
            .await;
    }
    // planning: the plan is written, a step is marked.
    let plan = "# The page is live\n- [ ] 1. Write it · check: page.md is there\n";
    team.ask(
        &call("write_file", &json!({"path": "PLAN.md", "text": plan})),
        "PLAN.md",
    )
    .await;
    team.ask(
        &call(
            "edit_file",
            &json!({"path": "PLAN.md", "old": "[ ] 1.", "new": "[x] 1."}),
        ),
        "PLAN.md",
    )
    .await;
    assert!(
        team.program
            .workspace_file("PLAN.md")
            .unwrap()
            .contains("- [x] 1. Write it")
    );
    // ralph-loop: the limit holds from task to task.
    let count = |passed: bool| {
        let input = json!({"goal": "green", "passed": passed, "said": "1 failed", "limit": 2});
        call(
            "run_skill_script",
            &json!({"name": "ralph-loop", "script": "count", "input": input}),
        )
    };
    team.ask(&count(false), "\"left\":1,\"next\":\"go_on\"")
        .await;
    team.ask(&count(false), "\"left\":0,\"next\":\"stop\"")
        .await;
    team.ask(&count(true), "\"next\":\"done\"").await;
    // keyword-research: what the others write about.
    let texts = json!([{"name": "own", "text": "Tea pots. Tea pots."}, {"name": "rival", "text": "Green tea: green tea."}]);
    let input = json!({"texts": texts, "own": ["own"], "top": 2});
    let rank = call(
        "run_skill_script",
        &json!({"name": "keyword-research", "script": "rank", "input": input}),
    );
    team.ask(&rank, "\"gaps\":[\"green tea\"]").await;
    // memory: kept in one task, found in another. The results of tasks before were content from outside.
    team.ask("/new", "A new conversation").await;
    let fact = json!({"layer": "agent", "text": "Invoices go into out/."});
    team.ask(&call("remember", &fact), "Invoices go into out/.")
        .await;
    team.ask("/new", "A new conversation").await;
    let found = call("recall", &json!({"query": "invoices"}));
    team.ask(&found, "- Invoices go into out/.").await;
    team.assert_well();
}
