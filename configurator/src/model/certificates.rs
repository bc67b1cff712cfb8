//! The server's certificates: what there is, and the form of a new one.

use shared::protocol::{CertificateAdd, CertificateList, CertificateReload};

use super::Model;
use super::forms::{Call, Check, Errors, required};
use super::said::{Said, Tone};

/// A certificate that is to be taken into use.
#[derive(Clone, Default, PartialEq)]
pub struct ServerCertificateForm {
    /// The certificate, its chain and its key.
    pub pem: String,
}

/// Secrets appear in no log.
impl std::fmt::Debug for ServerCertificateForm {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("ServerCertificateForm(…)")
    }
}

impl ServerCertificateForm {
    pub(super) fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let pem = check.one("pem", self.pem.trim(), required);
        let pem = check.done(pem)?;
        Ok(vec![Call::of(&CertificateAdd { pem })])
    }
}

impl Model {
    pub(super) fn read_certificates(&mut self) {
        self.ask(&CertificateList {}, |model, answer| match answer {
            Ok(certificates) => model.certificates = Some(certificates),
            Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
        });
    }

    pub(super) fn reload_certificates(&mut self) {
        self.ask(&CertificateReload {}, |model, answer| {
            match answer {
                Ok(_) => model.notice(Tone::Good, Said::key("notice-certificates-reloaded")),
                Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
            }
            model.read_certificates();
        });
    }
}
