//! Knowledge: collections of documents, found by words. Whoever asks, in whatever way (a list, a search, an agent on somebody's behalf, a
//! button under an old answer), gets what they may read at that moment and place ([`Reader`]).

mod collections;
mod documents;
mod library;
pub(crate) mod own;
mod reader;
mod search;
mod shelf;
mod snippet;

pub use collections::{attach, create, find, find_or_create, governs, list, remove, rename, users};
pub use documents::{Documents, PAGE, documents};
pub use library::{Library, Recalled};
pub use reader::Reader;
pub use search::{Found, Wanted, passage, search};
pub use shelf::{Place, Shelf};
