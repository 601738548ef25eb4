//! A world: the program with its data directory, Telegram, the model and the people, from its first start to its last check.

use super::{
    chance::Chance,
    check,
    person::Person,
    plan::{Moody, SECRET},
};
use crate::flows::{Program, code_of};
use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tests::servers::{
    model::{FakeModel, Script},
    telegram::{FakeTelegram, Fault, Message, PushStyle, User},
};

pub const KEY: &str = "sk-made-up-key-of-the-crash-machine-0815";
/// Without anything new to see for so long the machine lets time pass.
const STUCK: Duration = Duration::from_millis(700);
/// In a life the same, but less time: a lease may still hold.
const IDLE: Duration = Duration::from_millis(300);
const PAUSE: i64 = 8;
/// So often, then nothing more will come, and the process is killed as it is. In all less than a lease.
const PAUSES: u32 = 3;
/// A world that needs longer than this after its last kill has lost something.
const LONGEST: Duration = Duration::from_secs(120);
/// Longer than a lease.
const LEASE: i64 = 35;
/// Where a process dies, and after how often it got there at most.
const POINTS: [(&str, u64); 10] = [
    ("commit-before", 20),
    ("commit-after", 20),
    ("model-before", 6),
    ("model-after", 6),
    ("effect-before", 3),
    ("effect-after", 3),
    ("write-before", 2),
    ("write-after", 2),
    ("send-before", 5),
    ("send-after", 5),
];
/// One in so many worlds is exported while it runs, and imported elsewhere.
const EXPORTED: u64 = 8;

pub struct World {
    pub seed: u64,
    pub tg: FakeTelegram,
    pub model: FakeModel,
    pub program: Program,
    pub people: Vec<Person>,
    chance: Chance,
    clock: PathBuf,
    ahead: i64,
    /// What all lives printed.
    pub printed: String,
    summary: Summary,
}

impl World {
    /// Plays it and checks it.
    pub async fn play(seed: u64, kills: u64) -> Summary {
        let mut world = Self::begin(seed).await;
        for _ in 0..kills {
            world.live_and_die().await;
        }
        world.come_to_rest().await;
        let problems = check::check(&mut world).await;
        assert!(
            problems.is_empty(),
            "{}",
            world.report(&problems.join("\n"))
        );
        world.summary
    }

    async fn begin(seed: u64) -> Self {
        let mut chance = Chance::of(seed, "world");
        let tg = FakeTelegram::start().await;
        let moody = Arc::new(Moody::new(seed));
        let script = Script::answering(move |asked| moody.reply(asked));
        let model = FakeModel::start_with_key(script, KEY).await.unwrap();
        let mut program = Program::new(&tg);
        let clock = program.home().join("clock");
        program.set("COUNTERSIGN_CRASH_CLOCK", &clock.to_string_lossy());
        program.set("ANTHROPIC_API_KEY", KEY);
        program.set("ANTHROPIC_BASE_URL", &model.url());
        if chance.percent(50) {
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let listen = port.local_addr().unwrap().to_string();
            program.set("COUNTERSIGN_LISTEN", &listen);
            program.set("COUNTERSIGN_PUBLIC_URL", &format!("http://{listen}"));
            let backoff = Duration::from_millis(100);
            let newest_first = chance.percent(30);
            tg.push_style(PushStyle {
                copies: 2,
                newest_first,
                backoff,
            });
        }
        program.set(
            "COUNTERSIGN_SECRETS_KEY",
            "the-key-of-the-crash-machines-secrets",
        );
        if chance.percent(50) {
            program.set("TELEGRAM_PACED", "false");
        }
        let set = program
            .run_with(&["secrets", "set", "PASTED"], SECRET)
            .await;
        assert_eq!(set.0, 0, "{set:?}");
        program.up().await;
        let people = people(&tg, &program, seed).await;
        let summary = Summary::default();
        let mut world = Self {
            seed,
            tg,
            model,
            program,
            people,
            chance,
            clock,
            ahead: 0,
            printed: String::new(),
            summary,
        };
        world.program.quiet().await;
        world.stop().await;
        world
    }

    /// One life of the process, ended by a kill.
    async fn live_and_die(&mut self) {
        let named = self.chance.percent(80);
        let (point, most) = *self.chance.pick(&POINTS);
        let nth = 1 + self.chance.below(most);
        let span = match named {
            true => {
                self.program
                    .set("COUNTERSIGN_CRASH_AT", &format!("{point}:{nth}"));
                Duration::from_secs(4)
            }
            false => Duration::from_millis(self.chance.below(1500)),
        };
        self.program.spawn();
        let until = Instant::now() + span;
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        let (mut seen, mut since, mut pauses) = (0, Instant::now(), 0);
        while Instant::now() < until && pauses < PAUSES && self.program.is_up() {
            looks.tick().await;
            self.people.iter_mut().for_each(Person::look);
            self.bad_luck();
            let progress = self.people.iter().map(Person::progress).sum();
            if progress != seen {
                (seen, since, pauses) = (progress, Instant::now(), 0);
            } else if since.elapsed() > IDLE && self.program.printed().contains("ready") {
                self.time_passes(PAUSE);
                (since, pauses) = (Instant::now(), pauses + 1);
            }
        }
        let died = !self.program.is_up();
        self.stop().await;
        let how = if named && died { point } else { "at any time" };
        *self.summary.by_point.entry(how).or_default() += 1;
        self.program.unset("COUNTERSIGN_CRASH_AT");
        // What only time does after a crash; at times it runs backwards, as when somebody sets the clock.
        self.time_passes(LEASE);
        let back = if self.chance.percent(15) { 600 } else { 0 };
        self.set_clock(self.ahead - back);
    }

    async fn stop(&mut self) {
        self.program.kill().await;
        self.printed.push_str(&self.program.printed());
        self.printed.push('\n');
    }

    fn time_passes(&mut self, seconds: i64) {
        self.ahead += seconds;
        self.set_clock(self.ahead);
    }

    fn set_clock(&self, ahead: i64) {
        let draft = self.clock.with_extension("new");
        std::fs::write(&draft, ahead.to_string()).unwrap();
        std::fs::rename(draft, &self.clock).unwrap();
    }

    /// Now and then something goes wrong between the program and Telegram.
    fn bad_luck(&mut self) {
        if !self.chance.percent(6) {
            return;
        }
        let methods = [
            "sendMessage",
            "editMessageText",
            "answerCallbackQuery",
            "getUpdates",
            "*",
        ];
        let method = *self.chance.pick(&methods);
        let fault = match self.chance.below(6) {
            0 => Fault::TooManyRequests(1),
            1 => Fault::InternalServerError,
            2 => Fault::BadGateway,
            3 => Fault::DropBefore,
            4 => Fault::DropAfter,
            _ => Fault::Delay(Duration::from_millis(self.chance.below(200))),
        };
        *self.summary.faults.entry(name(&fault)).or_default() += 1;
        self.tg.inject(method, fault);
    }

    /// The last life: nobody is unlucky any more, and everybody gets to the end of what they wanted.
    async fn come_to_rest(&mut self) {
        self.tg.clear_faults();
        self.time_passes(LEASE + 600);
        self.people
            .iter_mut()
            .for_each(|person| person.goes_on = false);
        self.program.up().await;
        if self.seed.is_multiple_of(EXPORTED) {
            self.moves_elsewhere().await;
        }
        let (began, mut seen, mut since) = (Instant::now(), 0, Instant::now());
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        while !self.people.iter().all(Person::is_done) || !check::is_quiet(&self.program) {
            looks.tick().await;
            self.people.iter_mut().for_each(Person::look);
            let progress = self.people.iter().map(Person::progress).sum();
            if progress != seen {
                (seen, since) = (progress, Instant::now());
            } else if since.elapsed() > STUCK {
                self.time_passes(LEASE);
                since = Instant::now();
            }
            assert!(
                self.program.is_up(),
                "{}",
                self.report("the program ended by itself")
            );
            let late = began.elapsed() > LONGEST;
            assert!(!late, "{}", self.report("it does not come to rest"));
        }
    }

    /// A copy that is taken while it runs is whole.
    async fn moves_elsewhere(&mut self) {
        let mut other = Program::new(&self.tg);
        other.set("COUNTERSIGN_CRASH_CLOCK", &self.clock.to_string_lossy());
        let key = |program: &Program| program.home().join("data/audit.key");
        std::fs::create_dir_all(other.home().join("data")).unwrap();
        std::fs::copy(key(&self.program), key(&other)).unwrap();
        let copy = other.home().join("copy").to_string_lossy().into_owned();
        let exported = self.program.run(&["export", &copy]).await;
        assert_eq!(exported.0, 0, "{}", self.report(&exported.2));
        for arguments in [&["import", &copy][..], &["audit", "verify"]] {
            let (status, out, err) = other.run(arguments).await;
            let problem = format!("elsewhere {arguments:?}: {out}{err}");
            assert_eq!(status, 0, "{}", self.report(&problem));
        }
        self.count("copies that were whole elsewhere", 1);
    }

    /// What somebody needs who wants to know why.
    pub fn report(&self, problems: &str) -> String {
        let jobs = check::jobs(&self.program);
        format!(
            "seed {} (its clock is {} s ahead): {problems}\n\nPlay it again: COUNTERSIGN_CRASH_SEED={} cargo xtask crash\n\nJobs left:\n{jobs}\n\n{}\n\nPrinted by its last life:\n{}",
            self.seed,
            self.ahead,
            self.seed,
            self.tg.transcript(),
            self.program.printed(),
        )
    }
}

/// Three with private chats, two of whom write in the topics of a group, too.
async fn people(tg: &FakeTelegram, program: &Program, seed: u64) -> Vec<Person> {
    let workspaces = program.home().join("data/workspaces");
    let [ann, bob, cid] = [(1001, "Ann"), (1002, "Bob"), (1003, "Cid")]
        .map(|(id, name)| tg.private_chat(&User::new(id, name)));
    let code = program.pairing_code().await;
    ann.send(&format!("/start {code}"));
    ann.wait_for_text("Welcome").await;
    for chat in [&bob, &cid] {
        let asked = ann.send("/invite operator");
        let is_link = |m: &Message| m.id > asked && m.text.contains("?start=");
        let code = code_of(&ann.wait_for_message(is_link).await.text);
        chat.send(&format!("/start {code}"));
        chat.wait_for_text("Welcome").await;
    }
    let group = tg.group(-100_700, "Work");
    group.add_bot(ann.person());
    let (red, blue) = (group.topic(7, "red"), group.topic(8, "blue"));
    let (bob_too, cid_too) = (bob.person().clone(), cid.person().clone());
    let places = [
        ("ann", (ann, Vec::new())),
        ("bob", (bob, Vec::new())),
        ("cid", (cid, Vec::new())),
        ("red", (red.seat(&bob_too), vec![red.seat(&cid_too)])),
        ("blue", (blue.seat(&cid_too), vec![blue.seat(&bob_too)])),
    ];
    let person = |(name, chats)| Person::new(name, chats, seed, workspaces.clone());
    places.into_iter().map(person).collect()
}

fn name(fault: &Fault) -> &'static str {
    match fault {
        Fault::TooManyRequests(_) => "429",
        Fault::InternalServerError | Fault::BadGateway => "5xx",
        Fault::DropBefore => "dropped before",
        Fault::DropAfter => "dropped after",
        Fault::Delay(_) => "delayed",
        _ => "other",
    }
}

/// What was done to worlds.
#[derive(Default)]
pub struct Summary {
    pub failed: u64,
    by_point: BTreeMap<&'static str, u64>,
    faults: BTreeMap<&'static str, u64>,
    pub counts: BTreeMap<&'static str, u64>,
}

impl Summary {
    pub fn kills(&self) -> u64 {
        self.by_point.values().sum()
    }

    pub fn add(&mut self, other: &Self) {
        for (mine, others) in [
            (&mut self.by_point, &other.by_point),
            (&mut self.faults, &other.faults),
            (&mut self.counts, &other.counts),
        ] {
            for (name, count) in others {
                *mine.entry(name).or_default() += count;
            }
        }
    }
}

impl World {
    pub fn count(&mut self, what: &'static str, count: usize) {
        *self.summary.counts.entry(what).or_default() += count as u64;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |map: &BTreeMap<&'static str, u64>| {
            let parts: Vec<String> = map
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            parts.join(", ")
        };
        writeln!(f, "{} kills: {}", self.kills(), list(&self.by_point))?;
        writeln!(f, "faults put in Telegram's way: {}", list(&self.faults))?;
        writeln!(f, "seen: {}", list(&self.counts))?;
        write!(f, "worlds that broke a promise: {}", self.failed)
    }
}
