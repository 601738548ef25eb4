//! Least privilege, shown: each action is taken away from its role, in place, in a deployment that works; then something is done that
//! needs it, until a function says that it was refused. `cargo xtask policies` runs it and prints what came of each.
//!
//! ministack (1.5.33) can't show all of it: it delivers messages and writes logs on the functions' behalf without asking for their
//! rights, so what only Lambda itself does with a role is named as not enforced.

use super::{Home, Team, cloud::Cloud};
use serde_json::{Value, json};
use std::time::Duration;
use tests::servers::telegram::{Conversation, DeliveryAttempt, User};

/// What Lambda does with a function's role, and the emulator without it.
const OF_THE_PLATFORM: [&str; 5] = [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    // On its own queue. The tick's, on the dead letters, is its own deed.
    "sqs:GetQueueAttributes",
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
/// Longer than an action that is needed takes to be missed.
const LOOKS: usize = 60;

#[tokio::test]
#[ignore = "takes half an hour: `cargo xtask policies`"]
async fn every_action_is_needed() {
    let team = Team::in_home(Home::Cloud, &[]).await;
    let bob = bob(&team).await;
    let only = std::env::var("COUNTERSIGN_TEST_ROLE").ok();
    let mut unneeded = Vec::new();
    for role in ROLES {
        if only.as_deref().is_some_and(|only| only != role) {
            continue;
        }
        for action in Policy::of(&team, role).actions() {
            let said = match is_enforced(role, &action) {
                false => "not enforced by ministack",
                true if is_missed(&team, &bob, role, &action).await => "needed",
                true => {
                    unneeded.push(format!("{role} {action}"));
                    "NOT MISSED"
                }
            };
            println!("{role:<10} {action:<32} {said}");
        }
    }
    assert!(unneeded.is_empty(), "not missed: {}", unneeded.join(", "));
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
    team.ask("/rules add ask shell_exec touch * by owner", "owner")
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
    do_everything(team, bob);
    let mut missed = false;
    let mut looks = tokio::time::interval(Duration::from_millis(500));
    for look in 0..LOOKS {
        looks.tick().await;
        // What is called by Telegram can't be called otherwise.
        let fails = role != "Webhook" && look % 10 == 0 && !cloud.invoke(&function);
        let now = (refusals(cloud, action), unacknowledged(team));
        missed = fails || now.0 > before.0 || (role == "Webhook" && now.1 > before.1);
        if missed {
            break;
        }
        if look % 20 == 0 {
            cloud.invoke("TickFunction");
        }
    }
    policy.put(cloud, None);
    assert!(
        role == "Webhook" || cloud.invoke(&function),
        "{role} has all again"
    );
    missed
}

/// Updates that Telegram could not deliver.
fn unacknowledged(team: &Team) -> usize {
    let deliveries = team.tg.deliveries();
    let failed = |delivery: &&DeliveryAttempt| delivery.status.is_none_or(|status| status >= 500);
    deliveries.iter().filter(failed).count()
}

/// Without waiting for what comes of it: without an action some of it never does.
fn do_everything(team: &Team, bob: &Conversation) {
    let long: Vec<String> = (0..200).map(|n| format!("line number {n}")).collect();
    team.ann
        .send(&format!("write: long.txt: {}", long.join("\\n")));
    bob.send("run: touch effects");
    team.ann.send("/approvals");
    for card in team.ann.messages() {
        if card.button("Deny").is_some() {
            team.ann.tap(card.id, "Deny");
        }
    }
}

/// How often a function was refused this.
fn refusals(cloud: &Cloud, action: &str) -> usize {
    let log = cloud.log();
    let refused = |line: &&str| line.contains("not authorized to perform") && line.contains(action);
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
