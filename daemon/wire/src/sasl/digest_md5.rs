//! DIGEST-MD5 (RFC 2831) with qop=auth, for mail programs of former days.

use super::hash::{equal, hex, md5};
use super::verifiers::{DIGEST_REALM, latin1};
use super::{Context, Input, Machine, Reason, Step, Verifiers};

/// Directives of one response.
const DIRECTIVES_MAX_COUNT: usize = 32;

pub(super) struct DigestMd5 {
    context: Context,
    realm: String,
    state: State,
}

enum State {
    Begin,
    WaitResponse,
    WaitVerifiers(Box<Response>),
    Done,
}

/// The digest-response, RFC 2831 §2.1.2.
#[derive(Default)]
struct Response {
    user: String,
    realm: String,
    nonce: String,
    cnonce: String,
    nc: String,
    qop: String,
    uri: String,
    digest: String,
    authzid: Option<String>,
}

impl DigestMd5 {
    pub(super) fn new(context: Context) -> Self {
        DigestMd5 {
            context,
            realm: DIGEST_REALM.to_owned(),
            state: State::Begin,
        }
    }

    #[cfg(test)]
    pub(super) fn with_realm(context: Context, realm: &str) -> Self {
        DigestMd5 {
            context,
            realm: realm.to_owned(),
            state: State::Begin,
        }
    }

    fn challenge(&self) -> Vec<u8> {
        let (realm, nonce) = (&self.realm, &self.context.nonce);
        format!("realm=\"{realm}\",nonce=\"{nonce}\",qop=\"auth\",charset=utf-8,algorithm=md5-sess")
            .into_bytes()
    }

    fn response(&mut self, message: &[u8]) -> Result<Step, Reason> {
        let message = std::str::from_utf8(message).map_err(|_| Reason::Syntax)?;
        let mut found = Response {
            qop: "auth".into(),
            ..Response::default()
        };
        for (name, value) in directives(message).ok_or(Reason::Syntax)? {
            match name.as_str() {
                "username" => found.user = value,
                "realm" => found.realm = value,
                "nonce" => found.nonce = value,
                "cnonce" => found.cnonce = value,
                "nc" => found.nc = value,
                "qop" => found.qop = value,
                "digest-uri" => found.uri = value,
                "response" => found.digest = value,
                "authzid" => found.authzid = Some(value).filter(|value| !value.is_empty()),
                _ => {}
            }
        }
        let complete = !found.user.is_empty() && !found.cnonce.is_empty() && found.digest.len() == 32;
        // A nonce is used once: its count is always one.
        let ours = found.nonce == self.context.nonce && found.nc == "00000001" && found.qop == "auth";
        if !complete || !ours {
            return Err(Reason::Syntax);
        }
        if found.realm != self.realm {
            return Err(Reason::Credentials);
        }
        let (user, authzid) = (found.user.clone(), found.authzid.clone());
        self.state = State::WaitVerifiers(Box::new(found));
        Ok(Step::NeedVerifiers { user, authzid })
    }

    fn verify(response: Response, verifiers: Option<&Verifiers>) -> Result<Step, Reason> {
        let right = |secret: &[u8]| {
            let expected = response.expected(secret, "AUTHENTICATE:");
            equal(expected.as_bytes(), response.digest.as_bytes())
        };
        let known: Vec<_> = verifiers
            .iter()
            .flat_map(|verifiers| verifiers.each())
            .filter_map(|(which, verifiers)| Some((which, verifiers.digest_md5.as_deref()?)))
            .collect();
        if known.is_empty() {
            // The same work for a user who does not exist.
            let _ = std::hint::black_box(right(&[0; 16]));
        }
        match known.into_iter().find(|(_, secret)| right(secret)) {
            Some((which, secret)) => Ok(Step::Success {
                final_data: Some(format!("rspauth={}", response.expected(secret, ":")).into_bytes()),
                user: response.user,
                which,
            }),
            None if verifiers
                .is_some_and(|verifiers| verifiers.each().all(|(_, one)| one.digest_md5.is_none())) =>
            {
                Err(Reason::NoVerifier)
            }
            None => Err(Reason::Credentials),
        }
    }
}

impl Response {
    /// response-value, RFC 2831 §2.1.2.1.
    fn expected(&self, secret: &[u8], method: &str) -> String {
        let mut a1 = vec![secret, b":", self.nonce.as_bytes(), b":", self.cnonce.as_bytes()];
        if let Some(authzid) = &self.authzid {
            a1.extend_from_slice(&[b":", authzid.as_bytes()]);
        }
        let a2 = md5(&[method.as_bytes(), &latin1(&self.uri)]);
        let (nonce, nc, cnonce, qop) = (&self.nonce, &self.nc, &self.cnonce, &self.qop);
        let text = format!("{}:{nonce}:{nc}:{cnonce}:{qop}:{}", hex(&md5(&a1)), hex(&a2));
        hex(&md5(&[text.as_bytes()]))
    }
}

impl Machine for DigestMd5 {
    fn step(&mut self, input: Input<'_>) -> Step {
        let state = std::mem::replace(&mut self.state, State::Done);
        let step = match (input, state) {
            (Input::Start(None | Some([])), State::Begin) => {
                self.state = State::WaitResponse;
                Ok(Step::Challenge(self.challenge()))
            }
            (Input::Start(Some(_)), State::Begin) => Err(Reason::Syntax),
            (Input::Response(message), State::WaitResponse) => self.response(message),
            (Input::Verifiers(verifiers), State::WaitVerifiers(response)) => {
                Self::verify(*response, verifiers)
            }
            _ => Err(Reason::OutOfOrder),
        };
        step.unwrap_or_else(Step::Failure)
    }
}

/// `name=value` and `name="value"`, separated by commas (RFC 2831 §7.1); none of those that count twice.
fn directives(text: &str) -> Option<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',', '\t']);
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        let (value, after) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = after.find(',').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        if found.len() == DIRECTIVES_MAX_COUNT || found.iter().any(|(known, _)| *known == name) {
            return None;
        }
        found.push((name, value));
        let after = after.trim_start();
        if !after.is_empty() && !after.starts_with(',') {
            return None;
        }
        rest = after.trim_start_matches([' ', ',', '\t']);
    }
    Some(found)
}

fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}
