//! Days on which DynamoDB, the credentials, the clocks or the data are not well: nothing is lost, whoever is to do something is told what,
//! and work goes on by itself.

use super::{
    MINUTE,
    cloud::{Cloud, messages_in},
    gate::{Day, Gate},
    runtime::Lambda,
};
use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tests::servers::telegram::{Conversation, FakeTelegram, Options, User};
use tokio::{net::TcpListener, process::Child};

const FUNCTION: &str = env!("CARGO_BIN_EXE_function");
/// Roles whose functions are woken by a queue, and its lane.
const WOKEN: [(&str, &str); 4] = [
    ("update", "front:telegram"),
    ("run", "run"),
    ("send", "send"),
    ("circulate", "circulate"),
];

/// A team of functions and a worker, with its owner paired, on an AWS that may have a bad day.
pub struct World {
    pub cloud: Cloud,
    pub gate: Gate,
    pub ann: Conversation,
    pub run: Lambda,
    pub tick: Lambda,
    _others: Vec<Lambda>,
    _worker: Child,
    pub tg: FakeTelegram,
}

impl World {
    async fn start() -> Self {
        Self::with(|_| Vec::new()).await
    }

    /// With these variables for each process, by its role.
    pub async fn with(more: impl Fn(&str) -> Vec<(String, String)>) -> Self {
        // Where most requests are refused, each step of a conversation takes its time.
        let tg = FakeTelegram::start_with(Options {
            patience: MINUTE * 2,
            ..Options::default()
        })
        .await;
        let mut cloud = Cloud::start(&tg).await;
        let gate = Gate::before(cloud.endpoint()).await;
        cloud.through(&gate.endpoint("operator"));
        let more = |role: &str| {
            let endpoint = ("AWS_ENDPOINT_URL".to_owned(), gate.endpoint(role));
            [more(role), vec![endpoint]].concat()
        };
        let variables = |role: &str| [cloud.variables(role), more(role)].concat();
        let tick = Lambda::start(FUNCTION, &variables("tick")).await;
        tick.invoke(json!({}), MINUTE).await.unwrap();
        let webhook = Lambda::start(env!("CARGO_BIN_EXE_webhook"), &variables("webhook")).await;
        let url = webhook.behind_a_url().await;
        cloud.countersign(&["webhook", "set", &url]).await;
        let mut others = vec![webhook];
        let mut run = None;
        for (role, lane) in WOKEN {
            let function = Lambda::start(FUNCTION, &variables(role)).await;
            cloud.map(lane, &function);
            match role {
                "run" => run = Some(function),
                _ => others.push(function),
            }
        }
        let ann = tg.private_chat(&User::new(1001, "Ann"));
        let code = cloud.countersign(&["pair"]).await;
        let code = code
            .split("?start=")
            .nth(1)
            .unwrap()
            .split_whitespace()
            .next();
        ann.send(&format!("/start {}", code.unwrap()));
        ann.wait_for_text("owner").await;
        for (name, value) in more("worker") {
            cloud.set(&name, &value);
        }
        Self {
            _worker: cloud.worker("sandbox").await,
            cloud,
            gate,
            ann,
            run: run.unwrap(),
            tick,
            _others: others,
            tg,
        }
    }

    /// A question, a card, a tap, the effect, the answer: each of them once.
    pub async fn converse(&self, word: &str) {
        let before = self.cloud.effects();
        let asked = self.ann.send(&format!("run: echo {word} >> effects"));
        let card = self
            .ann
            .wait_for_message(|m| m.id > asked && m.button("Approve").is_some())
            .await;
        self.ann.tap(card.id, "Approve");
        self.answered(card.id, word).await;
        assert_eq!(self.cloud.effects(), before + 1);
    }

    /// Until all that is left to do is the next step of a run, in the lane of what has a workspace.
    pub async fn waits_for_the_worker(&self) {
        self.until(&["sandbox r"]).await;
    }

    /// Until nobody has anything to do.
    pub async fn idle(&self) {
        self.until(&[]).await;
    }

    /// Until these jobs are left: their lanes, and where they stand in them.
    async fn until(&self, left: &[&str]) {
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        let mut turns = Vec::new();
        for _ in 0..1200 {
            looks.tick().await;
            turns = self.cloud.turns().await;
            if turns == left {
                return;
            }
        }
        panic!("{turns:?}\n{}", self.ann.transcript());
    }

    pub async fn answered(&self, card: i64, word: &str) {
        // A status message names the command too, silently.
        let answers = |m: &&tests::servers::telegram::Message| {
            m.is_bots() && m.id > card && m.text.contains(word) && !m.silent
        };
        self.ann.wait_for_message(|m| answers(&m)).await;
        self.ann.send("/help");
        self.ann
            .wait_for_message(|m| m.is_bots() && m.id > card && m.text.contains("/approvals"))
            .await;
        assert_eq!(self.ann.messages().iter().filter(answers).count(), 1);
    }
}

#[tokio::test]
async fn throttling_and_a_storm_of_conflicts_cost_nothing_but_time() {
    let world = World::start().await;
    for (day, word) in [(Day::Throttled, "throttled"), (Day::Storm, "stormy")] {
        let before = world.gate.refused();
        world.gate.is(day);
        world.converse(word).await;
        assert!(world.gate.refused() > before + 10);
        world.gate.is(Day::Good);
    }
}

/// Everybody gives back what woke them, the webhook does not acknowledge, and all of it comes again.
#[tokio::test]
async fn what_is_written_while_the_database_is_gone_is_answered_when_it_is_back() {
    let world = World::start().await;
    world.gate.is(Day::Gone);
    let asked = world.ann.send("/agents");
    let why = world.run.invoke(json!({}), MINUTE).await.unwrap_err();
    assert!(why.contains("DynamoDB did not answer"), "{why}");
    let event = json!({"Records": [{"messageId": "a"}, {"messageId": "b"}]});
    let given_back = world.run.invoke(event, MINUTE).await.unwrap();
    assert_eq!(messages_in(&given_back), ["a", "b"]);
    let refused = || {
        let deliveries = world.tg.deliveries();
        deliveries
            .iter()
            .any(|it| it.status.is_none_or(|status| status >= 500))
    };
    while !refused() {
        assert!(world.tick.invoke(json!({}), MINUTE).await.is_err());
    }
    world.gate.is(Day::Good);
    world
        .ann
        .wait_for_message(|m| m.id > asked && m.is_bots() && m.text.contains("coder"))
        .await;
    world.converse("after").await;
}

#[tokio::test]
async fn where_nothing_may_be_written_that_is_said_until_it_may() {
    let world = World::start().await;
    world.gate.is(Day::ReadOnly);
    world.cloud.put_item(&unreadable()).await;
    let why = world.run.invoke(json!({}), MINUTE).await.unwrap_err();
    assert!(why.contains("the policy is in template.yaml"), "{why}");
    world.gate.is(Day::Good);
    world.run.invoke(json!({}), MINUTE).await.unwrap();
    world.converse("after").await;
}

#[tokio::test]
async fn a_job_that_cannot_be_read_is_set_aside_and_the_owner_hears_of_it() {
    let world = World::start().await;
    world.cloud.put_item(&unreadable()).await;
    let event = json!({"Records": [{"messageId": "a", "body": "{ nobody's"}]});
    let done = world.run.invoke(event, MINUTE).await.unwrap();
    assert_eq!(messages_in(&done), Vec::<String>::new());
    world.ann.wait_for_text("set aside").await;
    world.converse("after").await;
}

#[tokio::test]
async fn a_table_of_a_newer_program_is_left_alone() {
    let tg = FakeTelegram::start().await;
    let cloud = Cloud::start(&tg).await;
    let newer = json!({
        "pk": {"S": "store"}, "sk": {"S": "store"}, "schema": {"N": "99"}, "generation": {"S": "1"},
    });
    cloud.put_item(&newer).await;
    let run = Lambda::start(FUNCTION, &cloud.variables("run")).await;
    let why = run.invoke(json!({}), MINUTE).await.unwrap_err();
    assert!(why.contains("newer"), "{why}");
}

/// The keys that a container or an instance is given run out. Those that come after them are used without a new start.
#[tokio::test]
async fn credentials_that_have_run_out_are_fetched_again() {
    let tg = FakeTelegram::start().await;
    let mut cloud = Cloud::start(&tg).await;
    let gate = Gate::before(cloud.endpoint()).await;
    cloud.through(&gate.endpoint("run"));
    let renewed = Arc::new(AtomicBool::new(false));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let keys = format!("http://{}/keys", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/keys", get(keys_of_now))
        .with_state(renewed.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    cloud.unset("AWS_ACCESS_KEY_ID");
    cloud.unset("AWS_SECRET_ACCESS_KEY");
    cloud.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &keys);
    let run = Lambda::start(FUNCTION, &cloud.variables("run")).await;
    run.invoke(json!({}), MINUTE).await.unwrap();
    gate.is(Day::Expired("OLD"));
    let why = run.invoke(json!({}), MINUTE).await.unwrap_err();
    assert!(
        why.contains("have expired") && why.contains("renew them"),
        "{why}"
    );
    renewed.store(true, Ordering::SeqCst);
    run.invoke(json!({}), MINUTE).await.unwrap();
}

/// As a container's or an instance's own address hands them out.
async fn keys_of_now(State(renewed): State<Arc<AtomicBool>>) -> Json<Value> {
    let (key, until) = match renewed.load(Ordering::SeqCst) {
        true => ("NEW", "2099-01-01T00:00:00Z"),
        false => ("OLD", "2020-01-01T00:00:00Z"),
    };
    Json(json!({"AccessKeyId": key, "SecretAccessKey": "s", "Token": "t", "Expiration": until}))
}

/// The steps' machine is five minutes ahead, the worker's five late, which is the most that AWS takes a signature from. The
/// answers' dates are everybody's time.
#[tokio::test]
async fn clocks_of_machines_that_are_minutes_apart_cost_nothing() {
    let skew = |role: &str| match role {
        "run" => "300",
        "worker" => "-300",
        _ => "0",
    };
    let name = "COUNTERSIGN_CRASH_SKEW";
    let world = World::with(|role| vec![(name.to_owned(), skew(role).to_owned())]).await;
    world.converse("once").await;
}

/// The same, where nobody hears what time it is. That costs minutes, and nothing else.
#[tokio::test]
async fn clocks_that_are_minutes_apart_cost_minutes() {
    let clocks = tempfile::tempdir().unwrap();
    let time = |now: i64| {
        let others = ["webhook", "update", "send", "circulate", "tick"].map(|role| (role, 0));
        for (role, wrong) in others.into_iter().chain([("run", 300), ("worker", -300)]) {
            std::fs::write(clocks.path().join(role), (now + wrong).to_string()).unwrap();
        }
    };
    time(0);
    let clock = |role: &str| clocks.path().join(role).to_string_lossy().into_owned();
    let name = "COUNTERSIGN_CRASH_CLOCK";
    let world = World::with(|role| vec![(name.to_owned(), clock(role))]).await;
    world.ann.send("run: echo once >> effects");
    world.waits_for_the_worker().await;
    time(600);
    world.tick.invoke(json!({}), MINUTE).await.unwrap();
    let card = world.ann.wait_for_button("Approve").await;
    world.ann.tap(card.id, "Approve");
    world.waits_for_the_worker().await;
    assert_eq!(world.cloud.effects(), 0);
    time(1200);
    world.tick.invoke(json!({}), MINUTE).await.unwrap();
    world.answered(card.id, "once").await;
    assert_eq!(world.cloud.effects(), 1);
}

/// A step of a run whose payload is none, as an item of the table (`infra/store-dynamodb/src/row.rs`).
fn unreadable() -> Value {
    let text = |text: &str| json!({"S": text});
    let (zero, no) = (json!({"N": "0"}), json!({"BOOL": false}));
    json!({
        "pk": text("1/q/unreadable"), "sk": text("job"), "id": text("unreadable"), "team": text("home"), "name": text("run"),
        "lane": text("run"), "lane_key": text("1/run"), "payload": text("{"), "priority": zero, "due": zero, "age": text("0"),
        "attempts": zero, "epoch": zero, "lost_before": no, "set_aside": no, "signalled": no,
        "turn": text("r080000000000000000"),
    })
}
