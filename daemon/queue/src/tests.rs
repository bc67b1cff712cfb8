//! What senders and administrators would lose if the queue forgot or repeated something.

mod counts;
mod ending;
mod list;
mod power;
mod trouble;
mod work;

use std::path::Path;

use disk::blob::Blob;
use disk::{RealDisk, SharedDisk};
use events::Events;
use journal::Journal;
use shared::Address;

use crate::{Envelope, Job, Options, Origin, Outcome, Queue, Recipient};

/// A queue on a disk, with its journal.
struct House {
    queue: Queue,
    journal: Journal,
}

impl House {
    fn real(dir: &Path) -> Self {
        Self::try_open(RealDisk::shared(), dir, None).unwrap()
    }

    fn try_open(disk: SharedDisk, dir: &Path, vfs: Option<String>) -> Result<Self, String> {
        Self::with_memory(disk, dir, vfs, 1 << 20)
    }

    fn with_memory(disk: SharedDisk, dir: &Path, vfs: Option<String>, memory: usize) -> Result<Self, String> {
        let dir = dir.join("queue");
        disk.create_dir_all_synced(&dir)
            .map_err(|error| error.to_string())?;
        let options = journal::Options {
            segment_bytes_first: 64 << 10,
            segment_bytes_max: 64 << 10,
            ..journal::Options::default()
        };
        let (journal, replay) =
            Journal::open(disk.clone(), &dir.join("journal"), options).map_err(|error| error.to_string())?;
        let records: Result<Vec<_>, _> = replay.collect();
        let records = records.map_err(|error| error.to_string())?;
        let options = Options {
            dir,
            vfs,
            memory_max_bytes: memory,
        };
        let queue = Queue::open(disk, journal.clone(), &records, Events::none(), options)
            .map_err(|error| error.to_string())?;
        Ok(Self { queue, journal })
    }

    /// What a killed process leaves: nothing is closed but the lock is given back.
    async fn kill(self) {
        self.queue.close().await;
        drop(self);
    }

    async fn commit(&self, recipients: &[&str], text: &str) -> u64 {
        self.queue
            .commit(envelope(recipients), Blob::Bytes(text.to_owned().into()))
            .await
            .unwrap()
            .id()
            .0
    }

    async fn next(&self) -> Job {
        self.queue.next().await.unwrap()
    }
}

fn envelope(recipients: &[&str]) -> Envelope {
    let recipient = |address: &&str| Recipient {
        address: Address::parse(address).unwrap(),
        notify: None,
        original: None,
    };
    Envelope {
        sender: Some(Address::parse("ann@example.test").unwrap()),
        recipients: recipients.iter().map(recipient).collect(),
        origin: Origin::Smtp,
        user: None,
        smtputf8: false,
        eight_bit: false,
        require_tls: false,
        folder: None,
        return_full: None,
        envelope_id: None,
        session: 1,
        received: crate::now(),
    }
}

fn stored(job: &Job) -> Vec<(u32, Outcome)> {
    job.due.iter().map(|index| (*index, Outcome::Stored)).collect()
}

fn put_off(index: u32, at: i64) -> (u32, Outcome) {
    (
        index,
        Outcome::PutOff {
            reply: "451 4.3.0 later".to_owned(),
            at: Some(at),
        },
    )
}
