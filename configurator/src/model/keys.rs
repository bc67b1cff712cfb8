//! What the selected user logs in with beside the password: app passwords and certificates.

use shared::model::{AppPassword, Protocol, UserCertificate};
use shared::protocol::{
    AppPasswordAdd, AppPasswordList, NewAppPassword, UserCertificateAdd, UserCertificateList,
};

use super::forms::{Call, Check, Errors, required};
use super::said::Said;
use super::{Model, Page};

/// The keys of one user.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    pub user: Option<String>,
    pub apps: Vec<AppPassword>,
    pub certificates: Vec<UserCertificate>,
    pub failed: Option<Said>,
}

/// A certificate that the user is to log in with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CertificateForm {
    pub user: String,
    pub label: String,
    /// In PEM, or its fingerprint.
    pub certificate: String,
}

impl CertificateForm {
    pub(super) fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let certificate = check.one("certificate", self.certificate.trim(), required);
        let certificate = check.done(certificate)?;
        Ok(vec![Call::of(&UserCertificateAdd {
            address: self.user.clone(),
            label: self.label.trim().to_owned(),
            certificate,
        })])
    }
}

/// A password that is shown once.
#[derive(Clone, PartialEq)]
pub struct Secret {
    pub label: String,
    pub password: String,
}

/// Secrets appear in no log.
impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Secret({:?})", self.label)
    }
}

/// A new app password.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AppForm {
    pub user: String,
    pub label: String,
    /// None: all.
    pub protocols: Vec<Protocol>,
}

impl AppForm {
    pub(super) fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let label = check.one("label", self.label.trim(), required);
        let label = check.done(label)?;
        Ok(vec![Call::of(&AppPasswordAdd {
            address: self.user.clone(),
            label,
            protocols: self.protocols.clone(),
        })])
    }

    /// What the daemon made of it.
    pub(super) fn secret(&self, answer: serde_json::Value) -> Option<Secret> {
        let made: NewAppPassword = serde_json::from_value(answer).ok()?;
        Some(Secret {
            label: self.label.trim().to_owned(),
            password: made.password,
        })
    }
}

impl Model {
    /// Reads the keys of the user who is selected on a page of users.
    pub(super) fn read_keys(&mut self) {
        let user = match self.page {
            Page::Users(_) => self.users.selected.clone(),
            _ => None,
        };
        if self.keys.user != user {
            self.keys = Keys {
                user: user.clone(),
                ..Keys::default()
            };
        }
        let Some(address) = user.filter(|_| self.connected()) else {
            return;
        };
        let asked = address.clone();
        let of = address.clone();
        self.ask(
            &UserCertificateList { address: of.clone() },
            move |model, answer| {
                if let (true, Ok(certificates)) = (model.keys.user.as_ref() == Some(&of), answer) {
                    model.keys.certificates = certificates;
                }
            },
        );
        self.ask(&AppPasswordList { address }, move |model, answer| {
            if model.keys.user.as_ref() != Some(&asked) {
                return;
            }
            match answer {
                Ok(apps) => {
                    model.keys.apps = apps;
                    model.keys.failed = None;
                }
                Err(failed) => model.keys.failed = Some(Said::failed(&failed)),
            }
        });
    }
}
