//! TLS-RPT: domains would not learn that nobody can reach their hosts securely, or be told what is not so.

use authenticity::Algorithm;
use dns::Tlsa;
use serde_json::Value;
use shared::protocol::ReportKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::fake::{Fake, Manner};
use super::security::{HOST, host, outcome, policy, table, web};
use super::*;

/// What was counted for far.test: policy and result, in order.
async fn counted(house: &House) -> Vec<(String, String)> {
    house.delivery.reports_waiting().await.unwrap();
    let rows = house
        .parts
        .directory
        .report_rows(ReportKind::Tls, Some("far.test"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut out: Vec<_> = rows
        .await
        .unwrap()
        .iter()
        .map(|row| {
            let body: Value = serde_json::from_str(&row.body).unwrap();
            (text(&body["policy"]["kind"]), text(&body["result"]))
        })
        .collect();
    out.sort();
    out
}

/// What a case has beside the host itself.
#[derive(Clone)]
enum Says {
    Nothing,
    /// TLSA records with a certificate, of a usage.
    Records(String, u8),
    Unprovable,
    /// What the policy's web server answers, and whether its certificate holds.
    Policy(String, bool),
}

/// What it is, the host's certificate, what is published, what is counted.
type Case<'a> = (
    &'static str,
    Option<&'a Tls>,
    Says,
    Vec<(&'static str, &'static str)>,
);

fn cases<'a>(
    (right, other, unknown): (&'a Tls, &'a Tls, &'a Tls),
    (right_pem, other_pem): (&str, &str),
    moved: String,
    garbage: String,
) -> Vec<Case<'a>> {
    let enforce = |mx: &str| Says::Policy(policy("enforce", mx), true);
    let none = "no-policy-found";
    vec![
        (
            "no TLS",
            None,
            Says::Nothing,
            vec![(none, "starttls-not-supported")],
        ),
        ("TLS", Some(unknown), Says::Nothing, vec![(none, "")]),
        (
            "DANE",
            Some(right),
            Says::Records(right_pem.to_owned(), 3),
            vec![("tlsa", "")],
        ),
        (
            "another certificate",
            Some(right),
            Says::Records(other_pem.to_owned(), 3),
            vec![("tlsa", "tlsa-invalid")],
        ),
        (
            "records that say nothing",
            Some(right),
            Says::Records(right_pem.to_owned(), 1),
            vec![("tlsa", "tlsa-invalid")],
        ),
        (
            "unproved",
            Some(right),
            Says::Unprovable,
            vec![("tlsa", "dnssec-invalid")],
        ),
        ("a policy", Some(right), enforce(HOST), vec![("sts", "")]),
        (
            "a policy, no TLS",
            None,
            enforce(HOST),
            vec![("sts", "starttls-not-supported")],
        ),
        (
            "a policy, a stranger",
            Some(unknown),
            enforce(HOST),
            vec![("sts", "certificate-not-trusted")],
        ),
        (
            "a policy in testing, another name",
            Some(other),
            Says::Policy(policy("testing", HOST), true),
            vec![("sts", "certificate-host-mismatch")],
        ),
        (
            "a policy that does not name the host",
            Some(right),
            enforce("mx.other.test"),
            vec![("sts", "validation-failure")],
        ),
        (
            "no policy there",
            Some(right),
            Says::Policy(moved, true),
            vec![(none, ""), ("sts", "sts-policy-fetch-error")],
        ),
        (
            "a policy that says nothing",
            Some(right),
            Says::Policy(garbage, true),
            vec![(none, ""), ("sts", "sts-policy-invalid")],
        ),
        (
            "a policy of a stranger",
            Some(right),
            Says::Policy(policy("enforce", HOST), false),
            vec![(none, ""), ("sts", "sts-webpki-invalid")],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_fail_has_its_name() {
    let (right, right_pem) = certificate(HOST);
    let (other, other_pem) = certificate("mx.other.test");
    let (unknown, _) = certificate(HOST);
    let (web_tls, web_pem) = certificate("mta-sts.far.test");
    let moved = "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n".to_owned();
    let garbage = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nhm\r\n".to_owned();
    let pems = (right_pem.as_str(), other_pem.as_str());
    for (what, tls, says, expected) in cases((&right, &other, &unknown), pems, moved, garbage) {
        let fake = host(tls.cloned()).await;
        let port = fake.address.port();
        let mut table = table(&fake);
        let (mut roots, mut at) = (format!("{right_pem}{other_pem}"), None);
        match &says {
            Says::Nothing => {}
            Says::Records(pem, usage) => {
                let record = Tlsa {
                    usage: *usage,
                    selector: 0,
                    matching: 0,
                    data: CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec(),
                };
                table = table.with_secure("far.test").with_tlsa(HOST, port, record);
            }
            Says::Unprovable => {
                let failing = format!("_{port}._tcp.{HOST}");
                table = table
                    .with_secure("far.test")
                    .with_secure(HOST)
                    .with_failure(&failing);
            }
            Says::Policy(answer, holds) => {
                at = Some(web(web_tls.clone(), answer.clone()).await.0);
                table = table.with_txt("_mta-sts.far.test", "v=STSv1; id=1");
                if *holds {
                    roots += &web_pem;
                }
            }
        }
        let port = port.to_string();
        let settings = [
            ("outgoing.port", port.as_str()),
            ("outgoing.dane", "true"),
            ("tls-report.send", "true"),
        ];
        let house = House::build(Dns::scripted(table), &settings, Some(&roots), |http| match at {
            Some(at) => http.with_address("mta-sts.far.test", at),
            None => http,
        })
        .await;
        outcome(&house, &fake).await;
        let found = counted(&house).await;
        let found: Vec<_> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(found, expected, "{what}");
        house.delivery.close(PATIENCE).await;
    }
}

/// A message that says that security must not keep it would wait for it; and what was not asked for would be reported as missing.
#[tokio::test(flavor = "multi_thread")]
async fn who_needs_no_tls_gets_through_and_is_not_counted() {
    let (tls, _) = certificate(HOST);
    let (_, other) = certificate(HOST);
    let record = Tlsa {
        usage: 3,
        selector: 0,
        matching: 0,
        data: CertificateDer::from_pem_slice(other.as_bytes()).unwrap().to_vec(),
    };
    let relaxed = "Return-Path: <ann@example.test>\r\nTLS-Required: No\r\nSubject: x\r\n\r\ny\r\n";
    for (what, field, requires, route, goes) in [
        ("asked", "TLS-Required: No", false, false, true),
        ("in other letters", "tls-required:  no", false, false, true),
        ("something else", "TLS-Required: Yes", false, false, false),
        (
            "twice",
            "TLS-Required: No\r\nTLS-Required: No",
            false,
            false,
            false,
        ),
        ("outweighed by REQUIRETLS", "TLS-Required: No", true, false, false),
        ("outweighed by a route", "TLS-Required: No", false, true, false),
    ] {
        let fake = Fake::start(Manner {
            offers: &["STARTTLS", "REQUIRETLS"],
            tls: Some(tls.clone()),
            ..Manner::default()
        })
        .await;
        let port = fake.address.port();
        let table = table(&fake)
            .with_secure("far.test")
            .with_tlsa(HOST, port, record.clone());
        let port = port.to_string();
        let settings = [
            ("outgoing.port", port.as_str()),
            ("outgoing.dane", "true"),
            ("tls-report.send", "true"),
        ];
        let house = House::with_dns(Dns::scripted(table), &settings).await;
        if route {
            let mut strict = shared::Route::new("strict");
            strict.tls = shared::route::RouteTls::Dane;
            house
                .parts
                .directory
                .add_route(strict, None, "test")
                .await
                .unwrap();
        }
        let mut envelope = envelope(&["a@far.test"]);
        envelope.require_tls = requires;
        house
            .send_as(envelope, &relaxed.replace("TLS-Required: No", field))
            .await;
        if goes {
            house.until_empty().await;
            assert_eq!(fake.texts().len(), 1, "{what}");
            assert_eq!(counted(&house).await, [], "{what}");
        } else {
            let reply = house.until_put_off().await;
            assert!(reply.starts_with("451 4.7.5"), "{what}: {reply}");
            assert!(fake.texts().is_empty(), "{what}");
        }
        house.delivery.close(PATIENCE).await;
    }
}

/// A web server that takes reports: their head, and the body. It answers when `gate` lets it.
async fn collector(
    tls: Tls,
    status: &'static str,
    gate: Arc<Semaphore>,
) -> (SocketAddr, Arc<parking_lot::Mutex<Vec<(String, Vec<u8>)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let all = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = tls.acceptor().tokio().accept(stream).await else {
                continue;
            };
            let mut read = Vec::new();
            let (head, body) = loop {
                let mut buffer = [0; 4096];
                let count = stream.read(&mut buffer).await.unwrap();
                assert_ne!(count, 0, "a request that is not whole");
                read.extend_from_slice(&buffer[..count]);
                let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") else {
                    continue;
                };
                let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
                let (_, length) = head.split_once("content-length: ").unwrap();
                let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
                if read.len() == end + 4 + length {
                    break (head, read[end + 4..].to_vec());
                }
            };
            all.lock().push((head, body));
            gate.acquire().await.unwrap().forget();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (address, heard)
}

fn open_gate() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(1000))
}

fn unpacked(packed: &[u8]) -> Value {
    let json = miniz_oxide::inflate::decompress_to_vec(&packed[10..packed.len() - 8]).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// A house that counted one session with far.test, whose reports go where `rua` says.
async fn reporter(rua: &str, taker: &Fake, web: Option<(SocketAddr, String)>) -> (House, Fake) {
    let fake = host(None).await;
    let port = fake.address.port().to_string();
    let table = table(&fake)
        .with_txt("_smtp._tls.far.test", "v=TLSRPTv2; rua=mailto:no@remote.test")
        .with_txt("_smtp._tls.far.test", &format!("v=TLSRPTv1; rua={rua}"));
    let overrides = BTreeMap::from([(domain("remote.test"), taker.address)]);
    let dns = Dns::scripted(table).with_overrides(overrides);
    let settings = [
        ("outgoing.port", port.as_str()),
        ("tls-report.send", "true"),
        ("dmarc.contact", "tls@example.test"),
        ("dmarc.organization", "Example"),
    ];
    let roots = web.as_ref().map(|(_, pem)| pem.clone());
    let house = House::build(dns, &settings, roots.as_deref(), |http| match web {
        Some((at, _)) => http.with_address("reports.far.test", at),
        None => http,
    })
    .await;
    outcome(&house, &fake).await;
    (house, fake)
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_go_signed_by_mail_and_to_web_servers() {
    let taker = Fake::start(Manner::default()).await;
    let (web_tls, web_pem) = certificate("reports.far.test");
    let (web, posted) = collector(web_tls, "201 Created", open_gate()).await;
    let rua = "mailto:t%6cs@remote.test?subject=x,https://reports.far.test/v1,gopher://x";
    let (house, _far) = reporter(rua, &taker, Some((web, web_pem))).await;
    let record = house.add_key("s", Algorithm::Ed25519Sha256, true).await;
    let waiting = house.delivery.reports_waiting().await.unwrap();
    assert_eq!((waiting[0].kind, waiting[0].count), (ReportKind::Tls, 1));
    assert_eq!(house.delivery.send_reports(ReportKind::Dmarc).await.unwrap(), 0);
    assert_eq!(house.delivery.send_reports(ReportKind::Tls).await.unwrap(), 1);
    assert_eq!(house.delivery.reports_waiting().await.unwrap(), []);
    house.until_empty().await;

    let text = taker.texts().pop().unwrap();
    if let Ok(file) = std::env::var("TLS_REPORT_OUT") {
        std::fs::write(file, &text).unwrap();
    }
    let signed = super::sign::signatures(&text, &[("s", &record)]).await;
    assert_eq!(signed, [("s".to_owned(), authenticity::Outcome::Pass)]);
    for part in [
        "From: <tls@example.test>\r\nTo: <tls@remote.test>\r\n",
        "Subject: Report Domain: far.test\r\n Submitter: mx.example.test\r\n Report-ID: <",
        "TLS-Required: No\r\n",
        "TLS-Report-Domain: far.test\r\nTLS-Report-Submitter: mx.example.test\r\n",
        "Content-Type: multipart/report; report-type=\"tlsrpt\";",
        "Content-Type: application/tlsrpt+gzip;",
        "filename=\"mx.example.test!far.test!",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let (_, body) = text.rsplit_once("base64\r\n\r\n").unwrap();
    let (body, _) = body.split_once("\r\n--").unwrap();
    let report = unpacked(&wire::base64::decode_tolerant(body.as_bytes()));
    let posted = posted.lock().clone();
    assert!(posted[0].0.starts_with("post /v1 "), "{}", posted[0].0);
    assert!(posted[0].0.contains("content-type: application/tlsrpt+gzip"));
    assert_eq!(unpacked(&posted[0].1), report, "the same on both ways");

    assert_eq!(report["organization-name"], "Example");
    assert_eq!(report["contact-info"], "tls@example.test");
    let begin = report["date-range"]["start-datetime"].as_str().unwrap();
    assert!(begin.ends_with("T00:00:00Z"), "{begin}");
    let policy = &report["policies"][0];
    assert_eq!(policy["policy"]["policy-type"], "no-policy-found");
    assert_eq!(policy["policy"]["policy-domain"], "far.test");
    assert_eq!(policy["summary"]["total-successful-session-count"], 0);
    assert_eq!(policy["summary"]["total-failure-session-count"], 1);
    let detail = &policy["failure-details"][0];
    for (key, value) in [
        ("result-type", "starttls-not-supported"),
        ("receiving-mx-hostname", HOST),
        ("receiving-ip", "127.0.0.1"),
        ("sending-mta-ip", "127.0.0.1"),
    ] {
        assert_eq!(detail[key], value, "{key}");
    }
    // Sending it counts nothing: the next report would be about this one.
    assert_eq!(house.delivery.reports_waiting().await.unwrap(), []);
}

/// A report would say too little, or be taken for one that came before.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_seen_while_a_report_is_sent_is_in_the_next_one() {
    let taker = Fake::start(Manner::default()).await;
    let (web_tls, web_pem) = certificate("reports.far.test");
    let gate = Arc::new(Semaphore::new(0));
    let (web, posted) = collector(web_tls, "201 Created", gate.clone()).await;
    let (house, _far) = reporter("https://reports.far.test/v1", &taker, Some((web, web_pem))).await;
    house.delivery.reports_waiting().await.unwrap();
    let directory = &house.parts.directory;
    let body = directory
        .report_rows(ReportKind::Tls, Some("far.test"))
        .await
        .unwrap()[0]
        .body
        .clone();
    let delivery = house.delivery.clone();
    let first = tokio::spawn(async move { delivery.send_reports(ReportKind::Tls).await.unwrap() });
    while posted.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        let gathered = &house.delivery.inner.gathered;
        gathered.count(ReportKind::Tls, "far.test", body.clone());
    }
    assert_eq!(house.delivery.reports_waiting().await.unwrap()[0].count, 3);
    gate.add_permits(2);
    assert_eq!(first.await.unwrap(), 1);
    assert_eq!(house.delivery.reports_waiting().await.unwrap()[0].count, 2);
    assert_eq!(house.delivery.send_reports(ReportKind::Tls).await.unwrap(), 1);
    assert_eq!(house.delivery.reports_waiting().await.unwrap(), []);
    let reports: Vec<Value> = posted.lock().iter().map(|(_, body)| unpacked(body)).collect();
    let failed = |report: &Value| report["policies"][0]["summary"]["total-failure-session-count"].clone();
    assert_eq!((failed(&reports[0]), failed(&reports[1])), (1.into(), 2.into()));
    assert_ne!(reports[0]["report-id"], reports[1]["report-id"]);
}

/// An unsigned report is thrown away by who gets it; one that a web server does not take would be lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_reaches_nobody_waits() {
    let taker = Fake::start(Manner::default()).await;
    let (web_tls, web_pem) = certificate("reports.far.test");
    let (web, posted) = collector(web_tls, "500 No", open_gate()).await;
    let rua = "https://reports.far.test/v1,mailto:tls@remote.test";
    let (house, _far) = reporter(rua, &taker, Some((web, web_pem))).await;
    assert_eq!(house.delivery.send_reports(ReportKind::Tls).await.unwrap(), 0);
    assert_eq!(posted.lock().len(), 1);
    assert_eq!(house.delivery.reports_waiting().await.unwrap().len(), 1);
    house.add_key("s", Algorithm::Ed25519Sha256, true).await;
    // The change is told to the service, which may come a moment later.
    while house.delivery.send_reports(ReportKind::Tls).await.unwrap() == 0 {}
    assert_eq!(house.delivery.reports_waiting().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_outlives_the_service_and_nobody_is_told_who_did_not_ask() {
    let taker = Fake::start(Manner::default()).await;
    let (house, _far) = reporter("ftp://x", &taker, None).await;
    house.delivery.close(PATIENCE).await;
    let later = Delivery::start(house.parts.clone());
    assert_eq!(later.reports_waiting().await.unwrap().len(), 1);
    assert_eq!(later.send_reports(ReportKind::Tls).await.unwrap(), 0);
    assert_eq!(later.reports_waiting().await.unwrap(), [], "nobody wants it");
    later.close(PATIENCE).await;
}
