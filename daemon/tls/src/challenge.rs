//! Certificates that are shown to an authority alone, so that it sees whose host this is (TLS-ALPN-01, RFC 8737).
//!
//! Only a handshake that offers the protocol `acme-tls/1` and nothing else, for a name that is being verified, gets one. While nothing is
//! verified, handshakes are as if this file weren't there.
//!
//! Must not know: orders, authorities.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::ClientHello;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

use crate::{Acceptor, Tls, TlsError};

/// §3; the name of the protocol that nobody speaks.
const PROTOCOL: &[u8] = b"acme-tls/1";

/// What a handshake came to.
pub enum Accepted<S> {
    Session(Box<TlsStream<S>>),
    /// An authority saw what it wanted to see, and nothing more is said (§3).
    Challenge,
}

/// By name in lower case.
pub(crate) type Challenges = Mutex<HashMap<String, Arc<ServerConfig>>>;

impl Tls {
    /// Shows an authority that asks for that name a certificate with this digest (§3), until [`Tls::end_challenge`].
    pub fn answer_challenge(&self, name: &str, digest: [u8; 32]) -> Result<(), TlsError> {
        let config = Arc::new(config(&self.inner.provider, name, digest)?);
        self.inner
            .challenges
            .lock()
            .insert(name.to_ascii_lowercase(), config);
        Ok(())
    }

    pub fn end_challenge(&self, name: &str) {
        self.inner.challenges.lock().remove(&name.to_ascii_lowercase());
    }
}

impl Acceptor {
    /// Does the handshake; on a port where authorities look, as they want it.
    pub async fn accept<S>(&self, stream: S, authorities: bool) -> io::Result<Accepted<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !authorities || self.challenges.lock().is_empty() {
            return self
                .tokio()
                .accept(stream)
                .await
                .map(|stream| Accepted::Session(Box::new(stream)));
        }
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
        let Some(config) = self.challenge(&start.client_hello()) else {
            return start
                .into_stream(self.snapshot.config.clone())
                .await
                .map(|stream| Accepted::Session(Box::new(stream)));
        };
        let mut stream = start.into_stream(config).await?;
        stream.shutdown().await?;
        Ok(Accepted::Challenge)
    }

    /// What does the handshake.
    pub fn tokio(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.snapshot.config.clone())
    }

    fn challenge(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        let mut offered = hello.alpn()?;
        if offered.next() != Some(PROTOCOL) || offered.next().is_some() {
            return None;
        }
        let name = hello.server_name()?.to_ascii_lowercase();
        self.challenges.lock().get(&name).cloned()
    }
}

/// §3: self-signed, the name and nothing else in it, and the digest in the critical extension acmeIdentifier.
fn config(provider: &Arc<CryptoProvider>, name: &str, digest: [u8; 32]) -> Result<ServerConfig, TlsError> {
    let made = |error: rcgen::Error| TlsError::Generate(error.to_string());
    let config_error = |error: rustls::Error| TlsError::Config(error.to_string());
    let key = rcgen::KeyPair::generate().map_err(made)?;
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).map_err(made)?;
    params.custom_extensions = vec![rcgen::CustomExtension::new_acme_identifier(&digest)];
    let certificate = params.self_signed(&key).map_err(made)?;
    let key = PrivateKeyDer::try_from(key.serialize_der());
    let key = key.map_err(|error| TlsError::Generate(error.to_owned()))?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(config_error)?;
    // Not compared with its key: rustls can't read a certificate with a critical extension that it doesn't know.
    let shown = CertifiedKey::new(vec![certificate.der().clone()], key);
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(config_error)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}
