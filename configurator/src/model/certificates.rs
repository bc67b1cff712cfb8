//! The server's certificates: what there is, and the form of a new one.

use shared::protocol::{
    CertificateAdd, CertificateList, CertificateObtain, CertificateOrders, CertificateReload,
};

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

/// A certificate that the server is to get by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObtainForm {
    /// One to a line, or with commas between.
    pub names: String,
}

impl ObtainForm {
    pub(super) fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let names = check.one("names", self.names.trim(), required);
        let names: String = check.done(names)?;
        Ok(vec![Call::of(&obtain(
            names
                .split([',', ' ', '\n'])
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
        ))])
    }
}

/// Nobody waits for it in front of a dialog: how it went stands in the list.
fn obtain(names: Vec<String>) -> CertificateObtain {
    CertificateObtain { names, wait: false }
}

impl Model {
    pub(super) fn read_certificates(&mut self) {
        self.ask(&CertificateList {}, |model, answer| match answer {
            Ok(certificates) => model.certificates = Some(certificates),
            Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
        });
        self.ask(&CertificateOrders {}, |model, answer| match answer {
            Ok(orders) => model.orders = orders,
            Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
        });
    }

    pub(super) fn obtain_again(&mut self, names: Vec<String>) {
        self.ask(&obtain(names), |model, answer| {
            if let Err(failed) = answer {
                model.notice(Tone::Bad, Said::failed(&failed));
            }
            model.read_certificates();
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
