//! QRESYNC (RFC 7162 §3.2): a program that was away learns what it missed, and nothing else.

use crate::support::*;

/// The number after a word in any of these lines.
fn number(lines: &[String], word: &str) -> u64 {
    let line = lines.iter().find(|line| line.contains(word)).unwrap();
    let rest = line.split_once(word).unwrap().1.trim_start();
    let end = rest
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().unwrap()
}

/// Those that are about messages.
fn about_messages(lines: &[String]) -> Vec<&str> {
    lines
        .iter()
        .map(String::as_str)
        .filter(|line| line.contains("VANISHED") || line.contains(" FETCH ") || line.ends_with("EXPUNGE"))
        .collect()
}

#[tokio::test]
async fn what_was_missed_is_told_at_select() {
    let world = World::new().await;
    let mut away = world.inbox(10).await;
    let lines = away.ok("SELECT INBOX").await;
    let (validity, modseq) = (number(&lines, "UIDVALIDITY"), number(&lines, "HIGHESTMODSEQ"));
    away.ok("UNSELECT").await;
    let mut other = world.inbox(0).await;
    other.ok("STORE 3:5,7,10 +FLAGS.SILENT (\\Deleted)").await;
    other.ok("EXPUNGE").await;
    other.ok("UID STORE 2 +FLAGS.SILENT (\\Flagged)").await;
    other.append("INBOX", MAIL).await;
    let select = |more: &str| format!("SELECT INBOX (QRESYNC ({validity} {modseq}{more}))");
    assert!(away.answer(&select("")).await.starts_with("BAD"));
    assert_eq!(away.ok("ENABLE QRESYNC").await, ["* ENABLED QRESYNC"]);
    let lines = away.ok(&select("")).await;
    let told = about_messages(&lines);
    assert_eq!(told[0], "* VANISHED (EARLIER) 3:5,7,10");
    assert!(told[1].starts_with("* 2 FETCH (UID 2 MODSEQ (") && told[1].contains("\\Flagged"));
    assert!(told[2].starts_with("* 6 FETCH (UID 11 MODSEQ ("), "{told:?}");
    assert_eq!(told.len(), 3);
    // Only what the program still has.
    let lines = away.ok(&select(" 1,5:6,11 (1 1)")).await;
    assert!(lines[0].starts_with("* OK [CLOSED]"), "{lines:?}");
    let told = about_messages(&lines);
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], "* VANISHED (EARLIER) 5");
    // Another UIDVALIDITY: nothing of it is worth anything.
    let lines = away
        .ok(&format!("SELECT INBOX (QRESYNC ({} {modseq}))", validity + 1))
        .await;
    assert!(about_messages(&lines).is_empty());
    // Nothing was missed.
    let now = number(&lines, "HIGHESTMODSEQ");
    let lines = away
        .ok(&format!("EXAMINE INBOX (QRESYNC ({validity} {now}))"))
        .await;
    assert!(about_messages(&lines).is_empty());
    let lines = away
        .ok(&format!("UID FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq} VANISHED)"))
        .await;
    let told = about_messages(&lines);
    assert_eq!(told[0], "* VANISHED (EARLIER) 3:5,7,10");
    assert_eq!(told.len(), 3);
    for bad in [
        "FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)",
        "UID FETCH 1:* (FLAGS) (VANISHED)",
    ] {
        assert!(away.answer(bad).await.starts_with("BAD"), "{bad}");
    }
}

#[tokio::test]
async fn what_goes_is_told_by_uid() {
    let world = World::new().await;
    let mut first = world.inbox(6).await;
    let mut second = world.inbox(0).await;
    first.ok("ENABLE QRESYNC").await;
    second.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)").await;
    let lines = first.ok("NOOP").await;
    assert!(lines[0].starts_with("* 1 FETCH (UID 1 MODSEQ ("), "{lines:?}");
    second.ok("EXPUNGE").await;
    assert_eq!(first.ok("NOOP").await, ["* VANISHED 1:2"]);
    first.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    let lines = first.command("EXPUNGE").await;
    assert_eq!(lines[0], "* VANISHED 3");
    let told = number(&lines, "[HIGHESTMODSEQ");
    assert_eq!(
        number(&first.ok("STATUS INBOX (HIGHESTMODSEQ)").await, "HIGHESTMODSEQ"),
        told
    );
    let lines = first.ok("MOVE 1 Archive").await;
    assert!(lines.contains(&"* VANISHED 4".to_owned()), "{lines:?}");
    // Nothing to say of nothing.
    assert_eq!(first.answer("EXPUNGE").await, "OK completed");
    first.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    let answer = first.answer("CLOSE").await;
    assert!(answer.starts_with("OK [HIGHESTMODSEQ "), "{answer}");
    let told = number(&[answer], "HIGHESTMODSEQ");
    assert_eq!(
        number(&first.ok("STATUS INBOX (HIGHESTMODSEQ)").await, "HIGHESTMODSEQ"),
        told
    );
}

/// A mailbox that much is expunged from must not grow for ever, and a program from before that must not be told lies.
#[tokio::test]
async fn a_forgotten_history_is_answered_by_what_is_not_there() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    let lines = client.ok("SELECT INBOX").await;
    let validity = number(&lines, "UIDVALIDITY");
    let owner = world.owner(USER).await;
    let inbox = owner.folder("INBOX").await.unwrap().id;
    let text = disk::blob::Blob::Bytes(bytes::Bytes::from_static(MAIL.as_bytes()));
    let append = mailbox::Append {
        text,
        flags: mailbox::Flags::NONE,
        keywords: Vec::new(),
        received: (0, 0),
        quota_bytes: None,
    };
    for _ in 0..10 {
        owner.append(inbox, vec![append.clone(); 1000]).await.unwrap();
    }
    let every_second: Vec<u32> = (1..10_000).step_by(2).collect();
    let before = owner.status(inbox).await.unwrap().highest_modseq;
    for some in every_second.chunks(500) {
        owner.remove_messages(inbox, some).await.unwrap();
    }
    let kept = owner.expunged(inbox, before + 9).await.unwrap().unwrap();
    assert_eq!(kept.len(), 500, "the last is remembered");
    assert_eq!(
        owner.expunged(inbox, before).await.unwrap(),
        None,
        "the first is forgotten"
    );
    client.ok("ENABLE QRESYNC").await;
    let lines = client
        .ok(&format!(
            "SELECT INBOX (QRESYNC ({validity} {before} 1:20 (1:3 2,4,7)))"
        ))
        .await;
    // The pair (2, 4) holds, so that nothing below 4 need be told.
    assert_eq!(
        about_messages(&lines),
        ["* VANISHED (EARLIER) 5,7,9,11,13,15,17,19"]
    );
    let lines = client
        .ok(&format!("SELECT INBOX (QRESYNC ({validity} {before} 1:6))"))
        .await;
    assert_eq!(about_messages(&lines), ["* VANISHED (EARLIER) 1,3,5"]);
    let lines = client
        .ok(&format!(
            "UID FETCH 9990:* (FLAGS) (CHANGEDSINCE {before} VANISHED)"
        ))
        .await;
    assert_eq!(lines, ["* VANISHED (EARLIER) 9991,9993,9995,9997,9999"]);
}

/// RFC 7162 §3.1: whoever begins to use MODSEQs in the middle of a session learns where the mailbox stands, once.
#[tokio::test]
async fn the_first_use_of_modseq_tells_the_highest() {
    let world = World::new().await;
    for command in [
        "FETCH 1 MODSEQ",
        "FETCH 1 FLAGS (CHANGEDSINCE 1)",
        "SEARCH MODSEQ 1",
        "STORE 1 (UNCHANGEDSINCE 0) +FLAGS (\\Seen)",
        "STATUS INBOX (HIGHESTMODSEQ)",
        "ESEARCH IN (personal) RETURN (ALL) MODSEQ 1",
        "NOTIFY SET (selected (MessageNew (MODSEQ) MessageExpunge))",
    ] {
        let mut client = world.inbox(1).await;
        let first = client.command(command).await;
        let told = |lines: &[String]| {
            lines
                .iter()
                .filter(|line| line.starts_with("* OK [HIGHESTMODSEQ "))
                .count()
        };
        assert_eq!(told(&first), 1, "{command}: {first:?}");
        let again = client.command(command).await;
        assert_eq!(told(&again), 0, "{command}: {again:?}");
    }
}
