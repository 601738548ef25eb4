//! Pages of records, by key or by a declared index.

use super::state::Records;
use ports::store::{Cursor, Index, IndexValue, Page, Query, Record, Rejected, StoreError};
use serde_json::Value;

/// Where a record stands in the order of its query.
type Place = (IndexValue, String);

pub(super) fn page(records: &Records, query: &Query) -> Result<Page, StoreError> {
    within("limit", query.limit, 1000)?;
    let after = query.after.as_ref().map(place_of).transpose()?;
    let mut found = candidates(records, query)?;
    found.retain(|((sort, _), _)| {
        query.from.as_ref().is_none_or(|from| sort >= from)
            && query.to.as_ref().is_none_or(|to| sort < to)
    });
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    if query.descending {
        found.reverse();
    }
    if let Some(after) = after {
        found.retain(|(place, _)| match query.descending {
            true => *place < after,
            false => *place > after,
        });
    }
    let more = found.len() > query.limit as usize;
    found.truncate(query.limit as usize);
    let next = found
        .last()
        .filter(|_| more)
        .map(|(place, _)| cursor(place));
    let records = found.into_iter().map(|(_, record)| record.clone());
    Ok(Page {
        records: records.collect(),
        next,
    })
}

/// The team's records that are in the index and its partition, unordered.
fn candidates<'a>(
    records: &'a Records,
    query: &Query,
) -> Result<Vec<(Place, &'a Record)>, StoreError> {
    let of_team = records
        .iter()
        .filter(|((table, team, _), _)| *table == query.table.name && team == query.team.as_str())
        .map(|(_, record)| record);
    let Some((name, partition)) = &query.index else {
        let bounds = query.from.iter().chain(&query.to);
        if bounds.into_iter().any(|b| matches!(b, IndexValue::Int(_))) {
            return Err(malformed("ids are texts, and so are their bounds"));
        }
        let by_key = of_team.map(|r| ((IndexValue::Text(r.id.clone()), r.id.clone()), r));
        return Ok(by_key.collect());
    };
    let index = query.table.index(name).ok_or_else(|| {
        let table = query.table.name;
        malformed(&format!("the table {table} has no index {name}"))
    })?;
    let in_partition = of_team.filter_map(|record| {
        let (found, sort) = values(&record.doc, index)?;
        (found == *partition).then(|| ((sort, record.id.clone()), record))
    });
    Ok(in_partition.collect())
}

/// The partition's and the sort field's values; `None` when the document is not in the index.
fn values(doc: &str, index: &Index) -> Option<(IndexValue, IndexValue)> {
    let doc: Value = serde_json::from_str(doc).ok()?;
    let field = |name: &str| match doc.get(name)? {
        Value::String(text) => Some(IndexValue::Text(text.clone())),
        Value::Number(number) => number.as_i64().map(IndexValue::Int),
        _ => None,
    };
    Some((field(index.partition)?, field(index.sort)?))
}

fn cursor((sort, id): &Place) -> Cursor {
    let sort = match sort {
        IndexValue::Int(number) => Value::from(*number),
        IndexValue::Text(text) => Value::from(text.as_str()),
    };
    Cursor(Value::Array(vec![sort, Value::from(id.as_str())]).to_string())
}

fn place_of(cursor: &Cursor) -> Result<Place, StoreError> {
    let parsed: Result<(Value, String), _> = serde_json::from_str(&cursor.0);
    match parsed {
        Ok((Value::String(sort), id)) => Ok((IndexValue::Text(sort), id)),
        Ok((Value::Number(sort), id)) if sort.is_i64() => {
            Ok((IndexValue::Int(sort.as_i64().unwrap_or_default()), id))
        }
        _ => Err(malformed("a cursor that no page answered")),
    }
}

/// A limit of the port: 1 to `most`.
pub(super) fn within(what: &str, given: u32, most: u32) -> Result<(), StoreError> {
    match (1..=most).contains(&given) {
        true => Ok(()),
        false => Err(malformed(&format!(
            "{what} {given}: it has to be 1 to {most}"
        ))),
    }
}

fn malformed(text: &str) -> StoreError {
    StoreError::Rejected(Rejected::Malformed(text.to_owned()))
}
