use super::fake::{Fake, Manner};
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn one_transaction_takes_all_recipients_of_a_domain() {
    for offers in [&["PIPELINING", "SIZE 1000"][..], &[][..]] {
        let fake = Fake::start(Manner {
            offers,
            ..Manner::default()
        })
        .await;
        let house = House::with_remote(fake.address).await;
        house.send(&["a@remote.test", "b@remote.test"], TEXT).await;
        house.until_empty().await;
        assert_eq!(fake.texts(), [TEXT_OUT], "without the Return-Path, with its dots");
        let size = if offers.is_empty() {
            String::new()
        } else {
            format!(" SIZE={}", TEXT_OUT.len())
        };
        let expected = [
            "EHLO mx.example.test",
            &format!("MAIL FROM:<ann@example.test>{size}"),
            "RCPT TO:<a@remote.test>",
            "RCPT TO:<b@remote.test>",
            "DATA",
        ];
        assert_eq!(fake.lines()[..5], expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_puts_off_or_breaks_off_stays_in_the_queue() {
    for (manner, reply) in [
        (
            Manner {
                greeting: "421 busy",
                ..Manner::default()
            },
            "421 busy",
        ),
        (
            Manner {
                greeting: "HTTP/1.1 400 Bad Request",
                ..Manner::default()
            },
            "a line without a reply code",
        ),
        (
            Manner {
                mail: "451 4.3.0 later",
                ..Manner::default()
            },
            "451 4.3.0 later",
        ),
        (
            Manner {
                rcpt: &[("a@", "450 4.2.0 grey")],
                ..Manner::default()
            },
            "450 4.2.0 grey",
        ),
        (
            Manner {
                data: "451 4.3.0 not now",
                ..Manner::default()
            },
            "451 4.3.0 not now",
        ),
        (
            Manner {
                end: "452 4.3.1 full",
                ..Manner::default()
            },
            "452 4.3.1 full",
        ),
        (
            Manner {
                drop_at: "end",
                ..Manner::default()
            },
            "451 4.4.1",
        ),
        (
            Manner {
                hang_at: "MAIL",
                ..Manner::default()
            },
            "no answer in time",
        ),
    ] {
        let patience = if manner.hang_at == "MAIL" {
            Duration::from_millis(300)
        } else {
            PATIENCE
        };
        let fake = Fake::start(manner).await;
        let house = House::with_remote_and_patience(fake.address, patience).await;
        house.send(&["a@remote.test"], TEXT).await;
        let shown = house.until_put_off().await;
        assert!(shown.contains(reply), "{shown} / {reply}");
        assert!(
            house.inbox("ann@example.test").await.is_empty(),
            "{reply}: nobody is told yet"
        );
        house.delivery.close(PATIENCE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_refuses_is_told_to_the_sender_and_the_others_arrive() {
    let manner = Manner {
        rcpt: &[("nobody@", "550 5.1.1 unknown here")],
        ..Manner::default()
    };
    let fake = Fake::start(manner).await;
    let house = House::with_remote(fake.address).await;
    house.send(&["a@remote.test", "nobody@remote.test"], TEXT).await;
    house.until_empty().await;
    assert_eq!(fake.texts(), [TEXT_OUT]);
    let told = house.inbox("ann@example.test").await;
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("Final-Recipient: rfc822;nobody@remote.test\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; remote.test\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown here\r\n"), "{}", told[0]);
    assert!(!told[0].contains("a@remote.test"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_host_is_tried_when_the_best_one_is_down() {
    // The same port of two addresses that no other test uses.
    let good = Fake::start_at("127.0.0.2:0", Manner::default()).await;
    let port = good.address.port();
    let down = Fake::start_at(
        &format!("127.0.0.3:{port}"),
        Manner {
            greeting: "554 no",
            ..Manner::default()
        },
    )
    .await;
    let table = Scripted::new()
        .with_mx("far.test", 10, "down.far.test")
        .with_mx("far.test", 20, "good.far.test")
        .with_address("down.far.test", "127.0.0.3".parse().unwrap())
        .with_address("good.far.test", "127.0.0.2".parse().unwrap());
    let house = House::with_dns(Dns::scripted(table), &[("outgoing.port", &port.to_string())]).await;
    house.send(&["a@far.test"], TEXT).await;
    house.until_empty().await;
    assert_eq!(good.texts(), [TEXT_OUT]);
    assert!(down.lines().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dns_says_decides_between_now_and_never() {
    let local = "127.0.0.1".parse().unwrap();
    let table = Scripted::new()
        .with_mx("null.test", 0, "")
        .with_mx("own.test", 10, "mx.example.test")
        .with_address("mx.example.test", local)
        .with_failure("down.test");
    for (to, status) in [
        ("a@null.test", Some("5.1.10")),
        ("a@nowhere.test", Some("5.1.2")),
        ("a@own.test", Some("5.4.6")),
        ("a@down.test", None),
    ] {
        let house = House::with_dns(Dns::scripted(table.clone()), &[]).await;
        house.send(&[to], TEXT).await;
        match status {
            Some(status) => {
                house.until_empty().await;
                let told = house.inbox("ann@example.test").await;
                assert!(
                    told[0].contains(&format!("Status: {status}\r\n")),
                    "{to}: {}",
                    told[0]
                );
            }
            None => assert!(house.until_put_off().await.starts_with("451 4.4.3 DNS"), "{to}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_used_where_it_is_offered_and_plaintext_where_it_fails() {
    let dir = tempfile::tempdir().unwrap();
    let (tls, _) = Tls::open(RealDisk::shared(), dir.path(), "other.test").unwrap();
    for (tls, hellos) in [(Some(tls), 2), (None, 2)] {
        let works = tls.is_some();
        let fake = Fake::start(Manner {
            offers: &["STARTTLS"],
            tls,
            ..Manner::default()
        })
        .await;
        let house = House::with_remote(fake.address).await;
        house.send(&["a@remote.test"], TEXT).await;
        house.until_empty().await;
        assert_eq!(fake.texts(), [TEXT_OUT], "TLS works: {works}");
        let lines = fake.lines();
        assert_eq!(
            lines.iter().filter(|line| line.starts_with("EHLO")).count(),
            hellos,
            "{lines:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smarthost_takes_everything_after_a_login() {
    let fake = Fake::start(Manner {
        offers: &["AUTH PLAIN LOGIN"],
        ..Manner::default()
    })
    .await;
    let smarthost = format!("127.0.0.1:{}", fake.address.port());
    let settings = [
        ("outgoing.smarthost", smarthost.as_str()),
        ("outgoing.smarthost-user", "me"),
    ];
    let house = House::with_dns(Dns::scripted(Scripted::new()), &settings).await;
    house.send(&["a@one.test", "b@two.test"], TEXT).await;
    house.until_empty().await;
    assert_eq!(fake.texts(), [TEXT_OUT]);
    assert!(
        fake.lines()
            .contains(&format!("AUTH PLAIN {}", wire::base64::encode(b"\0me\0secret")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_cannot_take_is_not_sent() {
    let large = format!("{TEXT}{}", "x".repeat(2000));
    for (to, text, smtputf8, status) in [
        ("почта@remote.test", TEXT, true, "5.6.7"),
        ("a@remote.test", large.as_str(), false, "5.3.4"),
    ] {
        let fake = Fake::start(Manner {
            offers: &["SIZE 1000"],
            ..Manner::default()
        })
        .await;
        let house = House::with_remote(fake.address).await;
        house
            .send_as(
                Envelope {
                    smtputf8,
                    ..envelope(&[to])
                },
                text,
            )
            .await;
        house.until_empty().await;
        assert!(fake.texts().is_empty());
        assert!(house.inbox("ann@example.test").await[0].contains(&format!("Status: {status}\r\n")));
    }
}
