//! Messages that the queue delivers again under another record: without this, what was stored and not noted by the queue, and put off then, would be in the
//! mailbox twice.

use super::*;
use crate::types::{Known, Needed};

const OWNER: OwnerId = OwnerId(7);

impl World {
    /// `again`: what the queue still has.
    async fn deliver_known(&self, message: RecordId, first: RecordId, again: &[RecordId]) -> Appended {
        let delivery = Delivery {
            message,
            target: 0,
            folder: None,
            text: Blob::Bytes(Bytes::from_static(b"Subject: x\r\n\r\n")),
            received: 1_700_000_000,
            quota_bytes: None,
        };
        let needed = Needed {
            below: u64::MAX,
            ids: again.iter().map(|id| id.0).collect(),
        };
        let needed = Arc::new(needed);
        let known = Known { first, needed };
        self.boxes.deliver_known(OWNER, delivery, known).await.unwrap()
    }

    /// The record can't be replayed any more.
    async fn trim_past(&self, record: RecordId) {
        self.journal.release(record);
        while self.boxes.trimmed() <= record.0 {
            let filler = self.accept(&[b'x'; 8000]).await.unwrap();
            self.journal.release(filler);
            let journal = self.journal.clone();
            tokio::task::spawn_blocking(move || journal.trim())
                .await
                .unwrap()
                .unwrap();
        }
    }
}

/// Keys that the mailbox remembers.
fn keys(dir: &Path) -> Vec<u64> {
    let database = database(dir, OWNER);
    let mut statement = database
        .prepare("SELECT message FROM applied ORDER BY message")
        .unwrap();
    let keys = statement.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    keys.map(|key| key.unwrap() as u64).collect()
}

#[test]
fn what_was_stored_and_put_off_is_stored_once_however_late_it_comes_again() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let message = world.accept(b"Subject: x\r\n\r\n").await.unwrap();
        let stored = world.deliver_known(message, message, &[message]).await;
        // The queue puts it off: it waits in the queue's database, and its record goes.
        world.trim_past(message).await;
        let other = world.accept(b"Subject: y\r\n\r\n").await.unwrap();
        world.deliver_known(other, other, &[message]).await;
        let again = world.accept(b"Subject: x\r\n\r\n").await.unwrap();
        let found = world.deliver_known(again, message, &[message]).await;
        assert_eq!(found.uid, stored.uid);

        // One that comes for the first time with its second record, and is put off once more: neither record is needed to know it.
        let first = world.accept(b"Subject: z\r\n\r\n").await.unwrap();
        world.trim_past(other).await;
        world.trim_past(again).await;
        world.trim_past(first).await;
        let second = world.accept(b"Subject: z\r\n\r\n").await.unwrap();
        let stored = world.deliver_known(second, first, &[first]).await;
        world.close().await;
        assert_eq!(keys(dir.path()), [first.0], "what is done is forgotten");

        let world = World::real(dir.path());
        let third = world.accept(b"Subject: z\r\n\r\n").await.unwrap();
        assert_eq!(world.deliver_known(third, first, &[first]).await.uid, stored.uid);
        world.close().await;
    });
}

/// A message that an older version had stored under the record of its try.
#[test]
fn the_record_of_the_try_is_known_as_well() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let first = world.accept(b"Subject: x\r\n\r\n").await.unwrap();
        let second = world.accept(b"Subject: x\r\n\r\n").await.unwrap();
        let stored = world.deliver_known(second, second, &[]).await;
        let found = world.deliver_known(second, first, &[]).await;
        assert_eq!(found.uid, stored.uid);
        world.close().await;
    });
}

/// A message that an administrator holds for months would make every mailbox remember all that came since, and forget it in one go that holds up everybody.
#[test]
fn one_that_is_held_lets_the_others_be_forgotten() {
    const MESSAGES: usize = 1200;
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let held = world.accept(b"Subject: x\r\n\r\n").await.unwrap();
        let stored = world.deliver_known(held, held, &[held]).await;
        let mut last = held;
        for _ in 0..MESSAGES {
            let next = world.journal.append(QUEUED, &[b"Subject: y\r\n\r\n"]).unwrap();
            world.deliver_known(next, next, &[held]).await;
            world.journal.release(std::mem::replace(&mut last, next));
        }
        world.trim_past(last).await;
        let mut left = keys(dir.path()).len();
        loop {
            let other = world.accept(b"Subject: z\r\n\r\n").await.unwrap();
            world.deliver_known(other, other, &[held]).await;
            let core = Arc::clone(&world.boxes.handle.core);
            tokio::task::spawn_blocking(move || core.settle_all())
                .await
                .unwrap()
                .unwrap();
            let now = keys(dir.path()).len();
            assert!(left <= now + 500, "{left} keys, then {now}");
            if now >= left {
                break;
            }
            left = now;
        }
        let known = keys(dir.path());
        assert!(known.len() < 20, "{} keys", known.len());
        assert_eq!(known.first(), Some(&held.0));
        let again = world.accept(b"Subject: x\r\n\r\n").await.unwrap();
        assert_eq!(world.deliver_known(again, held, &[held]).await.uid, stored.uid);
        world.close().await;
    });
}
