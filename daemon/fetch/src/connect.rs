//! From a name to a connection: addresses, TLS from the first byte on or later, and which certificate is believed.

use dns::Dns;
use shared::external::{External, ExternalSecurity};
use tls::{Client, Tls, Trust};
use tokio::time::Instant;

use crate::Timeouts;
use crate::link::Link;
use crate::problem::Problem;

/// Addresses of one host that are tried.
const ADDRESSES_MAX_COUNT: usize = 4;

/// How the connection is secured.
pub(crate) struct Security {
    wanted: ExternalSecurity,
    host: String,
    client: Option<Client>,
}

impl Security {
    /// Reads the machine's roots when they are needed for the first time, off the runtime's threads.
    pub(crate) async fn new(tls: &Tls, external: &External) -> Result<Self, Problem> {
        let trust = match external.certificate.as_str() {
            "" => Trust::Verified,
            "any" => Trust::Opportunistic,
            fingerprint => Trust::Pinned(fingerprint.to_owned()),
        };
        let client = if external.security == ExternalSecurity::None {
            None
        } else {
            let tls = tls.clone();
            let made = tokio::task::spawn_blocking(move || tls.client(&trust, true)).await;
            let made = made.map_err(|error| Problem::Store(error.to_string()))?;
            Some(made.map_err(|error| Problem::Tls(error.to_string()))?)
        };
        Ok(Self {
            wanted: external.security,
            host: external.host.clone(),
            client,
        })
    }

    /// Whether the server is asked for TLS after its greeting.
    pub(crate) fn starts_later(&self) -> bool {
        self.wanted == ExternalSecurity::StartTls
    }

    pub(crate) async fn shake(&self, link: Link) -> Result<Link, Problem> {
        match &self.client {
            Some(client) => link.start_tls(client.config.clone(), &self.host).await,
            None => Ok(link),
        }
    }

    /// The fingerprint of the certificate that was shown.
    pub(crate) fn shown(&self) -> Option<String> {
        self.client.as_ref()?.shown().map(str::to_owned)
    }
}

/// The first address that answers.
pub(crate) async fn connect(
    dns: &Dns,
    external: &External,
    security: &Security,
    timeouts: Timeouts,
    deadline: Instant,
) -> Result<Link, Problem> {
    let unreachable = |reason: String| Problem::Unreachable {
        host: external.host.clone(),
        reason,
    };
    let addresses = match external.host.parse() {
        Ok(address) => vec![address],
        Err(_) => dns
            .addresses(&external.host)
            .await
            .map_err(|error| unreachable(error.to_string()))?,
    };
    let mut last = unreachable("it has no address".to_owned());
    for address in addresses.into_iter().take(ADDRESSES_MAX_COUNT) {
        match Link::connect((address, external.port()).into(), timeouts, deadline).await {
            Ok(link) if security.wanted == ExternalSecurity::Tls => return security.shake(link).await,
            Ok(link) => return Ok(link),
            Err(problem) => last = problem,
        }
    }
    Err(last)
}
