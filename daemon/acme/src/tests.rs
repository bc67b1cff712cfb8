//! What an administrator would lose: a certificate, because the authority hesitates, complains or talks nonsense; or the account with it.
//! The authority is scripted; a real one is asked in `tests/whole/acme.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use super::*;

mod authority;
mod pending;
mod recall;
mod renewal;
mod together;

use authority::{Authority, HANGS_UP};

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
    assert_eq!(again.orders().unwrap(), std::slice::from_ref(&order));
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
    again.remove(&newer.id).await.unwrap();
    assert!(again.orders().unwrap().is_empty());
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
    let order = &house.acme.orders().unwrap()[0];
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
    assert_eq!(house.acme.orders().unwrap()[0].failures, 2);
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
    assert!(house.acme.orders().unwrap().is_empty() && house.authority.script.lock().seen.is_empty());
}

// Written over, the list would be lost for good; shown as empty, nobody would look for it.
#[tokio::test]
async fn a_list_that_can_t_be_read_is_told_and_kept() {
    let house = House::open().await;
    house.obtain().await.unwrap();
    let path = house.folder.path().join("acme/certificates.json");
    std::fs::write(&path, b"{").unwrap();
    let again = open(&house.folder, &house.authority, &house.tls);
    assert!(matches!(again.orders(), Err(AcmeError::Damaged(_))));
    assert!(matches!(
        again.forget("mail.example.test").await,
        Err(AcmeError::Damaged(_))
    ));
    assert_eq!(std::fs::read(&path).unwrap(), b"{");
    again.obtain(&["b.test".to_owned()], true).await.unwrap();
    assert_eq!(again.orders().unwrap().len(), 1);
    let kept = std::fs::read_dir(house.folder.path().join("acme")).unwrap();
    let kept = kept.map(|file| file.unwrap().path());
    let kept = kept.filter(|file| file.to_str().unwrap().contains("json.damaged-"));
    let kept: Vec<_> = kept.map(|file| std::fs::read(file).unwrap()).collect();
    assert_eq!(kept, [b"{"]);
}

// An administrator who mends the file has everything back.
#[tokio::test]
async fn a_list_that_is_mended_is_used_again() {
    let house = House::open().await;
    house.obtain().await.unwrap();
    let path = house.folder.path().join("acme/certificates.json");
    let right = std::fs::read(&path).unwrap();
    std::fs::write(&path, b"{").unwrap();
    let again = open(&house.folder, &house.authority, &house.tls);
    std::fs::write(&path, right).unwrap();
    again.forget("mail.example.test").await.unwrap();
    assert!(again.orders().unwrap().is_empty());
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
