use crate::support::*;

#[tokio::test]
async fn append_gives_uid_and_keeps_bytes() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    let answer = client
        .append_with(
            "INBOX",
            "(\\Flagged $Label) \" 5-Feb-2020 01:02:03 +0300\" ",
            MAIL,
        )
        .await;
    assert!(
        answer.starts_with("OK [APPENDUID ") && answer.contains(" 1]"),
        "{answer}"
    );
    let lines = client
        .ok("FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
        .await;
    let expected = format!(
        "* 1 FETCH (FLAGS (\\Recent \\Flagged $Label) INTERNALDATE \" 5-Feb-2020 01:02:03 +0300\" RFC822.SIZE {len} \
         BODY[] {{{len}}}\r\n{MAIL})",
        len = MAIL.len()
    );
    assert_eq!(lines, [expected]);
}

#[tokio::test]
async fn several_at_once() {
    let world = World::new().await;
    let mut client = world.user().await;
    let size = MAIL.len();
    client
        .send(&format!(
            "a APPEND INBOX (\\Seen) {{{size}+}}\r\n{MAIL} {{{size}+}}\r\n{MAIL}\r\nb NOOP\r\n"
        ))
        .await;
    let answer = client.line().await;
    assert!(
        answer.starts_with("a OK [APPENDUID ") && answer.contains(" 1:2]"),
        "{answer}"
    );
    assert!(client.line().await.starts_with("b OK"));
}

/// What is wrong already is not asked for, as with the first message.
#[tokio::test]
async fn a_second_message_that_is_wrong_is_not_asked_for() {
    let world = World::new().await;
    let mut client = world.user().await;
    let size = MAIL.len();
    for wrong in [
        "(\\Seen {3}",
        "\"no date\" {3}",
        "CATENATE (FNORD {3}",
        "(\\Recent) {3}",
    ] {
        client.send(&format!("a APPEND INBOX {{{size}}}\r\n")).await;
        assert_eq!(client.line().await, "+ OK");
        client.send(&format!("{MAIL} {wrong}\r\n")).await;
        let answer = client.line().await;
        assert!(answer.starts_with("a BAD"), "{wrong}: {answer}");
        client.ok("NOOP").await;
    }
    assert_eq!(
        client.ok("STATUS INBOX (MESSAGES)").await,
        ["* STATUS INBOX (MESSAGES 0)"]
    );
}

#[tokio::test]
async fn refused_without_losing_the_thread() {
    let world = World::new().await;
    let mut client = world.user().await;
    // A literal that waits is refused before it comes.
    assert!(client.append("None", MAIL).await.starts_with("NO [TRYCREATE]"));
    assert!(
        client
            .append_with("INBOX", "(\\Recent) ", MAIL)
            .await
            .starts_with("BAD")
    );
    let size = MAIL.len();
    // One that does not wait is skipped, with the rest of its command.
    client
        .send(&format!(
            "a APPEND None {{{size}+}}\r\n{MAIL} (\\Seen) {{{size}+}}\r\n{MAIL}\r\nb NOOP\r\n"
        ))
        .await;
    assert!(client.line().await.starts_with("a NO [TRYCREATE]"));
    assert!(client.line().await.starts_with("b OK"));
    client
        .send_bytes(b"c APPEND INBOX {3+}\r\na\0b\r\nd NOOP\r\n")
        .await;
    assert!(client.line().await.starts_with("c BAD"));
    assert!(client.line().await.starts_with("d OK"));
    assert!(
        client
            .answer("APPEND INBOX {99999999999}")
            .await
            .starts_with("NO [TOOBIG]")
    );
    assert_eq!(
        client.ok("STATUS INBOX (MESSAGES)").await,
        ["* STATUS INBOX (MESSAGES 0)"]
    );
}

#[tokio::test]
async fn quota_is_kept() {
    let world = World::new().await;
    let mut client = world.connect().await;
    client.ok(&format!("LOGIN {OTHER} \"{PASSWORD}\"")).await;
    let large = format!("Subject: x\r\n\r\n{}", "0123456789".repeat(600));
    assert!(client.append("INBOX", &large).await.starts_with("OK"));
    assert!(client.append("INBOX", &large).await.starts_with("NO [OVERQUOTA]"));
    let lines = client.ok("GETQUOTAROOT INBOX").await;
    assert_eq!(lines, ["* QUOTAROOT INBOX \"\"", "* QUOTA \"\" (STORAGE 6 9)"]);
    // What a mailbox would count in can be asked before it is made.
    let lines = client.ok("GETQUOTAROOT Not/yet").await;
    assert_eq!(lines, ["* QUOTAROOT Not/yet \"\"", "* QUOTA \"\" (STORAGE 6 9)"]);
}

#[tokio::test]
async fn large_texts_come_back_as_they_were() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    let body = "a line of text, the same again and again\r\n".repeat(12_000);
    let text = format!("Subject: large\r\nContent-Type: text/plain\r\n\r\n{body}");
    assert!(client.append("INBOX", &text).await.starts_with("OK"));
    let size = text.len();
    assert_eq!(
        client.ok("FETCH 1 BODY.PEEK[]").await,
        [format!("* 1 FETCH (BODY[] {{{size}}}\r\n{text})")]
    );
    let size = body.len();
    assert_eq!(
        client.ok("FETCH 1 BODY.PEEK[TEXT]").await,
        [format!("* 1 FETCH (BODY[TEXT] {{{size}}}\r\n{body})")]
    );
    assert_eq!(
        client.ok("FETCH 1 BODY.PEEK[1]").await,
        [format!("* 1 FETCH (BODY[1] {{{size}}}\r\n{body})")]
    );
    let piece = &text[300_000..300_100];
    let lines = client.ok("FETCH 1 BODY.PEEK[]<300000.100>").await;
    assert_eq!(lines, [format!("* 1 FETCH (BODY[]<300000> {{100}}\r\n{piece})")]);
}
