//! New identifiers and secrets, so that tests can repeat them.

pub trait Chance: Send + Sync {
    /// A new identifier: 32 hexadecimal digits that sort by time (a UUID of version 7 without hyphens).
    fn id(&self) -> String;

    /// A secret that cannot be guessed: at least 128 bits, of `A-Z a-z 0-9 _ -`, at most 32 characters.
    fn secret(&self) -> String;
}
