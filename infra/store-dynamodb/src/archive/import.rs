//! Into the table, under a generation that doesn't count yet. What comes twice is noticed by its key.

use super::export;
use crate::{
    DynamoStore,
    acts::{entries_item, record},
    error,
    item::{At, Item as Attributes, Read, number},
    keys::Space,
    row::{Row, Serial},
};
use domain::{Digest, Micros, id::TeamId};
use futures::StreamExt;
use ports::{
    archive::{ArchiveError, ArchivedJob, Checks, Item, Items, Place},
    store::{CounterKey, ENTRIES_BYTES, Job, Journal, JournalKey, Key},
};
use std::collections::{HashMap, HashSet};
use tokio::task::JoinSet;

const AT_ONCE: usize = 16;

/// # Errors
/// [`ArchiveError::NotEmpty`].
pub async fn empty(store: &DynamoStore, space: &Space) -> Result<(), ArchiveError> {
    match export::first_kind(store, space).await? {
        Some(kind) => Err(ArchiveError::NotEmpty(kind)),
        None => Ok(()),
    }
}

/// Removes what imports that broke off have left.
pub async fn clean(store: &DynamoStore, space: &Space) -> Result<(), ArchiveError> {
    let left = export::left_over(store, space).await?;
    Ok(store.delete(&left).await?)
}

pub async fn fill(
    store: &DynamoStore,
    space: &Space,
    mut items: Items,
) -> Result<(), ArchiveError> {
    let mut filling = Filling {
        store,
        space,
        puts: JoinSet::new(),
        seen: HashSet::new(),
        journal: None,
        serials: HashMap::new(),
        jobs: 0,
    };
    let mut checks = Checks::default();
    while let Some(item) = items.next().await {
        let item = item?;
        let place = checks.pass(&item)?;
        filling.take(place, item).await?;
    }
    filling.finish().await
}

struct Filling<'a> {
    store: &'a DynamoStore,
    space: &'a Space,
    puts: JoinSet<Result<(), ArchiveError>>,
    /// All keys so far. A condition on each put would take one that is repeated after a lost answer for a second one.
    seen: HashSet<Digest>,
    journal: Option<Open>,
    /// The head of each serial key and its last job, which may still get a next one.
    serials: HashMap<String, (Serial, Row)>,
    jobs: u64,
}

/// The journal whose entries are coming.
struct Open {
    key: JournalKey,
    /// Position of the first entry that is not put yet.
    first: u64,
    entries: Vec<String>,
}

impl Filling<'_> {
    async fn take(&mut self, place: Place, item: Item) -> Result<(), ArchiveError> {
        match (place, item) {
            (
                Place::Table(table),
                Item::Record {
                    team,
                    id,
                    version,
                    doc,
                    ..
                },
            ) => {
                let key = Key { table, team, id };
                self.put(record(self.space, &key, version, &doc)).await
            }
            (
                Place::Journal(journal),
                Item::Entry {
                    team,
                    id,
                    seq,
                    entry,
                    ..
                },
            ) => self.entry(journal, (team, id), seq, entry).await,
            (_, Item::Counter { team, id, value }) => {
                let mut item = self.space.counter(&CounterKey { team, id }).item();
                item.insert("value".to_owned(), number(value));
                self.put(item).await
            }
            (_, Item::Job(job)) => self.job(job).await,
            _ => Ok(()),
        }
    }

    async fn entry(
        &mut self,
        journal: &'static Journal,
        (team, id): (TeamId, String),
        seq: u64,
        entry: String,
    ) -> Result<(), ArchiveError> {
        let key = JournalKey { journal, team, id };
        if seq == 0 {
            self.close().await?;
            let (first, entries) = (0, Vec::new());
            self.journal = Some(Open {
                key,
                first,
                entries,
            });
        }
        let Some(open) = &mut self.journal else {
            return Ok(());
        };
        open.entries.push(entry);
        if open.entries.iter().map(String::len).sum::<usize>() < ENTRIES_BYTES {
            return Ok(());
        }
        let entries = std::mem::take(&mut open.entries);
        let item = entries_item(&self.space.journal(&open.key), open.first, &entries);
        open.first += entries.len() as u64;
        self.put(item).await
    }

    /// The last entries of the journal that was coming, and its head.
    async fn close(&mut self) -> Result<(), ArchiveError> {
        let Some(open) = self.journal.take() else {
            return Ok(());
        };
        let pk = self.space.journal(&open.key);
        if !open.entries.is_empty() {
            self.put(entries_item(&pk, open.first, &open.entries))
                .await?;
        }
        let mut head = At::new(pk, "head").item();
        let length = open.first + open.entries.len() as u64;
        head.insert("length".to_owned(), number(length));
        self.put(head).await
    }

    async fn job(&mut self, job: ArchivedJob) -> Result<(), ArchiveError> {
        self.jobs += 1;
        let mut row = restored(job, self.jobs);
        let serial = row.job.serial.clone().filter(|_| !row.job.set_aside);
        let Some(serial) = serial else {
            return self.put(row.item(self.space)).await;
        };
        let id = row.job.id.clone();
        let (head, before) = match self.serials.remove(&serial) {
            None => (id.clone(), None),
            Some((known, mut before)) => {
                row.blocked = true;
                before.next = Some(id.clone());
                (known.head, Some(before))
            }
        };
        self.serials
            .insert(serial, (Serial { head, last: id }, row));
        match before {
            Some(before) => self.put(before.item(self.space)).await,
            None => Ok(()),
        }
    }

    async fn finish(mut self) -> Result<(), ArchiveError> {
        self.close().await?;
        for (name, (serial, last)) in std::mem::take(&mut self.serials) {
            self.put(last.item(self.space)).await?;
            let mut item = self.space.serial(&name).item();
            item.extend(serial.changing());
            self.put(item).await?;
        }
        while let Some(done) = self.puts.join_next().await {
            ended(done)?;
        }
        Ok(())
    }

    /// Begins to put an item, and waits for earlier ones when there are many.
    async fn put(&mut self, item: Attributes) -> Result<(), ArchiveError> {
        let key = format!("{}\0{}", item.text("pk")?, item.text("sk")?);
        if !self.seen.insert(Digest::of_bytes(&key)) {
            return Err(ArchiveError::Malformed(format!("{key:?} is in it twice")));
        }
        if self.puts.len() >= AT_ONCE
            && let Some(done) = self.puts.join_next().await
        {
            ended(done)?;
        }
        let store = self.store.clone();
        self.puts.spawn(async move {
            let put = store.client.put_item().table_name(&store.table);
            let put = put.set_item(Some(item)).send().await;
            put.map(drop)
                .map_err(|failure| error::explain(&failure, &store.table).into())
        });
        Ok(())
    }
}

fn ended(
    done: Result<Result<(), ArchiveError>, tokio::task::JoinError>,
) -> Result<(), ArchiveError> {
    done.map_err(|e| ArchiveError::Cut(e.to_string()))?
}

/// With a lease that ran out in 1970, where it had one. What was there is older than whatever comes.
fn restored(job: ArchivedJob, place: u64) -> Row {
    Row {
        priority: job.priority,
        lease: job.leased.then_some(Micros(0)),
        signalled: false,
        age: format!("{place:020}"),
        blocked: false,
        next: None,
        job: Job {
            id: job.id,
            team: job.team,
            name: job.name,
            lane: job.lane,
            serial: job.serial,
            payload: job.payload,
            due: job.due,
            attempts: job.attempts,
            epoch: job.epoch,
            lost_before: false,
            last_error: job.last_error,
            set_aside: job.set_aside,
        },
    }
}
