//! What an administrator does with the certificates of a running server: look at them, import one, remove one.
//!
//! Each import lies in a folder of its own, made whole before anything is removed, so that a crash at any moment leaves a certificate for
//! every name that had one. What an import makes superfluous (all of its names are in the new one) is removed after it.

use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::CertifiedKey;

use crate::store::{CERTIFICATE_FILE, Certificates, KEY_FILE, make_private};
use crate::{TlsError, peers, x509};

/// Longest PEM text that is taken.
const PEM_LENGTH_MAX_BYTES: usize = 256 * 1024;
/// Letters of a host's name in the name of its folder.
const FOLDER_NAME_LENGTH_MAX: usize = 64;

/// A certificate at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name of its folder; empty: the one that was there first.
    pub id: String,
    /// The host names in it.
    pub names: Vec<String>,
    pub issuer: String,
    /// Unix seconds.
    pub not_before: i64,
    /// Unix seconds.
    pub not_after: i64,
    pub self_signed: bool,
    /// Those of its names for which it is the one that is served.
    pub served_for: Vec<String>,
    /// It is served to whom names no host, or one that no certificate is for.
    pub default: bool,
}

pub(crate) fn list(certificates: &Certificates) -> Vec<Listed> {
    let mut listed: Vec<Listed> = certificates
        .all()
        .iter()
        .map(|(id, certificate)| {
            let serves = |name: &&String| {
                let served = certificates.served(Some(name.as_str()));
                served.is_some_and(|served| Arc::ptr_eq(served, certificate))
            };
            Listed {
                id: id.clone(),
                names: certificate.names().to_vec(),
                issuer: certificate.facts().issuer.clone(),
                not_before: certificate.facts().not_before,
                not_after: certificate.facts().not_after,
                self_signed: certificate.facts().self_issued,
                served_for: certificate.names().iter().filter(serves).cloned().collect(),
                default: certificates
                    .served(None)
                    .is_some_and(|served| Arc::ptr_eq(served, certificate)),
            }
        })
        .collect();
    listed.sort_by(|a, b| a.id.cmp(&b.id));
    listed
}

/// The host names in the first certificate of a PEM text, in lower case.
pub fn names_in(pem: &str) -> Result<Vec<String>, TlsError> {
    let refused = |error: &dyn std::fmt::Display| TlsError::Refused(format!("no certificate: {error}"));
    let first = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| refused(&error))?;
    let entity = webpki::EndEntityCert::try_from(&first).map_err(|error| refused(&error))?;
    Ok(entity.valid_dns_names().map(str::to_ascii_lowercase).collect())
}

/// Writes a certificate, its chain and its key, all in one PEM text. Gives the name of the folder.
pub(crate) fn import(
    disk: &dyn Disk,
    dir: &Path,
    provider: &CryptoProvider,
    pem: &str,
) -> Result<String, TlsError> {
    let invalid = |reason: &str| TlsError::Refused(reason.to_owned());
    if pem.len() > PEM_LENGTH_MAX_BYTES {
        return Err(invalid("the text is too long"));
    }
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| invalid(&format!("no certificate: {error}")))?;
    let first = chain
        .first()
        .ok_or_else(|| invalid("there is no certificate in it"))?;
    let facts = x509::facts(first).ok_or_else(|| invalid("the certificate can't be read"))?;
    let entity = webpki::EndEntityCert::try_from(first)
        .map_err(|error| invalid(&format!("the certificate can't be read: {error}")))?;
    let name = entity
        .valid_dns_names()
        .next()
        .ok_or_else(|| invalid("there is no host name in the certificate"))?
        .to_ascii_lowercase();
    if facts.not_after <= i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX) {
        return Err(invalid("the certificate has expired"));
    }
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| invalid(&format!("there is no key in it that can be read: {error}")))?;
    // Checks that the key is that of the certificate.
    CertifiedKey::from_der(chain.clone(), key, provider)
        .map_err(|error| invalid(&format!("the key is not that of the certificate: {error}")))?;
    let id = folder(&name, first);
    let path = dir.join(&id);
    let file = |source| TlsError::File {
        path: path.clone(),
        source,
    };
    disk.create_dir_all_synced(&path).map_err(file)?;
    make_private(disk, &path)?;
    // The key first: a folder without a certificate is passed over.
    let blocks = |wanted: fn(&str) -> bool| blocks(pem, wanted);
    disk.write_atomic(
        &path.join(KEY_FILE),
        blocks(|label| label.ends_with("PRIVATE KEY")).as_bytes(),
    )
    .map_err(file)?;
    make_private(disk, &path.join(KEY_FILE))?;
    disk.write_atomic(
        &path.join(CERTIFICATE_FILE),
        blocks(|label| label == "CERTIFICATE").as_bytes(),
    )
    .map_err(file)?;
    Ok(id)
}

/// Removes the folder of a certificate; the caller knows that there is one.
pub(crate) fn remove(disk: &dyn Disk, dir: &Path, id: &str) -> Result<(), TlsError> {
    let path = dir.join(id);
    let file = |source| TlsError::File {
        path: path.clone(),
        source,
    };
    // Without its certificate the folder is passed over, should the rest of it stay.
    disk.remove_file(&path.join(CERTIFICATE_FILE)).map_err(file)?;
    disk.sync_dir(&path).map_err(file)?;
    disk.remove_dir_all(&path).map_err(file)?;
    disk.sync_dir(dir).map_err(file)
}

/// The folders that a new certificate makes superfluous.
pub(crate) fn superseded(listed: &[Listed], new: &str) -> Vec<String> {
    let Some(names) = listed.iter().find(|one| one.id == new).map(|one| &one.names) else {
        return Vec::new();
    };
    let others = listed.iter().filter(|one| !one.id.is_empty() && one.id != new);
    others
        .filter(|one| one.names.iter().all(|name| names.contains(name)))
        .map(|one| one.id.clone())
        .collect()
}

/// A name for a folder that tells two certificates of one host apart.
fn folder(name: &str, certificate: &CertificateDer<'_>) -> String {
    let host: String = name
        .replace('*', "any")
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        .take(FOLDER_NAME_LENGTH_MAX)
        .collect();
    let fingerprint = peers::fingerprint(certificate);
    format!("{host}-{}", fingerprint.get(..8).unwrap_or_default())
}

/// The blocks of a PEM text (RFC 7468 §2) with these labels, as they are written.
fn blocks(pem: &str, wanted: fn(&str) -> bool) -> String {
    let mut out = String::new();
    let mut within = false;
    for line in pem.lines().map(str::trim) {
        let label = |mark: &str| line.strip_prefix(mark)?.strip_suffix("-----").map(str::trim);
        within |= label("-----BEGIN ").is_some_and(wanted);
        if within {
            out.push_str(line);
            out.push('\n');
        }
        if label("-----END ").is_some() {
            within = false;
        }
    }
    out
}
