//! What an operation writes: the acts of records, journals, counters, and of the commit's own id. (Those of jobs are [`crate::plan`]'s.)

use crate::{
    item::{At, Expression, Item, Write, number, text},
    keys::{INDEXES, Space, hex, position},
};
use aws_sdk_dynamodb::types::AttributeValue;
use ports::store::{
    Batch, CounterKey, ENTRIES_BYTES, Expect, JournalKey, Key, MAX_DOCUMENT_BYTES, Op,
};

/// Seconds after which DynamoDB may drop a commit's id by itself. The tick drops it after a day.
const EXPIRES: i64 = 2 * 24 * 3600;

/// One item's write, and what it means when its condition does not hold.
pub struct Act {
    pub write: Write,
    pub expression: Expression,
    pub meets: Meets,
}

pub enum Meets {
    /// The batch was committed before.
    Committed,
    Version(usize),
    Position(usize),
    Ceiling(usize),
    Exists(usize),
    /// Fenced, where the job had to be held and isn't; else another one changed the chain.
    Job(Option<(usize, u64)>),
    /// Follows from another act's condition.
    Nothing,
}

pub fn remember(space: &Space, batch: &Batch) -> Act {
    let mut item = space.commit(&batch.id).item();
    let index = INDEXES[0];
    let shard = space.commits(Space::shard(&batch.id));
    item.insert(index.pk.to_owned(), text(shard));
    item.insert(
        index.sk.to_owned(),
        text(format!("{}{}", hex(batch.at.0), batch.id)),
    );
    let expires = batch.at.0 / 1_000_000 + EXPIRES;
    item.insert("expires".to_owned(), number(expires));
    Act {
        write: Write::Put(item),
        expression: Expression::default().absent("pk"),
        meets: Meets::Committed,
    }
}

/// What an operation on a record, a journal or a counter writes.
pub fn of(space: &Space, place: usize, op: &Op) -> Vec<Act> {
    match op {
        Op::Put { key, doc, expect } => {
            let version = match expect {
                Expect::Absent => 1,
                Expect::Version(version) => version.saturating_add(1),
            };
            vec![Act {
                write: Write::Put(record(space, key, version, doc)),
                expression: expected(*expect),
                meets: Meets::Version(place),
            }]
        }
        Op::Check { key, expect } => vec![Act {
            write: Write::Check(space.record(key)),
            expression: expected(*expect),
            meets: Meets::Version(place),
        }],
        Op::Delete { key, version } => vec![Act {
            write: Write::Delete(space.record(key)),
            expression: expected(Expect::Version(*version)),
            meets: Meets::Version(place),
        }],
        Op::Append {
            journal,
            at,
            entries,
        } => append(space, place, (journal, *at), entries),
        Op::Add {
            counter,
            delta,
            ceiling,
        } => {
            vec![add(space, place, counter, (*delta, *ceiling))]
        }
        _ => Vec::new(),
    }
}

/// A record with its index entries.
pub fn record(space: &Space, key: &Key, version: u64, doc: &str) -> Item {
    let mut item = space.record(key).item();
    item.insert("version".to_owned(), number(version));
    item.insert("doc".to_owned(), text(doc));
    for (name, value) in space.entries(key, doc) {
        item.insert(name.to_owned(), text(value));
    }
    item
}

fn expected(expect: Expect) -> Expression {
    match expect {
        Expect::Absent => Expression::default().absent("pk"),
        Expect::Version(version) => Expression::default().equal("version", number(version)),
    }
}

/// The journal's head moves from `at`, under the condition that it is there. So the entries need none.
fn append(space: &Space, op: usize, (key, at): (&JournalKey, u64), entries: &[String]) -> Vec<Act> {
    let pk = space.journal(key);
    let head = Expression::default().set("length", number(at.saturating_add(entries.len() as u64)));
    let mut acts = vec![Act {
        write: Write::Update(At::new(&pk, "head")),
        expression: match at {
            0 => head.absent("pk"),
            _ => head.equal("length", number(at)),
        },
        meets: Meets::Position(op),
    }];
    let portions = portions(at, entries).into_iter();
    acts.extend(portions.map(|(first, portion)| Act {
        write: Write::Put(entries_item(&pk, first, portion)),
        expression: Expression::default(),
        meets: Meets::Nothing,
    }));
    acts
}

/// Entries that go into one item, with the position of the first.
fn portions(at: u64, entries: &[String]) -> Vec<(u64, &[String])> {
    let (mut portions, mut begin, mut bytes) = (Vec::new(), 0, 0);
    for (i, entry) in entries.iter().enumerate() {
        if i > begin && bytes + entry.len() > ENTRIES_BYTES + MAX_DOCUMENT_BYTES {
            portions.push((at.saturating_add(begin as u64), &entries[begin..i]));
            (begin, bytes) = (i, 0);
        }
        bytes += entry.len();
    }
    portions.push((at.saturating_add(begin as u64), &entries[begin..]));
    portions
}

/// Named by its last position: whoever reads from a position on finds the item that it is in first.
pub fn entries_item(pk: &str, first: u64, entries: &[String]) -> Item {
    let last = first.saturating_add(entries.len() as u64 - 1);
    let mut item = At::new(pk, position(last)).item();
    item.insert("first".to_owned(), number(first));
    let entries = entries.iter().map(text).collect();
    item.insert("entries".to_owned(), AttributeValue::L(entries));
    item
}

/// The sum has to be below the ceiling and to fit an `i64`; DynamoDB's numbers are longer.
fn add(
    space: &Space,
    op: usize,
    counter: &CounterKey,
    (delta, ceiling): (i64, Option<i64>),
) -> Act {
    let (delta, ceiling) = (i128::from(delta), i128::from(ceiling.unwrap_or(i64::MAX)));
    let (least, most) = (i128::from(i64::MIN) - delta, ceiling - delta);
    let mut expression = Expression::default();
    let value = expression.name("value");
    let (low, high) = (
        expression.value(number(least)),
        expression.value(number(most)),
    );
    let fits = format!("{value} >= {low} AND {value} <= {high}");
    match (least..=most).contains(&0) {
        true => {
            let condition = format!("attribute_not_exists({value}) OR ({fits})");
            expression.when(condition);
        }
        false => expression.when(fits),
    }
    let (zero, step) = (expression.value(number(0)), expression.value(number(delta)));
    expression.set_to("value", &format!("if_not_exists({value}, {zero}) + {step}"));
    Act {
        write: Write::Update(space.counter(counter)),
        expression,
        meets: Meets::Ceiling(op),
    }
}
