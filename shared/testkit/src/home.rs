//! All fakes of a team at once, to be shared between a test and the ports that it builds.

use crate::{
    blobs::MemoryBlobs, chance::TestChance, clock::TestClock, memory_store::MemoryStore,
    messenger::RecordingMessenger, progress::RecordingProgress, sandbox::ScriptedSandbox,
    search::MemoryIndex, workspace::MemoryWorkspaces,
};
use domain::id::TeamId;
use std::sync::Arc;

/// What a test keeps in its hands while handlers work with it. Clones are the same team.
#[derive(Clone)]
pub struct TestHome {
    pub team: TeamId,
    pub store: Arc<MemoryStore>,
    pub blobs: Arc<MemoryBlobs>,
    pub clock: Arc<TestClock>,
    pub chance: Arc<TestChance>,
    pub workspaces: Arc<MemoryWorkspaces>,
    pub sandbox: Arc<ScriptedSandbox>,
    pub index: Arc<MemoryIndex>,
    pub progress: Arc<RecordingProgress>,
    pub messenger: Arc<RecordingMessenger>,
}

impl Default for TestHome {
    /// With a clock that ticks, so that no two events have one time.
    fn default() -> Self {
        Self {
            team: TeamId::new("home"),
            store: Arc::default(),
            blobs: Arc::default(),
            clock: Arc::new(TestClock::ticking()),
            chance: Arc::default(),
            workspaces: Arc::default(),
            sandbox: Arc::default(),
            index: Arc::default(),
            progress: Arc::default(),
            messenger: Arc::default(),
        }
    }
}
