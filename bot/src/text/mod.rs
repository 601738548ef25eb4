//! From what models and handlers say to what a surface can show: Markdown to text with marks, cards to text, long texts to parts.

mod builder;
mod card;
pub mod en;
mod markdown;
mod split;
pub mod time;
mod visible;

pub use builder::Builder;
pub use card::card;
pub use markdown::markdown;
pub use split::{PART_LIMIT, cut, parts};
pub use visible::{one_line, visible};
