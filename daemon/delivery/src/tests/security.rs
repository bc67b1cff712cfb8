//! DANE and MTA-STS: mail would be read by whoever stands between, or not arrive though the host is who it says.

use dns::Tlsa;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::fake::{Fake, Manner};
use super::*;

pub(super) const HOST: &str = "mx.far.test";

pub(super) async fn host(tls: Option<Tls>) -> Fake {
    let offers: &[&str] = if tls.is_some() { &["STARTTLS"] } else { &[] };
    Fake::start(Manner {
        offers,
        tls,
        ..Manner::default()
    })
    .await
}

pub(super) fn table(fake: &Fake) -> Scripted {
    Scripted::new()
        .with_mx("far.test", 10, HOST)
        .with_address(HOST, fake.address.ip())
}

/// What became of a message: `None` if it went, else why it was put off.
pub(super) async fn outcome(house: &House, fake: &Fake) -> Option<String> {
    house.send(&["a@far.test"], TEXT).await;
    house
        .until("gone or put off", async |queue| {
            queue.counts().messages == 0 || put_off(queue).await.is_some()
        })
        .await;
    let reply = put_off(&house.parts.queue).await;
    assert_eq!(reply.is_none(), !fake.texts().is_empty(), "{reply:?}");
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn dane_decides_which_certificate_is_right() {
    let (right, pem) = certificate("any.name");
    let (_, other) = certificate("any.name");
    let record = |pem: &str, usage: u8| Tlsa {
        usage,
        selector: 0,
        matching: 0,
        data: CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec(),
    };
    let unusable = record(&pem, 1);
    for (what, tls, records, signed, goes) in [
        (
            "the right one",
            Some(right.clone()),
            vec![record(&pem, 3)],
            true,
            true,
        ),
        (
            "another one",
            Some(right.clone()),
            vec![record(&other, 3)],
            true,
            false,
        ),
        ("no TLS", None, vec![record(&pem, 3)], true, false),
        (
            "records that say nothing",
            Some(right.clone()),
            vec![unusable.clone()],
            true,
            true,
        ),
        (
            "records that say nothing but TLS",
            None,
            vec![unusable],
            true,
            false,
        ),
        (
            "exchangers that nobody signed",
            Some(right.clone()),
            vec![record(&other, 3)],
            false,
            true,
        ),
        ("no records", None, Vec::new(), true, true),
    ] {
        let fake = host(tls).await;
        let port = fake.address.port();
        let mut table = table(&fake).with_secure(HOST);
        if signed {
            table = table.with_secure("far.test");
        }
        for record in records {
            table = table.with_tlsa(HOST, port, record);
        }
        let settings = [
            ("outgoing.port", port.to_string()),
            ("outgoing.dane", "true".to_owned()),
        ];
        let settings = settings.each_ref().map(|(key, value)| (*key, value.as_str()));
        let house = House::with_dns(Dns::scripted(table), &settings).await;
        let reply = outcome(&house, &fake).await;
        assert_eq!(reply.is_none(), goes, "{what}: {reply:?}");
        assert!(reply.is_none_or(|reply| reply.starts_with("451 4.7.5")));
        house.delivery.close(PATIENCE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_records_can_not_be_proved_is_not_used() {
    let (tls, _) = certificate(HOST);
    let fake = host(Some(tls)).await;
    let port = fake.address.port().to_string();
    let table = table(&fake)
        .with_secure(HOST)
        .with_secure("far.test")
        .with_failure(&format!("_{port}._tcp.{HOST}"));
    let settings = [("outgoing.port", port.as_str()), ("outgoing.dane", "true")];
    let house = House::with_dns(Dns::scripted(table), &settings).await;
    let reply = outcome(&house, &fake).await.unwrap();
    assert!(reply.starts_with("451 4.7.5 mx.far.test"), "{reply}");
}

/// Whoever answers a question without proof would name a host of his own, with a signed record of his own.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_the_signed_records_do_not_name_gets_nothing() {
    let (tls, pem) = certificate(HOST);
    let fake = host(Some(tls)).await;
    let port = fake.address.port();
    let record = Tlsa {
        usage: 3,
        selector: 0,
        matching: 0,
        data: CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec(),
    };
    let table = table(&fake)
        .with_secure(HOST)
        .with_secure("far.test")
        .with_tlsa(HOST, port, record)
        .with_proved_exchanger("far.test", "mx.true.test");
    let settings = [
        ("outgoing.port", port.to_string()),
        ("outgoing.dane", "true".to_owned()),
    ];
    let settings = settings.each_ref().map(|(key, value)| (*key, value.as_str()));
    let house = House::with_dns(Dns::scripted(table), &settings).await;
    let reply = outcome(&house, &fake).await.unwrap();
    assert!(reply.starts_with("451 4.7.5 mx.far.test"), "{reply}");
}

/// A web server with that answer; how often it was asked.
pub(super) async fn web(tls: Tls, answer: String) -> (SocketAddr, Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let Ok(mut stream) = tls.acceptor().tokio().accept(stream).await else {
                continue;
            };
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (address, asked)
}

pub(super) fn policy(mode: &str, mx: &str) -> String {
    let text = format!("version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 86400\r\n");
    let length = text.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{text}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_decides_whether_a_wrong_certificate_keeps_the_mail() {
    let (right, right_pem) = certificate(HOST);
    let (wrong, _) = certificate(HOST);
    let (web_tls, web_pem) = certificate("mta-sts.far.test");
    let moved = "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n".to_owned();
    for (what, tls, answer, goes) in [
        ("enforced, right", Some(&right), policy("enforce", HOST), true),
        (
            "enforced, right by a pattern",
            Some(&right),
            policy("enforce", "*.far.test"),
            true,
        ),
        ("enforced, wrong", Some(&wrong), policy("enforce", HOST), false),
        ("enforced, no TLS", None, policy("enforce", HOST), false),
        (
            "enforced, not named",
            Some(&right),
            policy("enforce", "mx.other.test"),
            false,
        ),
        ("testing, wrong", Some(&wrong), policy("testing", HOST), true),
        ("none, no TLS", None, policy("none", HOST), true),
        ("moved away, no TLS", None, moved, true),
    ] {
        let fake = host(tls.cloned()).await;
        let (address, asked) = web(web_tls.clone(), answer).await;
        let table = table(&fake).with_txt("_mta-sts.far.test", "v=STSv1; id=1");
        let port = fake.address.port().to_string();
        let roots = format!("{right_pem}{web_pem}");
        let house = House::build(
            Dns::scripted(table),
            &[("outgoing.port", &port)],
            Some(&roots),
            |http| http.with_address("mta-sts.far.test", address),
        )
        .await;
        let reply = outcome(&house, &fake).await;
        assert_eq!(reply.is_none(), goes, "{what}: {reply:?}");
        assert!(reply.is_none_or(|reply| reply.starts_with("451 4.7.5")));
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1, "{what}");
        house.delivery.close(PATIENCE).await;
    }
}

/// Who makes the web server and the DNS silent would switch the protection off.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_holds_over_a_restart_when_nobody_answers_any_more() {
    let (web_tls, web_pem) = certificate("mta-sts.far.test");
    let fake = host(None).await;
    let (address, asked) = web(web_tls, policy("enforce", HOST)).await;
    let port = fake.address.port().to_string();
    let table = table(&fake);
    let house = House::build(
        Dns::scripted(table.clone().with_txt("_mta-sts.far.test", "v=STSv1; id=1")),
        &[("outgoing.port", &port)],
        Some(&web_pem),
        |http| http.with_address("mta-sts.far.test", address),
    )
    .await;
    assert!(outcome(&house, &fake).await.is_some());
    let dir = house.parts.sts_dir.clone();
    let later = House::build(
        Dns::scripted(table.with_failure("_mta-sts.far.test")),
        &[("outgoing.port", &port)],
        None,
        |http| http,
    )
    .await;
    std::fs::create_dir(&later.parts.sts_dir).unwrap();
    for file in std::fs::read_dir(dir).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), later.parts.sts_dir.join(file.file_name())).unwrap();
    }
    let reply = outcome(&later, &fake).await.unwrap();
    assert!(reply.starts_with("451 4.7.5"), "{reply}");
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
}

/// RFC 8689: over verified TLS to a host that promises the same, or back to the sender.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_requires_tls_is_verified_all_the_way_or_returned() {
    let (right, pem) = certificate(HOST);
    for (what, tls, promises, enforced, status) in [
        ("verified", Some(&right), true, true, None),
        ("no promise", Some(&right), false, true, Some("5.7.30")),
        ("not verified", Some(&right), true, false, Some("5.7.30")),
        ("no TLS", None, false, false, Some("5.7.30")),
    ] {
        let offers: &[&str] = match (tls, promises) {
            (Some(_), true) => &["STARTTLS", "REQUIRETLS"],
            (Some(_), false) => &["STARTTLS"],
            _ => &[],
        };
        let fake = Fake::start(Manner {
            offers,
            tls: tls.cloned(),
            ..Manner::default()
        })
        .await;
        let (address, _) = web(certificate("other.test").0, String::new()).await;
        let port = fake.address.port().to_string();
        let house = House::build(
            Dns::scripted(table(&fake)),
            &[("outgoing.port", &port)],
            Some(&pem),
            |http| http.with_address("mta-sts.far.test", address),
        )
        .await;
        if enforced {
            let mut strict = shared::Route::new("strict");
            strict.tls = shared::route::RouteTls::Verified;
            house
                .parts
                .directory
                .add_route(strict, None, "test")
                .await
                .unwrap();
        }
        let mut envelope = envelope(&["a@far.test"]);
        envelope.require_tls = true;
        envelope.return_full = Some(true);
        house.send_as(envelope, TEXT).await;
        house.until_empty().await;
        let told = house.inbox("ann@example.test").await;
        match status {
            None => {
                assert_eq!(fake.texts(), [TEXT_OUT], "{what}");
                let mail = "MAIL FROM:<ann@example.test> REQUIRETLS".to_owned();
                assert!(fake.lines().contains(&mail), "{:?}", fake.lines());
                assert!(told.is_empty());
            }
            Some(status) => {
                assert!(fake.texts().is_empty(), "{what}");
                assert!(told[0].contains(&format!("Status: {status}\r\n")), "{}", told[0]);
                assert!(!told[0].contains(".dot"), "its text does not travel back");
            }
        }
        house.delivery.close(PATIENCE).await;
    }
}
