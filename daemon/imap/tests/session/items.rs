//! SAVEDATE, OBJECTID, PREVIEW.

use crate::support::*;

fn ids<'a>(line: &'a str, name: &str) -> &'a str {
    let from = line.split(&format!("{name} (")).nth(1).unwrap();
    from.split(')').next().unwrap()
}

#[tokio::test]
async fn dates_of_saving() {
    let world = World::new().await;
    let mut client = world.inbox(1).await;
    client
        .append_with("INBOX", "\" 5-Feb-2020 01:02:03 +0300\" ", MAIL)
        .await;
    let lines = client.ok("FETCH 2 (SAVEDATE INTERNALDATE)").await;
    let fetched = lines.last().unwrap();
    assert!(
        !fetched.contains("SAVEDATE \" 5-Feb-2020") && fetched.contains("+0000\" INTERNALDATE \" 5-Feb-2020"),
        "{fetched}"
    );
    // RFC 8514 §4.3
    assert_eq!(client.ok("SEARCH SAVEDATESUPPORTED").await, ["* SEARCH 1 2"]);
    assert_eq!(client.ok("SEARCH SAVEDBEFORE 6-Feb-2020").await, ["* SEARCH"]);
    assert_eq!(client.ok("SEARCH BEFORE 6-Feb-2020").await, ["* SEARCH 2"]);
    assert_eq!(client.ok("SEARCH SAVEDSINCE 6-Feb-2020").await, ["* SEARCH 1 2"]);
    assert_eq!(client.ok("SEARCH SAVEDON 5-Feb-2020").await, ["* SEARCH"]);
    assert!(client.answer("SEARCH SAVEDON").await.starts_with("BAD"));
    assert!(
        client
            .answer("FETCH 1 SAVEDATE SAVEDATE")
            .await
            .starts_with("BAD")
    );
}

#[tokio::test]
async fn object_ids() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    let created = client.answer("CREATE one").await;
    assert!(created.starts_with("OK [MAILBOXID (F"), "{created}");
    let id = ids(&created, "MAILBOXID").to_owned();
    assert_eq!(
        client.ok("STATUS one (MAILBOXID)").await,
        [format!("* STATUS one (MAILBOXID ({id}))")]
    );
    client.ok("RENAME one two").await;
    let lines = client.ok("EXAMINE two").await;
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with(&format!("* OK [MAILBOXID ({id})]"))),
        "{lines:?}"
    );
    let lines = client.ok("LIST \"\" two RETURN (STATUS (MAILBOXID))").await;
    assert_eq!(lines[1], format!("* STATUS two (MAILBOXID ({id}))"));
    client.ok("CREATE one").await;
    assert_ne!(
        ids(&client.ok("STATUS one (MAILBOXID)").await[0], "MAILBOXID"),
        id
    );

    client.append("INBOX", MAIL).await;
    let reply = MAIL
        .replace("<1@", "<2@")
        .replace("\r\n\r\n", "\r\nReferences: <1@example.test>\r\n\r\n");
    client.append("INBOX", &reply).await;
    client.append("INBOX", "Subject: alone\r\n\r\nx").await;
    client.ok("SELECT INBOX").await;
    client.ok("COPY 1 two").await;
    let lines = client.ok("FETCH 1:3 (EMAILID THREADID)").await;
    let emails: Vec<&str> = lines.iter().map(|line| ids(line, "EMAILID")).collect();
    let threads: Vec<&str> = lines.iter().map(|line| ids(line, "THREADID")).collect();
    assert!(emails[0] != emails[1] && threads[0] == threads[1] && threads[0] != threads[2]);
    assert!(emails.iter().chain(&threads).all(|id| {
        id.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    }));
    let search = format!("SEARCH EMAILID {}", emails[1]);
    assert_eq!(client.ok(&search).await, ["* SEARCH 2"]);
    let search = format!("SEARCH THREADID {}", threads[0]);
    assert_eq!(client.ok(&search).await, ["* SEARCH 1 2"]);
    assert_eq!(client.ok("SEARCH EMAILID M0-1").await, ["* SEARCH"]);
    assert_eq!(client.ok("SEARCH THREADID fnord").await, ["* SEARCH"]);
    assert!(client.answer("SEARCH EMAILID \"a b\"").await.starts_with("BAD"));
    let first = emails[0].to_owned();
    client.ok("SELECT two").await;
    assert_eq!(ids(&client.ok("FETCH 1 EMAILID").await[0], "EMAILID"), first);
}

#[tokio::test]
async fn previews() {
    let world = World::new().await;
    let mut client = world.inbox(1).await;
    client
        .append(
            "INBOX",
            "Content-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=F0=D2=C9=D7=C5=D4</p>",
        )
        .await;
    client.append("INBOX", "Subject: no text\r\n\r\n").await;
    assert_eq!(
        client.ok("FETCH 1 (UID PREVIEW (LAZY))").await,
        ["* 1 FETCH (UID 1 PREVIEW NIL)"]
    );
    assert_eq!(
        client.ok("FETCH 1:3 PREVIEW").await,
        [
            "* 1 FETCH (PREVIEW \"First line Second line\")",
            "* 2 FETCH (PREVIEW {12}\r\nПривет)",
            "* 3 FETCH (PREVIEW \"\")"
        ]
    );
    assert_eq!(
        client.ok("FETCH 1 (PREVIEW (LAZY) FLAGS)").await,
        ["* 1 FETCH (PREVIEW \"First line Second line\" FLAGS (\\Recent))"]
    );
    assert!(
        client
            .answer("FETCH 1 (PREVIEW (FUZZY))")
            .await
            .starts_with("BAD")
    );
    assert!(client.answer("FETCH 1 (PREVIEW LAZY)").await.starts_with("BAD"));
}
