//! The machine's resolver, or the servers that the configuration names.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as NetDnsError, NetError};
use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use crate::secure::Secure;
use crate::{Config, DnsError, Exchanger};

/// How long one server is waited for, and how often it is asked.
const TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPTS: usize = 2;
/// Answers kept.
pub(crate) const CACHE_MAX_COUNT: u64 = 10_000;

#[derive(Clone)]
pub(crate) struct System {
    resolver: TokioResolver,
    /// Keeps no answers.
    forgetful: TokioResolver,
    pub(crate) secure: Secure,
}

impl System {
    pub(crate) fn new(config: &Config) -> Result<Self, String> {
        let resolver = build(config, None, CACHE_MAX_COUNT)?;
        let forgetful = build(config, None, 0)?;
        Ok(Self {
            resolver,
            forgetful,
            secure: Secure::new(config),
        })
    }

    pub(crate) async fn mx(&self, domain: &str) -> Result<Vec<Exchanger>, DnsError> {
        let records = self.lookup(domain, RecordType::MX).await?;
        Ok(records
            .into_iter()
            .filter_map(|data| match data {
                RData::MX(mx) => Some(Exchanger {
                    preference: mx.preference,
                    host: host(&mx.exchange),
                }),
                _ => None,
            })
            .collect())
    }

    pub(crate) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let (v6, v4) = tokio::join!(
            self.lookup(host, RecordType::AAAA),
            self.lookup(host, RecordType::A)
        );
        let both = match (v6, v4) {
            (Ok(v6), Ok(v4)) if !v6.is_empty() || !v4.is_empty() => v6.into_iter().chain(v4).collect(),
            // One family that can't be asked for must not hide the other.
            (Ok(found), Err(_)) | (Err(_), Ok(found)) if !found.is_empty() => found,
            (Err(error @ DnsError::Temporary(_)), _) | (_, Err(error @ DnsError::Temporary(_))) => {
                return Err(error);
            }
            (Err(error), _) | (_, Err(error)) => return Err(error),
            (Ok(_), Ok(_)) => Vec::new(),
        };
        Ok(ips(both))
    }

    pub(crate) async fn family(&self, host: &str, v6: bool) -> Result<Vec<IpAddr>, DnsError> {
        let kind = if v6 { RecordType::AAAA } else { RecordType::A };
        Ok(ips(self.lookup(host, kind).await?))
    }

    pub(crate) async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, DnsError> {
        Ok(texts(self.lookup(name, RecordType::TXT).await?))
    }

    /// Without what was answered before.
    pub(crate) async fn txt_now(&self, name: &str) -> Result<Vec<Vec<u8>>, DnsError> {
        let found = self.forgetful.lookup(full(name)?, RecordType::TXT).await;
        Ok(texts(understood(found)?))
    }

    pub(crate) async fn names(&self, address: IpAddr) -> Result<Vec<String>, DnsError> {
        let records = self.lookup_name(Name::from(address), RecordType::PTR).await?;
        Ok(records
            .into_iter()
            .filter_map(|data| match data {
                RData::PTR(name) => Some(host(&name.0)),
                _ => None,
            })
            .collect())
    }

    async fn lookup(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, DnsError> {
        self.lookup_name(full(name)?, kind).await
    }

    async fn lookup_name(&self, name: Name, kind: RecordType) -> Result<Vec<RData>, DnsError> {
        understood(self.resolver.lookup(name, kind).await)
    }
}

/// With a final dot: the machine's search list is not for mail.
fn full(name: &str) -> Result<Name, DnsError> {
    Name::from_ascii(format!("{}.", name.trim_end_matches('.'))).map_err(|_| DnsError::NoSuchDomain)
}

fn understood(answer: Result<Lookup, NetError>) -> Result<Vec<RData>, DnsError> {
    match answer {
        Ok(found) => Ok(found.answers().iter().map(|record| record.data.clone()).collect()),
        Err(NetError::Dns(NetDnsError::NoRecordsFound(none))) => match none.response_code {
            ResponseCode::NoError => Ok(Vec::new()),
            ResponseCode::NXDomain => Err(DnsError::NoSuchDomain),
            other => Err(DnsError::Temporary(other.to_string())),
        },
        Err(error) => Err(DnsError::Temporary(error.to_string())),
    }
}

fn texts(records: Vec<RData>) -> Vec<Vec<u8>> {
    let text = |data| match data {
        RData::TXT(txt) => Some(
            txt.txt_data
                .iter()
                .flat_map(|part| part.iter().copied())
                .collect(),
        ),
        _ => None,
    };
    records.into_iter().filter_map(text).collect()
}

/// A resolver over the machine's name servers or those that the configuration names. `anchors`: it validates, from these keys on.
pub(crate) fn build(
    config: &Config,
    anchors: Option<TrustAnchors>,
    cache_max_count: u64,
) -> Result<TokioResolver, String> {
    let mut builder = if config.servers.is_empty() {
        TokioResolver::builder_tokio().map_err(|error| error.to_string())?
    } else {
        let servers = config.servers.iter().map(server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options = builder.options_mut();
    options.timeout = config.timeout_ms.map_or(TIMEOUT, Duration::from_millis);
    options.attempts = ATTEMPTS;
    options.cache_size = cache_max_count;
    if let Some(anchors) = anchors {
        options.validate = true;
        // The option of that name is a path that nobody reads.
        builder = builder.with_trust_anchor(Arc::new(anchors));
    }
    builder.build().map_err(|error| error.to_string())
}

fn server(address: &SocketAddr) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = address.port();
    }
    NameServerConfig::new(address.ip(), true, connections)
}

fn ips(records: Vec<RData>) -> Vec<IpAddr> {
    let ip = |data| match data {
        RData::A(a) => Some(IpAddr::V4(a.0)),
        RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
        _ => None,
    };
    records.into_iter().filter_map(ip).collect()
}

/// A host as the rest of the house writes it.
fn host(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}
