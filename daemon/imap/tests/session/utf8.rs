//! UTF8=ACCEPT (RFC 6855), what others see (RFC 6858), and IMAP4rev2's own ways.

use crate::support::*;

const INTERNATIONAL: &str = "From: Анна <анна@example.test>\r\nTo: boris@example.test\r\nSubject: Привет\r\n\
    Message-ID: <1@example.test>\r\nContent-Type: text/plain; charset=utf-8; name=\"файл.txt\"\r\n\r\nТекст\r\n";

#[tokio::test]
async fn without_it_international_mail_is_downgraded() {
    let world = World::new().await;
    let mut client = world.inbox(1).await;
    assert!(client.append("INBOX", INTERNATIONAL).await.starts_with("OK"));
    let lines = client
        .ok("FETCH 2 (RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER])")
        .await;
    let fetched = lines.last().unwrap();
    assert!(fetched.is_ascii(), "{fetched}");
    assert!(
        fetched.contains("NIL \"invalid\" \"internationalized-address.invalid\"")
            && fetched.contains("\"=?UTF-8?B?0J/RgNC40LLQtdGC?=\"")
            && fetched.contains("\"name*\" \"UTF-8''%D1%84"),
        "{fetched}"
    );
    let size: usize = fetched.split_whitespace().nth(4).unwrap().parse().unwrap();
    let whole = client.ok("FETCH 2 BODY.PEEK[]").await.remove(0);
    assert!(whole.starts_with(&format!("* 2 FETCH (BODY[] {{{size}}}\r\nFrom: =?UTF-8?B?")));
    assert!(whole.ends_with("\r\nТекст\r\n)"));
    assert_eq!(
        client.ok("FETCH 1:2 RFC822.SIZE").await,
        [
            format!("* 1 FETCH (RFC822.SIZE {})", MAIL.len()),
            format!("* 2 FETCH (RFC822.SIZE {size})")
        ]
    );
    let field = client.ok("FETCH 2 BODY.PEEK[HEADER.FIELDS (SUBJECT)]").await;
    assert!(field[0].contains("Subject: =?UTF-8?B?0J/RgNC40LLQtdGC?=\r\n"));
    let text = client.ok("FETCH 2 BODY.PEEK[TEXT]").await;
    assert_eq!(text, ["* 2 FETCH (BODY[TEXT] {12}\r\nТекст\r\n)"]);
    // What is stored has not changed, and is found by what it says.
    assert_eq!(
        client.ok("SEARCH CHARSET UTF-8 SUBJECT \"ривет\"").await,
        ["* SEARCH 2"]
    );
    assert_eq!(client.ok("ENABLE UTF8=ACCEPT").await, ["* ENABLED UTF8=ACCEPT"]);
    let whole = client.ok("FETCH 2 (RFC822.SIZE BODY.PEEK[])").await;
    let size = INTERNATIONAL.len();
    assert_eq!(
        whole,
        [format!(
            "* 2 FETCH (RFC822.SIZE {size} BODY[] {{{size}}}\r\n{INTERNATIONAL})"
        )]
    );
}

#[tokio::test]
async fn raw_bytes_of_another_charset_stay() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    client
        .send_bytes(b"a APPEND INBOX {20+}\r\nSubject: \xcf\xf0\xe8\r\n\r\nabcd\r\n")
        .await;
    client.until("a").await;
    assert_eq!(
        client.ok("FETCH 1 RFC822.SIZE").await.last().unwrap(),
        "* 1 FETCH (RFC822.SIZE 20)"
    );
}

#[tokio::test]
async fn names_and_messages_in_utf8() {
    let world = World::new().await;
    let mut client = world.user().await;
    client.ok("CREATE \"&BB4EQgRHBFEEQgRL-\"").await;
    let size = INTERNATIONAL.len();
    client
        .send(&format!(
            "a APPEND INBOX UTF8 (~{{{size}+}}\r\n{INTERNATIONAL})\r\n"
        ))
        .await;
    assert!(client.line().await.starts_with("a BAD"));
    client.ok("ENABLE UTF8=ACCEPT").await;
    assert_eq!(client.ok("ENABLE UTF8=ACCEPT").await, ["* ENABLED"]);
    assert_eq!(
        client.ok("LIST \"\" \"От*\"").await,
        ["* LIST (\\HasNoChildren) \"/\" \"Отчёты\""]
    );
    assert_eq!(
        client.ok("STATUS \"Отчёты\" (MESSAGES)").await,
        ["* STATUS \"Отчёты\" (MESSAGES 0)"]
    );
    client
        .send(&format!(
            "b APPEND \"Отчёты\" (\\Seen) UTF8 (~{{{size}+}}\r\n{INTERNATIONAL}) UTF8 (~{{{size}+}}\r\n{INTERNATIONAL})\r\n"
        ))
        .await;
    let answer = client.line().await;
    assert!(
        answer.starts_with("b OK [APPENDUID ") && answer.contains(" 1:2]"),
        "{answer}"
    );
    client
        .send(&format!(
            "c APPEND INBOX UTF8 ({{{size}+}}\r\n{INTERNATIONAL})\r\n"
        ))
        .await;
    assert!(client.line().await.starts_with("c BAD"));
    client.ok("SELECT \"Отчёты\"").await;
    let lines = client.ok("FETCH 1 (FLAGS BODY.PEEK[])").await;
    assert!(lines[0].ends_with(&format!("{INTERNATIONAL})")), "{lines:?}");
    // RFC 6855 §3: SEARCH is in UTF-8 now, and says so nowhere.
    assert_eq!(client.ok("SEARCH SUBJECT \"прив\"").await, ["* SEARCH 1 2"]);
    assert!(
        client
            .answer("SEARCH CHARSET UTF-8 SUBJECT \"прив\"")
            .await
            .starts_with("BAD")
    );
    assert!(
        client
            .answer("SELECT \"&BB4EQgRHBFEEQgRL-\"")
            .await
            .starts_with("NO [NONEXISTENT]")
    );
    // Names that aren't UTF-8 are refused.
    client.send_bytes(b"d SELECT \"\xff\"\r\n").await;
    assert!(client.line().await.starts_with("d BAD"));
}

#[tokio::test]
async fn imap4rev2_in_its_own_way() {
    let world = World::new().await;
    let mut client = world.inbox(2).await;
    client.ok("UNSELECT").await;
    assert_eq!(client.ok("ENABLE IMAP4rev2").await, ["* ENABLED IMAP4rev2"]);
    let lines = client.ok("SELECT INBOX").await;
    let has = |start: &str| lines.iter().any(|line| line.starts_with(start));
    assert!(
        has("* 2 EXISTS") && has("* LIST () \"/\" INBOX") && has("* OK [UIDNEXT 3]"),
        "{lines:?}"
    );
    assert!(
        !has("* OK [UNSEEN") && !lines.iter().any(|line| line.contains("RECENT")),
        "{lines:?}"
    );
    // RFC 9051 §6.4.4: always an ESEARCH.
    let lines = client.ok("SEARCH UNSEEN").await;
    assert!(
        lines[0].starts_with("* ESEARCH (TAG \"t") && lines[0].ends_with(" ALL 1:2"),
        "{lines:?}"
    );
    let lines = client.ok("UID SEARCH SEEN").await;
    assert!(lines[0].ends_with(") UID"), "{lines:?}");
    // RFC 9051 §6.3.11
    client.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(
        client.ok("STATUS INBOX (MESSAGES DELETED SIZE)").await,
        [format!(
            "* STATUS INBOX (MESSAGES 2 DELETED 1 SIZE {})",
            2 * MAIL.len()
        )]
    );
    let lines = client
        .ok("STORE 2 FLAGS ($Phishing $Junk $NotJunk $MDNSent $Forwarded)")
        .await;
    assert!(lines.last().unwrap().contains("$Phishing"), "{lines:?}");
    assert_eq!(
        client.ok("FETCH 2 BINARY.SIZE[1]").await,
        ["* 2 FETCH (BINARY.SIZE[1] 25)"]
    );
    // Names are UTF-8 (Net-Unicode), and INBOX is one in any case.
    assert!(
        client
            .answer("CREATE \"Отчёты\"")
            .await
            .starts_with("OK [MAILBOXID")
    );
    assert_eq!(
        client.ok("LIST \"\" \"О%\"").await,
        ["* LIST (\\HasNoChildren) \"/\" \"Отчёты\""]
    );
    assert!(client.answer("CREATE inBOX").await.starts_with("NO"));
    assert!(client.answer("CREATE \"a\u{7f}b\"").await.starts_with("BAD"));
    // One mailbox after the other.
    let lines = client.ok("SELECT \"Отчёты\"").await;
    assert!(lines[0].starts_with("* OK [CLOSED]"), "{lines:?}");
    assert!(
        lines.iter().any(|line| line == "* LIST () \"/\" \"Отчёты\""),
        "{lines:?}"
    );
    // International mail needs UTF8=ACCEPT all the same.
    client.append("\"Отчёты\"", "Subject: é\r\n\r\nx").await;
    let lines = client.ok("FETCH 1 BODY.PEEK[HEADER]").await;
    assert!(lines.last().unwrap().contains("=?UTF-8?B?w6k=?="), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("RECENT")), "{lines:?}");
}

/// A large message is shown a piece at a time, and is the same message.
#[tokio::test]
async fn a_large_international_message_is_downgraded_as_a_small_one() {
    let part = "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: attachment; filename=\"файл.txt\"\r\n\r\n";
    let inner = "--b\r\nContent-Type: message/global\r\n\r\nSubject: Внутри\r\nReceived: от того\r\n\r\nТекст\r\n--b--\r\n";
    let head = "From: Анна <анна@example.test>\r\nSubject: Привет\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    let text = format!(
        "{head}{part}{}{inner}",
        "Длинная строка, и ещё одна\r\n".repeat(15_000)
    );
    let structure = wire::message::Message::parse(text.as_bytes());
    let shown = wire::message::downgrade::downgrade(text.as_bytes(), &structure).unwrap();
    let shown = String::from_utf8(shown).unwrap();
    let parsed = wire::message::Message::parse(shown.as_bytes());
    let section = |numbers: &[u32]| parsed.section(numbers).unwrap();
    let body = |numbers: &[u32]| &shown[section(numbers).body.clone()];

    let world = World::new().await;
    let mut client = world.inbox(0).await;
    assert!(client.append("INBOX", &text).await.starts_with("OK"));
    client.ok("NOOP").await;
    let middle = shown.len() / 2 / 3 * 3;
    let values = [
        ("BODY.PEEK[]", &shown[..]),
        ("BODY.PEEK[HEADER]", &shown[parsed.root.header.clone()]),
        ("BODY.PEEK[TEXT]", &shown[parsed.root.body.clone()]),
        ("BODY.PEEK[1]", body(&[1])),
        ("BODY.PEEK[1.MIME]", &shown[section(&[1]).header.clone()]),
        ("BODY.PEEK[2]", body(&[2])),
        ("BODY.PEEK[2.MIME]", &shown[section(&[2]).header.clone()]),
        ("BODY.PEEK[]<0.100>", &shown[..100]),
        (
            "BODY.PEEK[HEADER.FIELDS (FROM)]",
            "From: =?UTF-8?B?0JDQvdC90LAgPNCw0L3QvdCwQGV4YW1wbGUudGVzdD4=?= <invalid@internationalized-address.invalid>\r\n\r\n",
        ),
    ];
    for _ in 0..2 {
        for (item, value) in values {
            let name = item.replace(".PEEK", "").replace("<0.100>", "<0>");
            let expected = format!("* 1 FETCH ({name} {{{}}}\r\n{value})", value.len());
            assert!(
                client.ok(&format!("FETCH 1 {item}")).await == [expected],
                "{item}"
            );
        }
        let size = format!("* 1 FETCH (RFC822.SIZE {})", shown.len());
        assert_eq!(client.ok("FETCH 1 RFC822.SIZE").await, [size]);
    }
    let tail = client.ok(&format!("FETCH 1 BODY.PEEK[]<{middle}.1000000>")).await;
    assert!(
        tail[0].ends_with(&format!("{}\r\n--b--\r\n)", body(&[2]))),
        "up to the end"
    );
    let told = client.ok("FETCH 1 (ENVELOPE BODYSTRUCTURE)").await.remove(0);
    let rendered = wire::message::structure::render(shown.as_bytes(), &parsed, true);
    assert!(told.contains(&String::from_utf8(rendered).unwrap()), "{told}");
    assert!(
        told.is_ascii() && told.contains("=?UTF-8?B?0J/RgNC40LLQtdGC?="),
        "{told}"
    );
    client.ok("ENABLE UTF8=ACCEPT").await;
    let whole = client.ok("FETCH 1 BODY.PEEK[]").await;
    assert!(whole == [format!("* 1 FETCH (BODY[] {{{}}}\r\n{text})", text.len())]);
    let whole = client.ok("FETCH 1 BODY.PEEK[2]").await.remove(0);
    assert!(whole.contains("Внутри"), "{whole}");
}
