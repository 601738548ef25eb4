//! The machine that tries to break it: the real program plays seeded conversations against FakeTelegram and a model over HTTP
//! while it is killed again and again, at named points of its life and at any time; Telegram and the model have a bad day, the
//! clock jumps. Afterwards everything is looked at from the outside: who was answered, what was executed, what is kept.
//!
//! A world is one data directory with its people; its seed decides everything that the machine decides (what the operating system
//! decides, it doesn't). `COUNTERSIGN_CRASH_SEED=7` plays one world, `COUNTERSIGN_CRASH_KILLS=1000` as many as that takes;
//! `cargo xtask crash` sets them.

mod chance;
mod check;
mod files;
mod knowledge;
mod person;
mod plan;
mod served;
mod summary;
mod world;

use futures::{StreamExt, stream};
use std::time::Instant;
use summary::Summary;
use world::World;

/// In each world.
const KILLS: u64 = 16;
/// Worlds played side by side; more only make each other wait for a processor.
const AT_ONCE: usize = 8;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_and_nothing_happens_twice() {
    let kills = number("COUNTERSIGN_CRASH_KILLS").unwrap_or(64);
    let from = number("COUNTERSIGN_CRASH_FROM").unwrap_or(1);
    let seeds = match number("COUNTERSIGN_CRASH_SEED") {
        Some(seed) => vec![seed],
        None => (from..from + kills.div_ceil(KILLS)).collect(),
    };
    let count = seeds.len();
    let worlds = stream::iter(seeds).map(|seed| tokio::spawn(World::play(seed, KILLS)));
    let mut worlds = worlds.buffer_unordered(AT_ONCE);
    let (mut all, began) = (Summary::default(), Instant::now());
    while let Some(played) = worlds.next().await {
        match played {
            Ok(summary) => all.add(&summary),
            // It has said why and how to play it again.
            Err(_) => all.failed += 1,
        }
    }
    println!("{all} of {count}, in {} s", began.elapsed().as_secs());
    assert_eq!(all.failed, 0, "worlds that broke a promise");
    assert!(all.kills() >= kills.min(KILLS), "nobody was killed");
}
