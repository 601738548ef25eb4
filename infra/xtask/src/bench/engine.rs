//! The run engine as the local process has it (handlers, SQLite, blobs in files, the catalog's rules and tools), with a
//! model in process that calls a harmless tool again and again, and a worker loop as small as can be.

use anyhow::{Result, bail};
use async_trait::async_trait;
use blob_fs::FsBlobs;
use domain::{
    MicroUsd, Micros, Usage,
    agent::{Agent, AgentStatus},
    id::{AgentId, CallId, MemberId, SessionId, TeamId},
    member::{Member, Role},
    message::Message,
    permission::Permissions,
    run::RunStatus,
    tool::ToolCall,
};
use handlers::{
    Home, Lease, ask, commit, commit_with, queries,
    run::{self, RunPorts, Workbench},
};
use ports::{
    Clock, Model, Progress, Store,
    job::{RunStep, lane},
    model::{ModelError, ModelRef, ModelReply, ModelRequest, Models, OnText},
    progress::Report,
    repo,
    sandbox::Cancel,
    store::{Claim, Job},
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use store_sqlite::{Options, SqliteStore};
use testkit::{
    chance::TestChance, presenter::PlainPresenter, sandbox::ScriptedSandbox, search::MemoryIndex,
    workspace::MemoryWorkspaces,
};
use tokio::task::JoinSet;

use super::measure::text_of;

const AGENT: &str = "assistant";

pub struct Engine {
    ports: Arc<RunPorts>,
    member: Member,
}

/// A store with `synchronous=FULL` in this directory.
pub async fn open_store(directory: &Path, name: &str) -> Result<SqliteStore> {
    Ok(SqliteStore::open(text_of(&directory.join(name))?, Options::default()).await?)
}

impl Engine {
    /// With an agent of `steps` tool calls a run.
    pub async fn new(store: Arc<dyn Store>, directory: &Path, steps: usize) -> Result<Self> {
        let home = Home {
            team: TeamId::new("home"),
            store,
            blobs: Arc::new(FsBlobs::new(directory.join("blobs"))),
            clock: Arc::new(SystemClock),
            chance: Arc::new(TestChance::default()),
            presenter: Arc::new(PlainPresenter),
        };
        let member = member(home.now());
        let ops = vec![
            repo::create(&home.team, &member)?,
            repo::create(&home.team, &agent(home.now())?)?,
        ];
        commit(&home, ops).await?;
        let model: Arc<dyn Model> = Arc::new(Looped { steps });
        let ports = Arc::new(RunPorts {
            home,
            models: Models {
                providers: BTreeMap::from([("looped".to_owned(), model)]),
                default: ModelRef {
                    provider: "looped".to_owned(),
                    model: "looped".to_owned(),
                },
                tiers: BTreeMap::new(),
            },
            workbench: Some(Workbench {
                sandbox: Arc::new(ScriptedSandbox::default()),
                workspaces: Arc::new(MemoryWorkspaces::default()),
            }),
            index: Arc::new(MemoryIndex::new()),
            progress: Arc::new(Nobody),
            tools: handlers::tool::all(),
            presets: catalog::policies()?.into(),
            approval_expiry: Duration::from_secs(3600),
            model_timeout: Duration::from_secs(60),
        });
        Ok(Self { ports, member })
    }

    /// Asks for runs, each in a session of its own; none of them works yet.
    pub async fn ask(&self, runs: usize) -> Result<()> {
        let home = &self.ports.home;
        for _ in 0..runs {
            let session = SessionId::new(format!("bench:{}", home.chance.id()));
            commit_with(home, || {
                ask::ask(
                    home,
                    &self.member,
                    &session,
                    "Do nothing, many times.",
                    None,
                )
            })
            .await?;
        }
        Ok(())
    }

    /// Works on the runs that were asked for, so many at once, until all of them are over.
    pub async fn work(&self, at_once: usize) -> Result<()> {
        let mut working = JoinSet::new();
        loop {
            let free = at_once - working.len();
            if free > 0 {
                for job in self.claim(free).await? {
                    working.spawn(step(self.ports.clone(), job));
                }
            }
            match working.join_next().await {
                Some(done) => done??,
                None => return Ok(()),
            }
        }
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Job>> {
        let claim = Claim {
            lanes: vec![lane::RUN.to_owned()],
            worker: "bench".to_owned(),
            now: self.ports.home.now(),
            lease: Duration::from_secs(600),
            limit: u32::try_from(limit)?,
        };
        Ok(self.ports.home.store.claim(claim).await?.jobs)
    }

    /// Fails unless every run has answered: a run that failed early was fast for nothing.
    pub async fn check(&self) -> Result<()> {
        let home = &self.ports.home;
        let query = repo::all::<domain::run::RunSummary>(&home.team);
        for run in repo::collect::<domain::run::RunSummary>(&*home.store, query).await? {
            let run = run.value;
            if run.status != RunStatus::Answered {
                let journal = queries::journal(home, &run.id).await?;
                bail!("run {} is {:?}: {:?}", run.id, run.status, journal.last());
            }
        }
        Ok(())
    }
}

async fn step(ports: Arc<RunPorts>, job: Job) -> Result<()> {
    let work: RunStep = serde_json::from_str(&job.payload)?;
    let deadline = ports.home.now().plus(Duration::from_secs(600));
    let lease = Lease {
        job,
        cancel: Cancel::default(),
        deadline,
    };
    Ok(run::step(&ports, &lease, &work).await?)
}

/// Calls a tool that finds nothing in an empty workspace, each time for another text (a repeated call is refused), and
/// answers after so many. (The testkit's model keeps every request, which would be measured too.)
struct Looped {
    steps: usize,
}

#[async_trait]
impl Model for Looped {
    async fn complete(
        &self,
        request: &ModelRequest,
        on_text: OnText<'_>,
    ) -> Result<ModelReply, ModelError> {
        let is_output = |message: &&Message| matches!(message, Message::Tool { .. });
        let done = request.messages.iter().filter(is_output).count();
        let mut reply = ModelReply {
            text: String::new(),
            calls: Vec::new(),
            usage: Usage {
                input: 100,
                output: 10,
                ..Usage::default()
            },
            cost: MicroUsd::ZERO,
            priced: false,
            truncated: false,
        };
        if done < self.steps {
            reply.calls.push(ToolCall {
                id: CallId::new(format!("call-{done}")),
                name: "search_files".to_owned(),
                arguments: json!({"text": format!("step {done}")}),
                malformed: None,
            });
        } else {
            reply.text = "Nothing was done.".to_owned();
            on_text(&reply.text);
        }
        Ok(reply)
    }

    fn ceiling(&self, _: &ModelRequest) -> MicroUsd {
        MicroUsd::ZERO
    }

    fn is_priced(&self, _: &str) -> bool {
        true
    }
}

/// Nobody watches.
struct Nobody;

impl Progress for Nobody {
    fn report(&self, _: Report) {}
}

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Micros {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = since.unwrap_or_default().as_micros();
        Micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

fn member(now: Micros) -> Member {
    Member {
        id: MemberId::new("owner"),
        name: "Owner".to_owned(),
        role: Role::Owner,
        zone: String::new(),
        home: String::new(),
        away: None,
        created_at: now,
    }
}

/// The catalog's first agent, with limits that nothing here reaches.
fn agent(now: Micros) -> Result<Agent> {
    let Some(template) = catalog::agents()?.into_iter().next() else {
        bail!("the catalog has no agent")
    };
    let mut metadata = template.metadata;
    let limits = json!({"steps": 1_000_000, "tokens": 1_000_000_000_u64, "cost": 1_000_000_000, "wall_s": 86_400});
    metadata.insert("limits".to_owned(), limits);
    Ok(Agent {
        id: AgentId::new(AGENT),
        name: template.name,
        description: template.description,
        system_prompt: template.system_prompt,
        model: String::new(),
        provider: String::new(),
        fallbacks: Vec::new(),
        skills: Vec::new(),
        knowledge_ids: Vec::new(),
        permissions: Permissions {
            preset: template.preset,
            rules: Vec::new(),
        },
        metadata,
        status: AgentStatus::Active,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}
