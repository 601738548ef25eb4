//! What is true without a computer: the words of Countersign and the rules between them.
//!
//! Nothing here waits, reads, writes or asks for the time. A function takes what it needs and answers; whoever calls it
//! performs the effects. That is why every rule of the product (which verdict a call gets, what a run does next, what an
//! approval is bound to) can be tested with plain values. Start reading at [`run`], then [`permission`] and [`approval`].

pub mod agent;
pub mod approval;
pub mod audit;
pub mod budget;
pub mod canon;
pub mod card;
pub mod citation;
pub mod content;
pub mod elicitation;
pub mod id;
pub mod knowledge;
pub mod mcp;
pub mod member;
pub mod memory;
pub mod message;
pub mod permission;
pub mod redact;
pub mod rich_text;
pub mod run;
pub mod session;
pub mod shell;
pub mod skill;
pub mod time;
pub mod tokens;
pub mod tool;
pub mod usage;
pub mod version;

pub use canon::{Digest, canonical_json};
pub use time::{Micros, parse_span};
pub use usage::{MicroUsd, Usage};
