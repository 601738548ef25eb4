//! A world: the program with its data directory, Telegram, the model and the people, from its first start to its last check.

use super::{
    chance::Chance,
    check, knowledge,
    person::Person,
    plan::{Moody, SECRET},
    served,
    summary::{Summary, name},
};
use crate::flows::{Balancer, Program, code_of};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;
use tests::servers::{
    model::{FakeModel, Script},
    telegram::{FakeTelegram, Fault, Message, PushStyle, User},
};

pub const KEY: &str = "sk-made-up-key-of-the-crash-machine-0815";
/// A life that is to end by a kill lets so much time pass whenever nobody has anything to do.
const PAUSE: i64 = 8;
/// So often in a row, then nothing more will come, and the process is killed as it is. In all less than a lease.
const PAUSES: u32 = 3;
/// And a life is over when so much came of it: there are tasks for all of them.
const FULL: usize = 90;
/// In the last life time passes so often, then something is lost.
const RESTS: u32 = 100;
/// Who works for so long without anything to show for it does so for ever.
const HANGS: Duration = Duration::from_secs(120);
/// Longer than a lease.
const LEASE: i64 = 35;
/// Longer than what is no more stays.
const HOUR: i64 = 3_660;
/// Of a hundred lives, those between which an hour passes: what is no more is deleted in the next one.
const LATE: u64 = 25;
/// Where a process dies, and after how often it got there at most.
const POINTS: [(&str, u64); 21] = [
    ("commit-before", 20),
    ("commit-after", 20),
    ("model-before", 6),
    ("model-after", 6),
    ("effect-before", 3),
    ("effect-after", 3),
    ("server-before", 2),
    ("server-after", 2),
    ("write-before", 2),
    ("write-after", 2),
    ("send-before", 5),
    ("send-after", 5),
    ("blob-before", 8),
    ("blob-after", 8),
    ("extract-before", 2),
    ("extract-amid", 2),
    ("extract-after", 2),
    ("ingest-before", 5),
    ("ingest-after", 5),
    ("merge-before", 2),
    ("merge-after", 2),
];
/// Of a hundred worlds, those whose agent knows the documents.
const ASKING: u64 = 30;
/// One in so many worlds is exported while it runs, and imported elsewhere.
const EXPORTED: u64 = 8;

pub struct World {
    pub seed: u64,
    pub tg: FakeTelegram,
    pub model: FakeModel,
    pub program: Program,
    pub people: Vec<Person>,
    /// In a world with a webhook, what keeps its port while nobody is up.
    door: Option<Balancer>,
    chance: Chance,
    clock: PathBuf,
    /// The tool server's program.
    _server: TempDir,
    /// How far the clock will have come, and how far it is: at times it runs backwards.
    ahead: i64,
    shown: i64,
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
        let mut door = None;
        if chance.percent(50) {
            let (balancer, public) = Balancer::start().await;
            program.set("COUNTERSIGN_PUBLIC_URL", &public);
            door = Some(balancer);
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
        knowledge::come_and_go(&program).await;
        let server = served::serve(&program).await;
        // Then the runs look up what people send, and are tainted by it.
        if chance.percent(ASKING) {
            for arguments in [&["create", "docs"][..], &["attach", "docs", "coder"]] {
                let made = program.run(&[&["knowledge"], arguments].concat()).await;
                assert_eq!(made.0, 0, "{made:?}");
            }
        }
        program.up().await;
        if let Some(door) = &door {
            door.add(program.address().await);
        }
        let people = people(&tg, &program, seed).await;
        let summary = Summary::default();
        let mut world = Self {
            seed,
            tg,
            model,
            program,
            people,
            door,
            chance,
            clock,
            _server: server,
            ahead: 0,
            shown: 0,
            printed: String::new(),
            summary,
        };
        world.program.quiet().await;
        world.stop().await;
        world
    }

    /// One life of the process, ended by a kill.
    async fn live_and_die(&mut self) {
        let (point, most) = *self.chance.pick(&POINTS);
        let nth = 1 + self.chance.below(most);
        let named = self.chance.percent(80);
        let at_any_time = Duration::from_millis(self.chance.below(1500));
        if named {
            let at = format!("{point}:{nth}");
            self.program.set("COUNTERSIGN_CRASH_AT", &at);
        }
        self.program.spawn();
        let (began, first) = (Instant::now(), self.progress());
        let (mut seen, mut since, mut is_open, mut pauses) = (first, began, false, 0);
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        while (named || began.elapsed() < at_any_time)
            && pauses < PAUSES
            && seen < first + FULL
            && self.program.is_up()
        {
            looks.tick().await;
            is_open = is_open || self.opens();
            self.people.iter_mut().for_each(Person::look);
            if self.progress() != seen {
                (seen, since, pauses) = (self.progress(), Instant::now(), 0);
                self.bad_luck();
            } else if is_open && self.is_at_rest() {
                (since, pauses) = (Instant::now(), pauses + 1);
                self.time_passes(PAUSE);
            }
            assert!(since.elapsed() < HANGS, "{}", self.report("it hangs"));
        }
        let died = !self.program.is_up();
        self.stop().await;
        let how = if named && died { point } else { "at any time" };
        *self.summary.by_point.entry(how).or_default() += 1;
        self.program.unset("COUNTERSIGN_CRASH_AT");
        // What only time does after a crash; at times it runs backwards, as when somebody sets the clock.
        let late = self.chance.percent(LATE);
        self.time_passes(if late { HOUR } else { LEASE });
        let back = if self.chance.percent(15) { 600 } else { 0 };
        self.set_clock(self.ahead - back);
    }

    /// Whether the process has come so far that it can be talked to.
    fn opens(&self) -> bool {
        let address = self.program.address_now();
        let is_up = address.is_some() && self.program.printed().contains("ready");
        if let (true, Some(door), Some(address)) = (is_up, &self.door, address) {
            door.add(address);
        }
        is_up
    }

    fn progress(&self) -> usize {
        self.people.iter().map(Person::progress).sum()
    }

    async fn stop(&mut self) {
        if let Some(door) = &self.door {
            door.clear();
        }
        self.program.kill().await;
        self.printed.push_str(&self.program.printed());
        self.printed.push('\n');
    }

    /// And people look again at what they decided.
    fn time_passes(&mut self, seconds: i64) {
        self.people.iter_mut().for_each(Person::grow_impatient);
        self.ahead += seconds;
        self.set_clock(self.ahead);
    }

    fn set_clock(&mut self, ahead: i64) {
        self.shown = ahead;
        let draft = self.clock.with_extension("new");
        std::fs::write(&draft, ahead.to_string()).unwrap();
        std::fs::rename(draft, &self.clock).unwrap();
    }

    /// Now and then something goes wrong between the program and Telegram.
    fn bad_luck(&mut self) {
        if !self.chance.percent(30) {
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
        self.program.address().await;
        self.opens();
        if self.seed.is_multiple_of(EXPORTED) {
            self.moves_elsewhere().await;
        }
        let (mut seen, mut since, mut rests) = (0, Instant::now(), 0);
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        while !self.people.iter().all(Person::is_done) || !check::is_quiet(&self.program) {
            looks.tick().await;
            self.people.iter_mut().for_each(Person::look);
            if self.progress() != seen {
                (seen, since) = (self.progress(), Instant::now());
            } else if self.is_at_rest() {
                (since, rests) = (Instant::now(), rests + 1);
                let done = self.people.iter().all(Person::is_done);
                self.time_passes(if done { HOUR } else { LEASE });
            }
            let problem = match () {
                () if !self.program.is_up() => "the program ended by itself",
                () if rests > RESTS => "it does not come to rest",
                () if since.elapsed() > HANGS => "it hangs",
                () => continue,
            };
            panic!("{}", self.report(problem));
        }
    }

    /// Nothing will happen until time passes or somebody says something.
    fn is_at_rest(&mut self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = i64::try_from(now.as_micros()).unwrap() + self.shown * 1_000_000;
        // In this order: what arrives is a job before Telegram is rid of it.
        // And not after its death: a connection that is the last one tidies up.
        self.tg.pending_updates() == 0
            && self.program.is_up()
            && check::is_at_rest(&self.program, now)
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

    pub fn count(&mut self, what: &'static str, count: usize) {
        *self.summary.counts.entry(what).or_default() += count as u64;
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
