//! The same handlers as cloud functions. A process of `infra/lambda` is opened once, and frozen between invocations.
//!
//! [`Function`] has one role: woken by its lane's queue, or by a schedule, it empties the lane. The store is the truth about work, so what
//! woke it is not looked at. [`webhook`] is the front door. Neither answers before everything that it began is finished.

mod role;
mod tick;
mod webhook;

pub use role::{Function, NotDone};
pub use webhook::webhook;

use crate::{
    chance::SystemChance,
    compose::{self, BadStart, aws, database, secrets, vault},
    config::{self, Config, Database, Places},
    redacted::Redaction,
    telemetry::{self, Loudness},
    wake::Bells,
};
use handlers::Home;
use ports::Wake;
use queue_sqs::SqsWake;
use std::sync::Arc;

/// What every function has.
struct Ground {
    config: Arc<Config>,
    home: Home,
    /// To every lane that has a queue.
    wake: Arc<SqsWake>,
    /// The same, but for the function's own lane.
    hints: Arc<dyn Wake>,
}

/// The configuration of this process, with its log. What nobody may see is in `redaction` from here on.
async fn configured(redaction: &Redaction) -> Result<Config, BadStart> {
    let places = vault::unlocked(Places::of_this_process(None)).await?;
    let mut config = config::load(&places).map_err(|error| BadStart(error.to_string()))?;
    redaction.set("configuration", config.secrets.clone());
    config.redaction = redaction.clone();
    telemetry::log(
        config.log.as_deref(),
        Loudness::Service,
        config.redaction.clone(),
    );
    Ok(config)
}

/// Opens store, blobs and queues. Nothing is made and no directory is touched.
async fn ground(config: Config, own: &'static str) -> Result<Ground, BadStart> {
    let Database::DynamoDb(table) = &config.database else {
        return Err(BadStart(
            "A cloud function works on a DynamoDB table: set COUNTERSIGN_DATABASE_URL to dynamodb:// and its name."
                .to_owned(),
        ));
    };
    secrets::hide(&config, &SystemChance).await?;
    let (store, blobs, wake) = tokio::join!(
        aws::store(&config, table),
        aws::blobs(&config),
        aws::wake(&config, Arc::new(Bells::default()))
    );
    let store = store.map_err(|error| database::unusable(&error))?;
    let clock = Arc::default();
    aws::keep_time(&store, &clock);
    let hints: Arc<dyn Wake> = Arc::new(Hints {
        wake: wake.clone(),
        own,
    });
    Ok(Ground {
        home: compose::home(&config, (Arc::new(store), blobs?), hints.clone(), clock),
        config: Arc::new(config),
        wake,
        hints,
    })
}

/// A function finds by itself what it adds to its own lane, and says at its end what it leaves there.
struct Hints {
    wake: Arc<SqsWake>,
    own: &'static str,
}

#[async_trait::async_trait]
impl Wake for Hints {
    fn wake(&self, lane: &str) {
        if lane != self.own {
            self.wake.wake(lane);
        }
    }

    async fn wait(&self, lanes: &[&str], limit: std::time::Duration) {
        self.wake.wait(lanes, limit).await;
    }
}

fn without_token() -> BadStart {
    BadStart(
        "This function needs the bot's token: put TELEGRAM_BOT_TOKEN into a secret that COUNTERSIGN_SECRETS names."
            .to_owned(),
    )
}
