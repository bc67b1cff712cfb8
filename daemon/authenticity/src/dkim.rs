//! DKIM signatures of a message that came in (RFC 6376 §6, RFC 8463, RFC 8301).

use ring::digest::Digest;
use shared::DomainName;

use crate::canonical::Form;
use crate::fields::{Fields, without_signature};
use crate::key::{Algorithm, Key, KeyError};
use crate::questions::Questions;
use crate::results::{Dkim, Outcome};
use crate::tags::Tags;

/// A signature as it stands in its field; for ARC the message signature (RFC 8617 §4.1.2) as well.
pub(crate) struct Signature {
    pub(crate) algorithm: Algorithm,
    pub(crate) domain: DomainName,
    pub(crate) selector: String,
    pub(crate) value: Vec<u8>,
    pub(crate) body_hash: Vec<u8>,
    pub(crate) header_form: Form,
    pub(crate) body_form: Form,
    pub(crate) limit: Option<u64>,
    names: Vec<String>,
    /// The domain of the AUID.
    identity: Option<DomainName>,
    expires: Option<u64>,
    /// The field, raw.
    raw: Vec<u8>,
}

/// Why a field is no signature that can be looked at, with the result that it has thereby.
type Fault = (Outcome, &'static str);

impl Signature {
    pub(crate) fn parse(raw: &[u8], tags: &Tags, is_arc: bool) -> Result<Self, Fault> {
        let syntax = |what| (Outcome::Neutral, what);
        if !is_arc && !tags.begins_with("v", "1") && tags.get("v") != Some("1") {
            return Err(syntax("unknown version"));
        }
        let algorithm = match tags.get("a").unwrap_or_default() {
            // RFC 8301 §3.1
            "rsa-sha1" => return Err((Outcome::PermError, "SHA-1 is not accepted")),
            name => Algorithm::parse(name).ok_or(syntax("unknown algorithm"))?,
        };
        let text = |tag| tags.get(tag).filter(|text| !text.is_empty());
        let domain = text("d").and_then(|domain| DomainName::parse(domain).ok());
        let domain = domain.ok_or(syntax("no domain"))?;
        let selector = text("s").ok_or(syntax("no selector"))?.to_owned();
        let signature = tags.base64("b").ok_or(syntax("no signature"))?;
        let body_hash = tags.base64("bh").ok_or(syntax("no body hash"))?;
        let (header_form, body_form) = forms(tags.get("c")).ok_or(syntax("unknown canonicalization"))?;
        let names: Vec<String> = text("h")
            .ok_or(syntax("no fields"))?
            .split(':')
            .map(|name| name.trim().to_ascii_lowercase())
            .collect();
        // RFC 6376 §6.1.1
        if !names.iter().any(|name| name == "from") {
            return Err((Outcome::PermError, "From is not signed"));
        }
        if tags
            .get("q")
            .is_some_and(|methods| !methods.split(':').any(|method| method.trim() == "dns/txt"))
        {
            return Err(syntax("unknown query method"));
        }
        let identity = match text("i").filter(|_| !is_arc) {
            None => None,
            Some(identity) => {
                let name = identity.rsplit_once('@').map_or(identity, |(_, domain)| domain);
                let name = DomainName::parse(name).map_err(|_| syntax("bad identity"))?;
                let below = name.as_str().strip_suffix(domain.as_str());
                if !below.is_some_and(|below| below.is_empty() || below.ends_with('.')) {
                    return Err((Outcome::PermError, "identity outside of the domain"));
                }
                Some(name)
            }
        };
        let number = |tag: &'static str| match tags.get(tag) {
            None => Ok(None),
            Some(_) => tags.number(tag).map(Some).ok_or(syntax("bad number")),
        };
        Ok(Self {
            algorithm,
            domain,
            selector,
            value: signature,
            body_hash,
            header_form,
            body_form,
            limit: number("l")?,
            names,
            identity,
            expires: number("x")?,
            raw: raw.to_vec(),
        })
    }

    /// Checks the signature against the body's hash and the signer's key.
    pub(crate) async fn check(
        &self,
        fields: &Fields<'_>,
        body: Option<&Digest>,
        questions: &Questions,
        now: u64,
    ) -> (Outcome, &'static str) {
        if self.expires.is_some_and(|expires| expires < now) {
            return (Outcome::Fail, "expired");
        }
        // The key is not asked for if the body already says no.
        if body.is_none_or(|digest| digest.as_ref() != self.body_hash) {
            return (Outcome::Fail, "body hash does not fit");
        }
        let domain = self.domain.as_str();
        let key = match Key::find(questions, &self.selector, domain, self.algorithm).await {
            Ok(key) => key,
            Err(error @ KeyError::Temporary) => return (Outcome::TempError, error.reason()),
            Err(error) => return (Outcome::PermError, error.reason()),
        };
        if key.strict && self.identity.as_ref().is_some_and(|name| *name != self.domain) {
            return (Outcome::PermError, "identity outside of the domain");
        }
        let mut message = fields.signed(self.names.iter().map(String::as_str), self.header_form);
        message.extend(without_signature(&self.raw, self.header_form));
        if key.confirms(&message, &self.value) {
            (Outcome::Pass, "")
        } else {
            (Outcome::Fail, "signature does not fit")
        }
    }
}

/// Header and body (RFC 6376 §3.5, `c=`).
fn forms(text: Option<&str>) -> Option<(Form, Form)> {
    let text = text.unwrap_or("simple/simple");
    let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
    Some((Form::parse(header.trim())?, Form::parse(body.trim())?))
}

/// What is told of a signature: of a broken one as much as can be read.
pub(crate) fn told(tags: Option<&Tags>, result: Outcome, reason: &'static str) -> Dkim {
    let text = |tag| tags.and_then(|tags| tags.get(tag)).unwrap_or_default().to_owned();
    let signature: String = text("b").split_ascii_whitespace().collect();
    Dkim {
        result,
        reason,
        domain: DomainName::parse(&text("d")).ok(),
        selector: text("s"),
        algorithm: text("a"),
        // RFC 6008: enough to tell two signatures of one domain apart.
        signature: signature.chars().take(8).collect(),
    }
}
