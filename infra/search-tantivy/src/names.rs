//! Which passages the documents of a segment are.

use crate::schema::{self, ORDINAL, REVISION};
use domain::knowledge::Revision;
use std::collections::BTreeSet;
use tantivy::{
    BitSet, SegmentReader,
    columnar::{Column, StrColumn},
};

/// Read once and shared by all views of the segment: a single look into tantivy's dictionary unpacks half a block of it, which for
/// ten hits took longer than finding them.
pub struct Names {
    /// By their place in the dictionary. None for what [`schema::key`] has not made.
    revisions: Vec<Option<Revision>>,
    column: StrColumn,
    ordinals: Column<u64>,
}

impl Names {
    pub fn open(reader: &SegmentReader) -> tantivy::Result<Self> {
        let column = reader.fast_fields().str(REVISION)?;
        let missing = || tantivy::TantivyError::FieldNotFound(REVISION.to_owned());
        let column = column.ok_or_else(missing)?;
        let mut revisions = Vec::with_capacity(column.num_terms());
        let mut keys = column.dictionary().stream()?;
        while keys.advance() {
            let key = std::str::from_utf8(keys.key()).ok();
            revisions.push(key.and_then(schema::revision));
        }
        Ok(Self {
            revisions,
            column,
            ordinals: reader.fast_fields().u64(ORDINAL)?,
        })
    }

    /// Revision and ordinal of a document.
    pub fn of(&self, doc: u32) -> Option<(&Revision, u32)> {
        let ord = usize::try_from(self.column.ords().first(doc)?).ok()?;
        let ordinal = u32::try_from(self.ordinals.first(doc)?).ok()?;
        let revision = self.revisions.get(ord)?.as_ref()?;
        Some((revision, ordinal))
    }

    /// The documents of these revisions, none when there are none; `found` hears which of the revisions are here.
    pub fn all_of(
        &self,
        revisions: &[Revision],
        passages: u32,
        found: &mut BTreeSet<Revision>,
    ) -> tantivy::Result<Option<BitSet>> {
        let mut ords = BTreeSet::new();
        for revision in revisions {
            let key = schema::key(revision);
            if let Some(ord) = self.column.dictionary().term_ord(key.as_bytes())? {
                ords.insert(ord);
                found.insert(revision.clone());
            }
        }
        if ords.is_empty() {
            return Ok(None);
        }
        let mut set = BitSet::with_max_value(passages);
        for doc in 0..passages {
            if self.column.term_ords(doc).any(|ord| ords.contains(&ord)) {
                set.insert(doc);
            }
        }
        Ok(Some(set))
    }
}
