//! Hosts that hang, babble or answer beside the point, by mistake or on purpose: the mail stays in the queue, and nothing waits for them for ever.

use shared::route::RouteProtocol;

use super::fake::{Fake, Manner};
use super::routes::{route, with_routes};
use super::*;

/// No line of it begins as an answer of the fake's manners does.
const SHORT: &str = "Subject: hello\r\n\r\nend\r\n";

/// What is shown for a message that this host was to take; it is still there, and nobody was told of a failure.
async fn shown(manner: Manner, change: impl FnOnce(&mut Timeouts), text: &str) -> String {
    let fake = Fake::start(manner).await;
    let dns = Dns::scripted(Scripted::unreachable())
        .with_overrides(BTreeMap::from([(domain("remote.test"), fake.address)]));
    let house = House::build_with(dns, &[], None, |parts| change(&mut parts.timeouts)).await;
    house.send(&["a@remote.test"], text).await;
    let shown = house.until_put_off().await;
    assert!(house.inbox("ann@example.test").await.is_empty(), "{shown}");
    house.delivery.close(PATIENCE).await;
    shown
}

// The message would be lost, or its sender would think so, or the daemon would fill its memory with what the host says.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_babbles_gets_nothing_and_costs_nothing() {
    for (greeting, endless, reply) in [
        ("220 other.test\r\n<html>", "", "a line without a reply code"),
        (
            "220 other.test\r\n250-a\r\n550 b",
            "",
            "lines with different reply codes",
        ),
        (
            "220 other.test\r\n\0\u{1}\u{7f}",
            "",
            "a line without a reply code",
        ),
        ("220-other.test", "220-and so on\r\n", "a reply of too many lines"),
        ("220-other.test", "and so on ", "an endless line"),
        ("220 other.test", "250-and so on\r\n", "a reply of too many lines"),
        // One answer too many: what it says to RCPT is taken for what it says to DATA.
        (
            "220 other.test\r\n250 hello",
            "",
            "an answer that fits no question: 250 2.1.5 ok",
        ),
    ] {
        for offers in [&["PIPELINING"][..], &[][..]] {
            let manner = Manner {
                greeting,
                offers,
                endless,
                ..Manner::default()
            };
            let shown = shown(manner, |_| {}, TEXT).await;
            assert!(shown.contains(reply), "{shown} / {reply}");
        }
    }
}

// A yes at the wrong place is no yes: the message was never sent, and would be gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_yes_to_data_is_none_to_the_message() {
    for lmtp in [None, Some(&[][..])] {
        let manner = Manner {
            data: "250 2.0.0 taken",
            lmtp,
            ..Manner::default()
        };
        let fake = Fake::start(manner).await;
        let mut to_it = route("other", &["remote.test"], &[], &fake.address.to_string());
        if lmtp.is_some() {
            to_it.protocol = RouteProtocol::Lmtp;
        }
        let house = with_routes(Dns::scripted(Scripted::new()), &[], vec![(to_it, None)]).await;
        house.send(&["a@remote.test"], TEXT).await;
        let shown = house.until_put_off().await;
        assert!(
            shown.contains("an answer that fits no question: 250 2.0.0 taken"),
            "{shown}"
        );
    }
}

// A connection and a place among those that leave would be held for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_hangs_in_the_text_or_after_it_is_left() {
    const SOON: Duration = Duration::from_millis(300);
    let manner = |hang_at| Manner {
        hang_at,
        offers: &["PIPELINING"],
        ..Manner::default()
    };
    let after = shown(manner("."), |timeouts| timeouts.data_end = SOON, SHORT).await;
    assert!(after.contains("no answer in time"), "{after}");
    // More than the system keeps between two programs.
    let long = format!("{SHORT}{}", "a line of many\r\n".repeat(1 << 20));
    let within = shown(manner("end"), |timeouts| timeouts.data_block = SOON, &long).await;
    assert!(within.contains("no answer in time"), "{within}");
}

/// What is shown once an attempt with a host is over that thinks four minutes of each of a hundred recipients, and how many still wait. The
/// clock goes on by what the host thinks, and no further.
async fn shown_by_the_slow(offers: &'static [&'static str], command: Duration) -> (Fake, String, usize) {
    let fake = Fake::start(Manner {
        offers,
        rcpt_takes: Duration::from_mins(4),
        ..Manner::default()
    })
    .await;
    let house = House::with_remote_and_patience(fake.address, command).await;
    // A clock that was paused leaps when all wait, but not while something like this runs.
    let (_until_here, held) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || held.recv());
    tokio::time::pause();
    let recipients: Vec<String> = (0..100).map(|number| format!("r{number}@remote.test")).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    let mut watch = house.parts.queue.watch();
    house.send(&recipients, TEXT).await;
    let shown = loop {
        if let Some(shown) = put_off(&house.parts.queue).await {
            break shown;
        }
        assert!(
            house.parts.queue.counts().messages > 0,
            "it was given all the time that it wanted"
        );
        watch.changed().await.unwrap();
    };
    let row = house
        .parts
        .queue
        .list(shared::protocol::Page::default())
        .await
        .unwrap()
        .rows
        .remove(0);
    let message = house.parts.queue.show(row.id.parse().unwrap()).await.unwrap();
    let waiting = message
        .states
        .iter()
        .filter(|state| state.state == "waiting")
        .count();
    (fake, shown, waiting)
}

// By the letter of RFC 5321 four minutes for a recipient are in order, and a hundred of them are seven hours.
#[tokio::test]
async fn a_host_that_is_slow_with_each_recipient_gets_what_an_hour_allows() {
    let (fake, shown, waiting) = shown_by_the_slow(&[], Duration::from_mins(5)).await;
    assert!(shown.contains("it took too long in all"), "{shown}");
    let lines = fake.lines();
    let named = lines.iter().filter(|line| line.starts_with("RCPT")).count();
    // Ten minutes of the hour are kept for the text. Those whom it took have it: each attempt gets further.
    assert_eq!((named, waiting), (13, 87));
    assert_eq!(fake.texts(), [TEXT_OUT]);
}

// Here all were named at once, and no text may follow before the last answer.
#[tokio::test]
async fn a_slow_host_that_was_told_all_at_once_is_left_after_an_hour() {
    let (fake, shown, waiting) = shown_by_the_slow(&["PIPELINING"], Duration::from_hours(24)).await;
    assert!(shown.contains("it took too long in all"), "{shown}");
    assert_eq!((fake.texts().len(), waiting), (0, 100));
}
