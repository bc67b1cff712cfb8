//! The power goes off at every step in turn: what was acknowledged comes back, what a remote host took does not.

use std::collections::BTreeSet;

use disk::SimDisk;
use rusqlite::OpenFlags;

use super::*;

/// What was promised before the power went off.
#[derive(Default)]
struct Promised {
    committed: BTreeSet<u64>,
    /// Told to be done, durably.
    finished: BTreeSet<u64>,
    /// Begun to be finished: may be done or not.
    unsure: BTreeSet<u64>,
}

async fn work(disk: &SimDisk, vfs: &str) -> Promised {
    let mut promised = Promised::default();
    let Ok(house) = House::try_open(disk.shared(), Path::new("/data"), Some(vfs.to_owned())) else {
        return promised;
    };
    for round in 0..6_u64 {
        let text = if round == 3 {
            "L".repeat(70_000)
        } else {
            "text".to_owned()
        };
        let committed = house
            .queue
            .commit(envelope(&["a@remote.test"]), Blob::Bytes(text.into()))
            .await;
        let Ok(committed) = committed else { break };
        promised.committed.insert(committed.id().0);
        if disk.is_off() {
            break;
        }
        let Some(job) = house.queue.next().await else {
            break;
        };
        let id = job.id.0;
        // Every second one waits first and is tried again at once.
        let outcome = if round % 2 == 1 && job.attempts == 0 {
            put_off(0, crate::now() - 1)
        } else {
            promised.unsure.insert(id);
            (
                0,
                Outcome::Delivered {
                    reply: "250".to_owned(),
                },
            )
        };
        let delivered = matches!(outcome.1, Outcome::Delivered { .. });
        match house.queue.finish(job, vec![outcome]).await {
            Ok(()) if delivered => {
                promised.finished.insert(id);
            }
            Ok(()) => {}
            Err(_) => break,
        }
    }
    house.queue.close().await;
    promised
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_at_any_step_loses_and_repeats_nothing() {
    let mut cuts = 0;
    for seed in 0..12_u64 {
        for step in (1 + seed % 7..).step_by(7) {
            let disk = SimDisk::new(seed * 1000 + step);
            let vfs = format!("queue-{seed}-{step}");
            disk::vfs::register(&vfs, disk.shared()).unwrap();
            disk.crash_at(step);
            let promised = work(&disk, &vfs).await;
            let whole = !disk.is_off();
            if !whole {
                cuts += 1;
                let disk = disk.restart();
                let vfs = format!("{vfs}-again");
                disk::vfs::register(&vfs, disk.shared()).unwrap();
                check(&disk, &vfs, &promised, &format!("seed {seed} step {step}")).await;
            }
            if whole {
                break;
            }
        }
    }
    assert!(cuts > 100, "{cuts}");
}

async fn check(disk: &SimDisk, vfs: &str, promised: &Promised, place: &str) {
    let house = House::try_open(disk.shared(), Path::new("/data"), Some(vfs.to_owned())).unwrap();
    let page = shared::protocol::Page {
        limit: 1000,
        ..Default::default()
    };
    house.queue.retry(&[]).await.unwrap();
    let listed: Vec<u64> = house
        .queue
        .list(page)
        .await
        .unwrap()
        .rows
        .iter()
        .map(|row| u64::from_str_radix(&row.id, 16).unwrap())
        .collect();
    let listed_once: BTreeSet<u64> = listed.iter().copied().collect();
    assert_eq!(listed.len(), listed_once.len(), "{place}: twice");
    for id in &promised.committed {
        let here = listed_once.contains(id);
        if promised.finished.contains(id) {
            assert!(!here, "{place}: {id} was done and came back");
        } else if !promised.unsure.contains(id) {
            assert!(here, "{place}: {id} was acknowledged and is lost");
        }
    }
    house.queue.close().await;
    drop(house);
    let path = Path::new("/data/queue/waiting.db");
    let database = disk::sqlite::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, Some(vfs)).unwrap();
    let (said, rows) = super::counts::counted(&database);
    assert_eq!(said, rows, "{place}: counted");
}

/// A message that was put off when the power went, and delivered later, would be delivered once more at the start after that.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_put_off_when_the_power_went_is_delivered_once() {
    let vfs = "queue-once";
    let open = |disk: &SimDisk| {
        disk::vfs::register(vfs, disk.shared()).unwrap();
        House::try_open(disk.shared(), Path::new("/data"), Some(vfs.to_owned())).unwrap()
    };
    let mut failed = 0;
    for step in 1..40 {
        let disk = SimDisk::new(step);
        let house = open(&disk);
        house.commit(&["bob@example.test"], "text").await;
        let job = house.next().await;
        disk.crash_at(disk.steps() + step);
        let finished = house
            .queue
            .finish(job, vec![put_off(0, crate::now() + 1000)])
            .await;
        failed += u32::from(finished.is_err());
        house.kill().await;
        // Nothing that was written is lost.
        let disk = disk.process_death();
        let house = open(&disk);
        house.queue.retry(&[]).await.unwrap();
        let job = house.next().await;
        let outcomes = stored(&job);
        house.queue.finish(job, outcomes).await.unwrap();
        house.kill().await;
        let house = open(&disk.process_death());
        let left = house.queue.counts().messages;
        house.kill().await;
        assert_eq!(left, 0, "power cut at step {step}");
    }
    assert!(failed > 1, "at some steps it was not done");
}
