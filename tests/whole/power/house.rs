//! The rooms that keep mail, put together as the daemon does, on a simulated disk.

use std::path::Path;
use std::sync::Arc;

use disk::SimDisk;
use events::Events;
use journal::Journal;
use mailbox::{Mailboxes, OwnerId, Uid, Want};
use queue::{Envelope, Origin, Queue, Recipient};
use shared::Address;

use super::{Anything, DATA, OWNERS, note};

/// The rooms on a disk.
pub(super) struct House {
    pub(super) disk: SimDisk,
    pub(super) journal: Journal,
    pub(super) mailboxes: Mailboxes,
    pub(super) queue: Queue,
}

impl House {
    /// In the order of the daemon: the queue releases records, so the mailboxes must know of them before.
    pub(super) fn open(disk: &SimDisk, vfs: &str) -> Result<Self, Anything> {
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

    /// As the daemon does: then everything is opened anew.
    pub(super) async fn until_failed(&self) -> String {
        tokio::select! {
            cause = self.journal.until_failed() => cause.to_string(),
            cause = self.mailboxes.until_failed() => cause,
            cause = self.queue.until_failed() => cause,
        }
    }
}

pub(super) fn text(name: &str, large: bool) -> Vec<u8> {
    let mut text = format!("From: a@b.test\r\nSubject: {name}\r\n\r\n").into_bytes();
    text.resize(if large { 70_000 } else { 500 }, b'x');
    text
}

pub(super) async fn names(house: &House, id: OwnerId, folder: &str) -> Result<Vec<(Uid, String)>, Anything> {
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
                    "{name:?}, UID {} of {folder} of {id:?}, has {} bytes",
                    message.row.uid,
                    text.len()
                );
            }
        }
        left = &left[left.partition_point(|uid| *uid <= last)..];
    }
    assert_eq!(names.len(), uids.len(), "messages of {folder} of {id:?}");
    Ok(names)
}

pub(super) fn address_of(owner: OwnerId) -> Address {
    Address::parse(&format!("user{}@example.test", owner.0)).unwrap()
}

pub(super) fn owner_of(address: &Address) -> OwnerId {
    OWNERS
        .into_iter()
        .find(|owner| address_of(*owner) == *address)
        .unwrap()
}

pub(super) fn envelope(owners: &[OwnerId]) -> Envelope {
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
