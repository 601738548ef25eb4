//! Least privilege, shown: each action is taken away from its role, in place, in a deployment that works; then something is done that
//! needs it, until a function says that it was refused. `cargo xtask policies` runs it and prints what came of each.
//!
//! ministack (1.5.33) can't show all of it: it delivers messages and writes logs on the functions' behalf without asking for their
//! rights, so what only Lambda itself does with a role is named as not enforced.

use super::{Home, Team, cloud::Cloud};
use serde_json::{Value, json};
use std::time::Duration;
use tests::servers::telegram::{Conversation, DeliveryAttempt, PushStyle, User};

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
/// No function: the process beside them, whose user has the template's policy for workers.
const WORKER: &str = "Worker";
const WORKER_USER: &str = "countersign-worker";
const ROLES: [&str; 9] = [
    "Webhook",
    "Update",
    "Circulate",
    "Outage",
    "Ingest",
    "Send",
    "Run",
    "Tick",
    WORKER,
];
/// Half seconds: longer than an action that is needed takes to be missed; a tick is due once a minute.
const LOOKS: usize = 240;
const LOOKS_AT_THE_TICK: usize = 180;

// Requests to AWS block a thread, and FakeTelegram answers functions meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quarter of an hour: `cargo xtask policies`"]
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

/// Who writes, besides Ann.
struct People {
    /// Can't decide his own cards: they go to Ann.
    bob: Conversation,
    /// Decides her own, and blocks the bot before they come.
    eve: Conversation,
}

impl People {
    async fn of(team: &Team) -> Self {
        let bob = invited(team, 1002, "Bob").await;
        team.ask("/rules add ask file_write large.txt by owner", "owner")
            .await;
        let eve = invited(team, 1003, "Eve").await;
        Self { bob, eve }
    }
}

async fn invited(team: &Team, id: i64, name: &str) -> Conversation {
    let code = super::code_of(&team.ask("/invite operator", "?start=").await);
    let chat = team.tg.private_chat(&User::new(id, name));
    chat.send(&format!("/start {code}"));
    chat.wait_for_text("an operator").await;
    chat
}

/// Of one role, in a deployment of its own: what ministack shows of a log has an end.
async fn not_missed(role: &str) -> Vec<String> {
    // The shortest time that can be configured: the tick lets cards expire.
    let mut team = Team::in_home(Home::Cloud, &[("COUNTERSIGN_APPROVAL_S", "60")]).await;
    team.tg.push_style(PushStyle {
        copies: 2,
        ..PushStyle::default()
    });
    let people = People::of(&team).await;
    let mut unneeded = Vec::new();
    for action in Policy::of(&team, role).actions() {
        let said = if !is_enforced(role, &action) {
            "not enforced by ministack"
        } else if is_missed(&mut team, &people, role, &action).await {
            "needed"
        } else {
            unneeded.push(format!("{role} {action}"));
            "NOT MISSED"
        };
        println!("{role:<10} {action:<32} {said}");
    }
    unneeded
}

fn is_enforced(role: &str, action: &str) -> bool {
    match (role, action) {
        ("Tick", "sqs:GetQueueAttributes") => true,
        (WORKER, action) => action != "s3:ListBucket",
        (_, action) => !OF_THE_PLATFORM.contains(&action),
    }
}

/// Takes the action away and does everything that could need it, until somebody was refused or it is clear that nobody will be.
async fn is_missed(team: &mut Team, people: &People, role: &str, action: &str) -> bool {
    let policy = Policy::of(team, role);
    if role == "Webhook" && action == "s3:GetObject" {
        // What was written for an update that was then not stored is met again when Telegram repeats it.
        policy.put(cloud(team), Some("dynamodb:PutItem"));
        let before = unacknowledged(team);
        do_everything((team, people), role, 0);
        while unacknowledged(team) < before + 3 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    policy.put(cloud(team), Some(action));
    // What is removed goes from the bucket an hour later.
    let (place, later) = (tempfile::tempdir().unwrap(), action == "s3:DeleteObject");
    if later {
        team.ann.send_document("chapter.md", b"Nothing leaks.");
        let card = team.ann.wait_for_message(|card| {
            card.text.contains("chapter\n") && card.button("Remove").is_some()
        });
        card.await;
        let file = place.path().join("clock");
        cloud(team).set_clock(&format!("{role}Function"), &file, 4000);
    }
    // Secrets are read, and some of the store, when a process begins.
    begin_anew(team, role).await;
    let before = (refusals(team, role, action), unacknowledged(team));
    let most = match role {
        "Tick" => LOOKS_AT_THE_TICK,
        _ => LOOKS,
    };
    let mut missed = false;
    let mut looks = tokio::time::interval(Duration::from_millis(500));
    for look in 0..most {
        looks.tick().await;
        if look % 20 == 0 {
            make_old(cloud(team));
            cloud(team).invoke("TickFunction");
            do_everything((team, people), role, look / 20);
        }
        // By its clock, the time of an invocation is over after one job.
        let pause = if later { 1 } else { 10 };
        let fails = look % pause == 0 && !works(team, role);
        let now = (refusals(team, role, action), unacknowledged(team));
        missed = fails || now.0 > before.0 || (role == "Webhook" && now.1 > before.1);
        if missed {
            break;
        }
    }
    policy.put(cloud(team), None);
    if role == WORKER {
        begin_anew(team, role).await;
        team.program.wait_for("ready").await;
    }
    assert!((0..10).any(|_| works(team, role)), "{role} has all again");
    missed
}

fn cloud(team: &Team) -> &Cloud {
    team.cloud.as_ref().unwrap()
}

async fn begin_anew(team: &mut Team, role: &str) {
    if role == WORKER {
        team.program.kill().await;
        team.program.spawn();
    } else {
        cloud(team).end(&format!("{role}Function"));
    }
}

/// What is called by Telegram can't be called otherwise, and a worker is called by nobody.
fn works(team: &Team, role: &str) -> bool {
    ["Webhook", WORKER].contains(&role) || cloud(team).invoke(&format!("{role}Function"))
}

/// Updates that Telegram could not deliver.
fn unacknowledged(team: &Team) -> usize {
    let deliveries = team.tg.deliveries();
    let failed = |delivery: &&DeliveryAttempt| delivery.status.is_none_or(|status| status >= 500);
    deliveries.iter().filter(failed).count()
}

/// Without waiting for what comes of it: without an action some of it never does.
fn do_everything((team, people): (&Team, &People), role: &str, round: usize) {
    // Calls, answers and files of this size go to the bucket: 12 KB. With each of its characters six bytes of JSON, an update does that
    // has it twice.
    let (large, larger) = ("\u{6f22}".repeat(3900), "\u{1}".repeat(3900));
    let written = team.ann.send(&format!("write: large.txt: {round} {large}"));
    team.ann.reply_to(written, &larger);
    // A card that goes to Ann, with a file.
    people.bob.send(&format!("write: large.txt: {large}"));
    // A card that can't be shown to anybody.
    people.eve.unblock_bot();
    people.eve.send(&format!("run: make {written}"));
    people.eve.block_bot();
    // None has been there before, and after some of them there is something to be merged.
    let chapter = format!(
        "Chapter {written}. {}",
        "What to do when a pump leaks. ".repeat(99)
    );
    let name = format!("chapter-{written}.md");
    team.ann.send_document(&name, chapter.as_bytes());
    team.ann.send("/approvals");
    // Of cards that wait, some are to expire, and some to hear of an outage.
    let (label, which) = match role {
        "Tick" | "Outage" => return,
        "Ingest" => ("Remove", round..=round),
        WORKER => ("Approve", 0..=usize::MAX),
        _ => ("Deny", 0..=usize::MAX),
    };
    let cards = team.ann.messages();
    let open = cards.iter().filter(|card| card.button(label).is_some());
    for (_, card) in open.enumerate().filter(|(at, _)| which.contains(at)) {
        team.ann.tap(card.id, label);
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

/// How often the role was refused this. What the program says of its bucket does not name the action, but only one is taken away.
fn refusals(team: &Team, role: &str, action: &str) -> usize {
    let log = match role {
        WORKER => team.program.printed(),
        _ => cloud(team).log(),
    };
    let refused = |line: &&str| match action.starts_with("s3:") {
        true => line.contains("may not do that with the bucket"),
        false => {
            let says = |words: &&str| line.contains(words);
            line.contains(action) && ["not authorized to perform", "may not"].iter().any(says)
        }
    };
    log.lines().filter(refused).count()
}

/// A policy as the template made it, and whose it is.
struct Policy {
    of: &'static str,
    holder: Value,
    document: Value,
}

impl Policy {
    fn of(team: &Team, role: &str) -> Self {
        let cloud = cloud(team);
        let (of, mut holder) = match role {
            WORKER => {
                own_policy(cloud);
                ("user", json!({"UserName": WORKER_USER}))
            }
            _ => {
                let role = cloud.physical(&format!("{role}Role"));
                ("role", json!({"RoleName": role}))
            }
        };
        let name = role.to_lowercase();
        let policies = cloud.call("iam", &format!("list_{of}_policies"), &holder);
        assert_eq!(policies["PolicyNames"], json!([name]), "one policy each");
        holder["PolicyName"] = json!(name);
        let answer = cloud.call("iam", &format!("get_{of}_policy"), &holder);
        let document = answer["PolicyDocument"].clone();
        Self {
            of,
            holder,
            document,
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
        let mut put = self.holder.clone();
        put["PolicyDocument"] = json!(document.to_string());
        cloud.call("iam", &format!("put_{}_policy", self.of), &put);
    }
}

/// Makes the worker's policy its own, where it can be changed in place: a managed one has versions, and few of them.
fn own_policy(cloud: &Cloud) {
    let arn = cloud.physical("WorkerPolicy");
    let user = json!({"UserName": WORKER_USER});
    let attached = cloud.call("iam", "list_attached_user_policies", &user);
    if attached["AttachedPolicies"] == json!([]) {
        return;
    }
    let policy = cloud.call("iam", "get_policy", &json!({"PolicyArn": arn}));
    let version = &policy["Policy"]["DefaultVersionId"];
    let which = json!({"PolicyArn": arn, "VersionId": version});
    let version = cloud.call("iam", "get_policy_version", &which);
    let document = match &version["PolicyVersion"]["Document"] {
        Value::String(text) => text.clone(),
        document => document.to_string(),
    };
    let own = json!({"UserName": WORKER_USER, "PolicyName": WORKER.to_lowercase(), "PolicyDocument": document});
    cloud.call("iam", "put_user_policy", &own);
    let gone = json!({"UserName": WORKER_USER, "PolicyArn": arn});
    cloud.call("iam", "detach_user_policy", &gone);
}

/// One, or several.
fn all(value: &Value) -> Vec<String> {
    match value {
        Value::Array(many) => many.iter().flat_map(all).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect(),
    }
}
