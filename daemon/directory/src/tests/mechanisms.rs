//! How a domain lets its users log in.

use super::logins::{context, cram, outcome};
use super::*;

async fn choose(directory: &Directory, mechanisms: &[&str]) -> String {
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
        assert_eq!(choose(directory, &["NTLM"]).await, "mechanism-unknown");
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
