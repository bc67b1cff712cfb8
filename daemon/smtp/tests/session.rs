//! Sessions over memory against real rooms: directory, queue and journal.
#![allow(clippy::unwrap_used, clippy::panic)]

mod extensions;
#[allow(dead_code, reason = "each test file uses a part of it")]
mod world;

use batpost_smtp::Role;
use queue::Origin;
use rustls::pki_types::ServerName;
use shared::Address;
use shared::model::{Side, User};
use tls::Trust;
use tokio_rustls::TlsConnector;
use world::{Client, ELSEWHERE, LOOPBACK, World};

#[tokio::test]
async fn a_message_is_queued_as_it_came_with_the_trace_on_top() {
    let world = World::new().await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    client
        .say("MAIL FROM:<x@else.test> SIZE=100 BODY=8BITMIME\r\n", "250 2.1.0")
        .await;
    client
        .say(
            "RCPT TO:<Anna@here.test> NOTIFY=SUCCESS ORCPT=rfc822;a+2Bb@x\r\n",
            "250 2.1.5",
        )
        .await;
    client.say("DATA\r\n", "354 ").await;
    let text = "Return-Path: <kept@else.test>\r\nSubject: \u{43f}\r\n\r\n..dot\r\n";
    let reply = client
        .say(format!("{text}.\r\n"), "250 2.0.0 Ok: queued as ")
        .await;
    let (envelope, queued) = world.queued().await;
    let (top, rest) = queued.split_once("Return-Path: <kept").unwrap();
    assert_eq!(format!("Return-Path: <kept{rest}"), text.replace("..dot", ".dot"));
    let lines: Vec<&str> = top.split("\r\n").collect();
    assert_eq!(lines[0], "Return-Path: <x@else.test>");
    assert_eq!(lines[1], "Received: from client.test ([192.0.2.7])");
    assert!(
        lines[2].starts_with("\tby mail.here.test with ESMTP id "),
        "{}",
        lines[2]
    );
    assert_eq!(lines[3], "\tfor <Anna@here.test>;");
    assert!(reply.trim_end().len() > "250 2.0.0 Ok: queued as ".len());
    assert_eq!(envelope.sender.as_ref().unwrap().to_string(), "x@else.test");
    assert_eq!(
        (envelope.origin, envelope.eight_bit, envelope.user.is_none()),
        (Origin::Smtp, true, true)
    );
    let recipient = &envelope.recipients[0];
    assert_eq!(recipient.original.as_deref(), Some("rfc822;a+2Bb@x"));
    assert!(
        recipient
            .notify
            .is_some_and(|notify| notify.success && !notify.failure)
    );
    client.say("QUIT\r\n", "221 2.0.0").await;
    assert_eq!(client.reply().await, "");
}

// Whoever relays for strangers is a spammer's tool by tomorrow.
#[tokio::test]
async fn strangers_reach_users_and_nobody_else() {
    let world = World::new().await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    client.say("MAIL FROM:<anna@here.test>\r\n", "250 2.1.0").await;
    for (recipient, expected) in [
        ("info@here.test", "250 2.1.5"),
        ("nobody@here.test", "550 5.1.1"),
        ("x@else.test", "550 5.7.1"),
        ("x@[192.0.2.1]", "550 5.1.2"),
        ("\"x@else.test\"@here.test", "550 5.1.1"),
        ("x%else.test@here.test", "550 5.1.1"),
        ("@here.test:x@else.test", "550 5.7.1"),
        ("postmaster", "550 5.1.1"),
    ] {
        client.say(format!("RCPT TO:<{recipient}>\r\n"), expected).await;
    }
    world.set("server.postmaster", "boris@here.test").await;
    client.say("RSET\r\n", "250 2.0.0").await;
    client.say("MAIL FROM:<>\r\n", "250 2.1.0").await;
    client.say("RCPT TO:<postmaster>\r\n", "250 2.1.5").await;
}

#[tokio::test]
async fn a_directory_that_is_down_is_no_no() {
    let world = World::new().await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    client.say("MAIL FROM:<>\r\n", "250 2.1.0").await;
    world.database.set_down(true);
    client
        .say("RCPT TO:<never-asked@here.test>\r\n", "451 4.3.0")
        .await;
    world.database.set_down(false);
    client.say("RCPT TO:<anna@here.test>\r\n", "250 2.1.5").await;
}

#[tokio::test]
async fn submission_is_for_users_with_their_own_addresses() {
    let world = World::new().await;
    let mut client = world.hello(Role::Submission, LOOPBACK).await;
    client.say("MAIL FROM:<anna@here.test>\r\n", "530 5.7.0").await;
    client
        .say("AUTH PLAIN AGFubmFAaGVyZS50ZXN0AHdyb25n\r\n", "535 5.7.8")
        .await;
    client.say("AUTH LOGIN\r\n", "334 VXNlcm5hbWU6").await;
    client.say("*\r\n", "501 5.7.0").await;
    client.say("AUTH NONSENSE\r\n", "504 5.5.4").await;
    client.say("AUTH LOGIN\r\n", "334 ").await;
    client.say("YW5uYUBoZXJlLnRlc3Q=\r\n", "334 ").await;
    client.say("cGFzcw==\r\n", "235 2.7.0").await;
    client.say("AUTH LOGIN\r\n", "503 5.5.1").await;
    client.say("MAIL FROM:<boris@here.test>\r\n", "553 5.7.1").await;
    client.say("MAIL FROM:<info@here.test>\r\n", "250 2.1.0").await;
    client.say("RCPT TO:<x@else.test>\r\n", "250 2.1.5").await;
    client.say("RCPT TO:<y@else.test>\r\n", "250 2.1.5").await;
    client.say("DATA\r\n", "354 ").await;
    client.say("Subject: s\r\n\r\nbody\r\n.\r\n", "250 2.0.0").await;
    let (envelope, text) = world.queued().await;
    assert_eq!(envelope.user.as_ref().unwrap().to_string(), "anna@here.test");
    assert_eq!(envelope.origin, Origin::Submission);
    assert!(
        text.contains("\r\nDate: ") && text.contains("\r\nMessage-ID: <"),
        "{text}"
    );
    assert!(
        text.contains(" with ESMTPA id ") && !text.contains("for <"),
        "{text}"
    );
    assert!(text.ends_with("\r\nSubject: s\r\n\r\nbody\r\n"));

    client.say("MAIL FROM:<anna@here.test>\r\n", "250 2.1.0").await;
    client.say("RCPT TO:<x@else.test>\r\n", "250 2.1.5").await;
    client.say("DATA\r\n", "354 ").await;
    client
        .say("dAtE: own\r\nMessage-Id: <own>\r\n\r\nbody\r\n.\r\n", "250 2.0.0")
        .await;
    let text = world.queued().await.1;
    assert_eq!(
        (
            text.matches("Message-I").count(),
            text.to_lowercase().matches("\r\ndate:").count()
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn a_challenge_and_its_answer_log_in() {
    let world = World::new().await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    // No password in the clear: refused before it is sent, where the client lets us.
    client.say("AUTH PLAIN\r\n", "538 5.7.11").await;
    client.say("AUTH LOGIN\r\n", "538 5.7.11").await;
    let challenge = client.say("AUTH CRAM-MD5\r\n", "334 ").await;
    let challenge = wire::base64::decode(challenge[4..].trim_end().as_bytes()).unwrap();
    let mut answer =
        wire::sasl::client::Client::new(wire::sasl::Mechanism::CramMd5, "anna@here.test", "pass", "")
            .unwrap();
    let answer = wire::base64::encode(&answer.respond(&challenge).unwrap());
    client.say(format!("{answer}\r\n"), "235 2.7.0").await;
    // Whoever logged in may send elsewhere on port 25 as well.
    client.say("MAIL FROM:<anna@here.test>\r\n", "250 2.1.0").await;
    client.say("RCPT TO:<x@else.test>\r\n", "250 2.1.5").await;
}

// SMTP smuggling: what another server takes for an end of data is no end here, and is not handed on.
#[tokio::test]
async fn nothing_is_smuggled() {
    let world = World::new().await;
    let mut events = world.events.subscribe();
    for end in [
        "\n.\n",
        "\n.\r\n",
        "\r.\r\n",
        "\r\n.\n",
        "\r\n.\r",
        "\r.\r",
        "\r\n\0.\r\n",
        "\n..\r\n",
        "\r\n.\r\r\n",
    ] {
        let mut client = world.hello(Role::Mx, ELSEWHERE).await;
        client.begin().await;
        let inner = "MAIL FROM:<root@here.test>\r\nRCPT TO:<boris@here.test>\r\nDATA\r\nevil\r\n";
        let reply = client
            .say(
                format!("Subject: a\r\n\r\nhello{end}{inner}\r\n.\r\n"),
                "554 5.6.0",
            )
            .await;
        assert!(reply.contains("the message"), "{reply}");
        // Exactly one reply: nothing inside was obeyed.
        client.say("NOOP\r\n", "250 2.0.0 Ok").await;
        client.say("RCPT TO:<anna@here.test>\r\n", "503 5.5.1").await;
    }
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    client.begin().await;
    client.say("the only one\r\n.\r\n", "250 2.0.0").await;
    assert!(world.queued().await.1.ends_with("the only one\r\n"));
    // All but the NUL are attempts to smuggle, and the administrator hears of each.
    for _ in 0..8 {
        while events.recv().await.unwrap().code != "smtp-smuggling-refused" {}
    }
}

#[tokio::test]
async fn starttls_begins_anew_and_takes_nothing_along() {
    let world = World::new().await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    client
        .say("STARTTLS\r\nMAIL FROM:<evil@else.test>\r\n", "554 5.5.1")
        .await;
    assert_eq!(client.reply().await, "");

    let mut client = world.connect(Role::Mx, ELSEWHERE).await;
    let offered = client.say("EHLO c.test\r\n", "250-").await;
    assert!(
        offered.contains("250-STARTTLS\r\n") && !offered.contains("PLAIN"),
        "{offered}"
    );
    client.say("STARTTLS\r\n", "220 2.0.0").await;
    let connector = TlsConnector::from(world.tls.client_config(Trust::Opportunistic).unwrap());
    let name = ServerName::try_from("mail.here.test").unwrap();
    let mut client = Client::new(connector.connect(name, client.into_inner()).await.unwrap());
    client
        .say("MAIL FROM:<x@else.test>\r\n", "503 5.5.1 Send EHLO")
        .await;
    let offered = client.say("EHLO c.test\r\n", "250-").await;
    assert!(
        !offered.contains("STARTTLS") && offered.contains(" PLAIN"),
        "{offered}"
    );
    client.begin().await;
    client.say("x\r\n.\r\n", "250 2.0.0").await;
    assert!(world.queued().await.1.contains(" with ESMTPS id "));
    client.say("STARTTLS\r\n", "503 5.5.1").await;
}

#[tokio::test]
async fn a_group_of_commands_is_answered_in_one_go() {
    let world = World::new().await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    client
        .send("MAIL FROM:<x@else.test>\r\nRCPT TO:<anna@here.test>\r\nRCPT TO:<no@here.test>\r\nDATA\r\n")
        .await;
    client.read().await;
    let replies = String::from_utf8(client.unread().to_vec()).unwrap();
    let codes: Vec<&str> = replies.lines().map(|line| &line[..3]).collect();
    assert_eq!(codes, ["250", "250", "550", "354"]);
    for _ in 0..4 {
        client.reply().await;
    }
    client
        .send("x\r\n.\r\nMAIL FROM:<x@else.test>\r\nRSET\r\nQUIT\r\n")
        .await;
    for expected in ["250 2.0.0 Ok: queued", "250 2.1.0", "250 2.0.0", "221", ""] {
        let reply = client.reply().await;
        assert!(reply.starts_with(expected), "{reply}");
    }
}

#[tokio::test]
async fn limits_are_kept_and_told() {
    let world = World::new().await;
    world.set("smtp.message-size-max", "2000").await;
    world.set("smtp.recipients-max", "1").await;
    world.set("smtp.errors-max", "8").await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    client
        .say("MAIL FROM:<x@else.test> SIZE=2001\r\n", "552 5.3.4")
        .await;
    client
        .say("MAIL FROM:<x@else.test> REQUIRETLS\r\n", "555 5.5.4")
        .await;
    client
        .say("MAIL FROM:<x@else.test> BY=120;R\r\n", "555 5.5.4")
        .await;
    client.say("MAIL FROM:<x@else.test>\r\n", "250 2.1.0").await;
    client.say("RCPT TO:<anna@here.test>\r\n", "250 2.1.5").await;
    client.say("RCPT TO:<boris@here.test>\r\n", "452 4.5.3").await;
    client.say("DATA\r\n", "354 ").await;
    let line = format!("{}\r\n", "x".repeat(100));
    client
        .say(format!("{}.\r\n", line.repeat(2000)), "552 5.3.4")
        .await;
    client.begin().await;
    let lost = "Received: by x\r\n".repeat(51);
    client.say(format!("{lost}\r\nx\r\n.\r\n"), "554 5.4.6").await;
    client.begin().await;
    client.say("\r\n.\r\n", "250 2.0.0").await;
    client
        .say(format!("NOOP {}\r\n", "x".repeat(200_000)), "500 5.5.2")
        .await;
    client.say("NOOP\n", "500 5.5.2").await;
    client.say("WHAT\r\n", "500 5.5.2").await;
    client.say("EXPN staff\r\n", "502 5.5.1").await;
    assert!(client.reply().await.starts_with("421 4.7.0"));
    assert_eq!(client.reply().await, "");
}

#[tokio::test]
async fn chunks_make_a_message_and_no_byte_of_them_a_command() {
    let world = World::new().await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    // Without a transaction the chunk is read away.
    client.say("BDAT 6\r\nQUIT\r\n", "503 5.5.1").await;
    client.say("MAIL FROM:<x@else.test>\r\n", "250 2.1.0").await;
    client.say("RCPT TO:<anna@here.test>\r\n", "250 2.1.5").await;
    client.say("BDAT 12\r\nSubject: a\r\n", "250 2.0.0 Chunk").await;
    client.say("DATA\r\n", "503 5.5.1").await;
    client.say("RCPT TO:<boris@here.test>\r\n", "503 5.5.1").await;
    client.send("BDAT 7\r\n\r\n.\r\n..BDAT 2 LAST\r\n\r\n").await;
    assert!(client.reply().await.starts_with("250 2.0.0 Chunk"));
    assert!(client.reply().await.starts_with("250 2.0.0 Ok: queued"));
    assert!(world.queued().await.1.ends_with("Subject: a\r\n\r\n.\r\n..\r\n"));
    for bad in ["a\nb", "a\rb", "a\0b", "ab\r"] {
        client.say("MAIL FROM:<x@else.test>\r\n", "250 2.1.0").await;
        client.say("RCPT TO:<anna@here.test>\r\n", "250 2.1.5").await;
        client
            .say(format!("BDAT {} LAST\r\n{bad}", bad.len()), "554 5.6.0")
            .await;
    }
    client.say("BDAT 99999999999999\r\n", "552 5.3.4").await;
    assert_eq!(client.reply().await, "");
}

#[tokio::test]
async fn lmtp_answers_for_each_recipient_and_only_this_host() {
    let world = World::new().await;
    let mut client = world.connect(Role::Lmtp, LOOPBACK).await;
    client.say("EHLO c\r\n", "500 5.5.1").await;
    client.say("LHLO c\r\n", "250-mail.here.test").await;
    client.say("MAIL FROM:<x@else.test>\r\n", "250 2.1.0").await;
    client.say("DATA\r\n", "503 5.5.1").await;
    client.say("RCPT TO:<anna@here.test>\r\n", "250 2.1.5").await;
    client.say("RCPT TO:<x@else.test>\r\n", "550 5.7.1").await;
    client.say("RCPT TO:<boris@here.test>\r\n", "250 2.1.5").await;
    client.say("DATA\r\n", "354 ").await;
    client.say("x\r\n.\r\n", "250 2.0.0 Ok: queued").await;
    assert!(client.reply().await.starts_with("250 2.0.0 Ok: queued"));
    client.say("NOOP\r\n", "250 2.0.0 Ok").await;
    let (envelope, text) = world.queued().await;
    assert_eq!((envelope.recipients.len(), envelope.origin), (2, Origin::Lmtp));
    assert!(text.contains(" with LMTP id "));

    let mut client = world.open(Role::Lmtp, ELSEWHERE);
    assert!(client.reply().await.starts_with("554 5.7.1"));
    assert_eq!(client.reply().await, "");
}

/// The mail would bounce days later, though whoever hands it over could have been told at once.
#[tokio::test]
async fn lmtp_tells_who_has_no_room_and_who_is_gone_by_now() {
    let world = World::with_mailboxes().await;
    let boris = Address::parse("boris@here.test").unwrap();
    let change = async |quota_bytes, enabled| {
        let user = world.directory.user(&boris).await.unwrap().unwrap();
        let user = User {
            quota_bytes,
            enabled,
            ..user
        };
        world.directory.set_user(user, "test").await.unwrap();
    };
    let mut client = world.connect(Role::Lmtp, LOOPBACK).await;
    client.say("LHLO c\r\n", "250-mail.here.test").await;
    change(Some(60), true).await;
    let text = "Subject: x\r\n\r\n0123456789012345678901234567890123456789\r\n012345\r\n.\r\n";
    for (recipients, refused) in [
        (&["boris", "anna", "boris"][..], "452 4.2.2"),
        (&["boris"], "452 4.2.2"),
        (&["anna", "boris"], "550 5.2.1"),
    ] {
        client.say("MAIL FROM:<x@else.test>\r\n", "250 2.1.0").await;
        for recipient in recipients {
            client
                .say(format!("RCPT TO:<{recipient}@here.test>\r\n"), "250 2.1.5")
                .await;
        }
        client.say("DATA\r\n", "354 ").await;
        if refused.starts_with('5') {
            change(None, false).await;
        }
        client.send(text).await;
        for recipient in recipients {
            let expected = if *recipient == "boris" {
                refused
            } else {
                "250 2.0.0"
            };
            let reply = client.reply().await;
            assert!(reply.starts_with(expected), "{recipient}: {reply}");
        }
        client.say("NOOP\r\n", "250 2.0.0 Ok").await;
        if recipients.contains(&"anna") {
            let (envelope, _) = world.queued().await;
            let taken: Vec<_> = envelope
                .recipients
                .iter()
                .map(|one| one.address.local())
                .collect();
            assert_eq!(taken, ["anna"]);
        } else {
            assert_eq!(world.queue.counts().messages, 0);
        }
    }
    // What fits is taken, to the byte.
    change(Some(text.len() as u64 - 3), true).await;
    client.say("MAIL FROM:<x@else.test>\r\n", "250 2.1.0").await;
    client.say("RCPT TO:<boris@here.test>\r\n", "250 2.1.5").await;
    client.say("DATA\r\n", "354 ").await;
    client.say(text, "250 2.0.0").await;
}

#[tokio::test]
async fn a_large_message_comes_through_whole() {
    let world = World::new().await;
    let mut client = world.anna().await;
    client.say("MAIL FROM:<anna@here.test>\r\n", "250 2.1.0").await;
    client.say("RCPT TO:<boris@here.test>\r\n", "250 2.1.5").await;
    client.say("DATA\r\n", "354 ").await;
    let body = "a line of a large message\r\n..\r\n".repeat(40_000);
    client
        .say(format!("Subject: large\r\n\r\n{body}.\r\n"), "250 2.0.0")
        .await;
    let text = world.queued().await.1;
    let body = body.replace("..", ".");
    assert!(text.ends_with(&format!("\r\nSubject: large\r\n\r\n{body}")));
}

#[tokio::test]
async fn settings_reach_sessions_that_are_open() {
    let world = World::new().await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    world.set("smtp.message-size-max", "2000").await;
    client
        .say("MAIL FROM:<x@else.test> SIZE=2001\r\n", "552 5.3.4")
        .await;
}

// A peer must not lose its message to a restart without a word.
#[tokio::test(start_paused = true)]
async fn silence_and_a_slow_trickle_end_with_a_word() {
    let world = World::new().await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    assert!(client.reply().await.starts_with("421 4.4.2"));
    // One byte now and then: the limit is for the line.
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    let began = tokio::time::Instant::now();
    for _ in 0..4 {
        client.send("N").await;
        tokio::time::sleep(std::time::Duration::from_secs(100)).await;
    }
    assert!(client.reply().await.starts_with("421 4.4.2"));
    assert!(began.elapsed().as_secs() >= 300);
}

#[tokio::test]
async fn what_a_session_costs_is_small() {
    let world = World::new().await;
    let (_client, server) = tokio::io::duplex(1);
    let future = batpost_smtp::serve(net::Conn::for_test(server), world.server(), Role::Mx);
    assert!(
        std::mem::size_of_val(&future) <= 2048,
        "{} bytes",
        std::mem::size_of_val(&future)
    );
}

#[tokio::test]
async fn blocked_addresses_are_refused_and_white_ones_are_not() {
    let world = World::with_policy().await;
    for (side, pattern) in [
        (Side::Block, "*@spam.test"),
        (Side::Allow, "good@spam.test"),
        (Side::Block, "boris@here.test"),
    ] {
        world.list(side, pattern).await;
    }
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    client.say("MAIL FROM:<bad@spam.test>\r\n", "550 5.7.1").await;
    client.say("MAIL FROM:<good@spam.test>\r\n", "250 2.1.0").await;
    client.say("RCPT TO:<boris@here.test>\r\n", "550 5.7.1").await;
    client.say("RCPT TO:<anna@here.test>\r\n", "250 2.1.5").await;
}
