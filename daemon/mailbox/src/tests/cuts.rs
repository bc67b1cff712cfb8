//! The power is cut at any step, again and again: what was promised is there, exactly once, and no number means two things.

use std::collections::{BTreeMap, HashMap};

use super::*;

const OWNERS: [OwnerId; 2] = [ALICE, BOB];
const FOLDERS: [&str; 3] = ["INBOX", "Archive", "Made"];

/// A small generator, so that a seed is a story.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % sides
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }
}

/// How often a message may be there, over all folders of all owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    least: u32,
    most: u32,
}

/// What the outside world knows.
#[derive(Default)]
struct Truth {
    counts: BTreeMap<String, Count>,
    /// What a UID meant.
    seen: HashMap<(OwnerId, i64, u32, Uid), String>,
    modseqs: HashMap<OwnerId, ModSeq>,
    folders: HashMap<(OwnerId, String), (FolderId, u32)>,
    made: u64,
}

impl Truth {
    fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}{}", self.made)
    }

    fn see(&mut self, owner: OwnerId, folder: i64, validity: u32, uid: Uid, key: &str) {
        let known = self
            .seen
            .entry((owner, folder, validity, uid))
            .or_insert_with(|| key.to_owned());
        assert_eq!(
            known, key,
            "UID {uid} of folder {folder} of {owner:?} was given twice"
        );
    }

    /// A number of a new change: greater than all that were seen.
    fn newer(&mut self, owner: OwnerId, modseq: ModSeq) {
        let last = self.modseqs.entry(owner).or_default();
        assert!(
            modseq > *last,
            "MODSEQ {modseq} of {owner:?} was given before, {last} was seen"
        );
        *last = modseq;
    }
}

struct Story {
    truth: Truth,
    dice: Dice,
    /// Accepted messages that the queue has not let go of.
    waiting: Vec<(RecordId, String)>,
}

/// Which owners a queued message goes to.
fn targets(key: &str) -> &'static [OwnerId] {
    if key.starts_with("both") {
        &OWNERS
    } else {
        &OWNERS[..1]
    }
}

impl Story {
    /// Runs until the power goes off, or for a while.
    async fn live(&mut self, world: &World, disk: &SimDisk) -> Result<()> {
        for _ in 0..self.dice.roll(40) + 5 {
            self.act(world).await?;
            if disk.is_off() {
                return Ok(());
            }
        }
        // What is seen last is what nobody has synced.
        self.accept(world).await?;
        self.deliver_waiting(world).await?;
        let owner = world.boxes.owner(self.dice.pick(&OWNERS));
        self.flag(&owner).await?;
        self.look(&owner).await
    }

    async fn act(&mut self, world: &World) -> Result<()> {
        let id = self.dice.pick(&OWNERS);
        let owner = world.boxes.owner(id);
        match self.dice.roll(13) {
            0..=3 => self.accept(world).await,
            4 => self.append(&owner).await,
            5 => self.copy(world, &owner).await,
            6 => self.transfer(world, &owner).await,
            7 => self.remove(&owner).await,
            8 => self.flag(&owner).await,
            9 => self.look(&owner).await,
            10 => self.create(&owner).await,
            11 => self.replace(world, &owner).await,
            _ => {
                let _ = world.journal.trim();
                Ok(())
            }
        }
    }

    async fn accept(&mut self, world: &World) -> Result<()> {
        let kind = self.dice.pick(&["both", "one"]);
        let key = self.truth.name(kind);
        let most = targets(&key).len() as u32;
        self.truth.counts.insert(key.clone(), Count { least: 0, most });
        let id = world.accept(&message(&key)).await?;
        self.truth.counts.insert(key.clone(), Count { least: most, most });
        self.waiting.push((id, key));
        if self.dice.roll(4) > 0 {
            self.deliver_waiting(world).await
        } else {
            Ok(())
        }
    }

    async fn deliver_waiting(&mut self, world: &World) -> Result<()> {
        for (id, key) in std::mem::take(&mut self.waiting) {
            for (target, owner) in (0..).zip(targets(&key)) {
                let appended = world.deliver(*owner, id, target, &message(&key)).await?;
                self.truth.see(
                    *owner,
                    appended.folder.0,
                    appended.uid_validity,
                    appended.uid,
                    &key,
                );
            }
            world.journal.release(id);
        }
        Ok(())
    }

    async fn folder(&mut self, owner: &Owner) -> Result<Folder> {
        let name = self.dice.pick(&FOLDERS);
        match owner.folder(name).await {
            Err(MailboxError::NoSuchFolder) => owner.folder("INBOX").await,
            found => found,
        }
    }

    async fn append(&mut self, owner: &Owner) -> Result<()> {
        let folder = self.folder(owner).await?;
        let keys = [self.truth.name("append"), self.truth.name("append")];
        for key in &keys {
            self.truth.counts.insert(key.clone(), Count { least: 0, most: 1 });
        }
        let large = self.dice.roll(4) == 0;
        let mut messages: Vec<Append> = keys.iter().map(|key| append(key)).collect();
        if large {
            let mut text = message(&keys[0]);
            text.resize(70_000, b'.');
            messages[0].text = Blob::Bytes(Bytes::from(text));
        }
        let appended = owner.append(folder.id, messages).await?;
        for (key, appended) in keys.iter().zip(appended) {
            self.truth.counts.insert(key.clone(), Count { least: 1, most: 1 });
            self.truth
                .see(owner.id(), folder.id.0, appended.uid_validity, appended.uid, key);
            self.truth.newer(owner.id(), appended.modseq);
        }
        Ok(())
    }

    /// Some messages of a folder by key.
    async fn some(&mut self, owner: &Owner) -> Result<(Folder, Vec<(Uid, String)>)> {
        let folder = self.folder(owner).await?;
        let found = keys(owner, &folder.name).await?;
        let chosen = found
            .into_iter()
            .filter(|_| self.dice.roll(3) == 0)
            .take(5)
            .collect();
        Ok((folder, chosen))
    }

    async fn copy(&mut self, world: &World, owner: &Owner) -> Result<()> {
        let (folder, chosen) = self.some(owner).await?;
        let to = world.boxes.owner(self.dice.pick(&OWNERS));
        let target = self.folder(&to).await?;
        for (_, key) in &chosen {
            self.truth.counts.get_mut(key).unwrap().most += 1;
        }
        let uids: Vec<Uid> = chosen.iter().map(|(uid, _)| *uid).collect();
        let copied = owner.copy(folder.id, &uids, &to, target.id).await?;
        assert_eq!(copied.source, uids);
        for ((_, key), uid) in chosen.iter().zip(copied.target) {
            self.truth.counts.get_mut(key).unwrap().least += 1;
            self.truth
                .see(to.id(), target.id.0, copied.uid_validity, uid, key);
        }
        Ok(())
    }

    /// A MOVE changes no count, whatever happens.
    async fn transfer(&mut self, world: &World, owner: &Owner) -> Result<()> {
        let (folder, chosen) = self.some(owner).await?;
        let to = world.boxes.owner(self.dice.pick(&OWNERS));
        let target = self.folder(&to).await?;
        let uids: Vec<Uid> = chosen.iter().map(|(uid, _)| *uid).collect();
        let moved = owner.move_to(folder.id, &uids, &to, target.id).await?;
        for ((_, key), uid) in chosen.iter().zip(moved.target) {
            self.truth.see(to.id(), target.id.0, moved.uid_validity, uid, key);
        }
        Ok(())
    }

    /// A message that is replaced by one of the same name: no count changes, whatever happens.
    async fn replace(&mut self, world: &World, owner: &Owner) -> Result<()> {
        let (folder, chosen) = self.some(owner).await?;
        let to = world.boxes.owner(self.dice.pick(&OWNERS));
        let target = self.folder(&to).await?;
        for (uid, key) in chosen {
            let replaced = owner
                .replace(folder.id, uid, &to, target.id, append(&key))
                .await?;
            let replaced = replaced.expect("it was there");
            self.truth
                .see(to.id(), target.id.0, replaced.uid_validity, replaced.uid, &key);
        }
        Ok(())
    }

    async fn remove(&mut self, owner: &Owner) -> Result<()> {
        let (folder, chosen) = self.some(owner).await?;
        for (_, key) in &chosen {
            self.truth.counts.get_mut(key).unwrap().least -= 1;
        }
        let uids: Vec<Uid> = chosen.iter().map(|(uid, _)| *uid).collect();
        let gone = owner.remove_messages(folder.id, &uids).await?;
        assert_eq!(gone, uids);
        for (_, key) in &chosen {
            self.truth.counts.get_mut(key).unwrap().most -= 1;
        }
        Ok(())
    }

    async fn flag(&mut self, owner: &Owner) -> Result<()> {
        let (folder, chosen) = self.some(owner).await?;
        let uids: Vec<Uid> = chosen.iter().map(|(uid, _)| *uid).collect();
        let keyword = self.dice.pick(&["$A", "$B", "$C"]);
        let flags = Flags(self.dice.roll(32) as u8);
        let stored = owner
            .store(folder.id, &uids, change(FlagAction::Replace, flags, &[keyword]))
            .await?;
        let last = self.truth.modseqs.entry(owner.id()).or_default();
        *last = stored.highest_modseq.max(*last);
        Ok(())
    }

    async fn create(&mut self, owner: &Owner) -> Result<()> {
        let key = (owner.id(), "Made".to_owned());
        match owner.create("Made", None).await {
            Ok(folder) => {
                let before = self.truth.folders.insert(key, (folder.id, folder.uid_validity));
                assert_eq!(before, None, "a folder was lost");
            }
            Err(MailboxError::FolderExists) => {
                let folder = owner.folder("Made").await?;
                self.truth.folders.insert(key, (folder.id, folder.uid_validity));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn look(&mut self, owner: &Owner) -> Result<()> {
        for folder in owner.folders().await?.iter() {
            let status = owner.status(folder.id).await?;
            for (uid, key) in keys(owner, &folder.name).await? {
                self.truth
                    .see(owner.id(), folder.id.0, folder.uid_validity, uid, &key);
                assert!(uid < status.uid_next);
            }
            let last = self.truth.modseqs.entry(owner.id()).or_default();
            *last = status.highest_modseq.max(*last);
        }
        Ok(())
    }

    /// The queue takes up what it had, and everything is counted.
    async fn after(&mut self, world: &World) -> Result<()> {
        let key_of = |record: &Record| key(&String::from_utf8_lossy(&record.payload));
        self.waiting = world
            .queued
            .iter()
            .map(|record| (record.id, key_of(record)))
            .collect();
        // In another order than before, and after others.
        let turn = self.dice.roll(self.waiting.len() as u64 + 1) as usize;
        self.waiting.rotate_left(turn);
        if self.dice.roll(2) == 0 {
            let owner = world.boxes.owner(self.dice.pick(&OWNERS));
            self.append(&owner).await?;
        }
        self.deliver_waiting(world).await?;
        let mut found: BTreeMap<String, u32> = BTreeMap::new();
        for id in OWNERS {
            let owner = world.boxes.owner(id);
            self.look(&owner).await?;
            for folder in owner.folders().await?.iter() {
                for (_, key) in keys(&owner, &folder.name).await? {
                    *found.entry(key).or_default() += 1;
                }
            }
            if let Some(known) = self.truth.folders.get(&(id, "Made".to_owned())) {
                let folder = owner.folder("Made").await?;
                assert_eq!((folder.id, folder.uid_validity), *known);
            }
            assert_eq!(owner.check(false).await?.problems, []);
        }
        for (key, count) in &mut self.truth.counts {
            let there = found.remove(key).unwrap_or(0);
            assert!(
                (count.least..=count.most).contains(&there),
                "{key} is there {there} times, not {count:?}"
            );
            *count = Count {
                least: there,
                most: there,
            };
        }
        assert!(found.is_empty(), "{found:?}");
        Ok(())
    }
}

/// The subject of a text.
fn key(text: &str) -> String {
    let after = text.split("Subject: ").nth(1).unwrap_or("LOST");
    after.split("\r\n").next().unwrap().to_owned()
}

async fn keys(owner: &Owner, folder: &str) -> Result<Vec<(Uid, String)>> {
    Ok(texts(owner, folder)
        .await?
        .into_iter()
        .map(|(uid, text)| (uid, key(&text)))
        .collect())
}

fn story(seed: u64, lane: &str) {
    let runtime = runtime();
    let mut disk = SimDisk::new(seed);
    disk.shared().create_dir_all_synced(Path::new("/data")).unwrap();
    let dice = Dice::new(seed);
    let mut story = Story {
        truth: Truth::default(),
        dice,
        waiting: Vec::new(),
    };
    for boot in 0..4 {
        let last = boot == 3;
        if !last {
            let length = story.dice.pick(&[30, 300, 1500]);
            disk.crash_at(disk.steps() + 1 + story.dice.roll(length));
        }
        let lived = World::simulated(&disk, lane).and_then(|world| {
            runtime.block_on(async {
                story.after(&world).await?;
                if last {
                    Ok(())
                } else {
                    story.live(&world, &disk).await
                }
            })
        });
        assert!(
            disk.is_off() || lived.is_ok(),
            "seed {seed}, boot {boot}: {lived:?}"
        );
        disk = if story.dice.roll(4) == 0 {
            disk.process_death()
        } else {
            disk.restart()
        };
    }
}

/// In CI some hundred; `MAILBOX_SEEDS=FROM..TO` for more.
#[test]
fn power_cuts() {
    let range = std::env::var("MAILBOX_SEEDS").unwrap_or_else(|_| "0..150".to_owned());
    let (from, to) = range.split_once("..").unwrap();
    let (from, to): (u64, u64) = (from.parse().unwrap(), to.parse().unwrap());
    let failed = parking_lot::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for lane in 0..2 {
            let failed = &failed;
            scope.spawn(move || {
                for seed in (from..to).filter(|seed| seed % 2 == lane) {
                    if std::panic::catch_unwind(|| story(seed, &format!("cuts-{lane}"))).is_err() {
                        failed.lock().push(seed);
                    }
                }
            });
        }
    });
    assert_eq!(*failed.lock(), Vec::<u64>::new(), "seeds");
}
