//! `countersign chat`: a conversation in this terminal. PENDING
use super::{Context, Failure};
use crate::compose::{Local, surfaces::Surfaces};
use tokio_util::sync::CancellationToken;

#[derive(clap::Args, Debug)]
pub struct Arguments {}

pub struct Chat;

pub fn open(surfaces: Surfaces, _: &Local) -> (Surfaces, Option<Chat>) {
    (surfaces, None)
}

impl Chat {
    pub async fn run(self, _: CancellationToken) {}
}

pub async fn run(_: Context, _: Arguments) -> Result<u8, Failure> {
    Err(Failure::new("not yet"))
}
