//! A request of HTTP/1.1 (RFC 9112), as far as this room has to understand it.

use std::time::Duration;

use shared::{Address, DomainName};

/// The request line and the header.
pub(crate) const HEAD_MAX_BYTES: usize = 16 * 1024;
/// A body.
const BODY_MAX_BYTES: usize = 64 * 1024;
/// For the whole request.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    query: String,
    /// Without the port, in lower case.
    host: String,
    pub(crate) body_bytes: usize,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Reads the head, blank line included; the status to refuse it with if it can't be read.
    pub(crate) fn parse(head: &[u8]) -> Result<Self, u16> {
        let head = std::str::from_utf8(head).map_err(|_| 400_u16)?;
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (method, target, version) = (words.next(), words.next(), words.next());
        let (Some(method), Some(target), Some(version), None) = (method, target, version, words.next())
        else {
            return Err(400);
        };
        if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
            return Err(400);
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            ..Self::default()
        };
        for line in lines.filter(|line| !line.is_empty()) {
            let Some((name, value)) = line.split_once(':') else {
                return Err(400);
            };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "host" => {
                    let host = value.rsplit_once(':').map_or(value, |(host, _)| host);
                    request.host = host.to_ascii_lowercase();
                }
                "content-length" => request.body_bytes = value.parse().map_err(|_| 400_u16)?,
                "transfer-encoding" => return Err(501),
                _ => {}
            }
        }
        if request.body_bytes > BODY_MAX_BYTES {
            return Err(413);
        }
        Ok(request)
    }

    /// A parameter of the query, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let mut pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| percent_decoded(value))
    }

    /// The domain if the host is `label.domain`.
    pub(crate) fn host_below(&self, label: &str) -> Option<DomainName> {
        let domain = self.host.strip_prefix(label)?.strip_prefix('.')?;
        DomainName::parse(domain).ok()
    }

    /// What stands in `<EMailAddress>` of the body.
    pub(crate) fn address_in_body(&self) -> Option<Address> {
        let text = std::str::from_utf8(&self.body).ok()?;
        let (_, rest) = text.split_once("<EMailAddress>")?;
        let (address, _) = rest.split_once("</EMailAddress>")?;
        Address::parse(address.trim()).ok()
    }
}

/// RFC 3986 §2.1; `+` is a plus, as in addresses.
fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (high, low) = (char::from(bytes.next()?), char::from(bytes.next()?));
            out.push((high.to_digit(16)? * 16 + low.to_digit(16)?) as u8);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}
