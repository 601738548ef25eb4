//! What a program with the feature `crash` has: points around the ports, and a clock that a file moves.

use super::Point;
use crate::clock::SystemClock;
use domain::{Digest, MicroUsd, Micros, id::SessionId};
use ports::{
    Clock, Messenger, Model, Sandbox, Workspace,
    message::{Outgoing, SendError, Sent},
    model::{ModelError, ModelReply, ModelRequest, Models, OnText},
    sandbox::{Cancel, Exec, ExecResult, Limits, SandboxError, Serve, Serving, Tier},
    workspace::{Entry, FileText, Found, WorkspaceError, Workspaces},
};
use std::{
    path::PathBuf,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

/// `COUNTERSIGN_CRASH_AT=send-after:3`: the process dies when it gets there the third time.
static AT: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
    let at = std::env::var("COUNTERSIGN_CRASH_AT").ok()?;
    let (point, nth) = at.split_once(':')?;
    Some((point.to_owned(), nth.parse().ok()?))
});
static TIMES: AtomicU64 = AtomicU64::new(0);

fn name(point: Point) -> &'static str {
    match point {
        Point::CommitBefore => "commit-before",
        Point::CommitAfter => "commit-after",
        Point::ModelBefore => "model-before",
        Point::ModelAfter => "model-after",
        Point::EffectBefore => "effect-before",
        Point::EffectAfter => "effect-after",
        Point::WriteBefore => "write-before",
        Point::WriteAfter => "write-after",
        Point::SendBefore => "send-before",
        Point::SendAfter => "send-after",
        Point::BlobBefore => "blob-before",
        Point::BlobAfter => "blob-after",
        Point::ExtractBefore => "extract-before",
        Point::ExtractAmid => "extract-amid",
        Point::ExtractAfter => "extract-after",
        Point::IngestBefore => "ingest-before",
        Point::IngestAfter => "ingest-after",
        Point::MergeBefore => "merge-before",
        Point::MergeAfter => "merge-after",
        Point::ServerBefore => "server-before",
        Point::ServerAfter => "server-after",
    }
}

/// Notes that the process is at this point, which may be its end.
pub fn reached(point: Point) {
    let Some((wanted, nth)) = AT.as_ref() else {
        return;
    };
    if name(point) == wanted && TIMES.fetch_add(1, Ordering::SeqCst) + 1 == *nth {
        // Nothing is cleaned up, as when the power fails.
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}

#[must_use]
pub fn clock(clock: Arc<SystemClock>) -> Arc<dyn Clock> {
    Arc::new(JumpingClock {
        real: clock,
        offset: std::env::var_os("COUNTERSIGN_CRASH_CLOCK").map(PathBuf::from),
        latest: AtomicI64::default(),
    })
}

/// Microseconds that this machine's clock is wrong: the seconds of `COUNTERSIGN_CRASH_SKEW`.
#[must_use]
pub fn skew() -> i64 {
    static SKEW: LazyLock<i64> = LazyLock::new(|| {
        let seconds = std::env::var("COUNTERSIGN_CRASH_SKEW").ok();
        let seconds: Option<i64> = seconds.and_then(|text| text.parse().ok());
        seconds.unwrap_or(0) * 1_000_000
    });
    *SKEW
}

#[must_use]
pub fn messenger(messenger: Arc<dyn Messenger>) -> Arc<dyn Messenger> {
    Arc::new(Perilous(messenger))
}

#[must_use]
pub fn models(mut models: Models) -> Models {
    for model in models.providers.values_mut() {
        *model = Arc::new(Perilous(model.clone()));
    }
    models
}

#[must_use]
pub fn sandbox(sandbox: Arc<dyn Sandbox>) -> Arc<dyn Sandbox> {
    Arc::new(Perilous(sandbox))
}

#[must_use]
pub fn workspaces(workspaces: Arc<dyn Workspaces>) -> Arc<dyn Workspaces> {
    Arc::new(Perilous(workspaces))
}

/// An adapter with a point before and after what it does.
pub(super) struct Perilous<T: ?Sized>(pub(super) Arc<T>);

#[async_trait::async_trait]
impl Messenger for Perilous<dyn Messenger> {
    async fn send(
        &self,
        message: &Outgoing,
        edits: Option<&Sent>,
        again: bool,
    ) -> Result<Option<Sent>, SendError> {
        reached(Point::SendBefore);
        let sent = self.0.send(message, edits, again).await;
        reached(Point::SendAfter);
        sent
    }
}

#[async_trait::async_trait]
impl Model for Perilous<dyn Model> {
    async fn complete(
        &self,
        request: &ModelRequest,
        on_text: OnText<'_>,
    ) -> Result<ModelReply, ModelError> {
        reached(Point::ModelBefore);
        let reply = self.0.complete(request, on_text).await;
        reached(Point::ModelAfter);
        reply
    }

    fn ceiling(&self, request: &ModelRequest) -> MicroUsd {
        self.0.ceiling(request)
    }

    fn window(&self, model: &str) -> u64 {
        self.0.window(model)
    }

    fn is_priced(&self, model: &str) -> bool {
        self.0.is_priced(model)
    }
}

#[async_trait::async_trait]
impl Sandbox for Perilous<dyn Sandbox> {
    async fn probe(&self) -> Result<Tier, SandboxError> {
        self.0.probe().await
    }

    async fn run(&self, exec: Exec, cancel: Cancel) -> Result<ExecResult, SandboxError> {
        reached(Point::EffectBefore);
        let result = self.0.run(exec, cancel).await;
        reached(Point::EffectAfter);
        result
    }

    async fn serve(&self, serve: Serve, cancel: Cancel) -> Result<Serving, SandboxError> {
        self.0.serve(serve, cancel).await
    }

    fn digest(&self, limits: &Limits) -> Digest {
        self.0.digest(limits)
    }
}

#[async_trait::async_trait]
impl Workspaces for Perilous<dyn Workspaces> {
    async fn open(
        &self,
        session: &SessionId,
        own: Option<&str>,
    ) -> Result<Arc<dyn Workspace>, WorkspaceError> {
        Ok(Arc::new(Perilous(self.0.open(session, own).await?)))
    }
}

#[async_trait::async_trait]
impl Workspace for Perilous<dyn Workspace> {
    fn root(&self) -> PathBuf {
        self.0.root()
    }

    async fn list(
        &self,
        path: &str,
        recursive: bool,
    ) -> Result<(Vec<Entry>, bool), WorkspaceError> {
        self.0.list(path, recursive).await
    }

    async fn read(&self, path: &str) -> Result<FileText, WorkspaceError> {
        self.0.read(path).await
    }

    async fn write(&self, path: &str, text: &str) -> Result<(), WorkspaceError> {
        reached(Point::WriteBefore);
        let written = self.0.write(path, text).await;
        reached(Point::WriteAfter);
        written
    }

    async fn search(&self, needle: &str, glob: &str) -> Result<(Vec<Found>, bool), WorkspaceError> {
        self.0.search(needle, glob).await
    }

    async fn manifest(&self) -> Result<Digest, WorkspaceError> {
        self.0.manifest().await
    }
}

/// The time and as many seconds as stand in the file `COUNTERSIGN_CRASH_CLOCK`, which may change at any time.
struct JumpingClock {
    real: Arc<SystemClock>,
    offset: Option<PathBuf>,
    latest: AtomicI64,
}

impl Clock for JumpingClock {
    fn now(&self) -> Micros {
        let read = |path: &PathBuf| std::fs::read_to_string(path).ok()?.trim().parse().ok();
        let seconds: i64 = self.offset.as_ref().and_then(read).unwrap_or(0);
        let now = self.real.now().0 + seconds * 1_000_000;
        Micros(self.latest.fetch_max(now, Ordering::SeqCst).max(now))
    }
}
