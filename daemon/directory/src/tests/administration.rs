//! Changes: checked, made once, told.

use shared::model::{Alias, Group, ListEntry, Side};

use super::*;

#[test]
fn what_can_not_be_is_refused_with_its_reason() {
    on_each(async |directory, _| {
        people(directory).await;
        let alias = |from: &str, to: &[&str]| Alias {
            address: address(from),
            targets: to.iter().map(|to| address(to)).collect(),
            enabled: true,
            revision: 0,
        };
        let by = "test";
        let domain = Domain::new(name("a.test"));
        assert_eq!(code(directory.add_domain(domain, by).await), "domain-exists");
        let domain = Domain {
            aliases: vec![name("a.test")],
            ..Domain::new(name("b.test"))
        };
        assert_eq!(code(directory.add_domain(domain, by).await), "domain-exists");
        assert_eq!(
            code(directory.add_user(new_user("ANNA@a.test", None), by).await),
            "user-exists"
        );
        assert_eq!(
            code(directory.add_user(new_user("x@none.test", None), by).await),
            "domain-unknown"
        );
        assert_eq!(
            code(directory.add_user(new_user("x@a.test", Some("")), by).await),
            "password-empty"
        );
        let grouped = NewUser {
            groups: vec!["nobody".to_owned()],
            ..new_user("x@a.test", None)
        };
        assert_eq!(code(directory.add_user(grouped, by).await), "group-unknown");
        assert_eq!(
            code(directory.add_alias(alias("anna@a.test", &["x@y.test"]), by).await),
            "user-exists"
        );
        assert_eq!(
            code(directory.add_alias(alias("x@a.test", &[]), by).await),
            "alias-without-target"
        );
        assert_eq!(
            code(directory.add_alias(alias("x@a.test", &["X@a.test"]), by).await),
            "alias-to-itself"
        );
        assert_eq!(
            code(directory.remove_alias(&address("x@a.test"), by).await),
            "alias-unknown"
        );
        assert_eq!(
            code(directory.remove_user(&address("x@a.test"), by).await),
            "user-unknown"
        );
        assert_eq!(
            code(directory.remove_domain(&name("a.test"), false, by).await),
            "domain-not-empty"
        );
        assert_eq!(code(directory.remove_group("x", by).await), "group-unknown");
        let renamed = directory
            .rename_user(&address("anna@a.test"), &address("boris@a.test"), by)
            .await;
        assert_eq!(code(renamed), "user-exists");
        let domain = directory.domain(&name("a.test")).await.unwrap().unwrap();
        directory
            .set_domain(
                Domain {
                    users_max: Some(2),
                    ..domain
                },
                by,
            )
            .await
            .unwrap();
        assert_eq!(
            code(directory.add_user(new_user("x@a.test", None), by).await),
            "domain-full"
        );
    });
}

#[test]
fn a_change_of_what_was_changed_meanwhile_is_refused() {
    on_each(async |directory, _| {
        people(directory).await;
        let user = directory.user(&address("anna@a.test")).await.unwrap().unwrap();
        assert_eq!(
            directory.set_user(user.clone(), "one").await.unwrap(),
            user.revision + 1
        );
        assert_eq!(code(directory.set_user(user, "two").await), "revision-stale");
        let domain = directory.domain(&name("a.test")).await.unwrap().unwrap();
        directory.set_domain(domain.clone(), "one").await.unwrap();
        assert_eq!(code(directory.set_domain(domain, "two").await), "revision-stale");
        let (_, revision) = directory.setting_values().await.unwrap();
        let revision = directory
            .set_setting("smtp.errors-max", "7", revision, "one")
            .await
            .unwrap();
        assert_eq!(directory.settings().number("smtp.errors-max"), 7);
        assert_eq!(
            code(
                directory
                    .set_setting("smtp.errors-max", "8", revision - 1, "two")
                    .await
            ),
            "revision-stale"
        );
        assert_eq!(
            code(
                directory
                    .set_setting("smtp.errors-max", "0", revision, "two")
                    .await
            ),
            "setting-out-of-range"
        );
        directory
            .set_setting("smtp.errors-max", "9", revision, "two")
            .await
            .unwrap();
        assert_eq!(directory.settings().number("smtp.errors-max"), 9);
    });
}

#[test]
fn an_owner_is_kept_by_a_rename_and_never_given_again() {
    on_each(async |directory, _| {
        people(directory).await;
        let anna = directory
            .user(&address("anna@a.test"))
            .await
            .unwrap()
            .unwrap()
            .owner;
        directory
            .rename_user(&address("anna@a.test"), &address("anja@a.test"), "test")
            .await
            .unwrap();
        assert_eq!(
            directory
                .user(&address("anja@a.test"))
                .await
                .unwrap()
                .unwrap()
                .owner,
            anna
        );
        let gone = directory
            .remove_user(&address("boris@a.test"), "test")
            .await
            .unwrap();
        let again = directory
            .add_user(new_user("boris@a.test", None), "test")
            .await
            .unwrap()
            .owner;
        assert!(again > gone && again != anna);
        let owners = directory
            .remove_domain(&name("a.test"), true, "test")
            .await
            .unwrap();
        assert_eq!(owners.len(), 2);
        assert!(directory.user(&address("anja@a.test")).await.unwrap().is_none());
    });
}

#[test]
fn groups_and_their_users_name_each_other() {
    on_each(async |directory, _| {
        people(directory).await;
        let group = Group {
            name: "Office".to_owned(),
            description: String::new(),
            address: None,
            members: vec![address("anna@a.test")],
            member_groups: Vec::new(),
            revision: 0,
        };
        directory.add_group(group.clone(), "test").await.unwrap();
        let boris = directory.user(&address("boris@a.test")).await.unwrap().unwrap();
        directory
            .set_user(
                User {
                    groups: vec!["office".to_owned()],
                    ..boris
                },
                "test",
            )
            .await
            .unwrap();
        let users = directory
            .users(Some(&name("a.test")), Page::default())
            .await
            .unwrap();
        assert_eq!(
            users
                .rows
                .iter()
                .map(|row| row.user.groups.join(""))
                .collect::<Vec<_>>(),
            ["Office", "Office"]
        );
        directory
            .rename_user(&address("anna@a.test"), &address("anja@a.test"), "test")
            .await
            .unwrap();
        let groups = directory.groups(Page::default()).await.unwrap();
        let members: Vec<_> = groups.rows[0]
            .members
            .iter()
            .map(|member| member.local().to_owned())
            .collect();
        assert_eq!(members, ["anja", "boris"]);
        let outsider = Group {
            name: "b".to_owned(),
            members: vec![address("nobody@a.test")],
            ..group
        };
        assert_eq!(code(directory.add_group(outsider, "test").await), "user-unknown");
    });
}

#[test]
fn lists_of_peers_are_kept_by_side() {
    on_each(async |directory, _| {
        let entry = |side, pattern: &str| ListEntry {
            side,
            pattern: pattern.to_owned(),
            comment: String::new(),
            revision: 0,
        };
        directory
            .add_access(entry(Side::Block, "10.0.0.0/8"), "test")
            .await
            .unwrap();
        directory
            .add_access(entry(Side::Allow, "10.0.0.0/8"), "test")
            .await
            .unwrap();
        assert_eq!(
            code(
                directory
                    .add_access(entry(Side::Allow, "10.0.0.0/8"), "test")
                    .await
            ),
            "access-exists"
        );
        assert_eq!(
            code(directory.add_access(entry(Side::Allow, "a b"), "test").await),
            "pattern-invalid"
        );
        assert_eq!(
            directory
                .access(Some(Side::Allow), Page::default())
                .await
                .unwrap()
                .total,
            1
        );
        let first = directory.access_after(None, 1).await.unwrap().remove(0);
        assert_eq!(directory.access_after(Some(&first), 5).await.unwrap().len(), 1);
        directory
            .remove_access(Side::Block, "10.0.0.0/8", "test")
            .await
            .unwrap();
        assert_eq!(
            code(directory.remove_access(Side::Block, "10.0.0.0/8", "test").await),
            "access-unknown"
        );
    });
}

#[test]
fn a_file_is_imported_but_for_the_lines_that_are_wrong() {
    let csv = "\u{feff}Address, password,name,quota,groups,enabled\n\
        new@a.test,geheim,\"Neu, Erna\",10M,office,yes\n\
        anna@a.test,x,,,,\n\
        \n\
        broken,x,,,,\n\
        new@A.test,x,,,,\n\
        far@c.test,x,,,,\n\
        q@a.test,x,,lots,,\n\
        off@a.test,\"a\"\"b\",,,,no\n\
        g@a.test,x,,,none,\n\
        s@a.test,{NOSUCH}x,,,,\n\
        h@a.test,{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=,,,,\n\
        long@a.test,x,,,,,,\n";
    on_each(async |directory, _| {
        people(directory).await;
        let group = Group {
            name: "office".to_owned(),
            description: String::new(),
            address: None,
            members: Vec::new(),
            member_groups: Vec::new(),
            revision: 0,
        };
        directory.add_group(group, "test").await.unwrap();
        let mut changes = directory.changes();
        let report = directory.import_users(csv, false, "test").await.unwrap();
        assert_eq!(report.imported, 3);
        let refused: Vec<_> = report
            .refused
            .iter()
            .map(|error| (error.line, error.refusal.code.as_str()))
            .collect();
        let want = [
            (3, "user-exists"),
            (5, "address-invalid"),
            (6, "user-exists"),
            (7, "domain-unknown"),
            (8, "quota-invalid"),
            (10, "group-unknown"),
            (11, "password-scheme-unknown"),
            (13, "import-line-invalid"),
        ];
        assert_eq!((refused.as_slice(), report.refused_total), (want.as_slice(), 8));
        assert_eq!(changes.recv().await.unwrap().kind, "user");
        let user = directory.user(&address("new@a.test")).await.unwrap().unwrap();
        assert_eq!(
            (user.name.as_str(), user.quota_bytes),
            ("Neu, Erna", Some(10 << 20))
        );
        assert_eq!(
            (user.groups, user.has_password, user.enabled),
            (vec!["office".to_owned()], true, true)
        );
        assert!(
            !directory
                .user(&address("off@a.test"))
                .await
                .unwrap()
                .unwrap()
                .enabled
        );
        let again = directory
            .import_users("address\nfar@c.test\n", true, "test")
            .await
            .unwrap();
        assert_eq!((again.imported, again.refused_total), (1, 0));
        assert_eq!(
            code(directory.import_users("address,colour\n", true, "test").await),
            "import-column-unknown"
        );
        assert_eq!(
            code(directory.import_users("name\nx\n", true, "test").await),
            "import-header-invalid"
        );
    });
}

#[test]
fn many_users_are_imported_and_paged() {
    on_each(async |directory, _| {
        use std::fmt::Write;
        let mut csv = "address,name\n".to_owned();
        for number in 0..2500 {
            writeln!(csv, "user{number:04}@d{}.test,Name {number}", number % 7).unwrap();
        }
        if directory.inner.placed.driver(drivers::Kind::Users).name() == "memory" {
            csv.truncate(2000);
            csv.truncate(csv.rfind('\n').unwrap());
        }
        let lines = csv.lines().count() as u64 - 1;
        let report = directory.import_users(&csv, true, "test").await.unwrap();
        assert_eq!((report.imported, report.refused_total), (lines, 0));
        let page = Page {
            filter: "USER000".to_owned(),
            sort: "name".to_owned(),
            limit: 4,
            ..Page::default()
        };
        let found = directory.users(None, page).await.unwrap();
        assert_eq!((found.total, found.rows.len()), (10, 4));
        let domains = directory.domains(Page::default()).await.unwrap();
        assert_eq!(domains.rows.iter().map(|row| row.users).sum::<u64>(), lines);
    });
}
