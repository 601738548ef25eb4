//! Conversations: an update in, what is said out. The store is real enough to conflict; nothing else is played.

use super::*;
use crate::{
    present::English,
    terminal::{Clear, Screen, waiting},
    text,
};
use domain::{
    Digest, MicroUsd, Micros,
    approval::{Approval, ApprovalStatus, Change, Question, Refusal, Shown},
    budget,
    id::ApprovalId,
    member::Role,
    permission::{NewRule, Rule, parse_rule},
    session::Session,
    tool::ToolCall,
};
use ports::{
    Clock as _,
    job::lane,
    message::{Messenger as _, Outgoing},
    model::{Model, ModelRef, Models},
    repo::{self, sent::SentMessage, settings::Setting},
    sandbox::Cancel,
    store::{Claim, Job, Store as _},
};
use serde_json::{Value, json};
use testkit::{home::TestHome, scripted_model::ScriptedModel, shelf::MemoryShelf};

mod elsewhere;
mod knowledge;
mod matrix;
mod memory;
mod offers;
mod skills;
mod versions;

const ANN: i64 = 1;
const BOB: i64 = 2;
const EVE: i64 = 9;
const GROUP: i64 = -100;

/// Whatever is asked for is there: a file whose text is its id.
struct Shelf;

#[async_trait::async_trait]
impl ports::Fetch for Shelf {
    async fn fetch(&self, file: &str) -> Result<Vec<u8>, ports::fetch::FetchError> {
        match file {
            "gone" => Err(ports::fetch::FetchError::Refused(en::FILE_GONE.to_owned())),
            file => Ok(file.as_bytes().to_vec()),
        }
    }
}

struct World {
    fakes: TestHome,
    talk: Conversation,
    updates: i64,
}

/// One of which it is known what it costs, the default, and one of which it is not.
fn models() -> Models {
    let (priced, local) = (ScriptedModel::queue([]), ScriptedModel::queue([]));
    priced.set_ceiling(MicroUsd(50));
    let providers: [(String, Arc<dyn Model>); 2] = [
        ("scripted".to_owned(), Arc::new(priced)),
        ("local".to_owned(), Arc::new(local)),
    ];
    Models {
        providers: providers.into(),
        default: ModelRef::parse("scripted/one").unwrap(),
        tiers: std::collections::BTreeMap::new(),
    }
}

impl World {
    /// Ann owns, Bob operates, Eve is nobody; there are the agents assistant and coder.
    async fn new() -> Self {
        let fakes = TestHome::default();
        let home = Home {
            team: fakes.team.clone(),
            store: fakes.store.clone(),
            blobs: fakes.blobs.clone(),
            clock: fakes.clock.clone(),
            chance: fakes.chance.clone(),
            presenter: Arc::new(English),
        };
        let me = OnceLock::new();
        me.set(Me {
            id: 42,
            username: "cs_bot".to_owned(),
        })
        .unwrap();
        let presets = vec!["ask-first".to_owned(), "read-only".to_owned()];
        let talk = Conversation {
            home,
            me: Arc::new(me),
            presets: presets.into(),
            tools: handlers::tool::all(),
            models: models(),
            index: fakes.index.clone(),
            files: Some(Arc::new(Shelf)),
            shelf: Arc::new(MemoryShelf::default()),
            sandbox: None,
        };
        let mut world = Self {
            fakes,
            talk,
            updates: 0,
        };
        world.member(ANN, "Ann", Role::Owner).await;
        world.member(BOB, "Bob", Role::Operator).await;
        for name in ["assistant", "coder"] {
            world
                .say(ANN, &format!("/agents new {name} Does things."))
                .await;
        }
        world
    }

    async fn member(&self, id: i64, name: &str, role: Role) {
        let id = format!("telegram:{id}").as_str().into();
        let member = Member {
            id,
            name: name.to_owned(),
            role,
            zone: String::new(),
            home: String::new(),
            away: None,
            created_at: Micros(0),
        };
        commit(
            &self.talk.home,
            vec![repo::create(&self.talk.home.team, &member).unwrap()],
        )
        .await
        .unwrap();
    }

    /// A private message, and what comes back.
    async fn say(&mut self, who: i64, text: &str) -> String {
        self.message(who, who, json!({"text": text})).await
    }

    async fn message(&mut self, who: i64, chat: i64, more: Value) -> String {
        let kind = if chat < 0 { "supergroup" } else { "private" };
        let mut message = json!({"message_id": 500, "date": 1, "chat": {"id": chat, "type": kind}, "from": person(who)});
        message
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.update(json!({ "message": message })).await
    }

    async fn tap(&mut self, who: i64, data: &str) -> String {
        let message = json!({"message_id": 7, "date": 1, "chat": {"id": ANN, "type": "private"}});
        self.update(json!({"callback_query": {"id": "tap", "from": person(who), "message": message, "data": data}})).await
    }

    async fn update(&mut self, mut update: Value) -> String {
        self.receive(&mut update).await;
        let job = self.claim(lane::FRONT_TELEGRAM).await.pop().unwrap();
        let received: Received = serde_json::from_str(&job.payload).unwrap();
        handle(&self.talk, &lease(job), &received).await.unwrap();
        self.said().await
    }

    async fn receive(&mut self, update: &mut Value) {
        self.updates += 1;
        update["update_id"] = self.updates.into();
        let raw = update.to_string();
        let session = update
            .pointer("/message/chat/id")
            .or(update.pointer("/callback_query/message/chat/id"))
            .or(update.pointer("/my_chat_member/chat/id"));
        let session = format!("telegram:{}", session.unwrap()).as_str().into();
        let incoming = handlers::receive::Incoming {
            surface: "telegram.42".to_owned(),
            update: self.updates.to_string(),
            session,
            raw,
        };
        assert_eq!(
            receive::receive(&self.talk.home, &[incoming])
                .await
                .unwrap(),
            1
        );
    }

    /// What came in at any front door.
    async fn front(&self) -> Vec<Job> {
        self.claim_of(&[lane::FRONT, "front:telegram"]).await
    }

    async fn claim(&self, lane: &str) -> Vec<Job> {
        self.claim_of(&[lane]).await
    }

    async fn claim_of(&self, lanes: &[&str]) -> Vec<Job> {
        let claim = Claim {
            lanes: lanes.iter().map(|&lane| lane.to_owned()).collect(),
            worker: "test".to_owned(),
            now: self.fakes.clock.now(),
            lease: Duration::from_secs(60),
            limit: 100,
        };
        self.fakes.store.claim(claim).await.unwrap().jobs
    }

    /// What waits to be sent, in order; it is taken as sent.
    async fn said(&self) -> String {
        let mut said = Vec::new();
        loop {
            let jobs = self.claim(lane::SEND).await;
            if jobs.is_empty() {
                return said.join("\n--\n");
            }
            for job in jobs {
                said.push(shown(&serde_json::from_str(&job.payload).unwrap()));
                commit(
                    &self.talk.home,
                    vec![Op::Finish {
                        job: job.id,
                        epoch: job.epoch,
                    }],
                )
                .await
                .unwrap();
            }
        }
    }

    /// A line typed at the terminal of the owner there, and what it does.
    async fn type_line(&self, screen: &Screen, text: &str) -> String {
        let incoming = handlers::receive::Incoming {
            surface: "terminal.main".to_owned(),
            update: text.to_owned(),
            session: "terminal:main".into(),
            raw: serde_json::to_string(&screen.read(text)).unwrap(),
        };
        receive::receive(&self.talk.home, &[incoming])
            .await
            .unwrap();
        let job = self.front().await.pop().unwrap();
        let received: Received = serde_json::from_str(&job.payload).unwrap();
        handle(&self.talk, &lease(job), &received).await.unwrap();
        let mut said = Vec::new();
        for job in self.claim("send:terminal:main").await {
            said.push(shown(&serde_json::from_str(&job.payload).unwrap()));
        }
        said.join("\n--\n")
    }

    /// A card that waits in Ann's chat, sent as message 7.
    async fn approval(&self, always: Vec<Rule>) -> Approval {
        let approval = Approval {
            id: ApprovalId::new("0000000000000000000000000000aaaa"),
            run: "run1".into(),
            session: format!("telegram:{ANN}").as_str().into(),
            agent: "coder".into(),
            agent_name: "coder".to_owned(),
            requester: format!("telegram:{ANN}").as_str().into(),
            requester_name: String::new(),
            call: ToolCall {
                id: "c1".into(),
                name: "run_command".to_owned(),
                arguments: json!({"command": "make"}),
                malformed: None,
            },
            question: Question::Call,
            digest: Digest::of_bytes("make"),
            shown: Shown {
                what: "make".to_owned(),
                why: "To build.".to_owned(),
                ..Shown::default()
            },
            change: None,
            repeats: false,
            budget: None,
            standing: false,
            always,
            approvers: Role::Operator,
            persons: 1,
            votes: Vec::new(),
            sent: Vec::new(),
            unreachable: Vec::new(),
            escalate_after_s: None,
            reminded_at: None,
            status: ApprovalStatus::Pending,
            asked_at: self.fakes.clock.now(),
            expires_at: self.fakes.clock.now().plus(Duration::from_secs(3600)),
            decided_by: None,
            decided_for: None,
            decided_at: None,
            reason: String::new(),
        };
        let sent = SentMessage {
            id: format!("approval:{}@telegram:{ANN}", approval.id),
            surface: "telegram".to_owned(),
            message: "7".to_owned(),
            at: Micros(0),
        };
        let team = &self.talk.home.team;
        commit(
            &self.talk.home,
            vec![
                repo::create(team, &approval).unwrap(),
                repo::create(team, &sent).unwrap(),
            ],
        )
        .await
        .unwrap();
        approval
    }

    async fn stored(&self, id: &ApprovalId) -> Approval {
        repo::get::<Approval>(&*self.fakes.store, &self.fakes.team, id.as_str())
            .await
            .unwrap()
            .unwrap()
            .value
    }
}

fn person(id: i64) -> Value {
    let name = ["", "Ann", "Bob"]
        .get(usize::try_from(id).unwrap())
        .unwrap_or(&"Eve");
    json!({"id": id, "is_bot": false, "first_name": name})
}

fn lease(job: Job) -> Lease {
    Lease {
        job,
        cancel: Cancel::default(),
        deadline: Micros(i64::MAX),
    }
}

fn shown(message: &Outgoing) -> String {
    match &message.body {
        Body::Text { text, actions } => {
            let rows = actions.iter().map(|row| {
                let row = row.iter().map(|action| format!("[{}]", action.label));
                format!("\n{}", row.collect::<Vec<_>>().join(" "))
            });
            format!("{}{}", text.text, rows.collect::<String>())
        }
        Body::Toast { text, .. } => format!("(toast) {text}"),
        Body::EditCard { card, .. } => {
            format!("(edit) {}", text::card(card).text.replace('\n', " "))
        }
        other => format!("{other:?}"),
    }
}

fn button(verb: &str, approval: &Approval) -> String {
    format!("{verb}:{}:{}", approval.id, approval.digest.short())
}

fn always() -> Rule {
    let rule: NewRule = parse_rule("allow shell_exec make").unwrap();
    rule.into_rule("rule0000000000000000000000rule01".into(), None, Micros(0))
}

#[tokio::test]
async fn a_stranger_is_refused_and_an_invitation_lets_them_in_once() {
    let mut world = World::new().await;
    assert_eq!(world.say(EVE, "hello").await, en::STRANGER);
    assert_eq!(world.say(EVE, "/runs").await, en::STRANGER);
    let link = world.say(ANN, "/invite viewer").await;
    let code = link.rsplit_once("start=").unwrap().1.to_owned();
    assert!(link.contains("https://t.me/cs_bot?start="));
    assert_eq!(
        world
            .message(EVE, GROUP, json!({"text": format!("/start {code}")}))
            .await,
        en::JOIN_IN_PRIVATE
    );
    insta::assert_snapshot!(world.say(EVE, &format!("/start {code}")).await, @r#"
    Welcome, Eve. You are a viewer here.

    You can look at everything: /runs, /approvals, /cost, /audit. /help lists the rest.
    "#);
    assert_eq!(
        world.say(BOB, &format!("/start {code}")).await,
        "This invitation is unknown, used, or too old. Ask for a new one."
    );
    // A viewer looks and does nothing.
    assert_eq!(world.say(EVE, "do it").await, "That takes an operator.");
    assert_eq!(world.say(EVE, "/runs").await, en::NO_RUNS);
    assert_eq!(
        world.say(BOB, "/invite viewer").await,
        "That takes an owner."
    );
}

#[tokio::test]
async fn groups_are_left_in_peace() {
    let mut world = World::new().await;
    assert_eq!(
        world.message(EVE, GROUP, json!({"text": "lunch?"})).await,
        ""
    );
    assert_eq!(
        world.message(EVE, GROUP, json!({"text": "/help"})).await,
        en::STRANGER
    );
    assert_eq!(
        world.message(BOB, GROUP, json!({"text": "lunch?"})).await,
        ""
    );
    let added = |who: i64| {
        let member = |status: &str| json!({"user": {"id": 42}, "status": status});
        json!({"my_chat_member": {"chat": {"id": GROUP, "type": "supergroup"}, "from": person(who), "date": 1, "old_chat_member": member("left"), "new_chat_member": member("member")}})
    };
    assert_eq!(
        world.update(added(EVE)).await,
        format!("{}\n--\nLeave", en::STRANGERS_GROUP)
    );
    assert_eq!(world.update(added(BOB)).await, en::GROUP);
}

#[tokio::test]
async fn free_text_starts_a_run_and_the_next_one_waits() {
    let mut world = World::new().await;
    assert_eq!(world.say(BOB, "build it").await, "");
    assert_eq!(world.claim(lane::RUN).await.len(), 1);
    let said = world.say(BOB, "and test it").await;
    assert!(
        said.starts_with("Noted. It is number 1 behind run "),
        "{said}"
    );
    let said = world.say(BOB, "/runs").await;
    assert!(
        said.contains("assistant") && said.contains("build it"),
        "{said}"
    );
    assert!(
        world
            .say(BOB, "/cancel")
            .await
            .ends_with("is being stopped.")
    );
    assert_eq!(
        world.say(BOB, &"x".repeat(1 << 20)).await,
        en::problem(&handlers::Problem::TooLarge {
            what: "message",
            bytes: 1 << 20,
            limit: 128 << 10
        })
    );
}

#[tokio::test]
async fn commands_answer_what_cannot_be_done() {
    let mut world = World::new().await;
    let mut said = Vec::new();
    for text in [
        "/aproove 12",
        "/frobnicate",
        "/approve",
        "/approve 999999",
        "/run zzzz",
        "/agent nobody",
        "/agents set coder preset wild",
        "/rules add nonsense",
        "/settings zone Mars/Olympus",
        "/cancel",
        "/deny",
    ] {
        said.push(format!("> {text}\n{}", world.say(ANN, text).await));
    }
    insta::assert_snapshot!(said.join("\n\n"), @r#"
    > /aproove 12
    There is no /aproove. Did you mean /approve? /help lists all commands.

    > /frobnicate
    There is no /frobnicate. /help lists all commands.

    > /approve
    Write it like this: /approve <id or capability> | all [except <id> …] | run <run> [except <id> …]

    > /approve 999999
    There is no approval “999999”. /approvals lists those that wait.

    > /run zzzz
    There is no run “zzzz”. /runs lists the latest.

    > /agent nobody
    There is no agent “nobody”. /agents lists them.

    > /agents set coder preset wild
    There is no preset “wild”. There are ask-first, read-only.

    > /rules add nonsense
    “nonsense” is not an effect; it is `allow`, `ask` or `deny`. Write an effect, a resource and a pattern: `allow shell_exec git status *`.

    > /settings zone Mars/Olympus
    “Mars/Olympus” is not a time zone. Write its IANA name: Europe/Berlin, America/New_York, UTC.

    > /cancel
    Nothing is at work here.

    > /deny
    Write it like this: /deny <id or capability> [reason] | all [except <id> …] | run <run> [except <id> …]
    "#);
    // A path is no command.
    assert_eq!(world.say(ANN, "/etc/hosts: what is in it?").await, "");
}

#[tokio::test]
async fn a_rule_says_who_approves_and_how_long_its_cards_wait() {
    let mut world = World::new().await;
    let mut said = Vec::new();
    for text in [
        "/rules add ask shell_exec git push * by owner within 2h",
        "/rules add ask spend within 90",
        "/rules add allow shell_exec git pull by owner",
        "/rules add ask shell_exec ls within 1y",
        "/rules",
    ] {
        said.push(format!("> {text}\n{}", world.say(ANN, text).await));
    }
    insta::assert_snapshot!(said.join("\n\n"), @r#"
    > /rules add ask shell_exec git push * by owner within 2h
    Rule 00000c holds from now on: ask shell_exec “git push *” by owner within 2h

    > /rules add ask spend within 90
    Rule 000011 holds from now on: ask spend within 90s

    > /rules add allow shell_exec git pull by owner
    Only what is asked is approved by somebody and waits: write `ask` instead of `allow`.

    > /rules add ask shell_exec ls within 1y
    “1y” is no time that a card can wait; write `45m`, `2h` or `3d`: a minute at least, 30 days at most.

    > /rules
    00000c ask shell_exec “git push *” by owner within 2h
    000011 ask spend within 90s

    An owner can /rules add allow shell_exec git status *, /rules add ask shell_exec git push * by 2 owners within 2h, and /rules remove <id>. Where no rule speaks, I ask.
    "#);
    let rules = handlers::rules::list(&world.talk.home).await.unwrap();
    let asked: Vec<_> = rules
        .iter()
        .map(|rule| (rule.approvers, rule.expires_after_s))
        .collect();
    assert_eq!(asked, [(Some(Role::Owner), Some(7200)), (None, Some(90))]);
}

#[tokio::test]
async fn everything_about_an_agent_is_set_and_shown_here() {
    let mut world = World::new().await;
    let mut said = Vec::new();
    for text in [
        "/agents set coder skills review, release-notes",
        "/agents set coder knowledge handbook  wiki",
        "/agents set coder metadata {\"team\": \"search\", \"floor\": 3}",
        "/agents show coder",
        "/agents set coder metadata [1]",
        "/agents set coder metadata {team}",
        "/agents set coder metadata",
        "/agents set coder knowledge_ids",
        "/agents set coder skills",
    ] {
        said.push(format!("> {text}\n{}", world.say(ANN, text).await));
    }
    insta::assert_snapshot!(said.join("\n\n"), @r#"
    > /agents set coder skills review, release-notes
    coder
    Does things.

    model: the default one
    preset: ask-first
    skills: review release-notes

    > /agents set coder knowledge handbook  wiki
    There is no collection “handbook”. There is none yet.

    > /agents set coder metadata {"team": "search", "floor": 3}
    coder
    Does things.

    model: the default one
    preset: ask-first
    skills: review release-notes
    metadata: {"floor":3,"team":"search"}

    > /agents show coder
    coder
    Does things.

    model: the default one
    preset: ask-first
    skills: review release-notes
    metadata: {"floor":3,"team":"search"}

    > /agents set coder metadata [1]
    Metadata is a JSON object, such as {"team": "search"}. This is none: invalid type: sequence, expected a map at line 1 column 0.

    > /agents set coder metadata {team}
    Metadata is a JSON object, such as {"team": "search"}. This is none: key must be a string at line 1 column 2.

    > /agents set coder metadata
    coder
    Does things.

    model: the default one
    preset: ask-first
    skills: review release-notes

    > /agents set coder knowledge_ids
    coder
    Does things.

    model: the default one
    preset: ask-first
    skills: review release-notes

    > /agents set coder skills
    coder
    Does things.

    model: the default one
    preset: ask-first
    "#);
}

#[tokio::test]
async fn commands_show_what_there_is() {
    let mut world = World::new().await;
    let mut said = Vec::new();
    for text in [
        "/start",
        "/agents",
        "/agents set coder model anthropic/some-model",
        "/agent coder",
        "/start",
        "/rules add allow shell_exec \"git status *\"",
        "/rules",
        "/settings zone Europe/Berlin",
        "/settings",
        "/cost",
        "/audit",
        "/approvals",
        "/new",
    ] {
        said.push(format!("> {text}\n{}", world.say(ANN, text).await));
    }
    insta::assert_snapshot!(said.join("\n\n"), @r#"
    > /start
    Hello, Ann. You talk to assistant.

    Write what you want done. What needs your yes comes as a card with buttons. /help lists what else there is.

    > /agents
    assistant — Does things.
    coder — Does things.

    /agent <name> chooses one for this chat, /agents show <name> tells more.

    > /agents set coder model anthropic/some-model
    coder
    Does things.

    model: anthropic/some-model
    preset: ask-first

    > /agent coder
    This chat talks to coder now: Does things.

    > /start
    Hello, Ann. You talk to coder.

    Write what you want done. What needs your yes comes as a card with buttons. /help lists what else there is.

    > /rules add allow shell_exec "git status *"
    Rule 000020 holds from now on: allow shell_exec “git status *”

    > /rules
    000020 allow shell_exec “git status *”

    An owner can /rules add allow shell_exec git status *, /rules add ask shell_exec git push * by 2 owners within 2h, and /rules remove <id>. Where no rule speaks, I ask.

    > /settings zone Europe/Berlin
    Times are shown in Europe/Berlin from now on; it is 10:00 CET there.

    > /settings
    Your time zone: Europe/Berlin (/settings zone Europe/Berlin)
    Your role: owner
    Cards that wait are not sent on (/settings escalate 2h).

    Members:
      Ann — owner (telegram:1)
      Bob — operator (telegram:2)

    > /cost
    $0 in 30 days, for 0 runs
    $0 today (UTC)

    > /audit
    10:00 CET rule.added by member:telegram:1: 000020

    > /approvals
    Nothing waits for a decision.

    > /new
    A new conversation: what was said before is not known in it; /sessions goes back there. Files stay.
    "#);
    insta::assert_snapshot!(world.say(ANN, "/help@cs_bot").await, @r#"
    Write what you want done, and this chat’s agent does it. What is harmless happens; what needs your yes comes as a card. Reply to a card to deny with a reason. Each chat and topic has its own history.

    /start — Say hello
    /help — What I can do
    /new — Begin another conversation, without the history of this one
    /sessions — Your conversations; go back to one of this chat
    /resume <number> — Go back to an earlier conversation of this chat
    /agents [show NAME | new NAME DESCRIPTION | set NAME FIELD VALUE | rename NAME NEW | duplicate NAME NEW | pause NAME | resume NAME | archive NAME | delete NAME | history NAME | undo NAME | export NAME] — List the agents, make and change them
    /agent <name> [prompt] | new WORDS | history NAME | undo NAME — Choose this chat’s agent, or give one task to another
    /runs — The latest runs
    /run <id> — What a run did
    /cancel [run] — Stop the run that works here
    /approvals — What waits for a decision
    /approve <id or capability> | all [except <id> …] | run <run> [except <id> …] — Approve a call
    /deny <id or capability> [reason] | all [except <id> …] | run <run> [except <id> …] — Deny a call, and say why
    /modify <id> [the new command, text, or arguments as JSON] — Change a call before you decide about it
    /search <words> — Find passages in the documents
    /kb [NAME [PAGE] | create NAME [alone] | rename NAME NEW | remove NAME | attach NAME AGENT | detach NAME AGENT] — Collections of documents, and who looks things up in them
    /rules [add RULE | remove ID | undo [APPROVAL] | history] — What may happen without asking, and what never
    /skills — List the skills that agents can be given
    /skill show NAME | install NAME | remove NAME | enable NAME AGENT | disable NAME AGENT | history NAME | undo NAME — Show, install or remove a skill, or give it to an agent
    /mcp [add NAME COMMAND | tools NAME | test NAME | approve NAME MARK [TOOL …] | elicitation NAME on|off | restart NAME | remove NAME | history NAME | undo NAME] — Servers of further tools: add, look at and approve them
    /memory [session|agent|member [edit | add TEXT | set TEXT | clear | undo | history]] — What is remembered here, by the agent, about you
    /audit [run] — Who did and decided what
    /cost — What was spent in the last 30 days
    /budget [team | day | run | agent NAME | member NAME] [DOLLARS | off] — What models may cost: team, day, agent, member, run
    /settings [zone ZONE | escalate SPAN or never | remove MEMBER] — Your time zone; who is a member; when a card is sent on
    /away <span> [to <member>] — Be away for a while; somebody may decide for you
    /back — Be back: cards come to you again, nobody decides for you
    /invite operator|viewer|owner — A one-time link for a new member
    "#);
}

#[tokio::test]
async fn a_tap_decides_once() {
    let mut world = World::new().await;
    let approval = world.approval(Vec::new()).await;
    assert_eq!(
        world.tap(EVE, &button("ok", &approval)).await,
        format!("(toast) {}", en::STRANGERS_TAP)
    );
    assert_eq!(
        world.tap(ANN, "ok:0000:nonsense").await,
        "(toast) There is no approval “0000”. /approvals lists those that wait."
    );
    assert_eq!(
        world.tap(ANN, &format!("ok:{}", approval.id)).await,
        format!("(toast) {}", en::WRONG_BUTTON)
    );
    assert!(
        world
            .tap(ANN, &format!("ok:{}:00000000", approval.id))
            .await
            .contains("out of date")
    );
    assert_eq!(
        world.stored(&approval.id).await.status,
        ApprovalStatus::Pending
    );
    insta::assert_snapshot!(world.tap(BOB, &button("ok", &approval)).await, @r#"
    (edit) coder wants to run a command  ✅ Approved by Bob at 09:00 UTC  make
    --
    (toast) Approved.
    "#);
    insta::assert_snapshot!(world.tap(ANN, &button("no", &approval)).await, @r#"
    (toast) It was approved before.
    --
    (edit) coder wants to run a command  ✅ Approved by Bob at 09:00 UTC  make
    "#);
    let stored = world.stored(&approval.id).await;
    assert_eq!(
        (stored.status, stored.decided_by),
        (ApprovalStatus::Approved, Some("telegram:2".into()))
    );
}

#[tokio::test]
async fn always_adds_the_rule_for_an_owner_only() {
    let mut world = World::new().await;
    let approval = world.approval(vec![always()]).await;
    assert_eq!(
        world.tap(BOB, &button("always", &approval)).await,
        "(toast) That is not offered here. “Always” takes an owner, and a rule that is narrow enough."
    );
    let said = world.tap(ANN, &button("always", &approval)).await;
    assert!(said.contains("Approved, and the rule was added."), "{said}");
    let rules = world.say(ANN, "/rules").await;
    assert!(rules.contains("allow shell_exec “make”"), "{rules}");
}

#[tokio::test]
async fn a_late_tap_says_so() {
    let mut world = World::new().await;
    let approval = world.approval(Vec::new()).await;
    world.fakes.clock.advance(Duration::from_secs(3600));
    assert_eq!(
        world.tap(ANN, &button("ok", &approval)).await,
        "(toast) Too late: it has expired and did not run."
    );
}

#[tokio::test]
async fn a_reply_to_the_card_is_the_reason() {
    let mut world = World::new().await;
    let approval = world.approval(Vec::new()).await;
    let reply = |text: &str| json!({"text": text, "reply_to_message": {"message_id": 7, "from": {"id": 42, "is_bot": true, "first_name": "bot"}}});
    insta::assert_snapshot!(world.message(ANN, ANN, reply("use cargo")).await, @r#"
    (edit) coder wants to run a command  ❌ Denied by Ann at 09:00 UTC — use cargo  make
    --
    Denied, with your reason.
    "#);
    assert_eq!(world.stored(&approval.id).await.reason, "use cargo");
    // The no is given and the agent has gone on: it hears of the reason as a message.
    insta::assert_snapshot!(world.message(ANN, ANN, reply("because it is faster")).await, @r#"(edit) coder wants to run a command  ❌ Denied by Ann at 09:00 UTC — because it is faster  make"#);
    let session = repo::get::<Session>(&*world.fakes.store, &world.fakes.team, "telegram:1")
        .await
        .unwrap()
        .unwrap()
        .value;
    assert!(session.run.is_some());
}

#[tokio::test]
async fn a_card_is_changed_by_a_reply_to_the_question_for_it() {
    let mut world = World::new().await;
    let approval = world.approval(Vec::new()).await;
    let asked = world.tap(BOB, &button("modify", &approval)).await;
    insta::assert_snapshot!(asked, @r#"
    (toast) Reply to my message below.
    --
    Reply to this message with the command as it should be (or write /modify 00aaaa and then that). It says now:

    make
    "#);
    // As the sender writes it down.
    let tag = format!("change:{}:{}:x", approval.id, approval.digest.short());
    let sent = SentMessage {
        id: format!("{tag}@telegram:{ANN}"),
        surface: "telegram".to_owned(),
        message: "8".to_owned(),
        at: Micros(1),
    };
    let team = world.talk.home.team.clone();
    commit(&world.talk.home, vec![repo::create(&team, &sent).unwrap()])
        .await
        .unwrap();
    let reply = |text: &str| json!({"text": text, "reply_to_message": {"message_id": 8, "from": {"id": 42}}});
    let said = [
        world.message(BOB, ANN, reply("make")).await,
        world
            .message(BOB, ANN, reply(r#"{"command": "make", "as": "root"}"#))
            .await,
        world.message(BOB, ANN, reply("make all")).await,
        world.message(BOB, ANN, reply("make none")).await,
        world.tap(BOB, &button("ok", &approval)).await,
        world.tap(BOB, &button("modify", &approval)).await,
        world.say(ANN, "/modify aaaa").await,
        world.say(ANN, "/modify").await,
    ];
    insta::assert_snapshot!(said.join("\n\n"), @r#"
    That is what the call says already.

    There is no argument “as”; there are: capability, command, plan, timeout_s.

    Noted. The card will show the changed call; it still needs a yes.

    This card is out of date: the call has changed. Decide on the card as it is now.

    (toast) This card is out of date: the call has changed. Decide on the card as it is now.

    (toast) This card is out of date: the call has changed. Decide on the card as it is now.

    This card is out of date: the call has changed. Decide on the card as it is now.

    Write it like this: /modify <id> [the new command, text, or arguments as JSON]
    "#);
    let stored = world.stored(&approval.id).await;
    let change = stored.change.unwrap();
    assert_eq!(
        (&*change.by, &*change.was, change.judged),
        ("Bob", "make", false)
    );
}

#[tokio::test]
async fn words_decide_about_a_changed_call_only_as_it_was_shown() {
    let mut world = World::new().await;
    let approval = world.approval(Vec::new()).await;
    let team = world.talk.home.team.clone();
    let (store, id) = (&*world.fakes.store, approval.id.as_str());
    let mut stored = repo::get::<Approval>(store, &team, id)
        .await
        .unwrap()
        .unwrap();
    stored.value.digest = Digest::of_bytes("make all");
    stored.value.change = Some(Change {
        by: "Bob".to_owned(),
        author: None,
        was: "make".to_owned(),
        judged: true,
    });
    let op = repo::update(&team, &stored).unwrap();
    commit(&world.talk.home, vec![op]).await.unwrap();
    let bot = json!({"id": 42, "is_bot": true, "first_name": "bot"});
    let keys = json!({"inline_keyboard": [[{"text": "Approve", "callback_data": button("ok", &approval)}]]});
    let card = json!({"message_id": 7, "from": bot, "reply_markup": keys});
    let (old, now) = (approval.digest.short(), stored.value.digest.short());
    let said = [
        world.say(ANN, "/approve 00aaaa").await,
        world.say(ANN, &format!("/approve 00aaaa.{old}")).await,
        world.say(ANN, "/deny 00aaaa no").await,
        world
            .message(ANN, ANN, json!({"text": "no", "reply_to_message": card}))
            .await,
    ];
    for said in said {
        assert_eq!(said, en::refused(&Refusal::Changed));
    }
    let list = world.say(ANN, "/approvals").await;
    assert!(list.contains(&format!("00aaaa.{now} ")), "{list}");
    let said = world.say(ANN, &format!("/approve 00aaaa.{now}")).await;
    assert!(said.ends_with("Approved."), "{said}");
}

#[tokio::test]
async fn a_group_that_became_a_supergroup_keeps_its_session_at_once() {
    let mut world = World::new().await;
    const SUPERGROUP: i64 = -1009;
    let session_here = async |world: &World| {
        let key = format!("session_at.telegram:{SUPERGROUP}");
        let stored = repo::get::<Setting>(&*world.fakes.store, &world.fakes.team, &key).await;
        stored.unwrap().map(|stored| stored.value.value)
    };
    world
        .message(ANN, GROUP, json!({"text": "/agent coder"}))
        .await;
    // As Telegram says it: in the old group whoever did it, in the new one nobody.
    let there = json!({"migrate_to_chat_id": SUPERGROUP});
    assert_eq!(world.message(EVE, GROUP, there).await, "");
    let session = json!("telegram:-100");
    assert_eq!(session_here(&world).await, Some(session.clone()));
    let chat = json!({"id": SUPERGROUP, "type": "supergroup"});
    let from = json!({"message": {"message_id": 1, "chat": chat, "migrate_from_chat_id": GROUP}});
    assert_eq!(world.update(from).await, "");
    assert_eq!(session_here(&world).await, Some(session));
    let said = world
        .message(ANN, SUPERGROUP, json!({"text": "/agent"}))
        .await;
    assert!(said.contains("coder"), "{said}");
}

#[tokio::test]
async fn a_reply_to_a_card_from_before_the_group_moved_is_the_reason() {
    let mut world = World::new().await;
    let approval = world.approval(Vec::new()).await;
    let reply = |chat: i64| {
        let bot = json!({"id": 42, "is_bot": true, "first_name": "bot"});
        json!({"text": "use cargo", "reply_to_message": {"message_id": 7, "chat": {"id": chat}, "from": bot}})
    };
    // Another message with the same number.
    world.message(ANN, GROUP, reply(GROUP)).await;
    assert_eq!(
        world.stored(&approval.id).await.status,
        ApprovalStatus::Pending
    );
    world.message(ANN, GROUP, reply(ANN)).await;
    assert_eq!(world.stored(&approval.id).await.reason, "use cargo");
}

#[tokio::test]
async fn a_reply_to_a_card_that_was_sent_and_never_noted_is_the_reason() {
    let mut world = World::new().await;
    let approval = world.approval(Vec::new()).await;
    let reply = |from: i64| {
        let from = json!({"id": from, "is_bot": true, "first_name": "bot"});
        let button = json!({"text": "Approve", "callback_data": button("ok", &approval)});
        json!({"text": "use cargo", "reply_to_message":
            {"message_id": 99, "from": from, "reply_markup": {"inline_keyboard": [[button]]}}})
    };
    // A button of somebody else's says nothing.
    world.message(ANN, ANN, reply(43)).await;
    assert_eq!(
        world.stored(&approval.id).await.status,
        ApprovalStatus::Pending
    );
    world.message(ANN, ANN, reply(42)).await;
    assert_eq!(world.stored(&approval.id).await.reason, "use cargo");
}

#[tokio::test]
async fn details_are_all_there_is() {
    let mut world = World::new().await;
    let approval = world.approval(Vec::new()).await;
    insta::assert_snapshot!(world.tap(ANN, &format!("details:{}", approval.id)).await, @r#"
    (toast) Sent below.
    --
    coder wants to run a command

    make

    Why (the agent’s own words): To build.
    Approval: 0000000000000000000000000000aaaa
    Digest: d05aa2a15fb3c40efeeb03bec445393f00074484cf01c8fb2da90ca6695a5531
    "#);
    assert!(
        world
            .say(ANN, "/approvals")
            .await
            .contains("coder wants to run a command")
    );
    assert!(
        world
            .say(ANN, "/approve 00aaaa")
            .await
            .ends_with("Approved.")
    );
}

#[tokio::test]
async fn a_file_goes_into_a_collection_and_is_recognised() {
    let mut world = World::new().await;
    let file = |id: &str, name: &str, caption: &str| json!({"document": {"file_id": id, "file_name": name, "file_size": 5}, "caption": caption});
    let first = world
        .message(ANN, ANN, file("apples", "../a.txt", ""))
        .await;
    let copy = world.message(ANN, ANN, file("apples", "b.txt", "")).await;
    let gone = world.message(ANN, ANN, file("gone", "c.txt", "")).await;
    let mut large = file("pears", "d.txt", "");
    large["document"]["file_size"] = json!(21 << 20);
    let large = world.message(ANN, ANN, large).await;
    let overheard = world
        .message(ANN, -100, file("plums", "e.txt", "for you all"))
        .await;
    insta::assert_snapshot!([first, copy, gone, large, overheard].join("\n"), @r#"
    Card { card: Card { title: "Reading “a.txt” into docs, which the whole team can read…", blocks: [], actions: [] } }
    “a.txt” is being read already.
    Telegram does not give this file any more: send it again.
    This file has 22 MB and is too large for a bot, which may fetch 20 MB: split it, or use countersign knowledge add on the machine.
    "#);
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_and_done_with() {
    let mut world = World::new().await;
    assert_eq!(
        world.message(ANN, ANN, json!({"photo": [{}]})).await,
        en::ONLY_TEXT
    );
    assert_eq!(
        world.message(ANN, ANN, json!({"text": "   "})).await,
        "There is nothing to do: write what you want done."
    );
    assert_eq!(
        world
            .update(json!({"message": {"chat": {"id": ANN}}}))
            .await,
        ""
    );
    assert!(world.claim(lane::FRONT_TELEGRAM).await.is_empty());
}

#[tokio::test]
async fn a_lost_lease_says_nothing() {
    let mut world = World::new().await;
    let message = json!({"message_id": 500, "date": 1, "chat": {"id": ANN, "type": "private"}, "from": person(ANN), "text": "/invite viewer"});
    world.receive(&mut json!({ "message": message })).await;
    let mut job = world.claim(lane::FRONT_TELEGRAM).await.pop().unwrap();
    let received: Received = serde_json::from_str(&job.payload).unwrap();
    job.epoch += 1;
    assert!(matches!(
        handle(&world.talk, &lease(job), &received).await,
        Err(HandlerError::LeaseLost)
    ));
    assert_eq!(world.said().await, "");
}

/// What a terminal has shown, to be looked at.
#[derive(Clone, Default)]
struct Paper(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn cards(&self) -> usize {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.matches("coder wants to run a command").count()
    }
}

/// The process that showed the card was killed; the next one has an empty screen.
#[tokio::test]
async fn a_terminal_that_is_opened_again_shows_what_waits_and_its_keys_decide() {
    let world = World::new().await;
    let elsewhere = world.approval(Vec::new()).await;
    let member = Member {
        id: "terminal:owner".into(),
        name: "you".to_owned(),
        role: Role::Owner,
        zone: String::new(),
        home: String::new(),
        away: None,
        created_at: Micros(0),
    };
    let approval = Approval {
        id: ApprovalId::new("0000000000000000000000000000bbbb"),
        session: "terminal:main".into(),
        requester: member.id.clone(),
        ..elsewhere.clone()
    };
    let (home, team) = (&world.talk.home, &world.talk.home.team);
    let ops = vec![
        repo::create(team, &member).unwrap(),
        repo::create(team, &approval).unwrap(),
    ];
    commit(home, ops).await.unwrap();

    let (paper, session) = (Paper::default(), approval.session.clone());
    let out = (
        Box::new(paper.clone()) as Box<dyn std::io::Write + Send>,
        Clear::Never,
        80,
    );
    let screen = Screen::new(session.clone(), home.blobs.clone(), home.clock.clone(), out);
    let messages = waiting(home, &session, "").await.unwrap();
    assert_eq!(messages.len(), 1);
    for message in &messages {
        screen.send(message, None, false).await.unwrap();
    }
    assert_eq!(paper.cards(), 1);
    // The queue may still hold the card: it stands there already.
    screen.send(&messages[0], None, true).await.unwrap();
    assert_eq!(paper.cards(), 1);

    let said = world.type_line(&screen, "a").await;
    assert!(said.contains("✅ Approved by you"), "{said}");
    assert!(said.ends_with("(toast) Approved."), "{said}");
    let status = async |id| world.stored(id).await.status;
    assert_eq!(status(&approval.id).await, ApprovalStatus::Approved);
    assert_eq!(status(&elsewhere.id).await, ApprovalStatus::Pending);
    assert!(waiting(home, &session, "").await.unwrap().is_empty());
}

#[tokio::test]
async fn budgets_are_set_by_an_owner_and_seen_by_all() {
    let mut world = World::new().await;
    insta::assert_snapshot!(world.say(BOB, "/budget").await, @r#"
    No budget is set, except what each run may cost (limits.cost_usd).

    An owner can /budget team 20, /budget day 5, /budget agent coder 3, /budget member Ann 2, /budget run 1; off instead of an amount takes one away. Dollars; days are those of UTC.
    "#);
    assert_eq!(
        world.say(BOB, "/budget team 20").await,
        "That takes an owner."
    );
    let mut said = Vec::new();
    for line in [
        "team 20",
        "day $5.50",
        "agent coder 3",
        "member bob 2",
        "run 1",
        "team 30",
    ] {
        said.push(world.say(ANN, &format!("/budget {line}")).await);
    }
    for line in [
        "team",
        "team much",
        "planet 3",
        "agent nobody 3",
        "day -1",
        "run off",
    ] {
        said.push(world.say(ANN, &format!("/budget {line}")).await);
    }
    said.push(world.say(BOB, "/budget").await);
    insta::assert_snapshot!(said.join("\n"), @r#"
    Team: $0 of $20.00 spent since 09:00 UTC
    Day: $0 of $5.50 spent today (UTC)
    Agent coder: $0 of $3.00 spent since 09:00 UTC
    Member Bob: $0 of $2.00 spent since 09:00 UTC
    Each run: $1.00
    Team: $0 of $30.00 spent since 09:00 UTC
    “” is no amount in dollars: write 20 or 2.50.
    “much” is no amount in dollars: write 20 or 2.50.
    “planet” can have no budget: write team, day, run, agent NAME or member NAME.
    There is no agent “nobody”. /agents lists them.
    “-1” is no amount in dollars: write 20 or 2.50.
    The budget is gone: run
    Team: $0 of $30.00 spent since 09:00 UTC
    Day: $0 of $5.50 spent today (UTC)
    Agent coder: $0 of $3.00 spent since 09:00 UTC
    Member Bob: $0 of $2.00 spent since 09:00 UTC

    An owner can /budget team 20, /budget day 5, /budget agent coder 3, /budget member Ann 2, /budget run 1; off instead of an amount takes one away. Dollars; days are those of UTC.
    "#);
}

#[tokio::test]
async fn more_money_is_a_tap() {
    let mut world = World::new().await;
    world.say(ANN, "/budget team 20").await;
    let waiting = world.approval(Vec::new()).await;
    let approval = Approval {
        question: Question::Budget,
        budget: Some(present::tests::ask(budget::Scope::Team, "")),
        approvers: Role::Owner,
        ..waiting
    };
    let team = &world.talk.home.team;
    let stored = repo::put(team, &approval, Some(1)).unwrap();
    commit(&world.talk.home, vec![stored]).await.unwrap();
    assert_eq!(
        world.tap(BOB, &button("more", &approval)).await,
        "(toast) Only an owner can decide this."
    );
    insta::assert_snapshot!(world.tap(ANN, &button("ok", &approval)).await, @r#"
    (toast) That is not offered here. “Always” takes an owner, and a rule that is narrow enough.
    "#);
    insta::assert_snapshot!(world.tap(ANN, &button("more", &approval)).await, @r#"
    (edit) coder needs more than the team’s budget  ✅ $10.00 more, by Ann at 09:00 UTC  make
    --
    (toast) $10.00 more: it goes on.
    "#);
    insta::assert_snapshot!(world.tap(ANN, &button("stop", &approval)).await, @r#"
    (toast) It was approved before.
    --
    (edit) coder needs more than the team’s budget  ✅ $10.00 more, by Ann at 09:00 UTC  make
    "#);
    assert!(world.say(ANN, "/budget").await.contains("of $30.00"));
}

#[tokio::test]
async fn a_model_without_a_known_price_is_named_where_a_budget_is_set() {
    let mut world = World::new().await;
    world.say(ANN, "/agents set coder model local/llama").await;
    assert!(!world.say(BOB, "/budget").await.contains("llama"));
    insta::assert_snapshot!(world.say(ANN, "/budget day 5").await, @"
    Day: $0 of $5.00 spent today (UTC)
    ⚠️ No budget holds local/llama back: without a known price a call counts as $0.
    ");
    assert!(world.say(BOB, "/budget").await.contains("local/llama"));
    world.say(ANN, "/agents set coder model scripted/two").await;
    assert!(!world.say(BOB, "/budget").await.contains("No budget"));
}
