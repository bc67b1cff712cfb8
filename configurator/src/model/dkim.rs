//! The keys that sign the mail of the selected domain (DKIM).

use shared::model::DkimKey;
use shared::protocol::{DkimAdd, DkimList, DkimRemove, DkimSet, Page as Part};

use super::forms::{Call, Errors};
use super::said::Said;
use super::{Model, Page};

/// The keys of one domain.
#[derive(Clone, Debug, Default)]
pub struct DkimKeys {
    pub domain: Option<String>,
    pub keys: Vec<DkimKey>,
    pub failed: Option<Said>,
}

/// A new key: made, or taken.
#[derive(Clone, Default, PartialEq)]
pub struct DkimForm {
    pub domain: String,
    pub selector: String,
    pub ed25519: bool,
    pub private_key: String,
}

/// Secrets appear in no log.
impl std::fmt::Debug for DkimForm {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "DkimForm({:?} {:?})", self.domain, self.selector)
    }
}

impl DkimForm {
    pub(super) fn calls(&self) -> Result<Vec<Call>, Errors> {
        Ok(vec![Call::of(&DkimAdd {
            domain: self.domain.clone(),
            selector: self.selector.trim().to_owned(),
            algorithm: if self.ed25519 { "ed25519" } else { "rsa" }.to_owned(),
            private_key: self.private_key.trim().to_owned(),
            active: false,
        })])
    }
}

/// What is asked before something is done with a key.
#[derive(Clone, Debug, PartialEq)]
pub enum DkimStep {
    Enable,
    Disable,
    Remove,
}

impl DkimStep {
    pub(super) fn call(&self, domain: &str, selector: &str) -> Call {
        let (domain, selector) = (domain.to_owned(), selector.to_owned());
        match self {
            Self::Remove => Call::of(&DkimRemove { domain, selector }),
            Self::Enable | Self::Disable => Call::of(&DkimSet {
                domain,
                selector,
                active: *self == Self::Enable,
            }),
        }
    }
}

impl Model {
    /// Reads the keys of the domain that is selected on the page of domains.
    pub(super) fn read_dkim(&mut self) {
        let domain = match self.page {
            Page::Domains => self.domains.selected.clone(),
            _ => None,
        };
        if self.dkim.domain != domain {
            self.dkim = DkimKeys {
                domain: domain.clone(),
                ..DkimKeys::default()
            };
        }
        let Some(domain) = domain.filter(|_| self.connected()) else {
            return;
        };
        let asked = domain.clone();
        let page = Part::default();
        self.ask(&DkimList { domain, page }, move |model, answer| {
            if model.dkim.domain.as_ref() != Some(&asked) {
                return;
            }
            match answer {
                Ok(rows) => {
                    model.dkim.keys = rows.rows;
                    model.dkim.failed = None;
                }
                Err(failed) => model.dkim.failed = Some(Said::failed(&failed)),
            }
        });
    }
}
