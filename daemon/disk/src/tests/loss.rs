//! The simulated disk keeps what was synced and really loses, tears and reorders the rest.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use crate::{Disk, Open, SimDisk};

const FILE: &str = "/file";
const SECTOR: usize = 512;

fn root() -> &'static Path {
    Path::new("/")
}

/// A file of old sectors, durable, overwritten with new ones that are not, after a power cut.
fn after_cut(seed: u64) -> Vec<u8> {
    let sim = SimDisk::new(seed);
    let file = sim.open(Path::new(FILE), Open::CreateNew).unwrap();
    file.write_all_at(&[1; 8 * SECTOR], 0).unwrap();
    file.sync_data().unwrap();
    sim.sync_dir(root()).unwrap();
    file.write_all_at(&[2; 4 * SECTOR], 0).unwrap();
    file.write_all_at(&[3; 4 * SECTOR], 4 * SECTOR as u64).unwrap();
    sim.restart().read(Path::new(FILE)).unwrap()
}

#[test]
fn unsynced_writes_are_kept_lost_torn_and_reordered() {
    let mut fates = BTreeSet::new();
    for seed in 0..300 {
        let bytes = after_cut(seed);
        assert_eq!(bytes.len(), 8 * SECTOR);
        assert!(
            bytes
                .chunks(SECTOR)
                .all(|sector| sector.iter().all(|byte| *byte == sector[0])),
            "sectors are whole"
        );
        assert!(
            bytes
                .chunks(SECTOR)
                .enumerate()
                .all(|(n, s)| s[0] == 1 || s[0] == if n < 4 { 2 } else { 3 })
        );
        let (first, second) = bytes.split_at(4 * SECTOR);
        let fate = |half: &[u8], new: u8| match half.chunks(SECTOR).filter(|sector| sector[0] == new).count()
        {
            0 => 'l',
            4 => 'k',
            _ => 't',
        };
        fates.insert((fate(first, 2), fate(second, 3)));
    }
    for wanted in [
        ('k', 'k'),
        ('l', 'l'),
        ('l', 'k'),
        ('k', 'l'),
        ('t', 'k'),
        ('t', 't'),
    ] {
        assert!(fates.contains(&wanted), "{wanted:?} among {fates:?}");
    }
    assert_eq!(after_cut(7), after_cut(7), "the seed decides");
}

#[test]
fn synced_bytes_under_synced_names_stay() {
    for seed in 0..100 {
        let mut sim = SimDisk::new(seed);
        for round in 0..5_u8 {
            let path = format!("/file{round}");
            let file = sim.open(Path::new(&path), Open::CreateNew).unwrap();
            file.write_all_at(&[round; 3000], 0).unwrap();
            file.sync_data().unwrap();
            sim.sync_dir(root()).unwrap();
            file.write_all_at(b"more", 3000).unwrap();
            sim = sim.restart();
            for earlier in 0..=round {
                let bytes = sim.read(Path::new(&format!("/file{earlier}"))).unwrap();
                assert_eq!(bytes[..3000], [earlier; 3000], "seed {seed}");
            }
        }
    }
}

#[test]
fn unsynced_names_are_lost_one_by_one() {
    let (mut lost, mut kept, mut split) = (0, 0, 0);
    for seed in 0..200 {
        let sim = SimDisk::new(seed);
        sim.write_atomic(Path::new("/old"), b"old").unwrap();
        for name in ["/a", "/b"] {
            let file = sim.open(Path::new(name), Open::CreateNew).unwrap();
            file.write_all_at(b"bytes", 0).unwrap();
            file.sync_all().unwrap();
        }
        sim.rename(Path::new("/old"), Path::new("/new")).unwrap();
        let sim = sim.restart();
        let there = |name: &str| sim.exists(Path::new(name)).unwrap();
        assert!(
            there("/old") != there("/new"),
            "the halves of a rename go together"
        );
        match (there("/a"), there("/b")) {
            (false, false) => lost += 1,
            (true, true) => kept += 1,
            _ => split += 1,
        }
    }
    assert!(lost > 10 && kept > 10 && split > 10, "{lost} {kept} {split}");
}

#[test]
fn an_atomic_write_is_old_or_new_at_every_step() {
    let mut seen = BTreeSet::new();
    for seed in 0..20 {
        for step in 1.. {
            let sim = SimDisk::new(seed);
            sim.write_atomic(Path::new(FILE), b"old").unwrap();
            sim.crash_at(sim.steps() + step);
            let done = sim.write_atomic(Path::new(FILE), b"new").is_ok();
            let bytes = sim.restart().read(Path::new(FILE)).unwrap();
            assert!(
                bytes == b"old" || bytes == b"new",
                "seed {seed} step {step}: {bytes:?}"
            );
            seen.insert(bytes.clone());
            if done {
                assert_eq!(bytes, b"new", "seed {seed}: a finished write is durable");
                break;
            }
        }
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn after_a_cut_everything_fails_and_the_dead_stay_dead() {
    let sim = SimDisk::new(3);
    let file = sim.open(Path::new(FILE), Open::CreateNew).unwrap();
    sim.sync_dir(root()).unwrap();
    let lock = sim.lock(root()).unwrap();
    sim.crash_at(sim.steps() + 2);
    file.write_all_at(b"x", 0).unwrap();
    assert!(file.sync_data().is_err());
    assert!(sim.is_off());
    assert!(sim.read(Path::new(FILE)).is_err());
    let next = sim.restart();
    assert!(
        file.write_all_at(b"ghost", 0).is_err(),
        "a file of the dead process writes nothing"
    );
    assert!(sim.read(Path::new(FILE)).is_err());
    let _held = next.lock(root()).unwrap();
    drop(lock);
    assert_eq!(
        next.lock(root()).unwrap_err().kind(),
        ErrorKind::ResourceBusy,
        "a dead lock frees nothing"
    );
}

#[test]
fn a_killed_process_loses_nothing_but_syncs_nothing() {
    let mut lost = 0;
    for seed in 0..50 {
        let sim = SimDisk::new(seed);
        sim.open(Path::new(FILE), Open::CreateNew)
            .unwrap()
            .write_all_at(b"cached", 0)
            .unwrap();
        let sim = sim.process_death();
        assert_eq!(sim.read(Path::new(FILE)).unwrap(), b"cached");
        lost += u32::from(!sim.restart().exists(Path::new(FILE)).unwrap());
    }
    assert!(lost > 0);
}

#[test]
fn after_a_failed_sync_the_next_one_proves_nothing() {
    let mut lost = 0;
    for seed in 0..50 {
        let sim = SimDisk::new(seed);
        let file = sim.open(Path::new(FILE), Open::CreateNew).unwrap();
        sim.sync_dir(root()).unwrap();
        file.write_all_at(b"bytes", 0).unwrap();
        sim.fail_next_sync();
        assert!(file.sync_data().is_err());
        file.sync_data().unwrap();
        assert_eq!(
            sim.read(Path::new(FILE)).unwrap(),
            b"bytes",
            "the cache still shows them"
        );
        lost += u32::from(sim.restart().read(Path::new(FILE)).unwrap() != b"bytes");
    }
    assert!(lost > 0, "a sync that is repeated must not help");
}

#[test]
fn after_a_failed_sync_of_names_nothing_changes_until_the_machine_starts_anew() {
    for (seed, dies) in (0..20).flat_map(|seed| [(seed, true), (seed, false)]) {
        let sim = SimDisk::new(seed);
        let file = sim.open(Path::new(FILE), Open::CreateNew).unwrap();
        file.write_all_at(b"bytes", 0).unwrap();
        sim.fail_next_sync();
        assert!(sim.sync_dir(root()).is_err());
        assert!(sim.sync_dir(root()).is_err(), "a second sync would prove nothing");
        assert_eq!(
            file.write_all_at(b"more", 5).unwrap_err().kind(),
            ErrorKind::ReadOnlyFilesystem
        );
        assert_eq!(sim.read(Path::new(FILE)).unwrap(), b"bytes");
        let sim = if dies { sim.process_death() } else { sim.restart() };
        sim.open(Path::new("/another"), Open::CreateNew).unwrap();
    }
}

#[test]
fn a_full_disk_refuses_growth_only() {
    let sim = SimDisk::new(5);
    sim.set_full(1000);
    let file = sim.open(Path::new(FILE), Open::CreateNew).unwrap();
    file.write_all_at(&[1; 1000], 0).unwrap();
    assert_eq!(
        file.write_all_at(&[1; 1], 1000).unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    file.write_all_at(&[2; 1000], 0).unwrap();
    assert_eq!(sim.available_bytes(root()).unwrap(), 0);
}
