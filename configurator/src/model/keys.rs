//! What the selected user logs in with beside the password: app passwords.

use shared::model::{AppPassword, Protocol};
use shared::protocol::{AppPasswordAdd, AppPasswordList, NewAppPassword};

use super::forms::{Call, Check, Errors, required};
use super::said::Said;
use super::{Model, Page};

/// The keys of one user.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    pub user: Option<String>,
    pub apps: Vec<AppPassword>,
    pub failed: Option<Said>,
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
