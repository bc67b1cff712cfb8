//! The authority as its account sees it: directory, nonces, signed requests (RFC 8555 §6, §7.1–§7.3).
//!
//! Must not know: orders, challenges, files.

use std::time::Duration;

use http::{Answer, Http, Limits, Request};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::error::{Problem, shown};
use crate::jws::{AccountKey, base64url};
use crate::{AcmeError, Options};

const LIMITS: Limits = Limits {
    total: Duration::from_mins(1),
    connect: Duration::from_secs(15),
    body_max_bytes: 256 * 1024,
    redirects_max_count: 0,
};
/// How often a request is repeated because its nonce was no longer good (RFC 8555 §6.5).
const NONCES_MAX_COUNT: usize = 10;
/// An authority that can't answer is asked again after this, doubled each time, or after what it says itself, and given up for now if that is longer
/// than the second, or after so many times.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
const AGAIN_AFTER_MAX: Duration = Duration::from_mins(1);
const AGAIN_MAX_COUNT: u32 = 20;
/// Of a nonce and of an address, as the authority gives them.
const NONCE_LENGTH_MAX_BYTES: usize = 512;
const URL_LENGTH_MAX_BYTES: usize = 2048;

/// What an authority says of itself (RFC 8555 §7.1.1).
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    new_nonce: String,
    new_account: String,
    pub(crate) new_order: String,
    /// Empty: it has none.
    revoke_cert: String,
    key_change: String,
    pub(crate) renewal_info: String,
    terms: String,
    external_account: bool,
}

/// An authority, and the account's key.
pub(crate) struct Client {
    http: Http,
    /// The authority is on this host and without TLS, as the administrator has set it: so are its addresses.
    plain: bool,
    pub(crate) directory: Directory,
    pub(crate) key: AccountKey,
    /// The account's address; empty until it is known.
    pub(crate) account: String,
    /// The last one that was given and not yet used.
    nonce: Mutex<Option<String>>,
}

impl Client {
    /// Reads the authority's directory.
    pub(crate) async fn open(http: Http, url: &str, key: AccountKey) -> Result<Self, AcmeError> {
        let plain = is_plain_here(url)?;
        check(url, plain)?;
        let answer = send(&http, url, Request::get(url)).await?;
        let found = object(&answer)?;
        let address = |key: &str| address(&found[key], plain);
        let offered = |key: &str| match &found[key] {
            Value::Null => Ok(String::new()),
            _ => address(key),
        };
        let directory = Directory {
            new_nonce: address("newNonce")?,
            new_account: address("newAccount")?,
            new_order: address("newOrder")?,
            revoke_cert: offered("revokeCert")?,
            key_change: offered("keyChange")?,
            renewal_info: offered("renewalInfo")?,
            terms: found["meta"]["termsOfService"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            external_account: found["meta"]["externalAccountRequired"]
                .as_bool()
                .unwrap_or(false),
        };
        Ok(Self {
            http,
            plain,
            directory,
            key,
            account: String::new(),
            nonce: Mutex::new(None),
        })
    }

    /// Makes the account, or finds the one of this key (RFC 8555 §7.3). `secret`: the external account's.
    pub(crate) async fn register(
        &mut self,
        options: &Options,
        secret: Option<&str>,
    ) -> Result<(), AcmeError> {
        if !self.directory.terms.is_empty() && !options.agree {
            return Err(AcmeError::Terms(shown(&self.directory.terms)));
        }
        let mut wanted = json!({"contact": options.contact});
        if options.agree {
            wanted["termsOfServiceAgreed"] = true.into();
        }
        let url = self.directory.new_account.clone();
        let bound = match secret {
            Some(secret) if !options.external_account.is_empty() => {
                self.key.external_account(&url, &options.external_account, secret)
            }
            _ => None,
        };
        match bound {
            Some(bound) => wanted["externalAccountBinding"] = bound,
            None if self.directory.external_account => return Err(AcmeError::ExternalAccount),
            None => {}
        }
        let answer = self.post(&url, Some(&wanted)).await?;
        let account = answer.header("location").unwrap_or_default();
        self.account = self.address(&account.into())?;
        Ok(())
    }

    /// The same authority as another key sees it.
    pub(crate) fn with_key(&self, key: AccountKey) -> Self {
        Self {
            http: self.http.clone(),
            plain: self.plain,
            directory: self.directory.clone(),
            key,
            account: String::new(),
            nonce: Mutex::new(None),
        }
    }

    /// The address of the account that has this key, if one has it (RFC 8555 §7.3.1).
    pub(crate) async fn known(&self) -> Result<Option<String>, AcmeError> {
        let asked = json!({"onlyReturnExisting": true});
        match self.post(&self.directory.new_account, Some(&asked)).await {
            Ok(answer) => {
                let account = answer.header("location").unwrap_or_default();
                self.address(&account.into()).map(Some)
            }
            Err(error) if error.is_unknown_account() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts a new key in the place of the account's (RFC 8555 §7.3.5).
    pub(crate) async fn change_key(&self, new: &AccountKey) -> Result<(), AcmeError> {
        let url = offered(&self.directory.key_change, "keyChange")?;
        let inner = new.roll_over(url, &self.account, &self.key)?;
        self.post(url, Some(&inner)).await.map(drop)
    }

    /// Revokes a certificate of this account (RFC 8555 §7.6); one that is revoked already stays so. `reason`: as RFC 5280 §5.3.1 counts them.
    pub(crate) async fn revoke(&self, certificate: &[u8], reason: u8) -> Result<(), AcmeError> {
        let url = offered(&self.directory.revoke_cert, "revokeCert")?;
        let asked = json!({"certificate": base64url(certificate), "reason": reason});
        match self.post(url, Some(&asked)).await {
            Err(AcmeError::Problem(problem)) if problem.kind == "alreadyRevoked" => Ok(()),
            done => done.map(drop),
        }
    }

    /// What the authority says of the renewal of a certificate; nobody has to sign for it (RFC 9773 §4.1).
    pub(crate) async fn renewal_info(&self, certificate: &str) -> Result<(Value, Answer), AcmeError> {
        let base = offered(&self.directory.renewal_info, "renewalInfo")?;
        let url = format!("{}/{certificate}", base.trim_end_matches('/'));
        let answer = send(&self.http, &url, Request::get(&url)).await?;
        Ok((object(&answer)?, answer))
    }

    /// A signed request. A nonce that is no longer good costs another try, nothing else (RFC 8555 §6.5).
    pub(crate) async fn post(&self, url: &str, payload: Option<&Value>) -> Result<Answer, AcmeError> {
        check(url, self.plain)?;
        let kid = (!self.account.is_empty()).then_some(self.account.as_str());
        let mut tries = 0;
        loop {
            let nonce = self.nonce().await?;
            let body = self.key.sign(url, &nonce, kid, payload)?;
            let request = Request::post(url, "application/jose+json", body);
            let request =
                request.map(|request| request.header("Accept", "application/pem-certificate-chain, */*"));
            let answer = send_any(&self.http, url, request).await?;
            self.keep_nonce(&answer);
            if answer.is_success() {
                return Ok(answer);
            }
            let problem = Problem::of_answer(&answer);
            tries += 1;
            if problem.kind != "badNonce" || tries >= NONCES_MAX_COUNT {
                return Err(AcmeError::Problem(problem));
            }
        }
    }

    /// Reads something (POST-as-GET, RFC 8555 §6.3). An authority that can't answer at the moment is asked again.
    pub(crate) async fn read(&self, url: &str) -> Result<Answer, AcmeError> {
        let mut patience = Patience::default();
        loop {
            match self.post(url, None).await {
                Err(error) if error.is_passing() => patience.wait(error).await?,
                done => return done,
            }
        }
    }

    /// The same, for an answer that is an object.
    pub(crate) async fn read_object(&self, url: &str) -> Result<(Value, Answer), AcmeError> {
        let answer = self.read(url).await?;
        Ok((object(&answer)?, answer))
    }

    /// A request that is answered by an object.
    pub(crate) async fn object(
        &self,
        url: &str,
        payload: Option<&Value>,
    ) -> Result<(Value, Answer), AcmeError> {
        let answer = self.post(url, payload).await?;
        Ok((object(&answer)?, answer))
    }

    /// An address that the authority gives.
    pub(crate) fn address(&self, value: &Value) -> Result<String, AcmeError> {
        address(value, self.plain)
    }

    /// RFC 8555 §7.2
    async fn nonce(&self) -> Result<String, AcmeError> {
        let kept = self.nonce.lock().take();
        if let Some(nonce) = kept {
            return Ok(nonce);
        }
        let url = &self.directory.new_nonce;
        let answer = send(&self.http, url, Request::head(url)).await?;
        self.keep_nonce(&answer);
        let nonce = self.nonce.lock().take();
        nonce.ok_or_else(|| AcmeError::Answer(format!("{url}: no nonce")))
    }

    fn keep_nonce(&self, answer: &Answer) {
        let Some(nonce) = answer.header("replay-nonce") else {
            return;
        };
        // §6.5.1: base64url, nothing else.
        let good = nonce
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if good && nonce.len() <= NONCE_LENGTH_MAX_BYTES {
            *self.nonce.lock() = Some(nonce.to_owned());
        }
    }
}

/// Sends; an answer that is no success is the problem that it names.
async fn send(
    http: &Http,
    url: &str,
    request: Result<Request, http::HttpError>,
) -> Result<Answer, AcmeError> {
    let answer = send_any(http, url, request).await?;
    if answer.is_success() {
        return Ok(answer);
    }
    Err(AcmeError::Problem(Problem::of_answer(&answer)))
}

async fn send_any(
    http: &Http,
    url: &str,
    request: Result<Request, http::HttpError>,
) -> Result<Answer, AcmeError> {
    let unreachable = |error: http::HttpError| AcmeError::Unreachable {
        url: url.to_owned(),
        reason: error.to_string(),
    };
    let request = request.map_err(unreachable)?;
    http.send(request, &LIMITS).await.map_err(unreachable)
}

fn object(answer: &Answer) -> Result<Value, AcmeError> {
    match serde_json::from_slice(&answer.body) {
        Ok(found @ Value::Object(_)) => Ok(found),
        _ => Err(AcmeError::Answer(format!("{}: not an object", answer.url))),
    }
}

/// Waiting for an authority that can't answer.
#[derive(Default)]
pub(crate) struct Patience {
    waits: u32,
    /// Those of which the authority did not say how long.
    doubled: u32,
}

impl Patience {
    /// Waits; the error itself if that would be too long.
    pub(crate) async fn wait(&mut self, error: AcmeError) -> Result<(), AcmeError> {
        let asked = error.retry_after();
        let doubled = AGAIN_AFTER.saturating_mul(1 << self.doubled.min(10));
        let pause = asked.unwrap_or(doubled.min(AGAIN_AFTER_MAX));
        if self.waits >= AGAIN_MAX_COUNT || pause > AGAIN_AFTER_MAX {
            return Err(error);
        }
        self.waits += 1;
        self.doubled += u32::from(asked.is_none());
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

fn offered<'a>(url: &'a str, what: &'static str) -> Result<&'a str, AcmeError> {
    if url.is_empty() {
        return Err(AcmeError::NotOffered(what));
    }
    Ok(url)
}

fn address(value: &Value, plain: bool) -> Result<String, AcmeError> {
    let url = value.as_str().unwrap_or_default();
    if url.is_empty() || url.len() > URL_LENGTH_MAX_BYTES {
        return Err(AcmeError::Answer("an address is missing".to_owned()));
    }
    check(url, plain)?;
    Ok(url.to_owned())
}

/// RFC 8555 §6.1: by HTTPS alone; `plain`: within this host, where nobody listens in between, also without.
fn check(url: &str, plain: bool) -> Result<(), AcmeError> {
    let parsed = Request::get(url).map_err(|error| AcmeError::Answer(error.to_string()))?;
    if parsed.url().scheme() == "https" || (plain && is_plain_here(url)?) {
        return Ok(());
    }
    Err(AcmeError::Unprotected(shown(url)))
}

/// Without TLS, and on this host.
fn is_plain_here(url: &str) -> Result<bool, AcmeError> {
    let parsed = Request::get(url).map_err(|error| AcmeError::Answer(error.to_string()))?;
    let parsed = parsed.url();
    let here = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    Ok(here && parsed.scheme() == "http")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // What the account signs could be read and changed by whoever stands between.
    #[test]
    fn addresses_without_tls_are_taken_only_from_an_authority_of_this_host_without_it() {
        for (url, plain, taken) in [
            ("https://ca.test/order", false, true),
            ("https://ca.test/order", true, true),
            ("http://ca.test/order", false, false),
            ("http://ca.test/order", true, false),
            ("http://127.0.0.1:14000/order", false, false),
            ("http://127.0.0.1:14000/order", true, true),
            ("http://127.0.0.1.ca.test/order", true, false),
        ] {
            assert_eq!(address(&url.into(), plain).is_ok(), taken, "{url} {plain}");
        }
        assert!(is_plain_here("http://[::1]:14000/dir").unwrap());
        assert!(!is_plain_here("https://127.0.0.1/dir").unwrap());
        assert!(!is_plain_here("http://ca.test/dir").unwrap());
    }
}
