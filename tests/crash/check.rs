//! What must be true when a world has come to rest, looked at from the outside.

use super::{
    knowledge,
    person::{MARK, Person, is_answer},
    plan::{Choice, SECRET, Step, edited, is_call, modified},
    world::{KEY, World},
};
use crate::flows::Program;
use std::path::Path;

/// Each line a promise that was broken.
pub async fn check(world: &mut World) -> Vec<String> {
    let mut problems = Vec::new();
    let people = std::mem::take(&mut world.people);
    for person in &people {
        answers(world, person, &mut problems);
        effects(world, person, &mut problems);
        files(world, person, &mut problems);
        commands(person, &mut problems);
    }
    knowledge::check(world, &people, &mut problems).await;
    let left = rows(&world.program, LEFT);
    problems.extend(
        left.into_iter()
            .map(|job| format!("a job is left over: {job}")),
    );
    let given_up = rows(&world.program, GIVEN_UP).len();
    world.count("runs given up, and told so", given_up);
    let open = rows(&world.program, OPEN_RUNS);
    problems.extend(
        open.into_iter()
            .map(|run| format!("a run neither ended nor waits: {run}")),
    );
    let (status, out, err) = world.program.run(&["audit", "verify"]).await;
    if status != 0 {
        problems.push(format!("the audit does not verify: {out}{err}"));
    }
    world.program.kill().await;
    if world.printed.contains("panicked") || world.program.printed().contains("panicked") {
        problems.push(format!("something panicked:\n{}", world.printed));
    }
    secrets(world, &mut problems);
    world.people = people;
    problems
}

fn answers(world: &mut World, person: &Person, problems: &mut Vec<String>) {
    for (at, task) in person.tasks.iter().enumerate() {
        let messages = person.chat.messages();
        let answer = task.answer();
        let found: Vec<bool> = messages
            .iter()
            .filter(|message| is_answer(message, &answer))
            .map(|message| message.text.contains(MARK))
            .collect();
        let unmarked = found.iter().filter(|marked| !**marked).count();
        world.count("answers", found.len().min(1));
        world.count("answers sent again, and marked", found.len() - unmarked);
        if unmarked > 1 {
            problems.push(format!("{answer:?} came {unmarked} times without a mark"));
        }
        if found.is_empty() && !person.has_ended(at) {
            problems.push(format!("{answer:?} is missing"));
        }
    }
}

fn effects(world: &mut World, person: &Person, problems: &mut Vec<String>) {
    for task in &person.tasks {
        let answered = person
            .chat
            .messages()
            .iter()
            .any(|message| is_answer(message, &task.answer()));
        for effect in task.effects() {
            let choice = Choice::of(world.seed, effect);
            let modified = modified(effect);
            let effect = if choice == Choice::Modify {
                if person.executed(effect) > 0 {
                    problems.push(format!("{effect} was executed, another was approved"));
                }
                modified.as_str()
            } else {
                effect
            };
            let executed = person.executed(effect);
            let again = person.run_again.get(effect).map_or(0, |cards| cards.len());
            let yes = choice.is_yes();
            let most = if yes { 1 + again } else { 0 };
            if executed > most {
                problems.push(format!(
                    "{effect} was executed {executed} times, {most} were approved"
                ));
            }
            if yes && answered && executed == 0 {
                problems.push(format!("{effect} was approved, and never executed"));
            }
            if choice == Choice::Modify {
                world.count("effects that a person modified", executed);
            }
            let kind = match is_call(effect) {
                true => "effects of a tool server",
                false => "effects",
            };
            world.count(kind, executed);
            world.count("effects run again because a person said so", again);
        }
    }
}

fn files(world: &mut World, person: &Person, problems: &mut Vec<String>) {
    for task in &person.tasks {
        let messages = person.chat.messages();
        let answered = messages.iter().any(|m| is_answer(m, &task.answer()));
        for step in &task.steps {
            if let Step::Edit(file) = step
                && answered
            {
                let found = person.file(file);
                if found != Some(edited(file)) {
                    problems.push(format!("{file} was to be edited, but holds {found:?}"));
                }
                world.count("files edited", 1);
            }
        }
    }
}

fn commands(person: &Person, problems: &mut Vec<String>) {
    for (sent, expected) in &person.commands {
        let messages = person.chat.messages();
        let answered = messages.iter().any(|message| {
            message.is_bots() && message.id > *sent && message.text.contains(expected)
        });
        if !answered {
            problems.push(format!("the command in message {sent} was never answered"));
        }
    }
}

fn secrets(world: &mut World, problems: &mut Vec<String>) {
    let token = world.tg.token().split(':').nth(1).unwrap_or_default();
    let audit =
        std::fs::read_to_string(world.program.home().join("data/audit.key")).unwrap_or_default();
    let hooks = world.tg.requests();
    let hook = hooks
        .iter()
        .rfind(|request| request.method == "setWebhook")
        .and_then(|request| request.params["secret_token"].as_str());
    let secrets: Vec<&str> = [
        Some(KEY),
        Some(SECRET),
        Some(token),
        Some(audit.trim()),
        hook,
    ]
    .into_iter()
    .flatten()
    .filter(|secret| !secret.is_empty())
    .collect();
    let holds = |bytes: &[u8]| {
        secrets.iter().any(|secret| {
            bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        })
    };
    let mut files = Vec::new();
    below(&world.program.home().join("data"), &mut files);
    for file in files {
        // The key itself is kept there, readable for its owner only.
        let own = ["audit.key"].iter().any(|name| file.ends_with(name));
        if !own && std::fs::read(&file).is_ok_and(|bytes| holds(&bytes)) {
            problems.push(format!("a secret is in {}", file.display()));
        }
    }
    if holds(world.printed.as_bytes()) {
        problems.push("a secret was printed".to_owned());
    }
    for request in &hooks {
        // Telegram is told the webhook's secret when it is set.
        if request.method != "setWebhook" && holds(request.params.to_string().as_bytes()) {
            problems.push(format!("a secret was sent with {}", request.method));
        }
    }
    let prompts = world.model.requests();
    if prompts.iter().any(|request| holds(&request.body)) {
        problems.push("a secret is in a prompt".to_owned());
    }
    let redacted = prompts
        .iter()
        .filter(|request| String::from_utf8_lossy(&request.body).contains(REDACTED))
        .count();
    world.count("prompts with a redacted secret", redacted);
}

fn below(directory: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => below(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}

/// What stands in the secret's place.
const REDACTED: &str = "[secret:PASTED]";
/// Everything but the tick, and the steps of runs that were killed so often that they were given up: these people were told.
const LEFT: &str = "SELECT name || ' ' || coalesce(serial, '') || ' ' || coalesce(last_error, '') FROM task_queue
    WHERE name <> 'tick' AND NOT (name = 'run' AND set_aside AND last_error = 'its worker died every time')";
const GIVEN_UP: &str = "SELECT id FROM task_queue WHERE set_aside";
const OPEN_RUNS: &str =
    "SELECT id || ' ' || status FROM runs WHERE status IN ('running', 'waiting')";

/// Whether nothing is left to do.
pub fn is_quiet(program: &Program) -> bool {
    rows(program, LEFT).is_empty()
}

/// Whether the process neither works nor could before its clock, which shows `now` (microseconds since 1970), goes on, unless
/// somebody says something. What was leased by another that is dead waits for that, too.
pub fn is_at_rest(program: &Program, now: i64) -> bool {
    let own = program.pid().unwrap_or_default();
    let busy = format!(
        "SELECT count(*) FROM task_queue WHERE lease_until IS NOT NULL AND (worker LIKE '{own}@%' OR lease_until <= {now})
        OR lease_until IS NULL AND due <= {now} AND NOT blocked AND NOT set_aside"
    );
    program.sql().number(&busy) == 0
}

/// The queue as text.
pub fn jobs(program: &Program) -> String {
    let all = "SELECT name || ' ' || coalesce(serial, '') || ' due ' || due || ' until ' || coalesce(lease_until, 0) || ' attempts ' || attempts || ' aside ' || set_aside || ' ' || coalesce(last_error, '') || ' ' || substr(payload, 1, 200) FROM task_queue";
    rows(program, all).join("\n")
}

fn rows(program: &Program, sql: &str) -> Vec<String> {
    program.sql().texts(sql)
}
