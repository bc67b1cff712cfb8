//! Lists: an administrator would miss messages, or see some on two pages.

use shared::protocol::{Page, QueueRow};

use super::*;
use crate::list::{Seen, Wanted};
use crate::rows::Sort;

/// A dozen messages of different senders and sizes; every third waits in the database.
async fn filled(dir: &Path) -> House {
    let house = House::real(dir);
    for number in 0..12_usize {
        let to = format!(
            "{}{number}@remote.test",
            if number % 2 == 0 { "even" } else { "odd" }
        );
        let mut envelope = envelope(&[&to]);
        envelope.sender = Some(Address::parse(&format!("user{}@example.test", number % 5)).unwrap());
        envelope.received += (number as i64 * 7) % 4;
        let text = "x".repeat(1 + (number * 5) % 7);
        let committed = house.queue.commit(envelope, Blob::Bytes(text.into())).await;
        drop(committed.unwrap());
        let job = house.next().await;
        if number % 3 == 0 {
            let later = put_off(0, crate::now() + 10_000 + (number as i64 * 11) % 5);
            let id = job.id;
            house.queue.finish(job, vec![later]).await.unwrap();
            if number % 6 == 0 {
                // It has no next try either.
                house.queue.hold(&[id]).await.unwrap();
            }
        } else {
            // Still lent out: it has no next try.
            std::mem::forget(job);
        }
    }
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another_wherever_the_messages_are() {
    let dir = tempfile::tempdir().unwrap();
    let house = filled(dir.path()).await;
    for sort in ["", "sender", "size", "arrived", "next_try", "attempts", "held"] {
        for (filter, total) in [("", 12), ("ODD", 6), ("nobody", 0), ("451 4.3.0", 4)] {
            for descending in [false, true] {
                let page = |offset, limit| Page {
                    filter: filter.to_owned(),
                    sort: sort.to_owned(),
                    descending,
                    offset,
                    limit,
                };
                let place = format!("{sort} {filter} {descending}");
                let whole = house.queue.list(page(0, 100)).await.unwrap();
                assert_eq!(
                    (whole.total, whole.rows.len()),
                    (total, total as usize),
                    "{place}"
                );
                let mut sorted = whole.rows.clone();
                sorted.sort_by(|a, b| {
                    let order = Sort::of(sort).compare(a, b);
                    if descending { order.reverse() } else { order }
                });
                assert_eq!(whole.rows, sorted, "{place}");
                let mut paged: Vec<QueueRow> = Vec::new();
                for offset in (0..total + 5).step_by(5) {
                    let rows = house.queue.list(page(offset, 5)).await.unwrap();
                    assert_eq!(rows.total, total, "{place}");
                    paged.extend(rows.rows);
                }
                assert_eq!(paged, whole.rows, "{place}");
            }
        }
    }
    house.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_named_twice_is_retried_once() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let waits = events::MessageId(house.commit(&["a@remote.test"], "text").await);
    let job = house.next().await;
    let later = put_off(0, crate::now() + 10_000);
    house.queue.finish(job, vec![later]).await.unwrap();
    let due = events::MessageId(house.commit(&["b@remote.test"], "text").await);
    assert_eq!(house.queue.retry(&[due, due, waits, waits]).await.unwrap(), 2);
    house.kill().await;
}

/// The second half of a look: the ids that it shows.
async fn rest(house: &House, seen: Seen) -> Vec<u64> {
    let look = house
        .queue
        .inner
        .waiting
        .look(move |database| seen.with_rows(database));
    let rows = look.await.unwrap();
    assert_eq!(rows.total, rows.rows.len() as u64);
    let id = |row: &QueueRow| u64::from_str_radix(&row.id, 16).unwrap();
    rows.rows.iter().map(id).collect()
}

async fn put_off_long(house: &House, job: Job) {
    let later = put_off(0, crate::now() + 10_000);
    house.queue.finish(job, vec![later]).await.unwrap();
}

/// The administrator would think it lost, or sent twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_moves_while_a_list_is_made_is_in_it_once() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    for waits_first in [false, true] {
        for moves in 1..5 {
            for filter in ["", "REMOTE"] {
                let id = events::MessageId(house.commit(&["a@remote.test"], "text").await);
                let mut job = Some(house.next().await);
                if waits_first {
                    put_off_long(&house, job.take().unwrap()).await;
                }
                let page = Page {
                    filter: filter.to_owned(),
                    ..Page::default()
                };
                let seen = Seen::in_memory(&house.queue.inner, Wanted::of(&page));
                for _ in 0..moves {
                    match job.take() {
                        Some(here) => put_off_long(&house, here).await,
                        None => {
                            house.queue.retry(&[id]).await.unwrap();
                            job = Some(house.next().await);
                        }
                    }
                }
                let place = format!("{waits_first} {moves} {filter}");
                assert_eq!(rest(&house, seen).await, [id.0], "{place}");
                house.queue.remove(&[id], false).await.unwrap();
                if let Some(job) = job {
                    let outcomes = stored(&job);
                    house.queue.finish(job, outcomes).await.unwrap();
                }
                assert_eq!(house.queue.list(page).await.unwrap().total, 0, "{place}");
            }
        }
    }
    let moves = &house.queue.inner.state.lock().moves;
    assert!(moves.is_at_rest(), "nothing is kept of it");
}

/// The same with everything at once: between memory and database there is a moment when a message is in neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_list_has_all_messages_though_all_are_on_the_move() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::real(dir.path());
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(house.commit(&["a@remote.test"], "text").await);
    }
    let movers: Vec<_> = (0..2)
        .map(|_| {
            let queue = house.queue.clone();
            tokio::spawn(async move {
                while let Some(job) = queue.next().await {
                    let again = put_off(0, crate::now() - 1);
                    let _ = queue.finish(job, vec![again]).await;
                }
            })
        })
        .collect();
    let mut shown = Vec::new();
    for number in 0..300 {
        let page = Page {
            sort: if number % 2 == 0 { "" } else { "attempts" }.to_owned(),
            filter: if number % 3 == 0 { "remote" } else { "" }.to_owned(),
            ..Page::default()
        };
        let rows = house.queue.list(page).await.unwrap();
        let mut listed: Vec<u64> = rows
            .rows
            .iter()
            .map(|row| u64::from_str_radix(&row.id, 16).unwrap())
            .collect();
        listed.sort_unstable();
        assert_eq!((rows.total, &listed), (20, &ids), "look {number}");
        let one = events::MessageId(ids[number % 20]);
        assert_eq!(house.queue.show(one).await.unwrap().row.id, one.to_string());
        shown.push(house.queue.read(one).await.unwrap().len());
    }
    assert_eq!(shown, [4; 300]);
    house.queue.close().await;
    for mover in movers {
        mover.await.unwrap();
    }
}
