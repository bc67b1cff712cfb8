//! Extensions and policies that a postmaster sets: REQUIRETLS, BINARYMIME, LIMITS, From, VRFY and EXPN, idle talk.

use batpost_smtp::Role;
use rustls::pki_types::ServerName;
use tls::Trust;
use tokio_rustls::TlsConnector;

use crate::world::{Client, ELSEWHERE, World};

/// The sender relies on it: mail that must not leave in plain text is marked so, and only TLS can bring it.
#[tokio::test]
async fn requiretls_is_offered_under_tls_only_and_kept_with_the_message() {
    let world = World::new().await;
    let mut client = world.connect(Role::Mx, ELSEWHERE).await;
    let offered = client.say("EHLO c.test\r\n", "250-").await;
    assert!(!offered.contains("REQUIRETLS"), "{offered}");
    assert!(offered.contains("250-LIMITS RCPTMAX=1000\r\n"), "{offered}");
    client
        .say("MAIL FROM:<x@else.test> REQUIRETLS\r\n", "555 5.5.4")
        .await;
    client.say("STARTTLS\r\n", "220 2.0.0").await;
    let connector = TlsConnector::from(world.tls.client_config(Trust::Opportunistic).unwrap());
    let name = ServerName::try_from("mail.here.test").unwrap();
    let mut client = Client::new(connector.connect(name, client.into_inner()).await.unwrap());
    let offered = client.say("EHLO c.test\r\n", "250-").await;
    assert!(offered.contains("250-REQUIRETLS\r\n"), "{offered}");
    for (parameter, required) in [(" REQUIRETLS", true), ("", false)] {
        let mail = format!("MAIL FROM:<x@else.test>{parameter}\r\n");
        client.say(mail, "250 2.1.0").await;
        client.say("RCPT TO:<anna@here.test>\r\n", "250 2.1.5").await;
        client.say("DATA\r\n", "354 ").await;
        client.say("x\r\n.\r\n", "250 2.0.0").await;
        assert_eq!(world.queued().await.0.require_tls, required);
    }
}

/// Chunks end anywhere, also within a boundary.
#[tokio::test]
async fn binary_parts_are_encoded_and_binary_text_elsewhere_is_refused() {
    let world = World::new().await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    let message =
        b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n--b\r\n\
        Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\r\n.\r\n\n\r\n--b--\r\n";
    for at in [1, 60, message.len() - 12, message.len() - 8] {
        let (first, second) = message.split_at(at);
        client
            .say("MAIL FROM:<x@else.test> BODY=BINARYMIME\r\n", "250 2.1.0")
            .await;
        client.say("RCPT TO:<anna@here.test>\r\n", "250 2.1.5").await;
        client.say("DATA\r\n", "503 5.5.1 BODY=BINARYMIME").await;
        client
            .say([format!("BDAT {at}\r\n").as_bytes(), first].concat(), "250 2.0.0")
            .await;
        let last = format!("BDAT {} LAST\r\n", second.len());
        client.say([last.as_bytes(), second].concat(), "250 2.0.0").await;
        let (envelope, text) = world.queued().await;
        assert!(envelope.eight_bit);
        assert!(
            text.ends_with(
                "Content-Transfer-Encoding: 8bit\r\n\r\n--b\r\nContent-Type: image/png\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\nAA0KLg0KCg==\r\n--b--\r\n"
            ),
            "{text}"
        );
    }
    client
        .say("MAIL FROM:<x@else.test> BODY=BINARYMIME\r\n", "250 2.1.0")
        .await;
    client.say("RCPT TO:<anna@here.test>\r\n", "250 2.1.5").await;
    client
        .say(
            b"BDAT 16 LAST\r\nSubject: x\r\n\r\na\n".as_slice(),
            "554 5.6.0 Bare",
        )
        .await;
}

/// A user writes in the name of the boss.
#[tokio::test]
async fn from_must_be_an_address_of_the_user() {
    let world = World::new().await;
    let mut client = world.anna().await;
    let cases = [
        ("From: Anna <anna@here.test>", "250"),
        ("From: \"The Boss, Inc.\" <ANNA+lists@here.test>", "250"),
        ("From: info@here.test, anna@here.test", "250"),
        ("Subject: no From at all", "250"),
        (
            "From: boris@here.test",
            "553 5.7.1 You may not send with this From",
        ),
        ("From: anna@here.test, boris@here.test", "553"),
        ("From: anna@here.test\r\nFrom: Boss <boss@else.test>", "553"),
        ("From: Anna\r\n <boss@else.test>", "553"),
        // Shown as whose it is, though there is no address.
        ("From: \"boss@else.test\"", "553"),
        ("From: Boss:;", "553"),
        ("From:", "553"),
        ("From: anna@here.test, boss", "553"),
    ];
    for (header, expected) in cases {
        client.say("MAIL FROM:<anna@here.test>\r\n", "250 2.1.0").await;
        client.say("RCPT TO:<x@else.test>\r\n", "250 2.1.5").await;
        client.say("DATA\r\n", "354 ").await;
        client
            .say(format!("{header}\r\n\r\nbody\r\n.\r\n"), expected)
            .await;
        if expected == "250" {
            world.queued().await;
        }
    }
    // Where nobody looks any more.
    let padding = format!("X-Padding: {}\r\n", "x".repeat(900)).repeat(1200);
    for (head, expected) in [("From: anna@here.test\r\n", "552 5.3.4"), ("", "552 5.3.4")] {
        client.say("MAIL FROM:<anna@here.test>\r\n", "250 2.1.0").await;
        client.say("RCPT TO:<x@else.test>\r\n", "250 2.1.5").await;
        client.say("DATA\r\n", "354 ").await;
        let text = format!("{head}{padding}From: boss@else.test\r\n\r\nbody\r\n.\r\n");
        client.say(text, expected).await;
    }
    world.set("submission.check-from", "false").await;
    client.say("MAIL FROM:<anna@here.test>\r\n", "250 2.1.0").await;
    client.say("RCPT TO:<x@else.test>\r\n", "250 2.1.5").await;
    client.say("DATA\r\n", "354 ").await;
    client.say("From: boss@else.test\r\n\r\n.\r\n", "250").await;
    // Others write in any name.
    let mut stranger = world.hello(Role::Mx, ELSEWHERE).await;
    stranger.begin().await;
    stranger.say("From: boris@here.test\r\n\r\n.\r\n", "250").await;
}

/// Spammers ask which addresses are worth their while.
#[tokio::test]
async fn vrfy_and_expn_tell_users_if_they_may() {
    let world = World::new().await;
    let mut client = world.anna().await;
    client.say("VRFY anna@here.test\r\n", "252 ").await;
    client.say("EXPN info@here.test\r\n", "502 ").await;
    world.set("smtp.verify", "true").await;
    // What holds is looked at with the next MAIL.
    client.say("MAIL FROM:<anna@here.test>\r\n", "250").await;
    for (question, answer) in [
        ("VRFY anna@here.test", "250 2.1.5 <anna@here.test>\r\n"),
        ("VRFY Anna <anna@here.test>", "250 2.1.5"),
        ("VRFY no@here.test", "550 5.1.1"),
        ("VRFY x@else.test", "252 "),
        ("VRFY anna", "501 5.1.3"),
        ("EXPN info@here.test", "250 2.1.5 <anna@here.test>\r\n"),
        ("EXPN no@here.test", "550 5.1.1"),
    ] {
        client.say(format!("{question}\r\n"), answer).await;
    }
    let mut stranger = world.hello(Role::Mx, ELSEWHERE).await;
    stranger.say("VRFY no@here.test\r\n", "252 ").await;
    stranger.say("EXPN info@here.test\r\n", "502 ").await;
}

/// Connections that only talk take the places of those that bring mail.
#[tokio::test(start_paused = true)]
async fn who_talks_and_sends_nothing_is_sent_away() {
    let world = World::new().await;
    world.set("smtp.commands-max", "20").await;
    world.set("smtp.patience", "600").await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    for _ in 0..10 {
        client.say("NOOP\r\n", "250").await;
    }
    // A message earns the right to further talk.
    client.begin().await;
    client.say("x\r\n.\r\n", "250 2.0.0").await;
    for _ in 0..20 {
        client.say("NOOP\r\n", "250").await;
    }
    client.say("NOOP\r\n", "421 4.7.0").await;
    assert_eq!(client.reply().await, "");

    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    let began = tokio::time::Instant::now();
    for _ in 0..3 {
        tokio::time::sleep(std::time::Duration::from_secs(190)).await;
        client.say("NOOP\r\n", "250").await;
    }
    assert!(client.reply().await.starts_with("421 4.4.2"));
    assert!(began.elapsed().as_secs() < 610);
}
