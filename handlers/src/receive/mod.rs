//! The inbox: what arrives is stored before it is acknowledged, and only once.

use crate::{CommandError, Draft, Home, commit_with};
use domain::id::SessionId;
use ports::{
    job::{self, Received},
    repo::{self, updates::Update},
    store::Op,
};

/// Updates that go into one commit. Each weighs four at most (`Batch::weight`): its record, its job, its chat's queue.
const PER_COMMIT: usize = 24;

/// Something that arrived.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incoming {
    /// The surface's identity, `telegram.<bot id>`.
    pub surface: String,
    /// The surface's number of it, unique there.
    pub update: String,
    pub session: SessionId,
    /// As it arrived.
    pub raw: String,
}

/// Stores them, in order. When this answers `Ok` they may be acknowledged. Those that were stored before are passed over.
///
/// # Errors
/// What the store answers: nothing may be acknowledged then.
pub async fn receive(home: &Home, incoming: &[Incoming]) -> Result<usize, CommandError> {
    let mut new = 0;
    for chunk in incoming.chunks(PER_COMMIT) {
        new += commit_with(home, async || draft(home, chunk).await).await?;
    }
    Ok(new)
}

async fn draft(home: &Home, incoming: &[Incoming]) -> Result<Draft<usize>, CommandError> {
    let (mut ops, mut new, mut seen) = (Vec::new(), 0, std::collections::HashSet::new());
    for one in incoming {
        let id = format!("{}:{}", one.surface, one.update);
        if !seen.insert(id.clone())
            || repo::get::<Update>(&*home.store, &home.team, &id)
                .await?
                .is_some()
        {
            continue;
        }
        let work = Received {
            surface: surface(&one.session),
            session: one.session.clone(),
            raw: keep(home, &one.raw).await?,
            received_at: home.now(),
            sandbox: false,
        };
        let update = Update {
            id: id.clone(),
            surface: one.surface.clone(),
            received_at: home.now(),
        };
        ops.push(repo::create(&home.team, &update)?);
        ops.push(Op::Enqueue(job::new_job(
            &home.team,
            format!("in:{id}"),
            &work,
            home.now(),
        )?));
        new += 1;
    }
    Ok(Draft::new(ops, new))
}

/// The job of something that arrived and was understood, and that takes a sandbox, which this process does not have: `understood` is what a
/// surface of its own would hand in.
///
/// # Errors
/// What the stores answer.
pub async fn leave(
    home: &Home,
    session: &SessionId,
    understood: &impl serde::Serialize,
) -> Result<Op, CommandError> {
    let work = Received {
        surface: surface(session),
        session: session.clone(),
        raw: keep(home, &serde_json::to_string(understood)?).await?,
        received_at: home.now(),
        sandbox: true,
    };
    let job = job::new_job(&home.team, home.chance.id(), &work, home.now())?;
    Ok(Op::Enqueue(job))
}

fn surface(session: &SessionId) -> String {
    let surface = session.as_str().split(':').next();
    surface.unwrap_or_default().to_owned()
}

/// A payload holds 32 KiB; what is larger is named by digest.
const LARGEST: usize = 24 * 1024;
const BLOB: &str = "blob:";

async fn keep(home: &Home, raw: &str) -> Result<String, CommandError> {
    if raw.len() <= LARGEST && !raw.starts_with(BLOB) {
        return Ok(raw.to_owned());
    }
    Ok(format!("{BLOB}{}", home.blobs.put(raw.as_bytes()).await?))
}

/// The update as it arrived.
///
/// # Errors
/// What the blob store answers.
pub async fn raw(home: &Home, received: &Received) -> Result<String, CommandError> {
    let Some(digest) = received.raw.strip_prefix(BLOB) else {
        return Ok(received.raw.clone());
    };
    let digest = serde_json::from_value(serde_json::Value::String(digest.to_owned()))?;
    Ok(String::from_utf8_lossy(&home.blobs.get(&digest).await?).into_owned())
}
