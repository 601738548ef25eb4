//! Wake-ups from process to process, by LISTEN and NOTIFY: whoever commits work rings its own bells and says so on the database;
//! the others hear it and ring theirs.
//!
//! They are sent after the commit and not in it. In it they would come as surely as the commit, but PostgreSQL lets
//! transactions that notify commit one after the other only; and nobody depends on them: every loop looks by itself now and then.
//! So what can't be said or heard, because the server is away or a pooler in between knows no LISTEN, is a matter of a log's line.

use crate::address::Address;
use async_trait::async_trait;
use ports::Wake;
use ports::store::StoreError;
use sqlx::{ConnectOptions, PgConnection, postgres::PgListener};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinHandle},
};

/// Lanes that are said at most before somebody has sent them; beyond, they are dropped.
const WAITING: usize = 256;
/// Lanes that are said with one statement.
const TOGETHER: usize = 32;
/// After a failure, until the next attempt.
const AGAIN: Duration = Duration::from_secs(5);
/// Who has heard nothing for so long asks whether the connection is still there.
const SILENCE: Duration = Duration::from_secs(30);
/// The channel's name is the schema's: two teams in one database don't wake each other.
const CHANNEL: &str = "SELECT 'countersign ' || current_schema()";

/// A wake-up that reaches the other processes on the same database too. Ends with the value.
pub struct Notices {
    inner: Arc<dyn Wake>,
    said: mpsc::Sender<String>,
    tasks: [AbortHandle; 2],
}

impl Notices {
    /// Begins to listen and to speak, in the background. Rings what it hears at `inner`.
    ///
    /// # Errors
    /// When the text is no URL of a database. That nothing answers is no error.
    pub fn start(url: &str, inner: Arc<dyn Wake>) -> Result<Self, StoreError> {
        let address = Address::parse(url)?;
        // Tells our own notices from the others'; they come back to us as well.
        let us = uuid::Uuid::new_v4().simple().to_string();
        let (said, waiting) = mpsc::channel(WAITING);
        let speaking: JoinHandle<()> = tokio::spawn(speak(address.clone(), us.clone(), waiting));
        let listening: JoinHandle<()> = tokio::spawn(listen(address, us, inner.clone()));
        Ok(Self {
            inner,
            said,
            tasks: [speaking.abort_handle(), listening.abort_handle()],
        })
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

#[async_trait]
impl Wake for Notices {
    fn wake(&self, lane: &str) {
        self.inner.wake(lane);
        let _ = self.said.try_send(lane.to_owned());
    }

    async fn wait(&self, lanes: &[&str], limit: Duration) {
        self.inner.wait(lanes, limit).await;
    }
}

/// Says what has gathered meanwhile, each lane once.
async fn speak(address: Address, us: String, mut waiting: mpsc::Receiver<String>) {
    let mut connection: Option<PgConnection> = None;
    let mut gathered = Vec::new();
    while waiting.recv_many(&mut gathered, TOGETHER).await > 0 {
        let lanes: BTreeSet<String> = gathered.drain(..).collect();
        let payloads: Vec<_> = lanes.iter().map(|lane| format!("{us} {lane}")).collect();
        if let Err(error) = say(&address, &mut connection, &payloads).await {
            tracing::debug!(%error, "other processes were not woken");
            connection = None;
            tokio::time::sleep(AGAIN).await;
        }
    }
}

async fn say(
    address: &Address,
    connection: &mut Option<PgConnection>,
    payloads: &[String],
) -> Result<(), sqlx::Error> {
    let connected = match connection {
        Some(connected) => connected,
        None => connection.insert(address.options().connect().await?),
    };
    let sql = "SELECT pg_notify('countersign ' || current_schema(), said)::text FROM unnest($1::text[]) AS new (said)";
    sqlx::query(sql).bind(payloads).execute(connected).await?;
    Ok(())
}

async fn listen(address: Address, us: String, inner: Arc<dyn Wake>) {
    loop {
        if let Err(error) = hear(&address, &us, &*inner).await {
            tracing::debug!(%error, "other processes are not heard");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Until the connection is gone.
async fn hear(address: &Address, us: &str, inner: &dyn Wake) -> Result<(), sqlx::Error> {
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(address.options());
    let channel: String = sqlx::query_scalar(CHANNEL).fetch_one(&pool).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(&channel).await?;
    loop {
        match tokio::time::timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(notice))) => match notice.payload().split_once(' ') {
                Some((from, lane)) if from != us => inner.wake(lane),
                _ => {}
            },
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                sqlx::query("SELECT 1").execute(&mut listener).await?;
            }
        }
    }
}
