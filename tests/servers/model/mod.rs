//! **FakeModel**: a model's provider on loopback, for tests. It speaks Anthropic's Messages and OpenAI's Chat Completions,
//! streaming or not, lists its models, and lists them as Ollama does.
//!
//! What it says comes from a [`Script`]: a queue of [`Reply`]s, or a function of the conversation, which is the better one
//! where the program under test is killed and started again. Faults are replies too: a status, a cut connection, garbage.
//!
//! ```ignore
//! let model = FakeModel::start(Script::queue([
//!     Reply::calls([("read_file", json!({"path": "notes.md"}))]),
//!     Reply::text("They are empty."),
//! ])).await.unwrap();
//! // … the program runs with ANTHROPIC_BASE_URL = model.url() …
//! assert_eq!(model.requests().len(), 2);
//! ```
//!
//! It is as strict as the real ones where that finds mistakes ([`check`]): results that follow their calls, blocks that are
//! not empty, ids that are allowed. Its usage is four bytes to a token and knows a prompt cache ([`cache`]).

mod anthropic;
mod asked;
mod cache;
mod check;
mod openai;
mod script;
mod server;

pub use asked::{Asked, Dialect, Turn};
pub use script::{Reply, Script};
pub use server::{FakeModel, Recorded};
pub use testkit::scripted_model::Gate;

#[cfg(test)]
mod tests;
