//! The contract suite: what every driver promises, run on each of them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kinds::{ACCESS, ALIAS, DOMAIN, GROUP, SETTING, USER};
use crate::{Batch, Driver, Error, Filter, Memory, Query, Row, Sqlite, Value};

/// Runs one promise on each driver.
fn on_each(promise: impl AsyncFn(&dyn Driver)) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(
        &disk::RealDisk::shared(),
        &folder.path().join("a.db"),
        true,
        BTreeMap::new(),
    )
    .unwrap();
    let simulated = disk::SimDisk::new(7).shared();
    let exclusive = Sqlite::open(
        &simulated,
        std::path::Path::new("/data/a.db"),
        true,
        BTreeMap::new(),
    )
    .unwrap();
    let drivers: [Arc<dyn Driver>; 3] = [Arc::new(Memory::new()), Arc::new(sqlite), Arc::new(exclusive)];
    for driver in drivers {
        runtime.block_on(async {
            for descriptor in crate::kinds::ALL {
                driver.ensure(descriptor).await.unwrap();
            }
            promise(driver.as_ref()).await;
        });
    }
}

fn user(local: &str, domain: &str, owner: u64) -> Row {
    let address = format!("{local}@{domain}");
    Row::new(&USER)
        .with("key", address.to_lowercase())
        .with("address", address)
        .with("domain", domain)
        .with("owner", owner)
        .with("name", format!("Имя {local}"))
        .with("enabled", true)
        .with("denied_protocols", vec!["pop3".to_owned(), "im\"ap".to_owned()])
}

fn key(text: &str) -> Vec<Value> {
    vec![text.into()]
}

async fn fill(driver: &dyn Driver, count: u64) {
    let mut batch = Batch::new();
    for number in 0..count {
        batch = batch.insert(user(
            &format!("user{number:03}"),
            if number % 2 == 0 { "a.test" } else { "b.test" },
            number + 1,
        ));
    }
    driver.write(batch).await.unwrap();
}

fn addresses(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.text("key")).collect()
}

#[test]
fn a_row_comes_back_as_it_was_written() {
    on_each(async |driver| {
        let row = user("Ivan", "a.test", 7);
        assert_eq!(driver.write(Batch::new().insert(row.clone())).await.unwrap(), [1]);
        let found = driver.get(&USER, key("ivan@a.test")).await.unwrap().unwrap();
        assert_eq!(found, row.with("revision", 1_u64));
        assert_eq!(found.count("quota_bytes"), None);
        assert_eq!(driver.get(&USER, key("nobody@a.test")).await.unwrap(), None);
    });
}

#[test]
fn a_change_of_an_old_revision_is_stale_and_changes_nothing() {
    on_each(async |driver| {
        driver
            .write(Batch::new().insert(user("a", "a.test", 1)))
            .await
            .unwrap();
        let named = |name: &str| user("a", "a.test", 1).with("name", name);
        let update = |name: &str, revision| Batch::new().update(key("a@a.test"), named(name), Some(revision));
        assert_eq!(driver.write(update("first", 1)).await.unwrap(), [2]);
        let stale = driver.write(update("second", 1)).await.unwrap_err();
        assert_eq!(stale, Error::Stale { op: 0, table: "user" });
        let deleted = driver
            .write(Batch::new().delete(&USER, key("a@a.test"), Some(1)))
            .await
            .unwrap_err();
        assert_eq!(deleted, Error::Stale { op: 0, table: "user" });
        let row = driver.get(&USER, key("a@a.test")).await.unwrap().unwrap();
        assert_eq!((row.text("name"), row.revision()), ("first", 2));
        let missing = driver
            .write(Batch::new().update(key("b@a.test"), named("x"), Some(1)))
            .await
            .unwrap_err();
        assert_eq!(missing, Error::Missing { op: 0, table: "user" });
    });
}

#[test]
fn a_batch_is_made_all_or_not_at_all() {
    on_each(async |driver| {
        driver
            .write(Batch::new().insert(user("a", "a.test", 1)))
            .await
            .unwrap();
        let batch = Batch::new()
            .insert(user("b", "a.test", 2))
            .put(Row::new(&SETTING).with("key", "k").with("value", "v"))
            .insert(user("A", "a.test", 3));
        assert_eq!(
            driver.write(batch).await.unwrap_err(),
            Error::Duplicate { op: 2, table: "user" }
        );
        assert_eq!(driver.count(&USER, None).await.unwrap(), 1);
        assert_eq!(driver.get(&SETTING, key("k")).await.unwrap(), None);
        let same_owner = driver
            .write(Batch::new().insert(user("c", "a.test", 1)))
            .await
            .unwrap_err();
        assert_eq!(same_owner, Error::Duplicate { op: 0, table: "user" });
    });
}

#[test]
fn a_unique_field_that_is_null_is_nobodys() {
    on_each(async |driver| {
        let group = |name: &str| {
            Row::new(&GROUP)
                .with("key", name)
                .with("address_key", Value::Null)
        };
        driver
            .write(Batch::new().insert(group("a")).insert(group("b")))
            .await
            .unwrap();
        let found = driver
            .select(&GROUP, Filter::equal("address_key", "x"), 9)
            .await
            .unwrap();
        assert!(found.is_empty());
    });
}

#[test]
fn a_rename_keeps_the_row() {
    on_each(async |driver| {
        fill(driver, 3).await;
        let renamed = user("new", "a.test", 1);
        assert_eq!(
            driver
                .write(Batch::new().update(key("user000@a.test"), renamed, Some(1)))
                .await
                .unwrap(),
            [2]
        );
        assert_eq!(driver.get(&USER, key("user000@a.test")).await.unwrap(), None);
        let page = Query {
            contains: "NEW@".to_owned(),
            limit: 9,
            ..Query::default()
        };
        assert_eq!(
            addresses(&driver.page(&USER, page).await.unwrap().rows),
            ["new@a.test"]
        );
        let taken = driver
            .write(Batch::new().update(key("new@a.test"), user("user001", "b.test", 1), None))
            .await;
        assert_eq!(taken.unwrap_err(), Error::Duplicate { op: 0, table: "user" });
    });
}

#[test]
fn put_makes_or_replaces_and_raises_the_revision() {
    on_each(async |driver| {
        let row = |value: &str| Row::new(&SETTING).with("key", "k").with("value", value);
        assert_eq!(driver.write(Batch::new().put(row("1"))).await.unwrap(), [1]);
        assert_eq!(
            driver
                .write(Batch::new().put(row("2")).put(row("3")))
                .await
                .unwrap(),
            [2, 3]
        );
        assert_eq!(
            driver
                .get(&SETTING, key("k"))
                .await
                .unwrap()
                .unwrap()
                .text("value"),
            "3"
        );
        assert_eq!(driver.count(&SETTING, None).await.unwrap(), 1);
    });
}

#[test]
fn pages_are_sorted_filtered_and_counted() {
    on_each(async |driver| {
        fill(driver, 100).await;
        let ask = |contains: &str, offset, descending| Query {
            contains: contains.to_owned(),
            offset,
            descending,
            limit: 3,
            ..Query::default()
        };
        for (query, total, first) in [
            (ask("", 0, false), 100, "user000@a.test"),
            (ask("", 0, true), 100, "user099@b.test"),
            (ask("", 97, false), 100, "user097@b.test"),
            (ask("", 60, true), 100, "user039@b.test"),
            (ask("", 100, false), 100, ""),
            (ask("SER01", 0, false), 10, "user010@a.test"),
            (ask("имя USER01", 9, false), 10, "user019@b.test"),
            (ask("07", 0, false), 11, "user007@b.test"),
            (ask("user", 98, false), 100, "user098@a.test"),
            (ask("nothing such", 0, false), 0, ""),
            (ask("\"", 0, false), 0, ""),
        ] {
            let found = driver.page(&USER, query.clone()).await.unwrap();
            assert_eq!(found.total, total, "{} {query:?}", driver.name());
            assert_eq!(
                found.rows.first().map_or("", |row| row.text("key")),
                first,
                "{} {query:?}",
                driver.name()
            );
        }
        let filter = Some(Filter::equal("domain", "b.test"));
        let query = Query {
            filter,
            contains: "user09".to_owned(),
            sort: "name".to_owned(),
            limit: 2,
            ..Query::default()
        };
        let found = driver.page(&USER, query).await.unwrap();
        assert_eq!(
            (found.total, addresses(&found.rows)),
            (5, vec!["user091@b.test", "user093@b.test"])
        );
    });
}

#[test]
fn totals_follow_changes() {
    on_each(async |driver| {
        fill(driver, 10).await;
        let total = async || {
            driver
                .page(
                    &USER,
                    Query {
                        limit: 1,
                        ..Query::default()
                    },
                )
                .await
                .unwrap()
                .total
        };
        let domain = async || {
            driver
                .count(&USER, Some(Filter::equal("domain", "a.test")))
                .await
                .unwrap()
        };
        assert_eq!((total().await, domain().await), (10, 5));
        driver
            .write(
                Batch::new()
                    .insert(user("x", "a.test", 77))
                    .insert(user("y", "a.test", 78)),
            )
            .await
            .unwrap();
        assert_eq!((total().await, domain().await), (12, 7));
        driver
            .write(Batch::new().delete(&USER, key("x@a.test"), None))
            .await
            .unwrap();
        driver
            .write(Batch::new().insert(user("y", "a.test", 79)))
            .await
            .unwrap_err();
        assert_eq!((total().await, domain().await), (11, 6));
        driver
            .write(Batch::new().delete_all(&USER, Filter::equal("domain", "a.test")))
            .await
            .unwrap();
        assert_eq!((total().await, domain().await), (5, 0));
    });
}

#[test]
fn a_scan_goes_through_everything_once() {
    on_each(async |driver| {
        fill(driver, 25).await;
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let rows = driver.scan(&USER, None, after, 10).await.unwrap();
            let Some(last) = rows.last() else { break };
            after = Some(last.key());
            seen.extend(rows.iter().map(|row| row.text("key").to_owned()));
        }
        assert_eq!(seen.len(), 25);
        assert!(seen.is_sorted());
        let filter = Filter::any_of("domain", vec!["b.test".into(), "c.test".into()]);
        let rows = driver
            .scan(&USER, Some(filter), Some(key("user003@b.test")), 2)
            .await
            .unwrap();
        assert_eq!(addresses(&rows), ["user005@b.test", "user007@b.test"]);
        let none = driver
            .select(&USER, Filter::any_of("domain", Vec::new()), 5)
            .await
            .unwrap();
        assert!(none.is_empty());
    });
}

#[test]
fn a_key_of_two_fields_is_one_key() {
    on_each(async |driver| {
        let entry = |side: &str| {
            Row::new(&ACCESS)
                .with("side", side)
                .with("key", "1.2.3.4")
                .with("pattern", "1.2.3.4")
        };
        driver
            .write(Batch::new().insert(entry("allow")).insert(entry("block")))
            .await
            .unwrap();
        driver
            .write(Batch::new().insert(entry("block")))
            .await
            .unwrap_err();
        driver
            .write(Batch::new().delete(&ACCESS, vec!["allow".into(), "1.2.3.4".into()], None))
            .await
            .unwrap();
        let rows = driver.scan(&ACCESS, None, None, 9).await.unwrap();
        assert_eq!(
            rows.iter().map(|row| row.text("side")).collect::<Vec<_>>(),
            ["block"]
        );
    });
}

#[test]
fn numbers_of_a_sequence_are_given_once() {
    on_each(async |driver| {
        assert_eq!(driver.reserve("owner", 1).await.unwrap(), 1);
        assert_eq!(driver.reserve("owner", 10).await.unwrap(), 2);
        assert_eq!(driver.reserve("owner", 1).await.unwrap(), 12);
        assert_eq!(driver.reserve("other", 1).await.unwrap(), 1);
    });
}

#[test]
fn lists_and_texts_are_searched_in_any_case() {
    on_each(async |driver| {
        let domain = Row::new(&DOMAIN)
            .with("name", "a.test")
            .with("description", "Главный ОФИС");
        let alias = Row::new(&ALIAS)
            .with("key", "x@a.test")
            .with("targets", vec!["Boss@b.test".to_owned()]);
        driver
            .write(Batch::new().insert(domain).insert(alias))
            .await
            .unwrap();
        let ask = |contains: &str| Query {
            contains: contains.to_owned(),
            limit: 9,
            ..Query::default()
        };
        assert_eq!(driver.page(&DOMAIN, ask("главный офис")).await.unwrap().total, 1);
        assert_eq!(driver.page(&DOMAIN, ask("ОФ")).await.unwrap().total, 1);
        assert_eq!(driver.page(&ALIAS, ask("boss@B")).await.unwrap().total, 1);
    });
}
