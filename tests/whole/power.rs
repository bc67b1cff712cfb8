//! The power is cut at any step under the rooms that keep mail, put together as the daemon does: journal, mailboxes, queue. `kill -9` loses
//! nothing of what the system caches; a power cut does.
//!
//! Some messages wait meanwhile and come due, some cause others; now and then a sync fails or the disk is full for a while.
//!
//! Afterwards every mailbox opens, and every acknowledged message is there exactly once.

mod house;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use disk::SimDisk;
use disk::blob::Blob;
use mailbox::{Append, Delivery, Flags, Known, Needed, OwnerId, Uid};
use queue::{Job, Outcome};

use crate::Dice;
use house::{House, envelope, names, owner_of, text};

/// Seeds of one run; of a long one.
const SEEDS_COUNT: u64 = 1000;
/// Stories told at once: they wait more than they reckon.
const LANES_COUNT: u64 = 12;
const SEEDS_LONG_COUNT: u64 = 1_000_000;
/// Lives of one disk; the last one ends well.
const BOOTS_COUNT: u32 = 4;
const OWNERS: [OwnerId; 2] = [OwnerId(1), OwnerId(2)];
const DATA: &str = "/data";
/// Ends a story that would hang; says nothing about speed.
const STUCK: Duration = Duration::from_mins(2);
/// Who waits for a message looks that often whether the power is off.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Messages dropped while all are delivered.
const DROPS_MAX: u32 = 3;
/// Seconds until what is put off would come by itself; no story lasts so long.
const LATER_S: i64 = 100_000;
/// What the journal says until it has looked again.
const NO_ROOM_YET: &str = "no space is left for the journal";
/// What a message has that has caused its copy.
const COPIED: &str = "copied";

thread_local! {
    /// What the story of this thread did, to be read if it fails.
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn note(text: String) {
    LOG.with_borrow_mut(|log| log.push(text));
}

type Anything = Box<dyn std::error::Error>;

/// How often a message may be in one mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    least: u32,
    most: u32,
}

const ONE: Count = Count { least: 1, most: 1 };

/// What the outside world was told.
#[derive(Default)]
struct Truth {
    counts: BTreeMap<(OwnerId, String), Count>,
    /// What a UID meant: owner, folder, validity, UID.
    uids: HashMap<(OwnerId, i64, u32, Uid), String>,
    made: u64,
}

impl Truth {
    fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}-{}", self.made)
    }

    fn saw(&mut self, owner: OwnerId, folder: i64, validity: u32, uid: Uid, name: &str) {
        let known = self
            .uids
            .entry((owner, folder, validity, uid))
            .or_insert_with(|| name.to_owned());
        assert_eq!(
            known, name,
            "UID {uid} of folder {folder} of {owner:?} was given twice"
        );
    }
}

/// What goes wrong beside the power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    /// A sync fails, or has: everything must be opened anew.
    Sync,
    /// The disk is full: it goes on when there is room.
    Full,
    /// There is room again, which the journal finds out by itself after a while.
    WasFull,
}

struct Story {
    truth: Truth,
    dice: Dice,
    trouble: Trouble,
}

impl Story {
    /// Does this and that until the power goes off, or for a while.
    async fn live(&mut self, house: &House) -> Result<(), Anything> {
        for _ in 0..self.dice.roll(40) + 5 {
            if house.disk.is_off() {
                break;
            }
            if self.dice.roll(40) == 0 && self.trouble == Trouble::None {
                self.begin_trouble(house);
            }
            match self.act(house).await {
                Err(error) if self.trouble == Trouble::Full && !house.disk.is_off() => {
                    note(format!("there is room again after {error}"));
                    house.disk.set_full(u64::MAX);
                    self.trouble = Trouble::WasFull;
                }
                Err(error) if self.trouble == Trouble::WasFull && error.to_string().contains(NO_ROOM_YET) => {
                }
                acted => acted?,
            }
        }
        Ok(())
    }

    fn begin_trouble(&mut self, house: &House) {
        self.trouble = self.dice.pick(&[Trouble::Full, Trouble::Sync]);
        note(format!("trouble: {:?}", self.trouble));
        match self.trouble {
            Trouble::Sync => house.disk.fail_next_sync(),
            _ => house.disk.set_full(0),
        }
    }

    async fn act(&mut self, house: &House) -> Result<(), Anything> {
        match self.dice.roll(12) {
            0..=4 => self.accept(house).await?,
            5 => self.append(house).await?,
            6 => self.transfer(house).await?,
            7 => self.remove(house).await?,
            8 => note(format!("trim: {:?}", house.journal.trim())),
            9..=10 => self.put_off(house).await?,
            _ => self.deliver(house).await?,
        }
        if self.dice.roll(3) == 0 {
            self.deliver(house).await?;
        }
        Ok(())
    }

    /// What SMTP does: the message counts as promised once `commit` has returned.
    async fn accept(&mut self, house: &House) -> Result<(), Anything> {
        let name = self.truth.name("queued");
        let both = self.dice.roll(2) == 0;
        let owners = if both { &OWNERS[..] } else { &OWNERS[..1] };
        for owner in owners {
            self.truth
                .counts
                .insert((*owner, name.clone()), Count { least: 0, most: 1 });
        }
        let large = self.dice.roll(5) == 0;
        let mut intake = house.queue.intake();
        intake.write(&text(&name, large)).await?;
        let blob = intake.finish().await?;
        let _committed = house.queue.commit(envelope(owners), blob).await?;
        for owner in owners {
            self.truth.counts.insert((*owner, name.clone()), ONE);
        }
        Ok(())
    }

    /// What delivery does with all that is there: time has passed, and what waited is due.
    async fn deliver(&mut self, house: &House) -> Result<(), Anything> {
        let retried = house.queue.retry(&[]).await;
        note(format!("retry: {retried:?}"));
        retried?;
        let mut drops = 0;
        loop {
            let job = next(house).await?;
            let Some(mut job) = job else { break };
            if self.dice.roll(6) == 0 {
                self.copy(house, &mut job).await?;
            }
            let mut outcomes = Vec::new();
            for index in job.due.clone() {
                outcomes.push(store(house, &job, index).await?);
            }
            // Now and then the message is dropped half-way and comes again; after a while, the longer the oftener it was dropped.
            if drops < DROPS_MAX && self.dice.roll(8) == 0 {
                drops += 1;
            } else {
                finish(house, job, outcomes).await?;
            }
        }
        Ok(())
    }

    /// A message comes, and some recipients of whichever is due first are put off.
    async fn put_off(&mut self, house: &House) -> Result<(), Anything> {
        self.accept(house).await?;
        let Some(mut job) = next(house).await? else {
            return Ok(());
        };
        if self.dice.roll(3) == 0 {
            self.copy(house, &mut job).await?;
        }
        let mut outcomes = Vec::new();
        for index in job.due.clone() {
            outcomes.push(if self.dice.roll(3) == 0 {
                store(house, &job, index).await?
            } else {
                let reply = "451 4.3.0 later".to_owned();
                let at = Some(job.envelope.received.max(now()) + LATER_S);
                (index, Outcome::PutOff { reply, at })
            });
        }
        finish(house, job, outcomes).await
    }

    /// A message causes another one, once, whatever happens.
    async fn copy(&mut self, house: &House, job: &mut Job) -> Result<(), Anything> {
        let header = job.text.read_range(&house.disk, 0, 200)?;
        let name = subject(&header).unwrap_or("LOST").to_owned();
        if job.has_mark(COPIED) || !name.starts_with("queued") {
            return Ok(());
        }
        let (owner, name) = (OWNERS[1], format!("copy-of-{name}"));
        let counts = &mut self.truth.counts;
        counts.insert((owner, name.clone()), Count { least: 0, most: 1 });
        let blob = Blob::Bytes(Bytes::from(text(&name, false)));
        let marks = [COPIED.to_owned()];
        let committed = house
            .queue
            .commit_from(job, &marks, envelope(&[owner]), blob)
            .await;
        note(format!("copy {name}: {committed:?}"));
        let _committed = committed?;
        self.truth.counts.insert((owner, name), ONE);
        Ok(())
    }

    async fn append(&mut self, house: &House) -> Result<(), Anything> {
        let name = self.truth.name("appended");
        let id = self.dice.pick(&OWNERS);
        let owner = house.mailboxes.owner(id);
        let folder = owner.folder("INBOX").await?;
        self.truth
            .counts
            .insert((id, name.clone()), Count { least: 0, most: 1 });
        let large = self.dice.roll(5) == 0;
        let message = Append {
            text: Blob::Bytes(Bytes::from(text(&name, large))),
            flags: Flags::NONE,
            keywords: Vec::new(),
            received: (1_700_000_000, 0),
            quota_bytes: None,
        };
        let appended = owner.append(folder.id, vec![message]).await;
        note(format!("append {name} to {id:?}, large: {large}: {appended:?}"));
        let appended = appended?;
        self.truth.counts.insert((id, name.clone()), ONE);
        for appended in appended {
            self.truth
                .saw(id, appended.folder.0, appended.uid_validity, appended.uid, &name);
        }
        Ok(())
    }

    /// A MOVE changes no count, whatever happens.
    async fn transfer(&mut self, house: &House) -> Result<(), Anything> {
        let id = self.dice.pick(&OWNERS);
        let owner = house.mailboxes.owner(id);
        let folder = owner.folder("INBOX").await?;
        let target = owner.folder("Archive").await?;
        let chosen = self.some(house, id).await?;
        let uids: Vec<Uid> = chosen.iter().map(|(uid, _)| *uid).collect();
        let moved = owner.move_to(folder.id, &uids, &owner, target.id).await;
        note(format!("move {chosen:?} of {id:?}: {moved:?}"));
        let moved = moved?;
        for ((_, name), uid) in chosen.iter().zip(moved.target) {
            self.truth.saw(id, target.id.0, moved.uid_validity, uid, name);
        }
        Ok(())
    }

    async fn remove(&mut self, house: &House) -> Result<(), Anything> {
        let id = self.dice.pick(&OWNERS);
        let owner = house.mailboxes.owner(id);
        let folder = owner.folder("INBOX").await?;
        let chosen = self.some(house, id).await?;
        for (_, name) in &chosen {
            self.truth
                .counts
                .insert((id, name.clone()), Count { least: 0, most: 1 });
        }
        let uids: Vec<Uid> = chosen.iter().map(|(uid, _)| *uid).collect();
        let removed = owner.remove_messages(folder.id, &uids).await;
        note(format!("remove {chosen:?} of {id:?}: {removed:?}"));
        removed?;
        for (_, name) in chosen {
            // A message on its way to be delivered a second time is known by its key and does not come back.
            self.truth.counts.insert((id, name), Count { least: 0, most: 0 });
        }
        Ok(())
    }

    /// Some messages of an owner's INBOX.
    async fn some(&mut self, house: &House, id: OwnerId) -> Result<Vec<(Uid, String)>, Anything> {
        let all = names(house, id, "INBOX").await?;
        Ok(all
            .into_iter()
            .filter(|_| self.dice.roll(3) == 0)
            .take(4)
            .collect())
    }

    /// After a start: what the queue had is delivered, and everything is counted.
    async fn after(&mut self, house: &House) -> Result<(), Anything> {
        self.deliver(house).await?;
        let mut found: BTreeMap<(OwnerId, String), u32> = BTreeMap::new();
        for id in OWNERS {
            let owner = house.mailboxes.owner(id);
            for folder in owner.folders().await?.iter() {
                for (uid, name) in names(house, id, &folder.name).await? {
                    self.truth.saw(id, folder.id.0, folder.uid_validity, uid, &name);
                    *found.entry((id, name)).or_default() += 1;
                }
            }
            assert_eq!(owner.check(false).await?.problems, [], "{id:?}");
        }
        if house.disk.is_off() {
            return Ok(());
        }
        for (key, count) in &mut self.truth.counts {
            let there = found.remove(key).unwrap_or(0);
            assert!(
                (count.least..=count.most).contains(&there),
                "{key:?} is there {there} times, not {count:?}"
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

/// The next message that is due; `None`: there is none, or the power is off.
async fn next(house: &House) -> Result<Option<Job>, Anything> {
    let began = Instant::now();
    while house.queue.counts().messages > 0 && !house.disk.is_off() {
        tokio::select! {
            biased;
            job = tokio::time::timeout(LOOK_AGAIN, house.queue.next()) => if let Ok(job) = job {
                return Ok(job);
            },
            cause = house.until_failed() => return Err(cause.into()),
        }
        if began.elapsed() > STUCK {
            return Err("nothing is due".into());
        }
    }
    Ok(None)
}

/// Puts a message into the mailbox of a recipient.
async fn store(house: &House, job: &Job, index: u32) -> Result<(u32, Outcome), Anything> {
    let recipient = &job.envelope.recipients[index as usize];
    let owner = owner_of(&recipient.address);
    let delivery = Delivery {
        message: job.record,
        target: index,
        folder: None,
        text: job.text.clone(),
        received: job.envelope.received,
        quota_bytes: None,
    };
    let trimmed = house.mailboxes.trimmed();
    let again = house.queue.again();
    let known = Known {
        first: job.first_record(),
        needed: Arc::new(Needed {
            below: trimmed.min(again.below),
            ids: again.ids,
        }),
    };
    let delivered = house.mailboxes.deliver_known(owner, delivery, known).await;
    note(format!(
        "deliver {:?} of {:?}, {} bytes, to {owner:?}: {delivered:?}",
        job.record,
        job.id,
        job.text.len()
    ));
    delivered?;
    Ok((index, Outcome::Stored))
}

async fn finish(house: &House, job: Job, outcomes: Vec<(u32, Outcome)>) -> Result<(), Anything> {
    let (record, told) = (job.record, format!("{outcomes:?}"));
    let finished = house.queue.finish(job, outcomes).await;
    note(format!("finish {record:?} with {told}: {finished:?}"));
    Ok(finished?)
}

fn subject(header: &[u8]) -> Option<&str> {
    let rest = std::str::from_utf8(header).ok()?.split("Subject: ").nth(1)?;
    rest.split("\r\n").next()
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}

/// One disk's story. Gives how often the power went off.
fn story(seed: u64, vfs: &str) -> u32 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LOG.with_borrow_mut(Vec::clear);
    let mut disk = SimDisk::new(seed);
    disk.shared().create_dir_all_synced(Path::new(DATA)).unwrap();
    let mut story = Story {
        truth: Truth::default(),
        dice: Dice::new(seed),
        trouble: Trouble::None,
    };
    let mut cuts = 0;
    for boot in 1..=BOOTS_COUNT {
        let last = boot == BOOTS_COUNT;
        if !last {
            let length = story.dice.pick(&[30, 300, 1500]);
            disk.crash_at(disk.steps() + 1 + story.dice.roll(length));
        }
        story.trouble = Trouble::None;
        // What of a life before has not ended yet must not meet the disk of this one.
        let vfs = format!("{vfs}-{boot}");
        let lived = House::open(&disk, &vfs).and_then(|house| {
            let lived = runtime.block_on(async {
                story.after(&house).await?;
                if last { Ok(()) } else { story.live(&house).await }
            });
            runtime.block_on(async {
                house.queue.close().await;
                house.mailboxes.close().await;
            });
            lived
        });
        assert!(
            disk.is_off() || lived.is_ok() || story.trouble == Trouble::Sync,
            "seed {seed}, boot {boot}: {lived:?}"
        );
        cuts += u32::from(disk.is_off());
        disk.set_full(u64::MAX);
        note(format!(
            "boot {boot} ends with {lived:?}, the power is off: {}",
            disk.is_off()
        ));
        disk = if story.dice.roll(4) == 0 {
            disk.process_death()
        } else {
            disk.restart()
        };
    }
    cuts
}

/// `BATPOST_SEEDS=FROM..TO` for others.
#[test]
fn power_cuts_lose_and_repeat_nothing() {
    let seeds = std::env::var("BATPOST_SEEDS").ok().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    let count = if crate::long() {
        SEEDS_LONG_COUNT
    } else {
        SEEDS_COUNT
    };
    let seeds = seeds.unwrap_or(0..count);
    let failed: Vec<u64> = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES_COUNT)
            .map(|lane| {
                let seeds = seeds.clone();
                scope.spawn(move || {
                    let vfs = format!("whole-{lane}");
                    let mut cuts = 0;
                    let mut failed = Vec::new();
                    for seed in seeds.filter(|seed| seed % LANES_COUNT == lane) {
                        match catch_unwind(AssertUnwindSafe(|| story(seed, &vfs))) {
                            Ok(more) => cuts += more,
                            Err(_) => {
                                LOG.with_borrow(|log| println!("seed {seed}:\n{}", log.join("\n")));
                                failed.push(seed);
                            }
                        }
                    }
                    println!("lane {lane}: the power was cut {cuts} times");
                    failed
                })
            })
            .collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "seeds {failed:?}");
}
