//! Random use with power cuts, killed processes and failed syncs: nothing that was committed is lost or changed, nothing
//! that was given up comes back, no id is given twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use disk::SimDisk;

use super::{DIRECTORY, small};
use crate::{Journal, JournalError, Kind, RecordId, Replay};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// What was done, and what the journal said to it.
#[derive(Default)]
struct Model {
    appended: BTreeMap<u64, Vec<u8>>,
    committed: BTreeSet<u64>,
    released: BTreeSet<u64>,
    held: Vec<u64>,
    /// Appended, and missing from a later replay.
    gone: BTreeSet<u64>,
    /// The rooms were asked to make everything below durable.
    asked: Arc<AtomicU64>,
    /// The journal said that nothing below comes back.
    trimmed: Arc<AtomicU64>,
    epoch: u64,
    closed: bool,
}

impl Model {
    /// Compares a replay with what was done.
    fn check(&mut self, replay: Replay, context: &str) {
        assert!(
            replay.damage.is_empty(),
            "{context}: a cut is not damage: {:?}",
            replay.damage
        );
        if self.closed {
            assert!(replay.clean, "{context}: closed, and not clean");
        }
        assert!(
            replay.epoch > self.epoch || replay.clean,
            "{context}: the epoch rises"
        );
        self.epoch = replay.epoch;
        let mut found = BTreeSet::new();
        let mut last = 0;
        for record in replay {
            let record = record.unwrap();
            let id = record.id.0;
            assert!(id > last, "{context}: {id} after {last}");
            assert_eq!(
                self.appended.get(&id).map(Vec::as_slice),
                Some(&record.payload[..]),
                "{context}: {id}"
            );
            assert!(
                !self.gone.contains(&id),
                "{context}: {id} was given up and comes back"
            );
            assert!(
                id >= self.trimmed.load(Ordering::SeqCst),
                "{context}: {id} was trimmed and comes back"
            );
            last = id;
            found.insert(id);
        }
        let asked = self.asked.load(Ordering::SeqCst);
        for id in &self.committed {
            let may_be_gone = *id < asked && self.released.contains(id);
            assert!(
                found.contains(id) || may_be_gone,
                "{context}: {id} was committed and is lost"
            );
        }
        let gone = self.appended.keys().filter(|id| !found.contains(id));
        self.gone.extend(gone);
        self.committed.clone_from(&found);
        self.released.retain(|id| !found.contains(id));
        self.held = found.into_iter().collect();
    }

    /// One random call; what went wrong.
    fn step(&mut self, journal: &Journal, random: &mut Random) -> Result<(), JournalError> {
        match random.below(10) {
            0..=5 => {
                let size = if random.below(40) == 0 {
                    9000
                } else {
                    random.below(700)
                } as usize;
                let payload = vec![random.below(256) as u8; size];
                let (one, two) = payload.split_at(size / 3);
                let id = journal.append(Kind(1), &[one, two])?.0;
                let highest = self.appended.last_key_value().map_or(0, |(id, _)| *id);
                assert!(id > highest, "id {id} after {highest}");
                self.appended.insert(id, payload);
                self.held.push(id);
                if random.below(3) > 0 {
                    let _proof = journal.durable_blocking(RecordId(id))?;
                    // A sync covers all that was before.
                    self.committed.extend(
                        self.appended
                            .range(..=id)
                            .map(|(id, _)| *id)
                            .filter(|id| !self.gone.contains(id)),
                    );
                }
            }
            6..=8 if !self.held.is_empty() => {
                // The oldest as a rule, or nothing would ever be trimmed.
                let index = if random.below(4) > 0 {
                    0
                } else {
                    random.below(self.held.len() as u64) as usize
                };
                let id = self.held.remove(index);
                self.released.insert(id);
                journal.release(RecordId(id));
            }
            9 if random.below(4) == 0 => journal.trim()?,
            _ => {}
        }
        Ok(())
    }

    fn watch(&self, journal: &Journal) {
        let (asked, trimmed) = (Arc::clone(&self.asked), Arc::clone(&self.trimmed));
        journal.on_trim(Box::new(move |id| {
            asked.fetch_max(id.0, Ordering::SeqCst);
            Ok(())
        }));
        journal.after_trim(Box::new(move |id| {
            trimmed.fetch_max(id.0, Ordering::SeqCst);
        }));
    }
}

/// Opens, with a cut in the middle of it now and then.
fn open(disk: &mut SimDisk, random: &mut Random, cuts: bool) -> (Journal, Replay) {
    for _ in 0..random.below(3) {
        if !cuts {
            break;
        }
        disk.crash_at(disk.steps() + 1 + random.below(12));
        drop(Journal::open(disk.shared(), Path::new(DIRECTORY), small()));
        *disk = disk.restart();
    }
    Journal::open(disk.shared(), Path::new(DIRECTORY), small()).unwrap()
}

fn run(seed: u64) {
    let mut random = Random(seed);
    let mut disk = SimDisk::new(seed);
    let mut model = Model::default();
    for round in 0..8 {
        let context = format!("seed {seed}, round {round}");
        // A cut while opening makes an unclean stop of a clean one.
        let cuts = !model.closed;
        let (journal, replay) = open(&mut disk, &mut random, cuts);
        model.check(replay, &context);
        model.closed = false;
        model.watch(&journal);
        match random.below(6) {
            0 => disk.fail_next_sync(),
            1 => {}
            _ => disk.crash_at(disk.steps() + 1 + random.below(150)),
        }
        for _ in 0..random.below(120) {
            if model.step(&journal, &mut random).is_err() {
                break;
            }
        }
        if random.below(4) == 0 && journal.close().is_ok() {
            model.closed = true;
        }
        let dies = random.below(4) == 0 && !disk.is_off();
        let next = if dies {
            disk.process_death()
        } else {
            disk.restart()
        };
        drop(journal);
        disk = next;
    }
    let (_, replay) = open(&mut disk, &mut random, false);
    model.check(replay, &format!("seed {seed}, at the end"));
}

/// `BATPOST_SEEDS` and `BATPOST_FIRST_SEED` choose others than the first 300.
#[test]
fn nothing_committed_is_lost_over_power_cuts() {
    let seeds = std::env::var("BATPOST_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(300);
    let first = std::env::var("BATPOST_FIRST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(0);
    for seed in first..first + seeds {
        run(seed);
    }
}
