//! Where a front door puts what arrives, before it tells the surface that it has it.

pub use handlers::receive::Incoming;

#[derive(thiserror::Error, Debug)]
#[error("not stored: {0}")]
pub struct NotStored(pub String);

/// Given by the composition root (`handlers::receive`). Storing an update again changes nothing.
#[async_trait::async_trait]
pub trait Inbox: Send + Sync {
    /// All of them, in order. Only after `Ok` may the surface forget them.
    async fn store(&self, incoming: &[Incoming]) -> Result<(), NotStored>;
}
