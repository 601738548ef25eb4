//! What tools cost in recorded conversations (OpenAI's message format, one `{"messages": […]}` a line), replayed with growing catalogues:
//! all tools in every request, against the product's own rule, texts and search (`handlers::tool::on_demand`). A replay: what
//! the model said is what was recorded, and only requests change; no model is asked and no live saving is measured.
//!
//! `--tools A,B` adds a catalogue, once more for each further one: answers to `tools/list` as files, or names of the servers that `cargo xtask setup`
//! installs. The first holds the tools that the conversations use.

mod catalogue;
mod replay;

use anyhow::{Context, Result};
use handlers::tool::on_demand::{Catalogue, Finder};
use search_tantivy::{Place, TantivyIndex};
use std::{collections::BTreeMap, fs, sync::Arc};
use testkit::blobs::MemoryBlobs;

use super::{
    Args,
    measure::{directory, print_table, row},
};
use crate::project::Project;
use replay::{Asking, Conversation, Query, Replayed, Replays};

pub fn measure(project: &Project, args: &Args) -> Result<()> {
    let path = args.conversations.as_ref();
    let path = path.context("which conversations? --conversations FILE --tools A,B --tools C")?;
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let conversations: Vec<Conversation> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let written = written(args)?;
    let kept = directory(project)?;
    let place = Place {
        directory: kept.path().to_owned(),
        limit: u64::MAX,
    };
    let index = TantivyIndex::new(Arc::new(MemoryBlobs::new()), place);
    let finder = Finder::new(Arc::new(index));
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let mut tools = Vec::new();
    let mut costs = vec![row([
        "",
        "tokens a conversation",
        "saved",
        "of the tools’",
        "cost a conversation",
        "saved",
        "of the tools’",
        "searches",
    ])];
    let mut searches = vec![row(["", "searches", "first", "among the first three"])];
    for group in &args.tools {
        tools.extend(catalogue::read(project, group)?);
        let catalogue = Catalogue(tools.clone());
        let replays = Replays::new(&catalogue, &finder, &written);
        let none = runtime.block_on(replays.all(&conversations, Asking::Nothing))?;
        let all = runtime.block_on(replays.all(&conversations, Asking::Always))?;
        let title = format!("{} tools, {} tokens", tools.len(), replays.tokens());
        costs.push(line(&format!("{title}: always"), &all, (&all, &none)));
        let ways = WAYS.into_iter();
        for (asking, name) in ways.filter(|way| way.0 != Asking::Written || !written.is_empty()) {
            let ours = runtime.block_on(replays.all(&conversations, asking))?;
            costs.push(line(&format!("  ours, {name}"), &ours, (&all, &none)));
            searches.push(found(&format!("{} tools, {name}", tools.len()), &ours));
        }
    }
    println!(
        "{} conversations; tokens by the product's estimate (4 bytes), cost in tokens of uncached input",
        conversations.len()
    );
    print_table(&costs);
    println!("the right tool, of the first searches for a tool:");
    print_table(&searches);
    Ok(())
}

const WAYS: [(Asking, &str); 3] = [
    (Asking::Names, "asked by name"),
    (Asking::Written, "asked in a model’s words"),
    (Asking::Words, "asked in words of the conversation"),
];

fn written(args: &Args) -> Result<BTreeMap<String, String>> {
    let Some(path) = &args.queries else {
        return Ok(BTreeMap::new());
    };
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let read = |line| serde_json::from_str::<Query>(line).map(|it| (it.point, it.query));
    Ok(text.lines().map(read).collect::<Result<_, _>>()?)
}

fn found(title: &str, it: &Replayed) -> Vec<String> {
    let share = |found: u64| match it.judged {
        0 => "–".to_owned(),
        judged => format!("{:.1} %", 100.0 * found as f64 / judged as f64),
    };
    let (first, third) = (share(it.first), share(it.third));
    row([title, &it.judged.to_string(), &first, &third])
}

fn line(title: &str, it: &Replayed, (all, none): (&Replayed, &Replayed)) -> Vec<String> {
    let mean = |sum: f64| format!("{:.0}", sum / it.conversations as f64);
    let saved = |all: f64, it: f64| match all > 0.0 {
        true => format!("{:.1} %", 100.0 * (1.0 - it / all)),
        false => "–".to_owned(),
    };
    row([
        title,
        &mean(it.tokens),
        &saved(all.tokens, it.tokens),
        &saved(all.tokens - none.tokens, it.tokens - none.tokens),
        &mean(it.cost),
        &saved(all.cost, it.cost),
        &saved(all.cost - none.cost, it.cost - none.cost),
        &format!("{:.2}", it.searches as f64 / it.conversations as f64),
    ])
}
