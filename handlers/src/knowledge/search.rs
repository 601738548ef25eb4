//! Searching: the index says which passages, their texts come from the documents, and only what this person may read is asked for.

use super::{Place, Reader, Shelf, collections, snippet::snippet};
use crate::{CommandError, Home, Problem};
use domain::{
    content::prefix,
    id::{CollectionId, DocumentId},
    knowledge::Manifest,
};
use ports::{
    SearchIndex,
    blob::BlobError,
    repo,
    search::{Hit, Search, SearchError},
};
use serde::Serialize;
use std::ops::Range;

/// Bytes of what is searched for; a longer question is cut.
const WORDS: usize = 4 * 1024;
/// Hits that are asked for beyond those wanted, in place of what is gone meanwhile.
const SPARE: usize = 10;
/// Bytes of a snippet.
const SNIPPET: usize = 240;

/// A hit as a person sees it.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct Found {
    #[serde(flatten)]
    pub place: Place,
    pub snippet: String,
    /// Bytes of the snippet that made it a hit.
    pub highlights: Vec<Range<usize>>,
}

/// What to look for, in which collections (names or ids; all that this person may read, if none is named), and how many passages.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub words: &'a str,
    pub collections: &'a [String],
    pub limit: usize,
}

/// The best passages, best first.
///
/// # Errors
/// [`Problem`]s: nothing to look for, no such collection.
pub async fn search(
    home: &Home,
    index: &dyn SearchIndex,
    reader: Reader<'_>,
    wanted: &Wanted<'_>,
) -> Result<Vec<Found>, CommandError> {
    if wanted.words.trim().is_empty() {
        let text = "Write what to look for.".to_owned();
        return Err(Problem::Invalid(text).into());
    }
    let mut ids = Vec::new();
    for name in wanted.collections {
        ids.push(collections::find(home, reader, name).await?.value.id);
    }
    if wanted.collections.is_empty() {
        let all = collections::list(home, reader).await?;
        ids.extend(all.into_iter().map(|collection| collection.id));
    }
    let places = places(home, index, reader, (&ids, wanted.words, wanted.limit)).await;
    let places = places.map_err(unreachable)?;
    let found = places.into_iter().map(|place| {
        let (text, language) = (&place.passage.text, place.passage.language.as_deref());
        let marks = index.highlight(cut(wanted.words), text, language);
        let (snippet, highlights) = snippet(text, &marks, SNIPPET);
        Found {
            snippet,
            highlights,
            place,
        }
    });
    Ok(found.collect())
}

/// Who searches waits for an answer, so one that could only come later is that.
fn unreachable(error: CommandError) -> CommandError {
    let (CommandError::Search(SearchError::Io(why)) | CommandError::Blob(BlobError::Io(why))) =
        &error
    else {
        return error;
    };
    tracing::error!(why, "the documents cannot be read");
    let text = "The documents can’t be read at the moment, because what holds them doesn’t answer. Nothing is lost: search again later.";
    Problem::Invalid(text.to_owned()).into()
}

/// The best passages of those collections that this person may read now, best first.
pub(super) async fn places(
    home: &Home,
    index: &dyn SearchIndex,
    reader: Reader<'_>,
    (ids, words, limit): (&[CollectionId], &str, usize),
) -> Result<Vec<Place>, CommandError> {
    let mut shelf = Shelf::new(home, reader);
    let mut manifests = Vec::new();
    for id in ids {
        if shelf.collection(id).await?.is_none() {
            continue;
        }
        let manifest = repo::get::<Manifest>(&*home.store, &home.team, id.as_str()).await?;
        manifests.extend(manifest.map(|stored| stored.value));
    }
    if manifests.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let search = Search {
        text: cut(words).to_owned(),
        limit: limit + SPARE,
    };
    let hits = match index.search(&manifests, &search).await {
        Ok(hits) => hits,
        Err(SearchError::Damaged(why)) => {
            tracing::error!(why, "the index of the knowledge is damaged");
            let text = "The search index is damaged. `countersign knowledge reindex` makes it again from the documents.";
            return Err(Problem::Invalid(text.to_owned()).into());
        }
        Err(error) => return Err(error.into()),
    };
    let mut places = Vec::new();
    for Hit {
        document,
        revision,
        ordinal,
        ..
    } in hits
    {
        let place = shelf.open(&document, revision, ordinal).await?;
        // Replaced, removed or lost since the manifest was read; or a document that was put elsewhere.
        let place = place.filter(|place| !place.outdated && ids.contains(&place.collection));
        places.extend(place);
        if places.len() == limit {
            break;
        }
    }
    Ok(places)
}

fn cut(words: &str) -> &str {
    prefix(words, WORDS)
}

/// One passage, for reading on: also of an earlier content of the document, which a citation may name.
///
/// # Errors
/// [`Problem::NotFound`] where it is gone or not for this person.
pub async fn passage(
    home: &Home,
    reader: Reader<'_>,
    document: &DocumentId,
    (revision, ordinal): (u32, u32),
) -> Result<Place, CommandError> {
    let place = Shelf::new(home, reader)
        .open(document, revision, ordinal)
        .await?;
    place.ok_or_else(|| {
        let (what, name) = ("passage", ordinal.saturating_add(1).to_string());
        Problem::NotFound { what, name }.into()
    })
}
