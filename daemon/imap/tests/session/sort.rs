use crate::support::*;

/// A mail of header fields.
fn mail(fields: &[&str]) -> String {
    format!("{}\r\n\r\nText\r\n", fields.join("\r\n"))
}

async fn mails(client: &mut Client) {
    let mails: [(&str, &[&str]); 6] = [
        (
            "\"05-Jan-2024 10:00:00 +0000\" ",
            &[
                "From: Anna <zeta@x.test>",
                "To: =?koi8-r?B?4s/SydM=?= <m@x.test>",
                "Cc: c@x.test",
                "Subject: Re: [list] beta",
                "Date: Mon, 1 Jan 2024 10:00:00 +0000",
            ],
        ),
        (
            "\"04-Jan-2024 10:00:00 +0000\" ",
            &[
                "From: \"boris\" <alpha@x.test>",
                "To: a@x.test",
                "Subject: =?utf-8?B?0JDQu9GM0YTQsA==?=",
                "Date: Mon, 1 Jan 2024 09:00:00 -0200",
            ],
        ),
        (
            "\"03-Jan-2024 10:00:00 +0000\" ",
            &[
                "From: Mike@x.test",
                "Subject: Alpha",
                "X-Filler: long long long long",
            ],
        ),
        (
            "\"03-Jan-2024 10:00:00 +0000\" ",
            &["Subject: Fwd: BETA (fwd)", "Date: Mon, 1 Jan 2024 10:00:00 +0000"],
        ),
        (
            "\"01-Jan-2023 10:00:00 +0000\" ",
            &[
                "From: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= <nihon@x.test>",
                "To: friends: one@x.test, two@x.test;",
                "Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=",
                "Date: nonsense",
            ],
        ),
        (
            "\"02-Jan-2024 10:00:00 +0000\" ",
            &["From: ANNA <Beta@x.test>", "Subject:"],
        ),
    ];
    for (date, fields) in mails {
        client.append_with("INBOX", date, &mail(fields)).await;
    }
    client.ok("NOOP").await;
}

#[tokio::test]
async fn every_key() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    mails(&mut client).await;
    for (keys, expected) in [
        ("ARRIVAL", "5 6 3 4 2 1"),
        ("REVERSE ARRIVAL", "1 2 3 4 6 5"),
        // Two have no date that can be read: the internal one counts.
        ("DATE", "5 1 4 2 6 3"),
        ("REVERSE DATE", "3 6 2 1 4 5"),
        ("SUBJECT", "6 3 1 4 2 5"),
        ("SUBJECT REVERSE DATE", "6 3 1 4 2 5"),
        ("REVERSE SUBJECT", "5 2 1 4 3 6"),
        ("FROM", "4 2 6 3 5 1"),
        ("DISPLAYFROM", "4 1 6 2 3 5"),
        ("DISPLAYFROM REVERSE FROM", "4 1 6 2 3 5"),
        ("DISPLAYFROM FROM", "4 6 1 2 3 5"),
        ("TO", "3 4 6 2 5 1"),
        ("DISPLAYTO", "3 4 6 2 5 1"),
        ("CC", "2 3 4 5 6 1"),
        ("REVERSE CC", "1 2 3 4 5 6"),
        ("SIZE", "6 4 3 2 1 5"),
        ("reverse size Reverse Size SIZE", "5 1 2 3 4 6"),
    ] {
        // The first time makes the keys, the second finds them.
        for _ in 0..2 {
            let lines = client.ok(&format!("SORT ({keys}) UTF-8 ALL")).await;
            assert_eq!(lines, [format!("* SORT {expected}")], "{keys}");
        }
    }
}

#[tokio::test]
async fn what_is_searched_and_how_it_is_told() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    mails(&mut client).await;
    client.ok("STORE 1 +FLAGS (\\Deleted)").await;
    client.ok("EXPUNGE").await;
    for (command, expected) in [
        ("SORT (DATE) US-ASCII FROM alpha", "* SORT 1"),
        ("UID SORT (DATE) US-ASCII FROM alpha", "* SORT 2"),
        ("UID SORT (DATE) \"utf-8\" 2:3", "* SORT 4 3"),
        ("UID SORT (DATE) utf-8 UID 3:4", "* SORT 4 3"),
        ("SORT (DATE) UTF-8 SUBJECT \"АЛЬФА\"", "* SORT 1"),
        ("SORT (SUBJECT) US-ASCII TEXT \"not in mailbox\"", "* SORT"),
    ] {
        assert_eq!(client.ok(command).await, [expected], "{command}");
    }
    let koi = b"k SORT (DATE) KOI8-R SUBJECT \"\xe1\xcc\xd8\xc6\xc1\"\r\n";
    client.send_bytes(koi).await;
    assert_eq!(client.until("k").await[0], "* SORT 1");
    for (command, expected) in [
        ("SORT RETURN () (DATE) UTF-8 ALL", ") ALL 4,3,1,5,2"),
        ("UID SORT RETURN () (ARRIVAL) UTF-8 ALL", ") UID ALL 5:6,3:4,2"),
        (
            "SORT RETURN (MIN MAX COUNT) (DATE) UTF-8 ALL",
            ") MIN 4 MAX 2 COUNT 5",
        ),
        (
            "SORT RETURN (PARTIAL 2:3) (DATE) UTF-8 ALL",
            ") PARTIAL (2:3 3,1)",
        ),
        (
            "SORT RETURN (PARTIAL -1:-2 COUNT) (DATE) UTF-8 ALL",
            ") PARTIAL (-1:-2 5,2) COUNT 5",
        ),
        (
            "SORT RETURN (PARTIAL 9:8) (DATE) UTF-8 ALL",
            ") PARTIAL (9:8 NIL)",
        ),
        ("SORT RETURN (MIN ALL COUNT) (DATE) UTF-8 KEYWORD x", ") COUNT 0"),
    ] {
        let lines = client.ok(command).await;
        assert_eq!(lines.len(), 1, "{command}");
        assert!(
            lines[0].starts_with("* ESEARCH (TAG \"t") && lines[0].ends_with(expected),
            "{lines:?}"
        );
    }
    // RFC 7162 §3.1.6
    let lines = client.ok("SORT (DATE) UTF-8 MODSEQ 1 1:2").await;
    assert!(
        lines[1].starts_with("* SORT 1 2 (MODSEQ ") || lines[1].starts_with("* SORT 2 1 (MODSEQ "),
        "{lines:?}"
    );
    for wrong in [
        "SORT",
        "SORT (DATE)",
        "SORT (DATE) UTF-8",
        "SORT () UTF-8 ALL",
        "SORT DATE UTF-8 ALL",
        "SORT (REVERSE) UTF-8 ALL",
        "SORT (REVERSE REVERSE DATE) UTF-8 ALL",
        "SORT (SPAM) UTF-8 ALL",
        "SORT (DATE) UTF-8 9",
        "SORT (DATE) UTF-8 NONSENSE",
        "SORT RETURN (ALL PARTIAL 1:2) (DATE) UTF-8 ALL",
    ] {
        assert!(client.answer(wrong).await.starts_with("BAD"), "{wrong}");
    }
    let refused = client.answer("SORT (DATE) X-NONE ALL").await;
    assert!(
        refused.starts_with("NO [BADCHARSET (US-ASCII UTF-8 "),
        "{refused}"
    );
}

#[tokio::test]
async fn saved_results() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    mails(&mut client).await;
    assert!(client.ok("SORT RETURN (SAVE) (DATE) UTF-8 2:4").await.is_empty());
    assert_eq!(client.ok("SEARCH $").await, ["* SEARCH 2 3 4"]);
    client
        .ok("SORT RETURN (SAVE MIN PARTIAL 2:2) (DATE) UTF-8 ALL")
        .await;
    assert_eq!(client.ok("SEARCH $").await, ["* SEARCH 1 5"]);
    client
        .ok("SORT RETURN (SAVE COUNT PARTIAL 2:2) (DATE) UTF-8 1:2")
        .await;
    assert_eq!(client.ok("SEARCH $").await, ["* SEARCH 1 2"]);
    assert!(
        client
            .answer("SORT RETURN (SAVE) (DATE) X-NONE ALL")
            .await
            .starts_with("NO")
    );
    assert_eq!(client.ok("SEARCH $").await, ["* SEARCH"]);
}

#[tokio::test]
async fn threads() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    let fields: [&[&str]; 7] = [
        &[
            "Subject: One",
            "Message-ID: <1@x>",
            "Date: 1 Jan 2024 10:00:00 +0000",
        ],
        &[
            "Subject: Re: One",
            "Message-ID: <2@x>",
            "References: <1@x>",
            "Date: 2 Jan 2024 10:00:00 +0000",
        ],
        &[
            "Subject: Re: One",
            "Message-ID: <3@x>",
            "In-Reply-To: Your mail of <\"2\"@x>",
            "Date: 3 Jan 2024 10:00:00 +0000",
        ],
        &[
            "Subject: Re: One",
            "Message-ID: <4@x>",
            "References: <1@x>\r\n\t<2@x>",
            "Date: 3 Jan 2024 09:00:00 +0000",
        ],
        &[
            "Subject: two",
            "Message-ID: <5@x>",
            "Date: 1 Jan 2024 09:00:00 +0000",
        ],
        // Two mails with one Message-ID are two mails.
        &[
            "Subject: three",
            "Message-ID: <5@x>",
            "Date: 1 Jan 2024 08:00:00 +0000",
        ],
        &["Subject: [l] ONE (fwd)", "Date: 9 Jan 2024 08:00:00 +0000"],
    ];
    for fields in fields {
        client.append("INBOX", &mail(fields)).await;
    }
    client.ok("NOOP").await;
    for (command, expected) in [
        ("THREAD REFERENCES UTF-8 ALL", "* THREAD (6)(5)(1 (2 (4)(3))(7))"),
        (
            "THREAD ORDEREDSUBJECT UTF-8 ALL",
            "* THREAD (6)(5)(1 (2)(4)(3)(7))",
        ),
        ("THREAD REFERENCES UTF-8 3:4", "* THREAD ((4)(3))"),
        ("thread references us-ascii TEXT gewp", "* THREAD"),
        ("THREAD ORDEREDSUBJECT UTF-8 5", "* THREAD (5)"),
    ] {
        assert_eq!(client.ok(command).await, [expected], "{command}");
    }
    client.ok("STORE 1 +FLAGS (\\Deleted)").await;
    client.ok("EXPUNGE").await;
    let lines = client.ok("UID THREAD REFERENCES UTF-8 ALL").await;
    assert_eq!(lines, ["* THREAD (6)(5)((2 (4)(3))(7))"]);
    for wrong in [
        "THREAD",
        "THREAD REFERENCES",
        "THREAD REFERENCES UTF-8",
        "THREAD NONE UTF-8 ALL",
        "THREAD REFERENCES UTF-8 8",
    ] {
        assert!(client.answer(wrong).await.starts_with("BAD"), "{wrong}");
    }
    assert!(
        client
            .answer("THREAD REFERENCES X-NONE ALL")
            .await
            .starts_with("NO [BADCHARSET")
    );
}

#[tokio::test]
async fn pages_of_searches_and_fetches() {
    let world = World::new().await;
    let mut client = world.inbox(6).await;
    client.ok("STORE 2 +FLAGS (\\Deleted)").await;
    client.ok("EXPUNGE").await;
    for (command, expected) in [
        ("SEARCH RETURN (PARTIAL 1:3) ALL", ") PARTIAL (1:3 1:3)"),
        ("UID SEARCH RETURN (PARTIAL 1:3) ALL", ") UID PARTIAL (1:3 1,3:4)"),
        (
            "UID SEARCH RETURN (PARTIAL -1:-2) ALL",
            ") UID PARTIAL (-1:-2 5:6)",
        ),
        (
            "UID SEARCH RETURN (PARTIAL 6:9 COUNT MAX) ALL",
            ") UID MAX 6 PARTIAL (6:9 NIL) COUNT 5",
        ),
    ] {
        let lines = client.ok(command).await;
        assert!(lines[0].ends_with(expected), "{lines:?}");
    }
    for (command, expected) in [
        (
            "UID FETCH 1:* (UID) (PARTIAL 1:2)",
            &["* 1 FETCH (UID 1)", "* 2 FETCH (UID 3)"][..],
        ),
        (
            "UID FETCH 1:* (UID) (PARTIAL -1:-2)",
            &["* 4 FETCH (UID 5)", "* 5 FETCH (UID 6)"],
        ),
        ("UID FETCH 4:* (UID) (PARTIAL 3:9)", &["* 5 FETCH (UID 6)"]),
        ("UID FETCH 1:* (UID) (PARTIAL 6:9)", &[]),
    ] {
        assert_eq!(client.ok(command).await, expected, "{command}");
    }
    for wrong in [
        "FETCH 1:* (UID) (PARTIAL 1:2)",
        "UID FETCH 1:* (UID) (PARTIAL 0:2)",
        "SEARCH RETURN (PARTIAL 1:*) ALL",
    ] {
        assert!(client.answer(wrong).await.starts_with("BAD"), "{wrong}");
    }
    // Of those that have changed, the last.
    let lines = client.ok("UID STORE 3,5:6 +FLAGS (\\Flagged)").await;
    let before: u64 = client.ok("UID FETCH 1 (MODSEQ)").await[1]
        .split_once("MODSEQ (")
        .and_then(|(_, rest)| rest.split_once(')')?.0.parse().ok())
        .unwrap();
    assert_eq!(lines.len(), 3);
    let command = format!("UID FETCH 1:* (FLAGS) (PARTIAL -1:-2 CHANGEDSINCE {before})");
    let told = client.ok(&command).await;
    assert!(
        told.len() == 2 && told[0].starts_with("* 4 FETCH (") && told[1].starts_with("* 5 FETCH ("),
        "{told:?}"
    );
}
