//! Pages of records, by key or by an index, and the entries of a journal.
//!
//! A cursor is the sort key of the page's last record, so what is written or deleted between two pages does not disturb them.

use crate::{
    DynamoStore, error,
    item::{At, Item, Read, text},
    keys::{INDEXES, Space, position, sortable},
};
use aws_sdk_dynamodb::types::AttributeValue;
use ports::store::{Cursor, IndexValue, JournalKey, Page, Query, Record, Rejected, StoreError};

/// A query in DynamoDB's terms.
pub struct Range {
    index: Option<&'static str>,
    pk: (&'static str, String),
    sk: &'static str,
    /// Both ends count, as in DynamoDB; what the port leaves out is left out by `excluded`.
    low: Option<String>,
    high: Option<String>,
    excluded: Vec<String>,
    /// What cursors of such a query begin with.
    kind: char,
}

impl Range {
    /// A whole partition of the table.
    pub fn all(pk: String) -> Self {
        Self {
            index: None,
            pk: ("pk", pk),
            sk: "sk",
            low: None,
            high: None,
            excluded: Vec::new(),
            kind: 'k',
        }
    }

    /// The items of a journal that have entries from this position on.
    pub fn entries(pk: String, from: u64) -> Self {
        Self {
            low: Some(position(from)),
            high: Some(position(u64::MAX)),
            ..Self::all(pk)
        }
    }
}

impl DynamoStore {
    pub(crate) async fn page(&self, query: &Query) -> Result<Page, StoreError> {
        let space = self.gate.space(self).await?;
        let range = range(&space, query)?;
        let wanted = query.limit as usize + 1;
        if let (Some(low), Some(high)) = (&range.low, &range.high)
            && low > high
        {
            return Ok(Page::default());
        }
        let (mut found, mut from) = (Vec::new(), None);
        loop {
            let ask = wanted - found.len() + range.excluded.len();
            let (items, next) = self.part(&range, query.descending, (ask, from)).await?;
            found.extend(items.into_iter().filter(|item| {
                item.optional(range.sk)
                    .is_some_and(|sk| !range.excluded.contains(&sk))
            }));
            if found.len() >= wanted || next.is_none() {
                break;
            }
            from = next;
        }
        let more = found.len() >= wanted;
        found.truncate(query.limit as usize);
        let last = found.last().filter(|_| more);
        let next = last.map(|item| item.text(range.sk)).transpose()?;
        Ok(Page {
            records: found.iter().map(record).collect::<Result<_, _>>()?,
            next: next.map(|place| Cursor(format!("{}{place}", range.kind))),
        })
    }

    pub(crate) async fn part(
        &self,
        range: &Range,
        descending: bool,
        (limit, from): (usize, Option<Item>),
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let condition = match (&range.low, &range.high) {
            (None, None) => "#p = :p",
            (Some(_), None) => "#p = :p AND #s >= :l",
            (None, Some(_)) => "#p = :p AND #s <= :h",
            (Some(_), Some(_)) => "#p = :p AND #s BETWEEN :l AND :h",
        };
        let mut ask = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(range.index.map(str::to_owned))
            .consistent_read(range.index.is_none())
            .scan_index_forward(!descending)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(from)
            .key_condition_expression(condition)
            .expression_attribute_names("#p", range.pk.0)
            .expression_attribute_values(":p", text(&range.pk.1));
        if let Some(low) = &range.low {
            ask = ask.expression_attribute_values(":l", text(low));
        }
        if let Some(high) = &range.high {
            ask = ask.expression_attribute_values(":h", text(high));
        }
        if range.low.is_some() || range.high.is_some() {
            ask = ask.expression_attribute_names("#s", range.sk);
        }
        let answer = ask
            .send()
            .await
            .map_err(|e| error::explain(&e, &self.table))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    /// Entries from a position on, in order.
    pub(crate) async fn entries(
        &self,
        journal: &JournalKey,
        from: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let space = self.gate.space(self).await?;
        let range = Range::entries(space.journal(journal), from);
        let (mut entries, mut start) = (Vec::new(), None);
        loop {
            let (items, next) = self.part(&range, false, (limit as usize, start)).await?;
            for item in &items {
                let skip = from.saturating_sub(item.number("first")?);
                let skip = usize::try_from(skip).unwrap_or(usize::MAX);
                entries.extend(texts(item)?.into_iter().skip(skip));
            }
            if entries.len() >= limit as usize || next.is_none() {
                entries.truncate(limit as usize);
                return Ok(entries);
            }
            start = next;
        }
    }

    pub(crate) async fn length(&self, journal: &JournalKey) -> Result<u64, StoreError> {
        let space = self.gate.space(self).await?;
        let head = self.item(&At::new(space.journal(journal), "head")).await?;
        head.map_or(Ok(0), |item| item.number("length"))
    }
}

/// The entries that one item holds.
pub fn texts(item: &Item) -> Result<Vec<String>, StoreError> {
    let list = item.get("entries").and_then(|value| value.as_l().ok());
    let texts = list.and_then(|list| {
        let text = |value: &AttributeValue| value.as_s().ok().cloned();
        list.iter().map(text).collect()
    });
    texts.ok_or_else(|| StoreError::Corrupt("an item of a journal has no entries".to_owned()))
}

pub fn record(item: &Item) -> Result<Record, StoreError> {
    Ok(Record {
        id: item.text("sk")?,
        version: item.number("version")?,
        doc: item.text("doc")?,
    })
}

fn range(space: &Space, query: &Query) -> Result<Range, StoreError> {
    let mut range = match &query.index {
        None => by_key(space, query)?,
        Some((name, value)) => by_index(space, query, (name, value))?,
    };
    if let Some(Cursor(cursor)) = &query.after {
        let place = cursor.strip_prefix(range.kind);
        let place = place
            .ok_or_else(|| malformed("a cursor that no page answered"))?
            .to_owned();
        match query.descending {
            false => range.low = range.low.max(Some(place.clone())),
            true => {
                range.high = Some(
                    range
                        .high
                        .map_or(place.clone(), |high| high.min(place.clone())),
                )
            }
        }
        range.excluded.push(place);
    }
    // DynamoDB takes no empty text for a key; every key is larger.
    range.low = range.low.filter(|low| !low.is_empty());
    range.high = range.high.map(|high| {
        if high.is_empty() {
            "\0".to_owned()
        } else {
            high
        }
    });
    Ok(range)
}

fn by_key(space: &Space, query: &Query) -> Result<Range, StoreError> {
    let bound = |bound: &Option<IndexValue>| match bound {
        None => Ok(None),
        Some(IndexValue::Text(text)) => Ok(Some(text.clone())),
        Some(IndexValue::Int(_)) => Err(malformed("ids are texts, and so are their bounds")),
    };
    let high = bound(&query.to)?;
    Ok(Range {
        low: bound(&query.from)?,
        excluded: high.iter().cloned().collect(),
        high,
        ..Range::all(space.records(query.table, &query.team))
    })
}

/// An entry of a sort value continues after it, so it is above the value's own key and below those of all larger values.
fn by_index(
    space: &Space,
    query: &Query,
    (name, value): (&str, &IndexValue),
) -> Result<Range, StoreError> {
    let declared = query.table.indexes.iter().zip(INDEXES);
    let (index, place) = declared
        .into_iter()
        .find(|(index, _)| index.name == name)
        .ok_or_else(|| {
            let table = query.table.name;
            malformed(&format!("the table {table} has no index {name}"))
        })?;
    Ok(Range {
        index: Some(place.name),
        pk: (
            place.pk,
            space.partition(query.table, index, &query.team, value),
        ),
        sk: place.sk,
        low: query.from.as_ref().map(sortable),
        high: query.to.as_ref().map(sortable),
        excluded: Vec::new(),
        kind: 'i',
    })
}

pub fn malformed(text: &str) -> StoreError {
    StoreError::Rejected(Rejected::Malformed(text.to_owned()))
}
