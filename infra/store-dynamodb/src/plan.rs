//! The jobs of a batch: what becomes of each item is found out on copies of what is there, and then written under the condition
//! that it still is. So an item is written once, however many operations are about it.
//!
//! Jobs of one serial key are a chain: the key's own item names the head and the last, each job the one after it. Only the head is
//! not `blocked`. To enqueue is to put the job, to name it in the last one, and to make it the key's last; when the head
//! goes, the one that it names becomes the head and is free. Whoever changes a chain writes the key's item under the
//! condition that nobody else did, and looks that what it read of the jobs fits the key's item; the loser looks again.
//!
//! A batch that only holds a lease, as a run's steps do, reads nothing: the condition is the lease's epoch.

use crate::{
    DynamoStore,
    acts::{Act, Meets},
    commit::Stop,
    item::{At, Expression, Item, Write, number, text},
    keys::Space,
    row::{Row, Serial},
};
use domain::{Micros, id::JobId};
use futures::{StreamExt, TryStreamExt, stream};
use ports::store::{Batch, Conflict, ConflictReason, NewJob, Op};
use std::collections::BTreeMap;

/// Reads at a time.
const AT_ONCE: usize = 16;

#[derive(Default)]
struct RowSlot {
    before: Option<Row>,
    after: Option<Row>,
    /// The operation that enqueues it.
    created: Option<usize>,
    /// It has to be leased under this epoch; else this operation is fenced.
    held: Option<(usize, u64)>,
    /// What a signal found: leased under this epoch, or not leased.
    seen: Option<Option<u64>>,
}

#[derive(Default)]
struct SerialSlot {
    before: Option<Serial>,
    after: Option<Serial>,
}

/// What a batch does to jobs.
pub struct Plan<'a> {
    space: &'a Space,
    now: Micros,
    rows: BTreeMap<JobId, RowSlot>,
    serials: BTreeMap<String, SerialSlot>,
}

/// The batch's jobs as items to be written; `Stop::Again` when what was read does not fit together.
pub async fn jobs(store: &DynamoStore, space: &Space, batch: &Batch) -> Result<Vec<Act>, Stop> {
    let mut plan = Plan {
        space,
        now: batch.at,
        rows: BTreeMap::new(),
        serials: BTreeMap::new(),
    };
    plan.load(store, &batch.ops).await?;
    for (number, op) in batch.ops.iter().enumerate() {
        let age = || format!("{}{number:03}", batch.id);
        plan.apply(number, op, age)?;
    }
    Ok(plan.acts())
}

impl Plan<'_> {
    /// Reads what the operations are about: the jobs, their serial keys, and the neighbours in the chains.
    async fn load(&mut self, store: &DynamoStore, ops: &[Op]) -> Result<(), Stop> {
        let given_back = ops.iter().filter_map(|op| match op {
            Op::Finish { job, .. } | Op::SetAside { job, .. } | Op::Postpone { job, .. } => {
                Some(job.clone())
            }
            _ => None,
        });
        self.load_rows(store, given_back.collect()).await?;
        let mut serials: Vec<String> = ops
            .iter()
            .filter_map(|op| match op {
                Op::Enqueue(job) => job.serial.clone(),
                Op::Signal { serial } => Some(serial.clone()),
                Op::Finish { job, .. } | Op::SetAside { job, .. } => {
                    self.rows.get(job)?.before.as_ref()?.job.serial.clone()
                }
                _ => None,
            })
            .collect();
        serials.sort();
        serials.dedup();
        self.load_serials(store, serials).await?;
        let next = self
            .rows
            .values()
            .filter_map(|slot| slot.before.as_ref()?.next.clone());
        let ends = self
            .serials
            .values()
            .filter_map(|slot| slot.before.as_ref());
        let mut neighbours: Vec<JobId> = next
            .chain(ends.flat_map(|serial| [serial.head.clone(), serial.last.clone()]))
            .filter(|id| !self.rows.contains_key(id))
            .collect();
        neighbours.sort();
        neighbours.dedup();
        self.load_rows(store, neighbours).await
    }

    async fn load_rows(&mut self, store: &DynamoStore, ids: Vec<JobId>) -> Result<(), Stop> {
        let space = self.space;
        let rows = stream::iter(ids).map(|id| async move {
            let found = store.item(&space.job(&id)).await?;
            let before = found.as_ref().map(Row::read).transpose()?;
            Ok::<_, Stop>((id, before))
        });
        let rows: Vec<_> = rows.buffer_unordered(AT_ONCE).try_collect().await?;
        for (id, before) in rows {
            let after = before.clone();
            self.rows.insert(
                id,
                RowSlot {
                    before,
                    after,
                    ..RowSlot::default()
                },
            );
        }
        Ok(())
    }

    async fn load_serials(&mut self, store: &DynamoStore, names: Vec<String>) -> Result<(), Stop> {
        let space = self.space;
        let serials = stream::iter(names).map(|name| async move {
            let found = store.item(&space.serial(&name)).await?;
            let before = found.as_ref().map(Serial::read).transpose()?;
            Ok::<_, Stop>((name, before))
        });
        let serials: Vec<_> = serials.buffer_unordered(AT_ONCE).try_collect().await?;
        for (name, before) in serials {
            let after = before.clone();
            self.serials.insert(name, SerialSlot { before, after });
        }
        Ok(())
    }

    fn apply(&mut self, number: usize, op: &Op, age: impl Fn() -> String) -> Result<(), Stop> {
        match op {
            Op::Enqueue(new) => self.enqueue(number, new, age()),
            Op::Hold { job, epoch } => {
                let slot = self.rows.entry(job.clone()).or_default();
                slot.held = Some((number, *epoch));
                Ok(())
            }
            Op::Finish { job, epoch } => {
                let row = self.leased(number, job, *epoch)?;
                self.slot(job)?.after = None;
                self.leave(row)
            }
            Op::SetAside { job, epoch, error } => {
                let mut row = self.leased(number, job, *epoch)?;
                let left = row.clone();
                (row.lease, row.next) = (None, None);
                row.job.last_error = Some(error.clone());
                row.job.set_aside = true;
                self.slot(job)?.after = Some(row);
                self.leave(left)
            }
            Op::Postpone {
                job,
                epoch,
                due,
                error,
                counted,
            } => {
                let mut row = self.leased(number, job, *epoch)?;
                row.lease = None;
                row.job.due = *due;
                row.job.last_error = Some(error.clone());
                row.job.lost_before = false;
                if !counted {
                    row.job.attempts = row.job.attempts.saturating_sub(1);
                }
                self.slot(job)?.after = Some(row);
                Ok(())
            }
            Op::Signal { serial } => self.signal(serial),
            _ => Ok(()),
        }
    }

    /// A row that was read. One that was not has come up meanwhile.
    fn slot(&mut self, id: &JobId) -> Result<&mut RowSlot, Stop> {
        self.rows
            .get_mut(id)
            .ok_or(Stop::Again("a job came between"))
    }

    /// The job as it is now, if it is leased under this epoch.
    fn leased(&mut self, op: usize, id: &JobId, epoch: u64) -> Result<Row, Stop> {
        let slot = self.slot(id)?;
        slot.held = Some((op, epoch));
        let row = slot.after.clone().filter(|row| row.leased_under(epoch));
        let reason = ConflictReason::Fenced;
        row.ok_or(Stop::Conflict(Conflict { op, reason }))
    }

    fn enqueue(&mut self, op: usize, new: &NewJob, age: String) -> Result<(), Stop> {
        let mut row = Row::new(new, age);
        if let Some(name) = &new.serial {
            let serial = &mut self.serials.entry(name.clone()).or_default().after;
            match serial {
                None => {
                    let (head, last) = (new.id.clone(), new.id.clone());
                    *serial = Some(Serial { head, last });
                }
                Some(serial) => {
                    let last = std::mem::replace(&mut serial.last, new.id.clone());
                    row.blocked = true;
                    let last = self.slot(&last)?.after.as_mut();
                    last.ok_or(Stop::Again("the last job went"))?.next = Some(new.id.clone());
                }
            }
        }
        let slot = self.rows.entry(new.id.clone()).or_default();
        (slot.after, slot.created) = (Some(row), Some(op));
        Ok(())
    }

    /// The head of its serial key goes; the next one is free, and due now at the earliest.
    fn leave(&mut self, row: Row) -> Result<(), Stop> {
        let Some(name) = row.job.serial else {
            return Ok(());
        };
        let now = self.now;
        let slot = self.serials.entry(name).or_default();
        let serial = slot.after.take().filter(|serial| serial.head == row.job.id);
        let mut serial = serial.ok_or(Stop::Again("another job is the head"))?;
        let Some(next) = row.next else {
            // The job was read before its key: one that came in between is behind it, and would wait for ever.
            return match serial.last == row.job.id {
                true => Ok(()),
                false => Err(Stop::Again("a job came behind")),
            };
        };
        serial.head = next.clone();
        slot.after = Some(serial);
        let next = self.slot(&next)?.after.as_mut();
        let next = next.ok_or(Stop::Again("the next job went"))?;
        next.blocked = false;
        next.job.due = next.job.due.max(now);
        Ok(())
    }

    /// Whoever has the head leased is told; that nobody has is as much a condition as that somebody has.
    fn signal(&mut self, name: &str) -> Result<(), Stop> {
        let serial = self.serials.get(name).and_then(|slot| slot.after.as_ref());
        let Some(head) = serial.map(|serial| serial.head.clone()) else {
            return Ok(());
        };
        let slot = self.slot(&head)?;
        let row = slot.after.as_mut().filter(|row| !row.job.set_aside);
        let row = row.ok_or(Stop::Again("the head went"))?;
        match row.lease {
            Some(_) => {
                row.signalled = true;
                slot.seen = Some(Some(row.job.epoch));
            }
            None if slot.created.is_none() && slot.held.is_none() => slot.seen = Some(None),
            None => {}
        }
        Ok(())
    }

    fn acts(self) -> Vec<Act> {
        let space = self.space;
        let rows = self
            .rows
            .into_iter()
            .filter_map(|(id, slot)| row_act(space, &id, slot));
        let serials = self
            .serials
            .into_iter()
            .filter_map(|(name, slot)| serial_act(&space.serial(&name), slot));
        rows.chain(serials).collect()
    }
}

fn row_act(space: &Space, id: &JobId, slot: RowSlot) -> Option<Act> {
    let at = space.job(id);
    if let (Some(op), Some(row)) = (slot.created, &slot.after) {
        return Some(Act {
            write: Write::Put(row.item(space)),
            expression: Expression::default().absent("pk"),
            meets: Meets::Exists(op),
        });
    }
    let mut expression = match (&slot.before, &slot.after) {
        (Some(before), Some(after)) => difference(&before.changing(), &after.changing()),
        _ => Expression::default(),
    };
    let changes = expression.changes();
    if let Some((_, epoch)) = slot.held {
        expression = expression
            .equal("epoch", number(epoch))
            .present("lease_until");
    }
    match slot.seen {
        Some(Some(epoch)) => {
            expression = expression
                .equal("epoch", number(epoch))
                .present("lease_until");
        }
        Some(None) => expression = expression.present("pk").absent("lease_until"),
        None => {}
    }
    let before = slot.before.as_ref();
    let moved = before.map(Row::turn) != slot.after.as_ref().map(Row::turn);
    if let Some(before) = before.filter(|_| moved && slot.held.is_none()) {
        expression = expression.equal("turn", text(before.turn()));
    }
    let write = match (slot.before, slot.after) {
        (Some(_), None) => Write::Delete(at),
        (Some(_), Some(_)) if changes => {
            expression = expression.present("pk");
            Write::Update(at)
        }
        _ => Write::Check(at),
    };
    expression.condition()?;
    Some(Act {
        write,
        expression,
        meets: Meets::Job(slot.held),
    })
}

/// Sets what changed and removes what is gone.
fn difference(before: &Item, after: &Item) -> Expression {
    let mut expression = Expression::default();
    for (name, value) in after {
        if before.get(name) != Some(value) {
            expression = expression.set(name, value.clone());
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        expression = expression.remove(name);
    }
    expression
}

fn serial_act(at: &At, slot: SerialSlot) -> Option<Act> {
    let as_read = match &slot.before {
        None => Expression::default().absent("pk"),
        Some(before) => Expression::default()
            .equal("head", text(before.head.as_str()))
            .equal("last", text(before.last.as_str())),
    };
    let write = match (&slot.before, slot.after) {
        (None, None) => Write::Check(at.clone()),
        (Some(_), None) => Write::Delete(at.clone()),
        (Some(before), Some(after)) if *before == after => return None,
        (_, Some(after)) => {
            let mut item = at.item();
            item.extend(after.changing());
            Write::Put(item)
        }
    };
    Some(Act {
        write,
        expression: as_read,
        meets: Meets::Job(None),
    })
}
