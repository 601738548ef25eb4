//! Everything that a person sees: sentences, cards with their buttons, and the surfaces that carry them (Telegram, the terminal).
//!
//! What comes in is stored as it came ([`inbox`]), parsed into an [`inbound::Inbound`] that knows no vendor, and answered. What
//! goes out is made of facts by the [`present::Present`]er and sent by a surface's messenger. Every sentence stands in
//! [`text::en`]. Only this crate names teloxide.

pub mod command;
pub mod conversation;
pub mod inbound;
pub mod inbox;
pub mod present;
pub mod telegram;
pub mod terminal;
pub mod text;
