//! Where a front door puts what arrives, before it tells the surface that it has it.

pub use handlers::receive::Incoming;

use std::time::Duration;

#[derive(thiserror::Error, Debug)]
#[error("not stored: {0}")]
pub struct NotStored(pub String);

/// Given by the composition root (`handlers::receive`). Storing an update again changes nothing.
#[async_trait::async_trait]
pub trait Inbox: Send + Sync {
    /// All of them, in order. Only after `Ok` may the surface forget them.
    async fn store(&self, incoming: &[Incoming]) -> Result<(), NotStored>;

    /// The surface can be heard (`telegram.<bot id>`). When it could not for longer than `patience`, what people did there
    /// meanwhile may be lost, and they are told.
    async fn heard(&self, surface: &str, patience: Duration) -> Result<(), NotStored>;
}
