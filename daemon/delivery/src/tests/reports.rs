use super::fake::{Fake, Manner};
use super::*;

/// The first part of a report, decoded.
fn words(report: &str) -> String {
    let encoded = report
        .split("Content-Transfer-Encoding: base64\r\n\r\n")
        .nth(1)
        .unwrap()
        .split("\r\n\r\n")
        .next()
        .unwrap();
    String::from_utf8(wire::base64::decode(encoded.replace("\r\n", "").as_bytes()).unwrap()).unwrap()
}

/// People would get what they can't read, though somebody said what they can.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_in_the_language_of_its_reader() {
    for (of_domain, of_user, language) in [
        ("", "", "en"),
        ("ru", "", "ru"),
        ("ru", "en", "en"),
        ("", "ru", "ru"),
    ] {
        let house = House::with_dns(Dns::scripted(Scripted::unreachable()), &[]).await;
        let directory = &house.parts.directory;
        let mut domain = directory.domain(&domain("example.test")).await.unwrap().unwrap();
        of_domain.clone_into(&mut domain.language);
        directory.set_domain(domain, "test").await.unwrap();
        let mut user = directory
            .user(&address("ann@example.test"))
            .await
            .unwrap()
            .unwrap();
        of_user.clone_into(&mut user.language);
        directory.set_user(user.clone(), "test").await.unwrap();
        user.language = "xx".to_owned();
        assert!(
            directory.set_user(user, "test").await.is_err(),
            "no such language"
        );
        house.send(&["nobody@example.test"], TEXT).await;
        house.until_empty().await;
        let text = house.inbox("ann@example.test").await.remove(0);
        let wanted = format!("Content-Language: {language}\r\n");
        assert!(text.contains(&wanted), "{of_domain}, {of_user}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_explains_in_the_server_s_language() {
    for (language, subject, sentence, from) in [
        (
            "en",
            "Subject: Your message could not be delivered\r\n",
            "There is no such address. Check how it is written.",
            "From: Mail delivery <postmaster@mx.example.test>",
        ),
        (
            "ru",
            "Subject: =?utf-8?B?",
            "Такого адреса нет. Проверьте, правильно ли он написан.",
            "From: =?utf-8?B?",
        ),
    ] {
        let house = House::with_dns(
            Dns::scripted(Scripted::unreachable()),
            &[("server.language", language)],
        )
        .await;
        let mut envelope = envelope(&["nobody@example.test"]);
        envelope.envelope_id = Some("QQ314159".to_owned());
        envelope.recipients[0].original = Some("rfc822;No+2Bbody@example.test".to_owned());
        house.send_as(envelope, TEXT).await;
        house.until_empty().await;
        let told = house.inbox("ann@example.test").await;
        assert_eq!(told.len(), 1);
        let report = &told[0];
        for part in [
            "Return-Path: <>\r\n",
            from,
            "To: <ann@example.test>\r\n",
            subject,
            "Auto-Submitted: auto-replied\r\n",
            "Content-Type: multipart/report; report-type=delivery-status;",
            "Reporting-MTA: dns; mx.example.test\r\nOriginal-Envelope-Id: QQ314159\r\n",
            "Original-Recipient: rfc822;No+body@example.test\r\nFinal-Recipient: rfc822;nobody@example.test\r\nAction: failed\r\nStatus: 5.1.1\r\n",
            "Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: hello\r\n",
        ] {
            assert!(report.contains(part), "{part}\n{report}");
        }
        assert!(!report.contains("dot"), "the body stays");
        assert!(words(report).contains(sentence), "{}", words(report));
        assert!(report.lines().all(|line| line.len() <= 998));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_of_what() {
    let wants = |success, failure| {
        Some(Notify {
            success,
            failure,
            delay: false,
        })
    };
    for (place, sender, notify, full, to, reports, part) in [
        (
            "no report on a report",
            None,
            None,
            None,
            "nobody@example.test",
            0,
            "",
        ),
        (
            "NOTIFY=NEVER",
            Some("ann"),
            wants(false, false),
            None,
            "nobody@example.test",
            0,
            "",
        ),
        (
            "RET=FULL",
            Some("ann"),
            wants(false, true),
            Some(true),
            "nobody@example.test",
            1,
            "message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: hello\r\n\r\n.dot\r\n",
        ),
        (
            "SUCCESS here",
            Some("ann"),
            wants(true, true),
            Some(true),
            "bob@example.test",
            1,
            "Action: delivered\r\nStatus: 2.0.0\r\n",
        ),
        (
            "SUCCESS at a host without DSN",
            Some("ann"),
            wants(true, true),
            None,
            "a@remote.test",
            1,
            "Action: relayed\r\nStatus: 2.0.0\r\n",
        ),
        (
            "silence by default",
            Some("ann"),
            None,
            None,
            "bob@example.test",
            0,
            "",
        ),
    ] {
        let fake = Fake::start(Manner::default()).await;
        let house = House::with_remote(fake.address).await;
        let mut envelope = envelope(&[to]);
        envelope.sender = sender.map(|user| address(&format!("{user}@example.test")));
        envelope.recipients[0].notify = notify;
        envelope.return_full = full;
        house.send_as(envelope, TEXT).await;
        house.until_empty().await;
        let told = house.inbox("ann@example.test").await;
        assert_eq!(told.len(), reports, "{place}");
        assert!(
            told.iter().all(|report| report.contains(part)),
            "{place}: {told:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_knows_dsn_gets_the_wishes() {
    let fake = Fake::start(Manner {
        offers: &["DSN"],
        ..Manner::default()
    })
    .await;
    let house = House::with_remote(fake.address).await;
    let mut envelope = envelope(&["a@remote.test"]);
    envelope.envelope_id = Some("a b".to_owned());
    envelope.return_full = Some(false);
    envelope.recipients[0].notify = Some(Notify {
        success: true,
        failure: true,
        delay: false,
    });
    envelope.recipients[0].original = Some("rfc822;A@remote.test".to_owned());
    house.send_as(envelope, TEXT).await;
    house.until_empty().await;
    let lines = fake.lines();
    assert!(
        lines.contains(&"MAIL FROM:<ann@example.test> RET=HDRS ENVID=a+20b".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(
            &"RCPT TO:<a@remote.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;A@remote.test".to_owned()
        ),
        "{lines:?}"
    );
    assert!(
        house.inbox("ann@example.test").await.is_empty(),
        "that host reports"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_given_up_at_the_end_of_its_lifetime_and_a_late_one_is_told_once() {
    let fake = Fake::start(Manner {
        mail: "451 4.3.0 later",
        ..Manner::default()
    })
    .await;
    let house = House::with_remote(fake.address).await;
    let late = Envelope {
        received: now() - 5 * 3600,
        ..envelope(&["late@remote.test"])
    };
    house.send_as(late, TEXT).await;
    house.until_put_off().await;
    house
        .until("the warning is delivered", async |queue| {
            queue.counts().messages == 1
        })
        .await;
    let told = house.inbox("ann@example.test").await;
    assert!(
        told[0].contains("Action: delayed\r\nStatus: 4.3.0\r\n") && told[0].contains("Will-Retry-Until: "),
        "{told:?}"
    );
    let old = Envelope {
        received: now() - 6 * 86_400,
        ..envelope(&["old@remote.test"])
    };
    house.send_as(old, TEXT).await;
    house
        .until("the report is delivered", async |queue| {
            queue.counts().messages == 1
        })
        .await;
    house.parts.queue.retry(&[]).await.unwrap();
    let told = house.inbox("ann@example.test").await;
    assert_eq!(told.len(), 2);
    assert!(
        told[1].contains("rfc822;old@remote.test\r\nAction: failed\r\nStatus: 5.3.0\r\n"),
        "{}",
        told[1]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_administrator_removes_is_told_if_wanted() {
    let fake = Fake::start(Manner {
        mail: "451 4.3.0 later",
        ..Manner::default()
    })
    .await;
    let house = House::with_remote(fake.address).await;
    let id = events::MessageId(house.send(&["a@remote.test"], TEXT).await);
    house.until_put_off().await;
    assert_eq!(house.parts.queue.remove(&[id], true).await.unwrap(), 1);
    house.until_empty().await;
    let told = house.inbox("ann@example.test").await;
    assert!(
        words(&told[0]).contains("An administrator removed the message."),
        "{told:?}"
    );
}
