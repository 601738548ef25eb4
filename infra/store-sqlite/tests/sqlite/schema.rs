//! The schema: versions, what people may ask it, and that each question of the port has its index.

use crate::{create, options, place};
use ports::{
    repo::{JOURNALS, TABLES},
    store::{Store, StoreError},
};
use rusqlite::Connection;
use std::error::Error;
use store_sqlite::SqliteStore;
use testkit::contract::{Broken, Outcome};

const README: &str = include_str!("../../../../migrations/README.md");

#[test]
fn a_schema_is_made_once() -> Outcome {
    let (_directory, path) = place()?;
    let known = SqliteStore::known_version();
    assert_eq!(SqliteStore::schema_version(&path)?, None);
    assert_eq!(SqliteStore::migrate(&path)?, known);
    assert_eq!(SqliteStore::migrate(&path)?, known);
    assert_eq!(SqliteStore::schema_version(&path)?, Some(known));
    let rows = "SELECT count(*) FROM schema_migrations";
    let rows: i64 = Connection::open(&path)?.query_row(rows, [], |row| row.get(0))?;
    assert_eq!(rows, known);
    Ok(())
}

#[tokio::test]
async fn a_newer_schema_is_refused() -> Outcome {
    let (_directory, path) = place()?;
    SqliteStore::migrate(&path)?;
    let insert = "INSERT INTO schema_migrations VALUES (4711, '4711_future', '', '')";
    Connection::open(&path)?.execute(insert, [])?;
    match SqliteStore::open(&path, options()).await {
        Err(StoreError::NewerSchema { found, known }) => {
            assert_eq!((found, known), (4711, SqliteStore::known_version()));
        }
        Err(other) => return Err(other.into()),
        Ok(_) => return Err("a schema from the future was opened".into()),
    }
    Ok(())
}

#[tokio::test]
async fn a_migration_that_was_another_is_refused() -> Outcome {
    let (_directory, path) = place()?;
    SqliteStore::migrate(&path)?;
    let change = "UPDATE schema_migrations SET digest = 'other' WHERE id = 1";
    Connection::open(&path)?.execute(change, [])?;
    match SqliteStore::open(&path, options()).await {
        Err(StoreError::CannotWrite(text)) => assert!(text.contains("0001_kernel"), "{text}"),
        Err(other) => return Err(other.into()),
        Ok(_) => return Err("a foreign schema was opened".into()),
    }
    Ok(())
}

/// The steps of SQLite's plan for a question, as one text.
fn plan(connection: &Connection, sql: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let steps = statement.query_map([], |row| row.get::<_, String>(3))?;
    Ok(steps.collect::<Result<Vec<_>, _>>()?.join("; "))
}

#[test]
fn every_table_and_index_of_the_port_is_there() -> Outcome {
    let (_directory, path) = place()?;
    SqliteStore::migrate(&path)?;
    let connection = Connection::open(&path)?;
    for table in TABLES {
        let table_name = table.name;
        connection.prepare(&format!("SELECT team, id, version, doc FROM {table_name}"))?;
        for index in table.indexes {
            let (partition, sort) = (index.partition, index.sort);
            let sql = format!(
                "SELECT doc FROM {table_name} WHERE team = 'a' AND \"{sort}\" IS NOT NULL AND \"{partition}\" = 'b'
                 AND \"{sort}\" >= 1 AND (\"{sort}\", id) > (2, 'c') ORDER BY \"{sort}\", id"
            );
            let plan = plan(&connection, &sql)?;
            let expected = format!("USING INDEX {table_name}_{} (team=?", index.name);
            assert!(plan.contains(&expected), "{table_name}: {plan}");
            assert!(
                !plan.contains("TEMP B-TREE"),
                "{table_name} is sorted: {plan}"
            );
        }
    }
    for journal in JOURNALS {
        let journal = journal.name;
        let sql = format!(
            "SELECT entry FROM {journal} WHERE team = 'a' AND id = 'b' AND seq >= 5 ORDER BY seq"
        );
        let plan = plan(&connection, &sql)?;
        assert!(plan.contains("(team=? AND id=? AND seq>?)"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
    Ok(())
}

#[tokio::test]
async fn fields_stand_beside_the_document() -> Outcome {
    let (_directory, path) = place()?;
    let store = SqliteStore::open(&path, options()).await?;
    store.commit(create("a", 3)).await?;
    let sql = "SELECT name || ':' || ifnull(status, 'none') FROM agents WHERE team = 'home'";
    let row: String = Connection::open(&path)?.query_row(sql, [], |row| row.get(0))?;
    assert_eq!(row, "a:none");
    Ok(())
}

/// The questions of the page for people, each run on rows that answer it.
#[test]
fn the_questions_of_the_readme_have_answers() -> Outcome {
    let (_directory, path) = place()?;
    SqliteStore::migrate(&path)?;
    let connection = Connection::open(&path)?;
    connection.execute_batch(ROWS)?;
    let questions: Vec<&str> = README
        .split("```sql\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|question| !question.starts_with("-- PostgreSQL"))
        .collect();
    assert!(questions.len() >= 5, "{}", questions.len());
    for question in questions {
        let asked = |sql: &str| -> Result<bool, rusqlite::Error> {
            connection
                .prepare(sql)?
                .query([])?
                .next()
                .map(|row| row.is_some())
        };
        let answered =
            asked(question).map_err(|e| -> Broken { format!("{e}: {question}").into() })?;
        assert!(answered, "no answer to: {question}");
    }
    Ok(())
}

/// What the questions ask about, written as the program writes it.
const ROWS: &str = r#"
INSERT INTO runs (team, id, version, doc) VALUES
    ('home', 'r1', 1, '{"agent":"a1","agent_name":"coder","cost":1500,"ended_at":1760000060000000,"started_at":1760000000000000,"status":"done","steps":4,"title":"Tidy up"}');
INSERT INTO approvals (team, id, version, doc) VALUES
    ('home', 'p1', 1, '{"agent":"a1","asked_at":1760000000000000,"call":{"name":"run_command"},"decided_at":1760000030000000,"decided_by":"telegram:1","expires_at":1760086400000000,"status":"approved"}'),
    ('home', 'p2', 1, '{"agent":"a1","asked_at":1760000000000000,"call":{"name":"write_file"},"expires_at":1760086400000000,"status":"pending"}');
INSERT INTO run_events (team, id, seq, entry) VALUES
    ('home', 'r1', 0, '{"actor":"agent:a1","at":1760000000000000,"type":"started","v":1}');
INSERT INTO audit_logs (team, id, seq, entry) VALUES
    ('home', 'run:r1', 0, '{"at":1760000030000000,"deeds":[{"action":"approval.approved","actor":"telegram:1","detail":{},"subject":"p1"}],"hash":"00","prev":"","seq":0,"stream":"run:r1"}');
INSERT INTO task_queue (id, team, name, lane, priority, payload, due, set_aside, attempts, last_error) VALUES
    ('j1', 'home', 'run', 'run', 1, '{}', 1760000000000000, 1, 5, 'poison');
INSERT INTO counters (team, id, value) VALUES ('home', 'spend', 1500);
"#;
