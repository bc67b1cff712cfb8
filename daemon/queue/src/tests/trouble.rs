//! The disk is full or fails under what waits: without this, mail that waits would be tried by nobody until somebody restarts the server.

use disk::{Disk as _, SimDisk};
use rusqlite::OpenFlags;
use shared::protocol::Page;

use super::*;
use crate::waiting::schema;

/// A disk on which one message waits, and its id.
async fn with_one_that_waits(seed: u64, vfs: &str) -> (SimDisk, u64) {
    let disk = SimDisk::new(seed);
    disk::vfs::register(vfs, disk.shared()).unwrap();
    let house = House::try_open(disk.shared(), Path::new("/data"), Some(vfs.to_owned())).unwrap();
    let id = house.commit(&["a@remote.test"], "text").await;
    let job = house.next().await;
    let later = put_off(0, crate::now() + 100_000);
    house.queue.finish(job, vec![later]).await.unwrap();
    house.kill().await;
    (disk.process_death(), id)
}

/// Its time has come.
fn make_due(vfs: &str) {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let database = disk::sqlite::open(Path::new("/data/queue/waiting.db"), flags, Some(vfs)).unwrap();
    assert_eq!(
        database.execute("UPDATE message SET next_try = 1", []).unwrap(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_is_due_while_the_disk_is_full_is_made_when_there_is_room() {
    for dies in [false, true] {
        let vfs = format!("queue-full-{dies}");
        let (disk, id) = with_one_that_waits(1, &format!("{vfs}-before")).await;
        disk::vfs::register(&vfs, disk.shared()).unwrap();
        make_due(&vfs);
        let path = Path::new("/data/queue/journal");
        let (journal, replay) = Journal::open(disk.shared(), path, journal::Options::default()).unwrap();
        let records: Vec<_> = replay.map(Result::unwrap).collect();
        // The journal has room in its segments, the database has none.
        disk.set_full(0);
        let options = Options {
            dir: "/data/queue".into(),
            vfs: Some(vfs.clone()),
            memory_max_bytes: 1 << 20,
        };
        let taken = journal.stats().records;
        let queue = Queue::open(disk.shared(), journal.clone(), &records, Events::none(), options).unwrap();
        // Answered after the first try.
        assert!(queue.retry(&[]).await.is_err());
        assert!(queue.retry(&[]).await.is_err());
        assert!(queue.inner.take().is_none());
        let told = disk.space().full().unwrap();
        assert_eq!(
            told.wanted_bytes,
            disk::sqlite::WANTED_BYTES,
            "the database said so"
        );
        assert_eq!(
            journal.stats().records,
            taken + 1,
            "one new record, not one for each try"
        );
        let mut house = House { queue, journal };
        if dies {
            house.kill().await;
            let disk = disk.process_death();
            disk.set_full(u64::MAX);
            let again = format!("{vfs}-again");
            disk::vfs::register(&again, disk.shared()).unwrap();
            house = House::try_open(disk.shared(), Path::new("/data"), Some(again)).unwrap();
        } else {
            disk.set_full(u64::MAX);
        }
        house.queue.retry(&[]).await.unwrap();
        let job = house.next().await;
        assert_eq!((job.id.0, job.attempts), (id, 1), "{dies}");
        let outcomes = stored(&job);
        house.queue.finish(job, outcomes).await.unwrap();
        assert_eq!(house.queue.counts().messages, 0, "{dies}");
        house.kill().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_sync_nothing_is_taken_until_the_queue_is_opened_anew() {
    for seed in 0..20 {
        let name = format!("queue-sync-{seed}");
        let vfs = |life| Some(format!("{name}-{life}"));
        let open = |disk: &SimDisk, life: u32| {
            disk::vfs::register(&vfs(life).unwrap(), disk.shared()).unwrap();
            House::try_open(disk.shared(), Path::new("/data"), vfs(life)).unwrap()
        };
        let disk = SimDisk::new(seed);
        let house = open(&disk, 1);
        let id = house.commit(&["a@remote.test"], "text").await;
        let job = house.next().await;
        disk.fail_next_sync();
        let later = put_off(0, crate::now() + 100_000);
        assert!(house.queue.finish(job, vec![later]).await.is_err());
        assert!(!house.journal.failed(), "the sync was the database's");
        let cause = house.queue.until_failed().await;
        assert!(cause.contains("waiting.db"), "{cause}");
        let refused = house
            .queue
            .commit(envelope(&["a@remote.test"]), Blob::Bytes("x".into()));
        assert!(refused.await.is_err());
        let disk = disk.process_death();
        house.kill().await;

        // The row is seen, though its sync failed; the record goes. Then the power does.
        let house = open(&disk, 2);
        for _ in 0..40 {
            house.commit(&["bob@example.test"], &"x".repeat(8000)).await;
            let job = house.next().await;
            let outcomes = stored(&job);
            house.queue.finish(job, outcomes).await.unwrap();
        }
        let journal = house.journal.clone();
        tokio::task::spawn_blocking(move || journal.trim())
            .await
            .unwrap()
            .unwrap();
        disk.power_cut();
        let disk = disk.restart();
        house.kill().await;

        let house = open(&disk, 3);
        assert_eq!(house.queue.counts().messages, 1, "seed {seed}: once");
        house.queue.retry(&[]).await.unwrap();
        assert_eq!(house.next().await.id.0, id, "seed {seed}");
        house.kill().await;
    }
}

/// After an update on a disk that is nearly full the server would not start, though all mail is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_too_full_for_the_indexes_keeps_nobody_from_the_queue() {
    let vfs = "queue-index";
    let (disk, id) = with_one_that_waits(3, "queue-index-before").await;
    disk::vfs::register(vfs, disk.shared()).unwrap();
    let indexes = |work: &dyn Fn(&rusqlite::Connection, &str)| {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let database = disk::sqlite::open(Path::new("/data/queue/waiting.db"), flags, Some(vfs)).unwrap();
        for (name, _) in schema::INDEXES {
            work(&database, name);
        }
    };
    indexes(&|database, name| database.execute_batch(&format!("DROP INDEX {name}")).unwrap());
    for full in [true, false] {
        let path = Path::new("/data/queue/journal");
        let (journal, replay) = Journal::open(disk.shared(), path, journal::Options::default()).unwrap();
        let records: Vec<_> = replay.map(Result::unwrap).collect();
        if full {
            disk.set_full(0);
        }
        let options = Options {
            dir: "/data/queue".into(),
            vfs: Some(vfs.to_owned()),
            memory_max_bytes: 1 << 20,
        };
        let queue = Queue::open(disk.shared(), journal.clone(), &records, Events::none(), options).unwrap();
        for sort in super::counts::SORTS {
            for filter in ["", "REMOTE.test"] {
                let page = Page {
                    sort: sort.to_owned(),
                    filter: filter.to_owned(),
                    ..Page::default()
                };
                let rows = queue.list(page).await.unwrap();
                assert_eq!((rows.total, rows.rows.len()), (1, 1), "{sort} {filter}");
                assert_eq!(rows.rows[0].id, format!("{id:x}"));
            }
        }
        disk.set_full(u64::MAX);
        House { queue, journal }.kill().await;
    }
    indexes(&|database, name| {
        let found = "SELECT count(*) FROM sqlite_master WHERE name = ?1";
        let found: i64 = database.query_row(found, [name], |row| row.get(0)).unwrap();
        assert_eq!(found, 1, "{name} was built when there was room");
    });
}
