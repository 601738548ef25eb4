//! The order of what is found.

use super::make;
use domain::knowledge::Segment;
use ports::search::{Entry, Hit, Search, SearchError, SearchIndex};
use testkit::contract::{
    Outcome,
    search::{entry, manifest, revision},
};

/// Some are long, some are equal, all have some words of a few.
fn passages() -> Vec<Entry> {
    let words = ["cat", "dog", "bird", "fish", "horse", "cow", "and", "the"];
    let text = |n: usize| -> String {
        let word = |at: usize| words[(n * 7 + at * at * (n % 5 + 1)) % words.len()];
        (0..3 + n % 40).map(|at| format!("{} ", word(at))).collect()
    };
    let passage = |n: usize| entry(&format!("document {}", n / 3), n as u32 % 3, &text(n % 150));
    (0..300).map(passage).collect()
}

async fn search(
    index: &dyn SearchIndex,
    segments: &[&Segment],
    text: &str,
) -> Result<Vec<Hit>, SearchError> {
    let search = Search {
        text: text.to_owned(),
        limit: 20,
    };
    index.search(&[manifest(segments, &[])], &search).await
}

#[tokio::test]
async fn it_is_the_same_in_one_segment_and_in_many() -> Outcome {
    let (indexed, _directory) = make().await?;
    let index = &*indexed.index;
    let one = index.write("", passages()).await?;
    let mut several = Vec::new();
    for few in passages().chunks(37) {
        several.push(index.write("", few.to_vec()).await?);
    }
    let merged = index
        .merge(&several, &[])
        .await?
        .segment
        .ok_or("nothing is left")?;
    let several: Vec<_> = several.iter().collect();
    for text in [
        "cat",
        "dogs birds",
        "the horse and the cow and the fish and the horse",
    ] {
        let found = search(index, &[&one], text).await?;
        assert_eq!(found.len(), 20);
        assert_eq!(search(index, &several, text).await?, found, "{text}");
        assert_eq!(search(index, &[&merged], text).await?, found, "{text}");
    }
    Ok(())
}

/// A segment's words are as rare as they are everywhere.
#[tokio::test]
async fn a_word_is_as_rare_as_it_is_in_all_segments() -> Outcome {
    let (indexed, _directory) = make().await?;
    let index = &*indexed.index;
    let with_cats = index
        .write(
            "",
            vec![entry("cats", 0, "cat house"), entry("cats", 1, "cat home")],
        )
        .await?;
    let fish = (0..30).map(|n| entry("fish", n, "fish bowl"));
    let fish = index
        .write("", fish.chain([entry("lone cat", 0, "cat bowl")]).collect())
        .await?;
    let hits = search(index, &[&with_cats, &fish], "house bowl").await?;
    assert_eq!(
        hits.first().map(|hit| &hit.document),
        Some(&revision("cats").document)
    );
    Ok(())
}

#[tokio::test]
async fn headings_count_more_than_text() -> Outcome {
    let (indexed, _directory) = make().await?;
    let headed = Entry {
        headings: "Feeding cats".to_owned(),
        ..entry("a manual", 1, "They want it twice a day.")
    };
    let other = entry("b manual", 0, "Feeding cats is done twice a day.");
    let segment = indexed.index.write("", vec![other, headed]).await?;
    let hits = search(&*indexed.index, &[&segment], "feeding cats").await?;
    assert_eq!(hits.first().map(|hit| hit.ordinal), Some(1));
    Ok(())
}
