#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::base64::decode;

fn context(nonce: &str) -> Context {
    Context {
        hostname: "postoffice.reston.mci.net".into(),
        nonce: nonce.into(),
        channel_bindings: Vec::new(),
        timestamp: 697_170_952,
        secret: b"secret".to_vec(),
        issuer: None,
    }
}

fn need(user: &str) -> Step {
    Step::NeedVerifiers {
        user: user.into(),
        authzid: None,
    }
}

/// RFC 5802 §5 and RFC 7677 §3.
#[test]
fn scram_of_the_rfcs() {
    let cases = [
        (
            Mechanism::ScramSha1,
            "fyko+d2lbbFgONRv9qkxdawL",
            "3rfcNHYJY1ZVvWVs7j",
            "QSXCR+Q6sek8bf92",
            "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            Mechanism::ScramSha256,
            "rOprNGfwEbeRWgbNEkqO",
            "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ];
    for (mechanism, client, nonce, salt, proof, signature) in cases {
        let verifiers = Verifiers::derive("pencil", &decode(salt.as_bytes()).unwrap());
        let first = format!("n,,n=user,r={client}");
        let answer = |proof: &str, verifiers: Option<&Verifiers>| {
            let mut server = Server::new(mechanism, context(nonce));
            assert_eq!(server.step(Input::Start(Some(first.as_bytes()))), need("user"));
            let challenge = server.step(Input::Verifiers(verifiers));
            let last = format!("c=biws,r={client}{nonce},p={proof}");
            (challenge, server.step(Input::Response(last.as_bytes())))
        };
        let (challenge, end) = answer(proof, Some(&verifiers));
        assert_eq!(
            challenge,
            Step::Challenge(format!("r={client}{nonce},s={salt},i=4096").into_bytes())
        );
        let final_data = Some(format!("v={signature}").into_bytes());
        assert_eq!(
            end,
            Step::Success {
                user: "user".into(),
                final_data: final_data.clone(),
                which: 0,
            }
        );

        // The same password as another one of that user; one with a salt of its own can't be it.
        let own = Verifiers {
            others: vec![Verifiers::derive("pencil", b"another salt"), verifiers.clone()],
            ..Verifiers::derive("own", &decode(salt.as_bytes()).unwrap())
        };
        assert_eq!(
            answer(proof, Some(&own)).1,
            Step::Success {
                user: "user".into(),
                final_data,
                which: 2
            }
        );

        let wrong = proof.replacen(['0', 'Z'], "1", 1);
        assert_eq!(
            answer(&wrong, Some(&verifiers)).1,
            Step::Failure(Reason::Credentials)
        );
        // One who does not exist looks the same each time, and never gets in.
        let (stranger, end) = answer(proof, None);
        assert_eq!(end, Step::Failure(Reason::Credentials));
        assert_eq!(answer(proof, None).0, stranger);
        assert!(matches!(&stranger, Step::Challenge(text) if text.ends_with(b",i=4096")));
        let (without, end) = answer(proof, Some(&Verifiers::default()));
        assert_eq!((without, end), (stranger, Step::Failure(Reason::NoVerifier)));
    }
}

#[test]
fn scram_channel_binding() {
    let verifiers = Verifiers::derive("pencil", b"0123456789abcdef");
    let with_binding = |mechanism| {
        let binding = Some(("tls-exporter".to_owned(), b"DATA".to_vec()));
        Server::new(
            mechanism,
            Context {
                channel_bindings: binding.into_iter().collect(),
                ..context("srv")
            },
        )
    };
    let login = |gs2: &str, data: &[u8]| {
        let mut server = with_binding(Mechanism::ScramSha256Plus);
        let step = server.step(Input::Start(Some(format!("{gs2}n=u=2Cx,r=abc").as_bytes())));
        if matches!(step, Step::Failure(_)) {
            return step;
        }
        let Step::Challenge(first) = server.step(Input::Verifiers(Some(&verifiers))) else {
            panic!()
        };
        let first = String::from_utf8(first).unwrap();
        let binding = crate::base64::encode(&[gs2.as_bytes(), data].concat());
        let bare = format!("c={binding},r=abcsrv");
        let hash = hash::Hash::Sha256;
        let salted = hash.stretch(b"pencil", b"0123456789abcdef", SCRAM_ITERATIONS);
        let key = hash.hmac(&salted, b"Client Key");
        let signed = hash.hmac(
            &hash.digest(&key),
            format!("n=u=2Cx,r=abc,{first},{bare}").as_bytes(),
        );
        let proof: Vec<u8> = key.iter().zip(&signed).map(|(a, b)| a ^ b).collect();
        server.step(Input::Response(
            format!("{bare},p={}", crate::base64::encode(&proof)).as_bytes(),
        ))
    };
    assert!(matches!(login("p=tls-exporter,,", b"DATA"), Step::Success { user, .. } if user == "u,x"));
    assert_eq!(
        login("p=tls-exporter,,", b"OTHER"),
        Step::Failure(Reason::ChannelBinding)
    );
    assert_eq!(
        login("p=tls-unique,,", b"DATA"),
        Step::Failure(Reason::ChannelBinding)
    );
    assert_eq!(login("n,,", b""), Step::Failure(Reason::ChannelBinding));
    // A client that was told of no binding, though there is one: somebody is between.
    let mut server = with_binding(Mechanism::ScramSha256);
    assert_eq!(
        server.step(Input::Start(Some(b"y,,n=u,r=a"))),
        Step::Failure(Reason::ChannelBinding)
    );
}

/// RFC 2195 §2.
#[test]
fn cram_md5_of_the_rfc() {
    let verifiers = Verifiers::derive("tanstaaftanstaaf", b"salt");
    let begin = || {
        let mut server = Server::new(Mechanism::CramMd5, context("1896"));
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>".to_vec();
        assert_eq!(server.step(Input::Start(None)), Step::Challenge(challenge));
        assert_eq!(
            server.step(Input::Response(b"tim b913a602c7eda7a495b4e6e7334d3890")),
            need("tim")
        );
        server
    };
    let success = Step::Success {
        user: "tim".into(),
        final_data: None,
        which: 0,
    };
    assert_eq!(begin().step(Input::Verifiers(Some(&verifiers))), success);
    let second = Verifiers {
        others: vec![verifiers.clone()],
        ..Verifiers::derive("other", b"salt")
    };
    assert!(matches!(
        begin().step(Input::Verifiers(Some(&second))),
        Step::Success { which: 1, .. }
    ));
    assert_eq!(
        begin().step(Input::Verifiers(None)),
        Step::Failure(Reason::Credentials)
    );
    let other = Verifiers::derive("other", b"salt");
    assert_eq!(
        begin().step(Input::Verifiers(Some(&other))),
        Step::Failure(Reason::Credentials)
    );
    let none = Verifiers::default();
    assert_eq!(
        begin().step(Input::Verifiers(Some(&none))),
        Step::Failure(Reason::NoVerifier)
    );

    let mut client = client::Client::new(Mechanism::CramMd5, "tim", "tanstaaftanstaaf", "").unwrap();
    assert_eq!(client.initial(), None);
    let response = client
        .respond(b"<1896.697170952@postoffice.reston.mci.net>")
        .unwrap();
    assert_eq!(response, b"tim b913a602c7eda7a495b4e6e7334d3890");
    // Keys longer than a block are hashed first.
    let long = CramVerifier::derive(&"k".repeat(80)).hmac(b"x").unwrap();
    assert_eq!(long, CramVerifier::derive(&"k".repeat(80)).hmac(b"x").unwrap());
    assert_eq!(
        CramVerifier {
            inner: vec![1],
            outer: vec![]
        }
        .hmac(b"x"),
        None
    );
}

/// RFC 2831 §4.
#[test]
fn digest_md5_of_the_rfc() {
    let secret = hash::md5(&[b"chris:elwood.innosoft.com:secret"]).to_vec();
    let verifiers = Verifiers {
        digest_md5: Some(secret),
        ..Verifiers::default()
    };
    let mut machine = digest_md5::DigestMd5::with_realm(context("OA6MG9tEQGm2hh"), "elwood.innosoft.com");
    assert!(matches!(machine.step(Input::Start(None)), Step::Challenge(_)));
    let response =
        b"charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",\
        nc=00000001,cnonce=\"OA6MHXh6VqTrRk\",digest-uri=\"imap/elwood.innosoft.com\",\
        response=d388dad90d4bbd760a152321f2143af7,qop=auth";
    assert_eq!(machine.step(Input::Response(response)), need("chris"));
    let final_data = Some(b"rspauth=ea40f60335c427b5527b84dbabcdfffd".to_vec());
    let success = Step::Success {
        user: "chris".into(),
        final_data,
        which: 0,
    };
    assert_eq!(machine.step(Input::Verifiers(Some(&verifiers))), success);
    let made = Verifiers::default()
        .with_digest_md5("chris", "secret")
        .digest_md5
        .unwrap();
    assert_eq!(made, hash::md5(&[b"chris:batpost:secret"]));
}

#[test]
fn plain_and_login() {
    let check = |user: &str, password: &str| Step::CheckPassword {
        user: user.into(),
        password: password.into(),
    };
    let success = Step::Success {
        user: "u".into(),
        final_data: None,
        which: 0,
    };

    let mut server = Server::new(Mechanism::Plain, context("n"));
    assert_eq!(server.step(Input::Start(None)), Step::Challenge(vec![]));
    assert_eq!(server.step(Input::Response(b"\0u\0p")), check("u", "p"));
    assert_eq!(server.step(Input::PasswordChecked(true)), success);
    assert_eq!(
        server.step(Input::PasswordChecked(true)),
        Step::Failure(Reason::OutOfOrder)
    );

    let mut server = Server::new(Mechanism::Plain, context("n"));
    assert_eq!(server.step(Input::Start(Some(b"u\0u\0p"))), check("u", "p"));
    assert_eq!(
        server.step(Input::PasswordChecked(false)),
        Step::Failure(Reason::Credentials)
    );

    let bad: &[(&[u8], Reason)] = &[
        (b"", Reason::Syntax),
        (b"u\0p", Reason::Syntax),
        (b"\0u\0p\0", Reason::Syntax),
        (b"\0\0p", Reason::Syntax),
        (b"\0u\0", Reason::Syntax),
        (b"\0u\0\xff", Reason::Syntax),
        (b"admin\0u\0p", Reason::AuthorizationIdentity),
    ];
    for (message, reason) in bad {
        let mut server = Server::new(Mechanism::Plain, context("n"));
        assert_eq!(server.step(Input::Start(Some(message))), Step::Failure(*reason));
    }

    for initial in [false, true] {
        let mut server = Server::new(Mechanism::Login, context("n"));
        if initial {
            assert_eq!(
                server.step(Input::Start(Some(b"u"))),
                Step::Challenge(b"Password:".to_vec())
            );
        } else {
            assert_eq!(
                server.step(Input::Start(None)),
                Step::Challenge(b"Username:".to_vec())
            );
            assert_eq!(
                server.step(Input::Response(b"u")),
                Step::Challenge(b"Password:".to_vec())
            );
        }
        assert_eq!(server.step(Input::Response(b"p")), check("u", "p"));
        assert_eq!(server.step(Input::PasswordChecked(true)), success);
    }

    let mut client = client::Client::new(Mechanism::Plain, "u", "p", "").unwrap();
    assert_eq!(client.initial().unwrap(), b"\0u\0p");
    assert_eq!(client.respond(b""), None);
    assert_eq!(
        client::Client::choose(["LOGIN", "CRAM-MD5"], false),
        Some(Mechanism::CramMd5)
    );
    assert_eq!(
        client::Client::choose(["LOGIN", "CRAM-MD5", "PLAIN"], true),
        Some(Mechanism::CramMd5)
    );
    assert_eq!(
        client::Client::choose(["LOGIN", "PLAIN"], true),
        Some(Mechanism::Plain)
    );
    assert_eq!(client::Client::choose(["PLAIN"], false), None);
}

#[test]
fn external_names_whom_it_acts_for_or_nobody() {
    let begin = || Server::new(Mechanism::External, context("n"));
    let mut server = begin();
    assert_eq!(server.step(Input::Start(None)), Step::Challenge(Vec::new()));
    assert_eq!(
        server.step(Input::Response(b"")),
        Step::CheckExternal { authzid: None }
    );
    assert!(matches!(server.step(Input::Found(Some("u"))), Step::Success { user, .. } if user == "u"));
    // The example of RFC 4422 appendix A.2.
    let mut server = begin();
    let authzid = Some("fred@example.com".to_owned());
    assert_eq!(
        server.step(Input::Start(Some(b"fred@example.com"))),
        Step::CheckExternal { authzid }
    );
    assert_eq!(
        server.step(Input::Found(None)),
        Step::Failure(Reason::Credentials)
    );
    for bad in [b"a\0b".as_slice(), b"\xff"] {
        assert_eq!(
            begin().step(Input::Start(Some(bad))),
            Step::Failure(Reason::Syntax)
        );
    }
}

#[test]
fn mechanisms_have_their_names() {
    for mechanism in Mechanism::ALL {
        assert_eq!(
            Mechanism::from_name(&mechanism.name().to_lowercase()),
            Some(mechanism)
        );
    }
    assert_eq!(Mechanism::from_name("GSSAPI"), None);
}

#[test]
fn verifiers_are_kept_and_read_again() {
    let verifiers = Verifiers::derive("p\u{e4}ss", b"0123456789abcdef")
        .with_digest_md5("u", "p\u{e4}ss")
        .with_ntlm("p\u{e4}ss");
    let text = serde_json::to_string(&verifiers).unwrap();
    assert_eq!(serde_json::from_str::<Verifiers>(&text).unwrap(), verifiers);
    assert_eq!(
        serde_json::from_str::<Verifiers>("{}").unwrap(),
        Verifiers::default()
    );
    assert_eq!(format!("{verifiers:?}"), "Verifiers(…)");
    assert_eq!(saslprep("I\u{ad}X \u{2168}"), "IX IX");
}

proptest! {
    #[test]
    fn nothing_a_client_says_panics_or_logs_in(which in 0..Mechanism::ALL.len(), said in proptest::collection::vec("[npyarc=,\0 \"a-z2CD\u{e9}]{0,30}", 0..5)) {
        let mut server = Server::new(Mechanism::ALL[which], context("nonce"));
        let mut step = server.step(Input::Start(said.first().map(|text| text.as_bytes())));
        for text in said.iter().skip(1) {
            step = match step {
                Step::Challenge(_) => server.step(Input::Response(text.as_bytes())),
                Step::NeedVerifiers { .. } => server.step(Input::Verifiers(None)),
                Step::CheckPassword { .. } => server.step(Input::PasswordChecked(false)),
                Step::CheckExternal { .. } | Step::CheckToken { .. } => server.step(Input::Found(None)),
                end => end,
            };
            let logged_in = matches!(step, Step::Success { .. });
            prop_assert!(!logged_in);
        }
    }
}
