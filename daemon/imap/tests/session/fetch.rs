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
    let line = client.ok("FETCH 2 MODSEQ").await.remove(0);
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
