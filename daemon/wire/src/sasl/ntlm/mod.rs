//! NTLM ([MS-NLMP]) as a SASL mechanism, the server's side, NTLMv2 only.
//!
//! The client says what it can (NEGOTIATE), the server sends eight random octets (CHALLENGE), the client proves with them that it has the NT hash of the
//! password (AUTHENTICATE). A client that sends nothing with the command gets an empty challenge first, as in other mechanisms where the client begins
//! (RFC 4422 §5).
//!
//! What it is worth: whoever listens can try passwords at great speed, for the proof is a few MD5 over an unsalted MD4; and whoever has the hash needs no
//! password. Nothing says which server a proof is meant for: somebody in the middle can pass challenge and proof on. LM and NTLMv1 are worth less yet:
//! their answers are refused whatever they are, the LM field is not even read. Where the client says that it has signed the three messages (the MIC) the
//! signature is checked. Signing and sealing of what follows, which no mail protocol has room for, and binding to the TLS connection are not spoken; the
//! flags of the former are only said back because the key of the MIC depends on them, and because some clients insist.

mod message;
mod response;
#[cfg(test)]
mod tests;

use super::hash::{equal, md5};
use super::{Context, Input, Machine, Reason, Step, Verifiers};
use message::{Authenticate, CHALLENGE_BYTES, Challenge};

pub(super) use response::nt_hash;

/// What stands in for the hash of a user who does not exist.
const NOBODY: [u8; 16] = [0; 16];

pub(super) struct Ntlm {
    challenge: Challenge,
    state: State,
}

enum State {
    Begin,
    /// The client may say what it can.
    Asked,
    Challenged(Exchange),
    Verifying(Exchange, Answer),
    Done,
}

/// The first two messages as they were sent: the MIC is of their octets. At most [`super::RESPONSE_MAX_BYTES`] are the client's.
struct Exchange {
    negotiate: Vec<u8>,
    challenge: Vec<u8>,
    unicode: bool,
}

/// The third.
struct Answer {
    user: String,
    parsed: Authenticate,
    message: Vec<u8>,
}

impl Ntlm {
    pub(super) fn new(context: &Context) -> Self {
        // The nonce is random and never shown here: any eight octets of its hash are random as well.
        let random = md5(&[b"NTLM challenge\0", context.nonce.as_bytes()]);
        let mut octets = [0; CHALLENGE_BYTES];
        octets
            .iter_mut()
            .zip(random)
            .for_each(|(octet, random)| *octet = random);
        Ntlm {
            challenge: Challenge {
                octets,
                hostname: context.hostname.clone(),
                timestamp: context.timestamp,
            },
            state: State::Begin,
        }
    }

    fn negotiate(&mut self, negotiate: &[u8]) -> Step {
        let Some(wanted) = message::negotiate(negotiate) else {
            return Step::Failure(Reason::Syntax);
        };
        let challenge = self.challenge.write(wanted);
        self.state = State::Challenged(Exchange {
            negotiate: negotiate.to_vec(),
            challenge: challenge.clone(),
            unicode: wanted & message::UNICODE != 0,
        });
        Step::Challenge(challenge)
    }

    fn authenticate(&mut self, exchange: Exchange, message: &[u8]) -> Step {
        let Some(parsed) = Authenticate::parse(message, exchange.unicode) else {
            return Step::Failure(Reason::Syntax);
        };
        // Without a user it is an anonymous login ([MS-NLMP] §3.2.5.1.2), which nobody may have.
        if parsed.user.is_empty() {
            return Step::Failure(Reason::Credentials);
        }
        // A whole address says itself which domain is meant; what the client puts beside it is often its own machine.
        let user = if parsed.domain.is_empty() || parsed.user.contains('@') {
            parsed.user.clone()
        } else {
            format!("{}\\{}", parsed.domain, parsed.user)
        };
        let answer = Answer {
            user: user.clone(),
            parsed,
            message: message.to_vec(),
        };
        self.state = State::Verifying(exchange, answer);
        Step::NeedVerifiers { user, authzid: None }
    }

    fn verify(&self, exchange: &Exchange, answer: Answer, verifiers: Option<&Verifiers>) -> Step {
        let Some((proof, temp)) = answer.parsed.proof() else {
            return Step::Failure(Reason::TooOld);
        };
        let key_of = |hash: &[u8]| response::ntowf_v2(hash, &answer.parsed.user, &answer.parsed.domain);
        let right = |key: &[u8]| equal(&response::proof(key, &self.challenge.octets, temp), proof);
        let known: Vec<_> = verifiers
            .iter()
            .flat_map(|verifiers| verifiers.each())
            .filter_map(|(which, verifiers)| Some((which, verifiers.ntlm.as_deref()?)))
            .collect();
        if known.is_empty() {
            // The same work for a user who does not exist.
            let _ = std::hint::black_box(right(&key_of(&NOBODY)));
        }
        let keys = known.iter().map(|(which, hash)| (*which, key_of(hash)));
        let Some((which, key)) = keys.into_iter().find(|(_, key)| right(key)) else {
            let without = known.is_empty() && verifiers.is_some();
            return Step::Failure(if without {
                Reason::NoVerifier
            } else {
                Reason::Credentials
            });
        };
        if response::says_mic(temp) && !answer.is_whole(exchange, &key, proof) {
            return Step::Failure(Reason::Changed);
        }
        Step::Success {
            user: answer.user,
            final_data: None,
            which,
        }
    }
}

impl Answer {
    /// Whether the MIC is that of the three messages, its own place zero ([MS-NLMP] §3.2.5.1.2).
    fn is_whole(&self, exchange: &Exchange, key: &[u8], proof: &[u8]) -> bool {
        let Some((before, mic, after)) = message::around_mic(&self.message) else {
            return false;
        };
        let session_key = response::session_key(key, proof, self.parsed.session_key.as_deref());
        let zero = [0; message::MIC_BYTES];
        let parts = [&exchange.negotiate[..], &exchange.challenge, before, &zero, after];
        equal(&super::hash::hmac_md5(&session_key, &parts), mic)
    }
}

impl Machine for Ntlm {
    fn step(&mut self, input: Input<'_>) -> Step {
        match (input, std::mem::replace(&mut self.state, State::Done)) {
            (Input::Start(None), State::Begin) => {
                self.state = State::Asked;
                Step::Challenge(Vec::new())
            }
            (Input::Start(Some(message)), State::Begin) | (Input::Response(message), State::Asked) => {
                self.negotiate(message)
            }
            (Input::Response(message), State::Challenged(exchange)) => self.authenticate(exchange, message),
            (Input::Verifiers(verifiers), State::Verifying(exchange, answer)) => {
                self.verify(&exchange, answer, verifiers)
            }
            _ => Step::Failure(Reason::OutOfOrder),
        }
    }
}
