//! App passwords at the logins.

use super::logins::{context, cram, outcome};
use super::*;

async fn plain(directory: &Directory, password: &str, protocol: Protocol) -> String {
    let context = LoginContext {
        protocol,
        ..context(true)
    };
    outcome(&directory.login_plain("anna@a.test", password, context).await)
}

async fn add(directory: &Directory, label: &str, protocols: &[Protocol]) -> String {
    let anna = address("anna@a.test");
    directory
        .add_app_password(&anna, label, protocols, "test")
        .await
        .unwrap()
}

#[test]
fn an_app_password_opens_its_protocols_beside_the_users_own_until_it_is_removed() {
    on_each(async |directory, _| {
        people(directory).await;
        let anna = address("anna@a.test");
        // Also for somebody who has no password of her own.
        let phone = add(directory, "Phone", &[Protocol::Imap]).await;
        assert_eq!(plain(directory, &phone, Protocol::Imap).await, "anna@a.test");
        directory.set_password(&anna, "own", "test").await.unwrap();
        let printer = add(directory, "Printer", &[]).await;
        for (password, protocol, want) in [
            (phone.as_str(), Protocol::Imap, "anna@a.test"),
            (&phone, Protocol::Pop3, "Credentials"),
            (&printer, Protocol::Submission, "anna@a.test"),
            (&printer.replace('-', ""), Protocol::Submission, "anna@a.test"),
            ("own", Protocol::Imap, "anna@a.test"),
            ("abcd-abcd-abcd-abcd", Protocol::Imap, "Credentials"),
        ] {
            assert_eq!(plain(directory, password, protocol).await, want, "{password}");
        }
        let boris = directory
            .login_plain("boris@a.test", &printer, context(true))
            .await;
        assert_eq!(outcome(&boris), "Credentials");
        directory
            .remove_app_password(&anna, "PHONE", "test")
            .await
            .unwrap();
        assert_eq!(plain(directory, &phone, Protocol::Imap).await, "Credentials");
        assert_eq!(plain(directory, &printer, Protocol::Imap).await, "anna@a.test");
        assert_eq!(
            code(directory.remove_app_password(&anna, "Phone", "test").await),
            "app-password-unknown"
        );
    });
}

// Mail programs choose the mechanism by themselves: with those that never send a password an app password has to work as well.
#[test]
fn app_passwords_serve_mechanisms_that_never_send_them_also_after_changes() {
    on_each(async |directory, _| {
        people(directory).await;
        let anna = address("anna@a.test");
        let first = add(directory, "first", &[]).await;
        directory.set_password(&anna, "own", "test").await.unwrap();
        let second = add(directory, "second", &[]).await;
        directory.set_password(&anna, "another", "test").await.unwrap();
        for password in [first.as_str(), &second, "another"] {
            assert_eq!(cram(directory, "anna@a.test", password).await, "anna@a.test");
            assert_eq!(scram(directory, "anna@a.test", password).await, "anna@a.test");
        }
        assert_eq!(cram(directory, "anna@a.test", "own").await, "Credentials");
        assert_eq!(scram(directory, "anna@a.test", "own").await, "Credentials");
        let to = address("hanna@a.test");
        directory.rename_user(&anna, &to, "test").await.unwrap();
        assert_eq!(scram(directory, "hanna@a.test", &first).await, "hanna@a.test");
        directory.remove_user(&to, "test").await.unwrap();
        directory
            .add_user(new_user("hanna@a.test", None), "test")
            .await
            .unwrap();
        assert_eq!(directory.app_passwords(&to).await.unwrap(), []);
    });
}

#[test]
fn they_are_listed_with_their_use_and_have_bounds() {
    on_each(async |directory, _| {
        people(directory).await;
        let anna = address("anna@a.test");
        let phone = add(directory, " Phone ", &[Protocol::Imap, Protocol::Submission]).await;
        let listed = directory.app_passwords(&anna).await.unwrap();
        assert_eq!((listed[0].label.as_str(), listed[0].used_at), ("Phone", None));
        assert_eq!(listed[0].protocols, [Protocol::Imap, Protocol::Submission]);
        let mut changes = directory.changes();
        assert_eq!(plain(directory, &phone, Protocol::Imap).await, "anna@a.test");
        // The use is noted while the client goes on; whoever lists them is told of it.
        assert_eq!(changes.recv().await.unwrap().kind, "app-password");
        assert!(directory.app_passwords(&anna).await.unwrap()[0].used_at.is_some());
        let again = directory.add_app_password(&anna, "PHONE", &[], "test").await;
        assert_eq!(code(again), "app-password-exists");
        let unnamed = directory.add_app_password(&anna, "  ", &[], "test").await;
        assert_eq!(code(unnamed), "label-invalid");
        for number in 1..50 {
            add(directory, &number.to_string(), &[]).await;
        }
        let more = directory.add_app_password(&anna, "more", &[], "test").await;
        assert_eq!(code(more), "too-many");
    });
}

/// RFC 5802 §3 with the client's side of it.
pub(super) async fn scram(directory: &Directory, user: &str, password: &str) -> String {
    scram_while(directory, user, password, async |_| ()).await
}

/// The same; something happens before the client shows that it knows the password (`false`), and before it answers the server's last words (`true`).
pub(super) async fn scram_while(
    directory: &Directory,
    user: &str,
    password: &str,
    meanwhile: impl AsyncFn(bool),
) -> String {
    let (mut login, step) = scram_proved(directory, user, password, async || meanwhile(false).await).await;
    let LoginStep::Challenge(last) = &step else {
        return outcome(&step);
    };
    assert!(last.starts_with(b"v="));
    meanwhile(true).await;
    outcome(&login.step(b"").await)
}

/// Up to the server's last words.
pub(super) async fn scram_proved(
    directory: &Directory,
    user: &str,
    password: &str,
    meanwhile: impl AsyncFnOnce(),
) -> (Login, LoginStep) {
    let bare = format!("n={user},r=clientnonce");
    let (mut login, step) = directory
        .login(
            "SCRAM-SHA-256",
            Some(format!("n,,{bare}").as_bytes()),
            context(false),
        )
        .await;
    let LoginStep::Challenge(first) = step else {
        panic!("{}", outcome(&step))
    };
    let first = String::from_utf8(first).unwrap();
    let fields: Vec<&str> = first.split(',').collect();
    let salt = wire::base64::decode(fields[1].strip_prefix("s=").unwrap().as_bytes()).unwrap();
    let without = format!("c=biws,{}", fields[0]);
    let proof = scram_proof(password, &salt, &format!("{bare},{first},{without}"));
    let proof = wire::base64::encode(&proof);
    meanwhile().await;
    let step = login.step(format!("{without},p={proof}").as_bytes()).await;
    (login, step)
}

fn scram_proof(password: &str, salt: &[u8], message: &str) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Digest, Sha256};
    let mac = |key: &[u8], data: &[u8]| -> Vec<u8> {
        let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.chain_update(data).finalize().into_bytes().to_vec()
    };
    let xor = |a: &[u8], b: &[u8]| -> Vec<u8> { a.iter().zip(b).map(|(a, b)| a ^ b).collect() };
    // Hi() of RFC 5802 §2.2.
    let mut block = mac(password.as_bytes(), &[salt, &[0, 0, 0, 1]].concat());
    let mut salted = block.clone();
    for _ in 1..wire::sasl::SCRAM_ITERATIONS {
        block = mac(password.as_bytes(), &block);
        salted = xor(&salted, &block);
    }
    let key = mac(&salted, b"Client Key");
    xor(&key, &mac(&Sha256::digest(&key), message.as_bytes()))
}
