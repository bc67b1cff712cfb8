#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::super::{Mechanism, Server};
use super::*;
use crate::sasl::hash::{hex, hmac_md5};

const PASSWORD: &str = "Password";
/// [MS-NLMP] §4.2.1 and §4.2.4.
const SERVER_CHALLENGE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
const TEMP: &str = "01010000000000000000000000000000aaaaaaaaaaaaaaaa0000000002000c0044006f006d00610069006e00\
                    01000c005300650072007600650072000000000000000000";
/// The AUTHENTICATE of §4.2.4.3.
const AUTHENTICATE: &str = "4e544c4d5353500003000000180018006c00000054005400840000000c000c0048000000080008005400000010001000\
     5c00000010001000d8000000358288e20501280a0000000f44006f006d00610069006e00550073006500720043004f004d0050005500540045005200\
     86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa68cd0ab851e51c96aabc927bebef6a1c01010000000000000000000000000000\
     aaaaaaaaaaaaaaaa0000000002000c0044006f006d00610069006e0001000c005300650072007600650072000000000000000000\
     c5dad2544fc9799094ce1ce90bc9d03e";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|c| c as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn context() -> Context {
    Context {
        hostname: "mail.example.test".into(),
        nonce: "fyko+d2lbbFgONRv9qkxdawL".into(),
        channel_bindings: Vec::new(),
        timestamp: 1_055_844_000,
        secret: b"secret".to_vec(),
        issuer: None,
    }
}

fn negotiate(flags: u32) -> Vec<u8> {
    [b"NTLMSSP\0\x01\0\0\0".as_slice(), &flags.to_le_bytes(), &[0; 16]].concat()
}

/// What a client does with a challenge.
struct Client {
    user: &'static str,
    domain: &'static str,
    password: &'static str,
    unicode: bool,
    /// With a MIC over a session key of the client's own (`Some(true)`), over the common one, or without.
    mic: Option<bool>,
}

const ANN: Client = Client {
    user: "ann@example.test",
    domain: "",
    password: PASSWORD,
    unicode: true,
    mic: None,
};

impl Client {
    fn answer(&self, negotiate: &[u8], challenge: &[u8]) -> Vec<u8> {
        let text = |text: &str| {
            if self.unicode {
                message::utf16(text)
            } else {
                text.as_bytes().to_vec()
            }
        };
        let at = |place: usize| usize::from(u16::from_le_bytes([challenge[place], challenge[place + 1]]));
        let info = &challenge[at(44)..at(44) + at(40)];
        let mut temp = [&[1, 1, 0, 0, 0, 0, 0, 0][..], &[9; 8], &[7; 8], &[0; 4]].concat();
        if self.mic.is_some() {
            temp.extend([6, 0, 4, 0, 2, 0, 0, 0]);
        }
        temp.extend(info);
        temp.extend([0; 4]);
        let key = response::ntowf_v2(&nt_hash(self.password), self.user, self.domain);
        let proof = response::proof(&key, &challenge[24..32], &temp);
        let (exported, sent) = match self.mic {
            // RC4 undoes itself.
            Some(true) => (vec![5; 16], response::session_key(&key, &proof, Some(&[5; 16]))),
            _ => (response::session_key(&key, &proof, None), Vec::new()),
        };
        let fields = [
            vec![0; 24],
            [proof, temp].concat(),
            text(self.domain),
            text(self.user),
            text("PC"),
            sent,
        ];
        let mut out = b"NTLMSSP\0\x03\0\0\0".to_vec();
        let mut offset = 88_u32;
        for field in &fields {
            let len = (field.len() as u16).to_le_bytes();
            out.extend([len, len].concat());
            out.extend(offset.to_le_bytes());
            offset += field.len() as u32;
        }
        out.extend(u32::to_le_bytes(if self.mic == Some(true) {
            0x4000_0010
        } else {
            0
        }));
        out.extend([0; 24]);
        out.extend(fields.concat());
        if self.mic.is_some() {
            let mic = hmac_md5(&exported, &[negotiate, challenge, &out]);
            out[72..88].copy_from_slice(&mic);
        }
        out
    }

    /// A whole login; `spoil` may change what the client sends.
    fn login(&self, verifiers: Option<&Verifiers>, spoil: impl Fn(&mut Vec<u8>)) -> Step {
        let negotiate = negotiate(if self.unicode { 0x6208_8217 } else { 0x0008_8206 });
        let mut server = Server::new(Mechanism::Ntlm, context());
        let Step::Challenge(challenge) = server.step(Input::Start(Some(&negotiate))) else {
            panic!("no challenge")
        };
        let mut answer = self.answer(&negotiate, &challenge);
        spoil(&mut answer);
        match server.step(Input::Response(&answer)) {
            Step::NeedVerifiers { .. } => server.step(Input::Verifiers(verifiers)),
            end => end,
        }
    }
}

fn known() -> Verifiers {
    Verifiers::default().with_ntlm(PASSWORD)
}

fn success(user: &str, which: usize) -> Step {
    Step::Success {
        user: user.into(),
        final_data: None,
        which,
    }
}

// [MS-NLMP] §4.2.4.1 and §4.2.4.2: a proof made elsewhere must be right here.
#[test]
fn the_examples_of_the_specification() {
    let key = response::ntowf_v2(&nt_hash(PASSWORD), "User", "Domain");
    assert_eq!(hex(&key), "0c868a403bfd7a93a3001ef22ef02e3f");
    let proof = response::proof(&key, &SERVER_CHALLENGE, &bytes(TEMP));
    assert_eq!(hex(&proof), "68cd0ab851e51c96aabc927bebef6a1c");
    assert_eq!(
        hex(&response::session_key(&key, &proof, None)),
        "8de40ccadbc14a82f15cb0ad0de95ca3"
    );
    let parsed = Authenticate::parse(&bytes(AUTHENTICATE), true).unwrap();
    assert_eq!((parsed.user.as_str(), parsed.domain.as_str()), ("User", "Domain"));
    assert_eq!(parsed.proof().unwrap(), (&proof[..], &bytes(TEMP)[..]));
    let sent = parsed.session_key.as_deref();
    assert_eq!(response::session_key(&key, &proof, sent), [0x55; 16]);
    assert!(!response::says_mic(&bytes(TEMP)));
}

#[test]
fn the_challenge_says_who_asks_and_when() {
    let challenge = Challenge {
        octets: SERVER_CHALLENGE,
        hostname: "mail.example.test".to_owned(),
        timestamp: 1_055_844_000,
    };
    // Unicode, target, NTLM, extended session security, version.
    let said = challenge.write(0x0208_0205);
    let expected = "4e544c4d53535000 02000000 0800080038000000 05028a02 0123456789abcdef 0000000000000000 \
         7400740040000000 060100000000000f 4d00410049004c00 \
         02000800 4d00410049004c00 01000800 4d00410049004c00 \
         04002200 6d00610069006c002e006500780061006d0070006c0065002e007400650073007400 \
         03002200 6d00610069006c002e006500780061006d0070006c0065002e007400650073007400 \
         07000800 0090d336b734c301 00000000";
    assert_eq!(hex(&said), expected.replace(' ', ""));
    // A client of single octets is told none of what it does not know.
    let said = challenge.write(0x0000_0206);
    assert_eq!(hex(&said[12..24]), "040004003800000006028200");
    assert_eq!(&said[56..60], b"MAIL");
}

#[test]
fn a_password_opens_the_door_however_the_name_is_written() {
    let known = known();
    for (user, domain, want) in [
        ("ann@example.test", "", "ann@example.test"),
        ("Ann@Example.test", "MAIL", "Ann@Example.test"),
        ("ann", "example.test", "example.test\\ann"),
        ("ann", "EXAMPLE", "EXAMPLE\\ann"),
        ("ann", "", "ann"),
    ] {
        for unicode in [true, false] {
            let client = Client {
                user,
                domain,
                unicode,
                ..ANN
            };
            assert_eq!(client.login(Some(&known), |_| {}), success(want, 0), "{user}");
        }
    }
    let client = Client {
        user: "анна@пример.test",
        domain: "Пример",
        ..ANN
    };
    assert_eq!(client.login(Some(&known), |_| {}), success("анна@пример.test", 0));
    // The same name in capitals: the proof holds for both.
    assert_eq!(
        response::ntowf_v2(&[1; 16], "анна", "d"),
        response::ntowf_v2(&[1; 16], "АННА", "d")
    );
    assert_ne!(
        response::ntowf_v2(&[1; 16], "a", "d"),
        response::ntowf_v2(&[1; 16], "a", "D")
    );
}

#[test]
fn an_app_password_is_told_from_the_user_s_own() {
    let others = vec![Verifiers::default(), known()];
    let verifiers = Verifiers {
        others,
        ..Verifiers::default().with_ntlm("own")
    };
    assert_eq!(ANN.login(Some(&verifiers), |_| {}), success(ANN.user, 2));
}

#[test]
fn nobody_gets_in_without_the_password() {
    let wrong = Client {
        password: "password",
        ..ANN
    };
    let failure = |reason| Step::Failure(reason);
    let known = known();
    assert_eq!(wrong.login(Some(&known), |_| {}), failure(Reason::Credentials));
    assert_eq!(ANN.login(None, |_| {}), failure(Reason::Credentials));
    let none = Verifiers::default();
    assert_eq!(ANN.login(Some(&none), |_| {}), failure(Reason::NoVerifier));
    let anonymous = Client { user: "", ..ANN };
    assert_eq!(
        anonymous.login(Some(&known), |_| {}),
        failure(Reason::Credentials)
    );
    // The hash that stands in for nobody's is nobody's way in.
    let empty = Client { password: "", ..ANN };
    assert_eq!(empty.login(None, |_| {}), failure(Reason::Credentials));
    // A changed octet of the proof, of what it is of, and of what is not proved.
    assert_eq!(
        ANN.login(Some(&known), |sent| sent[112] ^= 1),
        failure(Reason::Credentials)
    );
    assert_eq!(
        ANN.login(Some(&known), |sent| sent[150] ^= 1),
        failure(Reason::Credentials)
    );
    assert_eq!(
        ANN.login(Some(&known), |sent| sent[90] ^= 1),
        success(ANN.user, 0)
    );
}

// LM and NTLMv1 answers are 24 octets: a password that is cracked in minutes must not be a way in.
#[test]
fn answers_older_than_ntlm_v2_are_refused() {
    for nt_bytes in [0_u8, 24, 43] {
        let shorten = |sent: &mut Vec<u8>| {
            sent[20] = nt_bytes;
            sent[21] = 0;
        };
        assert_eq!(
            ANN.login(Some(&known()), shorten),
            Step::Failure(Reason::TooOld),
            "{nt_bytes}"
        );
    }
    let other_version = |sent: &mut Vec<u8>| sent[88 + 24 + 16] = 2;
    assert_eq!(
        ANN.login(Some(&known()), other_version),
        Step::Failure(Reason::TooOld)
    );
}

#[test]
fn a_mic_is_checked_where_the_client_says_that_there_is_one() {
    for own_key in [true, false] {
        let client = Client {
            mic: Some(own_key),
            ..ANN
        };
        assert_eq!(client.login(Some(&known()), |_| {}), success(ANN.user, 0));
        // The signature itself, and the version, which only the signature covers.
        for place in [72, 87, 65] {
            assert_eq!(
                client.login(Some(&known()), |sent| sent[place] ^= 1),
                Step::Failure(Reason::Changed),
                "{place}"
            );
        }
    }
}

#[test]
fn the_client_begins_with_or_without_the_command() {
    let mut server = Server::new(Mechanism::Ntlm, context());
    assert_eq!(server.step(Input::Start(None)), Step::Challenge(Vec::new()));
    assert!(matches!(
        server.step(Input::Response(&negotiate(1))),
        Step::Challenge(_)
    ));
    let mut other = context();
    other.nonce.push('x');
    let challenge = |context| Ntlm::new(&context).challenge.octets;
    assert_ne!(challenge(context()), challenge(other));
    let unknown_names = negotiate(0x0000_0200);
    let outside = [&negotiate(0x1001)[..16], &[9, 0, 9, 0, 0, 1, 0, 0]].concat();
    for bad in [
        &b""[..],
        b"NTLMSSP\0",
        &negotiate(1)[..15],
        &unknown_names,
        &outside,
    ] {
        let mut server = Server::new(Mechanism::Ntlm, context());
        assert_eq!(
            server.step(Input::Start(Some(bad))),
            Step::Failure(Reason::Syntax)
        );
    }
}

#[test]
fn fields_outside_of_the_message_make_it_malformed() {
    for field in [12, 20, 28, 36, 44] {
        for (place, value) in [(field + 7, 0xff), (field + 5, 0xff), (field + 1, 0xff)] {
            let spoil = |sent: &mut Vec<u8>| {
                sent[field] |= 1;
                sent[place] = value;
            };
            assert_eq!(
                ANN.login(Some(&known()), spoil),
                Step::Failure(Reason::Syntax),
                "{field} {place}"
            );
        }
    }
    // A half letter, and a letter that no code page is agreed on for.
    assert_eq!(
        ANN.login(Some(&known()), |sent| sent[36] -= 1),
        Step::Failure(Reason::Syntax)
    );
    let client = Client {
        user: "анна",
        unicode: false,
        ..ANN
    };
    assert_eq!(
        client.login(Some(&known()), |_| {}),
        Step::Failure(Reason::Syntax)
    );
}

proptest! {
    #[test]
    fn no_octets_panic_or_log_in(at in 0_usize..260, octets in proptest::collection::vec(any::<u8>(), 1..40), cut in 0_usize..260, mic in any::<bool>()) {
        let client = Client { mic: mic.then_some(true), password: "wrong", ..ANN };
        let spoil = |sent: &mut Vec<u8>| {
            for (place, octet) in sent.iter_mut().skip(at).zip(&octets) {
                *place = *octet;
            }
            sent.truncate(sent.len().saturating_sub(cut / 8));
        };
        let end = client.login(Some(&known()), spoil);
        prop_assert!(matches!(end, Step::Failure(_)));
        let _ = message::negotiate(&octets);
        let _ = Authenticate::parse(&octets, mic);
        let _ = message::av_pair(&octets, AV_ANY);
        let mut server = Server::new(Mechanism::Ntlm, context());
        server.step(Input::Start(Some(&negotiate(1))));
        prop_assert!(matches!(server.step(Input::Response(&octets)), Step::Failure(_)));
    }
}

/// A kind of pair that nobody has.
const AV_ANY: u16 = 0xfffe;
