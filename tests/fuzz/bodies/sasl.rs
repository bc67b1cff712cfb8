//! Logins: whatever a client answers, nobody gets in without a proof, and nothing panics.

use std::sync::OnceLock;

use wire::sasl::{Context, Input, Mechanism, Server, Step, Verifiers};

/// More than any mechanism has.
const STEPS_MAX_COUNT: usize = 16;

fn verifiers() -> &'static Verifiers {
    static VERIFIERS: OnceLock<Verifiers> = OnceLock::new();
    VERIFIERS.get_or_init(|| Verifiers::derive_with("secret", b"salt of the fuzzer", 1).with_ntlm("secret"))
}

pub fn run(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    // Two bits are choices of their own, below.
    let mechanism = Mechanism::ALL[usize::from(choice & 0x3f) % Mechanism::ALL.len()];
    let mut server = Server::new(
        mechanism,
        Context {
            hostname: "mail.example.test".to_owned(),
            nonce: "fyko+d2lbbFgONRv9qkxdawL".to_owned(),
            channel_bindings: vec![("tls-exporter".to_owned(), vec![7; 32])],
            timestamp: 1_700_000_000,
            secret: vec![1; 32],
            issuer: Some("https://id.example.test/".to_owned()),
        },
    );
    let known = choice & 0x80 != 0;
    let mut answers = rest.split(|byte| *byte == 0xff);
    let initial = if choice & 0x40 == 0 { None } else { answers.next() };
    let mut step = server.step(Input::Start(initial));
    for _ in 0..STEPS_MAX_COUNT {
        step = match step {
            Step::Challenge(_) => match answers.next() {
                Some(answer) => server.step(Input::Response(answer)),
                None => return,
            },
            Step::NeedVerifiers { .. } => server.step(Input::Verifiers(known.then(verifiers))),
            Step::CheckPassword { .. } => server.step(Input::PasswordChecked(false)),
            Step::CheckExternal { .. } | Step::CheckToken { .. } => server.step(Input::Found(None)),
            Step::Success { .. } => {
                assert!(
                    known && !mechanism.is_plaintext(),
                    "{mechanism:?} let somebody in"
                );
                return;
            }
            Step::Failure(_) => {
                assert!(matches!(server.step(Input::Start(None)), Step::Failure(_)));
                return;
            }
        };
    }
    panic!("{mechanism:?} has no end");
}
