//! Pages of records, by key or by a declared index: the SQL, its arguments, and where the next page begins.

use crate::{malformed, read};
use ports::store::{Cursor, IndexValue, Page, Query, StoreError};
use serde_json::Value;
use sqlx::{
    Arguments, Row, ValueRef,
    sqlite::{SqliteArguments, SqliteRow},
};

/// One row more than the page has tells whether there is a next page.
pub fn sql(query: &Query) -> Result<(String, SqliteArguments), StoreError> {
    let mut filter = Filter::new(query);
    let sort = match &query.index {
        None => "id".to_owned(),
        Some((name, partition)) => {
            let table = query.table.name;
            let index = query
                .table
                .index(name)
                .ok_or_else(|| malformed(format!("the table {table} has no index {name}")))?;
            // A document without its sort field is in no index, as in DynamoDB.
            filter
                .sql
                .push_str(&format!(" AND \"{}\" IS NOT NULL", index.sort));
            filter.and(&format!("\"{}\" = ", index.partition), partition)?;
            format!("\"{}\"", index.sort)
        }
    };
    for (bound, comparison) in [(&query.from, ">="), (&query.to, "<")] {
        if let Some(bound) = bound {
            if query.index.is_none() && matches!(bound, IndexValue::Int(_)) {
                return Err(malformed("ids are texts, and so are their bounds"));
            }
            filter.and(&format!("{sort} {comparison} "), bound)?;
        }
    }
    let (comparison, direction) = match query.descending {
        true => ("<", "DESC"),
        false => (">", "ASC"),
    };
    if let Some(after) = &query.after {
        let (value, id) = place(after)?;
        filter.and(&format!("({sort}, id) {comparison} (",), &value)?;
        filter.sql.push_str(", ");
        filter.bind(&IndexValue::Text(id))?;
        filter.sql.push(')');
    }
    let table = query.table.name;
    let condition = filter.sql;
    let sql = format!(
        "SELECT id, version, doc, {sort} FROM {table} WHERE {condition} ORDER BY {sort} {direction}, id {direction} LIMIT ?"
    );
    let mut arguments = filter.arguments;
    add(&mut arguments, i64::from(query.limit) + 1)?;
    Ok((sql, arguments))
}

pub fn page(query: &Query, rows: &[SqliteRow]) -> Result<Page, sqlx::Error> {
    let limit = query.limit as usize;
    let shown = rows.get(..limit).unwrap_or(rows);
    let next = match shown.last() {
        Some(last) if rows.len() > limit => Some(cursor(last)?),
        _ => None,
    };
    let records = shown.iter().map(read::record);
    Ok(Page {
        records: records.collect::<Result<_, _>>()?,
        next,
    })
}

struct Filter {
    sql: String,
    arguments: SqliteArguments,
}

impl Filter {
    fn new(query: &Query) -> Self {
        let mut arguments = SqliteArguments::default();
        // Encoding a text never fails; if it did, the team would match nothing.
        let _ = arguments.add(query.team.as_str().to_owned());
        Self {
            sql: "team = ?".to_owned(),
            arguments,
        }
    }

    fn and(&mut self, comparison: &str, value: &IndexValue) -> Result<(), StoreError> {
        self.sql.push_str(" AND ");
        self.sql.push_str(comparison);
        self.bind(value)
    }

    fn bind(&mut self, value: &IndexValue) -> Result<(), StoreError> {
        self.sql.push('?');
        match value {
            IndexValue::Int(number) => add(&mut self.arguments, *number),
            IndexValue::Text(text) => add(&mut self.arguments, text.clone()),
        }
    }
}

fn add<'q, T>(arguments: &mut SqliteArguments, value: T) -> Result<(), StoreError>
where
    T: sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    arguments.add(value).map_err(|e| malformed(e.to_string()))
}

fn cursor(last: &SqliteRow) -> Result<Cursor, sqlx::Error> {
    let is_text = last.try_get_raw(3)?.type_info().to_string() == "TEXT";
    let sort = match is_text {
        true => Value::from(last.try_get::<String, _>(3)?),
        false => Value::from(last.try_get::<i64, _>(3)?),
    };
    let id: String = last.try_get(0)?;
    Ok(Cursor(
        Value::Array(vec![sort, Value::from(id)]).to_string(),
    ))
}

fn place(cursor: &Cursor) -> Result<(IndexValue, String), StoreError> {
    let parsed: Result<(Value, String), _> = serde_json::from_str(&cursor.0);
    match parsed {
        Ok((Value::String(sort), id)) => Ok((IndexValue::Text(sort), id)),
        Ok((Value::Number(sort), id)) if sort.is_i64() => {
            Ok((IndexValue::Int(sort.as_i64().unwrap_or_default()), id))
        }
        _ => Err(malformed("a cursor that no page answered")),
    }
}
