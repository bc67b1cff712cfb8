//! # tests: SEARCHRES WITHIN

use crate::support::*;

#[tokio::test]
async fn keys() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    client
        .append_with("INBOX", "(\\Seen) \"01-Jan-2020 00:00:00 +0000\" ", MAIL)
        .await;
    let other = "From: carl@example.test\r\nSubject: =?utf-8?B?0J/RgNC40LLQtdGC?=\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n0LHQvtC70YzRiNC+0Lkg0YLQtdC60YHRgg==\r\n";
    client
        .append_with("INBOX", "(\\Flagged) \"01-Jun-2021 00:00:00 +0000\" ", other)
        .await;
    client.append_with("INBOX", "($Todo) ", MAIL).await;
    client.ok("NOOP").await;
    let large = MAIL.len() - 1;
    for (key, expected) in [
        ("ALL", "1 2 3"),
        ("SEEN", "1"),
        ("UNSEEN FLAGGED", "2"),
        ("OR SEEN FLAGGED", "1 2"),
        ("NOT (OR SEEN FLAGGED)", "3"),
        ("KEYWORD $todo", "3"),
        ("UNKEYWORD $todo", "1 2"),
        ("2:*", "2 3"),
        ("UID 3,1", "1 3"),
        ("FROM carl", "2"),
        ("SUBJECT hello", "1 3"),
        ("BODY second", "1 3"),
        ("BODY subject", ""),
        ("TEXT hello", "1 3"),
        ("CHARSET UTF-8 SUBJECT {12+}\r\nПривет", "2"),
        ("CHARSET UTF-8 SUBJECT \"привет\"", "2"),
        ("CHARSET UTF-8 BODY \"ТЕКСТ\"", "2"),
        ("HEADER Message-ID 1@example", "1 3"),
        ("HEADER Message-ID \"\"", "1 3"),
        ("ON 1-Jan-2020", "1"),
        ("SINCE 1-Jan-2021 BEFORE 1-Jan-2022", "2"),
        ("SENTON 1-Jan-2024", "1 3"),
        ("YOUNGER 3600", "3"),
        (&format!("LARGER {large} SMALLER {}", large + 2), "1 3"),
    ] {
        let lines = client.ok(&format!("SEARCH {key}")).await;
        assert_eq!(
            lines.last().unwrap(),
            format!("* SEARCH {expected}").trim_end(),
            "{key}"
        );
    }
    assert!(
        client
            .answer("SEARCH CHARSET X-NONE ALL")
            .await
            .starts_with("NO [BADCHARSET")
    );
    assert!(client.answer("SEARCH 9").await.starts_with("BAD"));
}

#[tokio::test]
async fn results_in_ranges_and_saved() {
    let world = World::new().await;
    let mut client = world.inbox(6).await;
    client.ok("STORE 2:4,6 +FLAGS.SILENT (\\Flagged)").await;
    let lines = client.ok("SEARCH RETURN (MIN MAX COUNT ALL) FLAGGED").await;
    assert!(lines[0].ends_with(") MIN 2 MAX 6 ALL 2:4,6 COUNT 4"), "{lines:?}");
    let lines = client.ok("UID SEARCH RETURN () ANSWERED").await;
    assert!(lines[0].ends_with(") UID"), "{lines:?}");
    assert!(client.ok("SEARCH RETURN (SAVE) FLAGGED").await.is_empty());
    assert_eq!(client.ok("FETCH $ UID").await.len(), 4);
    assert_eq!(client.ok("SEARCH $ 4:5").await, ["* SEARCH 4"]);
    client.ok("STORE 3 +FLAGS.SILENT (\\Deleted)").await;
    client.ok("EXPUNGE").await;
    assert_eq!(client.ok("UID FETCH $ UID").await.len(), 3);
    client.ok("SEARCH RETURN (SAVE MIN) FLAGGED").await;
    assert_eq!(client.ok("FETCH $ UID").await, ["* 2 FETCH (UID 2)"]);
    let lines = client.ok("SEARCH MODSEQ 1 UID 2").await;
    assert!(
        lines.last().unwrap().starts_with("* SEARCH 2 (MODSEQ "),
        "{lines:?}"
    );
}
