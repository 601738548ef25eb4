//! Words in their languages, alone and in one collection.

use super::make;
use ports::search::Entry;
use testkit::contract::{
    Outcome,
    search::{entry, found, manifest},
};

fn said(title: &str, language: &str, text: &str) -> Entry {
    Entry {
        language: Some(language.to_owned()),
        ..entry(title, 0, text)
    }
}

fn texts() -> Vec<Entry> {
    vec![
        said(
            "english",
            "en",
            "The houses were built by engineers. Caféteria.",
        ),
        said(
            "russian",
            "ru",
            "Программисты написали новые программы для HTTP servers. Ёлка.",
        ),
        said(
            "german",
            "de",
            "Die Häuser der Ingenieure sind größer als früher.",
        ),
        said(
            "french",
            "fr",
            "Les maisons présentées étaient chères à l’été.",
        ),
        said("spanish", "es", "Las canciones bonitas de los niños."),
        said("ukrainian", "uk", "Будинки та програми."),
        said("japanese", "ja", "東京都に住んでいます"),
    ]
}

/// Search, and whom it finds.
const SEARCHES: [(&str, &str); 17] = [
    ("house", "english 0"),
    ("engineering", "english 0"),
    ("CAFETERIA", "english 0"),
    ("cafe\u{301}teria", "english 0"),
    ("программист", "russian 0"),
    ("елка", "russian 0"),
    ("http server", "russian 0"),
    ("haus", "german 0"),
    ("Hauser", "german 0"),
    ("ingenieur", "german 0"),
    ("grosser", "german 0"),
    ("maison", "french 0"),
    ("presentees", "french 0"),
    ("été", "french 0"),
    ("cancion", "spanish 0"),
    ("будинки", "ukrainian 0"),
    ("東京", "japanese 0"),
];

#[tokio::test]
async fn words_are_found_by_their_stems_in_a_collection_of_many_languages() -> Outcome {
    let (indexed, _directory) = make().await?;
    let of = [manifest(&[&indexed.index.write("", texts()).await?], &[])];
    for (search, expected) in SEARCHES {
        assert_eq!(
            found(&*indexed.index, &of, search).await?,
            [expected],
            "{search}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn stop_words_count_only_alone() -> Outcome {
    let (indexed, _directory) = make().await?;
    let of = [manifest(&[&indexed.index.write("", texts()).await?], &[])];
    assert_eq!(
        found(&*indexed.index, &of, "which of the houses?").await?,
        ["english 0"]
    );
    assert_eq!(found(&*indexed.index, &of, "by the").await?, ["english 0"]);
    Ok(())
}

/// A word said twice weighs twice as much.
#[tokio::test]
async fn repetitions_count() -> Outcome {
    let (indexed, _directory) = make().await?;
    let entries = vec![entry("cats", 0, "a cat"), entry("dogs", 0, "a dog")];
    let of = [manifest(&[&indexed.index.write("", entries).await?], &[])];
    assert_eq!(
        found(&*indexed.index, &of, "cat dog dog").await?,
        ["dogs 0", "cats 0"]
    );
    assert_eq!(
        found(&*indexed.index, &of, "cat dog cat").await?,
        ["cats 0", "dogs 0"]
    );
    Ok(())
}

#[tokio::test]
async fn stems_are_shown_as_they_are_written() -> Outcome {
    let (indexed, _directory) = make().await?;
    let shown = |search: &str, text: &str, language| -> Vec<String> {
        let ranges = indexed.index.highlight(search, text, language);
        ranges.into_iter().map(|at| text[at].to_owned()).collect()
    };
    assert_eq!(
        shown("the house", "The Houses of the lord", Some("en")),
        ["Houses"]
    );
    assert_eq!(shown("haus", "die Häuser", Some("de")), ["Häuser"]);
    assert_eq!(
        shown("hauser", "die Ha\u{308}user", Some("de")),
        ["Ha\u{308}user"]
    );
    assert_eq!(
        shown("http requests", "fn parseHttpRequest()", None),
        ["Http", "Request"]
    );
    assert_eq!(shown("東京都", "大東京都庁", Some("ja")), ["東京都"]);
    Ok(())
}
