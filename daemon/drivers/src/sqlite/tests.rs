//! What is SQLite's own: what survives, mapped tables, migrations, and pages among very many rows.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use super::*;
use crate::descriptor::field;
use crate::kinds::{SETTING, USER};
use crate::{Field, Kind, Migration, Type, Value};

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn open(path: &Path) -> Sqlite {
    Sqlite::open(&disk::RealDisk::shared(), path, true, BTreeMap::new()).unwrap()
}

fn setting(key: &str, value: &str) -> Row {
    Row::new(&SETTING).with("key", key).with("value", value)
}

#[test]
fn what_was_answered_survives_a_power_cut() {
    let simulated = disk::SimDisk::new(11);
    let path = Path::new("/data/config.db");
    let database = Sqlite::open(&simulated.shared(), path, true, BTreeMap::new()).unwrap();
    run(async {
        database.ensure(&SETTING).await.unwrap();
        database.write(Batch::new().put(setting("k", "v"))).await.unwrap();
    });
    simulated.power_cut();
    drop(database);
    let restarted = simulated.restart();
    let database = Sqlite::open(&restarted.shared(), path, true, BTreeMap::new()).unwrap();
    run(async {
        database.ensure(&SETTING).await.unwrap();
        let row = database.get(&SETTING, vec!["k".into()]).await.unwrap().unwrap();
        assert_eq!(row.text("value"), "v");
    });
}

#[test]
fn a_database_that_fails_is_unavailable_and_never_empty() {
    let simulated = disk::SimDisk::new(12);
    let database = Sqlite::open(&simulated.shared(), Path::new("/d/c.db"), true, BTreeMap::new()).unwrap();
    run(async {
        database.ensure(&SETTING).await.unwrap();
        simulated.power_cut();
        let written = database.write(Batch::new().put(setting("k", "v"))).await;
        assert!(matches!(written, Err(Error::Unavailable(_))), "{written:?}");
    });
}

#[test]
fn a_table_that_is_not_there_is_an_error_and_not_an_empty_list() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder.path().join("c.db"));
    let listed = run(database.page(
        &USER,
        Query {
            limit: 5,
            ..Query::default()
        },
    ));
    assert!(matches!(listed, Err(Error::Unavailable(_))));
}

const FIRST: Descriptor = Descriptor {
    kind: Kind::Rules,
    table: "thing",
    version: 1,
    fields: &[field("name", Type::Text)],
    key: &["name"],
    unique: &[],
    indexed: &[],
    searchable: &["name"],
    sortable: &["name"],
    migrations: &[],
};
const MORE: &[Field] = &[
    field("name", Type::Text),
    field("size", Type::Int),
    field("tags", Type::List),
];
const THIRD: Descriptor = Descriptor {
    version: 3,
    fields: MORE,
    migrations: &[
        Migration::AddField {
            version: 2,
            field: "size",
        },
        Migration::AddField {
            version: 3,
            field: "tags",
        },
    ],
    ..FIRST
};

#[test]
fn a_table_is_brought_to_a_newer_version_and_never_to_an_older_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    run(async {
        let database = open(&path);
        database.ensure(&FIRST).await.unwrap();
        database
            .write(Batch::new().insert(Row::new(&FIRST).with("name", "old")))
            .await
            .unwrap();
        drop(database);
        let database = open(&path);
        database.ensure(&THIRD).await.unwrap();
        database.ensure(&THIRD).await.unwrap();
        let row = database.get(&THIRD, vec!["old".into()]).await.unwrap().unwrap();
        assert_eq!((row.int("size"), row.list("tags").len()), (None, 0));
        let new = Row::new(&THIRD)
            .with("name", "new")
            .with("size", 5_u64)
            .with("tags", vec!["x".to_owned()]);
        database.write(Batch::new().insert(new)).await.unwrap();
        assert!(matches!(
            database.ensure(&FIRST).await,
            Err(Error::Unavailable(_))
        ));
    });
}

fn staff(read_only: bool) -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("staff.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE staff (id INTEGER PRIMARY KEY, mail TEXT UNIQUE, \"full name\" TEXT, active TEXT);
             INSERT INTO staff VALUES (5, 'anna@a.test', 'Анна', 'yes'), (6, 'boris@a.test', 'Борис', 'no');",
        )
        .unwrap();
    let columns = [
        ("key", "mail"),
        ("address", "mail"),
        ("owner", "id"),
        ("name", "full name"),
        ("enabled", "active"),
    ];
    let mapping = Mapping {
        table: "staff".to_owned(),
        columns: columns
            .map(|(field, column)| (field.to_owned(), column.to_owned()))
            .into(),
        read_only,
    };
    let mappings = BTreeMap::from([("user".to_owned(), mapping)]);
    let database = Sqlite::open(&disk::RealDisk::shared(), &path, true, mappings).unwrap();
    (folder, database)
}

#[test]
fn a_mapped_table_is_read_as_if_it_were_ours() {
    let (_folder, database) = staff(true);
    run(async {
        database.ensure(&USER).await.unwrap();
        let anna = database
            .get(&USER, vec!["anna@a.test".into()])
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (anna.text("name"), anna.count("owner"), anna.flag("enabled")),
            ("Анна", Some(5), true)
        );
        assert_eq!((anna.flag("has_password"), anna.revision()), (false, 0));
        let query = Query {
            contains: "борис".to_owned(),
            sort: "name".to_owned(),
            limit: 5,
            ..Query::default()
        };
        let found = database.page(&USER, query).await.unwrap();
        assert_eq!(
            (found.total, found.rows.first().map(|row| row.flag("enabled"))),
            (1, Some(false))
        );
        let refused = database
            .write(Batch::new().delete(&USER, vec!["anna@a.test".into()], None))
            .await;
        assert_eq!(refused.unwrap_err(), Error::ReadOnly { op: 0, table: "user" });
    });
}

#[test]
fn a_mapped_table_is_written_in_its_own_columns() {
    let (_folder, database) = staff(false);
    run(async {
        database.ensure(&USER).await.unwrap();
        let anna = database
            .get(&USER, vec!["anna@a.test".into()])
            .await
            .unwrap()
            .unwrap();
        let key = anna.key();
        database
            .write(Batch::new().update(key.clone(), anna.with("name", "Anna"), None))
            .await
            .unwrap();
        let anna = database.get(&USER, key).await.unwrap().unwrap();
        assert_eq!((anna.text("name"), anna.count("owner")), ("Anna", Some(5)));
    });
}

#[test]
fn many_rows_are_paged_exactly_whatever_way_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder.path().join("c.db"));
    run(async {
        database.ensure(&USER).await.unwrap();
        let mut batch = Batch::new();
        for number in 0..12_000_u64 {
            let address = format!("user{number:05}@d{}.test", number % 3);
            let row = Row::new(&USER)
                .with("key", address.as_str())
                .with("address", address)
                .with("domain", format!("d{}.test", number % 3))
                .with("name", format!("N{:05}", 12_000 - number))
                .with("owner", number + 1);
            batch = batch.insert(row);
        }
        database.write(batch).await.unwrap();
        for (contains, domain, sort, offset, first) in [
            ("user", "", "", 5000, "user05000@d2.test"),
            ("user", "", "name", 5000, "user06999@d0.test"),
            ("user", "d1.test", "", 1000, "user03001@d1.test"),
            ("er1", "", "", 10, "user10010@d2.test"),
            ("er11", "d0.test", "name", 1, "user11994@d0.test"),
            ("", "d2.test", "name", 3990, "user00029@d2.test"),
            ("", "", "", 11_999, "user11999@d2.test"),
        ] {
            let filter = (!domain.is_empty()).then(|| Filter::equal("domain", domain));
            let (contains, sort) = (contains.to_owned(), sort.to_owned());
            let query = Query {
                filter,
                contains,
                sort,
                offset,
                limit: 5,
                ..Query::default()
            };
            let found = database.page(&USER, query.clone()).await.unwrap();
            assert_eq!(
                found.rows.first().map(|row| row.text("key")),
                Some(first),
                "{query:?}"
            );
        }
        let query = Query {
            contains: "user".to_owned(),
            limit: 5,
            ..Query::default()
        };
        let mut found = database.page(&USER, query.clone()).await.unwrap();
        while !found.exact {
            // The exact total comes from a count that runs behind the first answers.
            tokio::task::yield_now().await;
            found = database.page(&USER, query.clone()).await.unwrap();
        }
        assert_eq!(found.total, 12_000);
        assert_eq!(
            database
                .get(&USER, vec![Value::from("user00000@d0.test")])
                .await
                .unwrap()
                .unwrap()
                .revision(),
            1
        );
    });
}
