//! Rights: given, shown, taken away, and what they allow.

use shared::model::Group;

use super::*;

#[tokio::test]
async fn acl_is_given_shown_and_taken() {
    let world = World::new().await;
    world.group("Inner", &[OTHER], &[]).await;
    world.group("Sales Team", &[], &["Inner"]).await;
    let mut anna = world.user().await;
    let mut boris = world.other().await;
    assert_eq!(
        anna.ok("GETACL INBOX").await,
        ["* ACL INBOX anna@example.test lrswipkxteacd"]
    );
    boris
        .answers(&format!("SELECT {ANNAS}"), "NO [NONEXISTENT]")
        .await;
    anna.ok("SETACL INBOX \"$sales team\" lrs").await;
    anna.ok("SETACL INBOX Boris@example.test +t").await;
    anna.ok("SETACL INBOX Boris@example.test -e").await;
    assert_eq!(
        anna.ok("GETACL INBOX").await,
        ["* ACL INBOX anna@example.test lrswipkxteacd boris@example.test td \"$Sales Team\" lrs"]
    );
    assert_eq!(
        boris.ok(&format!("MYRIGHTS {ANNAS}")).await,
        [format!("* MYRIGHTS {ANNAS} lrstd")]
    );
    // What is denied is denied, whoever gives it.
    anna.ok("SETACL INBOX -boris@example.test s").await;
    assert_eq!(
        boris.ok(&format!("MYRIGHTS {ANNAS}")).await,
        [format!("* MYRIGHTS {ANNAS} lrtd")]
    );
    anna.ok("DELETEACL INBOX -boris@example.test").await;
    anna.ok("SETACL INBOX anyone c").await;
    assert_eq!(
        boris.ok(&format!("MYRIGHTS {ANNAS}")).await,
        [format!("* MYRIGHTS {ANNAS} lrskxtcd")]
    );
    assert_eq!(
        anna.ok("LISTRIGHTS INBOX anyone").await,
        ["* LISTRIGHTS INBOX anyone \"\" l r s w i p k x t e a c d"]
    );
    assert_eq!(
        anna.ok("LISTRIGHTS INBOX anna@example.test").await,
        ["* LISTRIGHTS INBOX anna@example.test lrswipkxteacd"]
    );
    // The owner's rights stay.
    for refused in [
        "SETACL INBOX anna@example.test lr",
        "SETACL INBOX anna@example.test -a",
        "SETACL INBOX -anna@example.test a",
        "DELETEACL INBOX anna@example.test",
    ] {
        anna.answers(refused, "NO [CANNOT]").await;
    }
    anna.ok("SETACL INBOX anna@example.test +lr").await;
    anna.answers("SETACL INBOX nobody@example.test lr", "NO").await;
    anna.answers("SETACL INBOX $nobody lr", "NO").await;
    anna.answers("SETACL INBOX anyone lz", "BAD").await;
    // Leaving the inner group ends what the outer one gave.
    let directory = &world.server.directory;
    let inner = directory.groups(Default::default()).await.unwrap().rows;
    let inner = inner.into_iter().find(|group| group.name == "Inner").unwrap();
    let members = Vec::new();
    directory
        .set_group(Group { members, ..inner }, "test")
        .await
        .unwrap();
    assert_eq!(
        boris.ok(&format!("MYRIGHTS {ANNAS}")).await,
        [format!("* MYRIGHTS {ANNAS} kxtcd")]
    );
}

/// Nobody inherits the rights of a namesake who is gone, and nobody loses theirs by a new name.
#[tokio::test]
async fn rights_stay_with_the_person() {
    let world = World::new().await;
    let mut anna = world.user().await;
    anna.ok("SETACL INBOX boris@example.test lr").await;
    let directory = &world.server.directory;
    let (old, new) = (OTHER.parse().unwrap(), "petr@example.test".parse().unwrap());
    directory.rename_user(&old, &new, "test").await.unwrap();
    assert!(
        anna.ok("GETACL INBOX").await[0].ends_with("petr@example.test lr"),
        "the new name"
    );
    directory.remove_user(&new, "test").await.unwrap();
    assert_eq!(
        anna.ok("GETACL INBOX").await,
        ["* ACL INBOX anna@example.test lrswipkxteacd"]
    );
    let user = shared::protocol::NewUser {
        address: OTHER.parse().unwrap(),
        password: Some(PASSWORD.to_owned()),
        name: String::new(),
        quota_bytes: None,
        groups: Vec::new(),
        enabled: true,
    };
    directory.add_user(user, "test").await.unwrap();
    let mut boris = world.other().await;
    boris
        .answers(&format!("SELECT {ANNAS}"), "NO [NONEXISTENT]")
        .await;
}

#[tokio::test]
async fn flags_follow_the_rights() {
    let world = World::new().await;
    let mut anna = world.inbox(1).await;
    let mut boris = world.other().await;
    anna.ok("STORE 1 +FLAGS (\\Flagged $Anna)").await;
    anna.ok("SETACL INBOX boris@example.test lrt").await;
    let lines = boris.command(&format!("SELECT {ANNAS}")).await.join("\n");
    assert!(
        lines.contains("[PERMANENTFLAGS (\\Deleted)]") && lines.contains("OK [READ-WRITE]"),
        "{lines}"
    );
    // Read without `s`: shown, not kept.
    let lines = boris.ok("FETCH 1 BODY[TEXT]").await.join("\n");
    assert!(
        lines.contains("First line") && !lines.contains("\\Seen"),
        "{lines}"
    );
    // Some of what is named may be changed: that is.
    boris.ok("STORE 1 FLAGS (\\Deleted \\Seen $Boris)").await;
    let lines = anna.ok("FETCH 1 FLAGS").await;
    assert_eq!(
        lines.last().unwrap(),
        "* 1 FETCH (FLAGS (\\Recent \\Flagged \\Deleted $Anna))"
    );
    boris.answers("EXPUNGE", "NO [NOPERM]").await;
    boris.answers("MOVE 1 INBOX", "NO [NOPERM]").await;
    boris.ok("CLOSE").await;
    assert_eq!(
        anna.ok("STATUS INBOX (MESSAGES)").await,
        ["* STATUS INBOX (MESSAGES 1)"]
    );
    anna.ok("SETACL INBOX boris@example.test lr").await;
    let lines = boris.command(&format!("SELECT {ANNAS}")).await.join("\n");
    assert!(
        lines.contains("[PERMANENTFLAGS ()]") && lines.contains("OK [READ-ONLY]"),
        "{lines}"
    );
    // What is put into a folder brings only the flags that may be set there.
    anna.ok("SETACL INBOX boris@example.test lris").await;
    let appended = boris.append_with(ANNAS, "(\\Seen \\Flagged $Key) ", MAIL).await;
    assert!(appended.starts_with("OK"), "{appended}");
    boris
        .append_with("INBOX", "(\\Seen \\Answered $Key) ", MAIL)
        .await;
    boris.ok("SELECT INBOX").await;
    boris.ok(&format!("COPY 1 {ANNAS}")).await;
    let lines = anna.ok("FETCH 2:3 FLAGS").await.join("\n");
    assert!(
        lines.matches("(\\Recent \\Seen)").count() + lines.matches("(\\Seen)").count() == 2,
        "{lines}"
    );
}

#[tokio::test]
async fn rights_taken_away_take_effect_at_once() {
    let world = World::new().await;
    let mut anna = world.inbox(2).await;
    let mut boris = world.other().await;
    anna.ok("SETACL INBOX boris@example.test lrswte").await;
    boris.ok(&format!("SELECT {ANNAS}")).await;
    boris.ok("STORE 1 +FLAGS (\\Flagged)").await;
    anna.ok("SETACL INBOX boris@example.test -w").await;
    boris.answers("STORE 1 -FLAGS (\\Flagged)", "NO [NOPERM]").await;
    anna.ok("DELETEACL INBOX boris@example.test").await;
    for command in ["FETCH 1 BODY[]", "SEARCH ALL", "EXPUNGE", "COPY 1 INBOX"] {
        boris.answers(command, "NO [NOPERM]").await;
    }
    // Nothing is told of what happens there now.
    anna.append("INBOX", MAIL).await;
    assert_eq!(boris.ok("NOOP").await, Vec::<String>::new());
    boris.ok("UNSELECT").await;
    // Nor is one who idles.
    anna.ok("SETACL INBOX boris@example.test lr").await;
    boris.ok(&format!("SELECT {ANNAS}")).await;
    boris.send("i IDLE\r\n").await;
    assert_eq!(boris.line().await, "+ idling");
    anna.ok("DELETEACL INBOX boris@example.test").await;
    anna.append("INBOX", MAIL).await;
    boris.send("DONE\r\n").await;
    let lines = boris.until("i").await;
    assert!(!lines.iter().any(|line| line.contains("EXISTS")), "{lines:?}");
}
