use crate::support::*;

const NESTED: &str = "From: a@example.test\r\nSubject: outer\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b1\r\n\r\npreamble\r\n--b1\r\nContent-Type: text/plain\r\n\r\nfirst part\r\n\
    --b1\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/alternative; boundary=b2\r\n\r\n\
    --b2\r\nContent-Type: text/plain\r\n\r\ninner plain\r\n--b2\r\nContent-Type: text/html\r\n\r\n<p>inner html</p>\r\n\
    --b2--\r\n\r\n--b1\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n--b1--\r\n";

/// `* 1 FETCH (item {n}…)` for one string.
fn expected(item: &str, text: &str) -> Vec<String> {
    vec![format!("* 1 FETCH ({item} {{{}}}\r\n{text})", text.len())]
}

#[tokio::test]
async fn sections() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    client.append("INBOX", NESTED).await;
    let (header, body) = NESTED.split_once("preamble").unwrap();
    let body = format!("preamble{body}");
    let inner_start = NESTED.find("Subject: inner").unwrap();
    let inner = &NESTED[inner_start..NESTED.find("\r\n--b1\r\nContent-Type: application").unwrap()];
    let (inner_header, inner_body) = inner.split_once("\r\n\r\n").unwrap();
    let cases = [
        ("[]", NESTED),
        ("[HEADER]", header),
        ("[TEXT]", &body),
        ("[1]", "first part"),
        ("[1.MIME]", "Content-Type: text/plain\r\n\r\n"),
        ("[2]", inner),
        ("[2.HEADER]", &format!("{inner_header}\r\n\r\n")),
        ("[2.TEXT]", inner_body),
        ("[2.1]", "inner plain"),
        ("[2.2]", "<p>inner html</p>"),
        ("[2.2.MIME]", "Content-Type: text/html\r\n\r\n"),
        ("[2.HEADER.FIELDS (SUBJECT)]", "Subject: inner\r\n\r\n"),
        ("[HEADER.FIELDS (subject X-None)]", "Subject: outer\r\n\r\n"),
        ("[3]", "AAECAw=="),
    ];
    for (section, text) in cases {
        let got = client.ok(&format!("FETCH 1 BODY.PEEK{section}")).await;
        assert_eq!(got, expected(&format!("BODY{section}"), text), "{section}");
    }
    let not =
        "From: a@example.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n";
    let got = client.ok("FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)]").await;
    assert_eq!(got, expected("BODY[HEADER.FIELDS.NOT (SUBJECT)]", not));
    assert_eq!(
        client.ok("FETCH 1 BODY.PEEK[4]").await,
        ["* 1 FETCH (BODY[4] NIL)"]
    );
    assert_eq!(
        client.ok("FETCH 1 BODY.PEEK[1]<6.100>").await,
        expected("BODY[1]<6>", "part")
    );
    assert_eq!(
        client.ok("FETCH 1 BODY.PEEK[1]<99.1>").await,
        expected("BODY[1]<99>", "")
    );
    assert_eq!(
        client.ok("FETCH 1 RFC822.HEADER").await,
        expected("RFC822.HEADER", header)
    );
    assert_eq!(
        client.ok("FETCH 1 BINARY.SIZE[3]").await,
        ["* 1 FETCH (BINARY.SIZE[3] 4)"]
    );
    assert_eq!(
        client.ok("FETCH 1 BINARY.PEEK[3]").await,
        ["* 1 FETCH (BINARY[3] ~{4}\r\n\0\u{1}\u{2}\u{3})"]
    );
    let structure = client.ok("FETCH 1 BODYSTRUCTURE").await.remove(0);
    assert!(
        structure.to_lowercase().contains("\"alternative\""),
        "{structure}"
    );
}

#[tokio::test]
async fn what_sets_seen() {
    let world = World::new().await;
    let mut client = world.inbox(6).await;
    for (number, item, sets) in [
        (1, "BODY.PEEK[]", false),
        (2, "BODY[]", true),
        (3, "RFC822", true),
        (4, "RFC822.HEADER", false),
        (5, "RFC822.TEXT", true),
        (6, "BODY[HEADER]", true),
    ] {
        let lines = client.ok(&format!("FETCH {number} {item}")).await;
        let told = lines[0].ends_with(" FLAGS (\\Recent \\Seen))");
        assert_eq!(told, sets, "{item}: {lines:?}");
        let flags = client.ok(&format!("FETCH {number} FLAGS")).await;
        assert_eq!(flags[0].contains("\\Seen"), sets, "{item}: {flags:?}");
    }
    // Nothing is set in a folder that was only examined.
    client.ok("EXAMINE INBOX").await;
    let lines = client.ok("FETCH 1 BODY[]").await;
    assert!(!lines[0].contains("FLAGS"), "{lines:?}");
    assert!(client.ok("FETCH 1 FLAGS").await[0].ends_with("FLAGS ())"));
}

#[tokio::test]
async fn envelope_and_macros() {
    let world = World::new().await;
    let mut client = world.inbox(1).await;
    let line = client.ok("FETCH 1 ENVELOPE").await.remove(0);
    assert!(
        line.contains("\"Hello\"") && line.contains("\"<1@example.test>\""),
        "{line}"
    );
    let line = client.ok("FETCH 1 FULL").await.remove(0);
    for item in [
        "FLAGS (",
        "INTERNALDATE \"",
        "RFC822.SIZE ",
        "ENVELOPE (",
        "BODY (\"text\" \"plain\"",
    ] {
        assert!(
            line.to_lowercase().contains(&item.to_lowercase()),
            "{item} in {line}"
        );
    }
}

#[tokio::test]
async fn uids_and_numbers() {
    let world = World::new().await;
    let mut client = world.inbox(5).await;
    client.ok("STORE 2,4 +FLAGS.SILENT (\\Deleted)").await;
    client.ok("EXPUNGE").await;
    let lines = client.ok("UID FETCH 2:4,99 FLAGS").await;
    assert_eq!(lines, ["* 2 FETCH (UID 3 FLAGS (\\Recent))"]);
    assert_eq!(client.ok("FETCH * UID").await, ["* 3 FETCH (UID 5)"]);
    assert_eq!(client.ok("UID FETCH 99:* UID").await, ["* 3 FETCH (UID 5)"]);
    assert_eq!(client.ok("FETCH 3:1 UID").await.len(), 3);
    assert!(client.answer("FETCH 4 UID").await.starts_with("BAD"));
    assert!(client.answer("FETCH 1 (FNORD)").await.starts_with("BAD"));
}

#[tokio::test]
async fn an_empty_folder_has_nothing() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    assert!(client.answer("FETCH 1:* FLAGS").await.starts_with("BAD"));
    assert!(client.ok("UID FETCH 1:* FLAGS").await.is_empty());
    assert_eq!(client.ok("SEARCH ALL").await, ["* SEARCH"]);
    assert!(client.answer("FETCH 1 FLAGS").await.starts_with("BAD"));
}

#[tokio::test]
async fn changes_since() {
    let world = World::new().await;
    let mut client = world.inbox(3).await;
    let line = client.ok("FETCH 2 MODSEQ").await.remove(1);
    let modseq: u64 = line.split(['(', ')']).nth(2).unwrap().parse().unwrap();
    client.ok("STORE 1 +FLAGS.SILENT \\Seen").await;
    let lines = client
        .ok(&format!("UID FETCH 1:* FLAGS (CHANGEDSINCE {modseq})"))
        .await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].contains("UID 1") && lines[0].contains("MODSEQ ("),
        "{lines:?}"
    );
    let answer = client
        .command(&format!("STORE 1,2 (UNCHANGEDSINCE {modseq}) +FLAGS (\\Flagged)"))
        .await;
    assert!(answer.last().unwrap().contains("OK [MODIFIED 1]"), "{answer:?}");
    assert!(
        answer
            .iter()
            .any(|line| line.starts_with("* 2 FETCH") && line.contains("\\Flagged")),
        "{answer:?}"
    );
    assert!(!client.ok("FETCH 1 FLAGS").await[0].contains("\\Flagged"));
}

/// A client that reads message after message is read ahead for: it must be told the flags of the moment all the same.
#[tokio::test]
async fn reading_on_shows_the_flags_of_the_moment() {
    let world = World::new().await;
    let mut client = world.inbox(30).await;
    let mut other = world.user().await;
    other.ok("SELECT INBOX").await;
    for number in 1..=10 {
        let lines = client.ok(&format!("FETCH {number} (FLAGS BODY.PEEK[])")).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(MAIL), "{lines:?}");
        assert!(!lines[0].contains("\\Flagged"), "{lines:?}");
    }
    other.ok("STORE 11:12 +FLAGS.SILENT (\\Flagged)").await;
    let lines = client.ok("FETCH 11 (FLAGS BODY.PEEK[])").await;
    assert!(lines.last().unwrap().contains("\\Flagged"), "{lines:?}");
    client.ok("STORE 13 +FLAGS.SILENT (\\Answered)").await;
    for (number, flag) in [(12, "\\Flagged"), (13, "\\Answered"), (14, "\\Recent")] {
        let lines = client.ok(&format!("FETCH {number} (FLAGS BODY.PEEK[])")).await;
        assert!(lines[0].contains(flag), "{number}: {lines:?}");
    }
    // What sets \Seen is read ahead as well.
    for number in 15..=20 {
        let lines = client.ok(&format!("FETCH {number} (FLAGS BODY[])")).await;
        assert!(
            lines[0].contains("\\Seen") && lines[0].contains(MAIL),
            "{lines:?}"
        );
        let lines = client.ok(&format!("FETCH {number} (FLAGS BODY[])")).await;
        assert!(lines[0].contains("\\Seen"), "{lines:?}");
    }
    // RFC 2180 §4.1.2: gone meanwhile.
    other.ok("STORE 22 +FLAGS.SILENT (\\Deleted)").await;
    other.ok("EXPUNGE").await;
    assert_eq!(client.ok("FETCH 21 (BODY.PEEK[])").await.len(), 1);
    assert!(
        client
            .answer("FETCH 22 (BODY.PEEK[])")
            .await
            .starts_with("NO [EXPUNGEISSUED]")
    );
    assert_eq!(client.ok("NOOP").await, ["* 22 EXPUNGE"]);
    // UIDs that are gone are passed over in silence.
    let lines = client
        .ok("UID FETCH 21:23 BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
        .await;
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[tokio::test]
async fn pipelined_commands_see_each_other() {
    let world = World::new().await;
    let mut client = world.inbox(3).await;
    client
        .send(
            "a FETCH 1 (FLAGS BODY.PEEK[])\r\nb STORE 2 +FLAGS (\\Flagged)\r\nc FETCH 2 (FLAGS BODY.PEEK[])\r\n\
             d STORE 3 +FLAGS.SILENT (\\Draft)\r\ne FETCH 3 (FLAGS BODY[])\r\nf NOOP\r\n",
        )
        .await;
    let mut told = Vec::new();
    for tag in ["a", "b", "c", "d", "e", "f"] {
        told.push(client.until(tag).await);
    }
    assert!(told[0][0].contains("FLAGS (\\Recent)"), "{told:?}");
    assert!(
        told[1][0].contains("\\Flagged") && told[2][0].contains("\\Flagged"),
        "{told:?}"
    );
    assert!(
        told[4][0].contains("\\Draft") && told[4][0].contains("\\Seen"),
        "{told:?}"
    );
    assert_eq!(
        told.iter().map(Vec::len).collect::<Vec<_>>(),
        [2, 2, 2, 1, 2, 1],
        "{told:?}"
    );
}

/// A message whose parts are too large to be in memory as a whole.
fn large_mail() -> (String, String) {
    let lines = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2\r\n".repeat(8000);
    let mail = format!(
        "Subject: large\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\nfirst\r\n\
         --b1\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n{lines}--b1\r\n\
         Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: x@y\r\n\r\ninner =3D\r\n--b1\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\none=20=\r\ntwo\r\n--b1\r\nContent-Transfer-Encoding: x-odd\r\n\r\nodd\r\n--b1--\r\n"
    );
    (mail, lines)
}

#[tokio::test]
async fn parts_of_a_large_message() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    let (mail, lines) = large_mail();
    client.append_with("INBOX", "(\\Seen) ", &mail).await;
    let pdf = lines.trim_end();
    let decoded = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv".repeat(8000);
    let body = mail.split_once("\r\n\r\n").unwrap().1;
    let header = &mail[..mail.len() - body.len()];
    for (item, name, text) in [
        ("BODY.PEEK[]", "BODY[]", mail.as_str()),
        ("BODY.PEEK[HEADER]", "BODY[HEADER]", header),
        ("BODY.PEEK[TEXT]", "BODY[TEXT]", body),
        ("RFC822.HEADER", "RFC822.HEADER", header),
        ("RFC822.TEXT", "RFC822.TEXT", body),
        ("BODY.PEEK[TEXT]<5.7>", "BODY[TEXT]<5>", &body[5..12]),
        ("BODY.PEEK[1]", "BODY[1]", "first"),
        ("BODY.PEEK[2]", "BODY[2]", pdf),
        (
            "BODY.PEEK[2]<300000.70>",
            "BODY[2]<300000>",
            &pdf[300_000..300_070],
        ),
        ("BODY.PEEK[2]<9999999.70>", "BODY[2]<9999999>", ""),
        (
            "BODY.PEEK[2.MIME]",
            "BODY[2.MIME]",
            "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        ),
        (
            "BODY.PEEK[3.HEADER]",
            "BODY[3.HEADER]",
            "Subject: inner\r\nFrom: x@y\r\n\r\n",
        ),
        (
            "BODY.PEEK[3.HEADER.FIELDS (FROM)]",
            "BODY[3.HEADER.FIELDS (FROM)]",
            "From: x@y\r\n\r\n",
        ),
        ("BODY.PEEK[3.TEXT]", "BODY[3.TEXT]", "inner =3D"),
        ("BODY.PEEK[3.1]", "BODY[3.1]", "inner =3D"),
    ] {
        let got = client.ok(&format!("FETCH 1 {item}")).await;
        assert!(got == expected(name, text), "{item}: {:.200}", got[0]);
    }
    for (item, name, text) in [
        ("BINARY.PEEK[2]", "BINARY[2]", decoded.as_str()),
        (
            "BINARY.PEEK[2]<300001.48>",
            "BINARY[2]<300001>",
            &decoded[300_001..300_049],
        ),
        ("BINARY.PEEK[2]<9999999.1>", "BINARY[2]<9999999>", ""),
        ("BINARY.PEEK[4]", "BINARY[4]", "one two"),
        ("BINARY.PEEK[]<0.7>", "BINARY[]<0>", "Subject"),
    ] {
        let got = client.ok(&format!("FETCH 1 {item}")).await;
        let want = format!("* 1 FETCH ({name} ~{{{}}}\r\n{text})", text.len());
        assert!(got == [want], "{item}: {:.200}", got[0]);
    }
    for (item, number) in [
        ("BINARY.SIZE[2]", decoded.len()),
        ("BINARY.SIZE[4]", 7),
        ("BINARY.SIZE[]", mail.len()),
        ("RFC822.SIZE", mail.len()),
    ] {
        assert_eq!(
            client.ok(&format!("FETCH 1 {item}")).await,
            [format!("* 1 FETCH ({item} {number})")]
        );
    }
    assert_eq!(
        client.ok("FETCH 1 BODY.PEEK[9]").await,
        ["* 1 FETCH (BODY[9] NIL)"]
    );
    assert_eq!(
        client.ok("FETCH 1 BODY.PEEK[2.HEADER]").await,
        ["* 1 FETCH (BODY[2.HEADER] NIL)"]
    );
    assert!(
        client
            .answer("FETCH 1 BINARY.PEEK[5]")
            .await
            .starts_with("NO [UNKNOWN-CTE]")
    );
    let line = client.ok("FETCH 1 BODY").await.remove(0);
    assert!(
        line.contains("\"application\" \"pdf\"") && line.contains(&format!(" {}", pdf.len())),
        "{line}"
    );
}

/// No header is too long to be shown.
#[tokio::test]
async fn a_header_longer_than_what_is_in_memory() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    let header = format!(
        "Subject: s\r\n{}\r\n",
        "X-Long: 0123456789012345678901234567890123456789\r\n".repeat(30_000)
    );
    client
        .append_with("INBOX", "(\\Seen) ", &format!("{header}body"))
        .await;
    assert!(client.ok("FETCH 1 BODY.PEEK[HEADER]").await == expected("BODY[HEADER]", &header));
    assert!(client.ok("FETCH 1 RFC822.HEADER").await == expected("RFC822.HEADER", &header));
    assert_eq!(
        client.ok("FETCH 1 RFC822.TEXT").await,
        expected("RFC822.TEXT", "body")
    );
    assert_eq!(
        client.ok("FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]").await,
        expected("BODY[HEADER.FIELDS (SUBJECT)]", "Subject: s\r\n\r\n")
    );
}

/// RFC 9051 §6.4.5.1: a message that is no multipart has one part, whose MIME header is the message's own.
#[tokio::test]
async fn the_only_part() {
    let world = World::new().await;
    let mut client = world.inbox(1).await;
    let (header, body) = MAIL.split_at(MAIL.find("First").unwrap());
    for (item, name, text) in [
        ("BODY.PEEK[1]", "BODY[1]", body),
        ("BODY.PEEK[1.MIME]", "BODY[1.MIME]", header),
        ("BODY.PEEK[1]<0.5>", "BODY[1]<0>", "First"),
        ("BODY.PEEK[HEADER]<0.4>", "BODY[HEADER]<0>", "From"),
        (
            "BODY.PEEK[HEADER.FIELDS (SUBJECT)]<9.99>",
            "BODY[HEADER.FIELDS (SUBJECT)]<9>",
            "Hello\r\n\r\n",
        ),
        ("BODY.PEEK[]<4000000000.4294967295>", "BODY[]<4000000000>", ""),
    ] {
        assert_eq!(
            client.ok(&format!("FETCH 1 {item}")).await,
            expected(name, text),
            "{item}"
        );
    }
    for section in ["2", "1.1", "1.HEADER", "1.TEXT", "1.HEADER.FIELDS (SUBJECT)"] {
        let got = client.ok(&format!("FETCH 1 BODY.PEEK[{section}]")).await;
        assert_eq!(got, [format!("* 1 FETCH (BODY[{section}] NIL)")]);
    }
    for wrong in [
        "BODY.PEEK[MIME]",
        "BODY.PEEK[0]",
        "BODY.PEEK[]<0.0>",
        "BODY.PEEK[1.",
        "(ALL)",
    ] {
        assert!(
            client
                .answer(&format!("FETCH 1 {wrong}"))
                .await
                .starts_with("BAD"),
            "{wrong}"
        );
    }
}
