//! # tests: LOGINDISABLED

use crate::support::*;

#[tokio::test]
async fn states_are_kept() {
    let world = World::new().await;
    let mut client = world.connect().await;
    for command in ["SELECT INBOX", "LIST \"\" *", "APPEND INBOX {0}", "IDLE"] {
        let answer = client.answer(command).await;
        assert!(
            answer.starts_with("BAD") || answer.starts_with("NO"),
            "{command}: {answer}"
        );
    }
    assert!(client.answer("FETCH 1 FLAGS").await.starts_with("BAD"));
    assert!(client.answer("STARTTLS").await.starts_with("BAD"));
    client.ok("NOOP").await;
    client.ok(&format!("LOGIN {USER} \"{PASSWORD}\"")).await;
    assert!(client.answer("LOGIN a b").await.starts_with("BAD"));
    assert!(client.answer("FETCH 1 FLAGS").await.starts_with("BAD"));
    let lines = client.command("LOGOUT").await;
    assert!(lines[0].starts_with("* BYE"));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn wrong_passwords_and_users_sound_alike() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let wrong = client.answer(&format!("LOGIN {USER} wrong")).await;
    assert!(wrong.starts_with("NO [AUTHENTICATIONFAILED]"), "{wrong}");
    assert_eq!(client.answer("LOGIN nobody@example.test wrong").await, wrong);
    assert_eq!(client.answer("LOGIN nonsense wrong").await, wrong);
}

#[tokio::test]
async fn authenticate_plain_in_both_forms() {
    let world = World::new().await;
    let text = wire::base64::encode(format!("\0{USER}\0{PASSWORD}").as_bytes());
    let mut client = world.connect().await;
    let capabilities = client.ok("CAPABILITY").await.remove(0);
    assert!(
        capabilities.contains("AUTH=PLAIN") && capabilities.contains("SASL-IR"),
        "{capabilities}"
    );
    assert!(
        client
            .answer(&format!("AUTHENTICATE PLAIN {text}"))
            .await
            .starts_with("OK [CAPABILITY")
    );

    let mut client = world.connect().await;
    client.send("a AUTHENTICATE PLAIN\r\n").await;
    assert!(client.line().await.starts_with("+ "));
    client.send("*\r\n").await;
    assert!(client.line().await.starts_with("a BAD"));
    client.send("b AUTHENTICATE PLAIN\r\n").await;
    assert!(client.line().await.starts_with("+ "));
    client.send(&format!("{text}\r\n")).await;
    assert!(client.line().await.starts_with("b OK"));
}

#[tokio::test]
async fn challenges_and_responses() {
    use wire::sasl::{Mechanism, client::Client as Sasl};
    let world = World::new().await;
    for mechanism in [Mechanism::CramMd5, Mechanism::Login] {
        let mut sasl = Sasl::new(mechanism, USER, PASSWORD, "nonce").unwrap();
        let mut client = world.connect().await;
        let initial = sasl
            .initial()
            .map(|text| format!(" {}", wire::base64::encode(&text)))
            .unwrap_or_default();
        client
            .send(&format!("a AUTHENTICATE {}{initial}\r\n", mechanism.name()))
            .await;
        loop {
            let line = client.line().await;
            let Some(challenge) = line.strip_prefix("+ ") else {
                assert!(line.starts_with("a OK"), "{}: {line}", mechanism.name());
                break;
            };
            let challenge = wire::base64::decode(challenge.as_bytes()).unwrap();
            let response = sasl.respond(&challenge).unwrap();
            client
                .send(&format!("{}\r\n", wire::base64::encode(&response)))
                .await;
        }
    }
}

/// RFC 7677: the server's last word is a challenge of its own, answered with an empty line.
#[tokio::test]
async fn scram_sha_256() {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Digest, Sha256};
    let mac = |key: &[u8], text: &str| {
        Hmac::<Sha256>::new_from_slice(key)
            .unwrap()
            .chain_update(text.as_bytes())
            .finalize()
            .into_bytes()
    };
    let world = World::new().await;
    let mut client = world.connect().await;
    let first = format!("n={USER},r=nonce");
    let initial = wire::base64::encode(format!("n,,{first}").as_bytes());
    client
        .send(&format!("a AUTHENTICATE SCRAM-SHA-256 {initial}\r\n"))
        .await;
    let challenge = client.line().await;
    let challenge = wire::base64::decode(&challenge.as_bytes()[2..]).unwrap();
    let challenge = String::from_utf8(challenge).unwrap();
    let field = |name: &str| {
        challenge
            .split(',')
            .find_map(|field| field.strip_prefix(name))
            .unwrap()
    };
    let salt = wire::base64::decode(field("s=").as_bytes()).unwrap();
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(
        PASSWORD.as_bytes(),
        &salt,
        field("i=").parse().unwrap(),
        &mut salted,
    );
    let key = mac(&salted, "Client Key");
    let last = format!("c=biws,r={}", field("r="));
    let message = format!("{first},{challenge},{last}");
    let signature = mac(&Sha256::digest(key), &message);
    let proof: Vec<u8> = key
        .iter()
        .zip(signature)
        .map(|(key, signature)| key ^ signature)
        .collect();
    let answer = format!("{last},p={}", wire::base64::encode(&proof));
    client
        .send(&format!("{}\r\n", wire::base64::encode(answer.as_bytes())))
        .await;
    let verified = client.line().await;
    let verified = wire::base64::decode(&verified.as_bytes()[2..]).unwrap();
    let server = mac(&mac(&salted, "Server Key"), &message);
    assert_eq!(
        String::from_utf8(verified).unwrap(),
        format!("v={}", wire::base64::encode(&server))
    );
    client.send("\r\n").await;
    assert!(client.line().await.starts_with("a OK"));
}

#[tokio::test]
async fn literals_in_login() {
    let world = World::new().await;
    let mut client = world.connect().await;
    client.send(&format!("a LOGIN {{{}}}\r\n", USER.len())).await;
    assert!(client.line().await.starts_with('+'));
    client
        .send(&format!("{USER} {{{}+}}\r\n{PASSWORD}\r\n", PASSWORD.len()))
        .await;
    assert!(client.line().await.starts_with("a OK"));
}

#[tokio::test]
async fn limits_of_strangers() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let answer = client.answer("LOGIN {1000000}").await;
    assert!(answer.starts_with("NO [TOOBIG]"), "{answer}");
    client
        .send(&format!("a LOGIN {}\r\nb NOOP\r\n", "x".repeat(40_000)))
        .await;
    assert!(client.line().await.starts_with("a BAD"));
    assert!(client.line().await.starts_with("b OK"));
    client.send("nonsense\r\n").await;
    assert!(client.line().await.starts_with("nonsense BAD"));
}

#[tokio::test]
async fn id_and_enable() {
    let world = World::new().await;
    let mut client = world.connect().await;
    assert_eq!(client.ok("ID NIL").await, ["* ID (\"name\" \"BatPost\")"]);
    client.ok(&format!("LOGIN {USER} \"{PASSWORD}\"")).await;
    assert_eq!(
        client.ok("ENABLE CONDSTORE X-NONE").await,
        ["* ENABLED CONDSTORE"]
    );
    assert_eq!(client.ok("ENABLE CONDSTORE").await, ["* ENABLED"]);
}

#[tokio::test]
async fn no_password_in_the_clear() {
    let world = World::new().await;
    let mut client = world.connect_from_afar(false).await;
    let capabilities = client.ok("CAPABILITY").await.remove(0);
    assert!(capabilities.contains("LOGINDISABLED"), "{capabilities}");
    assert!(
        !capabilities.contains("AUTH=PLAIN") && !capabilities.contains("STARTTLS"),
        "{capabilities}"
    );
    let answer = client.answer(&format!("LOGIN {USER} \"{PASSWORD}\"")).await;
    assert!(answer.starts_with("NO [PRIVACYREQUIRED]"), "{answer}");
    let text = wire::base64::encode(format!("\0{USER}\0{PASSWORD}").as_bytes());
    assert!(
        !client
            .answer(&format!("AUTHENTICATE PLAIN {text}"))
            .await
            .starts_with("OK")
    );
}

/// Whoever stands between may put commands behind STARTTLS; they must not be taken for the client's.
#[tokio::test]
async fn nothing_is_injected_before_tls() {
    let world = World::new().await;
    let mut client = world.connect_from_afar(true).await;
    assert!(client.ok("CAPABILITY").await[0].contains(" STARTTLS LOGINDISABLED"));
    client
        .send(&format!("a STARTTLS\r\nb LOGIN {USER} \"{PASSWORD}\"\r\n"))
        .await;
    assert!(client.line().await.starts_with("a BAD"));
    assert!(client.line().await.starts_with("* BYE"));
    assert!(client.is_closed().await);
    let mut client = world.connect_from_afar(true).await;
    assert!(client.answer("STARTTLS").await.starts_with("OK"));
}

/// Ten thousand programs that wait for mail must not cost the server its memory.
#[tokio::test]
async fn what_a_session_costs_is_small() {
    const FUTURE_MAX_BYTES: usize = 1280;
    let world = World::new().await;
    let (_client, server) = tokio::io::duplex(1);
    let future = batpost_imap::serve(net::Conn::for_test(server), world.server.clone());
    let size = std::mem::size_of_val(&future);
    assert!(size <= FUTURE_MAX_BYTES, "{size} bytes");
}
