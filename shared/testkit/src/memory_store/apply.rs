//! One batch onto the state: all of it, or none.

use super::{
    jobs,
    state::{State, name},
};
use domain::Micros;
use ports::store::{
    Batch, Conflict, ConflictReason, CounterKey, Expect, JournalKey, Key, Op, Record,
};

/// Applies the operations to a copy and keeps the copy if none met a conflict. Copying all of it is slow, which a fake may be.
pub(super) fn batch(state: &mut State, batch: &Batch) -> Result<(), Conflict> {
    let mut next = state.clone();
    for (op, what) in batch.ops.iter().enumerate() {
        apply(&mut next, what, batch.at).map_err(|reason| Conflict { op, reason })?;
    }
    next.commits.insert(batch.id.clone(), batch.at);
    *state = next;
    Ok(())
}

fn apply(state: &mut State, op: &Op, now: Micros) -> Result<(), ConflictReason> {
    match op {
        Op::Put { key, doc, expect } => put(state, key, doc, *expect),
        Op::Check { key, expect } => check(state, key, *expect).map(drop),
        Op::Delete { key, version } => {
            check(state, key, Expect::Version(*version))?;
            state.records.remove(&name(key));
            Ok(())
        }
        Op::Append {
            journal,
            at,
            entries,
        } => append(state, journal, *at, entries),
        Op::Enqueue(job) => {
            state.enqueued += 1;
            jobs::enqueue(&mut state.jobs, state.enqueued, job)
        }
        Op::Hold { job, epoch } => jobs::leased(&mut state.jobs, job, *epoch).map(drop),
        Op::Finish { job, epoch } => jobs::finish(&mut state.jobs, job, *epoch, now),
        Op::Postpone {
            job,
            epoch,
            due,
            error,
            counted,
        } => {
            let held = jobs::leased(&mut state.jobs, job, *epoch)?;
            held.postpone(*due, error, *counted);
            Ok(())
        }
        Op::SetAside { job, epoch, error } => {
            jobs::set_aside(&mut state.jobs, (job, *epoch), error, now)
        }
        Op::Signal { serial } => {
            jobs::signal(&mut state.jobs, serial);
            Ok(())
        }
        Op::Add {
            counter,
            delta,
            ceiling,
        } => add(state, counter, *delta, *ceiling),
    }
}

/// The version that is there; a conflict when it is not the expected one.
fn check(state: &State, key: &Key, expect: Expect) -> Result<u64, ConflictReason> {
    let found = state.get(key).map(|record| record.version);
    match (expect, found) {
        (Expect::Absent, None) => Ok(0),
        (Expect::Version(expected), Some(version)) if expected == version => Ok(version),
        _ => Err(ConflictReason::Version { found }),
    }
}

fn put(state: &mut State, key: &Key, doc: &str, expect: Expect) -> Result<(), ConflictReason> {
    let version = check(state, key, expect)? + 1;
    let record = Record {
        id: key.id.clone(),
        version,
        doc: doc.to_owned(),
    };
    state.records.insert(name(key), record);
    Ok(())
}

fn append(
    state: &mut State,
    key: &JournalKey,
    at: u64,
    entries: &[String],
) -> Result<(), ConflictReason> {
    let head = state.journal(key).len() as u64;
    if head != at {
        return Err(ConflictReason::Position { head });
    }
    let name = (
        key.journal.name,
        key.team.as_str().to_owned(),
        key.id.clone(),
    );
    let journal = state.journals.entry(name).or_default();
    journal.extend_from_slice(entries);
    Ok(())
}

/// A sum that no `i64` holds is above every ceiling, and below every floor there could be: it conflicts either way.
fn add(
    state: &mut State,
    key: &CounterKey,
    delta: i64,
    ceiling: Option<i64>,
) -> Result<(), ConflictReason> {
    let value = state.counter(key);
    let fits = |sum: &i64| ceiling.is_none_or(|ceiling| *sum <= ceiling);
    let sum = value
        .checked_add(delta)
        .filter(fits)
        .ok_or(ConflictReason::Ceiling { value })?;
    let name = (key.team.as_str().to_owned(), key.id.clone());
    state.counters.insert(name, sum);
    Ok(())
}
