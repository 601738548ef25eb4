//! Connections, and the patience with them: what a lost connection or a crossed transaction undid is done again, for a while.
//!
//! Everything here may be repeated: a read, and a commit, whose id says on the second attempt whether the first one was done. A
//! claim whose answer was lost leaves its jobs leased to nobody until the lease ends.

use crate::{
    Options,
    address::Address,
    error::{Failure, Stop},
};
use ports::store::StoreError;
use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection, postgres::PgPoolOptions};
use std::{
    future::Future,
    time::{Duration, Instant},
};

/// A connection that rested for less is taken as it is; one that rested longer is asked first whether it is still there.
const FRESH: Duration = Duration::from_secs(1);
/// Every question here is a lookup by key, and a queue grows and shrinks faster than its statistics: a plan that reads whole tables is
/// one that took the queue for small. And a claim took longer to plan than to do, each time. (`cargo xtask bench claims`)
const PLANS: &str =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
    SET plan_cache_mode = force_generic_plan";
/// Between two attempts: the first pause, which doubles, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(200)];

#[derive(Clone)]
pub struct Pool {
    pool: PgPool,
    address: Address,
    options: Options,
}

impl Pool {
    /// Connects to nothing yet.
    pub fn new(address: Address, options: Options) -> Self {
        let pool = PgPoolOptions::new()
            .min_connections(0)
            .max_connections(options.connections.max(1))
            .acquire_timeout(options.patience)
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    use sqlx::Executor;
                    connection.execute(PLANS).await.map(drop)
                })
            })
            .before_acquire(|connection, about| {
                Box::pin(async move {
                    use sqlx::Connection;
                    if about.idle_for > FRESH {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(address.options());
        Self {
            pool,
            address,
            options,
        }
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Works on a lent connection, and again on another one where that may help, until patience ends.
    pub async fn with<T, F>(&self, work: impl Fn(Lent) -> F + Send) -> Result<T, StoreError>
    where
        F: Future<Output = (Lent, Result<T, Stop>)> + Send,
        T: Send,
    {
        let began = Instant::now();
        let [mut pause, longest] = PAUSES;
        loop {
            let failure = match self.attempt(&work).await {
                Ok(done) => return Ok(done),
                Err(Stop::Answer(error)) => return Err(error),
                Err(Stop::Broken(failure)) => failure,
            };
            if !failure.is_passing() || began.elapsed() >= self.options.patience {
                return Err(failure.explain(&self.address));
            }
            tracing::debug!(?failure, "the database was asked in vain; again");
            tokio::time::sleep(pause).await;
            pause = longest.min(pause * 2);
        }
    }

    async fn attempt<T, F>(&self, work: &(impl Fn(Lent) -> F + Send)) -> Result<T, Stop>
    where
        F: Future<Output = (Lent, Result<T, Stop>)> + Send,
        T: Send,
    {
        let lent = Lent(Some(self.pool.acquire().await?));
        match tokio::time::timeout(self.options.answer, work(lent)).await {
            Ok((lent, done)) => {
                let broken = matches!(&done, Err(Stop::Broken(failure)) if failure.is_lost());
                if !broken {
                    lent.back();
                }
                done
            }
            Err(_) => Err(Stop::Broken(Failure::lost("no answer in time"))),
        }
    }
}

/// A connection of the pool. Dropped in the middle of something (its caller gave up waiting), it is closed: what it was about to
/// hear is not the next one's.
pub struct Lent(Option<PoolConnection<Postgres>>);

impl Lent {
    /// Whole, for the next one.
    fn back(mut self) {
        drop(self.0.take());
    }

    /// # Errors
    /// None: there is a connection until it is given back.
    pub fn connection(&mut self) -> Result<&mut PgConnection, Stop> {
        let gone = || Stop::Broken(Failure::lost("the connection was given back"));
        self.0.as_deref_mut().ok_or_else(gone)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}
