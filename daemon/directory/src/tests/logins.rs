//! Logins by every mechanism.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

pub(crate) fn context(secure: bool) -> LoginContext {
    LoginContext {
        protocol: Protocol::Imap,
        peer: IpAddr::from([192, 0, 2, 1]),
        secure,
        tls: secure,
        channel_bindings: Vec::new(),
        certificate: None,
        scope: events::Scope::default(),
    }
}

pub(crate) fn outcome(step: &LoginStep) -> String {
    match step {
        LoginStep::Challenge(text) => format!("challenge {}", String::from_utf8_lossy(text)),
        LoginStep::Success { account } => account.address.to_string(),
        LoginStep::Failure(failure) => format!("{failure:?}"),
    }
}

async fn plain(directory: &Directory, user: &str, password: &str) -> String {
    outcome(&directory.login_plain(user, password, context(true)).await)
}

async fn with_passwords(directory: &Directory) {
    people(directory).await;
    directory
        .set_password(&address("anna@a.test"), "пароль", "test")
        .await
        .unwrap();
    let sha = "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=";
    directory
        .set_password(&address("boris@a.test"), sha, "test")
        .await
        .unwrap();
}

#[test]
fn a_password_opens_the_door_under_every_name_of_the_user() {
    on_each(async |directory, _| {
        with_passwords(directory).await;
        let domain = directory.domain(&name("a.test")).await.unwrap().unwrap();
        directory
            .set_domain(
                Domain {
                    aliases: vec![name("b.test")],
                    ..domain
                },
                "test",
            )
            .await
            .unwrap();
        for (user, password, want) in [
            ("anna@a.test", "пароль", "anna@a.test"),
            ("ANNA@B.test", "пароль", "anna@a.test"),
            ("anna", "пароль", "anna@a.test"),
            ("boris@a.test", "test", "boris@a.test"),
            ("anna@a.test", "wrong", "Credentials"),
            ("anna@a.test", "", "Credentials"),
            ("nobody@a.test", "пароль", "Credentials"),
            ("anna@else.test", "пароль", "Credentials"),
            ("@", "пароль", "Credentials"),
        ] {
            assert_eq!(plain(directory, user, password).await, want, "{user} {password}");
            // Once more, now from memory.
            assert_eq!(plain(directory, user, password).await, want, "{user} {password}");
        }
        directory
            .add_domain(Domain::new(name("c.test")), "test")
            .await
            .unwrap();
        assert_eq!(plain(directory, "anna", "пароль").await, "Credentials");
        assert_eq!(
            outcome(
                &directory
                    .login_plain("anna@a.test", "пароль", context(false))
                    .await
            ),
            "NeedsTls"
        );
    });
}

#[test]
fn a_change_of_the_password_or_the_user_holds_at_once() {
    on_each(async |directory, _| {
        with_passwords(directory).await;
        assert_eq!(plain(directory, "anna@a.test", "пароль").await, "anna@a.test");
        directory
            .set_password(&address("anna@a.test"), "new", "test")
            .await
            .unwrap();
        assert_eq!(plain(directory, "anna@a.test", "пароль").await, "Credentials");
        assert_eq!(plain(directory, "anna@a.test", "new").await, "anna@a.test");
        let user = directory.user(&address("anna@a.test")).await.unwrap().unwrap();
        let denied = User {
            denied_protocols: vec![Protocol::Imap],
            ..user
        };
        directory.set_user(denied.clone(), "test").await.unwrap();
        assert_eq!(plain(directory, "anna@a.test", "new").await, "Protocol");
        let disabled = User {
            enabled: false,
            revision: denied.revision + 1,
            denied_protocols: Vec::new(),
            ..denied
        };
        directory.set_user(disabled, "test").await.unwrap();
        assert_eq!(plain(directory, "anna@a.test", "new").await, "Credentials");
    });
}

#[test]
fn plain_and_login_are_offered_on_secure_connections_only() {
    on_each(async |directory, _| {
        with_passwords(directory).await;
        let offered = directory.mechanisms(&context(false));
        assert!(
            offered.contains(&"SCRAM-SHA-256") && !offered.contains(&"PLAIN") && !offered.contains(&"LOGIN")
        );
        assert!(!offered.contains(&"SCRAM-SHA-256-PLUS"));
        assert!(directory.mechanisms(&context(true)).contains(&"PLAIN"));
        let response = "\0anna@a.test\0пароль".as_bytes();
        let (_, step) = directory.login("plain", Some(response), context(true)).await;
        assert_eq!(outcome(&step), "anna@a.test");
        let (_, step) = directory.login("PLAIN", Some(response), context(false)).await;
        assert_eq!(outcome(&step), "NeedsTls");
        let (_, step) = directory.login("PLAIN", Some(b"nonsense"), context(true)).await;
        assert_eq!(outcome(&step), "Malformed");
        let (_, step) = directory.login("GSSAPI", None, context(true)).await;
        assert_eq!(outcome(&step), "Mechanism");
        let (mut login, step) = directory.login("LOGIN", None, context(true)).await;
        assert_eq!(outcome(&step), "challenge Username:");
        assert_eq!(outcome(&login.step(b"boris@a.test").await), "challenge Password:");
        assert_eq!(outcome(&login.step(b"test").await), "boris@a.test");
        assert_eq!(outcome(&login.step(b"test").await), "Malformed");
    });
}

/// RFC 2195 §2: the user's name, a blank, HMAC-MD5 of the challenge in hexadecimal.
pub(crate) async fn cram(directory: &Directory, user: &str, password: &str) -> String {
    let (mut login, step) = directory.login("CRAM-MD5", None, context(false)).await;
    let LoginStep::Challenge(challenge) = step else {
        panic!("{}", outcome(&step))
    };
    let digest = wire::sasl::CramVerifier::derive(password)
        .hmac(&challenge)
        .unwrap();
    let digest = u128::from_be_bytes(digest);
    outcome(&login.step(format!("{user} {digest:032x}").as_bytes()).await)
}

#[test]
fn an_imported_hash_gets_its_verifiers_at_the_first_plain_login() {
    on_each(async |directory, _| {
        with_passwords(directory).await;
        assert_eq!(cram(directory, "anna@a.test", "пароль").await, "anna@a.test");
        assert_eq!(cram(directory, "anna@a.test", "test").await, "Credentials");
        assert_eq!(cram(directory, "nobody@a.test", "test").await, "Credentials");
        assert_eq!(cram(directory, "boris@a.test", "test").await, "Credentials");
        assert_eq!(plain(directory, "boris@a.test", "test").await, "boris@a.test");
        assert_eq!(cram(directory, "boris@a.test", "test").await, "boris@a.test");
        directory
            .import_users("address,password\nclara@a.test,secret\n", false, "test")
            .await
            .unwrap();
        assert_eq!(cram(directory, "clara@a.test", "secret").await, "clara@a.test");
        assert_eq!(plain(directory, "clara@a.test", "secret").await, "clara@a.test");
        let owner = directory
            .user(&address("clara@a.test"))
            .await
            .unwrap()
            .unwrap()
            .owner;
        assert!(
            directory
                .inner
                .stored(owner)
                .await
                .unwrap()
                .unwrap()
                .argon2
                .is_some()
        );
    });
}

#[test]
fn scram_has_a_first_challenge_for_everybody() {
    on_each(async |directory, _| {
        with_passwords(directory).await;
        for user in ["anna@a.test", "nobody@a.test"] {
            let first = format!("n,,n={user},r=fyko+d2lbbFgONRv9qkxdawL");
            let (mut login, step) = directory
                .login("SCRAM-SHA-256", Some(first.as_bytes()), context(false))
                .await;
            let text = outcome(&step);
            assert!(
                text.starts_with("challenge r=fyko+d2lbbFgONRv9qkxdawL") && text.ends_with(",i=4096"),
                "{text}"
            );
            let nonce = text.trim_start_matches("challenge ").split(',').next().unwrap();
            let proof = wire::base64::encode(&[1; 32]);
            let last = format!("c=biws,{nonce},p={proof}");
            assert_eq!(
                outcome(&login.step(last.as_bytes()).await),
                "Credentials",
                "{user}"
            );
        }
    });
}

#[derive(Default)]
struct Guard {
    failures: AtomicU32,
}

impl LoginGuard for Guard {
    fn may_try(&self, _peer: IpAddr) -> bool {
        self.failures.load(Ordering::Relaxed) < 2
    }
    fn failed(&self, _peer: IpAddr, _attempt: Option<u64>) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_guard_hears_of_failures_and_ends_them() {
    on_each(async |directory, _| {
        with_passwords(directory).await;
        directory.set_guard(Arc::new(Guard::default()));
        assert_eq!(plain(directory, "anna@a.test", "x").await, "Credentials");
        assert_eq!(plain(directory, "anna@a.test", "пароль").await, "anna@a.test");
        assert_eq!(plain(directory, "nobody@a.test", "x").await, "Credentials");
        assert_eq!(plain(directory, "anna@a.test", "пароль").await, "TooMany");
        let (_, step) = directory.login("CRAM-MD5", None, context(true)).await;
        assert_eq!(outcome(&step), "TooMany");
    });
}
