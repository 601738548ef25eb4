//! Tables and keys. A table is declared once, beside its typed repository; adapters read the declaration.

use domain::id::TeamId;

/// A kind of record. `name` is the SQL table's.
#[derive(PartialEq, Eq, Debug)]
pub struct Table {
    pub name: &'static str,
    pub indexes: &'static [Index],
}

/// Records by `partition`, in the order of `sort` (then of the id). Both are names of top-level fields of the document, texts or
/// integers; a document without the partition field, or with null there, is not in the index.
#[derive(PartialEq, Eq, Debug)]
pub struct Index {
    pub name: &'static str,
    pub partition: &'static str,
    pub sort: &'static str,
}

impl Table {
    #[must_use]
    pub fn index(&self, name: &str) -> Option<&'static Index> {
        self.indexes.iter().find(|index| index.name == name)
    }
}

/// Texts compare as bytes. An index never mixes the two kinds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum IndexValue {
    Int(i64),
    Text(String),
}

impl From<&str> for IndexValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for IndexValue {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

/// Every key starts with the team. Ids are 1 to 200 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    pub table: &'static Table,
    pub team: TeamId,
    pub id: String,
}

/// A kind of journal. `name` is the SQL table's.
#[derive(PartialEq, Eq, Debug)]
pub struct Journal {
    pub name: &'static str,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalKey {
    pub journal: &'static Journal,
    pub team: TeamId,
    pub id: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CounterKey {
    pub team: TeamId,
    pub id: String,
}
