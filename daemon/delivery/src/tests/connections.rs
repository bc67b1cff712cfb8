//! Connections: a host would be bothered with one for each message, or one that hangs would hold up the mail for all others.

use super::fake::{Fake, Manner};
use super::*;

fn own(lines: &[String], word: &str) -> usize {
    lines.iter().filter(|line| line.starts_with(word)).count()
}

/// One after the other over one connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_kept_for_the_next_message() {
    for (keep, connections) in [("300", 1), ("0", 3)] {
        let fake = Fake::start(Manner::default()).await;
        let overrides = BTreeMap::from([(domain("remote.test"), fake.address)]);
        let dns = Dns::scripted(Scripted::unreachable()).with_overrides(overrides);
        let house = House::with_dns(dns, &[("outgoing.keep-time", keep)]).await;
        for _ in 0..3 {
            house.send(&["a@remote.test"], TEXT).await;
            house.until_empty().await;
        }
        assert_eq!(fake.texts().len(), 3);
        assert_eq!(fake.heard.lock().connections, connections);
        assert_eq!(own(&fake.lines(), "EHLO"), connections);
        house.delivery.close(PATIENCE).await;
        let lines = fake.lines();
        assert_eq!(lines.last().map(String::as_str), Some("QUIT"), "{lines:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_serves_so_many_messages_and_no_more() {
    let fake = Fake::start(Manner::default()).await;
    let overrides = BTreeMap::from([(domain("remote.test"), fake.address)]);
    let dns = Dns::scripted(Scripted::unreachable()).with_overrides(overrides);
    let house = House::with_dns(dns, &[("outgoing.keep-messages", "2")]).await;
    for _ in 0..4 {
        house.send(&["a@remote.test"], TEXT).await;
        house.until_empty().await;
    }
    assert_eq!(fake.heard.lock().connections, 2);
}

/// What a host closed meanwhile, or refuses to reset, costs a new connection, not the message.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_that_is_dead_is_replaced() {
    let fake = Fake::start(Manner {
        drop_at: "RSET",
        ..Manner::default()
    })
    .await;
    let house = House::with_remote(fake.address).await;
    for _ in 0..2 {
        house.send(&["a@remote.test"], TEXT).await;
        house.until_empty().await;
    }
    assert_eq!(fake.texts().len(), 2);
    assert_eq!(fake.heard.lock().connections, 2);
}

/// 300 messages for a host that says nothing, then one for a host that works.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_hangs_holds_up_nobody_else() {
    let hangs = Fake::start(Manner {
        hang_at: "greeting",
        ..Manner::default()
    })
    .await;
    let works = Fake::start(Manner::default()).await;
    let overrides = BTreeMap::from([
        (domain("hangs.test"), hangs.address),
        (domain("works.test"), works.address),
    ]);
    let dns = Dns::scripted(Scripted::unreachable()).with_overrides(overrides);
    let settings = [("outgoing.concurrency", "5"), ("outgoing.host-concurrency", "3")];
    let house = House::with_dns(dns, &settings).await;
    for _ in 0..300 {
        house.send(&["a@hangs.test"], TEXT).await;
    }
    house.send(&["a@works.test"], TEXT).await;
    house
        .until("the other host's message has gone", async |_| {
            !works.texts().is_empty()
        })
        .await;
    assert!(hangs.heard.lock().open <= 3, "its share and no more");
}

/// A host that says 421 is not asked the same by all the others at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_has_enough_gets_fewer_connections() {
    let fake = Fake::start(Manner {
        greeting: "421 4.7.0 too many connections",
        ..Manner::default()
    })
    .await;
    let overrides = BTreeMap::from([(domain("remote.test"), fake.address)]);
    let dns = Dns::scripted(Scripted::unreachable()).with_overrides(overrides);
    let house = House::with_dns(dns, &[("outgoing.host-concurrency", "4")]).await;
    let mut events = house.events.subscribe();
    for _ in 0..3 {
        house.send(&["a@remote.test"], TEXT).await;
    }
    let mut left = Vec::new();
    while left.len() < 2 {
        let event = tokio::time::timeout(PATIENCE, events.recv())
            .await
            .unwrap()
            .unwrap();
        if event.code == "host-slowed-down" {
            left.push(format!("{:?}", event.fields.last()));
        }
    }
    // Each is told after it was done; two that are done at once may be told in either order.
    left.sort_unstable();
    for (left, places) in left.iter().zip(["1", "2"]) {
        assert!(left.contains(places), "{left}");
    }
}

/// A host that can't be reached is left alone, and the next message is told why.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_down_rests() {
    let fake = Fake::start(Manner {
        greeting: "nonsense",
        ..Manner::default()
    })
    .await;
    let house = House::with_remote(fake.address).await;
    house.send(&["a@remote.test"], TEXT).await;
    house.until_put_off().await;
    house.send(&["b@remote.test"], TEXT).await;
    house
        .until("both are put off", async |queue| {
            let rows = queue.list(shared::protocol::Page::default()).await.unwrap().rows;
            rows.len() == 2
                && rows
                    .iter()
                    .all(|row| row.last_reply.contains("a line without a reply code"))
        })
        .await;
    assert_eq!(fake.heard.lock().connections, 1);
}

/// The queue and reports would speak the language of the system, and in numbers.
#[tokio::test]
async fn an_error_of_the_system_is_told_in_words() {
    // Held, and never listened at: nobody else gets this port.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let refused = crate::client::Client::connect(held.local_addr().unwrap(), Timeouts::default()).await;
    assert_eq!(refused.err().unwrap().to_string(), "connection refused");
}
