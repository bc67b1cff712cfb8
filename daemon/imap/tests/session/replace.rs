//! REPLACE (RFC 8508) and CATENATE (RFC 4469).

use crate::support::*;

#[tokio::test]
async fn one_message_takes_the_place_of_another() {
    let world = World::new().await;
    let mut client = world.inbox(3).await;
    client.send("a REPLACE 2 INBOX (\\Seen) {5}\r\n").await;
    assert!(client.line().await.starts_with('+'));
    client.send("draft\r\n").await;
    let lines = client.until("a").await;
    assert!(
        lines[0].starts_with("* OK [APPENDUID ") && lines[0].contains(" 4] "),
        "{lines:?}"
    );
    assert_eq!(lines[1], "* 4 EXISTS");
    let expunge = lines.iter().position(|line| line == "* 2 EXPUNGE");
    assert!(expunge.is_some_and(|at| at > 1), "{lines:?}");
    assert_eq!(
        client.ok("FETCH 3 (UID FLAGS BODY.PEEK[])").await,
        ["* 3 FETCH (UID 4 FLAGS (\\Recent \\Seen) BODY[] {5}\r\ndraft)"]
    );
    // Into another mailbox: here it only goes.
    client.send("b UID REPLACE 4 Sent {3+}\r\nabc\r\n").await;
    let lines = client.until("b").await;
    assert!(lines.contains(&"* 3 EXPUNGE".to_owned()) && !lines.iter().any(|line| line.ends_with("EXISTS")));
    assert_eq!(
        client.ok("STATUS Sent (MESSAGES)").await,
        ["* STATUS Sent (MESSAGES 1)"]
    );
}

#[tokio::test]
async fn replace_refuses_before_the_text_comes() {
    let world = World::new().await;
    let mut client = world.inbox(1).await;
    for (command, answer) in [
        ("REPLACE 2 INBOX {3}", "BAD"),
        ("UID REPLACE 9 INBOX {3}", "NO"),
        ("REPLACE 1 None {3}", "NO [TRYCREATE]"),
        ("REPLACE 1 INBOX {0}", "NO"),
        ("REPLACE 1:2 INBOX {3+}\r\nabc", "BAD"),
        ("REPLACE 1 INBOX {99999999999}", "NO [TOOBIG]"),
        ("REPLACE 1 INBOX", "BAD"),
    ] {
        let got = client.answer(command).await;
        assert!(got.starts_with(answer), "{command}: {got}");
    }
    client
        .send("a REPLACE 1 INBOX {3+}\r\nabc {3+}\r\ndef\r\nb NOOP\r\n")
        .await;
    assert!(client.line().await.starts_with("a BAD"));
    assert!(client.line().await.starts_with("b OK"));
    client.ok("EXAMINE INBOX").await;
    assert!(
        client
            .answer("REPLACE 1 INBOX {3}")
            .await
            .starts_with("NO [READ-ONLY]")
    );
    client.ok("UNSELECT").await;
    assert!(client.answer("REPLACE 1 INBOX {3}").await.starts_with("BAD"));
    assert_eq!(
        client.ok("STATUS INBOX (MESSAGES)").await,
        ["* STATUS INBOX (MESSAGES 1)"]
    );
}

const PARTS: &str = "Subject: parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nbody\r\n--b\r\n\
    Content-Type: application/octet-stream\r\n\r\nattached\r\n--b--\r\n";

#[tokio::test]
async fn messages_of_pieces() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    client.append("INBOX", PARTS).await;
    let status = client.ok("STATUS INBOX (UIDVALIDITY)").await;
    let validity: u32 = status[0]
        .trim_end_matches(')')
        .rsplit(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let command = format!(
        "a APPEND Sent (\\Seen) CATENATE (TEXT {{14+}}\r\nSubject: new\r\n URL \"/INBOX;UIDVALIDITY={validity}/;UID=1/;SECTION=HEADER.FIELDS%20(X)\" \
         URL {{29}}\r\n"
    );
    client.send(&command).await;
    assert!(client.line().await.starts_with('+'));
    client
        .send(";UID=1/;SECTION=2;PARTIAL=2.4 TEXT {3+}\r\nend)\r\n")
        .await;
    let answer = client.until("a").await.pop().unwrap();
    assert!(answer.starts_with("a OK [APPENDUID "), "{answer}");
    // Of URLs alone, several messages, and the text of a whole one.
    let answer = client
        .answer("APPEND Sent CATENATE (URL \"/INBOX;UID=1\") () CATENATE (URL \"/INBOX;UID=1;SECTION=1\" URL \"/INBOX;UID=1;SECTION=TEXT;PARTIAL=0.3\")")
        .await;
    assert!(
        answer.starts_with("OK [APPENDUID ") && answer.contains(" 2:3]"),
        "{answer}"
    );
    // Beside ordinary texts.
    client
        .send("b APPEND Sent {1+}\r\n1 CATENATE (URL \"/INBOX;UID=1;SECTION=2\") {1+}\r\n3\r\n")
        .await;
    assert!(client.until("b").await[0].contains(" 4:6]"));
    client.ok("SELECT Sent").await;
    let texts = [
        "Subject: new\r\n\r\ntachend",
        PARTS,
        "body--b",
        "1",
        "attached",
        "3",
    ];
    for (number, text) in (1..).zip(texts) {
        let lines = client.ok(&format!("FETCH {number} BODY.PEEK[]")).await;
        assert_eq!(
            lines,
            [format!("* {number} FETCH (BODY[] {{{}}}\r\n{text})", text.len())]
        );
    }
    // A draft whose text alone changes.
    client
        .send("c REPLACE 4 Sent CATENATE (URL \";UID=4\" TEXT {1+}\r\n!)\r\n")
        .await;
    assert!(client.until("c").await.contains(&"* 4 EXPUNGE".to_owned()));
    assert_eq!(
        client.ok("FETCH 6 BODY.PEEK[]").await,
        ["* 6 FETCH (BODY[] {2}\r\n1!)"]
    );
    assert!(
        client
            .ok("REPLACE 6 Sent CATENATE (URL \";UID=7\")")
            .await
            .contains(&"* 6 EXPUNGE".to_owned())
    );
}

#[tokio::test]
async fn bad_urls_are_named() {
    let world = World::new().await;
    let mut client = world.inbox(1).await;
    for url in [
        "/INBOX;UID=2",
        "/INBOX;UIDVALIDITY=1/;UID=1",
        "/None;UID=1",
        "/INBOX;UID=1;SECTION=7",
        "/INBOX;UID=1;SECTION=1.HEADER",
        "/Other%20Users/boris@example.test/INBOX;UID=1",
        "imap://other/INBOX;UID=1",
        "http://www/",
    ] {
        let answer = client
            .answer(&format!("APPEND INBOX CATENATE (URL \"{url}\")"))
            .await;
        assert!(answer.starts_with(&format!("NO [BADURL \"{url}\"]")), "{answer}");
    }
    client
        .send("a APPEND INBOX CATENATE (TEXT {1+}\r\nx URL \"/INBOX;UID=2\")\r\n")
        .await;
    assert!(client.line().await.starts_with("a NO [BADURL"));
    client.ok("UNSELECT").await;
    assert!(
        client
            .answer("APPEND INBOX CATENATE (URL \";UID=1\")")
            .await
            .starts_with("NO [BADURL")
    );
    for (command, answer) in [
        ("APPEND INBOX CATENATE ()", "BAD"),
        ("APPEND INBOX CATENATE (FNORD x)", "BAD"),
        ("APPEND None CATENATE (URL \"/INBOX;UID=1\")", "NO [TRYCREATE]"),
        ("APPEND INBOX CATENATE (URL \"/INBOX;UID=1;PARTIAL=9999\")", "NO"),
        ("APPEND INBOX CATENATE (TEXT {99999999999}", "NO [TOOBIG]"),
    ] {
        let got = client.answer(command).await;
        assert!(got.starts_with(answer), "{command}: {got}");
    }
    assert_eq!(
        client.ok("STATUS INBOX (MESSAGES)").await,
        ["* STATUS INBOX (MESSAGES 1)"]
    );
}

#[tokio::test]
async fn large_pieces_and_the_limit_of_their_sum() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    let large = format!("Subject: large\r\n\r\n{}", "0123456789".repeat(100_000));
    client.append("INBOX", &large).await;
    let answer = client
        .answer("APPEND INBOX CATENATE (URL \"/INBOX;UID=1\" URL \"/INBOX;UID=1;SECTION=TEXT\" URL \"/INBOX;UID=1;PARTIAL=700000.5\")")
        .await;
    assert!(answer.starts_with("OK"), "{answer}");
    let size = large.len() + 1_000_000 + 5;
    assert_eq!(
        client.ok("FETCH 2 RFC822.SIZE").await.last().unwrap(),
        &format!("* 2 FETCH (RFC822.SIZE {size})")
    );
    assert!(client.ok("FETCH 2 BODY.PEEK[]<1000010.17>").await[0].ends_with("{17}\r\n23456789012345678)"));
    // Twenty pieces, each small enough, together too large.
    let many = format!(
        "APPEND INBOX CATENATE ({})",
        ["URL \"/INBOX;UID=1\""; 200].join(" ")
    );
    assert!(client.answer(&many).await.starts_with("NO [TOOBIG]"));
}
