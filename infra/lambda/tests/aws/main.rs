//! The functions' own binaries, each behind a Lambda runtime API of a few lines, with an emulator of AWS and FakeTelegram: what
//! `cargo xtask deploy-local` shows of the whole deployment, without one. Where there is no emulator, xtask leaves these out by the
//! name of their module, and says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod aws;
