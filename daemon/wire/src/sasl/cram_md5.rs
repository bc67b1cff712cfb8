//! CRAM-MD5 (RFC 2195).

use super::hash::{equal, hex};
use super::{Context, Input, Machine, Reason, Step, Verifiers, text};

pub(super) struct CramMd5 {
    challenge: String,
    sent: bool,
    /// User and the digest that he sent.
    answer: Option<(String, String)>,
}

impl CramMd5 {
    pub(super) fn new(context: &Context) -> Self {
        let Context {
            nonce,
            timestamp,
            hostname,
            ..
        } = context;
        CramMd5 {
            challenge: format!("<{nonce}.{timestamp}@{hostname}>"),
            sent: false,
            answer: None,
        }
    }

    fn response(&mut self, response: &[u8]) -> Step {
        let Some(response) = text(response) else {
            return Step::Failure(Reason::Syntax);
        };
        // The user's name may have spaces in it.
        let Some((user, digest)) = response.rsplit_once(' ').filter(|(user, _)| !user.is_empty()) else {
            return Step::Failure(Reason::Syntax);
        };
        self.answer = Some((user.to_owned(), digest.to_ascii_lowercase()));
        Step::NeedVerifiers {
            user: user.to_owned(),
            authzid: None,
        }
    }

    fn verify(&self, user: String, digest: &str, verifiers: Option<&Verifiers>) -> Step {
        let right = |verifier: &super::CramVerifier| {
            let expected = verifier.hmac(self.challenge.as_bytes());
            expected.is_some_and(|expected| equal(hex(&expected).as_bytes(), digest.as_bytes()))
        };
        let known: Vec<_> = verifiers
            .iter()
            .flat_map(|verifiers| verifiers.each())
            .filter_map(|(which, verifiers)| Some((which, verifiers.cram_md5.as_ref()?)))
            .collect();
        if known.is_empty() {
            // The same work for a user who does not exist.
            let _ = std::hint::black_box(right(&super::CramVerifier::derive("")));
        }
        match known.iter().find(|(_, verifier)| right(verifier)) {
            Some((which, _)) => Step::Success {
                user,
                final_data: None,
                which: *which,
            },
            None if known.is_empty() && verifiers.is_some() => Step::Failure(Reason::NoVerifier),
            None => Step::Failure(Reason::Credentials),
        }
    }
}

impl Machine for CramMd5 {
    fn step(&mut self, input: Input<'_>) -> Step {
        match (input, self.answer.take()) {
            // Only the server begins (RFC 4422 §5): a client that sent something first is out of order.
            (Input::Start(None | Some([])), None) if !self.sent => {
                self.sent = true;
                Step::Challenge(self.challenge.clone().into_bytes())
            }
            (Input::Start(Some(_)), None) => Step::Failure(Reason::Syntax),
            (Input::Response(response), None) if self.sent => self.response(response),
            (Input::Verifiers(verifiers), Some((user, digest))) => self.verify(user, &digest, verifiers),
            _ => Step::Failure(Reason::OutOfOrder),
        }
    }
}
