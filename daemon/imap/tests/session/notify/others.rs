//! Mailboxes that are not selected: counters, names, subscriptions, annotations.

use super::*;

#[tokio::test]
async fn other_mailboxes_are_counted_without_a_question() {
    let world = World::new().await;
    let mut client = world.inbox(1).await;
    let mut other = another(&world).await;
    let lines = client
        .ok("NOTIFY SET STATUS (SELECTED (MessageNew MessageExpunge)) (PERSONAL (MessageNew MessageExpunge))")
        .await;
    assert!(
        lines.contains(&"* STATUS Drafts (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)".replace(
            "UIDVALIDITY 1",
            &format!("UIDVALIDITY {}", validity(&mut other, "Drafts").await)
        )),
        "{lines:?}"
    );
    // The selected one has its own responses.
    assert!(!lines.iter().any(|line| line.contains("INBOX")), "{lines:?}");
    other.append("Drafts", MAIL).await;
    let line = told(&mut client).await;
    assert!(
        line.starts_with("* STATUS Drafts (MESSAGES 1 UIDNEXT 2 UIDVALIDITY "),
        "{line}"
    );
    other.ok("SELECT Drafts").await;
    // Flags are not asked for.
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    other.ok("EXPUNGE").await;
    let line = told(&mut client).await;
    assert!(
        line.starts_with("* STATUS Drafts (MESSAGES 0 UIDNEXT 2 UIDVALIDITY "),
        "{line}"
    );
    assert_eq!(said(&mut client).await, Vec::<String>::new());
    // With flags, and how far the changes go.
    client
        .ok("NOTIFY SET (MAILBOXES (Drafts Trash) (MessageNew MessageExpunge FlagChange))")
        .await;
    other.append("Drafts", MAIL).await;
    let line = told(&mut client).await;
    assert!(line.contains(" UNSEEN 1 HIGHESTMODSEQ "), "{line}");
    other.ok("STORE 1 +FLAGS.SILENT (\\Seen)").await;
    let line = told(&mut client).await;
    assert!(
        line.starts_with("* STATUS Drafts (MESSAGES 1 ") && line.contains(" UNSEEN 0 "),
        "{line}"
    );
    other.append("Sent", MAIL).await;
    // What the client does by itself it knows.
    client.append("Trash", MAIL).await;
    client.ok("COPY 1 Drafts").await;
    other.append("Trash", MAIL).await;
    let line = told(&mut client).await;
    assert!(line.starts_with("* STATUS Trash (MESSAGES 2 "), "{line}");
    assert_eq!(said(&mut client).await, Vec::<String>::new());
    // Selecting another changes which one is another.
    client.ok("SELECT Trash").await;
    other.append("Trash", MAIL).await;
    assert!(said(&mut client).await.is_empty(), "SELECTED is not asked for");
    client.ok("UNSELECT").await;
    other.append("Trash", MAIL).await;
    let line = told(&mut client).await;
    assert!(line.starts_with("* STATUS Trash (MESSAGES 4 "), "{line}");
}

async fn validity(client: &mut Client, name: &str) -> String {
    let lines = client.ok(&format!("STATUS {name} (UIDVALIDITY)")).await;
    items(&lines[0])
        .trim_start_matches("UIDVALIDITY ")
        .trim_end_matches(')')
        .to_owned()
}

#[tokio::test]
async fn a_mailbox_in_the_place_of_another_has_another_validity() {
    let world = World::new().await;
    let mut client = world.user().await;
    let mut other = another(&world).await;
    other.ok("CREATE x").await;
    let lines = client
        .ok("NOTIFY SET STATUS (MAILBOXES x (MessageNew MessageExpunge FlagChange))")
        .await;
    let first = items(&lines[0]).to_owned();
    other.ok("DELETE x").await;
    other.ok("CREATE x").await;
    let line = told(&mut client).await;
    assert!(
        line.starts_with("* STATUS x (MESSAGES 0 UIDNEXT 1 UIDVALIDITY "),
        "{line}"
    );
    let validity = |items: &str| items.split(' ').nth(5).unwrap().to_owned();
    assert_ne!(validity(items(&line)), validity(&first));
}

#[tokio::test]
async fn subscribed_mailboxes_are_those_that_are_subscribed_now() {
    let world = World::new().await;
    let mut client = world.user().await;
    let mut other = another(&world).await;
    other.ok("CREATE Lists").await;
    client
        .ok("NOTIFY SET (SUBSCRIBED (MessageNew MessageExpunge))")
        .await;
    other.append("Lists", MAIL).await;
    assert_eq!(said(&mut client).await, Vec::<String>::new());
    other.ok("SUBSCRIBE Lists").await;
    assert_eq!(said(&mut client).await, Vec::<String>::new());
    other.append("Lists", MAIL).await;
    assert!(told(&mut client).await.starts_with("* STATUS Lists (MESSAGES 2 "));
    // One's own subscription counts as well.
    client.ok("UNSUBSCRIBE Lists").await;
    other.append("Lists", MAIL).await;
    assert_eq!(said(&mut client).await, Vec::<String>::new());
}

#[tokio::test]
async fn names_subscriptions_and_annotations() {
    let world = World::new().await;
    let mut client = world.user().await;
    let mut other = another(&world).await;
    client
        .ok("NOTIFY SET (PERSONAL (MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange))")
        .await;
    other.ok("CREATE a/b").await;
    assert_eq!(told(&mut client).await, "* LIST (\\HasChildren) \"/\" a");
    assert_eq!(told(&mut client).await, "* LIST (\\HasNoChildren) \"/\" a/b");
    other.ok("SUBSCRIBE a/b").await;
    assert_eq!(
        told(&mut client).await,
        "* LIST (\\HasNoChildren \\Subscribed) \"/\" a/b"
    );
    other.ok("SUBSCRIBE gone").await;
    assert_eq!(
        told(&mut client).await,
        "* LIST (\\NonExistent \\Subscribed) \"/\" gone"
    );
    other.ok("UNSUBSCRIBE gone").await;
    assert_eq!(told(&mut client).await, "* LIST (\\NonExistent) \"/\" gone");
    other.ok("RENAME a c").await;
    assert_eq!(
        told(&mut client).await,
        "* LIST (\\HasChildren) \"/\" c (\"OLDNAME\" (a))"
    );
    assert_eq!(
        told(&mut client).await,
        "* LIST (\\HasNoChildren) \"/\" c/b (\"OLDNAME\" (a/b))"
    );
    other.ok("DELETE c/b").await;
    assert_eq!(told(&mut client).await, "* LIST (\\NonExistent) \"/\" c/b");
    other
        .ok("SETMETADATA c (/shared/comment \"x\" /private/comment \"y\")")
        .await;
    let mut lines = [told(&mut client).await, told(&mut client).await];
    lines.sort();
    assert_eq!(
        lines,
        ["* METADATA c /private/comment", "* METADATA c /shared/comment"]
    );
    other.ok("SETMETADATA \"\" (/private/comment \"y\")").await;
    assert_eq!(told(&mut client).await, "* METADATA \"\" /private/comment");
    // One's own doing.
    for command in [
        "CREATE d",
        "RENAME d e",
        "SUBSCRIBE e",
        "SETMETADATA e (/private/comment \"z\")",
        "DELETE e",
    ] {
        client.ok(command).await;
        assert!(said(&mut client).await.is_empty(), "{command}");
    }
    // The administrator's entry.
    let directory = &world.server.directory;
    let (_, revision) = directory.setting_values().await.unwrap();
    directory
        .set_setting("server.postmaster", "help@example.test", revision, "test")
        .await
        .unwrap();
    assert_eq!(told(&mut client).await, "* METADATA \"\" /shared/admin");
    // Only what was asked for.
    client.ok("NOTIFY SET (MAILBOXES (c f) (MailboxName))").await;
    other.ok("CREATE d").await;
    other.ok("RENAME c g").await;
    assert_eq!(
        told(&mut client).await,
        "* LIST (\\HasNoChildren) \"/\" g (\"OLDNAME\" (c))"
    );
    other.ok("RENAME g f").await;
    assert_eq!(
        told(&mut client).await,
        "* LIST (\\HasNoChildren) \"/\" f (\"OLDNAME\" (g))"
    );
    other.ok("SUBSCRIBE f").await;
    assert_eq!(said(&mut client).await, Vec::<String>::new());
}

#[tokio::test]
async fn who_does_not_listen_is_told_that_something_was_missed() {
    let world = World::new().await;
    let mut client = world.user().await;
    let mut other = another(&world).await;
    client
        .ok("NOTIFY SET (PERSONAL (MailboxName MessageNew MessageExpunge))")
        .await;
    // In the middle of a command nothing is told.
    client.send("x NO").await;
    for _ in 0..=mailbox::HAPPENINGS_MAX / 2 {
        other.ok("SUBSCRIBE a").await;
        other.ok("UNSUBSCRIBE a").await;
    }
    client.send("OP\r\n").await;
    let lines = client.until("x").await;
    assert!(lines[0].starts_with("* OK [NOTIFICATIONOVERFLOW] "), "{lines:?}");
    // As after NOTIFY NONE.
    other.ok("CREATE b").await;
    assert_eq!(said(&mut client).await, Vec::<String>::new());
    // New messages are no matter of how many.
    client
        .ok("NOTIFY SET (PERSONAL (MessageNew MessageExpunge))")
        .await;
    client.send("x NO").await;
    for _ in 0..=mailbox::HAPPENINGS_MAX {
        other.append("b", "Subject: x\r\n\r\n").await;
    }
    client.send("OP\r\n").await;
    let lines = client.until("x").await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with(&format!("* STATUS b (MESSAGES {} ", mailbox::HAPPENINGS_MAX + 1)));
}

#[tokio::test]
async fn refusals() {
    let world = World::new().await;
    let mut client = world.user().await;
    let known = "NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)] ";
    for event in [
        "(PERSONAL (MessageNew MessageExpunge AnnotationChange))",
        "(PERSONAL (MoonPhase))",
        "(SELECTED (MessageNew MessageExpunge MoonPhase))",
    ] {
        let answer = client.answer(&format!("NOTIFY SET {event}")).await;
        assert!(answer.starts_with(known), "{answer}");
    }
    let many: Vec<String> = (0..3000)
        .map(|number| format!("a-long-name-of-a-mailbox-{number}"))
        .collect();
    let answer = client
        .answer(&format!(
            "NOTIFY SET (MAILBOXES ({}) (MailboxName))",
            many.join(" ")
        ))
        .await;
    assert!(answer.starts_with("NO [NOTIFICATIONOVERFLOW]"), "{answer}");
    // Names that lead nowhere are no error.
    let names = format!(
        "NOTIFY SET STATUS (MAILBOXES (nowhere \"Other Users/{OTHER}/INBOX\" Public/x) (MailboxName))"
    );
    assert!(client.ok(&names).await.is_empty());
}
