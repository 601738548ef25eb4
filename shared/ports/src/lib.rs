//! What the world must do for us: one trait per file, with its requests and errors. Adapters in `infra/` keep these promises,
//! fakes in `testkit` keep them too, and one contract suite per port checks both.

pub mod archive;
pub mod blob;
pub mod chance;
pub mod clock;
pub mod extract;
pub mod fetch;
pub mod job;
pub mod mcp;
pub mod message;
pub mod model;
pub mod present;
pub mod problem;
pub mod progress;
pub mod repo;
pub mod sandbox;
pub mod search;
pub mod secrets;
pub mod shelf;
pub mod store;
pub mod wake;
pub mod workspace;

pub use archive::Archive;
pub use blob::Blobs;
pub use chance::Chance;
pub use clock::Clock;
pub use extract::Extract;
pub use fetch::Fetch;
pub use mcp::Mcp;
pub use message::Messenger;
pub use model::Model;
pub use present::Presenter;
pub use problem::Problem;
pub use progress::Progress;
pub use sandbox::Sandbox;
pub use search::SearchIndex;
pub use secrets::{Secret, Secrets};
pub use shelf::Shelf;
pub use store::Store;
pub use wake::Wake;
pub use workspace::Workspace;
