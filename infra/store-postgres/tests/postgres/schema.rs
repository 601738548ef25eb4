//! The schema: versions, what people may ask it, and that each question of the port has its index.

use super::{create, scratch, store};
use ports::{
    repo::{JOURNALS, TABLES},
    store::{Store, StoreError},
};
use store_postgres::{Options, PostgresStore, Scratch};
use testkit::contract::{Broken, Outcome};

const README: &str = include_str!("../../../../migrations/README.md");

#[tokio::test]
async fn a_schema_is_made_once() -> Outcome {
    let scratch = scratch().await?;
    let (url, known) = (scratch.url(), PostgresStore::known_version());
    assert_eq!(PostgresStore::schema_version(url).await?, 0);
    assert_eq!(PostgresStore::migrate(url).await?, known);
    assert_eq!(PostgresStore::migrate(url).await?, known);
    assert_eq!(PostgresStore::schema_version(url).await?, known);
    let rows = scratch
        .ask("SELECT count(*) FROM schema_migrations")
        .await?;
    assert_eq!(rows, [known.to_string()]);
    Ok(())
}

async fn refusal(scratch: &Scratch) -> Result<StoreError, Broken> {
    match PostgresStore::open(scratch.url(), Options::default()).await {
        Err(error) => Ok(error),
        Ok(_) => Err("it was opened".into()),
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() -> Outcome {
    let (_, scratch) = store().await?;
    scratch
        .execute("INSERT INTO schema_migrations VALUES (4711, '4711_future', '')")
        .await?;
    match refusal(&scratch).await? {
        StoreError::NewerSchema { found, known } => {
            assert_eq!((found, known), (4711, PostgresStore::known_version()));
        }
        other => return Err(other.into()),
    }
    Ok(())
}

#[tokio::test]
async fn foreign_schemas_are_refused() -> Outcome {
    let (_, other_text) = store().await?;
    other_text
        .execute("UPDATE schema_migrations SET digest = 'other' WHERE id = 1")
        .await?;
    let other_program = scratch().await?;
    other_program
        .execute("CREATE TABLE schema_migrations (version text)")
        .await?;
    for (scratch, expected) in [
        (other_text, "0001_kernel"),
        (other_program, "a database of its own"),
    ] {
        match refusal(&scratch).await? {
            StoreError::CannotWrite(text) => assert!(text.contains(expected), "{text}"),
            other => return Err(other.into()),
        }
    }
    Ok(())
}

/// PostgreSQL's plan for a question, when it may not read whole tables. Without rows it would.
async fn plan(scratch: &Scratch, sql: &str) -> Result<String, Broken> {
    let function = "CREATE OR REPLACE FUNCTION plan_of(question text) RETURNS text LANGUAGE plpgsql
        SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS
        $$ DECLARE plan json; BEGIN EXECUTE 'EXPLAIN (FORMAT json) ' || question INTO plan; RETURN plan; END $$";
    scratch.execute(function).await?;
    let asked = scratch.ask(&format!("SELECT plan_of($q${sql}$q$)")).await?;
    Ok(asked.concat())
}

#[tokio::test]
async fn every_table_and_index_of_the_port_is_there() -> Outcome {
    let (_store, scratch) = store().await?;
    for table in TABLES {
        let name = table.name;
        scratch
            .execute(&format!("SELECT team, id, version, doc FROM {name}"))
            .await?;
        for index in table.indexes {
            let (partition, sort) = (index.partition, index.sort);
            let kind = format!(
                "SELECT data_type FROM information_schema.columns WHERE table_schema = current_schema()
                 AND table_name = '{name}' AND column_name = '{sort}'"
            );
            let bound = match scratch.ask(&kind).await?.concat().as_str() {
                "bigint" => "1",
                _ => "'1'",
            };
            let sql = format!(
                "SELECT doc FROM {name} WHERE team = 'a' AND \"{sort}\" IS NOT NULL AND \"{partition}\" = 'b'
                 AND \"{sort}\" >= {bound} AND (\"{sort}\", id) > ({bound}, 'c') ORDER BY \"{sort}\", id"
            );
            let plan = plan(&scratch, &sql).await?;
            let expected = format!("{name}_{}", index.name);
            assert!(plan.contains(&expected), "{name}: {plan}");
            assert!(!plan.contains("Sort"), "{name} is sorted: {plan}");
        }
    }
    for journal in JOURNALS {
        let journal = journal.name;
        let sql = format!(
            "SELECT entry FROM {journal} WHERE team = 'a' AND id = 'b' AND seq >= 5 ORDER BY seq"
        );
        let plan = plan(&scratch, &sql).await?;
        assert!(plan.contains(&format!("{journal}_pkey")), "{plan}");
        assert!(!plan.contains("Sort"), "{plan}");
    }
    Ok(())
}

#[tokio::test]
async fn fields_stand_beside_the_document() -> Outcome {
    let (store, scratch) = store().await?;
    store.commit(create("a")).await?;
    let sql = "SELECT name || ':' || coalesce(status, 'none') FROM agents WHERE team = 'home'";
    assert_eq!(scratch.ask(sql).await?, ["xxx:none"]);
    // Three backslashes: an escaped one, then an escaped NUL. Two: the letters that follow.
    let odd = r#"{"name":"\u0000 \\u0000 \\\u0000\u0000"}"#;
    scratch
        .execute(&format!("UPDATE agents SET doc = '{odd}'"))
        .await?;
    let sql = "SELECT name = E'\u{fffd} \\\\u0000 \\\\\u{fffd}\u{fffd}' FROM agents";
    assert_eq!(scratch.ask(sql).await?, ["true"]);
    Ok(())
}

/// The questions of the page for people, each run on rows that answer it.
#[tokio::test]
async fn the_questions_of_the_readme_have_answers() -> Outcome {
    let (_store, scratch) = store().await?;
    scratch.execute(ROWS).await?;
    let questions: Vec<&str> = README
        .split("```sql\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|question| !question.starts_with("-- SQLite"))
        .collect();
    assert!(questions.len() >= 5, "{}", questions.len());
    for question in questions {
        let sql = question.trim().trim_end_matches(';');
        let answer = scratch.ask(sql).await;
        let answer = answer.map_err(|e| -> Broken { format!("{e}: {question}").into() })?;
        assert!(!answer.is_empty(), "no answer to: {question}");
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
    ('j1', 'home', 'run', 'run', 1, '{}', 1760000000000000, true, 5, 'poison');
INSERT INTO counters (team, id, value) VALUES ('home', 'spend', 1500);
"#;
