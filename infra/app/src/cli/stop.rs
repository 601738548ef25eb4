//! How a process is asked to stop: the first SIGTERM or ctrl-c lets work finish, the second ends it at once. Nothing is lost
//! either way, only repeated.

use super::Failure;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The usual status of a process that a ctrl-c ended.
const INTERRUPTED: i32 = 130;

/// A token that is cancelled by the first signal.
///
/// # Errors
/// When the system gives no signal handlers.
pub fn on_signal() -> Result<CancellationToken, Failure> {
    let failed =
        |error: std::io::Error| Failure::new(format!("Signals cannot be received: {error}."));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let token = CancellationToken::new();
    let raised = token.clone();
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if first {
                tracing::info!("stopping; again to stop at once");
                raised.cancel();
            }
        }
        std::process::exit(INTERRUPTED);
    });
    Ok(token)
}
