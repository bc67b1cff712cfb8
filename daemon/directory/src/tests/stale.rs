//! Passwords that were good once: a phone that was not told of the change must not shut its whole household out.

use std::collections::HashSet;
use std::sync::Mutex;

use super::app_passwords::{scram, scram_proved, scram_while};
use super::logins::{context, cram, outcome};
use super::mechanisms::choose;
use super::*;

/// What it was told of failures; nobody is shut out.
#[derive(Default)]
pub(super) struct Told(pub(super) Arc<Mutex<Vec<Option<u64>>>>);

impl LoginGuard for Told {
    fn may_try(&self, _peer: IpAddr) -> bool {
        true
    }
    fn failed(&self, _peer: IpAddr, attempt: Option<u64>) {
        self.0.lock().unwrap().push(attempt);
    }
}

/// RFC 1939 §7
async fn apop(directory: &Directory, user: &str, password: &str) -> String {
    let timestamp = "<1896.697170952@dbc.mtview.ca.us>";
    let digest = wire::sasl::apop(timestamp, password);
    let step = directory
        .login_apop(user, &digest, timestamp, context(false))
        .await;
    outcome(&step)
}

/// By every mechanism that never says the password, twice; how many failures that is.
async fn tried(directory: &Directory, told: &Mutex<Vec<Option<u64>>>, password: &str) -> usize {
    const ANNA: &str = "anna@a.test";
    told.lock().unwrap().clear();
    for _ in 0..2 {
        for step in [
            cram(directory, ANNA, password).await,
            scram(directory, ANNA, password).await,
            apop(directory, ANNA, password).await,
        ] {
            assert_eq!(step, "Credentials");
        }
    }
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 6);
    let counted: HashSet<u64> = told.iter().flatten().copied().collect();
    counted.len() + told.iter().filter(|attempt| attempt.is_none()).count()
}

#[test]
fn a_program_that_tries_for_ever_what_was_good_once_fails_once() {
    on_each(async |directory, _| {
        people(directory).await;
        let on = ["PLAIN", "CRAM-MD5", "SCRAM-SHA-256", "APOP"];
        assert_eq!(choose(directory, &on).await, "done");
        let anna = address("anna@a.test");
        let set = async |password: &str| directory.set_password(&anna, password, "test").await.unwrap();
        let guard = Told::default();
        let told = guard.0.clone();
        directory.set_guard(Arc::new(guard));

        set("first").await;
        assert_eq!(cram(directory, "anna@a.test", "first").await, "anna@a.test");
        set("second").await;
        assert_eq!(tried(directory, &told, "first").await, 1);
        assert_eq!(
            tried(directory, &told, "never").await,
            6,
            "who guesses fails each time"
        );
        for number in 3..=9 {
            set(&format!("{number}")).await;
        }
        for old in ["first", "second", "3", "8"] {
            assert_eq!(tried(directory, &told, old).await, 1, "{old}");
        }
        set("10").await;
        assert_eq!(tried(directory, &told, "first").await, 6, "not for ever");
        for login in [
            cram(directory, "anna@a.test", "10").await,
            scram(directory, "anna@a.test", "10").await,
            apop(directory, "anna@a.test", "10").await,
        ] {
            assert_eq!(login, "anna@a.test");
        }
        // Back again: it is good.
        set("9").await;
        assert_eq!(scram(directory, "anna@a.test", "9").await, "anna@a.test");
        // A mechanism that is off forgets.
        assert_eq!(choose(directory, &["PLAIN", "SCRAM-SHA-256"]).await, "done");
        let owner = directory.user(&anna).await.unwrap().unwrap().owner;
        let formers = directory.inner.caches.formers.of(owner);
        assert!(!formers.is_empty());
        assert!(
            formers
                .iter()
                .all(|former| former.plain.is_none() && former.verifiers.cram_md5.is_none())
        );
    });
}

#[test]
fn a_removed_app_password_and_a_disabled_user_fail_once() {
    on_each(async |directory, _| {
        people(directory).await;
        let on = ["PLAIN", "CRAM-MD5", "SCRAM-SHA-256", "APOP"];
        assert_eq!(choose(directory, &on).await, "done");
        let anna = address("anna@a.test");
        directory.set_password(&anna, "own", "test").await.unwrap();
        let phone = directory
            .add_app_password(&anna, "Phone", &[], "test")
            .await
            .unwrap();
        assert_eq!(scram(directory, "anna@a.test", &phone).await, "anna@a.test");
        directory
            .remove_app_password(&anna, "Phone", "test")
            .await
            .unwrap();
        let guard = Told::default();
        let told = guard.0.clone();
        directory.set_guard(Arc::new(guard));
        for _ in 0..2 {
            assert_eq!(cram(directory, "anna@a.test", &phone).await, "Credentials");
            assert_eq!(scram(directory, "anna@a.test", &phone).await, "Credentials");
        }
        let counted: HashSet<Option<u64>> = told.lock().unwrap().drain(..).collect();
        assert!(counted.len() == 1 && !counted.contains(&None), "{counted:?}");

        let user = directory.user(&anna).await.unwrap().unwrap();
        let disabled = User {
            enabled: false,
            ..user
        };
        directory.set_user(disabled, "test").await.unwrap();
        assert_eq!(tried(directory, &told, "own").await, 1);
        assert_eq!(tried(directory, &told, "never").await, 6);
    });
}

/// SCRAM asks and is answered twice: whoever knows the old password could keep the door open in between.
#[test]
fn a_login_that_was_begun_before_a_change_fails_after_it() {
    on_each(async |directory, _| {
        people(directory).await;
        let anna = address("anna@a.test");
        let set_enabled = async |enabled| {
            let user = directory.user(&anna).await.unwrap().unwrap();
            let user = User { enabled, ..user };
            directory.set_user(user, "test").await.unwrap();
        };
        let add = async |label: &str| {
            let made = directory.add_app_password(&anna, label, &[], "test").await;
            made.unwrap()
        };
        let remove = async |label: &str| {
            let removed = directory.remove_app_password(&anna, label, "test").await;
            removed.unwrap();
        };
        // Each time in another moment.
        for late in [false, true] {
            let at = async |moment: bool, change: &str| match change {
                _ if moment != late => {}
                "password" => directory.set_password(&anna, "new", "test").await.unwrap(),
                "disabled" => set_enabled(false).await,
                "removed" => remove("Phone").await,
                // Other places for the same passwords.
                "another" => drop(add("A").await),
                _ => {}
            };
            let login = async |password: &str, change: &str| {
                scram_while(directory, "anna@a.test", password, async |moment| {
                    at(moment, change).await;
                })
                .await
            };
            directory.set_password(&anna, "old", "test").await.unwrap();
            let phone = add("Phone").await;
            assert_eq!(login("old", "nothing").await, "anna@a.test");
            assert_eq!(login(&phone, "another").await, "anna@a.test");
            assert_eq!(login(&phone, "removed").await, "Credentials");
            assert_eq!(login("old", "password").await, "Credentials");
            assert_eq!(login("new", "disabled").await, "Credentials");
            set_enabled(true).await;
            remove("A").await;
        }
    });
}

/// Whoever only wants to know whether a password is right need not say the last word.
#[tokio::test]
async fn a_login_that_is_left_open_once_the_password_was_right_is_told() {
    let events = Events::start(events::Options {
        dir: None,
        language: i18n::Language::En,
        severity: events::Severity::Info,
        keep_days: 1,
    })
    .unwrap();
    let mut feed = events.subscribe();
    let placed = Arc::new(Placed::single(Arc::new(Memory::new())));
    let directory = Directory::open(placed, [7; 32], events.clone()).await.unwrap();
    people(&directory).await;
    let anna = address("anna@a.test");
    directory.set_password(&anna, "right", "test").await.unwrap();
    let mut told = |login| {
        drop(login);
        events.flush();
        let mut told = Vec::new();
        while let Ok(event) = feed.try_recv() {
            told.push(event.code);
        }
        told.retain(|code| code.starts_with("login-"));
        told
    };
    let (login, step) = scram_proved(&directory, "anna@a.test", "right", async || ()).await;
    assert!(outcome(&step).starts_with("challenge v="));
    assert_eq!(told(login), ["login-failed"]);
    let (mut login, _) = scram_proved(&directory, "anna@a.test", "right", async || ()).await;
    assert_eq!(outcome(&login.step(b"").await), "anna@a.test");
    assert_eq!(told(login), ["login-succeeded"]);
    let (login, step) = scram_proved(&directory, "anna@a.test", "wrong", async || ()).await;
    assert_eq!(outcome(&step), "Credentials");
    assert_eq!(told(login), ["login-failed"]);
}
