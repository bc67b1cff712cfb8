//! Answers that are proved by signatures, from a key that this machine has (RFC 4035, as RFC 7672 needs it).
//!
//! Every record carries its own proof. "Insecure" means that it is proved that the zone is not signed; an answer that should be signed and does not
//! hold is a temporary failure, since an attacker can make one. Confessed: where a host's name is an alias (CNAME), its TLSA records are looked for
//! under the name itself, not under the one that it leads to first (RFC 7672 §2.2.2); exchangers must not be aliases (RFC 2181 §10.3).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::net::{DnsError as NetDnsError, NetError};
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::system::{CACHE_MAX_COUNT, build};
use crate::{Config, Dane, DnsError, Tlsa};

/// Records of one host that are looked at.
const TLSA_MAX_COUNT: usize = 32;
/// After that time it is tried again whether anything can be proved. Short: whoever can damage one answer switches DANE off for as long.
const PROBE_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// A resolver that validates, made when it is first needed.
#[derive(Clone)]
pub(crate) struct Secure {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    resolver: OnceCell<TokioResolver>,
    probe: Mutex<Probe>,
}

/// Whether anything can be proved, as it was tried last.
#[derive(Clone)]
enum Probe {
    NotTried,
    Proves,
    Unanswered(Instant),
    Unproved(Instant, String),
}

/// Why there is no answer that holds.
enum Failure {
    /// No such name can be.
    NoName,
    /// Nobody answered.
    Unanswered(String),
    /// Somebody answered what is not proved.
    Unproved(String),
}

impl From<Failure> for DnsError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoName => Self::NoSuchDomain,
            Failure::Unanswered(reason) | Failure::Unproved(reason) => Self::Temporary(reason),
        }
    }
}

/// An answer that holds.
enum Answer {
    Secure(Vec<RData>),
    /// It is proved that nobody signs there.
    Insecure,
}

impl Secure {
    pub(crate) fn new(config: &Config) -> Self {
        let inner = Inner {
            config: config.clone(),
            resolver: OnceCell::new(),
            probe: Mutex::new(Probe::NotTried),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(crate) async fn mx(&self, domain: &str) -> Result<Option<Vec<String>>, DnsError> {
        let Answer::Secure(found) = self.lookup(domain, RecordType::MX).await? else {
            return Ok(None);
        };
        let host = |data: RData| match data {
            RData::MX(mx) => Some(host_text(&mx.exchange)),
            _ => None,
        };
        let mut hosts: Vec<String> = found.into_iter().filter_map(host).collect();
        if hosts.is_empty() {
            // RFC 5321 §5.1: then it is a host itself.
            hosts.push(domain.trim_end_matches('.').to_ascii_lowercase());
        }
        Ok(Some(hosts))
    }

    pub(crate) async fn dane(&self, host: &str, port: u16) -> Result<Dane, DnsError> {
        // RFC 7672 §2.2.2: hosts whose addresses nobody signs are not asked for records; some of their servers answer such questions wrongly.
        let secure = |answer: &Answer| matches!(answer, Answer::Secure(found) if !found.is_empty());
        let v4 = self.lookup(host, RecordType::A).await.map_err(DnsError::from);
        let signed = match &v4 {
            Ok(answer) if secure(answer) => true,
            // Nobody signs its zone, so nobody signs its other addresses.
            Ok(Answer::Insecure) => false,
            _ => match (
                self.lookup(host, RecordType::AAAA).await.map_err(DnsError::from),
                v4,
            ) {
                (Ok(answer), _) if secure(&answer) => true,
                (Err(error @ DnsError::Temporary(_)), _) | (_, Err(error @ DnsError::Temporary(_))) => {
                    return Err(error);
                }
                _ => false,
            },
        };
        if !signed {
            return Ok(Dane::None);
        }
        let name = format!("_{port}._tcp.{}", host.trim_end_matches('.'));
        let found = match self.lookup(&name, RecordType::TLSA).await {
            Ok(Answer::Secure(found)) => found,
            Ok(Answer::Insecure) | Err(Failure::NoName) => return Ok(Dane::None),
            Err(failure) => return Err(failure.into()),
        };
        let records: Vec<Tlsa> = found.into_iter().filter_map(tlsa).take(TLSA_MAX_COUNT).collect();
        Ok(if records.is_empty() {
            Dane::None
        } else {
            Dane::Records(records)
        })
    }

    /// The root's own keys are the least that must be provable. Once they were, they stay so: who damages answers later only has mail put off. So
    /// does who keeps them from coming at all (RFC 7672 §2.1.1).
    pub(crate) async fn cannot_validate(&self) -> Option<String> {
        let before = self.inner.probe.lock().clone();
        match before {
            Probe::Proves => return None,
            Probe::Unanswered(at) if at.elapsed() < PROBE_AGAIN_AFTER => return None,
            Probe::Unproved(at, reason) if at.elapsed() < PROBE_AGAIN_AFTER => return Some(reason),
            _ => {}
        }
        // Several may ask at once; none waits for another.
        let found = match self.lookup(".", RecordType::DNSKEY).await {
            Ok(Answer::Secure(keys)) if !keys.is_empty() => Probe::Proves,
            Ok(_) => Probe::Unproved(Instant::now(), "the name servers give no signatures".to_owned()),
            Err(Failure::Unanswered(_)) => Probe::Unanswered(Instant::now()),
            Err(failure) => Probe::Unproved(Instant::now(), DnsError::from(failure).to_string()),
        };
        let mut probe = self.inner.probe.lock();
        if !matches!(*probe, Probe::Proves) {
            *probe = found;
        }
        match &*probe {
            Probe::Unproved(_, reason) => Some(reason.clone()),
            _ => None,
        }
    }

    async fn lookup(&self, name: &str, kind: RecordType) -> Result<Answer, Failure> {
        let resolver = self.inner.resolver.get_or_try_init(async || {
            let anchors = anchors(self.inner.config.trust_anchor.clone()).await;
            let built = anchors.and_then(|anchors| build(&self.inner.config, Some(anchors), CACHE_MAX_COUNT));
            built.map_err(Failure::Unproved)
        });
        let name =
            Name::from_ascii(format!("{}.", name.trim_end_matches('.'))).map_err(|_| Failure::NoName)?;
        match resolver.await?.lookup(name.clone(), kind).await {
            Ok(found) => {
                // Only what is of that name, or of one that it leads to: who forges may add records of a zone that nobody signs.
                let mut chain = vec![name.clone()];
                for record in found.answers() {
                    if let RData::CNAME(to) = &record.data
                        && chain.contains(&record.name)
                    {
                        chain.push(to.0.clone());
                    }
                }
                let of_chain = found
                    .answers()
                    .iter()
                    .filter(|record| chain.contains(&record.name));
                let answers: Vec<_> = of_chain.collect();
                if answers.is_empty() || answers.iter().any(|record| record.proof < Proof::Insecure) {
                    return Err(Failure::Unproved(
                        "an answer whose signature does not hold".to_owned(),
                    ));
                }
                // One link of a chain of aliases that is not signed leaves the rest unproved.
                if answers.iter().any(|record| !record.proof.is_secure()) {
                    return Ok(Answer::Insecure);
                }
                let wanted = answers.iter().filter(|record| record.record_type() == kind);
                Ok(Answer::Secure(wanted.map(|record| record.data.clone()).collect()))
            }
            Err(NetError::Dns(error)) => negative(&name, error),
            Err(error) => Err(Failure::Unanswered(error.to_string())),
        }
    }
}

/// The keys that everything else is proved by: those of a file, or the root's.
async fn anchors(file: Option<PathBuf>) -> Result<TrustAnchors, String> {
    let Some(file) = file else {
        return Ok(TrustAnchors::default());
    };
    let shown = file.display().to_string();
    let read = tokio::task::spawn_blocking(move || TrustAnchors::from_file(&file)).await;
    let read = read.map_err(|error| error.to_string())?;
    read.map_err(|error| format!("{shown}: {error}"))
}

/// That there is nothing has to be proved as well.
fn negative(name: &Name, error: NetDnsError) -> Result<Answer, Failure> {
    match error {
        NetDnsError::Nsec { proof, .. } if proof.is_secure() => Ok(Answer::Secure(Vec::new())),
        NetDnsError::Nsec { proof, .. } if proof.is_insecure() => Ok(Answer::Insecure),
        NetDnsError::NoRecordsFound(none) => match none.response_code {
            // The proof that there is nothing was looked at before; in a signed zone its SOA record has one.
            ResponseCode::NoError | ResponseCode::NXDomain => {
                let authorities = none.authorities.iter().flat_map(|records| records.iter());
                let zones: Vec<_> = authorities
                    .filter(|record| record.record_type() == RecordType::SOA)
                    .collect();
                // The zone of somebody else, which nobody signs, proves nothing here.
                if !zones.iter().all(|zone| zone.name.zone_of(name)) {
                    return Err(Failure::Unproved("an answer of another zone".to_owned()));
                }
                let proved = zones.iter().any(|zone| zone.proof.is_secure());
                Ok(if proved {
                    Answer::Secure(Vec::new())
                } else {
                    Answer::Insecure
                })
            }
            other => Err(Failure::Unproved(other.to_string())),
        },
        other => Err(Failure::Unproved(other.to_string())),
    }
}

/// A host's name as it is compared: in lower case, without the root's dot.
fn host_text(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}

fn tlsa(data: RData) -> Option<Tlsa> {
    let RData::TLSA(tlsa) = data else { return None };
    Some(Tlsa {
        usage: tlsa.cert_usage.into(),
        selector: tlsa.selector.into(),
        matching: tlsa.matching.into(),
        data: tlsa.cert_data.clone(),
    })
}
