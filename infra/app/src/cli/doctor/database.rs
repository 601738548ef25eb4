//! What `doctor` asks the database.

use super::{Check, Health, check};
use crate::{
    chance::SystemChance,
    compose::{database, directory, models, team},
    config::{Config, Database},
};
use bot::text::en;
use domain::{Micros, budget::Budget};
use handlers::budgets;
use ports::{Store, model::Models, repo, store::StoreError};
use std::path::Path;

/// Free space below which the disk soon is full, in bytes.
const LITTLE_SPACE: u64 = 200 << 20;
/// Whether blobs can be kept is tried with these; the same each time, so they are kept once.
const TRIED: &[u8] = b"countersign doctor";

/// The database itself, and what in it waits for a person.
pub async fn checks(config: &Config, found: Option<&models::Found>) -> Vec<Check> {
    let what = "database";
    let shown = &config.database;
    let schema = match database::schema(config).await {
        Ok(Some(schema)) => schema,
        Ok(None) => {
            let found = format!("{shown} has no tables yet; the first start makes them");
            return vec![check(what, Health::Good, found)];
        }
        Err(error) => return vec![check(what, Health::Broken, error.to_string())],
    };
    // Opening for writing finds a file, a directory or a disk that is read-only, and other processes' locks.
    let mut more = Vec::new();
    let opened = match database::Opened::open(config).await {
        Ok(opened) => {
            more.extend(set_aside(opened.store(), shown).await);
            if let Some(found) = found {
                more.extend(unpriced(opened.store(), &found.models).await);
            }
            opened.close().await;
            check(
                what,
                Health::Good,
                format!("{shown}, schema {schema} of {}", database::known()),
            )
        }
        Err(error) => check(what, Health::Broken, error.to_string()),
    };
    let mut checks = vec![opened];
    if config.database.is_cloud() {
        checks.extend(shared(config).await);
    }
    checks.extend(more);
    if let Some(free) = config
        .database
        .file()
        .and_then(free)
        .filter(|free| *free < LITTLE_SPACE)
    {
        let health = if free < LITTLE_SPACE / 20 {
            Health::Broken
        } else {
            Health::Fair
        };
        checks.push(check(
            "disk",
            health,
            format!("only {} MiB are free: make room", free >> 20),
        ));
    }
    checks
}

/// What a team in the cloud needs besides its table, because many processes share it.
async fn shared(config: &Config) -> Vec<Check> {
    let tried = async {
        let blobs = database::blobs(config)
            .await
            .map_err(|bad| bad.to_string())?;
        // Written too, since reading what is not there may be forbidden where reading what is there is allowed.
        let digest = blobs.put(TRIED).await.map_err(|e| e.to_string())?;
        blobs.get(&digest).await.map_err(|e| e.to_string())
    };
    let mut checks = vec![match tried.await {
        Ok(_) => check(
            "bucket",
            Health::Good,
            config.cloud.bucket.clone().unwrap_or_default(),
        ),
        Err(error) => check("bucket", Health::Broken, error),
    }];
    if let Err(bad) = directory::audit_key(config, &SystemChance) {
        checks.push(check("audit", Health::Broken, bad.to_string()));
    }
    checks
}

/// Work that was given up and waits for a person. The store counts it by lane; which is the oldest and what it died of is a
/// question in SQL.
async fn set_aside(store: &dyn Store, database: &Database) -> Option<Check> {
    let what = "set aside";
    let lanes = match store.backlog(Micros(0)).await {
        Ok(lanes) => lanes,
        Err(error) => return Some(check(what, Health::Broken, error.to_string())),
    };
    let jobs: u64 = lanes.iter().map(|lane| lane.set_aside).sum();
    if jobs == 0 {
        return None;
    }
    let lanes: Vec<String> = lanes
        .iter()
        .filter(|lane| lane.set_aside > 0)
        .map(|lane| format!("{} in {}", lane.set_aside, lane.lane))
        .collect();
    let found = format!("{jobs} given up ({}). {}", lanes.join(", "), look(database));
    Some(check(what, Health::Fair, found))
}

/// How to see what was given up.
fn look(database: &Database) -> String {
    let (client, due) = match database {
        Database::Sqlite(path) => (
            format!("sqlite3 '{}'", path.display()),
            "datetime(due / 1000000, 'unixepoch')",
        ),
        Database::Postgres { .. } => (
            "psql \"$COUNTERSIGN_DATABASE_URL\" -c".to_owned(),
            "to_timestamp(due / 1000000)",
        ),
        #[cfg(feature = "aws")]
        Database::DynamoDb(_) => {
            return "The log says “set aside” and what they died of. Nothing tries them again: see to the cause and ask anew."
                .to_owned();
        }
    };
    format!(
        "The oldest first, with what they died of:\n\
        {client} \"SELECT id, name, {due}, last_error FROM task_queue WHERE set_aside ORDER BY seq\"\n\
        Nothing tries them again: see to the cause and ask anew; to forget one, DELETE FROM task_queue WHERE id = '…' AND set_aside"
    )
}

/// Models that no budget holds back, where one is set.
async fn unpriced(store: &dyn Store, models: &Models) -> Option<Check> {
    let what = "budgets";
    let team = team();
    let names = async {
        let budgets = repo::collect::<Budget>(store, repo::all::<Budget>(&team)).await?;
        match budgets.is_empty() {
            true => Ok(Vec::new()),
            false => budgets::unpriced(store, &team, models).await,
        }
    };
    match names.await {
        Ok(names) if names.is_empty() => None,
        Ok(names) => Some(check(what, Health::Fair, en::unpriced(&names))),
        Err(error) => Some(check(what, Health::Broken, StoreError::to_string(&error))),
    }
}

fn free(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path.parent()?).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{CommitId, TeamId};
    use ports::{
        job::{self, Tick},
        store::{Batch, Claim, Op},
    };

    #[tokio::test]
    async fn jobs_that_were_set_aside_are_counted_and_shown_the_way_to() {
        let store = testkit::memory_store::MemoryStore::new();
        let database = Database::Sqlite("/d/c.db".into());
        assert!(set_aside(&store, &database).await.is_none());
        let batch = |id: &str, op| Batch {
            id: CommitId::new(id),
            at: Micros(1),
            ops: vec![op],
        };
        let job = job::new_job(&TeamId::new("home"), "j".to_owned(), &Tick {}, Micros(1)).unwrap();
        let lanes = vec![job.lane.clone()];
        store.commit(batch("1", Op::Enqueue(job))).await.unwrap();
        assert!(set_aside(&store, &database).await.is_none());
        let claim = Claim {
            lanes,
            worker: "test".to_owned(),
            now: Micros(1),
            lease: std::time::Duration::from_secs(60),
            limit: 1,
        };
        let job = store.claim(claim).await.unwrap().jobs.remove(0);
        let (error, epoch) = ("no".to_owned(), job.epoch);
        let job = job.id;
        let aside = Op::SetAside { job, epoch, error };
        store.commit(batch("2", aside)).await.unwrap();
        let check = set_aside(&store, &database).await.unwrap();
        assert_eq!(check.health, Health::Fair);
        assert!(check.found.starts_with("1 given up") && check.found.contains("1 in tick"));
        assert!(check.found.contains("sqlite3 '/d/c.db'"), "{}", check.found);
    }
}
