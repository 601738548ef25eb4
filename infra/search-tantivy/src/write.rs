//! From passages to a packed segment.

use crate::{
    block_max, failed,
    language::Language,
    pack::{self, About, Packed},
    pieces,
    postings::Words,
    schema::{self, HEADING, TITLE},
    terms::Terms,
};
use ports::search::{Entry, SearchError};
use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};
use tantivy::{
    Directory, Index, IndexSettings, ReloadPolicy, TantivyDocument, directory::RamDirectory,
};

/// What the writer may take before it starts; it takes more when there is more to write.
const MEMORY: usize = 15_000_000;
/// Words whose terms are remembered, so that a stem is made once.
const REMEMBERED: usize = 200_000;

/// # Errors
/// [`SearchError::Io`] for no entries, and when memory for the segment can't be had.
pub fn segment(seal: String, entries: &[Entry]) -> Result<Packed, SearchError> {
    if entries.is_empty() {
        return Err(SearchError::Io("there is nothing to write".to_owned()));
    }
    written(seal, entries).map_err(|error| failed(&error))
}

fn written(seal: String, entries: &[Entry]) -> tantivy::Result<Packed> {
    let fields = schema::fields();
    let directory = RamDirectory::create();
    let mut writer = Index::builder()
        .schema(fields.schema.clone())
        .settings(settings())
        .single_segment_index_writer::<TantivyDocument>(directory.clone(), MEMORY)?;
    let mut analysis = Analysis::default();
    let mut languages = BTreeSet::new();
    for entry in entries {
        let language = language(entry);
        languages.insert(language.map_or("", Language::code).to_owned());
        let mut document = TantivyDocument::new();
        document.add_text(fields.words, analysis.terms(entry, language));
        document.add_text(fields.revision, schema::key(&entry.revision));
        document.add_u64(fields.ordinal, entry.ordinal.into());
        writer.add_document(document)?;
    }
    let index = writer.finalize()?;
    let about = About {
        seal,
        passages: u32::try_from(entries.len()).unwrap_or(u32::MAX),
        languages: languages.into_iter().collect(),
    };
    packed(&index, &directory, about)
}

/// The only segment of an index.
pub fn packed(index: &Index, directory: &RamDirectory, about: About) -> tantivy::Result<Packed> {
    let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
    let searcher = reader.try_into()?.searcher();
    let segment = searcher.segment_reader(0);
    let name = segment.segment_id().uuid_string();
    let most = block_max::write(&Words::of(segment, &schema::fields())?)?;
    let path = format!("{name}.{}", block_max::ENDING);
    directory.atomic_write(Path::new(&path), &most)?;
    Ok(pack::pack(directory, &name, about)?)
}

/// Nothing is stored, so nothing needs a thread of its own to be compressed.
pub fn settings() -> IndexSettings {
    IndexSettings {
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    }
}

/// Comments and identifiers of source code are English more often than anything else.
fn language(entry: &Entry) -> Option<Language> {
    let said = entry.language.as_deref().and_then(Language::of);
    said.or(entry.code.then_some(Language::ENGLISH))
}

#[derive(Default)]
struct Analysis {
    remembered: HashMap<Option<Language>, HashMap<String, Terms>>,
}

impl Analysis {
    /// Joined by spaces.
    fn terms(&mut self, entry: &Entry, language: Option<Language>) -> String {
        let known = self.remembered.entry(language).or_default();
        if known.len() > REMEMBERED {
            known.clear();
        }
        let mut joined = String::with_capacity(entry.text.len() + entry.text.len() / 4);
        let mut add = |text: &str| {
            pieces::each(text, &mut |at| {
                let piece = text.get(at).unwrap_or_default();
                if !known.contains_key(piece) {
                    known.insert(piece.to_owned(), Terms::of(piece, language));
                }
                for term in known.get(piece).into_iter().flat_map(Terms::iter) {
                    joined.push_str(term);
                    joined.push(' ');
                }
            });
        };
        (0..TITLE).for_each(|_| add(&entry.title));
        (0..HEADING).for_each(|_| add(&entry.headings));
        add(&entry.text);
        joined
    }
}
