//! Places at which the crash machine (`tests/crash`) kills this process, and a clock that it can set. Only with the feature
//! `crash`, which no release has; without it nothing of this is in the program but [`reached`], which does nothing.

/// A moment in the life of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    CommitBefore,
    CommitAfter,
    ModelBefore,
    ModelAfter,
    EffectBefore,
    EffectAfter,
    WriteBefore,
    WriteAfter,
    SendBefore,
    SendAfter,
    BlobBefore,
    BlobAfter,
    ExtractBefore,
    ExtractAmid,
    ExtractAfter,
    IngestBefore,
    IngestAfter,
    MergeBefore,
    MergeAfter,
    ServerBefore,
    ServerAfter,
}

#[cfg(feature = "crash")]
mod armed;
#[cfg(feature = "crash")]
mod documents;
#[cfg(feature = "crash")]
mod servers;

#[cfg(feature = "crash")]
pub use armed::{clock, messenger, models, reached, sandbox, skew, workspaces};
#[cfg(feature = "crash")]
pub use documents::{blobs, index, reader};
#[cfg(not(feature = "crash"))]
pub use harmless::{
    blobs, clock, index, messenger, models, reached, reader, sandbox, servers, skew, workspaces,
};
#[cfg(feature = "crash")]
pub use servers::servers;

/// What a release has: nothing is put around anything.
#[cfg(not(feature = "crash"))]
mod harmless {
    use super::Point;
    use crate::clock::SystemClock;
    use ports::{
        Blobs, Clock, Mcp, Messenger, Sandbox, SearchIndex, model::Models, workspace::Workspaces,
    };
    use std::sync::Arc;

    #[inline]
    pub fn reached(_: Point) {}

    #[must_use]
    pub fn clock(clock: Arc<SystemClock>) -> Arc<dyn Clock> {
        clock
    }

    /// Microseconds that this machine's clock is wrong.
    #[inline]
    pub fn skew() -> i64 {
        0
    }

    #[must_use]
    pub fn blobs(blobs: Arc<dyn Blobs>) -> Arc<dyn Blobs> {
        blobs
    }

    #[must_use]
    pub fn reader(sandbox: Arc<dyn Sandbox>) -> Arc<dyn Sandbox> {
        sandbox
    }

    #[must_use]
    pub fn index(index: Arc<dyn SearchIndex>) -> Arc<dyn SearchIndex> {
        index
    }

    #[must_use]
    pub fn servers(servers: Arc<dyn Mcp>) -> Arc<dyn Mcp> {
        servers
    }

    #[must_use]
    pub fn messenger(messenger: Arc<dyn Messenger>) -> Arc<dyn Messenger> {
        messenger
    }

    #[must_use]
    pub fn models(models: Models) -> Models {
        models
    }

    #[must_use]
    pub fn sandbox(sandbox: Arc<dyn Sandbox>) -> Arc<dyn Sandbox> {
        sandbox
    }

    #[must_use]
    pub fn workspaces(workspaces: Arc<dyn Workspaces>) -> Arc<dyn Workspaces> {
        workspaces
    }
}
