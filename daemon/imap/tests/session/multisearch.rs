//! ESEARCH: one command searches several mailboxes.

use crate::support::*;

fn mail(subject: &str) -> String {
    format!("Subject: {subject}\r\n\r\nText\r\n")
}

async fn validity(client: &mut Client, name: &str) -> String {
    let lines = client.ok(&format!("STATUS {name} (UIDVALIDITY)")).await;
    let (_, items) = lines[0].split_once("UIDVALIDITY ").unwrap();
    items.trim_end_matches(')').to_owned()
}

/// The mailboxes and what was found there, in the order of the answers.
async fn found(client: &mut Client, command: &str) -> Vec<String> {
    let lines = client.ok(command).await.into_iter();
    let of = |line: String| {
        let (_, rest) = line.split_once(" MAILBOX ").unwrap();
        let (name, rest) = rest.split_once(" UIDVALIDITY ").unwrap();
        format!("{name}: {}", rest.split_once(") UID ").unwrap().1)
    };
    lines.map(of).collect()
}

#[tokio::test]
async fn mailboxes_are_searched_at_once() {
    let world = World::new().await;
    let mut client = world.user().await;
    for name in ["a", "a/b", "a/b/c", "d"] {
        client.ok(&format!("CREATE {name}")).await;
        client.append(name, &mail("x")).await;
        client.append(name, &mail(name)).await;
    }
    client.append("INBOX", &mail("x")).await;
    // The whole answer, once; nothing is told of mailboxes in which there is nothing.
    let lines = client
        .command("ESEARCH IN (mailboxes (d INBOX d nowhere)) SUBJECT d")
        .await;
    let d = validity(&mut client, "d").await;
    let (tag, _) = lines[1].split_once(' ').unwrap();
    assert_eq!(
        lines[0],
        format!("* ESEARCH (TAG \"{tag}\" MAILBOX d UIDVALIDITY {d}) UID ALL 2")
    );
    assert_eq!(lines.len(), 2);
    let cases: &[(&str, &[&str])] = &[
        (
            "ESEARCH IN (personal) SUBJECT x",
            &[
                "INBOX: ALL 1",
                "a: ALL 1",
                "a/b: ALL 1",
                "a/b/c: ALL 1",
                "d: ALL 1",
            ],
        ),
        (
            "ESEARCH IN (inboxes) RETURN (COUNT) SUBJECT a",
            &["a: COUNT 1", "a/b: COUNT 1", "a/b/c: COUNT 1"],
        ),
        (
            "ESEARCH IN (subtree a) RETURN (MIN MAX) ALL",
            &["a: MIN 1 MAX 2", "a/b: MIN 1 MAX 2", "a/b/c: MIN 1 MAX 2"],
        ),
        (
            "ESEARCH IN (subtree-one a) SUBJECT x",
            &["a: ALL 1", "a/b: ALL 1"],
        ),
        (
            "ESEARCH IN (subtree a/b mailboxes d) RETURN () SUBJECT x",
            &["a/b: ALL 1", "a/b/c: ALL 1", "d: ALL 1"],
        ),
        (
            "ESEARCH IN (mailboxes d) RETURN (PARTIAL -1:-1) ALL",
            &["d: PARTIAL (-1:-1 2)"],
        ),
        ("ESEARCH IN (mailboxes d) RETURN (COUNT) SUBJECT nothing", &[]),
        ("ESEARCH IN (mailboxes (d INBOX)) 2", &["d: ALL 2"]),
    ];
    for (command, expected) in cases {
        assert_eq!(found(&mut client, command).await, *expected, "{command}");
    }
    assert!(
        !found(&mut client, "ESEARCH IN (subscribed) SUBJECT x")
            .await
            .contains(&"a/b: ALL 1".to_owned())
    );
    client.ok("SUBSCRIBE a/b").await;
    let subscribed = found(&mut client, "ESEARCH IN (subscribed) SUBJECT x").await;
    assert!(subscribed.contains(&"a/b: ALL 1".to_owned()), "{subscribed:?}");
    // Nothing becomes less recent or unseen by it.
    let lines = client.ok("STATUS a (RECENT UNSEEN)").await;
    assert_eq!(lines, ["* STATUS a (RECENT 2 UNSEEN 2)"]);
}

#[tokio::test]
async fn the_selected_mailbox_is_searched_as_its_client_knows_it() {
    let world = World::new().await;
    let mut client = world.inbox(2).await;
    client.append("Drafts", MAIL).await;
    assert_eq!(
        found(&mut client, "ESEARCH SUBJECT hello").await,
        ["INBOX: ALL 1:2"]
    );
    let both = found(&mut client, "ESEARCH IN (mailboxes (Drafts) selected) UID 1").await;
    assert_eq!(both, ["INBOX: ALL 1", "Drafts: ALL 1"]);
    let both = found(&mut client, "ESEARCH IN (personal) UID 1").await;
    assert_eq!(both, ["INBOX: ALL 1", "Drafts: ALL 1"]);
    client.ok("ESEARCH RETURN (SAVE) UID 2").await;
    assert_eq!(client.ok("FETCH $ UID").await, ["* 2 FETCH (UID 2)"]);
    // Updates are those of the selected mailbox.
    let lines = client
        .ok("ESEARCH IN (personal) RETURN (UPDATE COUNT) UNSEEN")
        .await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    let lines = client.ok("STORE 1 +FLAGS.SILENT (\\Seen)").await;
    assert!(lines[0].ends_with(" UID REMOVEFROM (0 1)"), "{lines:?}");
    let lines = client
        .ok("ESEARCH IN (mailboxes Drafts) RETURN (UPDATE COUNT) UNSEEN")
        .await;
    assert!(
        lines[0].starts_with("* NO [NOUPDATE ") && lines.len() == 2,
        "{lines:?}"
    );
}

#[tokio::test]
async fn what_may_not_be_read_is_not_searched() {
    let world = World::new().await;
    let mut client = world.user().await;
    let mut other = world.connect().await;
    other.ok(&format!("LOGIN {OTHER} \"{PASSWORD}\"")).await;
    for (name, rights) in [("listed", "l"), ("read", "r"), ("both", "lr"), ("none", "")] {
        other.ok(&format!("CREATE {name}")).await;
        other.append(name, MAIL).await;
        if !rights.is_empty() {
            other.ok(&format!("SETACL {name} {USER} {rights}")).await;
        }
    }
    let place = |name: &str| format!("\"Other Users/{OTHER}/{name}\"");
    let subtree = found(&mut client, "ESEARCH IN (subtree \"Other Users\") ALL").await;
    assert_eq!(subtree, [format!("{}: ALL 1", place("both"))]);
    let names = ["listed", "read", "both", "none"].map(place).join(" ");
    let named = found(&mut client, &format!("ESEARCH IN (mailboxes ({names})) ALL")).await;
    assert_eq!(
        named,
        [
            format!("{}: ALL 1", place("both")),
            format!("{}: ALL 1", place("read"))
        ]
    );
}
