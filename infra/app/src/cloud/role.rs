//! A function of one role: on each invocation it empties its lane, for as long as the time that is left allows.

use super::{Ground, configured, ground, tick, without_token};
use crate::{
    compose::{
        BadStart,
        alert::alert,
        mcp, models, presence, search, secrets,
        surfaces::Surfaces,
        table::Table,
        worker::{FRONT_AT_ONCE, MODEL_TIMEOUT, SEND_AT_ONCE},
    },
    config::Role,
    redacted::Redaction,
    worker::{Bench, Handlers, Lane, Pace, Worker},
};
use bot::telegram::Api;
use handlers::tool::Tools;
use ports::{SearchIndex, model::Models};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

/// At the end of an invocation, for giving back what did not finish and for waking others.
const MARGIN: Duration = Duration::from_secs(5);
/// Steps of runs that wait for models at the same time in one process.
const RUNS_AT_ONCE: usize = 4;
/// What no job but a model call takes longer than: a message to Telegram with its time-out, and a commit.
const LONGEST: Duration = Duration::from_secs(30);

/// Nobody looked for work: what woke the function has to come again. A sentence.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
#[error("{0}")]
pub struct NotDone(pub String);

/// A function's process. Whoever it needs (secrets, table) is asked by the first invocation, which gives back what woke it if one of
/// them is not there, and the next one asks again: a process that ended instead would be started again and again, for
/// the same answer.
#[derive(Default)]
pub struct Function {
    opened: OnceCell<Opened>,
    /// The log's, which is told of it once, whatever becomes of the first attempts.
    redaction: Redaction,
}

impl Function {
    /// Works until nothing is due in the lane, or until not much is left of the time. What remains is woken for.
    ///
    /// # Errors
    /// [`NotDone`], also when the configuration is wrong, or what it names cannot be had.
    pub async fn invoke(&self, left: Duration) -> Result<(), NotDone> {
        let begun = Instant::now();
        let open = || Box::pin(Opened::open(&self.redaction));
        let opened = self.opened.get_or_try_init(open).await;
        let opened = opened.map_err(|error| NotDone(error.0))?;
        opened.invoke(left.saturating_sub(begun.elapsed())).await
    }
}

/// Everything that one invocation after the other would otherwise repeat.
struct Opened {
    role: Role,
    ground: Ground,
    surfaces: Surfaces,
    api: Option<Api>,
    /// Where the role has to do with models and with what agents look up.
    models: Option<(Models, Arc<dyn SearchIndex>)>,
    /// Where it has to do with documents.
    index: Option<Arc<dyn SearchIndex>>,
    /// With connections to servers of further tools, which live as long as the process.
    tools: Tools,
}

impl Opened {
    async fn open(redaction: &Redaction) -> Result<Self, BadStart> {
        let config = configured(redaction).await?;
        let Some(role) = config.cloud.role else {
            let names = Role::ALL.map(Role::name).join(", ");
            return Err(BadStart(format!(
                "This function has no role: set COUNTERSIGN_ROLE to one of {names}."
            )));
        };
        let ground = ground(config, role.lane()).await?;
        let config = &ground.config;
        secrets::refuse_names(config, &ground.home).await?;
        let (surfaces, api) = Surfaces::default().with_telegram(config, &ground.home);
        if api.is_none() && matches!(role, Role::Update | Role::Send | Role::Tick) {
            return Err(without_token());
        }
        // Local servers are the worker's.
        let tools = mcp::tools(config, None)?;
        let models = match role {
            Role::Run | Role::Update => {
                let found = models::find(config).await?;
                let table = Table::new(config, &ground.home, &surfaces);
                let models = table.models(&found);
                Some((models, search::index(config).await?))
            }
            _ => None,
        };
        let index = match role {
            Role::Ingest => Some(search::index(config).await?),
            _ => None,
        };
        if role == Role::Tick {
            tick::prepare(&ground).await?;
        }
        Ok(Self {
            role,
            ground,
            surfaces,
            api,
            models,
            index,
            tools,
        })
    }

    async fn invoke(&self, left: Duration) -> Result<(), NotDone> {
        let times = Times::of(self.role, left);
        let done = self.work(&times).await;
        // Nothing depends on a status message, so nothing waits for one for long.
        let _ = tokio::time::timeout(times.margin / 2, self.surfaces.rest()).await;
        self.ground.wake.sent().await;
        done
    }

    async fn work(&self, times: &Times) -> Result<(), NotDone> {
        if self.role == Role::Update {
            self.introduce().await?;
        }
        let home = &self.ground.home;
        let bench = Bench {
            store: home.store.clone(),
            clock: home.clock.clone(),
            chance: home.chance.clone(),
            wake: self.ground.hints.clone(),
            name: presence::name(&*home.chance),
        };
        let pace = Pace {
            shutdown: times.longest,
            ..Pace::default()
        };
        let handlers = self
            .handlers(times.longest)
            .map_err(|error| NotDone(error.0))?;
        let worker = Worker::new(
            bench,
            handlers,
            alert(home.clone(), self.surfaces.me.clone()),
            pace,
        )
        .until(home.now().plus(times.begin + times.longest));
        let stop = CancellationToken::new();
        let timer = tokio::spawn({
            let (stop, begin) = (stop.clone(), times.begin);
            async move {
                tokio::time::sleep(begin).await;
                stop.cancel();
            }
        });
        let next = worker.drain(&self.lane(), stop).await;
        timer.abort();
        let next = next.map_err(|error| NotDone(format!("The store cannot be asked: {error}.")))?;
        if let Some(next) = next {
            self.ground.wake.wake_in(self.role.lane(), next);
        }
        match (self.role, &self.api) {
            (Role::Tick, Some(api)) => tick::look_around(&self.ground, api).await,
            _ => Ok(()),
        }
    }

    /// Only who knows the bot's name can read what people write to it.
    async fn introduce(&self) -> Result<(), NotDone> {
        if let (None, Some(api)) = (self.surfaces.me.get(), &self.api) {
            let me = api.me().await;
            let me = me.map_err(|error| {
                NotDone(format!("Telegram does not say who the bot is: {error}."))
            })?;
            let _ = self.surfaces.me.set(me);
        }
        Ok(())
    }

    fn handlers(&self, longest: Duration) -> Result<Handlers, BadStart> {
        let table = Table::new(&self.ground.config, &self.ground.home, &self.surfaces)
            .with_tools(self.tools.clone());
        let table = match (self.role, &self.models) {
            // Nothing that needs a workspace runs here. The step's last model call ends before the process does.
            (Role::Run, Some((models, index))) => {
                table.run(models, index.clone(), None, longest - longest / 20)?
            }
            (Role::Update, Some((models, index))) => {
                table.update(models.clone(), index.clone(), None)?
            }
            (Role::Send, _) => table.send(),
            (Role::Circulate, _) => table.circulate(),
            (Role::Outage, _) => table.outage(),
            (Role::Ingest, _) => match &self.index {
                Some(index) => table.ingest(index.clone(), None),
                None => table,
            },
            (Role::Tick, _) => table.tick()?,
            (Role::Run | Role::Update, None) => table,
        };
        Ok(table.handlers)
    }

    fn lane(&self) -> Lane {
        let at_once = match self.role {
            Role::Update | Role::Circulate => FRONT_AT_ONCE,
            Role::Send => SEND_AT_ONCE,
            Role::Run => RUNS_AT_ONCE,
            Role::Outage | Role::Ingest | Role::Tick => 1,
        };
        Lane {
            name: self.role.lane().to_owned(),
            at_once,
            gate: None,
        }
    }
}

/// How an invocation's time is spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Times {
    /// Jobs are begun for this long.
    begin: Duration,
    /// What the last of them gets.
    longest: Duration,
    margin: Duration,
}

impl Times {
    fn of(role: Role, left: Duration) -> Self {
        let margin = MARGIN.min(left / 10);
        let work = left - margin;
        let longest = match role {
            // As long as a large document may take to be read and indexed.
            Role::Run | Role::Ingest => MODEL_TIMEOUT,
            _ => LONGEST,
        };
        let longest = longest.min(work / 2);
        Self {
            begin: work - longest,
            longest,
            margin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_call_that_is_begun_can_end_before_the_process_does() {
        let seconds = Duration::from_secs;
        let quarter = Times::of(Role::Run, seconds(900));
        let expected = Times {
            begin: seconds(595),
            longest: seconds(300),
            margin: seconds(5),
        };
        assert_eq!(quarter, expected);
        for left in [seconds(60), seconds(3), Duration::ZERO] {
            let Times {
                begin,
                longest,
                margin,
            } = Times::of(Role::Run, left);
            assert_eq!(begin + longest + margin, left);
            assert!(begin >= longest);
        }
    }
}
