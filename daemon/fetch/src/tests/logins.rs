//! Who gets to see the password: servers that prove themselves, those that don't, and whoever speaks in between.

use parking_lot::Mutex;
use shared::external::ExternalSecurity;
use wire::base64;
use wire::sasl::{Context, Input, Mechanism, Server, Step, Verifiers};

use super::fake::{Act, Fake, Model, of_command, usual};
use super::{House, PASSWORD, certificate};

/// How a server that offers SCRAM-SHA-256 and PLAIN goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Right,
    WrongSignature,
    /// It believes everybody.
    NoSignature,
    Refuses,
    /// Its challenge answers somebody else.
    OtherNonce,
    /// It names SCRAM and does not know it.
    Unable,
}

/// A login at work: the command's tag, and what is left to do.
struct Talk {
    tag: String,
    server: Option<Server>,
    is_over: bool,
}

fn scram(imap: bool, manner: Manner) -> impl Fn(&mut Model, &str) -> Act + Send + Sync {
    let talk: Mutex<Option<Talk>> = Mutex::default();
    move |_, line| {
        let mut talk = talk.lock();
        if let Some(mut going) = talk.take() {
            let said = going.answer(line, manner);
            let said = match said {
                Ok(Some(challenge)) => {
                    *talk = Some(going);
                    format!("+ {}\r\n", base64::encode(&challenge))
                }
                Ok(None) => end(imap, &going.tag, true),
                Err(()) => end(imap, &going.tag, false),
            };
            return Act::Say(said.into_bytes());
        }
        let (tag, command) = of_command(imap, line);
        let mechanism = match command {
            "CAPABILITY" => {
                let known = "IMAP4rev1 AUTH=SCRAM-SHA-256 AUTH=PLAIN";
                return Act::Say(format!("* CAPABILITY {known}\r\n{tag} OK\r\n").into_bytes());
            }
            "CAPA" => return Act::Say(b"+OK\r\nUIDL\r\nSASL SCRAM-SHA-256 PLAIN\r\n.\r\n".to_vec()),
            "AUTHENTICATE SCRAM-SHA-256" | "AUTH SCRAM-SHA-256" => Mechanism::ScramSha256,
            "AUTHENTICATE PLAIN" | "AUTH PLAIN" => Mechanism::Plain,
            _ => return Act::Usual,
        };
        let hidden = mechanism == Mechanism::ScramSha256;
        if hidden && manner == Manner::Unable {
            return Act::Say(end(imap, tag, false).into_bytes());
        }
        *talk = Some(Talk {
            tag: tag.to_owned(),
            server: hidden.then(server),
            is_over: false,
        });
        Act::Say(b"+ \r\n".to_vec())
    }
}

impl Talk {
    /// A challenge, the end, or a refusal.
    fn answer(&mut self, line: &str, manner: Manner) -> Result<Option<Vec<u8>>, ()> {
        let response = base64::decode(line.as_bytes()).ok_or(())?;
        if self.is_over {
            return Ok(None);
        }
        let Some(server) = &mut self.server else {
            let right = response == format!("\0ann\0{PASSWORD}").into_bytes();
            return if right { Ok(None) } else { Err(()) };
        };
        let mut step = server.step(Input::Response(&response));
        if let Step::NeedVerifiers { .. } = step {
            let known = Verifiers::derive_with(PASSWORD, b"salt", 4096);
            step = server.step(Input::Verifiers(Some(&known)));
        }
        match step {
            Step::Challenge(_) if manner == Manner::OtherNonce => {
                Ok(Some(b"r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".to_vec()))
            }
            Step::Challenge(challenge) => Ok(Some(challenge)),
            Step::Success { final_data, .. } => {
                self.is_over = true;
                match manner {
                    Manner::WrongSignature => Ok(Some(b"v=AAAA".to_vec())),
                    Manner::NoSignature => Ok(None),
                    Manner::Refuses => Err(()),
                    _ => Ok(final_data),
                }
            }
            _ => Err(()),
        }
    }
}

fn server() -> Server {
    let context = Context {
        hostname: "fake.test".to_owned(),
        nonce: "fyko+d2lbbFgONRv9qkxdawL".to_owned(),
        channel_bindings: Vec::new(),
        timestamp: 1_700_000_000,
        secret: vec![1; 32],
        issuer: None,
    };
    let mut server = Server::new(Mechanism::ScramSha256, context);
    assert!(matches!(server.step(Input::Start(None)), Step::Challenge(_)));
    server
}

fn end(imap: bool, tag: &str, good: bool) -> String {
    match (imap, good) {
        (true, true) => format!("{tag} OK in\r\n"),
        (true, false) => format!("{tag} NO [AUTHENTICATIONFAILED] no\r\n"),
        (false, true) => "+OK in\r\n".to_owned(),
        (false, false) => "-ERR [AUTH] no\r\n".to_owned(),
    }
}

// Whoever stands in for the server would be handed the password after its proof has failed.
#[tokio::test]
async fn a_server_that_fails_its_proof_gets_no_password() {
    for imap in [false, true] {
        for (manner, expected, plain) in [
            (Manner::Right, "fine", 0),
            (Manner::WrongSignature, "external-login-refused", 0),
            (Manner::NoSignature, "external-login-refused", 0),
            (Manner::Refuses, "external-login-refused", 0),
            (Manner::OtherNonce, "external-login-refused", 0),
            (Manner::Unable, "fine", 1),
        ] {
            let fake = Fake::start(imap, None, false, scram(imap, manner)).await;
            fake.put("one");
            let house = House::at(&fake).await;
            assert_eq!(house.problem().await, expected, "{manner:?} {imap}");
            let shown = ["AUTH PLAIN", "AUTHENTICATE PLAIN", "LOGIN", "PASS"].map(|verb| fake.count(verb));
            assert_eq!(shown.iter().sum::<usize>(), plain, "{manner:?} {imap}");
            assert_eq!(house.taken().await.len(), usize::from(expected == "fine"));
        }
    }
}

// What stands behind the answer to STARTTLS was said by whoever is in between, and would be taken for the server's.
#[tokio::test]
async fn plaintext_before_the_handshake_is_refused() {
    for imap in [false, true] {
        let (tls, fingerprint, _dir) = certificate();
        let fake = Fake::start(imap, Some(tls), false, move |_, line| {
            match of_command(imap, line) {
                (tag, "STARTTLS") => Act::Say(format!("{tag} OK\r\n* OK injected\r\n").into_bytes()),
                (_, "STLS") => Act::Say(b"+OK\r\n+OK injected\r\n".to_vec()),
                _ => Act::Usual,
            }
        })
        .await;
        let house = House::at(&fake).await;
        house
            .change(|account| {
                account.security = ExternalSecurity::StartTls;
                account.certificate = fingerprint;
            })
            .await;
        assert_eq!(house.problem().await, "external-tls", "{imap}");
        assert_eq!(fake.count("PASS") + fake.count("LOGIN"), 0);
    }
}

// RFC 9051 §7.1.4: who is known already logs in no more; and there is no TLS to be had after that, whatever is asked for.
#[tokio::test]
async fn a_server_that_is_sure_already_is_asked_for_mail_at_once() {
    for (security, expected) in [
        (ExternalSecurity::None, "fine"),
        (ExternalSecurity::StartTls, "external-no-tls"),
    ] {
        let fake = Fake::imap(|_, line| match line {
            "" => Act::Say(b"* PREAUTH you are ann\r\n".to_vec()),
            _ => Act::Usual,
        })
        .await;
        fake.put("one");
        let house = House::at(&fake).await;
        house.change(|account| account.security = security).await;
        assert_eq!(house.problem().await, expected);
        assert_eq!(fake.count("LOGIN"), 0);
        assert_eq!(house.taken().await.len(), usize::from(expected == "fine"));
    }
}

#[tokio::test]
async fn an_ordinary_server_lets_in_with_name_and_password() {
    for imap in [false, true] {
        let fake = Fake::start(imap, None, false, usual).await;
        let house = House::at(&fake).await;
        assert_eq!(house.problem().await, "fine");
        assert_eq!(fake.count("PASS") + fake.count("LOGIN"), 1);
    }
}
