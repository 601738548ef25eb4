//! Pages of records, by key or by a declared index: the SQL, its arguments, and where the next page begins.

use crate::{error::Stop, malformed, read};
use ports::store::{Cursor, IndexValue, Page, Query, StoreError};
use serde_json::Value;
use sqlx::{
    Arguments, AssertSqlSafe, PgConnection, Row, TypeInfo, ValueRef,
    postgres::{PgArguments, PgRow},
};

pub async fn run(connection: &mut PgConnection, query: &Query) -> Result<Page, Stop> {
    let (sql, arguments) = sql(query).map_err(Stop::Answer)?;
    let rows = sqlx::query_with(AssertSqlSafe(sql), arguments);
    let rows = rows.fetch_all(connection).await?;
    Ok(page(query, &rows)?)
}

/// One row more than the page has tells whether there is a next page.
pub fn sql(query: &Query) -> Result<(String, PgArguments), StoreError> {
    let mut filter = Filter::default();
    filter.sql.push_str("team = ");
    filter.bind(&IndexValue::Text(query.team.as_str().to_owned()))?;
    let sort = match &query.index {
        None => "id".to_owned(),
        Some((name, partition)) => {
            let table = query.table.name;
            let index = query
                .table
                .index(name)
                .ok_or_else(|| malformed(format!("the table {table} has no index {name}")))?;
            // A document without its sort field is in no index, as in DynamoDB.
            let [sort, partitioned] = [index.sort, index.partition].map(|f| format!("\"{f}\""));
            filter.sql.push_str(&format!(" AND {sort} IS NOT NULL"));
            filter.and(&format!("{partitioned} = "), partition)?;
            sort
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
    filter.sql.push_str(&format!(
        " ORDER BY {sort} {direction}, id {direction} LIMIT "
    ));
    filter.bind(&IndexValue::Int(i64::from(query.limit) + 1))?;
    let (table, condition) = (query.table.name, filter.sql);
    let sql = format!("SELECT id, version, doc, {sort} FROM {table} WHERE {condition}");
    Ok((sql, filter.arguments))
}

fn page(query: &Query, rows: &[PgRow]) -> Result<Page, sqlx::Error> {
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

#[derive(Default)]
struct Filter {
    sql: String,
    arguments: PgArguments,
}

impl Filter {
    fn and(&mut self, comparison: &str, value: &IndexValue) -> Result<(), StoreError> {
        self.sql.push_str(" AND ");
        self.sql.push_str(comparison);
        self.bind(value)
    }

    fn bind(&mut self, value: &IndexValue) -> Result<(), StoreError> {
        let bound = match value {
            IndexValue::Int(number) => self.arguments.add(*number),
            IndexValue::Text(text) => self.arguments.add(text.clone()),
        };
        bound.map_err(|e| malformed(e.to_string()))?;
        self.sql.push_str(&format!("${}", self.arguments.len()));
        Ok(())
    }
}

fn cursor(last: &PgRow) -> Result<Cursor, sqlx::Error> {
    let is_number = last.try_get_raw(3)?.type_info().name() == "INT8";
    let sort = match is_number {
        false => Value::from(last.try_get::<String, _>(3)?),
        true => Value::from(last.try_get::<i64, _>(3)?),
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
