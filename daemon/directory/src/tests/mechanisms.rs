//! How a domain lets its users log in.

use super::logins::{context, cram, outcome};
use super::*;

pub(super) async fn choose(directory: &Directory, mechanisms: &[&str]) -> String {
    let domain = directory.domain(&name("a.test")).await.unwrap().unwrap();
    let mechanisms = mechanisms.iter().map(|name| (*name).to_owned()).collect();
    code(
        directory
            .set_domain(Domain { mechanisms, ..domain }, "test")
            .await,
    )
}

async fn plain(directory: &Directory, user: &str, password: &str) -> String {
    outcome(&directory.login_plain(user, password, context(true)).await)
}

// An administrator who switches a mechanism off must not leave a door open, and must not tell strangers who lives behind it.
#[test]
fn what_a_domain_has_off_fails_like_a_wrong_password_and_is_kept_no_longer() {
    on_each(async |directory, _| {
        people(directory).await;
        directory
            .add_domain(Domain::new(name("b.test")), "test")
            .await
            .unwrap();
        directory
            .add_user(new_user("boris@b.test", Some("other")), "test")
            .await
            .unwrap();
        let anna = address("anna@a.test");
        directory.set_password(&anna, "secret", "test").await.unwrap();
        let app = directory
            .add_app_password(&anna, "app", &[], "test")
            .await
            .unwrap();
        assert_eq!(cram(directory, "anna@a.test", "secret").await, "anna@a.test");
        assert_eq!(choose(directory, &["plain", "SCRAM-SHA-256"]).await, "done");
        // The other domain still has it, so it is offered.
        assert!(directory.mechanisms(&context(true)).contains(&"CRAM-MD5"));
        for password in ["secret", &app, "wrong"] {
            assert_eq!(cram(directory, "anna@a.test", password).await, "Credentials");
        }
        assert_eq!(cram(directory, "boris@b.test", "other").await, "boris@b.test");
        assert_eq!(plain(directory, "anna@a.test", "secret").await, "anna@a.test");
        let owner = directory.user(&anna).await.unwrap().unwrap().owner;
        let kept = async || directory.inner.stored(owner).await.unwrap().unwrap();
        assert!(kept().await.verifiers.cram_md5.is_none() && kept().await.verifiers.scram_sha256.is_some());
        assert_eq!(choose(directory, &["SCRAM-SHA-256"]).await, "done");
        assert_eq!(plain(directory, "anna@a.test", "secret").await, "Credentials");
        assert_eq!(plain(directory, "anna@a.test", &app).await, "Credentials");
        // On again: its verifier comes with the next login that sends the password.
        assert_eq!(choose(directory, &[]).await, "done");
        assert_eq!(cram(directory, "anna@a.test", "secret").await, "Credentials");
        assert_eq!(plain(directory, "anna@a.test", "secret").await, "anna@a.test");
        assert_eq!(cram(directory, "anna@a.test", "secret").await, "anna@a.test");
        assert_eq!(choose(directory, &["GSSAPI"]).await, "mechanism-unknown");
    });
}

#[test]
fn what_no_domain_has_on_is_not_offered() {
    on_each(async |directory, _| {
        people(directory).await;
        assert!(directory.offers("PLAIN") && !directory.offers("APOP"));
        assert_eq!(choose(directory, &["SCRAM-SHA-256"]).await, "done");
        assert_eq!(directory.mechanisms(&context(true)), ["SCRAM-SHA-256"]);
        let (_, step) = directory.login("CRAM-MD5", None, context(true)).await;
        assert_eq!(outcome(&step), "Mechanism");
        // Also after a restart.
        directory.inner.load_offered().await.unwrap();
        assert_eq!(directory.mechanisms(&context(true)), ["SCRAM-SHA-256"]);
        directory
            .remove_domain(&name("a.test"), true, "test")
            .await
            .unwrap();
        assert!(directory.offers("PLAIN"));
    });
}

// The one way in that needs the password itself on the server: only by an administrator's choice, and gone with it.
#[test]
fn apop_works_only_where_it_is_on_and_keeps_passwords_only_then() {
    on_each(async |directory, _| {
        people(directory).await;
        let anna = address("anna@a.test");
        directory.set_password(&anna, "tanstaaf", "test").await.unwrap();
        let apop = async |user: &str, digest: &str| {
            let timestamp = "<1896.697170952@dbc.mtview.ca.us>";
            outcome(
                &directory
                    .login_apop(user, digest, timestamp, context(false))
                    .await,
            )
        };
        // RFC 1939 §7
        let digest = "c4c9334bac560ecc979e58001b3e22fb";
        let owner = directory.user(&anna).await.unwrap().unwrap().owner;
        let kept = async || directory.inner.stored(owner).await.unwrap().unwrap().plain;
        assert_eq!(apop("anna@a.test", digest).await, "Mechanism");
        assert_eq!(choose(directory, &["PLAIN", "APOP"]).await, "done");
        assert_eq!(
            apop("anna@a.test", digest).await,
            "Credentials",
            "nobody has said the password yet"
        );
        assert_eq!(plain(directory, "anna@a.test", "tanstaaf").await, "anna@a.test");
        assert_eq!(apop("anna@a.test", digest).await, "anna@a.test");
        for (user, digest) in [
            ("anna@a.test", "c4c9334bac560ecc979e58001b3e22fc"),
            ("boris@a.test", digest),
            ("nobody@a.test", digest),
        ] {
            assert_eq!(apop(user, digest).await, "Credentials", "{user}");
        }
        assert_eq!(kept().await.as_deref(), Some("tanstaaf"));
        assert_eq!(choose(directory, &["PLAIN"]).await, "done");
        assert_eq!(kept().await, None);
        assert_eq!(apop("anna@a.test", digest).await, "Mechanism");
    });
}

// What serves as the password on every Windows server that knows it must not lie about where nobody asked for it.
#[test]
fn the_hash_of_ntlm_is_kept_only_where_it_is_on() {
    on_each(async |directory, _| {
        people(directory).await;
        let anna = address("anna@a.test");
        directory.set_password(&anna, "secret", "test").await.unwrap();
        let owner = directory.user(&anna).await.unwrap().unwrap().owner;
        let kept = async || directory.inner.stored(owner).await.unwrap().unwrap();
        let begin = async || outcome(&directory.login("NTLM", None, context(false)).await.1);
        assert!(kept().await.verifiers.ntlm.is_none());
        assert_eq!(begin().await, "Mechanism");
        assert!(!directory.mechanisms(&context(true)).contains(&"NTLM"));
        assert_eq!(choose(directory, &["PLAIN", "NTLM"]).await, "done");
        assert_eq!(begin().await, "challenge ");
        assert!(
            kept().await.verifiers.ntlm.is_none(),
            "nobody has said the password yet"
        );
        assert_eq!(plain(directory, "anna@a.test", "secret").await, "anna@a.test");
        assert!(kept().await.verifiers.ntlm.is_some());
        directory
            .add_app_password(&anna, "app", &[], "test")
            .await
            .unwrap();
        let app_hashes = async || {
            let apps = crate::admin::app_passwords::of_owner(&directory.inner, owner, Protocol::Imap);
            let apps = apps.await.unwrap();
            apps.iter()
                .filter(|app| app.kept.verifiers.ntlm.is_some())
                .count()
        };
        assert_eq!(app_hashes().await, 1);
        assert_eq!(choose(directory, &["PLAIN"]).await, "done");
        assert!(kept().await.verifiers.ntlm.is_none());
        assert_eq!(app_hashes().await, 0);
        assert_eq!(begin().await, "Mechanism");
    });
}

// Windows writes domains as it knows them, or its own name where it knows none: who is meant must not depend on luck.
#[test]
fn a_name_of_ntlm_may_have_its_domain_in_any_form() {
    on_each(async |directory, _| {
        people(directory).await;
        let find = async |name: &str| {
            let found = crate::login::ntlm::find(&directory.inner, name).await.unwrap();
            found.map(|known| known.account.address.to_string())
        };
        let anna = Some("anna@a.test".to_owned());
        for name in [
            "anna@a.test",
            "anna",
            "A.test\\anna",
            "A\\Anna",
            "PC-17\\anna",
            "\\anna",
        ] {
            assert_eq!(find(name).await, anna, "{name}");
        }
        for name in ["a.test\\nobody", "a.test\\", "\\", "", "PC\\anna@b.test"] {
            assert_eq!(find(name).await, None, "{name}");
        }
        for other in ["a.example", "a-long-label-of-a.test"] {
            directory
                .add_domain(Domain::new(name(other)), "test")
                .await
                .unwrap();
        }
        let dora = address("dora@a-long-label-of-a.test");
        directory
            .add_user(new_user(&dora.to_string(), None), "test")
            .await
            .unwrap();
        assert_eq!(find("A-LONG-LABEL-OF\\dora").await, Some(dora.to_string()));
        // Two domains begin so, and none stands for itself any more.
        for unclear in ["A\\anna", "anna", "PC-17\\anna"] {
            assert_eq!(find(unclear).await, None, "{unclear}");
        }
        assert_eq!(find("a.test\\anna").await, anna);
    });
}
