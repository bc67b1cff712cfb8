//! What is wrong with a certificate, in a few words that do not depend on what the peer wrote into it: for counting.
//!
//! Must not know: who counts.

use rustls::{CertificateError, Error};

use crate::dane::NoMatch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    Expired,
    /// It has another name.
    WrongName,
    /// None of the records of the DNS names it.
    NoRecord,
    /// It leads to nobody who is believed; why, in one word.
    Untrusted(&'static str),
}

impl Flaw {
    /// `None`: the error is about something else than the certificate.
    pub fn of(error: &Error) -> Option<Self> {
        let Error::InvalidCertificate(error) = error else {
            return None;
        };
        Some(match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::Untrusted("not-valid-yet")
            }
            CertificateError::UnknownIssuer => Self::Untrusted("unknown-issuer"),
            CertificateError::BadEncoding => Self::Untrusted("bad-encoding"),
            CertificateError::BadSignature => Self::Untrusted("bad-signature"),
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::Untrusted("invalid-purpose")
            }
            CertificateError::Other(other) => inner(&*other.0),
            _ => Self::Untrusted("invalid"),
        })
    }
}

/// Errors of the check against records.
fn inner(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Flaw {
    if error.is::<NoMatch>() {
        return Flaw::NoRecord;
    }
    match error.downcast_ref::<webpki::Error>() {
        Some(webpki::Error::CertExpired { .. }) => Flaw::Expired,
        Some(webpki::Error::CertNotValidForName(_)) => Flaw::WrongName,
        Some(webpki::Error::CertNotValidYet { .. }) => Flaw::Untrusted("not-valid-yet"),
        Some(webpki::Error::UnknownIssuer) => Flaw::Untrusted("unknown-issuer"),
        _ => Flaw::Untrusted("invalid"),
    }
}
