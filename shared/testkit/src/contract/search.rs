//! What every search index promises, as named cases: `testkit::search_contract!(make)`, where `make` is an
//! `async fn() -> Result<(search::Indexed, K), Broken>` that answers an empty index and whatever has to live as long as it.
//! `testkit::search_words_contract!(make)` has the cases that need a knowledge of languages.

use super::{Broken, Outcome, all_of};
use async_trait::async_trait;
use domain::{
    id::{CollectionId, DocumentId},
    knowledge::{Manifest, Revision, Segment},
};
use ports::search::{Entry, Search, SearchError, SearchIndex};
use std::sync::Arc;

/// An empty index, and somebody who can spoil what is in it.
pub struct Indexed {
    pub index: Arc<dyn SearchIndex>,
    pub vandal: Box<dyn Spoiling>,
}

#[async_trait]
pub trait Spoiling: Send + Sync {
    /// From now on the segment is not what was written, wherever it is kept.
    async fn spoil(&self, segment: &Segment) -> Outcome;
}

#[macro_export]
macro_rules! search_contract {
    ($make:path) => {
        $crate::search_contract! { @ search $make:
            what_a_manifest_names_is_found_and_nothing_else,
            several_manifests_are_one_collection,
            what_is_gone_is_not_found,
            a_merge_finds_the_same_without_what_is_gone,
            a_merge_of_what_is_gone_leaves_nothing,
            equal_ones_are_in_order_whatever_the_segments,
            the_limit_takes_the_best,
            whatever_is_typed_is_a_search,
            identifiers_are_found_by_their_parts,
            what_was_found_is_shown,
            a_spoiled_segment_is_noticed,
            what_was_replaced_is_never_written_again_and_goes,
            many_at_once_agree,
        }
    };
    (@ $suite:ident $make:path: $($case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $case() -> $crate::contract::Outcome {
            let (indexed, _kept_too) = $make().await?;
            $crate::contract::$suite::$case(indexed).await
        }
    )*};
}

/// A passage of a document that is called by its title.
#[must_use]
pub fn entry(title: &str, ordinal: u32, text: &str) -> Entry {
    Entry {
        revision: revision(title),
        ordinal,
        language: Some("en".to_owned()),
        title: title.to_owned(),
        headings: String::new(),
        text: text.to_owned(),
        code: false,
    }
}

/// The only one of the document that is called so.
#[must_use]
pub fn revision(title: &str) -> Revision {
    Revision {
        document: DocumentId::new(title),
        revision: 1,
    }
}

#[must_use]
pub fn manifest(segments: &[&Segment], gone: &[Revision]) -> Manifest {
    Manifest {
        collection: CollectionId::new("collection"),
        segments: segments.iter().map(|segment| (*segment).clone()).collect(),
        gone: gone.to_vec(),
    }
}

/// Title and ordinal of what is found, the best first.
///
/// # Errors
/// What the search answers.
pub async fn found(
    index: &dyn SearchIndex,
    of: &[Manifest],
    text: &str,
) -> Result<Vec<String>, SearchError> {
    let search = Search {
        text: text.to_owned(),
        limit: 10,
    };
    let hits = index.search(of, &search).await?;
    let name = |hit: &ports::search::Hit| format!("{} {}", hit.document.as_str(), hit.ordinal);
    Ok(hits.iter().map(name).collect())
}

pub async fn what_a_manifest_names_is_found_and_nothing_else(
    Indexed { index, .. }: Indexed,
) -> Outcome {
    let cats = vec![
        entry("cats", 0, "a cat sleeps all day"),
        entry("cats", 1, "the cat and another cat and a third cat"),
    ];
    let cats = index.write("", cats).await?;
    assert_eq!(cats.passages, 2);
    let dogs = index
        .write("", vec![entry("dogs", 0, "no cat here")])
        .await?;
    assert_ne!(cats.id, dogs.id);
    let only = [manifest(&[&cats], &[])];
    assert_eq!(found(&*index, &only, "cat").await?, ["cats 1", "cats 0"]);
    assert_eq!(found(&*index, &only, "here").await?, [""; 0]);
    assert_eq!(found(&*index, &[], "cat").await?, [""; 0]);
    assert_eq!(found(&*index, &[manifest(&[], &[])], "cat").await?, [""; 0]);
    Ok(())
}

pub async fn several_manifests_are_one_collection(Indexed { index, .. }: Indexed) -> Outcome {
    let one = index
        .write("", vec![entry("one", 0, "cat cat cat")])
        .await?;
    let two = index.write("", vec![entry("two", 0, "cat")]).await?;
    let three = index
        .write("", vec![entry("three", 0, "cat cat, and much else beside")])
        .await?;
    let of = [manifest(&[&three, &two], &[]), manifest(&[&one], &[])];
    let all = found(&*index, &of, "cat").await?;
    assert_eq!((all.len(), all[0].as_str()), (3, "one 0"));
    // A revision is gone from the manifest that says so.
    let of = [
        manifest(&[&three, &two], &[revision("two")]),
        manifest(&[&one], &[]),
    ];
    assert_eq!(found(&*index, &of, "cat").await?, ["one 0", "three 0"]);
    Ok(())
}

pub async fn what_is_gone_is_not_found(Indexed { index, .. }: Indexed) -> Outcome {
    let mut newer = entry("cats", 0, "the cat is awake");
    newer.revision.revision = 2;
    let first = index
        .write("", vec![entry("cats", 0, "the cat sleeps")])
        .await?;
    let second = index
        .write("", vec![newer, entry("dogs", 0, "a dog")])
        .await?;
    let gone = [revision("cats")];
    let of = manifest(&[&first, &second], &gone);
    let search = Search {
        text: "cat sleeps".to_owned(),
        limit: 10,
    };
    let hits = index.search(std::slice::from_ref(&of), &search).await?;
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].revision, 2);
    assert_eq!(index.verify(&of).await?, 2);
    assert_eq!(index.verify(&manifest(&[&first], &gone)).await?, 0);
    Ok(())
}

pub async fn a_merge_finds_the_same_without_what_is_gone(
    Indexed { index, .. }: Indexed,
) -> Outcome {
    let cats = vec![entry("cats", 0, "cat"), entry("cats", 1, "cat and mouse")];
    let cats = index.write("", cats).await?;
    let birds = vec![
        entry("birds", 0, "birds and a cat"),
        entry("crows", 0, "a crow"),
    ];
    let birds = index.write("", birds).await?;
    let gone = [revision("birds"), revision("elsewhere")];
    let before = manifest(&[&cats, &birds], &gone);
    let merged = index.merge(&before.segments, &gone).await?;
    assert_eq!(merged.dropped, [revision("birds")]);
    let segment = merged.segment.ok_or("something is left")?;
    assert_eq!(segment.passages, 3);
    let after = manifest(&[&segment], &[]);
    for search in ["cat", "mouse", "birds", "crow"] {
        let found_before = found(&*index, std::slice::from_ref(&before), search).await?;
        let found_after = found(&*index, std::slice::from_ref(&after), search).await?;
        assert_eq!(found_before, found_after, "{search}");
    }
    assert_eq!(index.verify(&after).await?, 3);
    // Who reads the older manifest meanwhile is not disturbed.
    assert_eq!(index.verify(&before).await?, 3);
    Ok(())
}

pub async fn a_merge_of_what_is_gone_leaves_nothing(Indexed { index, .. }: Indexed) -> Outcome {
    let segment = index.write("", vec![entry("cats", 0, "cat")]).await?;
    let merged = index.merge(&[segment], &[revision("cats")]).await?;
    assert_eq!(merged.segment, None);
    assert_eq!(merged.dropped, [revision("cats")]);
    Ok(())
}

pub async fn equal_ones_are_in_order_whatever_the_segments(
    Indexed { index, .. }: Indexed,
) -> Outcome {
    let ones = |titles: &[&str]| titles.iter().map(|title| entry(title, 0, "cat")).collect();
    let first = index.write("", ones(&["d", "a", "f"])).await?;
    let second = index.write("", ones(&["c", "b", "e"])).await?;
    for segments in [[&first, &second], [&second, &first]] {
        let of = [manifest(&segments, &[])];
        let all = found(&*index, &of, "cat").await?;
        assert_eq!(all, ["a 0", "b 0", "c 0", "d 0", "e 0", "f 0"]);
        let search = Search {
            text: "cat".to_owned(),
            limit: 2,
        };
        let hits = index.search(&of, &search).await?;
        let titles: Vec<_> = hits.iter().map(|hit| hit.document.as_str()).collect();
        assert_eq!(titles, ["a", "b"]);
    }
    Ok(())
}

pub async fn the_limit_takes_the_best(Indexed { index, .. }: Indexed) -> Outcome {
    let text = |n: u32| {
        format!(
            "{}{}",
            "cat ".repeat(n as usize),
            "dog ".repeat(40 - n as usize)
        )
    };
    let entries = (1..40).map(|n| entry("cats", n, &text(n))).collect();
    let of = [manifest(&[&index.write("", entries).await?], &[])];
    for limit in [0, 1, 7] {
        let search = Search {
            text: "cat".to_owned(),
            limit,
        };
        let hits = index.search(&of, &search).await?;
        let ordinals: Vec<_> = hits.iter().map(|hit| hit.ordinal).collect();
        assert_eq!(ordinals, (1..40).rev().take(limit).collect::<Vec<_>>());
        assert!(hits.windows(2).all(|two| two[0].score >= two[1].score));
    }
    Ok(())
}

pub async fn whatever_is_typed_is_a_search(Indexed { index, .. }: Indexed) -> Outcome {
    let of = [manifest(
        &[&index
            .write("", vec![entry("cats", 0, "the cat's meow")])
            .await?],
        &[],
    )];
    let long = "cat and more ".repeat(100_000);
    let longest_word = "c".repeat(1_000_000);
    let odd = [
        "cat",
        "title:cat",
        "\"cat",
        "cat AND (",
        "+cat -dog",
        "cat~2",
        "cat^",
        "ca\0t cat",
        "cat*",
        "[cat TO",
        "\u{202e}cat",
        "cat\u{1f408}",
        &long,
    ];
    for search in odd {
        assert_eq!(
            found(&*index, &of, search).await?,
            ["cats 0"],
            "{search:.40}"
        );
    }
    for search in ["", " \n", "?!", "\u{0}", "zebra", &longest_word] {
        assert_eq!(found(&*index, &of, search).await?, [""; 0], "{search:.40}");
    }
    Ok(())
}

pub async fn identifiers_are_found_by_their_parts(Indexed { index, .. }: Indexed) -> Outcome {
    let code = |title, text| Entry {
        language: None,
        code: true,
        ..entry(title, 0, text)
    };
    let entries = vec![
        code("camel", "fn parseHttpRequest(bytes: &[u8])"),
        code("snake", "def read_config_file(path):"),
        code("other", "int main(void)"),
    ];
    let of = [manifest(&[&index.write("", entries).await?], &[])];
    for (search, title) in [
        ("http request", "camel 0"),
        ("parseHttpRequest", "camel 0"),
        ("config file", "snake 0"),
        ("read_config_file", "snake 0"),
        ("main", "other 0"),
    ] {
        assert_eq!(found(&*index, &of, search).await?, [title], "{search}");
    }
    Ok(())
}

pub async fn what_was_found_is_shown(Indexed { index, .. }: Indexed) -> Outcome {
    let shown = |search: &str, text: &str| -> Vec<String> {
        let ranges = index.highlight(search, text, Some("en"));
        assert!(
            ranges.windows(2).all(|two| two[0].end <= two[1].start),
            "{ranges:?}"
        );
        ranges.into_iter().map(|at| text[at].to_owned()).collect()
    };
    let text = "Ein Kätzchen, a Cat; cat_food and the dog.";
    assert_eq!(shown("cat", text), ["Cat", "cat"]);
    assert_eq!(shown("DOG?", text), ["dog"]);
    assert_eq!(shown("zebra", text), [""; 0]);
    assert_eq!(shown("", text), [""; 0]);
    assert_eq!(shown("cat", ""), [""; 0]);
    Ok(())
}

pub async fn a_spoiled_segment_is_noticed(Indexed { index, vandal }: Indexed) -> Outcome {
    let segment = index.write("", vec![entry("cats", 0, "cat")]).await?;
    let of = manifest(&[&segment], &[]);
    vandal.spoil(&segment).await?;
    let verified = index.verify(&of).await;
    assert!(
        matches!(verified, Err(SearchError::Damaged(_))),
        "{verified:?}"
    );
    let merged = index.merge(&of.segments, &[]).await;
    assert!(matches!(merged, Err(SearchError::Damaged(_))), "{merged:?}");
    let searched = found(&*index, &[of], "cat").await;
    assert!(
        matches!(searched, Err(SearchError::Damaged(_))),
        "{searched:?}"
    );
    Ok(())
}

pub async fn what_was_replaced_is_never_written_again_and_goes(
    Indexed { index, .. }: Indexed,
) -> Outcome {
    let cat = |name: &str| vec![entry(name, 0, "cat")];
    let first = index.write("1", cat("one")).await?;
    // Whoever does it a second time, after a crash, does the same.
    assert_eq!(index.write("1", cat("one")).await?, first);
    let again = index.write("2", cat("one")).await?;
    assert_ne!((&again.id, &again.blob), (&first.id, &first.blob));
    let other = index.write("1", cat("two")).await?;
    let pair = [again.clone(), other];
    let merged = index.merge(&pair, &[revision("two")]).await?;
    assert_eq!(index.merge(&pair, &[revision("two")]).await?, merged);
    // It has what the first had, and is another one.
    let merged = merged.segment.ok_or("a segment")?;
    assert!(merged.id != first.id && merged.id != again.id);
    for _ in 0..2 {
        index.delete(&pair).await?;
    }
    assert_eq!(
        found(&*index, &[manifest(&[&merged], &[])], "cat").await?,
        ["one 0"]
    );
    assert_eq!(index.verify(&manifest(&[&first], &[])).await?, 1);
    let lost = index.verify(&manifest(&[&pair[0]], &[])).await;
    assert!(matches!(lost, Err(SearchError::Damaged(_))), "{lost:?}");
    Ok(())
}

pub async fn many_at_once_agree(Indexed { index, .. }: Indexed) -> Outcome {
    let written = all_of(8, |n| {
        let index = index.clone();
        async move {
            let title = format!("document {n}");
            Ok::<_, Broken>(index.write("", vec![entry(&title, 0, "cat")]).await?)
        }
    });
    let written = written.await?;
    let of = manifest(&written.iter().collect::<Vec<_>>(), &[]);
    let answers = all_of(16, |_| {
        let (index, of) = (index.clone(), [of.clone()]);
        async move { Ok::<_, Broken>(found(&*index, &of, "cat").await?) }
    });
    let expected: Vec<_> = (0..8).map(|n| format!("document {n} 0")).collect();
    for answer in answers.await? {
        assert_eq!(answer, expected);
    }
    Ok(())
}
