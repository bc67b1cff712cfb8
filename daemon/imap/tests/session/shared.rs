//! Folders of others: rights in every command, and what is seen of them.
//! # tests: ACL RIGHTS=texk LIST-MYRIGHTS NAMESPACE

use mailbox::{Owner, RightsAction};
use shared::Rights;
use shared::model::Group;

use crate::support::*;

/// The first user's inbox as the other one knows it.
const ANNAS: &str = "\"Other Users/anna@example.test/INBOX\"";

impl World {
    pub(crate) async fn other(&self) -> Client {
        self.client_of(OTHER).await
    }

    pub(crate) async fn client_of(&self, address: &str) -> Client {
        let mut client = self.connect().await;
        client.ok(&format!("LOGIN {address} \"{PASSWORD}\"")).await;
        client
    }

    pub(crate) async fn owner_of(&self, address: &str) -> Owner {
        let account = self.server.directory.account(&address.parse().unwrap()).await;
        self.server.mailboxes.owner(account.unwrap().unwrap().owner)
    }

    /// As an administrator.
    pub(crate) async fn give(&self, owner: &Owner, folder: &str, who: &str, letters: &str) {
        let directory = &self.server.directory;
        let kept = directory.identifier(who).await.unwrap().unwrap();
        let rights = Rights::parse(letters).unwrap();
        let change = async {
            owner
                .change_rights(folder, &kept, RightsAction::Replace, rights)
                .await
                .unwrap();
            Ok::<_, directory::ChangeError>(owner.identifiers().await.unwrap())
        };
        directory
            .change_shares(owner.id(), Some(&kept), change)
            .await
            .unwrap();
    }

    pub(crate) async fn group(&self, name: &str, members: &[&str], member_groups: &[&str]) {
        let group = Group {
            name: name.to_owned(),
            description: String::new(),
            address: None,
            members: members.iter().map(|member| member.parse().unwrap()).collect(),
            member_groups: member_groups.iter().map(ToString::to_string).collect(),
            revision: 0,
        };
        self.server.directory.add_group(group, "test").await.unwrap();
    }

    pub(crate) async fn tree(&self, name: &str, quota_bytes: Option<u64>) -> Owner {
        let tree = self
            .server
            .directory
            .add_tree(name, quota_bytes, "test")
            .await
            .unwrap();
        let owner = self.server.mailboxes.owner(tree.owner);
        owner.make_tree().await.unwrap();
        owner
    }
}

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
    assert!(
        boris
            .answer(&format!("SELECT {ANNAS}"))
            .await
            .starts_with("NO [NONEXISTENT]")
    );
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
        assert!(anna.answer(refused).await.starts_with("NO [CANNOT]"), "{refused}");
    }
    anna.ok("SETACL INBOX anna@example.test +lr").await;
    assert!(
        anna.answer("SETACL INBOX nobody@example.test lr")
            .await
            .starts_with("NO")
    );
    assert!(anna.answer("SETACL INBOX $nobody lr").await.starts_with("NO"));
    assert!(anna.answer("SETACL INBOX anyone lz").await.starts_with("BAD"));
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
    assert!(
        boris
            .answer(&format!("SELECT {ANNAS}"))
            .await
            .starts_with("NO [NONEXISTENT]")
    );
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
    assert!(boris.answer("EXPUNGE").await.starts_with("NO [NOPERM]"));
    assert!(boris.answer("MOVE 1 INBOX").await.starts_with("NO [NOPERM]"));
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
    assert!(
        boris
            .answer("STORE 1 -FLAGS (\\Flagged)")
            .await
            .starts_with("NO [NOPERM]")
    );
    anna.ok("DELETEACL INBOX boris@example.test").await;
    for command in ["FETCH 1 BODY[]", "SEARCH ALL", "EXPUNGE", "COPY 1 INBOX"] {
        assert!(
            boris.answer(command).await.starts_with("NO [NOPERM]"),
            "{command}"
        );
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

#[tokio::test]
async fn messages_go_between_owners() {
    let world = World::new().await;
    let mut anna = world.inbox(3).await;
    let mut boris = world.other().await;
    anna.ok("SETACL INBOX boris@example.test lrswite").await;
    boris.ok(&format!("SELECT {ANNAS}")).await;
    assert!(boris.answer("COPY 1:2 INBOX").await.starts_with("OK [COPYUID "));
    let lines = boris.ok("MOVE 3 INBOX").await;
    assert!(
        lines[0].starts_with("* OK [COPYUID ") && lines[1] == "* 3 EXPUNGE",
        "{lines:?}"
    );
    assert_eq!(
        boris.ok("STATUS INBOX (MESSAGES)").await,
        ["* STATUS INBOX (MESSAGES 3)"]
    );
    boris.ok("SELECT INBOX").await;
    boris.ok(&format!("MOVE 1:3 {ANNAS}")).await;
    assert_eq!(
        anna.ok("STATUS INBOX (MESSAGES)").await[0],
        "* STATUS INBOX (MESSAGES 5)"
    );
    // The second user may fill 10,000 bytes: what does not fit is not copied.
    let large = format!("Subject: large\r\n\r\n{}\r\n", "x".repeat(9_000));
    anna.append("INBOX", &large).await;
    boris.append("INBOX", &large).await;
    boris.ok(&format!("SELECT {ANNAS}")).await;
    assert!(boris.answer("COPY 6 INBOX").await.starts_with("NO [OVERQUOTA]"));
    assert!(boris.answer("MOVE 6 INBOX").await.starts_with("NO [OVERQUOTA]"));
    boris.ok("SELECT INBOX").await;
    assert!(boris.answer("COPY 1 Archive").await.starts_with("NO [OVERQUOTA]"));
    boris.ok("MOVE 1 Archive").await;
}

#[tokio::test]
async fn lists_show_what_may_be_seen() {
    let world = World::new().await;
    let mut anna = world.user().await;
    let mut boris = world.other().await;
    assert_eq!(boris.ok("LIST \"\" \"Other*\"").await, Vec::<String>::new());
    anna.ok("CREATE Work/Secret/Open").await;
    anna.ok("SETACL Sent boris@example.test lr").await;
    anna.ok("SETACL Work/Secret/Open boris@example.test lk").await;
    anna.ok("SETACL Work boris@example.test r").await;
    assert_eq!(
        boris.ok("NAMESPACE").await,
        ["* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Public/\" \"/\"))"]
    );
    let root = "Other Users/anna@example.test";
    assert_eq!(
        boris.ok("LIST \"\" \"Other Users*\" RETURN ()").await,
        [
            "* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users\"".to_owned(),
            format!("* LIST (\\NonExistent \\HasChildren) \"/\" \"{root}\""),
            format!("* LIST (\\HasNoChildren) \"/\" \"{root}/Sent\""),
            format!("* LIST (\\NonExistent \\HasChildren) \"/\" \"{root}/Work\""),
            format!("* LIST (\\NonExistent \\HasChildren) \"/\" \"{root}/Work/Secret\""),
            format!("* LIST (\\HasNoChildren) \"/\" \"{root}/Work/Secret/Open\""),
        ]
    );
    let lines = boris.ok("LIST \"\" %").await;
    assert!(
        lines.contains(&"* LIST (\\Noselect \\HasChildren) \"/\" \"Other Users\"".to_owned()),
        "{lines:?}"
    );
    let lines = boris
        .ok("LIST \"\" \"Other Users/%/%\" RETURN (MYRIGHTS STATUS (MESSAGES))")
        .await;
    assert_eq!(
        lines[..3],
        [
            format!("* LIST (\\HasNoChildren) \"/\" \"{root}/Sent\""),
            format!("* MYRIGHTS \"{root}/Sent\" lr"),
            format!("* STATUS \"{root}/Sent\" (MESSAGES 0)"),
        ]
    );
    let own = boris.ok("LIST \"\" INBOX RETURN (MYRIGHTS)").await;
    assert_eq!(own[1], "* MYRIGHTS INBOX lrswipkxteacd");
    // Subscriptions are the subscriber's.
    boris.ok(&format!("SUBSCRIBE \"{root}/Sent\"")).await;
    let lines = boris.ok("LSUB \"\" \"Other*\"").await;
    assert_eq!(lines, [format!("* LSUB () \"/\" \"{root}/Sent\"")]);
    let lines = boris
        .ok("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"Other Users/%\"")
        .await;
    assert_eq!(
        lines,
        [format!(
            "* LIST (\\NonExistent \\HasChildren) \"/\" \"{root}\" (\"CHILDINFO\" (\"SUBSCRIBED\"))"
        )]
    );
    anna.ok("DELETEACL Sent boris@example.test").await;
    let lines = boris.ok("LIST (SUBSCRIBED) \"\" \"Other*\"").await;
    assert_eq!(
        lines,
        [format!(
            "* LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" \"{root}/Sent\""
        )]
    );
    boris.ok(&format!("UNSUBSCRIBE \"{root}/Sent\"")).await;
    // New folders have the rights of the one above.
    boris.ok(&format!("CREATE \"{root}/Work/Secret/Open/New\"")).await;
    assert_eq!(
        boris
            .ok(&format!("MYRIGHTS \"{root}/Work/Secret/Open/New\""))
            .await,
        [format!("* MYRIGHTS \"{root}/Work/Secret/Open/New\" lkc")]
    );
    // What is not there, is hidden, or belongs to nobody, can't be told apart.
    for name in ["Work/Secret", "None", "Work"] {
        let answer = boris.answer(&format!("GETACL \"{root}/{name}\"")).await;
        assert!(answer.starts_with("NO [NONEXISTENT]"), "{name}: {answer}");
    }
    for name in ["Other Users/nobody@example.test/x", "Other Users/x", "Public/x/y"] {
        for command in ["CREATE", "RENAME Trash"] {
            let answer = boris.answer(&format!("{command} \"{name}\"")).await;
            assert!(answer.starts_with("NO [NOPERM]"), "{command} {name}: {answer}");
        }
    }
    anna.ok("DELETE Work/Secret/Open/New").await;
    anna.ok("DELETE Work/Secret/Open").await;
    assert_eq!(boris.ok("LIST \"\" \"Other*\"").await, Vec::<String>::new());
}

#[tokio::test]
async fn public_trees() {
    let world = World::new().await;
    world.group("Sales", &[OTHER], &[]).await;
    let sales = world.tree("sales", Some(5_000)).await;
    let domain = world.tree("example.test", None).await;
    world.give(&sales, "INBOX", "$Sales", "lrswipkte").await;
    world.give(&domain, "INBOX", "@example.test", "lr").await;
    let mut boris = world.other().await;
    let mut anna = world.user().await;
    assert_eq!(
        boris.ok("LIST \"\" Public/* RETURN ()").await,
        [
            "* LIST (\\HasNoChildren) \"/\" Public/Sales",
            "* LIST (\\HasNoChildren) \"/\" Public/example.test"
        ]
    );
    assert_eq!(
        anna.ok("LIST \"\" Public* RETURN ()").await,
        [
            "* LIST (\\NonExistent \\HasChildren) \"/\" Public",
            "* LIST (\\HasNoChildren) \"/\" Public/example.test"
        ]
    );
    boris.ok("CREATE Public/Sales/Offers/2026").await;
    assert_eq!(
        boris.ok("MYRIGHTS Public/Sales/Offers").await,
        ["* MYRIGHTS Public/Sales/Offers lrswipktecd"]
    );
    assert!(boris.append("Public/Sales/Offers", MAIL).await.starts_with("OK"));
    assert!(
        boris
            .answer("APPEND Public/Sales/None {2+}\r\nx\n")
            .await
            .starts_with("NO [TRYCREATE]")
    );
    assert!(
        anna.answer("APPEND Public/example.test/None {2+}\r\nx\n")
            .await
            .starts_with("NO [NONEXISTENT]")
    );
    assert!(
        anna.answer("CREATE Public/example.test/x")
            .await
            .starts_with("NO [NOPERM]")
    );
    assert!(
        anna.answer("SELECT Public/Sales")
            .await
            .starts_with("NO [NONEXISTENT]")
    );
    assert!(
        anna.answer("SELECT Public/Sales/INBOX")
            .await
            .starts_with("NO [NONEXISTENT]")
    );
}

#[tokio::test]
async fn public_trees_have_limits() {
    let world = World::new().await;
    world.group("Sales", &[OTHER], &[]).await;
    let sales = world.tree("sales", Some(5_000)).await;
    world.give(&sales, "INBOX", "$Sales", "lrswipkte").await;
    let mut boris = world.other().await;
    boris.ok("CREATE Public/Sales/Offers").await;
    let mut anna = world.user().await;
    boris.append("Public/Sales/Offers", MAIL).await;
    // The tree's own limit.
    assert_eq!(
        boris.ok("GETQUOTAROOT Public/Sales/Offers").await,
        [
            "* QUOTAROOT Public/Sales/Offers Public/Sales",
            "* QUOTA Public/Sales (STORAGE 1 4)"
        ]
    );
    assert_eq!(
        boris.ok("GETQUOTA Public/Sales").await,
        ["* QUOTA Public/Sales (STORAGE 1 4)"]
    );
    assert!(
        anna.answer("GETQUOTA Public/Sales")
            .await
            .starts_with("NO [NONEXISTENT]")
    );
    assert!(
        anna.answer("SETQUOTA \"\" (STORAGE 9)")
            .await
            .starts_with("NO [NOPERM]")
    );
    let large = format!("Subject: large\r\n\r\n{}\r\n", "x".repeat(4_900));
    assert!(
        boris
            .append("Public/Sales/Offers", &large)
            .await
            .starts_with("NO [OVERQUOTA]")
    );
    boris.append("INBOX", &large).await;
    boris.ok("SELECT INBOX").await;
    assert!(
        boris
            .answer("COPY 1 Public/Sales")
            .await
            .starts_with("NO [OVERQUOTA]")
    );
    assert!(
        boris
            .answer("MOVE 1 Public/Sales")
            .await
            .starts_with("NO [OVERQUOTA]")
    );
}

#[tokio::test]
async fn public_folders_stay_in_their_tree() {
    let world = World::new().await;
    world.group("Sales", &[OTHER], &[]).await;
    let sales = world.tree("sales", Some(5_000)).await;
    world.give(&sales, "INBOX", "$Sales", "lrswipkte").await;
    let mut boris = world.other().await;
    boris.ok("CREATE Public/Sales/Offers").await;
    // RENAME within a tree needs `x`, and never leaves it.
    assert!(
        boris
            .answer("RENAME Public/Sales/Offers Public/Sales/Old")
            .await
            .starts_with("NO [NOPERM]")
    );
    world.give(&sales, "Offers", "$Sales", "lrx").await;
    boris.ok("RENAME Public/Sales/Offers Public/Sales/Deep/Old").await;
    assert_eq!(
        boris.ok("MYRIGHTS Public/Sales/Deep").await,
        ["* MYRIGHTS Public/Sales/Deep lrswipktecd"]
    );
    assert!(
        boris
            .answer("RENAME Public/Sales/Deep/Old Mine")
            .await
            .starts_with("NO [CANNOT]")
    );
    assert!(
        boris
            .answer("DELETE Public/Sales")
            .await
            .starts_with("NO [NOPERM]")
    );
    // A domain or group can't go while it has public folders.
    let removed = world.server.directory.remove_group("Sales", "test").await;
    assert!(removed.is_err());
}

#[tokio::test]
async fn deleted_storage_is_counted() {
    let world = World::new().await;
    let mut client = world.inbox(3).await;
    client.ok("STORE 1:2 +FLAGS (\\Deleted)").await;
    assert_eq!(
        client.ok("STATUS INBOX (DELETED DELETED-STORAGE)").await,
        ["* STATUS INBOX (DELETED 2 DELETED-STORAGE 1)"]
    );
}
