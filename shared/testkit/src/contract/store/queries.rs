//! Lists: by key and by declared indexes, in pages.

use super::build::{agent, all, by_name, commit, create, ids, named, pages, put};
use crate::contract::Outcome;
use ports::store::{Cursor, Expect, IndexValue, Op, Query, Store, StoreError};
use std::sync::Arc;

/// Agents of these names, created at these times.
async fn make(store: &dyn Store, agents: &[(&str, &str, i64)]) -> Outcome {
    for (id, name, at) in agents {
        commit(store, vec![create(id, named(name, *at))]).await?;
    }
    Ok(())
}

pub async fn an_index_lists_one_partition_in_order(store: Arc<dyn Store>) -> Outcome {
    let made = [("1", "x", 30), ("2", "y", 1), ("3", "x", -5), ("4", "x", 9)];
    make(&*store, &made).await?;
    let page = store.query(by_name("x")).await?;
    assert_eq!(ids(&page.records), ["3", "4", "1"]);
    assert_eq!(page.next, None);
    assert_eq!(page.records[0].version, 1);
    assert_eq!(page.records[0].doc, named("x", -5));
    let down = Query {
        descending: true,
        ..by_name("x")
    };
    assert_eq!(ids(&store.query(down).await?.records), ["1", "4", "3"]);
    assert_eq!(store.query(by_name("z")).await?.records, []);
    Ok(())
}

pub async fn an_index_follows_its_documents(store: Arc<dyn Store>) -> Outcome {
    make(&*store, &[("1", "x", 1), ("2", "x", 2)]).await?;
    let renamed = put(agent("1"), named("y", 1), Expect::Version(1));
    commit(&*store, vec![renamed]).await?;
    assert_eq!(ids(&store.query(by_name("x")).await?.records), ["2"]);
    let page = store.query(by_name("y")).await?;
    assert_eq!(ids(&page.records), ["1"]);
    assert_eq!(page.records[0].version, 2);
    let key = agent("2");
    commit(&*store, vec![Op::Delete { key, version: 1 }]).await?;
    assert_eq!(store.query(by_name("x")).await?.records, []);
    Ok(())
}

pub async fn ranges_are_half_open(store: Arc<dyn Store>) -> Outcome {
    let made = [("1", "x", 1), ("2", "x", 2), ("3", "x", 3), ("4", "x", 4)];
    make(&*store, &made).await?;
    let range = |from: Option<i64>, to: Option<i64>, descending| Query {
        from: from.map(IndexValue::from),
        to: to.map(IndexValue::from),
        descending,
        ..by_name("x")
    };
    for (query, expected) in [
        (range(Some(2), Some(4), false), vec!["2", "3"]),
        (range(Some(2), Some(4), true), vec!["3", "2"]),
        (range(Some(3), None, false), vec!["3", "4"]),
        (range(None, Some(2), true), vec!["1"]),
        (range(Some(4), Some(2), false), vec![]),
    ] {
        assert_eq!(ids(&store.query(query).await?.records), expected);
    }
    Ok(())
}

pub async fn pages_go_through_equal_sort_values(store: Arc<dyn Store>) -> Outcome {
    let made = [
        ("b", "x", 5),
        ("d", "x", 5),
        ("a", "x", 5),
        ("c", "x", 5),
        ("e", "x", 1),
    ];
    make(&*store, &made).await?;
    let paged = |limit, descending| Query {
        limit,
        descending,
        ..by_name("x")
    };
    let up = pages(&*store, paged(2, false)).await?;
    assert_eq!(up, [vec!["e", "a"], vec!["b", "c"], vec!["d"]]);
    let down = pages(&*store, paged(2, true)).await?;
    assert_eq!(down, [vec!["d", "c"], vec!["b", "a"], vec!["e"]]);
    let exactly = pages(&*store, paged(5, false)).await?;
    assert_eq!(
        exactly.len(),
        1,
        "a full last page says that it is the last"
    );
    // What is written between two pages does not disturb them.
    let first = store.query(paged(2, false)).await?;
    make(&*store, &[("aa", "x", 5), ("0", "x", 0)]).await?;
    let after = first.next;
    let second = Query {
        after,
        ..paged(2, false)
    };
    assert_eq!(ids(&store.query(second).await?.records), ["aa", "b"]);
    Ok(())
}

pub async fn documents_without_the_fields_are_not_indexed(store: Arc<dyn Store>) -> Outcome {
    let docs = [
        "{}",
        r#"{"created_at":1}"#,
        r#"{"created_at":1,"name":null}"#,
        r#"{"name":"x"}"#,
        r#"{"created_at":null,"name":"x"}"#,
    ];
    for (i, doc) in docs.iter().enumerate() {
        commit(&*store, vec![create(&i.to_string(), *doc)]).await?;
    }
    for name in ["x", "null", ""] {
        assert_eq!(store.query(by_name(name)).await?.records, []);
    }
    assert_eq!(store.query(all()).await?.records.len(), docs.len());
    Ok(())
}

/// Not as people sort, not as UTF-16 sorts, and without regard to any locale.
pub async fn texts_compare_as_bytes(store: Arc<dyn Store>) -> Outcome {
    let sorted = ["", " ", "A", "Z", "a", "a\u{308}", "z", "ä", "ﬀ", "🦀"];
    assert!(sorted.is_sorted());
    for (i, name) in sorted.iter().enumerate().rev() {
        let id = format!("{name}#");
        let doc = serde_json::json!({ "name": name, "status": "active" });
        commit(&*store, vec![create(&id, doc.to_string())]).await?;
        assert!(i < sorted.len());
    }
    let by_status = Query {
        index: Some(("by_status", IndexValue::from("active"))),
        limit: 3,
        ..all()
    };
    let mut expected: Vec<String> = sorted.iter().map(|name| format!("{name}#")).collect();
    assert_eq!(pages(&*store, by_status.clone()).await?.concat(), expected);
    let middle = Query {
        from: Some(IndexValue::from("Z")),
        to: Some(IndexValue::from("ä")),
        ..by_status
    };
    assert_eq!(pages(&*store, middle).await?.concat(), expected[3..7]);
    expected.sort();
    let keys = Query { limit: 4, ..all() };
    assert_eq!(pages(&*store, keys).await?.concat(), expected);
    Ok(())
}

pub async fn queries_by_key(store: Arc<dyn Store>) -> Outcome {
    for id in ["b/2", "a", "b/1", "c", "b/3"] {
        commit(&*store, vec![create(id, "{}")]).await?;
    }
    let prefix = |descending, limit| Query {
        from: Some(IndexValue::from("b/")),
        to: Some(IndexValue::from("b0")),
        descending,
        limit,
        ..all()
    };
    let up = pages(&*store, prefix(false, 2)).await?;
    assert_eq!(up, [vec!["b/1", "b/2"], vec!["b/3"]]);
    let down = pages(&*store, prefix(true, 2)).await?;
    assert_eq!(down, [vec!["b/3", "b/2"], vec!["b/1"]]);
    let every = pages(&*store, Query { limit: 1, ..all() }).await?;
    assert_eq!(every.concat(), ["a", "b/1", "b/2", "b/3", "c"]);
    Ok(())
}

pub async fn queries_that_make_no_sense_are_refused(store: Arc<dyn Store>) -> Outcome {
    let foreign = Some(Cursor("elsewhere".to_owned()));
    for query in [
        Query { limit: 0, ..all() },
        Query {
            limit: 1001,
            ..all()
        },
        Query {
            index: Some(("by_nothing", IndexValue::from("x"))),
            ..all()
        },
        Query {
            from: Some(IndexValue::from(1)),
            ..all()
        },
        Query {
            after: foreign,
            ..all()
        },
    ] {
        let answer = store.query(query).await;
        assert!(matches!(answer, Err(StoreError::Rejected(_))), "{answer:?}");
    }
    let answer = store.read(&super::build::run("r"), 0, 1001).await;
    assert!(matches!(answer, Err(StoreError::Rejected(_))), "{answer:?}");
    Ok(())
}
