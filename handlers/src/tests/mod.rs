//! Tests of the handlers as conversations: a team of fakes, a small worker, and what people see.

mod basics;
mod dying;
mod rehearsal;
mod team;
