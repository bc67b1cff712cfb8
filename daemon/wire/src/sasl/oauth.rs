//! OAUTHBEARER (RFC 7628) and XOAUTH2, its forerunner: a token of somebody who knows the user.
//!
//! A token that is refused is answered with a challenge that says where a better one may be had; only after the client's answer to that the login has
//! failed (RFC 7628 §3.2.3).

use super::{Input, Machine, Reason, Step};

/// What separates the parts of the message.
const SEPARATOR: char = '\u{1}';
/// Key and value pairs of one message.
const PAIRS_MAX_COUNT: usize = 16;

pub(super) struct OAuth {
    old: bool,
    /// For the error challenge.
    issuer: Option<String>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Begin,
    Asked,
    Checking,
    Refused,
    Done,
}

impl OAuth {
    /// `old`: XOAUTH2. `issuer`: whose tokens are taken, as far as that is told.
    pub(super) fn new(old: bool, issuer: Option<String>) -> Self {
        Self {
            old,
            issuer,
            state: State::Begin,
        }
    }

    fn message(&mut self, message: &[u8]) -> Step {
        let text = std::str::from_utf8(message).ok();
        let parsed = text.and_then(|text| {
            if self.old {
                old_message(text)
            } else {
                new_message(text)
            }
        });
        match parsed {
            Some((user, token)) => {
                self.state = State::Checking;
                Step::CheckToken { user, token }
            }
            None => Step::Failure(Reason::Syntax),
        }
    }

    /// The error as JSON: RFC 7628 §3.2.2; what is known of XOAUTH2 is the same with a number.
    fn error(&self) -> Vec<u8> {
        if self.old {
            return br#"{"status":"401","schemes":"bearer"}"#.to_vec();
        }
        let configuration = self.issuer.as_ref().map(|issuer| {
            let issuer = issuer.trim_end_matches('/');
            let url: String = issuer
                .chars()
                .filter(|c| !matches!(c, '"' | '\\') && !c.is_control())
                .collect();
            format!(r#","openid-configuration":"{url}/.well-known/openid-configuration""#)
        });
        format!(
            r#"{{"status":"invalid_token"{}}}"#,
            configuration.unwrap_or_default()
        )
        .into_bytes()
    }
}

impl Machine for OAuth {
    fn step(&mut self, input: Input<'_>) -> Step {
        let state = std::mem::replace(&mut self.state, State::Done);
        match (input, state) {
            (Input::Start(None), State::Begin) => {
                self.state = State::Asked;
                Step::Challenge(Vec::new())
            }
            (Input::Start(Some(message)), State::Begin) | (Input::Response(message), State::Asked) => {
                self.message(message)
            }
            (Input::Found(Some(user)), State::Checking) => Step::Success {
                user: user.to_owned(),
                final_data: None,
                which: 0,
            },
            (Input::Found(None), State::Checking) => {
                self.state = State::Refused;
                Step::Challenge(self.error())
            }
            // Whatever it says to the error, the login has failed.
            (Input::Response(_), State::Refused) => Step::Failure(Reason::Credentials),
            _ => Step::Failure(Reason::OutOfOrder),
        }
    }
}

/// `n,a=user,` and pairs (RFC 7628 §3.1). There is no channel binding.
fn new_message(text: &str) -> Option<(Option<String>, String)> {
    let (header, pairs) = text.split_once(SEPARATOR)?;
    let mut parts = header.split(',');
    let (flag, authzid, rest) = (parts.next()?, parts.next()?, parts.next()?);
    if !matches!(flag, "n" | "y") || !rest.is_empty() || parts.next().is_some() {
        return None;
    }
    let user = match authzid {
        "" => None,
        name => Some(super::scram::sasl_name(name.strip_prefix("a=")?).ok()?),
    };
    Some((user, bearer(pairs)?))
}

/// `user=` and `auth=` with a separator behind each, and one more.
fn old_message(text: &str) -> Option<(Option<String>, String)> {
    let (user, pairs) = text.split_once(SEPARATOR)?;
    let user = user.strip_prefix("user=")?;
    Some(((!user.is_empty()).then(|| user.to_owned()), bearer(pairs)?))
}

/// The token among the pairs, which end with an empty one.
fn bearer(pairs: &str) -> Option<String> {
    let pairs = pairs.strip_suffix(SEPARATOR)?;
    let mut token = None;
    for (number, pair) in pairs.split(SEPARATOR).filter(|pair| !pair.is_empty()).enumerate() {
        let (key, value) = pair.split_once('=')?;
        if number == PAIRS_MAX_COUNT {
            return None;
        }
        if key == "auth" {
            let (scheme, found) = value.split_once(' ')?;
            // RFC 6750 §2.1: b64token
            let valid = !found.is_empty()
                && found
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
            if !scheme.eq_ignore_ascii_case("bearer") || !valid || token.is_some() {
                return None;
            }
            token = Some(found.to_owned());
        }
    }
    token
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    // RFC 7628 §4.1
    const EXAMPLE: &[u8] = b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01";

    fn check(user: &str, token: &str) -> Step {
        Step::CheckToken {
            user: Some(user.to_owned()),
            token: token.to_owned(),
        }
    }

    #[test]
    fn the_examples_of_the_rfc() {
        let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
        let mut machine = OAuth::new(false, Some("https://id.example/".to_owned()));
        assert_eq!(
            machine.step(Input::Start(Some(EXAMPLE))),
            check("user@example.com", token)
        );
        let Step::Challenge(error) = machine.step(Input::Found(None)) else {
            panic!("no error challenge")
        };
        // §4.3
        assert_eq!(
            String::from_utf8_lossy(&error),
            r#"{"status":"invalid_token","openid-configuration":"https://id.example/.well-known/openid-configuration"}"#
        );
        assert_eq!(
            machine.step(Input::Response(b"\x01")),
            Step::Failure(Reason::Credentials)
        );
        let mut machine = OAuth::new(false, None);
        assert_eq!(machine.step(Input::Start(None)), Step::Challenge(Vec::new()));
        assert_eq!(
            machine.step(Input::Response(EXAMPLE)),
            check("user@example.com", token)
        );
        assert!(matches!(machine.step(Input::Found(Some("u"))), Step::Success { user, .. } if user == "u"));
    }

    #[test]
    fn the_forerunner_is_known_as_well() {
        let mut machine = OAuth::new(true, None);
        let message =
            b"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01";
        assert_eq!(
            machine.step(Input::Start(Some(message))),
            check(
                "someuser@example.com",
                "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
            )
        );
        assert!(
            matches!(machine.step(Input::Found(None)), Step::Challenge(text) if text.starts_with(b"{\"status\":\"401\""))
        );
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for message in [
            "",
            "n,,",
            "n,,\u{1}\u{1}",
            "p=tls-exporter,,\u{1}auth=Bearer x\u{1}\u{1}",
            "n,a=u,\u{1}auth=Basic x\u{1}\u{1}",
            "n,a=u,\u{1}auth=Bearer \u{1}\u{1}",
            "n,a=u,\u{1}auth=Bearer x y\u{1}\u{1}",
            "n,a=u,\u{1}auth=Bearer x",
            "n,a=u,\u{1}auth=Bearer x\u{1}auth=Bearer y\u{1}\u{1}",
            "n,u,\u{1}auth=Bearer x\u{1}\u{1}",
        ] {
            let step = OAuth::new(false, None).step(Input::Start(Some(message.as_bytes())));
            assert_eq!(step, Step::Failure(Reason::Syntax), "{message:?}");
        }
    }
}
