//! `countersign migrate`: the database's schema. Every start brings it up to date as well; this is for looking first.

use super::{Context, Failure};
use crate::compose::directory;
use store_sqlite::SqliteStore;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Change nothing; status 1 when something would have to be done
    #[arg(long)]
    check: bool,
}

pub fn run(context: Context, arguments: &Arguments) -> Result<u8, Failure> {
    let Context { config, output } = context;
    let database = config.database.to_string_lossy();
    let before = SqliteStore::schema_version(&database)?;
    let known = SqliteStore::known_version();
    let current = before == Some(known);
    let after = if current || arguments.check {
        before
    } else {
        directory::prepare(&config)?;
        Some(SqliteStore::migrate(&database)?)
    };
    let value =
        serde_json::json!({"database": database, "before": before, "after": after, "known": known});
    output.show(&value, || match (current, arguments.check, before) {
        (true, ..) => format!("{database} is up to date (schema {known})."),
        (false, true, None) => format!("{database} does not exist yet; the first start makes it."),
        (false, true, Some(found)) => format!(
            "{database} has schema {found}, this program knows {known}: run `countersign migrate`."
        ),
        (false, false, _) => format!("{database} was brought to schema {known}."),
    })?;
    Ok(u8::from(arguments.check && !current))
}
