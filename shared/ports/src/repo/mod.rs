//! Typed repositories, written once on top of [`Store`]: one file per kind of record, with its table and its questions.

use crate::store::{
    Cursor, Expect, IndexValue, Key, Op, Query, Record, Rejected, Store, StoreError, Table,
};
use domain::{canonical_json, id::TeamId};
use serde::{Serialize, de::DeserializeOwned};

pub mod agents;
pub mod approvals;
pub mod audit;
pub mod budgets;
pub mod knowledge;
pub mod mcp;
pub mod members;
pub mod memories;
pub mod rules;
pub mod runs;
pub mod sent;
pub mod sessions;
pub mod settings;
pub mod skills;
pub mod updates;
pub mod versions;

/// Every table, for migrations, exports and the contract suite. A new kind of record adds its line here.
pub const TABLES: &[&Table] = &[
    &agents::AGENTS,
    &approvals::APPROVALS,
    &audit::AUDIT_STREAMS,
    &budgets::BUDGETS,
    &knowledge::KNOWLEDGE_COLLECTIONS,
    &knowledge::KNOWLEDGE_DOCUMENTS,
    &knowledge::KNOWLEDGE_MANIFESTS,
    &mcp::MCP_SERVERS,
    &members::MEMBERS,
    &members::INVITES,
    &memories::MEMORIES,
    &rules::PERMISSION_RULES,
    &runs::RUNS,
    &sent::SENT_MESSAGES,
    &sessions::SESSIONS,
    &sessions::CONVERSATIONS,
    &settings::SETTINGS,
    &skills::SKILLS,
    &updates::UPDATES,
];

/// Every journal.
pub const JOURNALS: &[&crate::store::Journal] = &[
    &runs::RUN_EVENTS,
    &audit::AUDIT_LOGS,
    &audit::AUDIT_SEALS,
    &versions::VERSIONS,
];

/// Something kept as a record of its own.
pub trait Entity: Serialize + DeserializeOwned + Send + Sync {
    const TABLE: &'static Table;
    /// The record's id within its team.
    fn id(&self) -> String;
}

/// A record's value with the version that it was read at.
#[derive(Clone, PartialEq, Debug)]
pub struct Stored<T> {
    pub value: T,
    pub version: u64,
}

#[must_use]
pub fn key<T: Entity>(team: &TeamId, id: &str) -> Key {
    Key {
        table: T::TABLE,
        team: team.clone(),
        id: id.to_owned(),
    }
}

fn read<T: Entity>(record: &Record) -> Result<Stored<T>, StoreError> {
    let value = serde_json::from_str(&record.doc)
        .map_err(|e| StoreError::Corrupt(format!("{}/{}: {e}", T::TABLE.name, record.id)))?;
    Ok(Stored {
        value,
        version: record.version,
    })
}

fn doc<T: Entity>(value: &T) -> Result<String, StoreError> {
    canonical_json(value).map_err(|e| StoreError::Rejected(Rejected::Malformed(e.to_string())))
}

/// # Errors
/// What the store answers, and [`StoreError::Corrupt`] for a document that is not a `T`.
pub async fn get<T: Entity>(
    store: &dyn Store,
    team: &TeamId,
    id: &str,
) -> Result<Option<Stored<T>>, StoreError> {
    store
        .get(&key::<T>(team, id))
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// Puts a value that must not be there yet.
///
/// # Errors
/// When the value has no JSON form.
pub fn create<T: Entity>(team: &TeamId, value: &T) -> Result<Op, StoreError> {
    Ok(Op::Put {
        key: key::<T>(team, &value.id()),
        doc: doc(value)?,
        expect: Expect::Absent,
    })
}

/// Puts a value over the version that was read.
///
/// # Errors
/// When the value has no JSON form.
pub fn update<T: Entity>(team: &TeamId, stored: &Stored<T>) -> Result<Op, StoreError> {
    Ok(Op::Put {
        key: key::<T>(team, &stored.value.id()),
        doc: doc(&stored.value)?,
        expect: Expect::Version(stored.version),
    })
}

/// Puts a value over what was read, whether something was there or not.
///
/// # Errors
/// When the value has no JSON form.
pub fn put<T: Entity>(team: &TeamId, value: &T, version: Option<u64>) -> Result<Op, StoreError> {
    let expect = version.map_or(Expect::Absent, Expect::Version);
    Ok(Op::Put {
        key: key::<T>(team, &value.id()),
        doc: doc(value)?,
        expect,
    })
}

#[must_use]
pub fn delete<T: Entity>(team: &TeamId, stored: &Stored<T>) -> Op {
    Op::Delete {
        key: key::<T>(team, &stored.value.id()),
        version: stored.version,
    }
}

/// One page of values with where the next begins.
pub type Values<T> = (Vec<Stored<T>>, Option<Cursor>);

/// One page of a query.
///
/// # Errors
/// As [`get`].
pub async fn page<T: Entity>(store: &dyn Store, query: Query) -> Result<Values<T>, StoreError> {
    let page = store.query(query).await?;
    Ok((
        page.records.iter().map(read).collect::<Result<_, _>>()?,
        page.next,
    ))
}

/// A query for all of a table, oldest id first, 200 a page.
#[must_use]
pub fn all<T: Entity>(team: &TeamId) -> Query {
    Query {
        table: T::TABLE,
        team: team.clone(),
        index: None,
        from: None,
        to: None,
        descending: false,
        limit: 200,
        after: None,
    }
}

/// A query for one partition of an index, 200 a page.
#[must_use]
pub fn by<T: Entity>(
    team: &TeamId,
    index: &'static str,
    partition: impl Into<IndexValue>,
) -> Query {
    Query {
        index: Some((index, partition.into())),
        ..all::<T>(team)
    }
}

/// All pages of a query. For lists that people made (agents, rules, members), not for what grows by itself.
///
/// # Errors
/// As [`get`].
pub async fn collect<T: Entity>(
    store: &dyn Store,
    mut query: Query,
) -> Result<Vec<Stored<T>>, StoreError> {
    let mut values = Vec::new();
    loop {
        let (mut page, next) = page::<T>(store, query.clone()).await?;
        values.append(&mut page);
        match next {
            Some(cursor) => query.after = Some(cursor),
            None => return Ok(values),
        }
    }
}
