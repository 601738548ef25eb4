//! Who may what: every command and every button, by everybody there can be. One table; a command or a button without a line in
//! it fails the test.

use super::*;
use crate::command::COMMANDS;
use futures::TryStreamExt;
use ports::archive::{Archive as _, Item};
use std::collections::BTreeSet;

const VERA: i64 = 3;
/// An owner, of another team.
const ZOE: i64 = 8;
const CARD: &str = "0000000000000000000000000000aaaa";

/// What is written, and the least role that may. `$` is the card, a tap begins with `tap `.
const TABLE: &[(&str, Role)] = &[
    ("/start", Role::Viewer),
    ("/help", Role::Viewer),
    ("/new", Role::Operator),
    ("/sessions", Role::Viewer),
    ("/resume 2", Role::Operator),
    ("/memory", Role::Viewer),
    ("/memory agent add Tuesday is closed.", Role::Operator),
    ("/agents", Role::Viewer),
    ("/agents new scout Looks around.", Role::Owner),
    ("/agents set coder prompt Be quick.", Role::Owner),
    ("/agents pause coder", Role::Owner),
    ("/agents archive coder", Role::Owner),
    ("/agents rename coder ranger", Role::Owner),
    ("/agents duplicate coder twin", Role::Owner),
    ("/agents export coder", Role::Viewer),
    ("/agent history coder", Role::Viewer),
    ("/agent undo coder", Role::Owner),
    ("/agent new a careful reviewer", Role::Operator),
    ("/agent coder", Role::Operator),
    ("/agent coder build it", Role::Operator),
    ("/runs", Role::Viewer),
    ("/run run1", Role::Viewer),
    // In a group where Ann's run is at work: somebody else's.
    ("group /cancel", Role::Owner),
    ("/approvals", Role::Viewer),
    ("/approve $", Role::Operator),
    ("/deny $ because", Role::Operator),
    ("/modify $ {\"command\":\"make all\"}", Role::Operator),
    ("/search trains", Role::Viewer),
    ("/kb", Role::Viewer),
    ("/kb handbook", Role::Viewer),
    ("/kb create notes", Role::Operator),
    ("/kb create notes alone", Role::Operator),
    ("/kb rename handbook book", Role::Owner),
    ("/kb remove handbook", Role::Owner),
    ("/kb attach handbook coder", Role::Owner),
    ("/rules", Role::Viewer),
    ("/rules add allow shell_exec ls", Role::Owner),
    ("/rules remove 000000", Role::Owner),
    ("/rules undo $", Role::Owner),
    ("/skills", Role::Viewer),
    ("/skill show planning", Role::Viewer),
    ("/skill install greet", Role::Owner),
    ("/skill remove greet", Role::Owner),
    ("/skill enable planning coder", Role::Owner),
    ("/skill disable planning coder", Role::Owner),
    ("/mcp", Role::Viewer),
    ("/mcp add notes https://mcp.example.org/", Role::Owner),
    ("/audit", Role::Viewer),
    ("/cost", Role::Viewer),
    ("/budget", Role::Viewer),
    ("/budget team 5", Role::Owner),
    ("/settings", Role::Viewer),
    ("/settings zone Europe/Berlin", Role::Viewer),
    ("/settings escalate 2h", Role::Owner),
    ("/settings remove telegram:2", Role::Owner),
    ("/away 2d", Role::Viewer),
    ("/back", Role::Viewer),
    ("/invite operator", Role::Owner),
    ("please build it", Role::Operator),
    ("tap ok", Role::Operator),
    ("tap no", Role::Operator),
    ("tap always", Role::Operator),
    ("tap again", Role::Operator),
    ("tap happened", Role::Operator),
    ("tap stop", Role::Operator),
    ("tap modify", Role::Operator),
    ("tap redraft", Role::Operator),
    ("tap more", Role::Operator),
    ("tap details", Role::Viewer),
    ("tap undo", Role::Owner),
    ("tap resume", Role::Operator),
    ("tap skill", Role::Owner),
    ("tap noskill", Role::Owner),
    ("tap okall", Role::Operator),
    ("tap noall", Role::Operator),
];

/// Everybody, with their role here, if they have one.
const PEOPLE: [(i64, Option<Role>); 5] = [
    (EVE, None),
    (ZOE, None),
    (VERA, Some(Role::Viewer)),
    (BOB, Some(Role::Operator)),
    (ANN, Some(Role::Owner)),
];

/// A card waits, and Zoe owns another team on the same database.
async fn world() -> (World, Approval) {
    let mut world = World::new().await;
    world.say(ANN, "/agents new designer Makes agents.").await;
    world.say(ANN, "/agents set coder preset read-only").await;
    world.member(VERA, "Vera", Role::Viewer).await;
    let zoe = Member {
        id: format!("telegram:{ZOE}").as_str().into(),
        name: "Zoe".to_owned(),
        role: Role::Owner,
        zone: String::new(),
        home: String::new(),
        away: None,
        created_at: Micros(0),
    };
    let theirs = repo::create(&"away".into(), &zoe).unwrap();
    commit(&world.talk.home, vec![theirs]).await.unwrap();
    let approval = world.approval(vec![always()]).await;
    // A list of what waits, sent as message 9.
    let shown = [(approval.id.clone(), Some(approval.digest.clone()))];
    let list = handlers::batch::remember(&world.talk.home, &shown)
        .await
        .unwrap();
    let sent = SentMessage {
        id: format!("list:{list}@telegram:{ANN}"),
        surface: "telegram".to_owned(),
        message: "9".to_owned(),
        at: Micros(0),
    };
    let sent = repo::create(&world.talk.home.team, &sent).unwrap();
    commit(&world.talk.home, vec![sent]).await.unwrap();
    let work = json!({"text": "/agent coder build it"});
    world.message(ANN, GROUP, work).await;
    world.say(ANN, "/kb create handbook").await;
    (world, approval)
}

/// Everything but what every update leaves: that it came, and what is said.
async fn state(world: &World) -> Vec<Item> {
    let items: Vec<Item> = world
        .fakes
        .store
        .export()
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let passing = |item: &Item| match item {
        Item::Record { table, .. } => table == "updates",
        Item::Job(job) => job.name == "send" || job.name == "update",
        _ => false,
    };
    items.into_iter().filter(|item| !passing(item)).collect()
}

async fn act(world: &mut World, who: i64, line: &str, approval: &Approval) -> String {
    let line = line.replace('$', CARD);
    if let Some(verb @ ("okall" | "noall")) = line.strip_prefix("tap ") {
        let message = json!({"message_id": 9, "date": 1, "chat": {"id": ANN, "type": "private"}});
        return world.update(json!({"callback_query": {"id": "tap", "from": person(who), "message": message, "data": verb}})).await;
    }
    if let Some(verb) = line.strip_prefix("tap ") {
        return world.tap(who, &button(verb, approval)).await;
    }
    match line.strip_prefix("group ") {
        Some(line) => world.message(who, GROUP, json!({ "text": line })).await,
        None => world.say(who, &line).await,
    }
}

fn refuses(said: &str) -> bool {
    said.contains("That takes ") || said.contains("can decide this")
}

#[tokio::test]
async fn everybody_may_what_their_role_lets_them_and_nothing_else() {
    let mut wrong = Vec::new();
    for (line, needed) in TABLE {
        for (who, role) in PEOPLE {
            let (mut world, approval) = world().await;
            let before = state(&world).await;
            let said = act(&mut world, who, line, &approval).await;
            let changed = state(&world).await != before;
            let right = match role {
                None => {
                    !changed
                        && [en::STRANGER, &format!("(toast) {}", en::STRANGERS_TAP)]
                            .contains(&&*said)
                }
                Some(role) if role < *needed => !changed && refuses(&said),
                Some(_) => !refuses(&said) && !said.is_empty() || changed,
            };
            if !right {
                wrong.push(format!(
                    "{who} as {role:?}: {line}: changed {changed}, said “{said}”"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_and_every_button_has_its_line() {
    let first = |line: &&str| {
        line.split(' ')
            .next()
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned()
    };
    let lines = || {
        TABLE
            .iter()
            .map(|(line, _)| line.trim_start_matches("group "))
    };
    let commands: BTreeSet<String> = lines()
        .filter(|line| line.starts_with('/'))
        .map(|line| first(&line))
        .collect();
    assert_eq!(
        commands,
        COMMANDS
            .iter()
            .map(|command| command.name().to_owned())
            .collect()
    );
    let taps: BTreeSet<&str> = lines()
        .filter_map(|line| line.strip_prefix("tap "))
        .collect();
    let code = include_str!("../card.rs");
    let verbs = code
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" => "))
        .map(|(verb, _)| verb);
    assert_eq!(taps, verbs.collect());
}

/// Data that nobody's card has, of another version of this one, and of one that was decided: all are answered, none decides.
#[tokio::test]
async fn no_made_up_foreign_or_old_button_decides() {
    let (mut world, approval) = world().await;
    let (id, digest) = (approval.id.as_str(), approval.digest.short());
    let made_up = [
        String::new(),
        ":".to_owned(),
        "ok".to_owned(),
        format!("ok:{id}"),
        format!("ok:{id}:"),
        format!("ok:{id}:00000000"),
        format!("ok:{id}:{}", digest.to_uppercase() + "x"),
        format!("ok:{id}:{}", &digest[..1]),
        format!("OK:{id}:{digest}"),
        format!("ok:ffffffffffffffffffffffffffffffff:{digest}"),
        format!("ok:{}:{digest}", &id[..6]),
        format!("ok:{id}/../x:{digest}"),
        format!("approve:{id}:{digest}"),
        "\u{0}\u{feff}".to_owned(),
        "x".repeat(4096),
    ];
    let before = state(&world).await;
    for data in made_up {
        let said = world.tap(ANN, &data).await;
        assert!(said.starts_with("(toast) "), "{data}: {said}");
        assert_eq!(state(&world).await, before, "{data}");
    }
    // The card that the person saw was about something else.
    let older = Approval {
        digest: Digest::of_bytes("make clean"),
        ..approval.clone()
    };
    let said = world.tap(ANN, &button("ok", &older)).await;
    assert!(said.starts_with("(toast) "), "{said}");
    assert_eq!(state(&world).await, before);
    // Decided once; the same button, and every other one of the card, comes too late.
    world.tap(BOB, &button("no", &approval)).await;
    let decided = state(&world).await;
    for verb in [
        "no", "ok", "always", "modify", "again", "happened", "stop", "undo",
    ] {
        for who in [ANN, BOB] {
            let said = world.tap(who, &button(verb, &approval)).await;
            assert!(said.starts_with("(toast) "), "{verb}: {said}");
            assert_eq!(state(&world).await, decided, "{verb}");
        }
    }
    assert_eq!(
        world.stored(&approval.id).await.status,
        ApprovalStatus::Denied
    );
}

#[tokio::test]
async fn an_update_that_comes_twice_is_handled_once() {
    let (world, approval) = world().await;
    let message = json!({"message_id": 7, "date": 1, "chat": {"id": ANN, "type": "private"}});
    let raw = json!({"update_id": 77, "callback_query": {"id": "t", "from": person(BOB), "message": message, "data": button("ok", &approval)}});
    let incoming = handlers::receive::Incoming {
        surface: "telegram.42".to_owned(),
        update: "77".to_owned(),
        session: format!("telegram:{ANN}").as_str().into(),
        raw: raw.to_string(),
    };
    let twice = [incoming.clone(), incoming.clone()];
    let home = world.talk.home.clone();
    assert_eq!(receive::receive(&home, &twice).await.unwrap(), 1);
    let job = world.claim(lane::FRONT_TELEGRAM).await.pop().unwrap();
    let received: Received = serde_json::from_str(&job.payload).unwrap();
    handle(&world.talk, &lease(job), &received).await.unwrap();
    let (said, decided) = (world.said().await, state(&world).await);
    assert!(said.contains("(toast) "), "{said}");
    assert_eq!(receive::receive(&home, &[incoming]).await.unwrap(), 0);
    assert!(world.claim(lane::FRONT_TELEGRAM).await.is_empty());
    assert_eq!(
        (world.said().await.as_str(), state(&world).await),
        ("", decided)
    );
}
