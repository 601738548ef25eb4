//! The thread that starts all processes of a sandbox. A sandbox dies with its parent (`PR_SET_PDEATHSIG`), and for the kernel the
//! parent is the *thread* that forked: from a thread of a pool, which ends when it has been idle, a command would be killed
//! in the middle of its work.

use ports::sandbox::SandboxError;
use std::sync::mpsc;

type Work = Box<dyn FnOnce() + Send>;

/// Lives as long as the sandbox that owns it. Its end ends every command that is still running.
pub struct Spawner {
    work: mpsc::Sender<Work>,
}

impl Spawner {
    /// # Errors
    /// When the system has no thread left.
    pub fn new(name: &str) -> std::io::Result<Self> {
        let (work, queue) = mpsc::channel::<Work>();
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                for work in queue {
                    work();
                }
            })?;
        Ok(Self { work })
    }

    /// Does the work on the thread. When the caller is gone by then, the answer is dropped (and a [`crate::Tree`] with it ends).
    ///
    /// # Errors
    /// [`SandboxError::Setup`] when the work panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SandboxError> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let work: Work = Box::new(move || {
            if let Ok(done) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
                let _ = answer.send(done);
            }
        });
        let ended = || SandboxError::Setup("the thread that starts commands has ended".to_owned());
        self.work.send(work).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())
    }
}
