//! One promise to a test.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use disk::{Disk, SimDisk};
use parking_lot::Mutex;

use super::{DIRECTORY, commit, open, records, small};
use crate::{Journal, JournalError, Kind, Options, RecordId};

fn segment_files(disk: &SimDisk) -> Vec<String> {
    let names = disk.read_dir(Path::new(DIRECTORY)).unwrap();
    names
        .into_iter()
        .filter(|name| name.starts_with("segment"))
        .collect()
}

#[test]
fn what_was_not_released_comes_back_after_a_clean_stop() {
    let disk = SimDisk::new(1);
    let (journal, replay) = open(&disk);
    assert!(replay.clean && replay.damage.is_empty());
    let first_epoch = replay.epoch;
    let one = journal.append(Kind(1), &[b"one", b"", b"!"]).unwrap();
    let two = journal.append(Kind(2), &[]).unwrap();
    let three = journal.append(Kind(3), &[b"three"]).unwrap();
    assert!(one < two && two < three);
    journal.release(two);
    assert_eq!(&journal.read(one).unwrap()[..], b"one!");
    assert!(matches!(
        journal.read(RecordId(99)),
        Err(JournalError::Unknown(RecordId(99)))
    ));
    journal.close().unwrap();
    assert!(matches!(journal.append(Kind(1), &[]), Err(JournalError::Closed)));
    assert!(matches!(journal.close(), Err(JournalError::Closed)));

    let (journal, replay) = open(&disk.restart());
    assert!(
        replay.clean,
        "a clean stop loses nothing, not even to a power cut right after"
    );
    assert_eq!(replay.epoch, first_epoch);
    let found: Vec<_> = records(replay)
        .iter()
        .map(|r| (r.id, r.kind, r.payload.to_vec()))
        .collect();
    // The one between two held ones comes with them.
    let wanted = [
        (one, Kind(1), &b"one!"[..]),
        (two, Kind(2), b""),
        (three, Kind(3), b"three"),
    ];
    assert_eq!(
        found,
        wanted.map(|(id, kind, payload)| (id, kind, payload.to_vec()))
    );
    assert_eq!(
        journal.append(Kind(1), &[]).unwrap(),
        RecordId(three.0 + 1),
        "no jump"
    );
}

#[test]
fn the_last_clone_dropped_without_a_close_is_an_unclean_stop() {
    let disk = SimDisk::new(1);
    let (journal, replay) = open(&disk);
    let last = commit(&journal, b"x");
    let before = replay.epoch;
    assert!(matches!(
        Journal::open(disk.shared(), Path::new(DIRECTORY), small()),
        Err(JournalError::Io { .. })
    ));
    drop(journal);
    let (journal, replay) = open(&disk);
    assert!(!replay.clean && replay.epoch > before);
    assert_eq!(records(replay).len(), 1);
    assert!(
        journal.append(Kind(1), &[]).unwrap().0 > last.0 + 1000,
        "lost ids are passed by a jump"
    );
}

#[test]
fn released_segments_are_used_again() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    let held = commit(&journal, b"held");
    for _ in 0..100 {
        let id = commit(&journal, &[7; 500]);
        journal.release(id);
    }
    assert_eq!(
        journal.stats().oldest_live,
        Some(held),
        "one held record holds everything behind it"
    );
    assert!(journal.stats().segments > 5);
    assert_eq!(&journal.read(held).unwrap()[..], b"held");
    journal.release(held);
    journal.trim().unwrap();
    assert_eq!(journal.stats().segments, 1);
    let most = journal.stats().disk_bytes;
    for _ in 0..1000 {
        let id = commit(&journal, &[8; 500]);
        journal.release(id);
        if id.0.is_multiple_of(50) {
            journal.trim().unwrap();
        }
    }
    journal.trim().unwrap();
    assert!(
        journal.stats().disk_bytes <= most.max(4 * 8192),
        "{:?}",
        journal.stats()
    );
    assert!(segment_files(&disk).len() <= 4);
}

#[test]
fn a_pinned_record_needs_one_more_release() {
    let (journal, _) = open(&SimDisk::new(1));
    let id = commit(&journal, b"x");
    journal.pin(id);
    journal.release(id);
    assert!(journal.read(id).is_ok());
    journal.release(id);
    assert!(matches!(journal.read(id), Err(JournalError::Unknown(_))));
}

#[test]
fn effects_are_made_durable_before_the_mark_and_told_after_it() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    let calls = Arc::new(Mutex::new(Vec::new()));
    let failures = Arc::new(AtomicU64::new(1));
    let (on, after, left) = (Arc::clone(&calls), Arc::clone(&calls), Arc::clone(&failures));
    let mark = move |disk: &SimDisk| disk.read(&Path::new(DIRECTORY).join("mark")).unwrap();
    let (on_disk, before) = (disk.clone(), mark(&disk));
    journal.on_trim(Box::new(move |id| {
        assert_eq!(mark(&on_disk), before, "the mark waits for the effects");
        on.lock().push(("on", id));
        match left.fetch_sub(1, Ordering::SeqCst) {
            1 => Err(std::io::Error::other("not now")),
            _ => Ok(()),
        }
    }));
    let (after_disk, before) = (disk.clone(), mark(&disk));
    journal.after_trim(Box::new(move |id| {
        assert_ne!(mark(&after_disk), before);
        after.lock().push(("after", id));
    }));
    let id = commit(&journal, b"x");
    journal.release(id);
    assert!(matches!(journal.trim(), Err(JournalError::Io { .. })));
    assert!(
        !journal.failed(),
        "a callback that fails puts the trim off and poisons nothing"
    );
    failures.store(0, Ordering::SeqCst);
    journal.trim().unwrap();
    let below = RecordId(id.0 + 1);
    assert_eq!(*calls.lock(), [("on", below), ("on", below), ("after", below)]);
}

#[test]
fn a_callback_that_panics_costs_one_trim() {
    let (journal, _) = open(&SimDisk::new(1));
    journal.on_trim(Box::new(|_| panic!("expected by the test")));
    assert!(matches!(journal.trim(), Err(JournalError::Io { .. })));
    commit(&journal, b"still at work");
}

#[test]
fn a_failed_sync_ends_all_acknowledging() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    let kept = commit(&journal, b"kept");
    disk.fail_next_sync();
    let lost = journal.append(Kind(1), &[b"lost?"]).unwrap();
    assert!(matches!(
        journal.durable_blocking(lost),
        Err(JournalError::Failed(_))
    ));
    assert!(journal.failed());
    assert!(matches!(
        journal.append(Kind(1), &[]),
        Err(JournalError::Failed(_))
    ));
    assert!(matches!(journal.trim(), Err(JournalError::Failed(_))));
    assert!(matches!(journal.close(), Err(JournalError::Failed(_))));
    assert_eq!(
        journal.durable_blocking(kept).unwrap().id(),
        kept,
        "what was durable is so still"
    );
    drop(journal);
    // The cache shows what the platter lacks. What the replay shows must be on the platter.
    let disk = disk.process_death();
    let (_, replay) = open(&disk);
    let shown = records(replay);
    let (_, replay) = open(&disk.restart());
    assert_eq!(records(replay), shown);
}

#[test]
fn a_full_disk_is_said_at_the_door_and_space_opens_it() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    disk.set_full(4096 + 1000);
    let mut taken = Vec::new();
    let full = loop {
        match journal.append(Kind(1), &[&[1; 400]]) {
            Ok(id) => {
                // What is taken beyond the last segment waits for space, so only what is surely placed is awaited.
                if taken.len() < 7 {
                    let _proof = journal.durable_blocking(id).unwrap();
                }
                taken.push(id);
                // Else what is in memory and waits for the disk could become too much first, which is another refusal.
                while taken.len() == 7 && disk.space().full().is_none() {
                    std::thread::yield_now();
                }
            }
            Err(error) => break error,
        }
        assert!(taken.len() < 100_000);
    };
    assert!(matches!(full, JournalError::Full), "{full}");
    assert!(!journal.failed());
    disk.set_full(u64::MAX);
    for id in taken {
        assert_eq!(
            journal.durable_blocking(id).unwrap().id(),
            id,
            "nothing that was taken is dropped"
        );
    }
    // The keeper tries again after a while.
    while let Err(error) = journal.append(Kind(1), &[&[2; 400]]) {
        assert!(matches!(error, JournalError::Full), "{error}");
        std::thread::yield_now();
    }
}

#[test]
fn a_disk_too_full_for_the_mark_only_puts_the_trim_off() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    for _ in 0..20 {
        journal.release(commit(&journal, &[3; 400]));
    }
    disk.set_full(0);
    let error = journal.trim().unwrap_err();
    assert!(matches!(error, JournalError::Io { .. }), "{error}");
    assert!(!journal.failed());
    let kept = commit(&journal, b"there is room in the segment");
    disk.set_full(u64::MAX);
    journal.trim().unwrap();
    drop(journal);
    let (_, replay) = open(&disk.restart());
    assert!(records(replay).iter().any(|record| record.id == kept));
}

#[tokio::test]
async fn a_failed_sync_is_told_to_who_waits_for_failures() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    let waiting = tokio::spawn({
        let journal = journal.clone();
        async move { journal.until_failed().await }
    });
    disk.fail_next_sync();
    assert!(journal.commit(Kind(1), &[b"lost"]).await.is_err());
    assert!(waiting.await.unwrap().starts_with("sync"));
    // Also to those who come later.
    assert!(journal.until_failed().await.starts_with("sync"));
}

#[test]
fn a_record_larger_than_a_segment_gets_one_of_its_own() {
    let disk = SimDisk::new(1);
    let options = Options {
        record_bytes_max: 100_000,
        ..small()
    };
    let (journal, _) = Journal::open(disk.shared(), Path::new(DIRECTORY), options.clone()).unwrap();
    let large: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
    assert!(matches!(
        journal.append(Kind(1), &[&large, b"x"]),
        Err(JournalError::TooLarge(100_001))
    ));
    let ids = [&b"before"[..], &large, b"after"].map(|payload| commit(&journal, payload));
    assert_eq!(journal.read(ids[1]).unwrap(), large);
    drop(journal);
    let (journal, replay) = Journal::open(disk.restart().shared(), Path::new(DIRECTORY), options).unwrap();
    let found = records(replay);
    assert_eq!(
        found
            .iter()
            .map(|record| record.payload.len())
            .collect::<Vec<_>>(),
        [6, 100_000, 5]
    );
    assert_eq!(found[1].payload, large);
    for id in ids {
        journal.release(id);
    }
    journal.trim().unwrap();
    assert!(journal.stats().disk_bytes < 50_000, "the large file is not kept");
}

#[test]
fn too_much_in_flight_is_refused_and_comes_down_by_itself() {
    let disk = SimDisk::new(1);
    let options = Options {
        in_flight_bytes_max: 2000,
        ..small()
    };
    let (journal, _) = Journal::open(disk.shared(), Path::new(DIRECTORY), options).unwrap();
    let mut busy = 0;
    for _ in 0..500 {
        while let Err(error) = journal.append(Kind(1), &[&[1; 900]]) {
            assert!(matches!(error, JournalError::Busy), "{error}");
            busy += 1;
            std::thread::yield_now();
        }
    }
    assert!(busy > 0);
}

#[test]
fn damage_is_reported_and_costs_only_what_it_hit() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    let ids: Vec<_> = (0..30_u8).map(|n| commit(&journal, &[n; 300])).collect();
    drop(journal);
    let disk = disk.restart();
    let names = segment_files(&disk);
    let path = Path::new(DIRECTORY).join(&names[0]);
    // The payload of the third record of the first segment.
    disk.corrupt(&path, 512 + 2 * (48 + 304) + 100, 1).unwrap();
    // And the last one that fits: only the next segment knows that it was durable, so that it is not a torn end.
    disk.corrupt(&path, 512 + 9 * (48 + 304) + 100, 1).unwrap();
    let (journal, replay) = open(&disk);
    let lost: Vec<_> = replay
        .damage
        .iter()
        .map(|damage| (damage.first, damage.last))
        .collect();
    assert_eq!(lost, [(ids[2], ids[2]), (ids[9], ids[9])]);
    let found: Vec<_> = records(replay).iter().map(|record| record.id).collect();
    let wanted: Vec<_> = ids
        .iter()
        .copied()
        .filter(|id| *id != ids[2] && *id != ids[9])
        .collect();
    assert_eq!(found, wanted);
    assert!(matches!(journal.read(ids[2]), Err(JournalError::Unknown(_))));
    drop(journal);
    // A header, the mark, a whole file: each is reported, and what can be read is replayed.
    disk.corrupt(&path, 0, 64).unwrap();
    disk.corrupt(&Path::new(DIRECTORY).join("mark"), 10, 4).unwrap();
    let (journal, replay) = open(&disk);
    let files: Vec<_> = replay.damage.iter().map(|damage| damage.file.clone()).collect();
    assert!(
        files.contains(&names[0]) && files.contains(&"mark".to_owned()),
        "{files:?}"
    );
    let last_epoch = replay.epoch;
    assert_eq!(
        records(replay).iter().map(|record| record.id).collect::<Vec<_>>(),
        wanted
    );
    drop(journal);
    disk.remove_file(&path).unwrap();
    let (_, replay) = open(&disk);
    assert!(replay.epoch > last_epoch);
    assert!(
        replay
            .damage
            .iter()
            .any(|damage| damage.first <= ids[0] && damage.last >= ids[0]),
        "{:?}",
        replay.damage
    );
}

#[test]
fn one_sync_serves_many_and_the_real_disk_keeps_them() {
    let temporary = tempfile::tempdir().unwrap();
    let disk = disk::RealDisk::shared();
    let (journal, _) = Journal::open(Arc::clone(&disk), temporary.path(), Options::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let ids = runtime.block_on(async {
        let one = |journal: Journal, n: u32| async move {
            journal.commit(Kind(4), &[&n.to_le_bytes()]).await.unwrap().id()
        };
        let tasks: Vec<_> = (0..500).map(|n| tokio::spawn(one(journal.clone(), n))).collect();
        let mut ids = Vec::new();
        for task in tasks {
            ids.push(task.await.unwrap());
        }
        let id = journal.append(Kind(5), &[b"late"]).unwrap();
        ids.push(journal.durable(id).await.unwrap().id());
        assert!(matches!(
            journal.durable(RecordId(id.0 + 1)).await,
            Err(JournalError::Unknown(_))
        ));
        ids
    });
    assert!(journal.stats().syncs < 501, "{:?}", journal.stats());
    drop(journal);
    let (journal, replay) = Journal::open(disk, temporary.path(), Options::default()).unwrap();
    let found = records(replay);
    assert_eq!(found.len(), ids.len());
    for (n, id) in ids.iter().take(500).enumerate() {
        let record = found.iter().find(|record| record.id == *id).unwrap();
        assert_eq!(record.payload[..], (n as u32).to_le_bytes());
    }
    journal.close().unwrap();
}
