//! `countersign knowledge search`: the best passages, each with where it stands.

use super::super::{Failure, output::Output};
use crate::compose::{Local, search};
use bot::text::en;
use handlers::{
    Home,
    knowledge::{self, Found, Reader, Wanted},
};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// What to look for
    #[arg(required = true)]
    words: Vec<String>,
    /// Only in this collection; may be given several times
    #[arg(long = "in", value_name = "COLLECTION")]
    within: Vec<String>,
    /// At most so many passages
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
}

pub async fn run(
    local: &Local,
    (home, reader, output): (&Home, Reader<'_>, Output),
    arguments: &Arguments,
) -> Result<(), Failure> {
    let index = search::index(&local.config).await?;
    let words = arguments.words.join(" ");
    let wanted = Wanted {
        words: &words,
        collections: &arguments.within,
        limit: arguments.limit.into(),
    };
    let found = knowledge::search(home, &*index, reader, &wanted).await?;
    output.show(&found, || shown(&found))
}

fn shown(found: &[Found]) -> String {
    if found.is_empty() {
        return en::NOTHING_FOUND.to_owned();
    }
    let one = |(number, one): (usize, &Found)| {
        let place = &one.place;
        let line = bot::text::one_line(&place.line());
        let snippet = bot::text::visible(&one.snippet);
        let collection = &place.collection_name;
        format!(
            "{number}. {line} ({collection}, {})\n   {snippet}",
            place.name
        )
    };
    let all: Vec<String> = (1..).zip(found).map(one).collect();
    all.join("\n\n")
}
