//! The client's side: delivery to other hosts.
//!
//! Must not know: which host deserves which trust.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, Error, RootCertStore};

use crate::TlsError;
use crate::dane::{self, DaneRecord};
use crate::peers::fingerprint;
use crate::signatures::checked_signatures;

/// How far the other side's certificate is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It must lead to a root of this machine, or of `roots.pem`, and name the host (smarthosts, MTA-STS).
    Verified,
    /// Whatever it is: better than plaintext, no better against an active attacker (RFC 7435).
    Opportunistic,
    /// It must be that very one, by its SHA-256 fingerprint in hexadecimal digits: what an administrator has looked at.
    Pinned(String),
    /// It must be one that these records of the DNS name (RFC 7672). `names`: further names that it may have beside the host's.
    Dane {
        records: Vec<DaneRecord>,
        names: Vec<String>,
    },
}

/// The client's side of one handshake.
pub struct Client {
    pub config: Arc<ClientConfig>,
    outcome: Arc<OnceLock<Result<(), Error>>>,
    shown: Arc<OnceLock<String>>,
}

impl Client {
    /// Whether the certificate held, if it was looked at: also when the handshake goes on without that.
    pub fn verified(&self) -> Option<&Result<(), Error>> {
        self.outcome.get()
    }

    /// The SHA-256 fingerprint of the certificate that the other side has shown, whether it held or not.
    pub fn shown(&self) -> Option<&str> {
        self.shown.get().map(String::as_str)
    }
}

pub(crate) fn config(
    provider: &Arc<CryptoProvider>,
    further: &[CertificateDer<'static>],
    trust: &Trust,
    must: bool,
) -> Result<Client, TlsError> {
    let rule = match trust {
        Trust::Verified => {
            let verifier =
                WebPkiServerVerifier::builder_with_provider(Arc::new(all_roots(further)?), provider.clone());
            Rule::Roots(
                verifier
                    .build()
                    .map_err(|error| TlsError::Config(error.to_string()))?,
            )
        }
        Trust::Opportunistic => Rule::None,
        Trust::Pinned(fingerprint) => Rule::Pinned(fingerprint.clone()),
        Trust::Dane { records, names } => Rule::Dane {
            records: records.clone(),
            names: names
                .iter()
                .filter_map(|name| ServerName::try_from(name.clone()).ok())
                .collect(),
        },
    };
    let (outcome, shown) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
    let verifier = Verifier {
        rule,
        must,
        algorithms: provider.signature_verification_algorithms,
        outcome: outcome.clone(),
        shown: shown.clone(),
    };
    let mut config = builder(provider)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // A session that is resumed shows no certificate, and each is to be looked at.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Client {
        config: Arc::new(config),
        outcome,
        shown,
    })
}

/// Verified by the machine's roots and further ones, for what is not mail.
pub(crate) fn verified(
    provider: &Arc<CryptoProvider>,
    further: &[CertificateDer<'static>],
) -> Result<Arc<ClientConfig>, TlsError> {
    let builder = builder(provider)?.with_root_certificates(all_roots(further)?);
    Ok(Arc::new(builder.with_no_client_auth()))
}

fn builder(
    provider: &Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, TlsError> {
    ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| TlsError::Config(error.to_string()))
}

/// The machine's roots and further ones.
fn all_roots(further: &[CertificateDer<'static>]) -> Result<RootCertStore, TlsError> {
    let mut store = match roots() {
        Ok(roots) => (*roots).clone(),
        // A machine without roots still believes those that were given.
        Err(_) if !further.is_empty() => RootCertStore::empty(),
        Err(error) => return Err(error),
    };
    for certificate in further {
        store
            .add(certificate.clone())
            .map_err(|error| TlsError::Config(error.to_string()))?;
    }
    Ok(store)
}

/// The machine's roots, read once.
fn roots() -> Result<Arc<RootCertStore>, TlsError> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return Ok(roots.clone());
    }
    let mut store = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _ignored) = store.add_parsable_certificates(found.certs);
    if added == 0 {
        let reason = found
            .errors
            .first()
            .map_or_else(|| "none is installed".to_owned(), ToString::to_string);
        return Err(TlsError::Config(format!("no root certificates: {reason}")));
    }
    Ok(ROOTS.get_or_init(|| Arc::new(store)).clone())
}

/// What is asked of a certificate.
#[derive(Debug)]
enum Rule {
    None,
    Roots(Arc<WebPkiServerVerifier>),
    Pinned(String),
    Dane {
        records: Vec<DaneRecord>,
        names: Vec<ServerName<'static>>,
    },
}

/// Looks at the certificate by its rule, notes what it found, and refuses only if it must; that the peer holds its key is always checked.
#[derive(Debug)]
struct Verifier {
    rule: Rule,
    must: bool,
    algorithms: WebPkiSupportedAlgorithms,
    outcome: Arc<OnceLock<Result<(), Error>>>,
    shown: Arc<OnceLock<String>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let _ = self.shown.set(fingerprint(end_entity));
        let found = match &self.rule {
            Rule::None => return Ok(ServerCertVerified::assertion()),
            Rule::Roots(verifier) => verifier
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map(drop),
            Rule::Pinned(pinned) if fingerprint(end_entity) == *pinned => Ok(()),
            Rule::Pinned(_) => Err(Error::General(
                "the certificate is not the one that was chosen".to_owned(),
            )),
            Rule::Dane { records, names } => {
                let mut names = names.clone();
                names.push(server_name.to_owned());
                dane::verify(records, &self.algorithms, end_entity, intermediates, &names, now)
            }
        };
        let _ = self.outcome.set(found.clone());
        match found {
            Err(error) if self.must => Err(error),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    checked_signatures!(algorithms);
}
