//! The whole room on the machine's disk and on the simulated one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cuts;
mod damage;
mod feed;
mod index;
mod items;
mod known;
mod linger;
mod model;
mod order;
mod portions;
mod search;
mod sessions;
mod settings;
mod shares;
mod transfers;
mod uids;
mod upgrade;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use disk::blob::Blob;
use disk::{RealDisk, SharedDisk, SimDisk};
use events::Events;
use journal::{Journal, Kind, Record, RecordId};
use shared::Rights;
use tokio::runtime::Runtime;

use crate::*;

/// The queue's kind of record; here the payload is the text.
pub(crate) const QUEUED: Kind = Kind(2);
pub(crate) const ALICE: OwnerId = OwnerId(0x1234);
pub(crate) const BOB: OwnerId = OwnerId(0x34);

/// A journal and the mailboxes on it.
pub(crate) struct World {
    pub(crate) journal: Journal,
    pub(crate) boxes: Mailboxes,
    /// What the queue would take up.
    pub(crate) queued: Vec<Record>,
    pub(crate) clean: bool,
    pub(crate) disk: SharedDisk,
}

/// The database of an owner on the machine's disk, past the room.
pub(crate) fn database(dir: &Path, owner: OwnerId) -> rusqlite::Connection {
    let id = owner.0;
    let path = dir.join(format!("mail/{:02x}/{id:x}/mail.db", id & 0xff));
    rusqlite::Connection::open(path).unwrap()
}

/// Segments so small that some records fill one.
fn journal_options() -> journal::Options {
    journal::Options {
        segment_bytes_first: 16 * 1024,
        segment_bytes_max: 64 * 1024,
        spare_segments_max: 2,
        ..journal::Options::default()
    }
}

impl World {
    pub(crate) fn open(disk: SharedDisk, dir: &Path, vfs: Option<&str>) -> Result<World> {
        let (journal, mut replay) = Journal::open(Arc::clone(&disk), &dir.join("queue"), journal_options())?;
        let (clean, epoch) = (replay.clean, replay.epoch);
        let records: Vec<Record> = replay.by_ref().collect::<std::result::Result<_, _>>()?;
        let options = Options {
            open_owners_max: 1,
            log_max_bytes: 64 * 1024,
            workers: 2,
            vfs: vfs.map(str::to_owned),
            epoch,
            queued_text: Some(Arc::new(|record| {
                (record.kind == QUEUED).then(|| Blob::Bytes(record.payload.clone()))
            })),
            ..Options::new(dir.join("mail"))
        };
        let boxes = Mailboxes::open(
            Arc::clone(&disk),
            journal.clone(),
            &records,
            Events::none(),
            options,
        )?;
        let queued = records
            .into_iter()
            .filter(|record| record.kind == QUEUED)
            .collect();
        Ok(World {
            journal,
            boxes,
            queued,
            clean,
            disk,
        })
    }

    /// On the machine's disk.
    pub(crate) fn real(dir: &Path) -> World {
        World::open(Arc::new(RealDisk::new()), dir, None).unwrap()
    }

    /// On a simulated one, which SQLite knows by `vfs`.
    pub(crate) fn simulated(disk: &SimDisk, vfs: &str) -> Result<World> {
        disk::vfs::register(vfs, disk.shared())?;
        World::open(disk.shared(), Path::new("/data"), Some(vfs))
    }

    pub(crate) async fn close(self) {
        self.boxes.close().await;
        self.journal.close().unwrap();
    }

    /// What the queue does with an accepted message.
    pub(crate) async fn accept(&self, text: &[u8]) -> Result<RecordId> {
        Ok(self.journal.commit(QUEUED, &[text]).await?.id())
    }

    pub(crate) async fn deliver(
        &self,
        owner: OwnerId,
        message: RecordId,
        target: u32,
        text: &[u8],
    ) -> Result<Appended> {
        let text = Blob::Bytes(Bytes::copy_from_slice(text));
        let delivery = Delivery {
            message,
            target,
            folder: None,
            text,
            received: 1_700_000_000,
            quota_bytes: None,
        };
        self.boxes.deliver(owner, delivery).await
    }
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A message that is told from others by its subject.
pub(crate) fn message(subject: &str) -> Vec<u8> {
    format!("From: Ada <ada@example.test>\r\nTo: bob@example.test\r\nSubject: {subject}\r\nDate: Wed, 17 Jul 1996 02:23:25 -0700\r\n\r\nHello {subject}\r\n")
        .into_bytes()
}

pub(crate) fn append(subject: &str) -> Append {
    Append {
        text: Blob::Bytes(Bytes::from(message(subject))),
        flags: Flags::NONE,
        keywords: Vec::new(),
        received: (1_700_000_000, 60),
        quota_bytes: None,
    }
}

pub(crate) fn change(action: FlagAction, flags: Flags, keywords: &[&str]) -> FlagChange {
    let keywords = keywords.iter().map(|keyword| (*keyword).to_owned()).collect();
    FlagChange {
        action,
        flags,
        keywords,
        unchanged_since: None,
        within: FlagChange::ALL,
    }
}

/// The rows of a folder that changed after a MODSEQ.
pub(crate) async fn rows(owner: &Owner, folder: FolderId, since: ModSeq) -> Vec<Row> {
    let (rows, next) = owner.rows(folder, vec![(0, Uid::MAX)], since).await.unwrap();
    assert_eq!(next, None);
    rows
}

/// The UIDs that went from a folder after a MODSEQ.
pub(crate) async fn gone(owner: &Owner, folder: FolderId, since: ModSeq) -> Vec<Uid> {
    let ranges = owner.expunged(folder, since).await.unwrap();
    ranges
        .unwrap()
        .into_iter()
        .flat_map(|(first, last)| first..=last)
        .collect()
}

/// The texts of a folder with their UIDs.
pub(crate) async fn texts(owner: &Owner, folder: &str) -> Result<Vec<(Uid, String)>> {
    let selected = owner.select(folder, false).await?;
    let uids: Vec<Uid> = selected.uids.iter().collect();
    let mut found = Vec::new();
    let mut rest = uids.as_slice();
    while !rest.is_empty() {
        let portion = owner
            .fetch(
                selected.folder.id,
                rest,
                Want {
                    text: true,
                    ..Want::default()
                },
            )
            .await?;
        let Some(last) = portion.last().map(|message| message.row.uid) else {
            break;
        };
        for message in portion {
            let text = match message.text {
                Some(Blob::Bytes(bytes)) => bytes,
                Some(Blob::File(file)) => Bytes::from(owner.handle.core.disk.read(&file.path)?),
                None => Bytes::from_static(b"LOST"),
            };
            found.push((message.row.uid, String::from_utf8_lossy(&text).into_owned()));
        }
        rest = &rest[rest.partition_point(|uid| *uid <= last)..];
    }
    Ok(found)
}
