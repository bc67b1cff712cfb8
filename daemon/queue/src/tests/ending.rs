//! A queue that is dropped without being closed, as when a test or the server panics: it ends like a process that was killed. If it did not, a server that
//! starts anew after a fault would stand still before its own files.

use std::io::ErrorKind;
use std::sync::mpsc::channel;
use std::time::Duration;

use disk::SimDisk;
use tokio::runtime::Runtime;

use super::*;

/// Far longer than anything takes: whoever is not done then never will be.
const STUCK: Duration = Duration::from_secs(100);

/// What the queue is at when it is dropped.
#[derive(Clone, Copy, Debug)]
enum At {
    Nothing,
    LentOut,
    Moving,
    Full,
    FailedSync,
    Waiting,
    Listing,
    Intake,
    NoRoom,
}

const ALL: [At; 9] = [
    At::Nothing,
    At::LentOut,
    At::Moving,
    At::Full,
    At::FailedSync,
    At::Waiting,
    At::Listing,
    At::Intake,
    At::NoRoom,
];

fn again_at_once() -> Vec<(u32, Outcome)> {
    vec![put_off(0, crate::now() - 1)]
}

async fn be_at(at: At, house: &House, disk: Option<&SimDisk>) {
    let id = house.commit(&["a@remote.test"], "text").await;
    match at {
        At::Nothing => {}
        At::LentOut => {
            let job = house.next().await;
            tokio::spawn(async move {
                std::future::pending::<()>().await;
                drop(job);
            });
        }
        At::Moving => {
            for _ in 0..20 {
                house.commit(&["a@remote.test"], "text").await;
            }
            for _ in 0..3 {
                let queue = house.queue.clone();
                tokio::spawn(async move {
                    while let Some(job) = queue.next().await {
                        let _ = queue.finish(job, again_at_once()).await;
                    }
                });
            }
            let mut watch = house.queue.watch();
            for _ in 0..20 {
                watch.changed().await.unwrap();
            }
        }
        At::Full => {
            let job = house.next().await;
            house
                .queue
                .finish(job, vec![put_off(0, crate::now() + 1000)])
                .await
                .unwrap();
            if let Some(disk) = disk {
                disk.set_full(0);
                let _ = house.queue.retry(&[]).await;
            }
        }
        At::FailedSync => {
            let job = house.next().await;
            if let Some(disk) = disk {
                disk.fail_next_sync();
            }
            let _ = house.queue.finish(job, again_at_once()).await;
        }
        At::NoRoom => {
            let job = house.next().await;
            house.queue.finish(job, again_at_once()).await.unwrap();
            if let Some(disk) = disk {
                disk.set_full(0);
            }
            for _ in 0..40 {
                let (queue, text) = (house.queue.clone(), "x".repeat(60_000));
                tokio::spawn(async move {
                    let _ = queue
                        .commit(envelope(&["a@remote.test"]), Blob::Bytes(text.into()))
                        .await;
                });
            }
            // The journal may take it when there is room again.
            let queue = house.queue.clone();
            tokio::spawn(async move { queue.retry(&[]).await });
            tokio::task::yield_now().await;
        }
        At::Waiting => {
            let text = "x".repeat(60_000);
            for _ in 0..40 {
                let queue = house.queue.clone();
                let text = Blob::Bytes(text.clone().into());
                tokio::spawn(async move {
                    let _ = queue.commit(envelope(&["a@remote.test"]), text).await;
                });
            }
            let mut watch = house.queue.watch();
            for _ in 0..2 {
                watch.changed().await.unwrap();
            }
        }
        At::Listing => {
            for _ in 0..4 {
                let queue = house.queue.clone();
                tokio::spawn(
                    async move { while queue.list(shared::protocol::Page::default()).await.is_ok() {} },
                );
            }
            house.queue.show(events::MessageId(id)).await.unwrap();
        }
        At::Intake => {
            let mut intake = house.queue.intake();
            intake.write(&vec![b'x'; 600_000]).await.unwrap();
            tokio::spawn(async move {
                std::future::pending::<()>().await;
                drop(intake);
            });
        }
    }
}

/// A panic in the middle of work, on a runtime of its own. Done when everything that was waited for has ended, and the files can be opened again.
fn fall(at: At, dir: &Path, disk: Option<&SimDisk>, vfs: Option<&str>) {
    let (done, ended) = channel();
    let (dir, disk, vfs) = (dir.to_owned(), disk.cloned(), vfs.map(str::to_owned));
    std::thread::spawn(move || {
        let shared = || disk.as_ref().map_or_else(RealDisk::shared, SimDisk::shared);
        let fallen = std::thread::scope(|scope| {
            let work = scope.spawn(|| {
                Runtime::new().unwrap().block_on(async {
                    let house = House::with_memory(shared(), &dir, vfs.clone(), 256 << 10).unwrap();
                    be_at(at, &house, disk.as_ref()).await;
                    std::panic::resume_unwind(Box::new(at));
                });
            });
            work.join().is_err()
        });
        // The threads of the dead one end by themselves, though the disk may be full, and give back the lock then.
        while let Err(error) = shared().lock(&dir.join("queue/journal")) {
            assert_eq!(error.kind(), ErrorKind::ResourceBusy, "{at:?}");
            std::thread::yield_now();
        }
        if let Some(disk) = &disk {
            disk.set_full(u64::MAX);
        }
        while let Err(error) = House::try_open(shared(), &dir, vfs.clone()) {
            assert!(!ended_badly(&error), "{at:?}: {error}");
            std::thread::yield_now();
        }
        let _ = done.send(fallen);
    });
    assert!(ended.recv_timeout(STUCK).unwrap(), "{at:?}");
}

/// Not only for now.
fn ended_badly(error: &str) -> bool {
    !["busy", "lock"]
        .iter()
        .any(|word| error.to_lowercase().contains(word))
}

#[test]
fn a_queue_that_nobody_closed_ends_wherever_it_is() {
    for at in ALL {
        let dir = tempfile::tempdir().unwrap();
        fall(at, dir.path(), None, None);
        let disk = SimDisk::new(1);
        let vfs = format!("queue-ending-{at:?}");
        disk::vfs::register(&vfs, disk.shared()).unwrap();
        fall(at, Path::new("/data"), Some(&disk), Some(&vfs));
    }
}

/// A log whose sync has failed would be folded into the database by whoever ends, and damage it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_ends_unclosed_leaves_the_log_as_it_is() {
    let (disk, vfs) = (SimDisk::new(1), "queue-ending-log");
    disk::vfs::register(vfs, disk.shared()).unwrap();
    let house = House::try_open(disk.shared(), Path::new("/data"), Some(vfs.to_owned())).unwrap();
    house.commit(&["a@remote.test"], "text").await;
    let job = house.next().await;
    let later = put_off(0, crate::now() + 1000);
    house.queue.finish(job, vec![later]).await.unwrap();
    let log = || {
        disk.shared()
            .read(Path::new("/data/queue/waiting.db-wal"))
            .unwrap()
    };
    let before = log();
    drop(house);
    // As long as its thread lives, the database is busy.
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let path = Path::new("/data/queue/waiting.db");
    let database = loop {
        let opened = disk::sqlite::open(path, flags, Some(vfs));
        let looked = opened.and_then(|database| {
            let rows: i64 = database.query_row("SELECT count(*) FROM message", [], |row| row.get(0))?;
            Ok((database, rows))
        });
        match looked {
            Ok(looked) => break looked,
            Err(_) => std::thread::yield_now(),
        }
    };
    assert_eq!(database.1, 1);
    assert!(log() == before && !before.is_empty());
}
