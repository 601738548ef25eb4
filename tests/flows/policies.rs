//! Least privilege, shown: each action is taken away from its role, in place, in a deployment that works; then something is done that
//! needs it, until a function says that it was refused. `cargo xtask policies` runs it and prints what came of each.
//!
//! ministack (1.5.33) can't show all of it: it delivers messages and writes logs on the functions' behalf without asking for their
//! rights, so what only Lambda itself does with a role is named as not enforced.

use super::{Home, Team, cloud::Cloud};
use serde_json::{Value, json};
use std::time::Duration;
use tests::servers::telegram::{Conversation, DeliveryAttempt, Fault, PushStyle, User};

/// What Lambda does with a function's role, and the emulator without it.
const OF_THE_PLATFORM: [&str; 6] = [
    // Without it S3 does not say that an object is missing, but that nobody may know.
    "s3:ListBucket",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    // On its own queue. The tick's, on the dead letters, is its own deed.
    "sqs:GetQueueAttributes",
];
/// What this conversation does not bring about each time, and what it is kept for.
const RARE: [(&str, &str, &str); 2] = [
    (
        "Send",
        "dynamodb:ConditionCheckItem",
        "for cards that Telegram refuses",
    ),
    ("Send", "s3:GetObject", "for large files"),
];
const ROLES: [&str; 8] = [
    "Webhook",
    "Update",
    "Circulate",
    "Outage",
    "Ingest",
    "Send",
    "Run",
    "Tick",
];
/// Half seconds: longer than an action that is needed takes to be missed; a tick is due once a minute.
const LOOKS: usize = 240;
const LOOKS_AT_THE_TICK: usize = 180;

// Requests to AWS block a thread, and FakeTelegram answers functions meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes half an hour: `cargo xtask policies`"]
async fn every_action_is_needed() {
    let only = std::env::var("COUNTERSIGN_TEST_ROLE").ok();
    let mut unneeded = Vec::new();
    for role in ROLES {
        if only.as_deref().is_none_or(|only| only == role) {
            unneeded.extend(not_missed(role).await);
        }
    }
    assert!(unneeded.is_empty(), "not missed: {}", unneeded.join(", "));
}

/// Of one role, in a deployment of its own: what ministack shows of a log has an end.
async fn not_missed(role: &str) -> Vec<String> {
    // The shortest time that can be configured: the tick lets cards expire.
    let team = Team::in_home(Home::Cloud, &[("COUNTERSIGN_APPROVAL_S", "60")]).await;
    team.tg.push_style(PushStyle {
        copies: 2,
        ..PushStyle::default()
    });
    let bob = bob(&team).await;
    let mut unneeded = Vec::new();
    for action in Policy::of(&team, role).actions() {
        let rare = RARE.iter().find(|rare| rare.0 == role && rare.1 == action);
        let said = if !is_enforced(role, &action) {
            "not enforced by ministack"
        } else if is_missed(&team, &bob, role, &action).await {
            "needed"
        } else if let Some((.., why)) = rare {
            *why
        } else {
            unneeded.push(format!("{role} {action}"));
            "NOT MISSED"
        };
        println!("{role:<10} {action:<32} {said}");
    }
    unneeded
}

fn is_enforced(role: &str, action: &str) -> bool {
    !OF_THE_PLATFORM.contains(&action) || (role == "Tick" && action == "sqs:GetQueueAttributes")
}

/// Somebody who can't decide his own cards: they go to Ann.
async fn bob(team: &Team) -> Conversation {
    let code = super::code_of(&team.ask("/invite operator", "?start=").await);
    let bob = team.tg.private_chat(&User::new(1002, "Bob"));
    bob.send(&format!("/start {code}"));
    bob.wait_for_text("an operator").await;
    team.ask("/rules add ask file_write large.txt by owner", "owner")
        .await;
    bob
}

/// Takes the action away and does everything that could need it, until somebody was refused or it is clear that nobody will be.
async fn is_missed(team: &Team, bob: &Conversation, role: &str, action: &str) -> bool {
    let cloud = team.cloud.as_ref().unwrap();
    let function = format!("{role}Function");
    let policy = Policy::of(team, role);
    let before = (refusals(cloud, action), unacknowledged(team));
    policy.put(cloud, Some(action));
    // Secrets are read, and some of the store, when a process begins.
    cloud.end(&function);
    let most = match role {
        "Tick" => LOOKS_AT_THE_TICK,
        _ => LOOKS,
    };
    let mut missed = false;
    let mut looks = tokio::time::interval(Duration::from_millis(500));
    for look in 0..most {
        looks.tick().await;
        if look % 20 == 0 {
            make_old(cloud);
            cloud.invoke("TickFunction");
            do_everything((team, bob), role, look / 20);
        }
        // What is called by Telegram can't be called otherwise.
        let fails = role != "Webhook" && look % 10 == 0 && !cloud.invoke(&function);
        let now = (refusals(cloud, action), unacknowledged(team));
        missed = fails || now.0 > before.0 || (role == "Webhook" && now.1 > before.1);
        if missed {
            break;
        }
    }
    policy.put(cloud, None);
    let well = role == "Webhook" || (0..10).any(|_| cloud.invoke(&function));
    assert!(well, "{role} has all again");
    missed
}

/// Updates that Telegram could not deliver.
fn unacknowledged(team: &Team) -> usize {
    let deliveries = team.tg.deliveries();
    let failed = |delivery: &&DeliveryAttempt| delivery.status.is_none_or(|status| status >= 500);
    deliveries.iter().filter(failed).count()
}

/// Without waiting for what comes of it: without an action some of it never does.
fn do_everything((team, bob): (&Team, &Conversation), role: &str, round: usize) {
    // Each of these is six bytes of JSON: calls, files and updates of this size go to the bucket, the update twice.
    let large = "\u{1}".repeat(3900);
    let written = team.ann.send(&format!("write: large.txt: {large}"));
    team.ann.reply_to(written, &large);
    // A card that goes to Ann, with a file.
    bob.send(&format!("write: large.txt: {large}"));
    // None has been there before, and after some of them there is something to be merged.
    let chapter = format!(
        "Chapter {written}. {}",
        "What to do when a pump leaks. ".repeat(99)
    );
    let name = format!("chapter-{written}.md");
    team.ann.send_document(&name, chapter.as_bytes());
    // Some cards are refused, and of some the file arrives.
    if role == "Send" && round.is_multiple_of(2) {
        team.tg.inject_times("sendMessage", Fault::Blocked, 3);
    }
    team.ann.send("/approvals");
    // Of cards that wait, some are to expire, and some to hear of an outage.
    let leaves = ["Tick", "Outage"].contains(&role);
    for card in team.ann.messages() {
        if card.button("Deny").is_some() && !leaves {
            team.ann.tap(card.id, "Deny");
        }
    }
}

/// As after a day: Telegram was not heard for long, nothing was sealed, and there is something to be forgotten.
fn make_old(cloud: &Cloud) {
    let table = cloud.physical("Table");
    let settings = json!({
        "TableName": table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "1/r/settings/home"}},
    });
    let settings = cloud.call("dynamodb", "query", &settings);
    for setting in settings["Items"].as_array().unwrap() {
        let name = setting["sk"]["S"].as_str().unwrap();
        if name.starts_with("heard.") || name == "audit_sealed_at" {
            let old = json!({"name": name, "value": 1}).to_string();
            let change = json!({
                "TableName": table,
                "Key": {"pk": setting["pk"], "sk": setting["sk"]},
                "UpdateExpression": "SET doc = :doc",
                "ExpressionAttributeValues": {":doc": {"S": old}},
            });
            cloud.call("dynamodb", "update_item", &change);
        }
    }
    let update =
        json!({"id": "telegram.1:1", "surface": "telegram.1", "received_at": 1}).to_string();
    let text = |text: &str| json!({"S": text});
    for item in [
        json!({"pk": text("1/c/old"), "sk": text("commit"), "pk1": text("1/c/00"), "sk1": text("8000000000000001old")}),
        json!({"pk": text("1/r/updates/home"), "sk": text("telegram.1:1"), "version": {"N": "1"}, "doc": text(&update)}),
    ] {
        let put = json!({"TableName": table, "Item": item});
        cloud.call("dynamodb", "put_item", &put);
    }
}

/// How often a function was refused this. What the program says of its bucket does not name the action, but only one is taken away.
fn refusals(cloud: &Cloud, action: &str) -> usize {
    let log = cloud.log();
    let refused = |line: &&str| match action.starts_with("s3:") {
        true => line.contains("may not do that with the bucket"),
        false => line.contains("not authorized to perform") && line.contains(action),
    };
    log.lines().filter(refused).count()
}

/// A role's policy as the template made it.
struct Policy {
    role: String,
    name: String,
    document: Value,
}

impl Policy {
    fn of(team: &Team, role: &str) -> Self {
        let cloud = team.cloud.as_ref().unwrap();
        let found = cloud.physical(&format!("{role}Role"));
        let (name, asked) = (role.to_lowercase(), json!({"RoleName": found}));
        let policies = cloud.call("iam", "list_role_policies", &asked);
        assert_eq!(policies["PolicyNames"], json!([name]), "one policy each");
        let which = json!({"RoleName": found, "PolicyName": name});
        let answer = cloud.call("iam", "get_role_policy", &which);
        Self {
            role: found,
            name,
            document: answer["PolicyDocument"].clone(),
        }
    }

    fn actions(&self) -> Vec<String> {
        let statements = self.document["Statement"].as_array().unwrap();
        let actions = statements.iter().flat_map(|it| all(&it["Action"]));
        let mut actions: Vec<String> = actions.collect();
        actions.sort();
        actions.dedup();
        actions
    }

    /// The policy, without one action.
    fn put(&self, cloud: &Cloud, without: Option<&str>) {
        let mut document = self.document.clone();
        let statements = document["Statement"].as_array_mut().unwrap();
        for statement in statements.iter_mut() {
            let mut actions = all(&statement["Action"]);
            actions.retain(|action| Some(action.as_str()) != without);
            statement["Action"] = json!(actions);
        }
        statements.retain(|statement| statement["Action"] != json!([]));
        let put = json!({
            "RoleName": self.role,
            "PolicyName": self.name,
            "PolicyDocument": document.to_string(),
        });
        cloud.call("iam", "put_role_policy", &put);
    }
}

/// One, or several.
fn all(value: &Value) -> Vec<String> {
    match value {
        Value::Array(many) => many.iter().flat_map(all).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect(),
    }
}
