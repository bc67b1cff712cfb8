//! Whether a certificate is the one that the DNS says a mail server has (RFC 6698, RFC 7671, RFC 7672).
//!
//! Only the usages 2 (DANE-TA) and 3 (DANE-EE) are looked at: the other two ask for a public authority as well, which mail servers can't rely on
//! (RFC 7672 §3.1.3). A trust anchor that is only a key, of a certificate which the server does not send, matches nothing.
//!
//! Must not know: the DNS, and whether its answer was signed.

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error};
use sha2::{Digest, Sha256, Sha512};

/// One TLSA record (RFC 6698 §2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaneRecord {
    pub usage: u8,
    pub selector: u8,
    pub matching: u8,
    pub data: Vec<u8>,
}

const DANE_TA: u8 = 2;
const DANE_EE: u8 = 3;

impl DaneRecord {
    /// Whether it says something that is understood here (RFC 7672 §3.1): records of other kinds are passed over.
    pub fn is_usable(&self) -> bool {
        let length = match self.matching {
            0 => !self.data.is_empty(),
            1 => self.data.len() == 32,
            2 => self.data.len() == 64,
            _ => false,
        };
        matches!(self.usage, DANE_TA | DANE_EE) && self.selector <= 1 && length
    }

    fn matches(&self, certificate: &CertificateDer<'_>) -> bool {
        let selected = match self.selector {
            0 => certificate.to_vec(),
            1 => match webpki::EndEntityCert::try_from(certificate) {
                Ok(parsed) => parsed.subject_public_key_info().to_vec(),
                Err(_) => return false,
            },
            _ => return false,
        };
        match self.matching {
            0 => selected == self.data,
            1 => Sha256::digest(&selected)[..] == self.data[..],
            2 => Sha512::digest(&selected)[..] == self.data[..],
            _ => false,
        }
    }
}

/// Checks what a server showed against the records. One record that holds is enough.
pub(crate) fn verify(
    records: &[DaneRecord],
    algorithms: &WebPkiSupportedAlgorithms,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    names: &[ServerName<'static>],
    now: UnixTime,
) -> Result<(), Error> {
    let usable = || records.iter().filter(|record| record.is_usable());
    // RFC 7672 §3.1.1: the key is all that counts; neither names nor dates are looked at.
    if usable().any(|record| record.usage == DANE_EE && record.matches(end_entity)) {
        return Ok(());
    }
    let mut last = CertificateError::Other(rustls::OtherError(std::sync::Arc::new(NoMatch)));
    for record in usable().filter(|record| record.usage == DANE_TA) {
        let given = CertificateDer::from(record.data.as_slice());
        // RFC 7671 §5.2.2: a whole certificate in the record need not be sent by the server.
        let whole = (record.selector == 0 && record.matching == 0).then_some(&given);
        let sent = intermediates.iter().filter(|sent| record.matches(sent));
        for anchor in sent.chain(whole) {
            match leads_to(anchor, algorithms, end_entity, intermediates, names, now) {
                Ok(()) => return Ok(()),
                Err(error) => last = error,
            }
        }
    }
    Err(Error::InvalidCertificate(last))
}

/// Whether the chain ends at the anchor, and the certificate has one of the names (RFC 7672 §3.1.2).
fn leads_to(
    anchor: &CertificateDer<'_>,
    algorithms: &WebPkiSupportedAlgorithms,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    names: &[ServerName<'static>],
    now: UnixTime,
) -> Result<(), CertificateError> {
    let wrong =
        |error: webpki::Error| CertificateError::Other(rustls::OtherError(std::sync::Arc::new(error)));
    let anchor = webpki::anchor_from_trusted_cert(anchor).map_err(wrong)?;
    let entity = webpki::EndEntityCert::try_from(end_entity).map_err(wrong)?;
    entity
        .verify_for_usage(
            algorithms.all,
            &[anchor],
            intermediates,
            now,
            webpki::KeyUsage::server_auth(),
            None,
            None,
        )
        .map_err(wrong)?;
    let named = names
        .iter()
        .any(|name| entity.verify_is_valid_for_subject_name(name).is_ok());
    if named {
        Ok(())
    } else {
        Err(CertificateError::NotValidForName)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the certificate is none of those that the TLSA records name")]
pub(crate) struct NoMatch;
