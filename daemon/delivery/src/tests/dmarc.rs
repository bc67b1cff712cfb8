use std::net::IpAddr;

use authenticity::{Outcome, Reading, Results, Spf};
use shared::protocol::ReportKind;
use tokio::time::Instant;

use super::fake::{Fake, Manner};
use super::*;

/// What is found out of a message in the name of `signer.test`, whose reports go to `remote.test` and `silent.test`.
async fn results(dns: &Dns) -> Results {
    let spf = Spf {
        result: Outcome::Fail,
        domain: Some(domain("signer.test")),
        sender: Some(address("x@signer.test")),
    };
    let reading = Reading::new(b"From: x@signer.test\r\n\r\n", "mx.example.test");
    reading.finish(dns, spf, Instant::now() + PATIENCE).await
}

/// Domains would not learn who uses their names; or be flooded, when somebody else wrote their address into a record.
#[tokio::test(flavor = "multi_thread")]
async fn reports_are_gathered_and_go_to_those_who_want_them() {
    let fake = Fake::start(Manner::default()).await;
    let table = Scripted::new()
        .with_txt(
            "_dmarc.signer.test",
            "v=DMARC1; p=reject; rua=mailto:r@remote.test,mailto:s@silent.test",
        )
        .with_txt("signer.test._report._dmarc.remote.test", "v=DMARC1");
    let overrides = BTreeMap::from([(domain("remote.test"), fake.address)]);
    let dns = Dns::scripted(table).with_overrides(overrides);
    let house = House::with_dns(dns.clone(), &[]).await;
    let (results, peer): (_, IpAddr) = (results(&dns).await, [192, 0, 2, 1].into());
    house.delivery.checked(&results, peer);
    assert_eq!(
        house.delivery.reports_waiting().await.unwrap(),
        [],
        "off at first"
    );
    let directory = &house.parts.directory;
    for (key, value) in [("dmarc.reports", "true"), ("dmarc.contact", "dmarc@example.test")] {
        let (_, revision) = directory.setting_values().await.unwrap();
        directory.set_setting(key, value, revision, "test").await.unwrap();
    }
    for _ in 0..2 {
        house.delivery.checked(&results, peer);
        house.delivery.checked(&results, [192, 0, 2, 2].into());
        // Written down in between: the counts are added up.
        let waiting = house.delivery.reports_waiting().await.unwrap();
        assert_eq!(waiting[0].domain, "signer.test");
    }
    let waiting = house.delivery.reports_waiting().await.unwrap();
    // There is one for each day, and midnight may be in between.
    assert_eq!(waiting.iter().map(|row| row.count).sum::<u64>(), 4);
    assert_eq!(
        house.delivery.send_reports(ReportKind::Dmarc).await.unwrap(),
        waiting.len() as u64
    );
    assert_eq!(house.delivery.reports_waiting().await.unwrap(), []);
    house.until_empty().await;
    let recipients: Vec<String> = fake
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("RCPT ") || line.starts_with("MAIL "))
        .collect();
    assert!(recipients[0].starts_with("MAIL FROM:<>"), "{recipients:?}");
    assert!(
        recipients[1].starts_with("RCPT TO:<r@remote.test>"),
        "{recipients:?}"
    );
    assert_eq!(recipients.len(), 2, "{recipients:?}");
    let text = fake.texts().pop().unwrap();
    for part in [
        "From: <dmarc@example.test>\r\n",
        "Subject: Report Domain: signer.test\r\n Submitter: mx.example.test\r\n Report-ID: <",
        "Content-Type: application/gzip;",
        "filename=\"mx.example.test!signer.test!",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    if let Ok(file) = std::env::var("DMARC_OUT") {
        std::fs::write(file, &text).unwrap();
    }
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let packed = wire::base64::decode_tolerant(body.as_bytes());
    let xml = miniz_oxide::inflate::decompress_to_vec(&packed[10..packed.len() - 8]).unwrap();
    let xml = String::from_utf8(xml).unwrap();
    assert_eq!(
        packed[packed.len() - 8..packed.len() - 4],
        crc32fast::hash(xml.as_bytes()).to_le_bytes()
    );
    for part in [
        "<source_ip>192.0.2.1</source_ip><count>2</count>",
        "<source_ip>192.0.2.2</source_ip><count>2</count>",
        "<header_from>signer.test</header_from>",
        "<scope>mfrom</scope><result>fail</result>",
    ] {
        assert!(xml.contains(part), "{part} is not in {xml}");
    }
}
