//! Certificates on the disk, and which is served for which name.
//!
//! Must not know: handshakes.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use disk::Disk;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::x509::{self, Facts};
use crate::{Found, TlsError, binding};

pub(crate) const CERTIFICATE_FILE: &str = "cert.pem";
pub(crate) const KEY_FILE: &str = "key.pem";
const ROOTS_FILE: &str = "roots.pem";
/// Life of a self-signed certificate: nobody renews one by hand.
const SELF_SIGNED_LIFE: Duration = Duration::from_hours(24 * 3650);

/// A certificate with its key and its channel binding.
pub(crate) struct Certificate {
    key: Arc<CertifiedKey>,
    end_point: Option<Vec<u8>>,
    names: Vec<String>,
    facts: Facts,
}

impl Certificate {
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn der(&self) -> Option<&[u8]> {
        self.key.cert.first().map(|first| &**first)
    }

    pub(crate) fn end_point(&self) -> Option<&[u8]> {
        self.end_point.as_deref()
    }
}

/// All certificates of one reload.
pub(crate) struct Certificates {
    default: Arc<Certificate>,
    /// By name in lower case; a wildcard by `*.` and its parent.
    by_name: HashMap<String, Arc<Certificate>>,
    /// By the folder's name; empty: the default pair.
    all: Vec<(String, Arc<Certificate>)>,
}

/// Makes the folder and a self-signed certificate if there is none.
pub(crate) fn ensure(disk: &dyn Disk, dir: &Path, hostname: &str) -> Result<Found, TlsError> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::File { path, source }
    };
    let (certificate, key) = (dir.join(CERTIFICATE_FILE), dir.join(KEY_FILE));
    if disk.exists(&certificate).map_err(file(&certificate))? {
        return Ok(Found::Certificate);
    }
    disk.create_dir_all_synced(dir).map_err(file(dir))?;
    // The folder is closed before the key is in it: at no time can another read it.
    make_private(disk, dir)?;
    // A key without a certificate is what a crash between the two leaves, or an administrator's: it is used, never replaced.
    let pair = if disk.exists(&key).map_err(file(&key))? {
        let pem = disk.read(&key).map_err(file(&key))?;
        let invalid = |reason: String| TlsError::Invalid {
            path: key.clone(),
            reason,
        };
        let pem = String::from_utf8(pem).map_err(|error| invalid(error.to_string()))?;
        rcgen::KeyPair::from_pem(&pem).map_err(|error| invalid(error.to_string()))?
    } else {
        let pair = rcgen::KeyPair::generate().map_err(|error| TlsError::Generate(error.to_string()))?;
        disk.write_atomic(&key, pair.serialize_pem().as_bytes())
            .map_err(file(&key))?;
        pair
    };
    make_private(disk, &key)?;
    let pem = self_signed(hostname, &pair).map_err(|error| TlsError::Generate(error.to_string()))?;
    disk.write_atomic(&certificate, pem.as_bytes())
        .map_err(file(&certificate))?;
    Ok(Found::Made)
}

/// The further roots of outgoing connections; none is not an error.
pub(crate) fn roots(disk: &dyn Disk, dir: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let path = dir.join(ROOTS_FILE);
    let file = |source| TlsError::File {
        path: path.clone(),
        source,
    };
    if !disk.exists(&path).map_err(file)? {
        return Ok(Vec::new());
    }
    let pem = disk.read(&path).map_err(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    found.map_err(|error| TlsError::Invalid {
        path: path.clone(),
        reason: error.to_string(),
    })
}

impl Certificates {
    /// Reads the default pair and those of the folders. What can't be read stays as it was in `before`, and is told in `damaged`.
    pub(crate) fn load(
        disk: &dyn Disk,
        dir: &Path,
        provider: &CryptoProvider,
        before: Option<&Self>,
        damaged: &mut Vec<TlsError>,
    ) -> Result<Self, TlsError> {
        let read = |dir: &Path| read_pair(disk, dir, provider).map(Arc::new);
        let default = crate::or_before(read(dir), before.map(|before| &before.default), damaged)?;
        let mut by_name: HashMap<String, Arc<Certificate>> = HashMap::new();
        let mut all = vec![(String::new(), default.clone())];
        for entry in disk.read_dir(dir).map_err(|source| TlsError::File {
            path: dir.to_owned(),
            source,
        })? {
            let sub = dir.join(&entry);
            if entry == crate::peers::FOLDER {
                continue;
            }
            let is_pair = disk.metadata(&sub).is_ok_and(|found| found.is_dir)
                && disk.exists(&sub.join(CERTIFICATE_FILE)).unwrap_or(false);
            if !is_pair {
                continue;
            }
            let known = before.and_then(|before| before.by_id(&entry));
            let pair = match crate::or_before(read(&sub), known, damaged) {
                Ok(pair) => pair,
                Err(error) => {
                    damaged.push(error);
                    continue;
                }
            };
            for name in &pair.names {
                // Of two for one name the one that lasts longer: the newer.
                let lasts = |other: &Arc<Certificate>| other.facts.not_after > pair.facts.not_after;
                if !by_name.get(name).is_some_and(lasts) {
                    by_name.insert(name.clone(), pair.clone());
                }
            }
            all.push((entry, pair));
        }
        for name in &default.names {
            by_name.entry(name.clone()).or_insert_with(|| default.clone());
        }
        Ok(Self {
            default,
            by_name,
            all,
        })
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Arc<Certificate>> {
        let mut all = self.all.iter();
        all.find(|(known, _)| known == id)
            .map(|(_, certificate)| certificate)
    }

    pub(crate) fn all(&self) -> &[(String, Arc<Certificate>)] {
        &self.all
    }

    /// What is served where nothing better is known: a better certificate for the default one's own name, or that one itself.
    fn fallback(&self) -> &Arc<Certificate> {
        let better = self.default.names.iter().find_map(|name| self.by_name.get(name));
        better.unwrap_or(&self.default)
    }

    /// What a client that asked for that name is served (RFC 6066 §3): the name's own, its parent's wildcard, the default.
    pub(crate) fn served(&self, name: Option<&str>) -> Option<&Arc<Certificate>> {
        let Some(name) = name else {
            return Some(self.fallback());
        };
        let name = name.to_ascii_lowercase();
        let found = self.by_name.get(&name).or_else(|| {
            let (_, parent) = name.split_once('.')?;
            self.by_name.get(&format!("*.{parent}"))
        });
        Some(found.unwrap_or_else(|| self.fallback()))
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.by_name.keys().cloned().collect();
        names.sort_unstable();
        names
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.served(hello.server_name())
            .map(|certificate| certificate.key.clone())
    }
}

/// Says nothing of keys.
impl fmt::Debug for Certificates {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Certificates")
            .field("names", &self.names())
            .finish()
    }
}

fn read_pair(disk: &dyn Disk, dir: &Path, provider: &CryptoProvider) -> Result<Certificate, TlsError> {
    let read = |path: &PathBuf| {
        disk.read(path).map_err(|source| TlsError::File {
            path: path.clone(),
            source,
        })
    };
    let certificate_path = dir.join(CERTIFICATE_FILE);
    let key_path = dir.join(KEY_FILE);
    let invalid = |path: &Path, reason: String| TlsError::Invalid {
        path: path.to_owned(),
        reason,
    };
    let chain = CertificateDer::pem_slice_iter(&read(&certificate_path)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| invalid(&certificate_path, error.to_string()))?;
    let first = chain
        .first()
        .ok_or_else(|| invalid(&certificate_path, "no certificate in it".to_owned()))?;
    let end_point = binding::end_point(first);
    let names = match webpki::EndEntityCert::try_from(first) {
        Ok(entity) => entity.valid_dns_names().map(str::to_ascii_lowercase).collect(),
        Err(error) => return Err(invalid(&certificate_path, error.to_string())),
    };
    let facts = x509::facts(first).unwrap_or_default();
    let key = PrivateKeyDer::from_pem_slice(&read(&key_path)?)
        .map_err(|error| invalid(&key_path, error.to_string()))?;
    let key = CertifiedKey::from_der(chain, key, provider)
        .map_err(|error| invalid(&key_path, error.to_string()))?;
    Ok(Certificate {
        facts,
        key: Arc::new(key),
        end_point,
        names,
    })
}

/// A certificate that says who it is and is signed by itself: clients ask their user once.
fn self_signed(hostname: &str, key: &rcgen::KeyPair) -> Result<String, rcgen::Error> {
    let mut params = rcgen::CertificateParams::new(vec![hostname.to_owned()])?;
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, hostname);
    let now = SystemTime::now();
    params.not_before = now.into();
    params.not_after = (now + SELF_SIGNED_LIFE).into();
    Ok(params.self_signed(key)?.pem())
}

/// Nothing is to be done on a disk that is not the machine's own.
pub(crate) fn make_private(disk: &dyn Disk, path: &Path) -> Result<(), TlsError> {
    let Some(real) = disk.real_path(path) else {
        return Ok(());
    };
    disk::set_private_permissions(&real).map_err(|source| TlsError::File {
        path: real.clone(),
        source,
    })
}
