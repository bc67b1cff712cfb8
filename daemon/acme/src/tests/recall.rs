//! What is taken back: a certificate whose key somebody else has would be believed on, and an account whose key was seen would be another's.

use super::*;

impl House {
    /// As it is kept.
    fn account(&self) -> Value {
        let files = std::fs::read_dir(self.folder.path().join("acme")).unwrap();
        let mut paths = files.map(|file| file.unwrap().path());
        let path = paths.find(|path| path.to_str().unwrap().contains("account-"));
        serde_json::from_slice(&std::fs::read(path.unwrap()).unwrap()).unwrap()
    }
}

#[tokio::test]
async fn a_revoked_certificate_is_replaced_at_once() {
    let house = House::open().await;
    let name = "mail.example.test";
    let refused = house.acme.revoke(name, Reason::Unspecified).await;
    assert!(matches!(refused, Err(AcmeError::Unknown)));
    let first = house.obtain().await.unwrap();
    let down = problem("serverInternal", "down");
    house
        .authority
        .instead("/revoke", "500 Internal Server Error", "", down);
    assert!(house.acme.revoke(name, Reason::KeyCompromise).await.is_err());
    assert_eq!(house.acme.orders().unwrap(), std::slice::from_ref(&first));
    house.acme.revoke(name, Reason::KeyCompromise).await.unwrap();
    let (_, asked) = house.authority.asked("/revoke").pop().unwrap();
    assert_eq!(asked["reason"], 1);
    let certificate = house.tls.der(&first.id).unwrap();
    assert_eq!(asked["certificate"], jws::base64url(certificate));
    // It serves until the other one is there.
    let order = &house.acme.orders().unwrap()[0];
    assert!(order.next_try <= schedule::now() && order.id == first.id);
    let already = problem("alreadyRevoked", "twice");
    house.authority.instead("/revoke", "400 Bad Request", "", already);
    house.acme.revoke(name, Reason::Superseded).await.unwrap();
}

#[tokio::test]
async fn the_account_gets_a_new_key() {
    let house = House::open().await;
    house.obtain().await.unwrap();
    let before = house.account();
    house.acme.rekey().await.unwrap();
    let after = house.account();
    assert_ne!(before["key"], after["key"]);
    assert_eq!((&before["url"], &after["next_key"]), (&after["url"], &json!("")));
    let (outer, inner) = house.authority.asked("/key-change").pop().unwrap();
    let part = |name: &str| {
        let text = inner[name].as_str().unwrap();
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text);
        serde_json::from_slice::<Value>(&bytes.unwrap()).unwrap()
    };
    let (protected, payload) = (part("protected"), part("payload"));
    // RFC 8555 §7.3.5: the same address in both, no nonce in the inner one.
    assert_eq!(protected["url"], outer["url"]);
    assert!(protected["nonce"].is_null());
    assert_eq!(payload["account"], outer["kid"]);
    assert_ne!(payload["oldKey"]["x"], protected["jwk"]["x"]);
    // A refusal leaves the old one.
    let refused = problem("malformed", "no");
    house
        .authority
        .instead("/key-change", "400 Bad Request", "", refused);
    assert!(house.acme.rekey().await.is_err());
    assert_eq!(house.account(), after);
}

// With the wrong one of the two keys the account would be lost, its limits and its orders with it.
#[tokio::test]
async fn after_a_lost_answer_the_authority_says_which_key_it_has() {
    for heard in [true, false] {
        let house = House::open().await;
        house.obtain().await.unwrap();
        let before = house.account();
        house.authority.instead("/key-change", HANGS_UP, "", Value::Null);
        assert!(house.acme.rekey().await.is_err());
        let between = house.account();
        assert_ne!(between["next_key"], "");
        if !heard {
            let unknown = problem("accountDoesNotExist", "who?");
            house
                .authority
                .instead("/account", "400 Bad Request", "", unknown);
        }
        let again = open(&house.folder, &house.authority, &house.tls);
        again
            .obtain(&["mail.example.test".to_owned()], true)
            .await
            .unwrap();
        let after = house.account();
        let expected = if heard {
            &between["next_key"]
        } else {
            &before["key"]
        };
        assert_eq!((&after["key"], &after["next_key"]), (expected, &json!("")));
    }
}
