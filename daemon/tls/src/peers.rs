//! Certificates of clients: asked for if a setting says so, never demanded.
//!
//! In the handshake a client proves that it has the key of whatever certificate it shows; an unknown or outdated one is no reason to end the
//! connection. What the certificate is worth is found out when a login asks for it (EXTERNAL): its fingerprint may be registered at a
//! user, or it may lead to a root in `tls/clients/` and name a mail address.
//!
//! Must not know: users.

use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DistinguishedName, Error, RootCertStore};
use sha2::{Digest, Sha256};

use crate::signatures::checked_signatures;
use crate::{TlsError, x509};

/// The folder of roots that may vouch for clients.
pub(crate) const FOLDER: &str = "clients";

/// Who a client has shown to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// SHA-256 of the certificate, in hexadecimal digits.
    pub fingerprint: String,
    /// Mail addresses in it, if a root of ours vouches for it.
    pub emails: Vec<String>,
}

/// The fingerprint of a certificate in PEM, or of a fingerprint as people write it (with or without colons).
pub fn fingerprint_of(text: &str) -> Option<String> {
    let digits: String = text
        .trim()
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(digits);
    }
    let certificate = CertificateDer::from_pem_slice(text.as_bytes()).ok()?;
    x509::facts(&certificate)?;
    Some(fingerprint(&certificate))
}

/// What vouches for clients; `None`: nothing does.
pub(crate) type Trust = Option<Arc<dyn ClientCertVerifier>>;

/// Reads the roots. A file that is none is an error: what was in use stays in use.
pub(crate) fn load(disk: &dyn Disk, dir: &Path, provider: &Arc<CryptoProvider>) -> Result<Trust, TlsError> {
    let dir = dir.join(FOLDER);
    let file = |source| TlsError::File {
        path: dir.clone(),
        source,
    };
    if !disk.exists(&dir).map_err(file)? {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    for name in disk.read_dir(&dir).map_err(file)? {
        let path = dir.join(&name);
        if path.extension().is_none_or(|extension| extension != "pem") {
            continue;
        }
        let invalid = |reason: String| TlsError::Invalid {
            path: path.clone(),
            reason,
        };
        let pem = disk.read(&path).map_err(|source| TlsError::File {
            path: path.clone(),
            source,
        })?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| invalid(error.to_string()))?;
        }
    }
    if roots.is_empty() {
        return Ok(None);
    }
    let built = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    Ok(Some(built.map_err(|error| TlsError::Config(error.to_string()))?))
}

/// What a client has shown, if it is valid today.
pub(crate) fn shown(chain: &[CertificateDer<'_>], trust: &Trust) -> Option<ClientCertificate> {
    let (first, others) = chain.split_first()?;
    let facts = x509::facts(first)?;
    let now = UnixTime::now();
    if i64::try_from(now.as_secs()).unwrap_or(i64::MAX) > facts.not_after {
        return None;
    }
    let vouched = trust
        .as_ref()
        .is_some_and(|trust| trust.verify_client_cert(first, others, now).is_ok());
    Some(ClientCertificate {
        fingerprint: fingerprint(first),
        emails: if vouched { facts.emails } else { Vec::new() },
    })
}

pub(crate) fn fingerprint(certificate: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    let digest = Sha256::digest(certificate);
    let digits = digest
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    digits.collect()
}

/// Takes any certificate whose key the client has.
#[derive(Debug)]
pub(crate) struct Asking(pub(crate) WebPkiSupportedAlgorithms);

impl ClientCertVerifier for Asking {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None are named: a client would not show one that is registered by its fingerprint alone.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    checked_signatures!(0);
}
