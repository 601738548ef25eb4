//! Collections, their documents, and what of them can be found. What they are stands in `domain::knowledge`.

use super::Entity;
use crate::store::{Index, Table};
use domain::knowledge::{Collection, Document, Manifest};

pub static KNOWLEDGE_COLLECTIONS: Table = Table {
    name: "knowledge_collections",
    indexes: &[],
};

pub static KNOWLEDGE_DOCUMENTS: Table = Table {
    name: "knowledge_documents",
    indexes: &[
        // For lists, and for finding the document that a new file is a version of.
        Index {
            name: "by_name",
            partition: "collection",
            sort: "name",
        },
        // The same content under another name.
        Index {
            name: "by_source",
            partition: "source",
            sort: "collection",
        },
    ],
};

/// Id: the collection's.
pub static KNOWLEDGE_MANIFESTS: Table = Table {
    name: "knowledge_manifests",
    indexes: &[],
};

impl Entity for Collection {
    const TABLE: &'static Table = &KNOWLEDGE_COLLECTIONS;
    fn id(&self) -> String {
        self.id.as_str().to_owned()
    }
}

impl Entity for Document {
    const TABLE: &'static Table = &KNOWLEDGE_DOCUMENTS;
    fn id(&self) -> String {
        self.id.as_str().to_owned()
    }
}

impl Entity for Manifest {
    const TABLE: &'static Table = &KNOWLEDGE_MANIFESTS;
    fn id(&self) -> String {
        self.collection.as_str().to_owned()
    }
}
