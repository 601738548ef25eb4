//! Collections: listed, shown, made, renamed, removed, given to agents.

use super::super::{
    Failure,
    output::{Output, table},
};
use bot::text::en;
use handlers::{
    Home, commit_with,
    knowledge::{self, Reader},
};
use serde_json::json;

type At<'a> = (&'a Home, Reader<'a>, Output);

pub async fn list((home, reader, output): At<'_>) -> Result<(), Failure> {
    let (mut values, mut rows) = (Vec::new(), Vec::new());
    for collection in knowledge::list(home, reader).await? {
        let agents = knowledge::users(home, &collection.id).await?;
        let whose = collection.owner.as_ref().map_or("team", |_| "only you");
        rows.push(vec![
            collection.name.clone(),
            whose.to_owned(),
            agents.join(", "),
        ]);
        values.push(json!({"collection": collection, "agents": agents}));
    }
    let nothing =
        "There are no documents yet: `countersign knowledge create handbook` makes a collection.";
    output.show(&values, || {
        table(&["name", "whose", "agents"], &rows, nothing)
    })
}

pub async fn show((home, reader, output): At<'_>, name: &str, page: usize) -> Result<(), Failure> {
    let list = knowledge::documents(home, reader, name, page.saturating_sub(1)).await?;
    output.show(&list, || {
        let mut lines: Vec<String> = list.documents.iter().map(en::document).collect();
        if lines.is_empty() {
            lines.push(en::NO_DOCUMENTS.to_owned());
        }
        if list.more {
            lines.push(format!("… and more: --page {}", list.page + 2));
        }
        lines.join("\n")
    })
}

pub async fn create(
    (home, reader, output): At<'_>,
    name: &str,
    alone: bool,
) -> Result<(), Failure> {
    let draft = async || knowledge::create(home, reader, name, alone).await;
    let made = commit_with(home, draft).await?;
    output.show(&made, || en::collection_made(&made))
}

pub async fn rename((home, reader, output): At<'_>, name: &str, new: &str) -> Result<(), Failure> {
    let draft = async || knowledge::rename(home, reader, name, new).await;
    let renamed = commit_with(home, draft).await?;
    output.show(&renamed, || en::collection_renamed(name, new))
}

pub async fn remove((home, reader, output): At<'_>, name: &str) -> Result<(), Failure> {
    let draft = async || knowledge::remove(home, reader, name).await;
    let removed = commit_with(home, draft).await?;
    output.show(&removed, || en::deleted("collection", &removed.name))
}

pub async fn attach(
    (home, reader, output): At<'_>,
    name: &str,
    to: (&str, bool),
) -> Result<(), Failure> {
    let draft = async || knowledge::attach(home, reader, name, to).await;
    let (collection, agent) = commit_with(home, draft).await?;
    output.show(&agent, || en::attached(&collection, &agent.name, to.1))
}
