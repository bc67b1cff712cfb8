//! What an administrator would lose: a certificate, because the authority hesitates, complains or talks nonsense; or the account with it.
//! The authority is scripted; a real one is asked in `tests/whole/acme.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// What the authority answers once instead of what it would: status line, further fields, body.
type Instead = (&'static str, &'static str, String);

#[derive(Default)]
struct Script {
    /// By path; used up from the first on.
    instead: HashMap<&'static str, Vec<Instead>>,
    /// Path, protected header and payload of each signed request.
    seen: Vec<(String, Value, Value)>,
    names: Vec<String>,
    csr: Vec<u8>,
    answered: bool,
    /// What the web shows at the moment of the challenge.
    tokens: Option<Tokens>,
    shown: Option<String>,
    nonces: u64,
}

#[derive(Clone)]
struct Authority {
    at: String,
    script: Arc<Mutex<Script>>,
}

impl Authority {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = Self {
            at: format!("http://{}", listener.local_addr().unwrap()),
            script: Arc::default(),
        };
        let serving = authority.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.serve(stream).await;
            }
        });
        authority
    }

    fn instead(&self, path: &'static str, status: &'static str, fields: &'static str, body: Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut script = self.script.lock();
        script
            .instead
            .entry(path)
            .or_default()
            .push((status, fields, body));
    }

    fn asked(&self, path: &str) -> Vec<(Value, Value)> {
        let script = self.script.lock();
        let seen = script.seen.iter().filter(|(asked, _, _)| asked == path);
        seen.map(|(_, protected, payload)| (protected.clone(), payload.clone()))
            .collect()
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut input = Vec::new();
        let (head, length) = loop {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            input.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&input).to_ascii_lowercase();
            if let Some((head, _)) = text.split_once("\r\n\r\n") {
                let length = head
                    .split("content-length: ")
                    .nth(1)
                    .and_then(|rest| rest.lines().next());
                break (head.len() + 4, length.map_or(0, |length| length.parse().unwrap()));
            }
        };
        while input.len() < head + length {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.unwrap();
            input.extend_from_slice(&piece[..read]);
        }
        let text = String::from_utf8(input).unwrap();
        let path = text.split(' ').nth(1).unwrap().to_owned();
        let answer = self.answer(&path, &text[head..]);
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    }

    fn answer(&self, path: &str, body: &str) -> String {
        let mut script = self.script.lock();
        if let Ok(signed) = serde_json::from_str::<Value>(body) {
            let part = |name: &str| URL_SAFE_NO_PAD.decode(signed[name].as_str().unwrap()).unwrap();
            let protected = serde_json::from_slice(&part("protected")).unwrap();
            let payload = serde_json::from_slice(&part("payload")).unwrap_or_default();
            script.seen.push((path.to_owned(), protected, payload));
        }
        script.nonces += 1;
        let nonce = format!("Replay-Nonce: nonce{}\r\n", script.nonces);
        let instead = script.instead.get_mut(path).filter(|left| !left.is_empty());
        let (status, fields, body) = match instead.map(|left| left.remove(0)) {
            Some((status, fields, body)) => (status, fields.to_owned(), body),
            None => self.usual(path, &mut script),
        };
        format!(
            "HTTP/1.1 {status}\r\n{nonce}{fields}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn usual(&self, path: &str, script: &mut Script) -> (&'static str, String, String) {
        let url = |path: &str| format!("{}{path}", self.at);
        let location = |path: &str| format!("Location: {}\r\n", url(path));
        let payload = script
            .seen
            .last()
            .map(|(_, _, payload)| payload.clone())
            .unwrap_or_default();
        let order = |script: &Script| {
            let status = match (script.answered, script.csr.is_empty()) {
                (false, _) => "pending",
                (true, true) => "ready",
                (true, false) => "valid",
            };
            json!({"status": status, "authorizations": [url("/authz")], "finalize": url("/finalize"),
                "certificate": url("/certificate")})
        };
        let (fields, body) = match path {
            "/dir" => (
                String::new(),
                json!({"newNonce": url("/nonce"), "newAccount": url("/account"), "newOrder": url("/order"),
                    "meta": {"termsOfService": "https://ca.test/terms"}}),
            ),
            "/nonce" => (String::new(), Value::Null),
            "/account" => (location("/account/1"), json!({"status": "valid"})),
            "/order" => {
                let asked = payload["identifiers"].as_array().unwrap();
                script.names = asked
                    .iter()
                    .map(|one| one["value"].as_str().unwrap().to_owned())
                    .collect();
                (script.answered, script.csr) = (false, Vec::new());
                (location("/order/1"), order(script))
            }
            "/order/1" => (String::new(), order(script)),
            "/authz" => (String::new(), self.authorization(script)),
            "/challenge" => {
                script.answered = true;
                script.shown = script.tokens.as_ref().and_then(|tokens| tokens.get("token-1"));
                (String::new(), json!({"status": "processing"}))
            }
            "/finalize" => {
                script.csr = URL_SAFE_NO_PAD.decode(payload["csr"].as_str().unwrap()).unwrap();
                (String::new(), order(script))
            }
            "/certificate" => return ("200 OK", String::new(), certificate(&script.names, &script.csr)),
            other => panic!("{other} was asked for"),
        };
        ("200 OK", fields, body.to_string())
    }

    fn authorization(&self, script: &Script) -> Value {
        let status = if script.answered { "valid" } else { "pending" };
        json!({"status": status, "identifier": {"type": "dns", "value": script.names[0]},
            "challenges": [{"type": "http-01", "url": format!("{}/challenge", self.at), "token": "token-1"}]})
    }
}

/// The key that a request is for: what a request on P-256 has after this (RFC 5480 §2).
struct Requested(Vec<u8>);

impl Requested {
    fn of(csr: &[u8]) -> Self {
        let mark = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00];
        let at = csr.windows(mark.len()).position(|bytes| bytes == mark).unwrap() + mark.len();
        Self(csr[at..at + 65].to_vec())
    }
}

impl PublicKeyData for Requested {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

fn certificate(names: &[String], csr: &[u8]) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = Issuer::new(params, KeyPair::generate().unwrap());
    let mut params = CertificateParams::new(names.to_vec()).unwrap();
    let now = std::time::SystemTime::now();
    params.not_before = now.into();
    params.not_after = (now + Duration::from_hours(24 * 90)).into();
    params.signed_by(&Requested::of(csr), &issuer).unwrap().pem()
}

/// The room on a folder of its own, and its authority.
struct House {
    acme: Acme,
    authority: Authority,
    tls: Tls,
    folder: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::start().await;
        let disk: SharedDisk = Arc::new(disk::RealDisk::new());
        let (tls, _) = Tls::open(disk, &folder.path().join("tls"), "mail.example.test").unwrap();
        let acme = open(&folder, &authority, &tls);
        authority.script.lock().tokens = Some(acme.tokens());
        Self {
            acme,
            authority,
            tls,
            folder,
        }
    }

    async fn obtain(&self) -> Result<Ordered, AcmeError> {
        self.acme.obtain(&["mail.example.test".to_owned()], true).await
    }

    async fn failure(&self) -> String {
        self.obtain().await.unwrap_err().to_string()
    }
}

fn open(folder: &tempfile::TempDir, authority: &Authority, tls: &Tls) -> Acme {
    let options = Options {
        directory: format!("{}/dir", authority.at),
        contact: vec!["mailto:postmaster@example.test".to_owned()],
        agree: true,
        ..Options::default()
    };
    Acme::open(Parts {
        disk: Arc::new(disk::RealDisk::new()),
        dir: folder.path().join("acme"),
        tls: tls.clone(),
        dns: Dns::scripted(dns::Scripted::new()),
        events: Events::none(),
        options: Arc::new(move || options.clone()),
        external_key: Arc::new(|| None),
        web: true,
    })
}

fn problem(kind: &str, detail: &str) -> Value {
    json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail})
}

#[tokio::test]
async fn a_certificate_is_got_used_and_known_after_a_restart() {
    let house = House::open().await;
    let order = house.obtain().await.unwrap();
    assert!(order.failures == 0 && order.reason.is_empty() && !order.working);
    let served = house
        .tls
        .certificates()
        .into_iter()
        .find(|one| one.id == order.id)
        .unwrap();
    assert_eq!(served.served_for, ["mail.example.test"]);
    let shown = house.authority.script.lock().shown.clone().unwrap();
    assert!(shown.starts_with("token-1."), "{shown}");
    assert_eq!(house.acme.tokens().get("token-1"), None, "it is taken back");
    let again = open(&house.folder, &house.authority, &house.tls);
    assert_eq!(again.orders(), std::slice::from_ref(&order));
    // The same account, and the newer certificate in the place of the older.
    let newer = again
        .obtain(&["mail.example.test".to_owned()], true)
        .await
        .unwrap();
    assert_ne!(newer.id, order.id);
    assert_eq!(house.authority.asked("/account").len(), 1);
    assert_eq!(
        house.tls.certificates().len(),
        2,
        "the one of the first start, and the newer one"
    );
    again.removed(&newer.id).await.unwrap();
    assert!(again.orders().is_empty());
}

// RFC 8555 §6.5: an authority of many machines often knows nothing of a nonce that it gave.
#[tokio::test]
async fn a_nonce_that_is_not_good_costs_another_try_only() {
    let house = House::open().await;
    for path in ["/account", "/order", "/order", "/finalize"] {
        house
            .authority
            .instead(path, "400 Bad Request", "", problem("badNonce", "unknown"));
    }
    house.obtain().await.unwrap();
    let mut nonces: Vec<Value> = Vec::new();
    for (_, protected, _) in &house.authority.script.lock().seen {
        assert!(!nonces.contains(&protected["nonce"]), "{protected} again");
        nonces.push(protected["nonce"].clone());
    }
    for _ in 0..20 {
        house
            .authority
            .instead("/order", "400 Bad Request", "", problem("badNonce", "unknown"));
    }
    assert!(house.failure().await.contains("badNonce"), "not for ever");
}

#[tokio::test]
async fn what_the_authority_complains_of_is_told_and_its_pause_is_kept() {
    let house = House::open().await;
    let before = schedule::now();
    let limited = problem("rateLimited", "too many certificates for example.test");
    house.authority.instead(
        "/order",
        "429 Too Many Requests",
        "Retry-After: 90000\r\n",
        limited,
    );
    assert_eq!(
        house.failure().await,
        "rateLimited: too many certificates for example.test"
    );
    let order = &house.acme.orders()[0];
    assert!(
        order.next_try >= before + 90_000 && order.failures == 1,
        "{order:?}"
    );
    // The certificate of the first start serves on.
    assert_eq!(house.tls.certificates().len(), 1);

    let refused = json!({"status": "invalid", "identifier": {"value": "mail.example.test"},
        "challenges": [{"type": "http-01", "error": problem("connection", "192.0.2.1: Connection refused")}]});
    for _ in 0..2 {
        house.authority.instead("/authz", "200 OK", "", refused.clone());
    }
    let said = house.failure().await;
    assert_eq!(
        said,
        "mail.example.test: connection: 192.0.2.1: Connection refused"
    );
    assert_eq!(house.acme.orders()[0].failures, 2);
    assert_eq!(house.acme.tokens().get("token-1"), None);
}

#[tokio::test]
async fn an_authority_that_takes_its_time_is_waited_for() {
    let house = House::open().await;
    let pending = json!({"status": "processing"});
    for _ in 0..3 {
        house
            .authority
            .instead("/order/1", "200 OK", "Retry-After: 0\r\n", pending.clone());
    }
    house.obtain().await.unwrap();
}

// A lost key is a lost account: its limits and its orders with it.
#[tokio::test]
async fn the_account_s_key_is_kept_before_the_authority_hears_of_it() {
    let house = House::open().await;
    house.authority.instead(
        "/account",
        "500 Internal Server Error",
        "",
        problem("serverInternal", "down"),
    );
    assert_eq!(house.failure().await, "serverInternal: down");
    let again = open(&house.folder, &house.authority, &house.tls);
    again
        .obtain(&["mail.example.test".to_owned()], true)
        .await
        .unwrap();
    let keys: Vec<Value> = house
        .authority
        .asked("/account")
        .into_iter()
        .map(|(protected, _)| protected["jwk"]["x"].clone())
        .collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
    let (_, payload) = house.authority.asked("/account").pop().unwrap();
    assert_eq!(payload["contact"], json!(["mailto:postmaster@example.test"]));

    // An authority that was set up anew knows the account no longer.
    house.authority.instead(
        "/order",
        "400 Bad Request",
        "",
        problem("accountDoesNotExist", "who?"),
    );
    house.obtain().await.unwrap();
    assert_eq!(house.authority.asked("/account").len(), 3);
}

#[tokio::test]
async fn answers_that_make_no_sense_end_the_try_and_change_nothing() {
    let house = House::open().await;
    let odd_name = json!({"status": "pending", "identifier": {"value": "other.test"}, "challenges": []});
    let odd_token = json!({"status": "pending", "identifier": {"value": "mail.example.test"},
        "challenges": [{"type": "http-01", "url": "https://ca.test/c", "token": "../../etc"}]});
    let no_web = json!({"status": "pending", "identifier": {"value": "mail.example.test"},
        "challenges": [{"type": "dns-01", "url": "https://ca.test/c", "token": "t"}]});
    let elsewhere = json!({"newNonce": "file:///etc/passwd", "newAccount": 7});
    let foreign = Value::String("x".repeat(300_000));
    for (path, body, told) in [
        ("/dir", json!([]), "not an object"),
        ("/dir", elsewhere, "file:///etc/passwd"),
        ("/dir", foreign, "larger than"),
        ("/order", json!({}), "an address is missing"),
        ("/authz", odd_name, "other.test was not asked for"),
        ("/authz", odd_token, "a token that is none"),
        ("/authz", no_web, "offers no http-01"),
        ("/certificate", Value::Null, "no certificate"),
    ] {
        house.authority.instead(path, "200 OK", "", body);
        let said = house.failure().await;
        assert!(said.contains(told), "{path}: {said}");
        house.authority.script.lock().instead.clear();
    }
    assert_eq!(house.tls.certificates().len(), 1);
    // A certificate for another's key.
    let foreign = rcgen::generate_simple_self_signed(["mail.example.test".to_owned()]).unwrap();
    let instead = ("200 OK", "", foreign.cert.pem());
    house
        .authority
        .script
        .lock()
        .instead
        .insert("/certificate", vec![instead]);
    assert!(
        house
            .failure()
            .await
            .contains("the key is not that of the certificate")
    );
    assert_eq!(house.tls.certificates().len(), 1);
}

#[tokio::test]
async fn what_can_t_be_done_is_refused_before_anything_is_asked() {
    let house = House::open().await;
    let names = |name: &str| vec![name.to_owned()];
    let refused = house.acme.obtain(&names("*.example.test"), true).await;
    assert!(matches!(refused, Err(AcmeError::Wildcard(_))), "{refused:?}");
    let refused = house.acme.obtain(&names("localhost"), true).await;
    assert!(matches!(refused, Err(AcmeError::Name(_))), "{refused:?}");
    assert!(matches!(
        house.acme.forget("mail.example.test").await,
        Err(AcmeError::Unknown)
    ));
    assert!(house.acme.orders().is_empty() && house.authority.script.lock().seen.is_empty());
}

// Written over, the list would be lost for good.
#[tokio::test]
async fn a_list_that_can_t_be_read_is_left_alone() {
    let house = House::open().await;
    house.obtain().await.unwrap();
    let path = house.folder.path().join("acme/certificates.json");
    std::fs::write(&path, b"{").unwrap();
    let again = open(&house.folder, &house.authority, &house.tls);
    assert!(again.obtain(&["b.test".to_owned()], true).await.is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"{");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_account_s_key() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::open().await;
    house.obtain().await.unwrap();
    let folder = house.folder.path().join("acme");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in std::fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}
