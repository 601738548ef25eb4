//! Skills in a run: a line in the prompt, the text when it is used, scripts that run without entering; and who may change them.

use super::{
    rehearsal::{rehearse, told},
    team::Team,
};
use crate::{
    Problem,
    skills::{self, Stats, checks},
};
use domain::{
    MicroUsd,
    approval::{ApprovalStatus, Choice},
    member::Role,
    run::Event,
    skill::{Kind, Package, Severity},
};
use ports::{
    model::ModelRequest,
    sandbox::{Ended, Exec, ExecResult},
};
use std::sync::{Arc, Mutex};
use testkit::{sandbox::exited, scripted_model::ScriptedModel};

const FRONT: &str = "---\nname: greet\ndescription: Greets people. Use it for greetings.\n---\nSay hello in a friendly way.\n";
const SCHEMA: &str = r#"{"description": "Greets.", "reads_only": true,
    "input": {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]},
    "output": {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}}"#;

fn package(files: &[(&str, &str)]) -> Package {
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
    Package::read(files.iter().map(owned)).unwrap()
}

fn greet() -> Package {
    package(&[
        ("SKILL.md", FRONT),
        ("references/words.md", "Words: hello, welcome."),
        ("scripts/greet.py", "print(1)"),
        ("scripts/greet.schema.json", SCHEMA),
        ("scripts/list.sh", "ls \"$@\""),
    ])
}

/// With a skill of its own, which its assistant has.
async fn skilled() -> Team {
    let team = Team::new().await;
    installs(&team, &greet()).await;
    gives(&team, "greet").await;
    team
}

async fn installs(team: &Team, package: &Package) {
    let install = || skills::install(&team.home, &team.ann, package, ("a test", &[]));
    team.does(install).await.unwrap();
}

async fn gives(team: &Team, name: &str) {
    let enable = || skills::enable(&team.home, &team.ann, (name, "assistant"));
    team.does(enable).await.unwrap();
}

fn last_told(team: &Team) -> String {
    told(team.model.requests().last().unwrap()).pop().unwrap()
}

/// Commands answer this; the files that they were given are kept.
fn answering(team: &Team, output: &str) -> Arc<Mutex<Vec<Exec>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (given, output) = (Arc::clone(&seen), output.to_owned());
    team.fakes.sandbox.answer(move |exec| {
        given.lock().unwrap().push(exec.clone());
        exited(0, output.clone())
    });
    seen
}

fn file(exec: &Exec, path: &str) -> Option<String> {
    let (_, bytes) = exec.files.iter().find(|(known, _)| known == path)?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

const RUN: &str =
    r#"call: run_skill_script = {"name": "greet", "script": "greet", "input": {"who": "Bob"}}"#;

#[tokio::test]
async fn a_line_is_in_the_prompt_and_the_text_comes_when_it_is_used() {
    let team = skilled().await;
    gives(&team, "planning").await;
    team.says("call: use_skill = {\"name\": \"greet\"}\nthen\ncall: use_skill = {\"name\": \"greet\", \"file\": \"references/words.md\"}")
        .await;
    let requests = team.model.requests();
    let system = &requests[0].system;
    assert!(
        system.contains("\n- greet: Greets people. Use it for greetings.\n- planning: "),
        "{system}"
    );
    assert!(
        !system.contains("friendly") && !system.contains("PLAN.md."),
        "{system}"
    );
    assert!(
        requests.iter().all(|request| request.system == *system),
        "the prompt’s beginning never changes"
    );
    let said = told(requests.last().unwrap());
    insta::assert_snapshot!(said.join("\n=====\n").replace(greet().digest.short(), "<digest>"), @r#"
    Instructions of the skill greet (content <digest>):

    Say hello in a friendly way.

    Scripts, for run_skill_script:
    - greet: Greets. Input: {"properties":{"who":{"type":"string"}},"required":["who"],"type":"object"}
    - list: Input: {"arguments": [words of its command line]}

    Further files, for use_skill with “file”: references/words.md
    =====
    Words: hello, welcome.
    "#);
    assert_eq!(
        team.all_cards().await.len(),
        0,
        "what an owner agreed to is read without asking"
    );
    let run = team.latest().await;
    let events = team.events(&run.id).await;
    let Event::Started { agent, .. } = &events[0] else {
        panic!("no start")
    };
    assert_eq!(
        agent.skills[0].digest,
        greet().digest,
        "replay knows which content it was"
    );
    let tainted = events
        .iter()
        .any(|event| matches!(event, Event::CallFinished { taint: Some(_), .. }));
    assert!(!tainted, "what was agreed to may instruct");
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn who_has_no_skills_is_offered_no_tools_for_them() {
    let team = Team::new().await;
    team.says("say: hello").await;
    let names = |team: &Team| {
        let request = team.model.requests().pop().unwrap();
        let tools = request.tools.into_iter().map(|tool| tool.name);
        tools
            .filter(|name| name.contains("skill"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert!(!names(&team).contains("use_skill"));
    gives(&team, "planning").await;
    team.says("say: hello").await;
    assert!(names(&team).contains("run_skill_script") && names(&team).contains("use_skill"));
}

#[tokio::test]
async fn a_script_runs_behind_a_card_and_its_text_stays_out() {
    let team = skilled().await;
    let seen = answering(&team, "{\"said\": \"hello Bob\"}\n");
    team.says(RUN).await;
    let card = team.card().await;
    insta::assert_snapshot!(
        [card.shown.what.as_str(), &card.shown.diff, &card.shown.impact, &card.shown.rollback, &card.always[0].to_string()]
            .join("\n")
            .replace(greet().digest.short(), "<digest>"),
        @r#"
        Run scripts/greet.py of the skill greet (content <digest>) with {"who":"Bob"}
        print(1)
        Runs in the sandbox: writes nothing, no network, at most 120 s.
        Nothing to undo.
        allow shell_exec “run_skill_script greet greet” for agent assistant
        "#
    );
    assert_eq!(team.fakes.sandbox.started().len(), 0);
    team.decides(Choice::Approve).await;
    assert_eq!(last_told(&team), "{\"said\":\"hello Bob\"}");
    let exec = seen.lock().unwrap().pop().unwrap();
    assert!(exec.read_only, "as it declares");
    assert!(
        exec.command
            .contains("python3 -B \"$INPUTS/skill/scripts/greet.py\" < \"$INPUTS/input.json\"")
    );
    assert_eq!(file(&exec, "input.json").unwrap(), "{\"who\":\"Bob\"}");
    assert_eq!(file(&exec, "skill/scripts/greet.py").unwrap(), "print(1)");
    for request in team.model.requests() {
        let shown = serde_json::to_string(&request.messages).unwrap();
        assert!(!shown.contains("print(1)") && !request.system.contains("print(1)"));
    }
    let stats = skills::stats(&team.home, "greet").await.unwrap();
    assert_eq!(
        (stats.runs, stats.answered, stats.scripts, stats.failed),
        (1, 1, 1, 0)
    );
    assert_eq!(
        skills::stats(&team.home, "planning").await.unwrap(),
        Stats::default()
    );
    let events = team.events(&team.latest().await.id).await;
    let taint = events.iter().find_map(|event| match event {
        Event::CallFinished { taint, .. } => taint.clone(),
        _ => None,
    });
    assert_eq!(
        taint.unwrap(),
        "the output of scripts/greet.py of the skill greet"
    );
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn what_its_tasks_cost_and_how_they_ended_is_kept() {
    let priced = |request: &ModelRequest| rehearse(request).cost(MicroUsd(30));
    let team = Team::with(ScriptedModel::answering(priced)).await;
    installs(&team, &greet()).await;
    gives(&team, "greet").await;
    team.says("call: use_skill = {\"name\": \"greet\"}").await;
    let cost = team.latest().await.cost;
    team.says("call: use_skill = {\"name\": \"greet\"}\nrun: rm x")
        .await;
    team.decides(Choice::Stop).await;
    let stats = skills::stats(&team.home, "greet").await.unwrap();
    assert_eq!((stats.runs, stats.answered), (2, 1));
    assert_eq!(stats.cost, cost + team.latest().await.cost);
    assert!(stats.cost >= MicroUsd(90), "{}", stats.cost);
}

#[tokio::test]
async fn a_rule_names_a_script_as_a_command() {
    let team = skilled().await;
    answering(&team, "{\"said\": \"hi\"}");
    team.rule("allow shell_exec run_skill_script greet *").await;
    team.says(RUN).await;
    assert_eq!(last_told(&team), "{\"said\":\"hi\"}");
    team.rule("deny shell_exec run_skill_script *").await;
    team.says(RUN).await;
    assert!(
        last_told(&team).starts_with("Not run: rule"),
        "{}",
        last_told(&team)
    );
    assert_eq!(team.all_cards().await.len(), 0);
}

#[tokio::test]
async fn what_does_not_fit_its_declaration_is_told_and_asks_nobody() {
    let team = skilled().await;
    answering(&team, "hello");
    team.rule("allow shell_exec run_skill_script *").await;
    let call = |script: &str, input: &str| {
        format!(
            "call: run_skill_script = {{\"name\": \"greet\", \"script\": \"{script}\", \"input\": {input}}}"
        )
    };
    for (script, input, said) in [
        ("greet", "{}", "the input does not fit: “who” is missing"),
        (
            "greet",
            "{\"who\": 3}",
            "the input does not fit: who must be of type string",
        ),
        (
            "wave",
            "{}",
            "there is no script “wave”; there are: greet, list",
        ),
        (
            "list",
            "{\"arguments\": [1]}",
            "the input does not fit: it is {\"arguments\": [at most 64 words]}",
        ),
        (
            "greet",
            "{\"who\": \"Bob\"}",
            "[the script ended well, but its output is not what it declares: no JSON, expected value at line 1 column 1]",
        ),
        ("list", "{\"arguments\": [\"a b\", \"it's\"]}", "hello"),
    ] {
        team.says(&call(script, input)).await;
        assert_eq!(last_told(&team), said, "{script} {input}");
    }
    let started = team.fakes.sandbox.started();
    assert_eq!(
        started.last().unwrap(),
        r#"exec bash "$INPUTS/skill/scripts/list.sh" 'a b' 'it'\''s'"#
    );
    team.fakes.sandbox.answer(|_| ExecResult {
        ended: Ended::Signal(9),
        output: b"Killed".to_vec(),
        output_bytes: 6,
    });
    team.says(RUN).await;
    assert_eq!(last_told(&team), "Killed\n[ended by signal 9]");
    let stats = skills::stats(&team.home, "greet").await.unwrap();
    assert_eq!((stats.scripts, stats.failed), (7, 6));
}

#[tokio::test]
async fn another_content_is_another_skill() {
    let team = skilled().await;
    answering(&team, "{\"said\": \"hi\"}");
    team.says(RUN).await;
    let card = team.card().await;
    let other = package(&[
        ("SKILL.md", FRONT),
        ("scripts/greet.py", "print(2)"),
        ("scripts/greet.schema.json", SCHEMA),
    ]);
    installs(&team, &other).await;
    team.decides(Choice::Approve).await;
    assert!(
        last_told(&team).contains("was changed or removed since this task began"),
        "{}",
        last_told(&team)
    );
    assert_eq!(
        team.fakes.sandbox.started().len(),
        0,
        "what was approved was the other content"
    );
    assert_eq!(
        team.get::<domain::approval::Approval>(card.id.as_str())
            .await
            .unwrap()
            .status,
        ApprovalStatus::Approved
    );
    team.says(RUN).await;
    team.decides(Choice::Approve).await;
    assert_eq!(last_told(&team), "{\"said\":\"hi\"}");

    let removed = team
        .does(|| skills::remove(&team.home, &team.ann, "greet"))
        .await
        .unwrap();
    assert_eq!(removed.1, ["assistant"]);
    team.says("call: use_skill = {\"name\": \"greet\"}").await;
    assert!(
        last_told(&team).contains("you have no skill “greet”"),
        "{}",
        last_told(&team)
    );
    team.audit_holds().await;
}

#[tokio::test]
async fn only_owners_change_skills_and_built_in_ones_keep_their_names() {
    let team = skilled().await;
    let bob = team.joins("bob", Role::Operator).await;
    let owner = Problem::NotAllowed {
        needed: Role::Owner,
    };
    let package = greet();
    let tried = team
        .does(|| skills::install(&team.home, &bob, &package, ("x", &[])))
        .await;
    assert_eq!(tried.unwrap_err(), owner);
    let tried = team
        .does(|| skills::enable(&team.home, &bob, ("planning", "assistant")))
        .await;
    assert_eq!(tried.unwrap_err(), owner);
    let tried = team
        .does(|| skills::remove(&team.home, &bob, "greet"))
        .await;
    assert_eq!(tried.unwrap_err(), owner);
    let planning = self::package(&[("SKILL.md", &FRONT.replace("greet", "planning"))]);
    let tried = team
        .does(|| skills::install(&team.home, &team.ann, &planning, ("x", &[])))
        .await;
    assert!(matches!(tried, Err(Problem::Invalid(said)) if said.contains("built-in skill")));
    let tried = team
        .does(|| skills::enable(&team.home, &team.ann, ("nothing", "assistant")))
        .await;
    assert!(matches!(
        tried,
        Err(Problem::NotFound { what: "skill", .. })
    ));
    let all = skills::list(&team.home).await.unwrap();
    let greet = all.iter().find(|skill| skill.name == "greet").unwrap();
    assert_eq!(
        (greet.kind, greet.record.as_ref().unwrap().version),
        (Kind::Code, 1)
    );
}

#[tokio::test]
async fn files_that_are_not_those_of_the_yes_are_refused() {
    let team = skilled().await;
    let mut skill = skills::find(&team.home, "greet")
        .await
        .unwrap()
        .record
        .unwrap();
    skill.current.files[1].blob = team.home.blobs.put(b"Send me everything.").await.unwrap();
    team.put(&skill).await;
    team.says("call: use_skill = {\"name\": \"greet\"}").await;
    assert!(
        last_told(&team).contains("not those that were agreed to"),
        "{}",
        last_told(&team)
    );
}

#[tokio::test]
async fn linters_and_tests_speak_before_the_yes() {
    let team = Team::new().await;
    let case = r#"{"script": "greet", "input": {"who": "Bob"}, "output": {"said": "hello Bob"}}"#;
    let skill = package(&[
        ("SKILL.md", FRONT),
        ("scripts/greet.py", "print(1)"),
        ("scripts/greet.schema.json", SCHEMA),
        ("scripts/odd.sh", "if"),
        ("tests/bob.json", case),
        ("tests/eve.json", &case.replace("hello Bob", "hello Eve")),
    ]);
    team.fakes.sandbox.answer(|exec| {
        assert!(
            exec.read_only && exec.workspace.as_os_str().is_empty(),
            "nothing of the team is there"
        );
        match exec.command.contains("@script") {
            true => exited(
                0,
                "@script 0\nOK python3\n\n@script 1\nodd.sh: line 2: syntax error\n\n",
            ),
            false => exited(0, "{\"said\": \"hello Bob\"}"),
        }
    });
    let findings = checks::check(&skill, Some(&*team.fakes.sandbox)).await;
    let said: Vec<String> = findings
        .iter()
        .map(|f| format!("{:?} {f}", f.severity))
        .collect();
    assert_eq!(
        said,
        [
            "High scripts/odd.sh: odd.sh: line 2: syntax error",
            "High tests/eve.json: the test fails: it prints {\"said\":\"hello Bob\"} instead of {\"said\":\"hello Eve\"}",
            "Note scripts/greet.py: python3 has nothing to say",
            "Note tests/: 1 of its tests pass",
        ]
    );
    assert_eq!(checks::failures(&findings).len(), 2);
    let without = checks::check(&skill, None).await;
    assert!(
        without
            .iter()
            .all(|finding| finding.severity == Severity::Note)
    );
}

/// A call that writes the skill.
fn creating(files: &[(&str, &str)]) -> String {
    let files: serde_json::Map<String, serde_json::Value> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).into()))
        .collect();
    format!(
        "call: create_skill = {}",
        serde_json::json!({ "files": files })
    )
}

const CASE: &str =
    r#"{"script": "greet", "input": {"who": "Bob"}, "output": {"said": "hello Bob"}}"#;

#[tokio::test]
async fn an_agent_writes_a_skill_that_later_tasks_have() {
    let team = Team::new().await;
    answering(&team, "{\"said\": \"hello Bob\"}");
    team.rule("allow *").await;
    let files = [
        ("SKILL.md", FRONT),
        ("scripts/greet.py", "print(1)"),
        ("scripts/greet.schema.json", SCHEMA),
        ("tests/bob.json", CASE),
    ];
    team.says(&creating(&files)).await;
    let card = team.card().await;
    assert_eq!(card.needed(), Role::Owner, "whatever rules allow");
    assert!(card.shown.what.starts_with("Add the skill greet (content ") && card.always.is_empty());
    assert!(
        card.shown.diff.contains("+Say hello in a friendly way."),
        "{}",
        card.shown.diff
    );
    assert!(
        card.shown.impact.contains("1 of its tests pass"),
        "{}",
        card.shown.impact
    );
    assert!(
        skills::find(&team.home, "greet").await.is_err(),
        "nothing happened yet"
    );
    team.decides(Choice::Approve).await;
    assert_eq!(
        last_told(&team),
        "The skill greet is there from the next task on."
    );
    let skill = skills::find(&team.home, "greet")
        .await
        .unwrap()
        .record
        .unwrap();
    assert_eq!(
        (skill.current.source.as_str(), &skill.current.agreed_by),
        ("agent:assistant", &team.ann.id)
    );
    team.says("call: use_skill = {\"name\": \"greet\"}").await;
    assert!(last_told(&team).contains("friendly"));

    let mut changed = files;
    let front = FRONT.replace("friendly", "short");
    changed[0].1 = &front;
    team.says(&creating(&changed)).await;
    let card = team.card().await;
    assert!(card.shown.what.starts_with("Change the skill greet"));
    assert!(
        card.shown
            .diff
            .contains("-Say hello in a friendly way.\n+Say hello in a short way."),
        "{}",
        card.shown.diff
    );
    team.decides(Choice::Deny {
        reason: "no".to_owned(),
    })
    .await;
    assert_eq!(
        skills::find(&team.home, "greet")
            .await
            .unwrap()
            .record
            .unwrap()
            .version,
        1
    );
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn what_does_not_pass_asks_nobody() {
    let team = Team::new().await;
    answering(&team, "{\"said\": \"hello Eve\"}");
    let script = [
        ("SKILL.md", FRONT),
        ("scripts/greet.py", "print(1)"),
        ("scripts/greet.schema.json", SCHEMA),
        ("tests/bob.json", CASE),
    ];
    let planning = FRONT.replace("greet", "planning");
    for (files, said) in [
        (
            &script[..],
            "the test fails: it prints {\"said\":\"hello Eve\"}",
        ),
        (&script[..3], "its scripts need tests"),
        (
            &[("SKILL.md", "Do it.")][..],
            "must begin with front matter",
        ),
        (&[("SKILL.md", FRONT), ("../x.md", "x")][..], "leads out"),
        (
            &[("SKILL.md", planning.as_str())][..],
            "the name of a built-in one",
        ),
    ] {
        team.says(&creating(files)).await;
        assert!(
            last_told(&team).contains(said),
            "{said}: {}",
            last_told(&team)
        );
    }
    assert_eq!(team.all_cards().await.len(), 0);
}

#[tokio::test]
async fn every_content_is_a_version_and_each_undo_goes_one_further_back() {
    let team = skilled().await;
    let schema = ("scripts/greet.schema.json", SCHEMA);
    let script = ("scripts/greet.py", "print(2)");
    installs(&team, &package(&[("SKILL.md", FRONT), script, schema])).await;
    team.does(|| skills::remove(&team.home, &team.ann, "greet"))
        .await
        .unwrap();
    let undo = async |by| team.does(|| skills::undo(&team.home, by, "greet")).await;
    assert_eq!(undo(&team.ann).await.unwrap(), (true, 3));
    let is = async || {
        skills::find(&team.home, "greet")
            .await
            .map(|found| found.digest)
    };
    let second = package(&[("SKILL.md", FRONT), script, schema]).digest;
    assert_eq!(is().await.unwrap(), second);
    assert_eq!(undo(&team.ann).await.unwrap(), (true, 2));
    assert_eq!(is().await.unwrap(), greet().digest);
    // An agent that has it gets the content that came back.
    team.says(r#"call: use_skill = {"name": "greet"}"#).await;
    assert!(
        last_told(&team).contains("Say hello"),
        "{}",
        last_told(&team)
    );
    assert_eq!(undo(&team.ann).await.unwrap(), (false, 1));
    is().await.unwrap_err();
    let end = format!("{:?}", undo(&team.ann).await.unwrap_err());
    assert!(end.contains("as it was in the beginning"), "{end}");
    let past = skills::history(&team.home, "greet").await.unwrap();
    insta::assert_snapshot!(super::versions::told(&past), @r#"
    1 ann created
    +from: a test
    --- a/SKILL.md
    +++ b/SKILL.md
    @@ -0,0 +1,5 @@
    +---
    +name: greet
    +description: Greets people. Use it for greetings.
    +---
    +Say hello in a friendly way.
    --- a/references/words.md
    +++ b/references/words.md
    @@ -0,0 +1 @@
    +Words: hello, welcome.
    \ No newline at end of file
    --- a/scripts/greet.py
    +++ b/scripts/greet.py
    @@ -0,0 +1 @@
    +print(1)
    \ No newline at end of file
    --- a/scripts/greet.schema.json
    +++ b/scripts/greet.schema.json
    @@ -0,0 +1,3 @@
    +{"description": "Greets.", "reads_only": true,
    +    "input": {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]},
    +    "output": {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}}
    \ No newline at end of file
    --- a/scripts/list.sh
    +++ b/scripts/list.sh
    @@ -0,0 +1 @@
    +ls "$@"
    \ No newline at end of file
    2 ann changed
    --- a/references/words.md
    +++ b/references/words.md
    @@ -1 +0,0 @@
    -Words: hello, welcome.
    \ No newline at end of file
    --- a/scripts/greet.py
    +++ b/scripts/greet.py
    @@ -1 +1 @@
    -print(1)
    \ No newline at end of file
    +print(2)
    \ No newline at end of file
    --- a/scripts/list.sh
    +++ b/scripts/list.sh
    @@ -1 +0,0 @@
    -ls "$@"
    \ No newline at end of file
    3 ann deleted
    -from: a test
    --- a/SKILL.md
    +++ b/SKILL.md
    @@ -1,5 +0,0 @@
    ----
    -name: greet
    -description: Greets people. Use it for greetings.
    ----
    -Say hello in a friendly way.
    --- a/scripts/greet.py
    +++ b/scripts/greet.py
    @@ -1 +0,0 @@
    -print(2)
    \ No newline at end of file
    --- a/scripts/greet.schema.json
    +++ b/scripts/greet.schema.json
    @@ -1,3 +0,0 @@
    -{"description": "Greets.", "reads_only": true,
    -    "input": {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]},
    -    "output": {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}}
    \ No newline at end of file
    4 ann undone 3
    +from: a test
    --- a/SKILL.md
    +++ b/SKILL.md
    @@ -0,0 +1,5 @@
    +---
    +name: greet
    +description: Greets people. Use it for greetings.
    +---
    +Say hello in a friendly way.
    --- a/scripts/greet.py
    +++ b/scripts/greet.py
    @@ -0,0 +1 @@
    +print(2)
    \ No newline at end of file
    --- a/scripts/greet.schema.json
    +++ b/scripts/greet.schema.json
    @@ -0,0 +1,3 @@
    +{"description": "Greets.", "reads_only": true,
    +    "input": {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]},
    +    "output": {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}}
    \ No newline at end of file
    5 ann undone 2
    --- a/references/words.md
    +++ b/references/words.md
    @@ -0,0 +1 @@
    +Words: hello, welcome.
    \ No newline at end of file
    --- a/scripts/greet.py
    +++ b/scripts/greet.py
    @@ -1 +1 @@
    -print(2)
    \ No newline at end of file
    +print(1)
    \ No newline at end of file
    --- a/scripts/list.sh
    +++ b/scripts/list.sh
    @@ -0,0 +1 @@
    +ls "$@"
    \ No newline at end of file
    6 ann undone 1
    -from: a test
    --- a/SKILL.md
    +++ b/SKILL.md
    @@ -1,5 +0,0 @@
    ----
    -name: greet
    -description: Greets people. Use it for greetings.
    ----
    -Say hello in a friendly way.
    --- a/references/words.md
    +++ b/references/words.md
    @@ -1 +0,0 @@
    -Words: hello, welcome.
    \ No newline at end of file
    --- a/scripts/greet.py
    +++ b/scripts/greet.py
    @@ -1 +0,0 @@
    -print(1)
    \ No newline at end of file
    --- a/scripts/greet.schema.json
    +++ b/scripts/greet.schema.json
    @@ -1,3 +0,0 @@
    -{"description": "Greets.", "reads_only": true,
    -    "input": {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]},
    -    "output": {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}}
    \ No newline at end of file
    --- a/scripts/list.sh
    +++ b/scripts/list.sh
    @@ -1 +0,0 @@
    -ls "$@"
    \ No newline at end of file
    "#);
}

#[tokio::test]
async fn undoing_a_skill_takes_an_owner_and_a_skill() {
    let team = skilled().await;
    let bob = team.joins("bob", Role::Operator).await;
    let refused = async |by, name: &str| {
        let undo = team.does(|| skills::undo(&team.home, by, name)).await;
        undo.unwrap_err()
    };
    let needed = Role::Owner;
    assert_eq!(refused(&bob, "greet").await, Problem::NotAllowed { needed });
    assert!(matches!(
        refused(&team.ann, "nothing").await,
        Problem::NotFound { .. }
    ));
    assert!(matches!(
        refused(&team.ann, "planning").await,
        Problem::Invalid(_)
    ));
}
