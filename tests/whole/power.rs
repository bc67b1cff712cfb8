//! The power is cut at any step under the rooms that keep mail, put together as the daemon does: journal, mailboxes, queue. `kill -9` loses
//! nothing of what the system caches; a power cut does.
//!
//! Afterwards every mailbox opens, and every acknowledged message is there exactly once.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use disk::SimDisk;
use disk::blob::Blob;
use events::Events;
use journal::Journal;
use mailbox::{Append, Delivery, Flags, Mailboxes, OwnerId, Uid, Want};
use queue::{Envelope, Origin, Outcome, Queue, Recipient};
use shared::Address;

use crate::Dice;

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

thread_local! {
    /// What the story of this thread did, to be read if it fails.
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn note(text: String) {
    LOG.with_borrow_mut(|log| log.push(text));
}

type Anything = Box<dyn std::error::Error>;

/// The rooms on a disk.
struct House {
    disk: SimDisk,
    journal: Journal,
    mailboxes: Mailboxes,
    queue: Queue,
}

impl House {
    /// In the order of the daemon: the queue releases records, so the mailboxes must know of them before.
    fn open(disk: &SimDisk, vfs: &str) -> Result<Self, Anything> {
        disk::vfs::register(vfs, disk.shared())?;
        let data = Path::new(DATA);
        let queue_dir = data.join("queue");
        disk.shared().create_dir_all_synced(&queue_dir)?;
        let options = journal::Options {
            segment_bytes_first: 32 * 1024,
            segment_bytes_max: 64 * 1024,
            ..journal::Options::default()
        };
        let (journal, mut replay) = Journal::open(disk.shared(), &queue_dir.join("journal"), options)?;
        let epoch = replay.epoch;
        let records: Vec<_> = replay.by_ref().collect::<Result<_, _>>()?;
        let texts = queue_dir.clone();
        note(format!(
            "open at step {} in epoch {epoch}; large texts {:?}",
            disk.steps(),
            disk.shared().read_dir(&queue_dir.join("large"))
        ));
        for record in &records {
            let (id, kind, len) = (record.id.0, record.kind.0, record.payload.len());
            let file = queue::text_of(&queue_dir, record).and_then(|text| text.path().map(Path::to_owned));
            note(format!("  record {id} of kind {kind}, {len} bytes, {file:?}"));
        }
        let options = mailbox::Options {
            open_owners_max: 1,
            log_max_bytes: 64 * 1024,
            workers: 2,
            vfs: Some(vfs.to_owned()),
            epoch,
            queued_text: Some(Arc::new(move |record| queue::text_of(&texts, record))),
            ..mailbox::Options::new(data.join("mail"))
        };
        let mailboxes = Mailboxes::open(disk.shared(), journal.clone(), &records, Events::none(), options)?;
        let options = queue::Options {
            dir: queue_dir,
            vfs: Some(vfs.to_owned()),
            memory_max_bytes: 1 << 20,
        };
        let queue = Queue::open(disk.shared(), journal.clone(), &records, Events::none(), options)?;
        Ok(Self {
            disk: disk.clone(),
            journal,
            mailboxes,
            queue,
        })
    }
}

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

struct Story {
    truth: Truth,
    dice: Dice,
}

impl Story {
    /// Does this and that until the power goes off, or for a while.
    async fn live(&mut self, house: &House) -> Result<(), Anything> {
        for _ in 0..self.dice.roll(40) + 5 {
            if house.disk.is_off() {
                break;
            }
            match self.dice.roll(10) {
                0..=4 => self.accept(house).await?,
                5 => self.append(house).await?,
                6 => self.transfer(house).await?,
                7 => self.remove(house).await?,
                8 => note(format!("trim: {:?}", house.journal.trim())),
                _ => self.deliver(house).await?,
            }
            if self.dice.roll(3) == 0 {
                self.deliver(house).await?;
            }
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

    /// What delivery does with all that is due.
    async fn deliver(&mut self, house: &House) -> Result<(), Anything> {
        while house.queue.counts().messages > 0 && !house.disk.is_off() {
            let Ok(Some(job)) = tokio::time::timeout(STUCK, house.queue.next()).await else {
                return Err("nothing is due".into());
            };
            let mut outcomes = Vec::new();
            for &index in &job.due {
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
                let delivered = house.mailboxes.deliver(owner, delivery).await;
                note(format!(
                    "deliver {:?}, {} bytes, to {owner:?}: {delivered:?}",
                    job.record,
                    job.text.len()
                ));
                delivered?;
                outcomes.push((index, Outcome::Stored));
            }
            // Now and then the message is dropped half-way and comes again.
            if self.dice.roll(8) > 0 {
                let record = job.record;
                let finished = house.queue.finish(job, outcomes).await;
                note(format!("finish {record:?}: {finished:?}"));
                finished?;
            }
        }
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

fn text(name: &str, large: bool) -> Vec<u8> {
    let mut text = format!("From: a@b.test\r\nSubject: {name}\r\n\r\n").into_bytes();
    text.resize(if large { 70_000 } else { 500 }, b'x');
    text
}

async fn names(house: &House, id: OwnerId, folder: &str) -> Result<Vec<(Uid, String)>, Anything> {
    let owner = house.mailboxes.owner(id);
    let selected = owner.select(folder, false).await?;
    let uids: Vec<Uid> = selected.uids.iter().collect();
    let want = Want {
        header: true,
        text: true,
        ..Want::default()
    };
    let mut names = Vec::new();
    let mut left = uids.as_slice();
    while !left.is_empty() {
        let fetched = owner.fetch(selected.folder.id, left, want).await?;
        let Some(last) = fetched.last().map(|message| message.row.uid) else {
            break;
        };
        if house.disk.is_off() {
            return Err("the power is off".into());
        }
        for message in &fetched {
            let header = String::from_utf8_lossy(message.header.as_deref().unwrap_or_default()).into_owned();
            let name = header
                .split("Subject: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next());
            names.push((message.row.uid, name.unwrap_or("LOST").to_owned()));
            if let Some(text) = &message.text {
                assert!(
                    text.len() == 500 || text.len() == 70_000,
                    "{name:?} has {} bytes",
                    text.len()
                );
            }
        }
        left = &left[left.partition_point(|uid| *uid <= last)..];
    }
    assert_eq!(names.len(), uids.len(), "messages of {folder} of {id:?}");
    Ok(names)
}

fn address_of(owner: OwnerId) -> Address {
    Address::parse(&format!("user{}@example.test", owner.0)).unwrap()
}

fn owner_of(address: &Address) -> OwnerId {
    OWNERS
        .into_iter()
        .find(|owner| address_of(*owner) == *address)
        .unwrap()
}

fn envelope(owners: &[OwnerId]) -> Envelope {
    let recipient = |owner: &OwnerId| Recipient {
        address: address_of(*owner),
        notify: None,
        original: None,
    };
    Envelope {
        sender: Some(Address::parse("a@b.test").unwrap()),
        recipients: owners.iter().map(recipient).collect(),
        origin: Origin::Smtp,
        user: None,
        smtputf8: false,
        eight_bit: false,
        require_tls: false,
        folder: None,
        return_full: None,
        envelope_id: None,
        session: 1,
        received: 1_700_000_000,
    }
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
    };
    let mut cuts = 0;
    for boot in 1..=BOOTS_COUNT {
        let last = boot == BOOTS_COUNT;
        if !last {
            let length = story.dice.pick(&[30, 300, 1500]);
            disk.crash_at(disk.steps() + 1 + story.dice.roll(length));
        }
        let lived = House::open(&disk, vfs).and_then(|house| {
            let lived = runtime.block_on(async {
                story.after(&house).await?;
                if last { Ok(()) } else { story.live(&house).await }
            });
            runtime.block_on(house.queue.close());
            lived
        });
        assert!(
            disk.is_off() || lived.is_ok(),
            "seed {seed}, boot {boot}: {lived:?}"
        );
        cuts += u32::from(disk.is_off());
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
