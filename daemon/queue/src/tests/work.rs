use std::pin::pin;
use std::task::{Context, Waker};

use disk::RealDisk;
use disk::blob::Blob;
use events::MessageId;
use shared::protocol::Page;

use super::*;
use crate::{QueueError, Schedule};

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_in_the_order_they_were_committed() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let first = house.commit(&["bob@example.test"], "one").await;
    let second = house.commit(&["bob@example.test", "cy@remote.test"], "two").await;
    let (a, b) = (house.next().await, house.next().await);
    assert_eq!((a.id.0, b.id.0), (first, second));
    assert_eq!(b.due, [0, 1]);
    let outcomes = stored(&a);
    house.queue.finish(a, outcomes).await.unwrap();
    assert_eq!(house.queue.counts().messages, 1);
    assert_eq!(house.queue.counts().delivered_total, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_job_is_due_again_and_a_finished_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let id = house.commit(&["bob@example.test"], "text").await;
    drop(house.next().await);
    let job = house.next().await;
    assert_eq!(job.id.0, id);
    let outcomes = stored(&job);
    house.queue.finish(job, outcomes).await.unwrap();
    assert!(house.queue.inner.take().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_what_was_committed_is_due_and_what_was_done_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let done = house.commit(&["bob@example.test"], "done").await;
    let open = house.commit(&["bob@example.test"], "open").await;
    let job = house.next().await;
    assert_eq!(job.id.0, done);
    let delivered = vec![(
        0,
        Outcome::Delivered {
            reply: "250 ok".to_owned(),
        },
    )];
    house.queue.finish(job, delivered).await.unwrap();
    let lost = house.next().await;
    house.kill().await;
    drop(lost);

    let house = House::real(dir.path());
    let job = house.next().await;
    assert_eq!(job.id.0, open);
    assert_eq!(job.text.read_range(&RealDisk::new(), 0, 100).unwrap(), "open");
    assert!(house.queue.inner.take().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_that_a_remote_host_took_is_not_tried_again_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let id = house.commit(&["a@remote.test", "b@other.test"], "text").await;
    let mut job = house.next().await;
    house
        .queue
        .progress(
            &mut job,
            &[(
                0,
                Outcome::Delivered {
                    reply: "250 ok".to_owned(),
                },
            )],
        )
        .await
        .unwrap();
    assert_eq!(job.due, [1]);
    let lost = job;
    house.kill().await;
    drop(lost);

    let house = House::real(dir.path());
    let job = house.next().await;
    assert_eq!((job.id.0, job.due.as_slice()), (id, [1].as_slice()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_off_survives_in_the_database_and_comes_back_under_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let id = house.commit(&["a@remote.test", "b@remote.test"], "text").await;
    let job = house.next().await;
    let record = job.record;
    let far = crate::now() + 100_000;
    let outcomes = vec![
        (
            0,
            Outcome::Delivered {
                reply: "250 ok".to_owned(),
            },
        ),
        put_off(1, far),
    ];
    house.queue.finish(job, outcomes).await.unwrap();
    assert!(
        house.queue.inner.state.lock().messages.is_empty(),
        "it costs no memory"
    );
    house.kill().await;

    let house = House::real(dir.path());
    assert!(house.queue.inner.take().is_none(), "its time has not come");
    let shown = house.queue.show(MessageId(id)).await.unwrap();
    assert_eq!(shown.row.next_try, Some(far));
    assert_eq!(shown.row.last_reply, "451 4.3.0 later");
    assert_eq!(shown.states[0].state, "delivered");
    assert_eq!(shown.states[1].state, "waiting");
    assert_eq!(house.queue.retry(&[]).await.unwrap(), 1);
    let job = house.next().await;
    assert_eq!(
        (job.id.0, job.due.as_slice(), job.attempts),
        (id, [1].as_slice(), 1)
    );
    assert!(job.record > record, "a new record");
    let outcomes = stored(&job);
    house.queue.finish(job, outcomes).await.unwrap();
    assert_eq!(house.queue.counts().messages, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_is_due_comes_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let id = house.commit(&["a@remote.test"], "text").await;
    let job = house.next().await;
    house
        .queue
        .finish(job, vec![put_off(0, crate::now())])
        .await
        .unwrap();
    assert_eq!(house.next().await.id.0, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_message_caused_is_not_caused_twice() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let id = house.commit(&["a@remote.test"], "text").await;
    let mut job = house.next().await;
    let marks = ["bounce 0".to_owned()];
    let text = Blob::Bytes("bounce".into());
    let caused = house
        .queue
        .commit_from(&mut job, &marks, envelope(&["ann@example.test"]), text)
        .await
        .unwrap()
        .id()
        .0;
    let lost = job;
    house.kill().await;
    drop(lost);

    let house = House::real(dir.path());
    let (first, second) = (house.next().await, house.next().await);
    assert_eq!((first.id.0, second.id.0), (id, caused));
    assert!(first.has_mark("bounce 0"));
    assert!(!second.has_mark("bounce 0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_texts_lie_in_files_that_go_with_the_last_that_needs_them() {
    let dir = tempfile::tempdir().unwrap();
    let large = dir.path().join("queue/large");
    let files = || std::fs::read_dir(&large).unwrap().count();
    let house = House::real(dir.path());
    house.commit(&["bob@example.test"], "older").await;
    let mut intake = house.queue.intake();
    let line = "0123456789abcdef".repeat(4096);
    for _ in 0..10 {
        intake.write(line.as_bytes()).await.unwrap();
    }
    let text = intake.finish().await.unwrap();
    assert_eq!(text.len(), 10 * line.len() as u64);
    let _committed = house
        .queue
        .commit(envelope(&["bob@example.test"]), text)
        .await
        .unwrap();
    let mut given_up = house.queue.intake();
    given_up.write(&vec![b'x'; 600_000]).await.unwrap();
    drop(given_up);
    let orphan = large.join("feed");
    std::fs::write(&orphan, "nobody names it").unwrap();
    house.kill().await;

    let house = House::real(dir.path());
    assert_eq!(files(), 1, "only what a message names");
    // What is older and not done holds the journal.
    let older = house.next().await;
    let job = house.next().await;
    let end = job
        .text
        .read_range(&RealDisk::new(), 10 * line.len() as u64 - 4, 100)
        .unwrap();
    assert_eq!(end, "cdef");
    let outcomes = stored(&job);
    house.queue.finish(job, outcomes).await.unwrap();
    assert_eq!(files(), 1, "a replay may still need it");
    let outcomes = stored(&older);
    house.queue.finish(older, outcomes).await.unwrap();
    let journal = house.journal.clone();
    // The journal trims whole segments: the message's record must lie in one that is full.
    for _ in 0..40 {
        house.commit(&["bob@example.test"], &"x".repeat(8000)).await;
        let job = house.next().await;
        let outcomes = stored(&job);
        house.queue.finish(job, outcomes).await.unwrap();
    }
    tokio::task::spawn_blocking(move || journal.trim())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(files(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_beyond_the_memory_limit_are_read_back_from_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    for number in 0..20 {
        house
            .commit(&["bob@example.test"], &format!("{number} {}", "x".repeat(10_000)))
            .await;
    }
    house.kill().await;
    let house = House::with_memory(RealDisk::shared(), dir.path(), None, 32 << 10).unwrap();
    for number in 0..20 {
        let job = house.next().await;
        let text = job.text.read_range(&RealDisk::new(), 0, 100_000).unwrap();
        assert!(text.starts_with(format!("{number} ").as_bytes()));
        let outcomes = stored(&job);
        house.queue.finish(job, outcomes).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_see_hold_release_and_remove() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(MessageId(
            house
                .commit(&[&format!("user{number}@remote.test")], "text")
                .await,
        ));
    }
    for _ in 0..3 {
        let job = house.next().await;
        house
            .queue
            .finish(job, vec![put_off(0, crate::now() + 1000)])
            .await
            .unwrap();
    }
    let page = |filter: &str, offset, descending| Page {
        filter: filter.to_owned(),
        offset,
        limit: 2,
        descending,
        ..Page::default()
    };
    for (filter, offset, descending, total, expected) in [
        ("", 0, false, 6, vec![0, 1]),
        ("", 2, false, 6, vec![2, 3]),
        ("", 4, false, 6, vec![4, 5]),
        ("", 1, true, 6, vec![4, 3]),
        ("USER4@", 0, false, 1, vec![4]),
        ("user1@", 0, false, 1, vec![1]),
        ("nobody", 0, false, 0, vec![]),
    ] {
        let rows = house.queue.list(page(filter, offset, descending)).await.unwrap();
        let expected: Vec<String> = expected
            .into_iter()
            .map(|index: usize| ids[index].to_string())
            .collect();
        let shown: Vec<String> = rows.rows.into_iter().map(|row| row.id).collect();
        assert_eq!(
            (rows.total, shown),
            (total, expected),
            "{filter} {offset} {descending}"
        );
    }
    assert_eq!(house.queue.hold(&[ids[0], ids[3]]).await.unwrap(), 2);
    assert!(house.queue.show(ids[3]).await.unwrap().row.held);
    assert_eq!(house.queue.remove(&[ids[1], ids[4]], false).await.unwrap(), 2);
    assert!(matches!(
        house.queue.show(ids[4]).await,
        Err(QueueError::NoSuchMessage)
    ));
    assert_eq!(house.queue.remove(&[ids[2]], true).await.unwrap(), 1);
    house.kill().await;

    let house = House::real(dir.path());
    let (a, b) = (house.next().await, house.next().await);
    let mut due = [(a.id, a.removal()), (b.id, b.removal())];
    due.sort();
    assert_eq!(
        due,
        [(ids[2], Some(true)), (ids[5], None)],
        "the held ones rest, the removed one is told"
    );
    assert_eq!(house.queue.release(&[ids[0], ids[3]]).await.unwrap(), 2);
    let (c, d) = (house.next().await, house.next().await);
    let mut released = [c.id, d.id];
    released.sort();
    assert_eq!(released, [ids[0], ids[3]]);
}

#[test]
fn the_schedule_doubles_and_ends_with_the_lifetime() {
    let schedule = Schedule {
        first_s: 300,
        max_s: 1000,
        lifetime_s: 5000,
    };
    for (attempts, now, next) in [
        (1, 0, Some(300)),
        (2, 300, Some(900)),
        (3, 900, Some(1900)),
        (40, 1900, Some(2900)),
        (5, 4900, Some(5000)),
        (6, 5000, None),
    ] {
        assert_eq!(schedule.next_try(0, attempts, now), next, "{attempts}");
    }
}

/// What an administrator wants while a message is on its way to `waiting.db` would be forgotten, or the message itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_comes_while_a_message_is_put_off_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    for number in 0..60 {
        let id = MessageId(house.commit(&["bob@example.test"], "text").await);
        let job = house.next().await;
        let later = Outcome::PutOff {
            reply: "451 4.0.0 later".to_owned(),
            at: Some(crate::now() + 1000),
        };
        let queue = house.queue.clone();
        let finishing = tokio::spawn(async move { queue.finish(job, vec![(0, later)]).await });
        for _ in 0..number % 7 {
            tokio::task::yield_now().await;
        }
        if number % 3 == 2 {
            // From the moment on in which it is seen that it was put off.
            while house.queue.show(id).await.unwrap().row.last_reply.is_empty() {
                tokio::task::yield_now().await;
            }
            if number % 2 == 0 {
                house.queue.set_route(&[id], Some("relay.test")).await.unwrap();
            }
            house.queue.retry(&[id]).await.unwrap();
            finishing.await.unwrap().unwrap();
        } else if number % 3 == 0 {
            house.queue.set_route(&[id], Some("relay.test")).await.unwrap();
            finishing.await.unwrap().unwrap();
            // Perhaps it was wished before the try had ended; then it holds for the next one.
            house.queue.retry(&[id]).await.unwrap();
        } else {
            house.queue.hold(&[id]).await.unwrap();
            finishing.await.unwrap().unwrap();
            assert!(house.queue.show(id).await.unwrap().row.held, "{number}");
            assert_eq!(house.queue.set_route(&[id], Some("relay.test")).await.unwrap(), 1);
            assert_eq!(house.queue.release(&[id]).await.unwrap(), 1);
        }
        let back = house.next().await;
        let routed = number % 6 != 5;
        assert_eq!(
            (back.id, back.route.as_deref()),
            (id, routed.then_some("relay.test")),
            "{number}"
        );
        let outcomes = stored(&back);
        house.queue.finish(back, outcomes).await.unwrap();
        assert_eq!(house.queue.counts().messages, 0);
    }
}

/// What was put off between the two looks of a retry, at the rows and at memory, would wait for its time.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_finds_what_becomes_a_row_while_it_looks() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let waiting = &house.queue.inner.waiting;
    let id = house.commit(&["bob@example.test"], "text").await;
    let job = house.next().await;
    let row = {
        let mut state = house.queue.inner.state.lock();
        let live = state.messages.get_mut(&id).unwrap();
        live.states()[0].next_try = crate::now() + 1000;
        crate::finish::row_of(&mut state, id, &job.text).unwrap()
    };
    let named = [MessageId(id)];
    let mut parking = pin!(crate::finish::park(&house.queue.inner, row));
    let mut retry = pin!(house.queue.retry(&named));
    let mut context = Context::from_waker(Waker::noop());
    // What the thread does: it tells that it has begun and goes on when it is let.
    let (begun, has_begun) = std::sync::mpsc::channel();
    let hold = || {
        let (begun, (let_go, go)) = (begun.clone(), std::sync::mpsc::channel::<()>());
        let held = waiting.call(move |_| {
            begun.send(()).unwrap();
            let _ = go.recv();
            Ok(())
        });
        (Box::pin(held), let_go)
    };
    let (mut first, first_go) = hold();
    assert!(first.as_mut().poll(&mut context).is_pending());
    has_begun.recv().unwrap();
    // In one transaction: the rows are made due, then the row is made.
    assert!(retry.as_mut().poll(&mut context).is_pending());
    assert!(parking.as_mut().poll(&mut context).is_pending());
    let (mut second, second_go) = hold();
    assert!(second.as_mut().poll(&mut context).is_pending());
    drop(first_go);
    has_begun.recv().unwrap();
    // Once this one has begun, that is durable and told.
    let (mut third, third_go) = hold();
    assert!(third.as_mut().poll(&mut context).is_pending());
    drop(second_go);
    has_begun.recv().unwrap();
    drop(third_go);
    parking.await.unwrap();
    assert_eq!(retry.await.unwrap(), 1);
    assert_eq!(house.next().await.id.0, id);
}

/// The mailboxes would forget too early that they have a message, and take it twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_may_come_under_another_record_is_told_until_it_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let id = house.commit(&["bob@example.test"], "text").await;
    let job = house.next().await;
    assert_eq!(house.queue.again().ids, Vec::<u64>::new(), "the journal has it");
    let later = || vec![put_off(0, crate::now() + 1000)];
    house.queue.finish(job, later()).await.unwrap();
    assert_eq!(house.queue.again().ids, [id], "it waits");
    house.kill().await;

    let house = House::real(dir.path());
    assert_eq!(house.queue.again().ids, [id], "it waits after a start");
    house.queue.retry(&[]).await.unwrap();
    let job = house.next().await;
    assert_eq!(house.queue.again().ids, [id], "it is tried again");
    house.kill().await;
    drop(job);

    let house = House::real(dir.path());
    assert_eq!(house.queue.again().ids, [id], "it is tried again after a start");
    let job = house.next().await;
    house.queue.finish(job, later()).await.unwrap();
    house.queue.retry(&[]).await.unwrap();
    let job = house.next().await;
    let syncs = house.journal.stats().syncs;
    let outcomes = stored(&job);
    house.queue.finish(job, outcomes).await.unwrap();
    assert_eq!(house.queue.again().ids, Vec::<u64>::new(), "it is done");
    assert!(house.journal.stats().syncs > syncs, "for good");
}
