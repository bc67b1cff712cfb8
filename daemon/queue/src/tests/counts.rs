//! What waits is counted and found without being walked through: a server with a million waiting messages would start late, and be slow to look at.

use disk::SimDisk;
use events::MessageId;
use rusqlite::{Connection, OpenFlags};
use shared::protocol::Page;

use super::*;
use crate::list::page_sql;
use crate::rows::Sort;
use crate::waiting::schema;

pub(super) const SORTS: [&str; 7] = ["", "sender", "size", "arrived", "next_try", "attempts", "held"];

/// Rows that the database counts, and those that are there.
pub(super) fn counted(database: &Connection) -> (i64, i64) {
    let number = |sql: &str| database.query_row(sql, [], |row| row.get(0)).unwrap();
    (number(schema::COUNT), number("SELECT count(*) FROM message"))
}

fn database(path: &Path, vfs: Option<&str>) -> Connection {
    disk::sqlite::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, vfs).unwrap()
}

/// A disk on which so many messages wait.
async fn with_waiting(messages: u64, vfs: &str) -> SimDisk {
    let disk = SimDisk::new(7);
    disk::vfs::register(vfs, disk.shared()).unwrap();
    let house = House::try_open(disk.shared(), Path::new("/data"), Some(vfs.to_owned())).unwrap();
    house.commit(&["a@remote.test"], "text").await;
    let job = house.next().await;
    let later = put_off(0, crate::now() + 100_000);
    house.queue.finish(job, vec![later]).await.unwrap();
    house.kill().await;
    let disk = disk.process_death();
    disk::vfs::register(vfs, disk.shared()).unwrap();
    database(Path::new("/data/queue/waiting.db"), Some(vfs))
        .execute_batch(&format!(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {messages} - 1)
             INSERT INTO message SELECT id + n, record, next_try + n, 0, received, size, attempts, 'user' || n % 7, search || n, head, NULL
             FROM message, n;"
        ))
        .unwrap();
    disk.process_death()
}

/// Bytes that are read while a queue opens, tells how much there is, shows a page of each order, and closes.
async fn read_at_start(disk: &SimDisk, vfs: &str, messages: u64) -> u64 {
    disk::vfs::register(vfs, disk.shared()).unwrap();
    let before = disk.reads();
    let house = House::try_open(disk.shared(), Path::new("/data"), Some(vfs.to_owned())).unwrap();
    assert_eq!(house.queue.counts().messages, messages);
    for sort in SORTS {
        let page = Page {
            sort: sort.to_owned(),
            descending: true,
            limit: 10,
            ..Page::default()
        };
        let rows = house.queue.list(page).await.unwrap();
        assert_eq!((rows.total, rows.rows.len()), (messages, 10), "{sort}");
    }
    house.kill().await;
    disk.reads() - before
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_with_ten_times_as_many_waiting_messages_reads_no_more() {
    let (few, many) = (1000, 10_000);
    let mut reads = Vec::new();
    for messages in [few, many] {
        let vfs = format!("queue-start-{messages}");
        let disk = with_waiting(messages, &vfs).await;
        reads.push(read_at_start(&disk, &vfs, messages).await);
    }
    // A tree of ten times as many rows may be a page deeper, each index by itself.
    let deeper = SORTS.len() as u64 * 2 * 4096;
    assert!(reads[1] <= reads[0] + deeper, "{reads:?}");
}

/// Some would be left waiting, or be tried for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_all_takes_each_that_waits_once() {
    let vfs = "queue-retry-all";
    let disk = with_waiting(2500, vfs).await;
    disk::vfs::register(vfs, disk.shared()).unwrap();
    let path = Path::new("/data/queue/waiting.db");
    let hold = "UPDATE message SET held = 1 WHERE id % 10 = 0";
    let held = database(path, Some(vfs)).execute(hold, []).unwrap();
    let house = House::try_open(disk.shared(), Path::new("/data"), Some(vfs.to_owned())).unwrap();
    let tried_at_once = house.queue.clone();
    let trying = tokio::spawn(async move {
        // Some come back, and are put off, while others are still to be made due.
        while let Some(job) = tried_at_once.next().await {
            let later = put_off(0, crate::now() + 10_000);
            let _ = tried_at_once.finish(job, vec![later]).await;
        }
    });
    assert_eq!(house.queue.retry(&[]).await.unwrap(), 2500 - held as u64);
    house.queue.close().await;
    trying.await.unwrap();
    house.kill().await;
}

/// What a statement reads, as the database plans it: no table from one end to the other.
fn assert_by_index(database: &Connection, sql: &str, sorts: bool) {
    let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    // What is bound changes no plan.
    let plan = statement.raw_query().mapped(|row| row.get::<_, String>(3));
    for step in plan.map(Result::unwrap) {
        let walks = step.starts_with("SCAN") && !step.contains("USING");
        let ours = ["SCAN page", "SCAN json_each", "SCAN counted"];
        assert!(
            !walks || ours.iter().any(|name| step.starts_with(name)),
            "{step}: {sql}"
        );
        assert!(sorts || !step.contains("TEMP B-TREE"), "{step}: {sql}");
    }
}

#[test]
fn every_look_at_what_waits_goes_by_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let database = schema::open(&dir.path().join("waiting.db"), None).unwrap();
    schema::index(&database).unwrap();
    for sort in SORTS {
        for descending in [false, true] {
            assert_by_index(&database, &page_sql(Sort::of(sort), descending, false), false);
            // What a filter leaves is sorted, and there is no end at which it could begin.
            assert_by_index(&database, &page_sql(Sort::of(sort), descending, true), true);
        }
    }
    for sql in crate::waiting::STATEMENTS {
        assert_by_index(&database, sql, false);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_is_right_whatever_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let beside = database(&dir.path().join("queue/waiting.db"), None);
    let check = async |rows: i64, messages: u64, what: &str| {
        assert_eq!(counted(&beside), (rows, rows), "{what}");
        let total = house.queue.list(Page::default()).await.unwrap().total;
        assert_eq!(
            (house.queue.counts().messages, total),
            (messages, messages),
            "{what}"
        );
    };
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(MessageId(house.commit(&["a@remote.test"], "text").await));
        let job = house.next().await;
        let later = put_off(0, crate::now() + 10_000);
        house.queue.finish(job, vec![later]).await.unwrap();
    }
    check(8, 8, "put off").await;
    house.queue.hold(&ids[..2]).await.unwrap();
    check(8, 8, "held").await;
    house.queue.release(&ids[..1]).await.unwrap();
    let back = house.next().await;
    check(7, 8, "released").await;
    let later = put_off(0, crate::now() + 10_000);
    house.queue.finish(back, vec![later]).await.unwrap();
    check(8, 8, "put off again").await;
    house.queue.remove(&ids[1..3], false).await.unwrap();
    check(6, 6, "deleted").await;
    house.queue.remove(&ids[3..4], true).await.unwrap();
    let bounced = house.next().await;
    check(5, 6, "bounced").await;
    let gone = bounced.due.iter().map(|index| (*index, failed())).collect();
    house.queue.finish(bounced, gone).await.unwrap();
    check(5, 5, "told").await;
    house
        .queue
        .set_route(&ids[4..5], Some("relay.test"))
        .await
        .unwrap();
    let routed = house.next().await;
    check(4, 5, "routed").await;
    drop(routed);
    house.queue.retry(&ids[5..6]).await.unwrap();
    let jobs = (house.next().await, house.next().await);
    check(3, 5, "retried").await;
    for job in [jobs.0, jobs.1] {
        let outcomes = stored(&job);
        house.queue.finish(job, outcomes).await.unwrap();
    }
    check(3, 3, "delivered").await;
    house.kill().await;
}

fn failed() -> Outcome {
    Outcome::Failed {
        reply: "550 5.7.0 no".to_owned(),
    }
}
