//! A team of fakes with a worker: `team.says("run: ls")`, then read the transcript.

use super::{dying::DyingStore, rehearsal::rehearse};
use crate::{
    CommandError, Draft, HandlerError, Home, Lease, Problem, agents, ask, audit, circulate,
    commit_with, decide, ingest, knowledge::Reader, outage, queries, run, send, tick, tool,
};
use domain::{
    approval::{Approval, ApprovalStatus, Choice, Question},
    id::{ApprovalId, MemberId, RunId, SessionId},
    member::{Member, Role},
    run::{Entry, Event, RunSummary},
    session::Session,
};
use ports::{
    job::{Circulate, Ingest, Outage, RunStep, Tick, Work, lane},
    message::{Body, Outgoing},
    model::{ModelRef, Models},
    repo::{self, Stored, settings::Setting},
    sandbox::Cancel,
    store::{Claim, Job, Op},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use testkit::{
    extract::PlainExtract, home::TestHome, presenter::PlainPresenter,
    scripted_model::ScriptedModel, search::MemoryIndex, workspace::MemoryWorkspace,
};

pub const LEASE: Duration = Duration::from_secs(60);
pub const SEAL_KEY: &[u8] = b"a key from outside the database";

pub struct Team {
    pub fakes: TestHome,
    pub store: Arc<DyingStore>,
    pub home: Home,
    pub model: ScriptedModel,
    pub run: run::RunPorts,
    pub send: send::SendPorts,
    pub tick: tick::TickPorts,
    pub ingest: ingest::IngestPorts,
    pub session: SessionId,
    pub ann: Member,
    /// The time that a step has.
    pub step: Duration,
    /// Whether steps in the lane `run` are done where no workspace is.
    pub functions: bool,
    /// The lanes of the runs' steps.
    pub lanes: Mutex<Vec<String>>,
    lines: Mutex<Vec<String>>,
    shown: Mutex<usize>,
    /// What failed for good, by job.
    pub failures: Mutex<Vec<String>>,
}

/// How the worker's round ended.
#[derive(PartialEq, Debug)]
pub enum Ended {
    Idle,
    Died,
}

/// Somebody, where nobody reads along.
pub fn alone(member: &Member) -> Reader<'_> {
    Reader {
        member,
        alone: true,
    }
}

impl Team {
    pub async fn new() -> Self {
        Self::with(ScriptedModel::answering(rehearse)).await
    }

    pub async fn with(model: ScriptedModel) -> Self {
        let fakes = TestHome::default();
        let store = Arc::new(DyingStore::new(fakes.store.clone()));
        let home = Home {
            team: fakes.team.clone(),
            store: store.clone(),
            blobs: fakes.blobs.clone(),
            clock: fakes.clock.clone(),
            chance: fakes.chance.clone(),
            presenter: Arc::new(PlainPresenter),
        };
        let default = ModelRef {
            provider: "scripted".to_owned(),
            model: "one".to_owned(),
        };
        let providers = BTreeMap::from([(
            "scripted".to_owned(),
            Arc::new(model.clone()) as Arc<dyn ports::Model>,
        )]);
        let run = run::RunPorts {
            home: home.clone(),
            models: Models {
                providers,
                default,
                tiers: BTreeMap::new(),
            },
            workbench: Some(run::Workbench {
                sandbox: fakes.sandbox.clone(),
                workspaces: fakes.workspaces.clone(),
            }),
            index: fakes.index.clone(),
            progress: fakes.progress.clone(),
            tools: tool::all(),
            presets: catalog::policies().unwrap().into(),
            approval_expiry: Duration::from_secs(24 * 3600),
            model_timeout: Duration::from_secs(120),
        };
        let messengers = BTreeMap::from([(
            "chat".to_owned(),
            fakes.messenger.clone() as Arc<dyn ports::Messenger>,
        )]);
        let send = send::SendPorts {
            home: home.clone(),
            messengers,
        };
        let tick = tick::TickPorts {
            home: home.clone(),
            seal_key: SEAL_KEY.into(),
        };
        let ingest = ingest::IngestPorts {
            home: home.clone(),
            extract: Arc::new(PlainExtract::default()),
            index: Arc::new(MemoryIndex::new()),
        };
        let ann = member("ann", Role::Owner, "chat:1");
        let team = Self {
            session: SessionId::new("chat:1"),
            step: Duration::from_secs(600),
            functions: false,
            lanes: Mutex::default(),
            lines: Mutex::default(),
            shown: Mutex::default(),
            failures: Mutex::default(),
            fakes,
            store,
            home,
            model,
            run,
            send,
            tick,
            ingest,
            ann,
        };
        let templates = catalog::agents().unwrap();
        commit_with(&team.home, || agents::seed(&team.home, &templates))
            .await
            .unwrap();
        team.put(&team.ann.clone()).await;
        team
    }

    /// Puts a record over whatever is there.
    pub async fn put<T: repo::Entity + Clone>(&self, value: &T) {
        let before = repo::get::<T>(&*self.home.store, &self.home.team, &value.id())
            .await
            .unwrap();
        let op = repo::put(&self.home.team, value, before.map(|before| before.version)).unwrap();
        crate::commit(&self.home, vec![op]).await.unwrap();
    }

    pub async fn get<T: repo::Entity>(&self, id: &str) -> Option<T> {
        repo::get::<T>(&*self.home.store, &self.home.team, id)
            .await
            .unwrap()
            .map(|stored: Stored<T>| stored.value)
    }

    pub async fn setting(&self, name: &str, value: serde_json::Value) {
        self.put(&Setting {
            name: name.to_owned(),
            value,
        })
        .await;
    }

    /// Another member of the team.
    pub async fn joins(&self, name: &str, role: Role) -> Member {
        let member = member(name, role, &format!("chat:{name}"));
        self.put(&member).await;
        member
    }

    /// Does a command as a front door does it, in one commit.
    pub async fn does<T, F>(&self, draft: impl FnMut() -> F) -> Result<T, Problem>
    where
        F: Future<Output = Result<Draft<T>, CommandError>>,
    {
        let left = self.store.pause();
        let result = commit_with(&self.home, draft).await;
        self.store.go_on(left);
        match result {
            Ok(fact) => Ok(fact),
            Err(CommandError::Problem(problem)) => Err(problem),
            Err(other) => panic!("{other}"),
        }
    }

    /// Ann writes; nobody works on it yet.
    pub async fn writes(&self, text: &str) -> Result<ask::Asked, Problem> {
        self.line(format!("ann> {}", text.replace('\n', " ⏎ ")));
        self.does(|| ask::ask(&self.home, &self.ann, &self.session, text, None))
            .await
    }

    /// Ann writes, and the workers work until nothing is due.
    pub async fn says(&self, text: &str) -> ask::Asked {
        let asked = self.writes(text).await.unwrap();
        self.work().await;
        asked
    }

    pub async fn choose(
        &self,
        who: &Member,
        approval: &ApprovalId,
        choice: Choice,
    ) -> Result<decide::Decision, Problem> {
        self.line(format!("{}> ({choice:?})", who.name));
        let card = self.get::<Approval>(approval.as_str()).await;
        let digest = card.map(|card| card.digest);
        let shown = digest.as_ref().map(domain::Digest::short);
        self.does(|| decide::decide(&self.home, who, approval, &choice, shown))
            .await
    }

    /// Ann decides about the oldest card that waits, and the workers work.
    pub async fn decides(&self, choice: Choice) -> decide::Decision {
        let approval = self.card().await;
        let decision = self.choose(&self.ann, &approval.id, choice).await.unwrap();
        self.work().await;
        decision
    }

    /// Cards that wait, oldest first.
    pub async fn cards(&self) -> Vec<Approval> {
        let stored =
            repo::collect::<Approval>(&*self.fakes.store, repo::all::<Approval>(&self.home.team))
                .await
                .unwrap();
        stored
            .into_iter()
            .map(|stored| stored.value)
            .filter(|approval| approval.status == ApprovalStatus::Pending)
            .collect()
    }

    pub async fn all_cards(&self) -> Vec<Approval> {
        let stored =
            repo::collect::<Approval>(&*self.fakes.store, repo::all::<Approval>(&self.home.team))
                .await
                .unwrap();
        stored.into_iter().map(|stored| stored.value).collect()
    }

    /// The one card that waits.
    pub async fn card(&self) -> Approval {
        self.cards()
            .await
            .into_iter()
            .next()
            .expect("a card that waits")
    }

    /// Decides as a patient person would, until nothing is asked any more: approves calls, and says that what is unknown happened.
    pub async fn answers_everything(&self) {
        while let Some(card) = self.cards().await.into_iter().next() {
            let choice = match card.question {
                Question::Call => Choice::Approve,
                Question::Unknown => Choice::Happened,
                Question::Budget => Choice::Raise,
            };
            self.decides(choice).await;
        }
    }

    pub fn workspace(&self) -> Arc<MemoryWorkspace> {
        self.fakes.workspaces.of(&self.session)
    }

    pub async fn talk(&self) -> Session {
        self.get::<Session>(self.session.as_str())
            .await
            .expect("a session")
    }

    /// The latest run.
    pub async fn latest(&self) -> RunSummary {
        queries::runs(&self.home, None, 1)
            .await
            .unwrap()
            .into_iter()
            .next()
            .expect("a run")
    }

    pub async fn journal(&self, run: &RunId) -> Vec<Entry> {
        queries::journal(&self.home, run).await.unwrap()
    }

    pub async fn events(&self, run: &RunId) -> Vec<Event> {
        self.journal(run)
            .await
            .into_iter()
            .map(|entry| entry.event)
            .collect()
    }

    /// Nothing in the audit is broken.
    pub async fn audit_holds(&self) {
        let verified = audit::verify(&self.home, SEAL_KEY).await.unwrap();
        assert_eq!(verified.findings, []);
        assert!(verified.entries > 0);
    }

    /// Works as the only worker, until nothing is due.
    pub async fn work(&self) -> Ended {
        let mut rounds = 0;
        while let Some(job) = self.claim().await {
            rounds += 1;
            assert!(rounds < 1000, "the work does not end");
            let cancel = Cancel::default();
            let worked = tokio::select! {
                worked = self.perform(&job, cancel) => worked,
                () = self.store.death() => {
                    self.read_messages();
                    return Ended::Died;
                }
            };
            let died = tokio::select! {
                () = self.settle(&job, worked) => false,
                () = self.store.death() => true,
            };
            self.read_messages();
            if died {
                return Ended::Died;
            }
        }
        Ended::Idle
    }

    pub async fn claim(&self) -> Option<Job> {
        let claim = Claim {
            lanes: lane::ALL.map(str::to_owned).to_vec(),
            worker: "test".to_owned(),
            now: self.home.now(),
            lease: LEASE,
            limit: 1,
        };
        self.home.store.claim(claim).await.unwrap().jobs.pop()
    }

    pub async fn perform(&self, job: &Job, cancel: Cancel) -> Result<(), HandlerError> {
        let deadline = self.home.now().plus(self.step);
        let lease = Lease {
            job: job.clone(),
            cancel,
            deadline,
        };
        match job.name.as_str() {
            RunStep::NAME => {
                let mut ports = self.run.clone();
                if self.functions && job.lane == lane::RUN {
                    ports.workbench = None;
                }
                self.lanes.lock().unwrap().push(job.lane.clone());
                run::step(&ports, &lease, &serde_json::from_str(&job.payload).unwrap()).await
            }
            <Outgoing as Work>::NAME => {
                send::send(
                    &self.send,
                    &lease,
                    &serde_json::from_str(&job.payload).unwrap(),
                )
                .await
            }
            Circulate::NAME => {
                circulate::circulate(
                    &self.home,
                    &lease,
                    &serde_json::from_str(&job.payload).unwrap(),
                )
                .await
            }
            Tick::NAME => tick::tick(&self.tick, &lease).await,
            Outage::NAME => {
                let work = serde_json::from_str(&job.payload).unwrap();
                outage::outage(&self.home, &lease, &work).await
            }
            Ingest::NAME => {
                let work = serde_json::from_str(&job.payload).unwrap();
                ingest::ingest(&self.ingest, &lease, &work).await
            }
            other => panic!("no handler named {other}"),
        }
    }

    async fn settle(&self, job: &Job, worked: Result<(), HandlerError>) {
        let (id, epoch) = (job.id.clone(), job.epoch);
        let op = match worked {
            Ok(()) | Err(HandlerError::LeaseLost) => return,
            Err(HandlerError::Retry { after, error }) => {
                self.failures
                    .lock()
                    .unwrap()
                    .push(format!("{}: again: {error}", job.name));
                let due = self
                    .home
                    .now()
                    .plus(after.unwrap_or(Duration::from_secs(2)));
                Op::Postpone {
                    job: id,
                    epoch,
                    due,
                    error,
                    counted: true,
                }
            }
            Err(HandlerError::Fail(error)) => {
                self.failures
                    .lock()
                    .unwrap()
                    .push(format!("{}: {error}", job.name));
                Op::SetAside {
                    job: id,
                    epoch,
                    error,
                }
            }
        };
        for _ in 0..4 {
            match crate::commit(&self.home, vec![op.clone()]).await {
                Err(ports::store::StoreError::Unavailable(_)) => {}
                other => return other.unwrap(),
            }
        }
        panic!("the store stays away");
    }

    /// Time passes, then the workers work.
    pub async fn waits(&self, span: Duration) {
        self.fakes.clock.advance(span);
        self.work().await;
    }

    fn line(&self, line: String) {
        self.read_messages();
        self.lines.lock().unwrap().push(line);
    }

    fn read_messages(&self) {
        let arrived = self.fakes.messenger.arrived();
        let mut shown = self.shown.lock().unwrap();
        let mut lines = self.lines.lock().unwrap();
        for sending in &arrived[*shown..] {
            let (mark, text) = plain(&sending.message.body);
            let again = if sending.again { " (again)" } else { "" };
            let place = if sending.message.to == self.session {
                String::new()
            } else {
                format!("@{} ", sending.message.to)
            };
            lines.push(format!("{mark}> {place}{text}{again}"));
        }
        *shown = arrived.len();
    }

    /// What was said since the last transcript.
    pub fn transcript(&self) -> String {
        self.read_messages();
        std::mem::take(&mut *self.lines.lock().unwrap()).join("\n")
    }

    /// Nothing failed, nothing is left to do.
    pub fn is_quiet(&self) {
        assert_eq!(*self.failures.lock().unwrap(), Vec::<String>::new());
        assert_eq!(
            self.fakes
                .store
                .jobs()
                .iter()
                .map(|job| &job.name)
                .collect::<Vec<_>>(),
            Vec::<&String>::new()
        );
    }
}

fn plain(body: &Body) -> (&'static str, String) {
    match body {
        Body::Text { text, .. } => ("bot", text.text.clone()),
        Body::Card { card } => ("bot", card.title.clone()),
        Body::EditCard { card, .. } => ("edit", card.title.clone()),
        Body::File { name, .. } => ("file", name.clone()),
        Body::Toast { text, .. } => ("toast", text.clone()),
        Body::Leave => ("bot", "(leaves)".to_owned()),
    }
}

pub fn member(name: &str, role: Role, home: &str) -> Member {
    Member {
        id: MemberId::new(format!("chat:{name}")),
        name: name.to_owned(),
        role,
        zone: String::new(),
        home: home.to_owned(),
        away: None,
        created_at: testkit::clock::MONDAY,
    }
}
