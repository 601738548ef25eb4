//! `countersign migrate`: the database's schema. Every start brings it up to date as well; this is for looking first.

use super::{Context, Failure};
use crate::compose::{database, directory};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Change nothing; status 1 when something would have to be done
    #[arg(long)]
    check: bool,
}

pub async fn run(context: Context, arguments: &Arguments) -> Result<u8, Failure> {
    let Context { config, output, .. } = context;
    let shown = config.database.to_string();
    let before = database::schema(&config).await?;
    let known = database::known();
    let current = before == Some(known);
    let after = if current || arguments.check {
        before
    } else {
        directory::prepare(&config)?;
        Some(database::migrate(&config).await?)
    };
    let value =
        serde_json::json!({"database": shown, "before": before, "after": after, "known": known});
    output.show(&value, || match (current, arguments.check, before) {
        (true, ..) => format!("{shown} is up to date (schema {known})."),
        (false, true, None) => format!("{shown} has no tables yet; the first start makes them."),
        (false, true, Some(found)) => format!(
            "{shown} has schema {found}, this program knows {known}: run `countersign migrate`."
        ),
        (false, false, _) => format!("{shown} was brought to schema {known}."),
    })?;
    Ok(u8::from(arguments.check && !current))
}
