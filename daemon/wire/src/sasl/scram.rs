//! SCRAM (RFC 5802, RFC 7677) with and without channel binding.

use super::hash::{Hash, equal};
use super::{Context, Input, Machine, Reason, SCRAM_ITERATIONS, ScramVerifier, Step, Verifiers, saslprep};
use crate::base64;

pub(super) struct Scram {
    hash: Hash,
    plus: bool,
    context: Context,
    state: State,
}

enum State {
    Begin,
    /// The empty challenge was sent.
    Asked,
    WaitVerifiers(First),
    WaitFinal(Box<Exchange>),
    Done,
}

/// The client-first-message.
struct First {
    user: String,
    /// With its final comma.
    gs2_header: Vec<u8>,
    bare: String,
    nonce: String,
}

struct Exchange {
    first: First,
    /// Those of the user's passwords that have the salt of the challenge, numbered as [`Verifiers::each`] does.
    candidates: Vec<(usize, ScramVerifier)>,
    /// Why this cannot succeed, whatever the proof.
    hopeless: Option<Reason>,
    nonce: String,
    server_first: String,
}

impl Scram {
    pub(super) fn new(hash: Hash, plus: bool, context: Context) -> Self {
        Scram {
            hash,
            plus,
            context,
            state: State::Begin,
        }
    }

    /// RFC 5802 §7, client-first-message.
    fn first(&mut self, message: &[u8]) -> Result<Step, Reason> {
        let message = std::str::from_utf8(message).map_err(|_| Reason::Syntax)?;
        let mut parts = message.splitn(3, ',');
        let (flag, authzid, bare) = (
            parts.next().ok_or(Reason::Syntax)?,
            parts.next().ok_or(Reason::Syntax)?,
            parts.next().ok_or(Reason::Syntax)?,
        );
        self.check_flag(flag)?;
        let authzid = match authzid {
            "" => None,
            name => Some(sasl_name(name.strip_prefix("a=").ok_or(Reason::Syntax)?)?),
        };
        let mut fields = bare.split(',');
        // A mandatory extension (`m=`) would stand first; none is known.
        let user = fields
            .next()
            .and_then(|field| field.strip_prefix("n="))
            .ok_or(Reason::Syntax)?;
        let user = saslprep(&sasl_name(user)?);
        let nonce = fields
            .next()
            .and_then(|field| field.strip_prefix("r="))
            .ok_or(Reason::Syntax)?;
        if nonce.is_empty() || user.is_empty() || !nonce.bytes().all(|b| (33..=126).contains(&b)) {
            return Err(Reason::Syntax);
        }
        let gs2_header = message.as_bytes()[..message.len() - bare.len()].to_vec();
        let (bare, nonce) = (bare.to_owned(), nonce.to_owned());
        self.state = State::WaitVerifiers(First {
            user: user.clone(),
            gs2_header,
            bare,
            nonce,
        });
        Ok(Step::NeedVerifiers { user, authzid })
    }

    /// The data of the binding that the client has chosen among ours.
    fn binding(&self, name: &str) -> Option<&[u8]> {
        let mut ours = self.context.channel_bindings.iter();
        ours.find(|(known, _)| known == name)
            .map(|(_, data)| data.as_slice())
    }

    /// The channel binding flag, RFC 5802 §6.
    fn check_flag(&self, flag: &str) -> Result<(), Reason> {
        let bound = flag.strip_prefix("p=");
        match (self.plus, bound, flag) {
            (true, Some(name), _) => self.binding(name).map(drop).ok_or(Reason::ChannelBinding),
            (false, None, "n") => Ok(()),
            // The client thinks that we offer no binding. If we do, somebody between has cut it out.
            (false, None, "y") if self.context.channel_bindings.is_empty() => Ok(()),
            (_, _, "n" | "y") | (false, Some(_), _) => Err(Reason::ChannelBinding),
            _ => Err(Reason::Syntax),
        }
    }

    fn challenge(&mut self, first: First, verifiers: Option<&Verifiers>) -> Step {
        let mut candidates: Vec<(usize, ScramVerifier)> = verifiers
            .iter()
            .flat_map(|verifiers| verifiers.each())
            .filter_map(|(which, verifiers)| {
                let verifier = match self.hash {
                    Hash::Sha1 => verifiers.scram_sha1.as_ref(),
                    Hash::Sha256 => verifiers.scram_sha256.as_ref(),
                };
                Some((which, verifier?.clone()))
            })
            .collect();
        let hopeless = match verifiers {
            Some(_) if candidates.is_empty() => Some(Reason::NoVerifier),
            Some(_) => None,
            None => Some(Reason::Credentials),
        };
        if candidates.is_empty() {
            candidates.push((0, self.stand_in(&first.user)));
        }
        let (salt, iterations) = candidates
            .first()
            .map(|(_, verifier)| (verifier.salt.clone(), verifier.iterations))
            .unwrap_or_default();
        candidates.retain(|(_, verifier)| verifier.salt == salt && verifier.iterations == iterations);
        let nonce = format!("{}{}", first.nonce, self.context.nonce);
        let salt = base64::encode(&salt);
        let server_first = format!("r={nonce},s={salt},i={iterations}");
        let challenge = server_first.clone().into_bytes();
        let exchange = Exchange {
            first,
            candidates,
            hopeless,
            nonce,
            server_first,
        };
        self.state = State::WaitFinal(Box::new(exchange));
        Step::Challenge(challenge)
    }

    /// What looks like the verifier of somebody: always the same for one name.
    fn stand_in(&self, user: &str) -> ScramVerifier {
        let of = |what: &str| {
            let seed = format!("{what}\0{}", user.to_lowercase());
            Hash::Sha256.hmac(&self.context.secret, seed.as_bytes())
        };
        let mut salt = of("salt");
        salt.truncate(16);
        ScramVerifier {
            salt,
            iterations: SCRAM_ITERATIONS,
            stored_key: of("stored"),
            server_key: of("server"),
        }
    }

    /// RFC 5802 §7, client-final-message.
    fn finish(&self, exchange: &Exchange, message: &[u8]) -> Result<Step, Reason> {
        let message = std::str::from_utf8(message).map_err(|_| Reason::Syntax)?;
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or(Reason::Syntax)?;
        let proof = base64::decode(proof.as_bytes()).ok_or(Reason::Syntax)?;
        let mut fields = without_proof.split(',');
        let binding = fields
            .next()
            .and_then(|field| field.strip_prefix("c="))
            .ok_or(Reason::Syntax)?;
        let binding = base64::decode(binding.as_bytes()).ok_or(Reason::Syntax)?;
        let nonce = fields
            .next()
            .and_then(|field| field.strip_prefix("r="))
            .ok_or(Reason::Syntax)?;
        let mut expected = exchange.first.gs2_header.clone();
        if self.plus {
            let flag = expected.split(|byte| *byte == b',').next().unwrap_or_default();
            let name = flag
                .strip_prefix(b"p=")
                .and_then(|name| std::str::from_utf8(name).ok());
            let data = name
                .and_then(|name| self.binding(name))
                .ok_or(Reason::ChannelBinding)?
                .to_vec();
            expected.extend_from_slice(&data);
        }
        if !equal(&binding, &expected) {
            return Err(Reason::ChannelBinding);
        }
        if nonce != exchange.nonce {
            return Err(Reason::Syntax);
        }
        let auth_message = format!(
            "{},{},{without_proof}",
            exchange.first.bare, exchange.server_first
        );
        let right = |verifier: &ScramVerifier| {
            let signature = self.hash.hmac(&verifier.stored_key, auth_message.as_bytes());
            let client_key: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
            equal(&self.hash.digest(&client_key), &verifier.stored_key)
        };
        if proof.len() != self.hash.digest(b"").len() {
            return Err(Reason::Syntax);
        }
        let found = exchange.candidates.iter().find(|(_, verifier)| right(verifier));
        if let Some(reason) = exchange.hopeless {
            return Err(reason);
        }
        let (which, verifier) = found.ok_or(Reason::Credentials)?;
        let signature = self.hash.hmac(&verifier.server_key, auth_message.as_bytes());
        let final_data = format!("v={}", base64::encode(&signature)).into_bytes();
        Ok(Step::Success {
            user: exchange.first.user.clone(),
            final_data: Some(final_data),
            which: *which,
        })
    }
}

impl Machine for Scram {
    fn step(&mut self, input: Input<'_>) -> Step {
        let state = std::mem::replace(&mut self.state, State::Done);
        let step = match (input, state) {
            (Input::Start(None), State::Begin) => {
                self.state = State::Asked;
                Ok(Step::Challenge(Vec::new()))
            }
            (Input::Start(Some(message)), State::Begin) | (Input::Response(message), State::Asked) => {
                self.first(message)
            }
            (Input::Verifiers(verifiers), State::WaitVerifiers(first)) => {
                Ok(self.challenge(first, verifiers))
            }
            (Input::Response(message), State::WaitFinal(exchange)) => self.finish(&exchange, message),
            _ => Err(Reason::OutOfOrder),
        };
        step.unwrap_or_else(Step::Failure)
    }
}

/// saslname (RFC 5802 §7): `=2C` is a comma, `=3D` an equals sign.
pub(super) fn sasl_name(text: &str) -> Result<String, Reason> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('=') {
        out.push_str(&rest[..at]);
        out.push(match rest.get(at..at + 3) {
            Some("=2C") => ',',
            Some("=3D") => '=',
            _ => return Err(Reason::Syntax),
        });
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    if out.contains('\0') {
        Err(Reason::Syntax)
    } else {
        Ok(out)
    }
}
