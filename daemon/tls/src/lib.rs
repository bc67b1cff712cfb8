//! Certificates and keys by name, their reload, the configuration of both sides of TLS, and channel bindings.
//!
//! The folder `tls/` of the data directory holds `cert.pem` and `key.pem`, which serve every name that nothing better is
//! known for, and any number of folders with a `cert.pem` and `key.pem` each, which serve the names that stand in their
//! certificate. `clients/` holds the roots (`*.pem`) that may vouch for clients' certificates. `roots.pem` beside them, if it is there, holds further
//! roots that outgoing connections believe. At the first start a self-signed pair is made. A reload takes effect with the next handshake; sessions
//! under way keep what they were served.
//!
//! What is damaged in the folder is its own loss: it stays as it was in use, if it was, is told ([`Tls::damaged`]), and hinders nothing beside it. Only
//! a start without the first pair, or with roots that can't be read, is refused. Whatever changes the folder or reads it anew has its turn for itself.
//!
//! Must not know: sockets, protocols.

mod admin;
mod binding;
mod challenge;
mod client;
mod dane;
mod flaw;
mod peers;
mod signatures;
mod store;
mod x509;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use disk::SharedDisk;
use parking_lot::Mutex;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{ServerConfig, ServerConnection};

pub use admin::{Listed, names_in};
pub use challenge::Accepted;
use challenge::Challenges;
pub use client::{Client, Trust};
pub use dane::DaneRecord;
pub use flaw::Flaw;
pub use peers::{ClientCertificate, fingerprint_of};
use store::Certificates;
pub use x509::{Facts, issue};

/// What `SASL` and others name a channel binding by (RFC 9266, RFC 5929 §4).
pub const EXPORTER: &str = "tls-exporter";
pub const SERVER_END_POINT: &str = "tls-server-end-point";

/// Why certificates can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{path}: {reason}")]
    Invalid { path: PathBuf, reason: String },
    /// What was to be imported.
    #[error("{0}")]
    Refused(String),
    #[error("there is no such certificate")]
    Unknown,
    #[error("a certificate can't be made: {0}")]
    Generate(String),
    #[error("TLS can't be configured: {0}")]
    Config(String),
}

/// For a client that must know who the server is: its certificate leads to a root of this machine or to one of these, and names it. Blocks.
pub fn verified_config(roots: &[CertificateDer<'static>]) -> Result<Arc<rustls::ClientConfig>, TlsError> {
    client::verified(&Arc::new(rustls::crypto::ring::default_provider()), roots)
}

/// What opening the folder found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Certificate,
    /// There was none: a self-signed one was made.
    Made,
}

/// The server's TLS. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    inner: Arc<Inner>,
}

struct Inner {
    disk: SharedDisk,
    dir: PathBuf,
    provider: Arc<CryptoProvider>,
    /// Whether clients are asked for certificates.
    asking: AtomicBool,
    current: ArcSwap<Snapshot>,
    /// Held by whoever changes the folder or reads it anew: a view that is older must not take the place of a newer one.
    changing: Mutex<()>,
    /// What an authority is shown at the moment.
    challenges: Arc<Challenges>,
}

/// What one reload found: the handshakes that begin with it end with it.
struct Snapshot {
    config: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
    /// What vouches for clients.
    peers: peers::Trust,
    roots: Vec<CertificateDer<'static>>,
    /// What could not be read.
    damaged: Vec<String>,
}

/// One handshake's side of the server: it remembers what it was configured with, so that the channel binding is that of the
/// certificate which was served, also after a reload.
#[derive(Clone)]
pub struct Acceptor {
    snapshot: Arc<Snapshot>,
    challenges: Arc<Challenges>,
}

impl Tls {
    /// Reads the folder; makes it with a self-signed certificate for `hostname` if it holds none. Blocks.
    pub fn open(disk: SharedDisk, dir: &Path, hostname: &str) -> Result<(Self, Found), TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let found = store::ensure(&*disk, dir, hostname)?;
        let (snapshot, _) = Snapshot::load(&disk, dir, &provider, false, None)?;
        let current = ArcSwap::from_pointee(snapshot);
        let inner = Inner {
            disk,
            dir: dir.to_owned(),
            provider,
            asking: AtomicBool::new(false),
            current,
            changing: Mutex::new(()),
            challenges: Arc::default(),
        };
        Ok((
            Self {
                inner: Arc::new(inner),
            },
            found,
        ))
    }

    /// Reads the folder anew. What can be read is in use afterwards; what can't stays as it was, and the first of it is the error. Blocks.
    pub fn reload(&self) -> Result<(), TlsError> {
        let _changing = self.inner.changing.lock();
        self.inner.refresh().into_iter().next().map_or(Ok(()), Err)
    }

    /// From the next handshake on clients are asked for a certificate, or are not. Reads the folder anew, and blocks.
    pub fn ask_clients(&self, on: bool) -> Result<(), TlsError> {
        if self.inner.asking.swap(on, Ordering::SeqCst) == on {
            return Ok(());
        }
        self.reload()
    }

    /// The certificate in that folder, without its chain, in DER.
    pub fn der(&self, id: &str) -> Option<Vec<u8>> {
        let snapshot = self.inner.current.load();
        snapshot.certificates.by_id(id)?.der().map(<[u8]>::to_vec)
    }

    /// What could not be read the last time, each with its reason.
    pub fn damaged(&self) -> Vec<String> {
        self.inner.current.load().damaged.clone()
    }

    /// The certificates at hand.
    pub fn certificates(&self) -> Vec<Listed> {
        admin::list(&self.inner.current.load().certificates)
    }

    /// Takes a certificate with its chain and key, one PEM text, into use; those that it makes superfluous are removed. Blocks.
    pub fn import(&self, pem: &str) -> Result<Listed, TlsError> {
        let inner = &self.inner;
        let _changing = inner.changing.lock();
        let id = admin::import(&*inner.disk, &inner.dir, &inner.provider, pem)?;
        // What is wrong beside it is not its fault.
        let damaged = inner.refresh();
        let find = || self.certificates().into_iter().find(|listed| listed.id == id);
        if find().is_none() {
            let _ = admin::remove(&*inner.disk, &inner.dir, &id);
            return Err(damaged.into_iter().next().unwrap_or(TlsError::Unknown));
        }
        for old in admin::superseded(&self.certificates(), &id) {
            // One that stays does no harm, and goes with the next import.
            let _ = admin::remove(&*inner.disk, &inner.dir, &old);
        }
        inner.refresh();
        find().ok_or(TlsError::Unknown)
    }

    /// Removes a certificate; the one that was there first stays. Blocks.
    pub fn remove(&self, id: &str) -> Result<(), TlsError> {
        let _changing = self.inner.changing.lock();
        if id.is_empty() || !self.certificates().iter().any(|listed| listed.id == id) {
            return Err(TlsError::Unknown);
        }
        admin::remove(&*self.inner.disk, &self.inner.dir, id)?;
        self.inner.refresh();
        Ok(())
    }

    /// For the server's side of the next handshake.
    pub fn acceptor(&self) -> Acceptor {
        Acceptor {
            snapshot: self.inner.current.load_full(),
            challenges: self.inner.challenges.clone(),
        }
    }

    /// For the client's side: delivery to other hosts. Reads the machine's roots when they are needed for the first time: blocks.
    pub fn client_config(&self, trust: Trust) -> Result<Arc<rustls::ClientConfig>, TlsError> {
        Ok(self.client(&trust, true)?.config)
    }

    /// The client's side of one handshake. Unless it `must`, a certificate that does not hold is noted, not refused. Blocks as above.
    pub fn client(&self, trust: &Trust, must: bool) -> Result<Client, TlsError> {
        let snapshot = self.inner.current.load();
        client::config(&self.inner.provider, &snapshot.roots, trust, must)
    }

    /// The certificates of `roots.pem`: whom outgoing connections believe beside the machine's roots.
    pub fn roots(&self) -> Vec<CertificateDer<'static>> {
        self.inner.current.load().roots.clone()
    }

    /// The names that certificates are at hand for, sorted; the default one's included.
    pub fn names(&self) -> Vec<String> {
        self.inner.current.load().certificates.names()
    }
}

impl Inner {
    /// Reads the folder anew; what could not be read. The caller has the turn.
    fn refresh(&self) -> Vec<TlsError> {
        let before = self.current.load_full();
        let asking = self.asking.load(Ordering::SeqCst);
        match Snapshot::load(&self.disk, &self.dir, &self.provider, asking, Some(&before)) {
            Ok((snapshot, damaged)) => {
                self.current.store(Arc::new(snapshot));
                damaged
            }
            Err(error) => vec![error],
        }
    }
}

impl Acceptor {
    /// Who the client has shown to be, if it has a certificate that is valid today.
    pub fn client(&self, connection: &ServerConnection) -> Option<ClientCertificate> {
        peers::shown(connection.peer_certificates()?, &self.snapshot.peers)
    }

    /// The channel binding of that type for a connection that this acceptor made.
    pub fn channel_binding(&self, connection: &ServerConnection, kind: &str) -> Option<Vec<u8>> {
        match kind {
            EXPORTER => binding::exporter(connection),
            SERVER_END_POINT => self
                .snapshot
                .certificates
                .served(connection.server_name())?
                .end_point()
                .map(<[u8]>::to_vec),
            _ => None,
        }
    }
}

impl Snapshot {
    /// A new configuration has new keys for session tickets: no session is resumed over a reload, so that what a client was
    /// once shown is what the server has at hand.
    ///
    /// `before`: what was in use, and stays so where nothing can be read.
    fn load(
        disk: &SharedDisk,
        dir: &Path,
        provider: &Arc<CryptoProvider>,
        asking: bool,
        before: Option<&Self>,
    ) -> Result<(Self, Vec<TlsError>), TlsError> {
        let mut damaged = Vec::new();
        let known = before.map(|before| &*before.certificates);
        let certificates = Arc::new(Certificates::load(&**disk, dir, provider, known, &mut damaged)?);
        let peers = peers::load(&**disk, dir, provider);
        let peers = or_before(peers, before.map(|before| &before.peers), &mut damaged)?;
        let roots = store::roots(&**disk, dir);
        let roots = or_before(roots, before.map(|before| &before.roots), &mut damaged)?;
        let config_error = |error: rustls::Error| TlsError::Config(error.to_string());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(config_error)?;
        let builder = if asking {
            let algorithms = provider.signature_verification_algorithms;
            builder.with_client_cert_verifier(Arc::new(peers::Asking(algorithms)))
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_cert_resolver(certificates.clone());
        config.ticketer = rustls::crypto::ring::Ticketer::new().map_err(config_error)?;
        // Each ticket costs the server an encryption and the peer bytes; mail clients open few sessions.
        config.send_tls13_tickets = 1;
        // Mail clients that know ALPN may name any protocol; none is negotiated.
        let snapshot = Self {
            config: Arc::new(config),
            certificates,
            peers,
            roots,
            damaged: damaged.iter().map(ToString::to_string).collect(),
        };
        Ok((snapshot, damaged))
    }
}

/// What was read; if it can't be, what there was before.
fn or_before<T: Clone>(
    read: Result<T, TlsError>,
    before: Option<&T>,
    damaged: &mut Vec<TlsError>,
) -> Result<T, TlsError> {
    match (read, before) {
        (Err(error), Some(before)) => {
            damaged.push(error);
            Ok(before.clone())
        }
        (read, _) => read,
    }
}

#[cfg(test)]
mod tests;
