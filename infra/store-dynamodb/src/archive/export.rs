//! Out of the table: first which partitions there are, then one after the other, in the order of the port.

use crate::{
    DynamoStore, error,
    item::{At, Item as Attributes, Read},
    keys::Space,
    query::{self, Range},
    row::Row,
};
use domain::id::{JobId, TeamId};
use ports::{
    archive::{ArchiveError, ArchivedJob, Item},
    repo::{JOURNALS, TABLES},
    store::{JournalKey, StoreError},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio::sync::mpsc::Sender;

pub type Sent = Sender<Result<Item, ArchiveError>>;

/// What the table has, by name.
#[derive(Default)]
struct Contents {
    /// Table and team.
    records: BTreeSet<(String, String)>,
    /// Journal, team and id.
    journals: BTreeSet<(String, String, String)>,
    counters: BTreeSet<String>,
    jobs: Vec<Waiting>,
}

/// A job's place.
#[derive(Clone)]
struct Waiting {
    age: String,
    id: JobId,
    /// Its serial key, if it is in the chain.
    serial: Option<String>,
    next: Option<String>,
}

/// Ends early and quietly when nobody takes the next item.
pub async fn copy(store: &DynamoStore, space: &Space, to: &Sent) -> Result<(), ArchiveError> {
    let contents = contents(store, space).await?;
    for table in TABLES {
        for (_, team) in contents
            .records
            .iter()
            .filter(|(name, _)| name == table.name)
        {
            let team = TeamId::new(team.clone());
            let range = Range::all(space.records(table, &team));
            let record = |item: &Attributes| -> Result<Vec<Item>, StoreError> {
                let record = query::record(item)?;
                Ok(vec![Item::Record {
                    table: table.name.to_owned(),
                    team: team.clone(),
                    id: record.id,
                    version: record.version,
                    doc: record.doc,
                }])
            };
            if !partition(store, &range, to, record).await? {
                return Ok(());
            }
        }
    }
    for journal in JOURNALS {
        let ours = contents
            .journals
            .iter()
            .filter(|(name, ..)| name == journal.name);
        for (_, team, id) in ours {
            let (team, id) = (TeamId::new(team.clone()), id.clone());
            let key = JournalKey { journal, team, id };
            let range = Range::entries(space.journal(&key), 0);
            if !partition(store, &range, to, |item| entries(&key, item)).await? {
                return Ok(());
            }
        }
    }
    for team in &contents.counters {
        let counter = |item: &Attributes| -> Result<Vec<Item>, StoreError> {
            Ok(vec![Item::Counter {
                team: TeamId::new(team.clone()),
                id: item.text("sk")?,
                value: item.number("value")?,
            }])
        };
        let range = Range::all(space.counters(&TeamId::new(team.clone())));
        if !partition(store, &range, to, counter).await? {
            return Ok(());
        }
    }
    jobs(store, space, contents.jobs, to).await
}

async fn jobs(
    store: &DynamoStore,
    space: &Space,
    jobs: Vec<Waiting>,
    to: &Sent,
) -> Result<(), ArchiveError> {
    for waiting in in_turn(jobs) {
        let found = store.item(&space.job(&waiting.id)).await?;
        let Some(row) = found.as_ref().map(Row::read).transpose()? else {
            continue;
        };
        if to.send(Ok(Item::Job(archived(row)))).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn entries(key: &JournalKey, item: &Attributes) -> Result<Vec<Item>, StoreError> {
    let first: u64 = item.number("first")?;
    let entries = query::texts(item)?.into_iter().zip(first..);
    Ok(entries
        .map(|(entry, seq)| Item::Entry {
            journal: key.journal.name.to_owned(),
            team: key.team.clone(),
            id: key.id.clone(),
            seq,
            entry,
        })
        .collect())
}

/// False when nobody takes the next item.
async fn partition(
    store: &DynamoStore,
    range: &Range,
    to: &Sent,
    items: impl Fn(&Attributes) -> Result<Vec<Item>, StoreError>,
) -> Result<bool, ArchiveError> {
    const PART: usize = 200;
    let mut from = None;
    loop {
        let (found, next) = store.part(range, false, (PART, from)).await?;
        for item in &found {
            for item in items(item)? {
                if to.send(Ok(item)).await.is_err() {
                    return Ok(false);
                }
            }
        }
        match next {
            None => return Ok(true),
            next => from = next,
        }
    }
}

async fn contents(store: &DynamoStore, space: &Space) -> Result<Contents, StoreError> {
    let mut contents = Contents::default();
    let mut items = store
        .client
        .scan()
        .table_name(&store.table)
        .consistent_read(true)
        .projection_expression("pk, #age, #serial, #next, #aside")
        .expression_attribute_names("#age", "age")
        .expression_attribute_names("#serial", "serial")
        .expression_attribute_names("#next", "next")
        .expression_attribute_names("#aside", "set_aside")
        .into_paginator()
        .items()
        .send();
    while let Some(item) = items.next().await {
        let item = item.map_err(|e| error::explain(&e, &store.table))?;
        let pk = item.text("pk")?;
        let Some((kind, rest)) = space.kind(&pk) else {
            continue;
        };
        let damaged = || StoreError::Corrupt(format!("an item with the key {pk}"));
        match kind {
            "r" => {
                let (table, team) = rest.split_once('/').ok_or_else(damaged)?;
                contents.records.insert((table.to_owned(), team.to_owned()));
            }
            "j" => {
                let journal = journal(rest).ok_or_else(damaged)?;
                contents.journals.insert(journal);
            }
            "n" => {
                contents.counters.insert(rest.to_owned());
            }
            "q" => contents.jobs.push(Waiting {
                age: item.text("age")?,
                id: JobId::new(rest),
                serial: item.optional("serial").filter(|_| !item.flag("set_aside")),
                next: item.optional("next"),
            }),
            _ => {}
        }
    }
    Ok(contents)
}

/// `<journal>/<team's bytes>:<team><id>`
fn journal(rest: &str) -> Option<(String, String, String)> {
    let (journal, rest) = rest.split_once('/')?;
    let (bytes, rest) = rest.split_once(':')?;
    let (team, id) = rest.split_at_checked(bytes.parse().ok()?)?;
    Some((journal.to_owned(), team.to_owned(), id.to_owned()))
}

/// By age; where the ages within one serial key are not in the order of the chain (two clocks), they are dealt out anew.
fn in_turn(mut jobs: Vec<Waiting>) -> Vec<Waiting> {
    jobs.sort_by(|a, b| a.age.cmp(&b.age));
    let mut chains: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, job) in jobs.iter().enumerate() {
        if let Some(serial) = &job.serial {
            chains.entry(serial.clone()).or_default().push(place);
        }
    }
    for places in chains.into_values() {
        let members: HashMap<String, Waiting> = places
            .iter()
            .map(|place| (jobs[*place].id.to_string(), jobs[*place].clone()))
            .collect();
        let behind: BTreeSet<&str> = members
            .values()
            .filter_map(|job| job.next.as_deref())
            .collect();
        let mut next = members
            .keys()
            .find(|id| !behind.contains(id.as_str()))
            .cloned();
        for place in places {
            let Some(job) = next.and_then(|id| members.get(&id)) else {
                break;
            };
            jobs[place] = job.clone();
            next = job.next.clone();
        }
    }
    jobs
}

fn archived(row: Row) -> ArchivedJob {
    let job = row.job;
    ArchivedJob {
        id: job.id,
        team: job.team,
        name: job.name,
        lane: job.lane,
        serial: job.serial,
        priority: row.priority,
        payload: job.payload,
        due: job.due,
        attempts: job.attempts,
        epoch: job.epoch,
        leased: row.lease.is_some(),
        last_error: job.last_error,
        set_aside: job.set_aside,
    }
}

/// The kinds of things that are in this generation.
pub async fn first_kind(
    store: &DynamoStore,
    space: &Space,
) -> Result<Option<&'static str>, StoreError> {
    let mut items = store
        .client
        .scan()
        .table_name(&store.table)
        .consistent_read(true)
        .projection_expression("pk")
        .into_paginator()
        .items()
        .send();
    while let Some(item) = items.next().await {
        let item = item.map_err(|e| error::explain(&e, &store.table))?;
        let kind = match space.kind(&item.text("pk")?) {
            Some(("r", _)) => "records",
            Some(("j", _)) => "journals",
            Some(("n", _)) => "counters",
            Some(("q", _)) => "jobs",
            _ => continue,
        };
        return Ok(Some(kind));
    }
    Ok(None)
}

/// Items of generations that don't count.
pub async fn left_over(store: &DynamoStore, space: &Space) -> Result<Vec<At>, StoreError> {
    let mut left = Vec::new();
    let mut items = store
        .client
        .scan()
        .table_name(&store.table)
        .consistent_read(true)
        .projection_expression("pk, sk")
        .into_paginator()
        .items()
        .send();
    while let Some(item) = items.next().await {
        let item = item.map_err(|e| error::explain(&e, &store.table))?;
        let at = At::new(item.text("pk")?, item.text("sk")?);
        if space.kind(&at.pk).is_none() && at.pk != "store" {
            left.push(at);
        }
    }
    Ok(left)
}
