//! Logins by what somebody else vouches for: client certificates and tokens.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::logins::{context, outcome};
use super::*;

const ISSUER: &str = "https://id.example";

fn fingerprint(digit: &str) -> String {
    digit.repeat(64)
}

async fn external(directory: &Directory, digit: &str, emails: &[&str], authzid: &str) -> String {
    let context = LoginContext {
        certificate: Some(tls::ClientCertificate {
            fingerprint: fingerprint(digit),
            emails: emails.iter().map(|email| (*email).to_owned()).collect(),
        }),
        ..context(true)
    };
    let (_, step) = directory
        .login("EXTERNAL", Some(authzid.as_bytes()), context)
        .await;
    outcome(&step)
}

#[test]
fn a_certificate_lets_in_whom_it_is_registered_at_or_names_and_nobody_else() {
    on_each(async |directory, _| {
        people(directory).await;
        let anna = address("anna@a.test");
        let colons = "aA:".repeat(31) + "aa";
        let made = directory
            .add_certificate(&anna, "laptop", &colons, "test")
            .await
            .unwrap();
        assert_eq!(made, fingerprint("a"));
        for (digit, emails, authzid, want) in [
            ("a", [].as_slice(), "", "anna@a.test"),
            ("a", &[], "ANNA@a.test", "anna@a.test"),
            ("a", &[], "boris@a.test", "Credentials"),
            ("a", &[], "nobody@a.test", "Credentials"),
            ("b", &[], "", "Credentials"),
            ("b", &[], "anna@a.test", "Credentials"),
            ("b", &["boris@a.test"], "", "boris@a.test"),
            (
                "b",
                &["x@else.test", "boris@a.test"],
                "boris@a.test",
                "boris@a.test",
            ),
            ("b", &["nobody@a.test"], "", "Credentials"),
        ] {
            assert_eq!(
                external(directory, digit, emails, authzid).await,
                want,
                "{digit} {emails:?} {authzid}"
            );
        }
        // Who shows none is not offered it.
        assert!(!directory.mechanisms(&context(true)).contains(&"EXTERNAL"));
        let (_, step) = directory.login("EXTERNAL", Some(b""), context(true)).await;
        assert_eq!(outcome(&step), "Mechanism");
        let boris = address("boris@a.test");
        let taken = directory
            .add_certificate(&boris, "", &fingerprint("a"), "test")
            .await;
        assert_eq!(code(taken), "user-certificate-exists");
        let theirs = directory
            .remove_certificate(&boris, &fingerprint("a"), "test")
            .await;
        assert_eq!(code(theirs), "user-certificate-unknown");
        assert_eq!(
            code(directory.add_certificate(&anna, "", "nonsense", "test").await),
            "certificate-invalid"
        );
        directory
            .remove_certificate(&anna, &colons, "test")
            .await
            .unwrap();
        assert_eq!(external(directory, "a", &[], "").await, "Credentials");
    });
}

/// A provider with one key at a time, which counts what it is asked.
struct Issuer {
    key: Mutex<Ed25519KeyPair>,
    kid: Mutex<String>,
    asked: AtomicU32,
    up: Mutex<bool>,
    active: HashMap<String, String>,
}

impl Issuer {
    fn new() -> Self {
        Self {
            key: Mutex::new(Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap()),
            kid: Mutex::new("one".to_owned()),
            asked: AtomicU32::new(0),
            up: Mutex::new(true),
            active: HashMap::from([(
                "opaque".to_owned(),
                r#"{"active":true,"email":"boris@a.test"}"#.to_owned(),
            )]),
        }
    }

    fn token(&self, claims: &str) -> String {
        let header = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, self.kid.lock().unwrap());
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = self.key.lock().unwrap().sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn for_user(&self, user: &str) -> String {
        self.token(&format!(
            r#"{{"iss":"{ISSUER}","exp":99999999999,"email":"{user}"}}"#
        ))
    }
}

impl Provider for Issuer {
    fn read(&self, _place: String) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let x = URL_SAFE_NO_PAD.encode(self.key.lock().unwrap().public_key());
        let kid = self.kid.lock().unwrap().clone();
        let set = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}]}}"#);
        let answer = if *self.up.lock().unwrap() {
            Ok(set.into_bytes())
        } else {
            Err("down".to_owned())
        };
        Box::pin(async move { answer })
    }

    fn introspect(
        &self,
        _url: String,
        _client: String,
        token: String,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>> {
        let answer = self.active.get(&token).cloned();
        Box::pin(async move {
            Ok(answer
                .unwrap_or_else(|| r#"{"active":false}"#.to_owned())
                .into_bytes())
        })
    }
}

async fn bearer(directory: &Directory, user: &str, token: &str) -> String {
    let user = if user.is_empty() {
        String::new()
    } else {
        format!("a={user}")
    };
    let message = format!("n,{user},\u{1}auth=Bearer {token}\u{1}\u{1}");
    let (mut login, step) = directory
        .login("OAUTHBEARER", Some(message.as_bytes()), context(true))
        .await;
    match outcome(&step) {
        // RFC 7628 §3.2.3: the error comes first, the failure after the client's answer.
        text if text.starts_with("challenge {\"status\":\"invalid_token\"") => {
            outcome(&login.step(b"\x01").await)
        }
        text => text,
    }
}

async fn set(directory: &Directory, key: &str, value: &str) {
    let (_, revision) = directory.setting_values().await.unwrap();
    directory.set_setting(key, value, revision, "test").await.unwrap();
}

#[test]
fn a_token_lets_in_whom_its_issuer_names() {
    on_each(async |directory, _| {
        people(directory).await;
        let issuer = Arc::new(Issuer::new());
        directory.set_provider(issuer.clone());
        assert!(!directory.mechanisms(&context(true)).contains(&"OAUTHBEARER"));
        assert_eq!(
            bearer(directory, "anna@a.test", &issuer.for_user("anna@a.test")).await,
            "Mechanism"
        );
        set(directory, "oauth.issuer", ISSUER).await;
        set(directory, "oauth.keys", "https://id.example/keys").await;
        assert!(directory.mechanisms(&context(true)).contains(&"OAUTHBEARER"));
        assert!(!directory.mechanisms(&context(false)).contains(&"OAUTHBEARER"));
        // A provider that is down is no wrong token.
        *issuer.up.lock().unwrap() = false;
        assert_eq!(
            bearer(directory, "", &issuer.for_user("anna@a.test")).await,
            "Unavailable"
        );
        // The pause between two askings is over for a place that was never asked.
        *issuer.up.lock().unwrap() = true;
        set(directory, "oauth.keys", "https://id.example/other").await;
        let token = issuer.for_user("anna@a.test");
        for (user, token, want) in [
            ("anna@a.test", token.as_str(), "anna@a.test"),
            ("", &token, "anna@a.test"),
            ("boris@a.test", &token, "Credentials"),
            ("", &issuer.for_user("nobody@a.test"), "Credentials"),
            (
                "",
                &issuer.token(r#"{"iss":"https://else","exp":99999999999,"email":"anna@a.test"}"#),
                "Credentials",
            ),
            ("", &format!("{token}A"), "Credentials"),
            ("", "opaque", "Credentials"),
        ] {
            assert_eq!(bearer(directory, user, token).await, want, "{user} {token}");
        }
        let asked = issuer.asked.load(Ordering::SeqCst);
        // Keys that are not known are asked for once a minute, however many tokens name them.
        *issuer.kid.lock().unwrap() = "two".to_owned();
        for _ in 0..5 {
            assert_eq!(
                bearer(directory, "", &issuer.for_user("anna@a.test")).await,
                "Credentials"
            );
        }
        assert_eq!(issuer.asked.load(Ordering::SeqCst), asked);
        set(
            directory,
            "oauth.introspection-url",
            "https://id.example/introspect",
        )
        .await;
        assert_eq!(bearer(directory, "", "opaque").await, "boris@a.test");
        assert_eq!(bearer(directory, "anna@a.test", "opaque").await, "Credentials");
        assert_eq!(bearer(directory, "", "unknown").await, "Credentials");
        // Who is told that a token is no good and goes has failed all the same.
        let guard = super::stale::Told::default();
        let told = guard.0.clone();
        directory.set_guard(Arc::new(guard));
        let message = "n,,\u{1}auth=Bearer unknown\u{1}\u{1}".as_bytes();
        for _ in 0..2 {
            let (login, step) = directory.login("OAUTHBEARER", Some(message), context(true)).await;
            assert!(outcome(&step).starts_with("challenge "));
            drop(login);
        }
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 2);
        assert!(told[0].is_some() && told[0] == told[1]);
    });
}
