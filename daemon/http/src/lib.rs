//! Asking web servers: one request, one answer, a bound on everything.
//!
//! For what mail needs of the web: policies of MTA-STS, reports, certificates, keys of identity providers. No cookies, no cache, no proxy, no
//! connection that is kept, no compression: an answer is as long as it says it is. Names are resolved by the room `dns`, and certificates lead to
//! a root of this machine or to one that the caller adds.
//!
//! A redirection is followed only if the caller allows it, only for a GET, never from HTTPS to HTTP, and takes no `Authorization` to another host.
//!
//! Must not know: what is asked for, and whether the answer is to be believed.

mod exchange;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dns::Dns;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::OnceCell;
pub use url::Url;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("not an address of the web: {0}")]
    Url(String),
    #[error("the request can't be sent: {0}")]
    Request(String),
    #[error("the host can't be found: {0}")]
    Dns(String),
    #[error("the host can't be reached: {0}")]
    Connect(String),
    /// The host is not who it should be, or nobody vouches for it.
    #[error("the certificate is not valid: {0}")]
    Certificate(String),
    #[error("TLS: {0}")]
    Tls(String),
    #[error("no whole answer in time")]
    Timeout,
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the answer can't be read: {0}")]
    Answer(String),
    #[error("redirected too often, or to where it must not lead")]
    Redirect,
}

/// How long, how large, how far.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For everything: resolving, connecting, redirections, the whole body.
    pub total: Duration,
    /// For each address that is tried.
    pub connect: Duration,
    pub body_max_bytes: usize,
    /// 0: a redirection is an answer like any other (RFC 8461 §3.3 asks for that).
    pub redirects_max_count: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            body_max_bytes: 1024 * 1024,
            redirects_max_count: 0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    url: Url,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Request {
    pub fn get(url: &str) -> Result<Self, HttpError> {
        Self::new(Method::Get, url)
    }

    pub fn head(url: &str) -> Result<Self, HttpError> {
        Self::new(Method::Head, url)
    }

    pub fn post(url: &str, content_type: &str, body: impl Into<Bytes>) -> Result<Self, HttpError> {
        let mut request = Self::new(Method::Post, url)?.header("Content-Type", content_type);
        request.body = body.into();
        Ok(request)
    }

    /// Adds a field.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    fn new(method: Method, url: &str) -> Result<Self, HttpError> {
        let parsed = Url::parse(url).map_err(|error| HttpError::Url(format!("{url}: {error}")))?;
        check(&parsed)?;
        Ok(Self {
            method,
            url: parsed,
            headers: Vec::new(),
            body: Bytes::new(),
        })
    }
}

/// `http` or `https`, with a host, without a password that would end up in a log.
fn check(url: &Url) -> Result<(), HttpError> {
    let secret = !url.username().is_empty() || url.password().is_some();
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || secret {
        let shown = if secret { url.scheme() } else { url.as_str() };
        return Err(HttpError::Url(shown.to_owned()));
    }
    Ok(())
}

/// What was answered, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Bytes,
    /// Where it came from in the end.
    pub url: Url,
}

impl Answer {
    /// The first field of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(given, _)| given.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    /// `text/plain` of `text/plain; charset=utf-8`, in lower case.
    pub fn content_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().to_ascii_lowercase()
    }

    /// 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Who asks. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    dns: Dns,
    roots: Vec<CertificateDer<'static>>,
    addresses: BTreeMap<String, SocketAddr>,
    /// Made at the first request over TLS: reading the machine's roots takes a while.
    config: OnceCell<Arc<ClientConfig>>,
}

impl Http {
    pub fn new(dns: Dns) -> Self {
        let inner = Inner {
            dns,
            roots: Vec::new(),
            addresses: BTreeMap::new(),
            config: OnceCell::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Believes these certificates as well: `tls::Tls::roots`, those of a house of its own, or of a test.
    pub fn with_roots(mut self, roots: Vec<CertificateDer<'static>>) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        inner.roots.extend(roots);
        inner.config = OnceCell::new();
        self
    }

    /// The same, from a PEM text.
    pub fn with_pem_roots(self, pem: &[u8]) -> Result<Self, HttpError> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let found = found.map_err(|error| HttpError::Certificate(error.to_string()))?;
        Ok(self.with_roots(found))
    }

    /// Connects to that address for a host, whatever DNS and the port in the URL say.
    pub fn with_address(mut self, host: &str, address: SocketAddr) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        inner.addresses.insert(host.to_ascii_lowercase(), address);
        self
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: Request, limits: &Limits) -> Result<Answer, HttpError> {
        let asked = self.follow(request, limits);
        tokio::time::timeout(limits.total, asked)
            .await
            .unwrap_or(Err(HttpError::Timeout))
    }

    async fn follow(&self, mut request: Request, limits: &Limits) -> Result<Answer, HttpError> {
        let mut left = limits.redirects_max_count;
        loop {
            let answer = exchange::exchange(&self.inner, &request, limits).await?;
            let moved = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
            let (true, Some(to)) = (moved, answer.header("location")) else {
                return Ok(answer);
            };
            if limits.redirects_max_count == 0 || request.method == Method::Post {
                return Ok(answer);
            }
            left = left.checked_sub(1).ok_or(HttpError::Redirect)?;
            let next = request.url.join(to).map_err(|_| HttpError::Redirect)?;
            check(&next).map_err(|_| HttpError::Redirect)?;
            if request.url.scheme() == "https" && next.scheme() != "https" {
                return Err(HttpError::Redirect);
            }
            if request.url.origin() != next.origin() {
                let secret = |name: &str| name.eq_ignore_ascii_case("authorization");
                request.headers.retain(|(name, _)| !secret(name));
            }
            request.url = next;
        }
    }
}
