//! Lists: an administrator would miss messages, or see some on two pages.

use shared::protocol::{Page, QueueRow};

use super::*;
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
            house.queue.finish(job, vec![later]).await.unwrap();
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
