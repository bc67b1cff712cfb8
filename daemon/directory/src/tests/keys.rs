//! Keys that sign mail.

use drivers::kinds;
use shared::model::DkimKey;

use super::*;
use crate::ChangeError;

fn key(domain: &str, selector: &str) -> DkimKey {
    DkimKey {
        domain: name(domain),
        selector: selector.to_owned(),
        algorithm: "ed25519".to_owned(),
        active: true,
        created: 1,
        record_name: format!("{selector}._domainkey.{domain}"),
        record: "v=DKIM1; p=x".to_owned(),
        revision: 0,
    }
}

/// Whoever has a copy of the database could sign as the domain; or a domain's next owner as the one before.
#[test]
fn private_halves_are_sealed_and_go_with_their_domain() {
    on_each(async |directory, _| {
        people(directory).await;
        let secret = b"the private half".to_vec();
        for selector in ["one", "two"] {
            directory
                .add_dkim_key(key("a.test", selector), secret.clone(), "test")
                .await
                .unwrap();
        }
        for (bad, code) in [
            (key("a.test", "one"), "dkim-exists"),
            (key("else.test", "one"), "domain-unknown"),
            (key("a.test", "with space"), "selector-invalid"),
            (key("a.test", ""), "selector-invalid"),
        ] {
            let Err(ChangeError::Refused(refusal)) = directory.add_dkim_key(bad, Vec::new(), "test").await
            else {
                panic!("{code}")
            };
            assert_eq!(refusal.code, code);
        }
        let kept = directory
            .inner
            .driver(&kinds::DKIM_KEY)
            .get(&kinds::DKIM_KEY, vec!["a.test".into(), "one".into()])
            .await
            .unwrap()
            .unwrap();
        assert!(!String::from_utf8_lossy(kept.bytes("private")).contains("private"));
        directory
            .set_dkim_key(&name("a.test"), "two", false, "test")
            .await
            .unwrap();
        let found = directory.dkim_secrets(&name("a.test")).await.unwrap();
        let found: Vec<_> = found
            .into_iter()
            .map(|(key, private)| (key.selector, private))
            .collect();
        assert_eq!(found, [("one".to_owned(), Some(secret))]);
        assert_eq!(directory.dkim_keys(None, Page::default()).await.unwrap().total, 2);
        directory
            .remove_domain(&name("a.test"), true, "test")
            .await
            .unwrap();
        assert_eq!(directory.dkim_keys(None, Page::default()).await.unwrap().total, 0);
    });
}
