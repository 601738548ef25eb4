//! The one who writes: one connection, and a thread that takes what has gathered and commits it as one transaction.
//!
//! While one at a time commits, it does so on its own thread instead: waking two threads takes as long as the disk does.
//!
//! A conflict undoes one batch and not its neighbours. Nothing is answered before the transaction is on the disk; when that
//! fails, all of the group is told so and none of it has happened.

use crate::{apply, error::Failure, open::Location, queue};
use domain::{
    Micros,
    id::{CommitId, JobId},
};
use ports::store::{Batch, Claim, Claimed, Renewal, StoreError};
use rusqlite::Connection;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{
    runtime::RuntimeFlavor,
    sync::{mpsc, oneshot},
};

/// Pieces of work in one transaction.
const GROUP: usize = 64;
/// After a group, its members tend to come back together: so long is waited for the others when the first is there.
const GATHER: Duration = Duration::from_micros(100);

pub enum Work {
    Commit(Batch),
    Claim(Claim),
    Renew {
        job: JobId,
        epoch: u64,
        until: Micros,
    },
    Forget {
        ids: Vec<CommitId>,
    },
    EndLeases {
        worker: String,
    },
}

pub enum Done {
    Committed,
    Claimed(Claimed),
    Renewed(Renewal),
    Forgot(u64),
    Ended(u64),
}

/// Why a piece of work was not done.
pub enum Stop {
    /// An answer for this one; its neighbours go on.
    Answer(StoreError),
    /// The transaction can't go on.
    Broken(Failure),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(Failure::from(error))
    }
}

type Answer = Result<Done, StoreError>;

struct Request {
    work: Work,
    answer: oneshot::Sender<Answer>,
}

pub struct Writer {
    requests: mpsc::Sender<Request>,
    thread: thread::JoinHandle<()>,
    shared: Arc<Shared>,
}

struct Shared {
    database: Mutex<Database>,
    /// Requests that are sent and not answered.
    waiting: AtomicUsize,
    /// How many were in the last transaction.
    last: AtomicUsize,
}

impl Writer {
    pub fn start(connection: Connection, location: Location) -> Result<Self, StoreError> {
        let (requests, inbox) = mpsc::channel(4 * GROUP);
        let database = Database {
            connection,
            location,
        };
        let shared = Arc::new(Shared {
            database: Mutex::new(database),
            waiting: AtomicUsize::new(0),
            last: AtomicUsize::new(1),
        });
        let served = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || served.serve(inbox))
            .map_err(|e| StoreError::Unavailable(format!("no thread for the writer: {e}")))?;
        Ok(Self {
            requests,
            thread,
            shared,
        })
    }

    pub async fn work(&self, work: Work) -> Answer {
        let work = match self.shared.alone(work) {
            Ok(done) => return done,
            Err(work) => work,
        };
        let gone = || StoreError::Unavailable("the store's writer has stopped".to_owned());
        let (answer, answered) = oneshot::channel();
        let request = Request { work, answer };
        let _waiting = Waiting::new(&self.shared.waiting);
        self.requests.send(request).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Waits until what was asked is answered and the connection is closed.
    pub fn close(self) {
        drop(self.requests);
        if self.thread.join().is_err() {
            tracing::error!("the store's writer had panicked");
        }
    }
}

/// Counts one as waiting for as long as it lives: who waits may be dropped in the middle of it.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Shared {
    /// Does the work on the caller's own thread, if nobody else is about to write; else gives it back. Two threads less to
    /// wake is half of a lone commit's time.
    fn alone(&self, work: Work) -> Result<Answer, Work> {
        let may_block = tokio::runtime::Handle::try_current()
            .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
        let quiet = self.waiting.load(Relaxed) == 0 && self.last.load(Relaxed) == 1;
        match self.database.try_lock() {
            Ok(database) if may_block && quiet => tokio::task::block_in_place(|| {
                let done = database.commit(std::slice::from_ref(&work)).pop();
                done.ok_or(work)
            }),
            _ => Err(work),
        }
    }

    fn serve(&self, mut inbox: mpsc::Receiver<Request>) {
        while let Some(first) = inbox.blocking_recv() {
            let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
            let group = gather(first, &mut inbox, self.last.load(Relaxed));
            self.last.store(group.len(), Relaxed);
            let (works, answers): (Vec<_>, Vec<_>) =
                group.into_iter().map(|r| (r.work, r.answer)).unzip();
            let done = database.commit(&works);
            drop(database);
            for (answer, done) in answers.into_iter().zip(done) {
                // Whoever asked may have given up waiting; it is done all the same.
                let _ = answer.send(done);
            }
        }
    }
}

struct Database {
    connection: Connection,
    location: Location,
}

impl Database {
    /// All of the works in one transaction, with one answer each.
    fn commit(&self, works: &[Work]) -> Vec<Answer> {
        self.transaction(works).unwrap_or_else(|failure| {
            let all = works.iter();
            all.map(|_| Err(failure.explain(&self.location))).collect()
        })
    }

    /// At first without savepoints, for which SQLite copies every page that it changes. A group that meets a conflict begins
    /// again with them; that is rare.
    fn transaction(&self, works: &[Work]) -> Result<Vec<Answer>, Failure> {
        let done = self.committed(|| self.together(works))?;
        match works.len() > 1 && done.iter().any(Result::is_err) {
            true => self.committed(|| self.apart(works)),
            false => Ok(done),
        }
    }

    /// Executes in a transaction, which is committed when the second answer is yes, and undone when it is no or an error.
    fn committed(
        &self,
        execute: impl FnOnce() -> Result<(Vec<Answer>, bool), Failure>,
    ) -> Result<Vec<Answer>, Failure> {
        self.sql("BEGIN IMMEDIATE")?;
        let done = execute().and_then(|(done, keep)| {
            self.sql(if keep { "COMMIT" } else { "ROLLBACK" })?;
            Ok(done)
        });
        // SQLite has ended the transaction by itself after some errors, and not after others.
        if done.is_err() && !self.connection.is_autocommit() {
            self.sql("ROLLBACK")?;
        }
        done
    }

    /// Up to the first that meets a conflict; then nothing of it is to be kept.
    fn together(&self, works: &[Work]) -> Result<(Vec<Answer>, bool), Failure> {
        let mut done = Vec::with_capacity(works.len());
        for work in works {
            let answer = self.answer(work)?;
            let in_vain = answer.is_err();
            done.push(answer);
            if in_vain {
                return Ok((done, false));
            }
        }
        Ok((done, true))
    }

    /// Each with a savepoint of its own, so that a conflict undoes its own work only.
    fn apart(&self, works: &[Work]) -> Result<(Vec<Answer>, bool), Failure> {
        let mut done = Vec::with_capacity(works.len());
        for work in works {
            self.sql("SAVEPOINT work")?;
            let answer = self.answer(work)?;
            if answer.is_err() {
                self.sql("ROLLBACK TO work")?;
            }
            self.sql("RELEASE work")?;
            done.push(answer);
        }
        Ok((done, true))
    }

    /// The answer to one work, or why none of the group can go on.
    fn answer(&self, work: &Work) -> Result<Answer, Failure> {
        match self.one(work) {
            Ok(done) => Ok(Ok(done)),
            Err(Stop::Answer(error)) => Ok(Err(error)),
            Err(Stop::Broken(failure))
                if failure.is_of_the_statement() && !self.connection.is_autocommit() =>
            {
                Ok(Err(failure.explain(&self.location)))
            }
            Err(Stop::Broken(failure)) => Err(failure),
        }
    }

    fn one(&self, work: &Work) -> Result<Done, Stop> {
        let connection = &self.connection;
        match work {
            Work::Commit(batch) => apply::batch(connection, batch).map(|()| Done::Committed),
            Work::Claim(claim) => Ok(Done::Claimed(queue::claim(connection, claim)?)),
            Work::Renew { job, epoch, until } => Ok(Done::Renewed(queue::renew(
                connection, job, *epoch, *until,
            )?)),
            Work::Forget { ids } => Ok(Done::Forgot(apply::forget(connection, ids)?)),
            Work::EndLeases { worker } => Ok(Done::Ended(queue::end_leases(connection, worker)?)),
        }
    }

    fn sql(&self, text: &str) -> Result<(), Failure> {
        self.connection.prepare_cached(text)?.execute([])?;
        Ok(())
    }
}

/// What is there now; and, when there were several last time, what comes within a moment.
fn gather(first: Request, inbox: &mut mpsc::Receiver<Request>, last: usize) -> Vec<Request> {
    let mut group = vec![first];
    let began = Instant::now();
    while group.len() < GROUP {
        match inbox.try_recv() {
            Ok(request) => group.push(request),
            Err(mpsc::error::TryRecvError::Empty)
                if group.len() < last && began.elapsed() < GATHER =>
            {
                thread::yield_now();
            }
            Err(_) => break,
        }
    }
    group
}
