//! One segment in place of several.

use crate::{
    failed,
    pack::{About, Packed},
    schema,
    view::View,
    write,
};
use domain::{
    Digest,
    knowledge::{Revision, Segment},
};
use ports::search::SearchError;
use tantivy::{
    BitSet,
    directory::{OwnedBytes, RamDirectory},
    fastfield::{AliveBitSet, write_alive_bitset},
    indexer::merge_filtered_segments,
};

/// Packs what is not gone, if anything is left, and answers what was.
///
/// # Errors
/// What the segments answer when they are read.
pub fn merged(seal: String, view: &View) -> Result<(Option<Packed>, Vec<Revision>), SearchError> {
    let passages = view.alive();
    if passages == 0 {
        return Ok((None, view.dropped.clone()));
    }
    let packed = written(seal, view, passages).map_err(|error| failed(&error))?;
    Ok((Some(packed), view.dropped.clone()))
}

/// Of what is merged, so that the same merge makes the same bytes, and another one never makes them again.
pub fn seal(segments: &[Segment], gone: &[Revision]) -> String {
    let ids = segments.iter().map(|segment| segment.id.clone());
    let mut parts: Vec<String> = ids.chain(gone.iter().map(schema::key)).collect();
    parts.sort_unstable();
    Digest::of_bytes(parts.join("\n")).as_str().to_owned()
}

fn written(seal: String, view: &View, passages: u32) -> tantivy::Result<Packed> {
    let mut filters = Vec::new();
    for segment in &view.segments {
        filters.push(segment.gone.as_ref().map(alive).transpose()?);
    }
    let segments = view.index.searchable_segments()?;
    let directory = RamDirectory::create();
    let index = merge_filtered_segments(&segments, write::settings(), filters, directory.clone())?;
    let languages = view.languages.iter();
    let languages =
        languages.map(|language| language.map_or("", |language| language.code()).to_owned());
    let about = About {
        seal,
        passages,
        languages: languages.collect(),
    };
    write::packed(&index, &directory, about)
}

/// What is left when these are gone.
fn alive(gone: &BitSet) -> tantivy::Result<AliveBitSet> {
    let mut alive = BitSet::with_max_value_and_full(gone.max_value());
    (0..gone.max_value())
        .filter(|doc| gone.contains(*doc))
        .for_each(|doc| alive.remove(doc));
    let mut bytes = Vec::new();
    write_alive_bitset(&alive, &mut bytes)?;
    Ok(AliveBitSet::open(OwnedBytes::new(bytes)))
}
