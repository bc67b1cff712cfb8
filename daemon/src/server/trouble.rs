//! Why the daemon can't start, in one clear line.

use std::fmt::Display;
use std::io;
use std::path::Path;

use i18n::{Arg, Language};

/// The text is the Fluent message `daemon-error-<key>`.
#[derive(Debug)]
pub(super) struct Trouble {
    key: &'static str,
    args: Vec<(&'static str, String)>,
}

impl Trouble {
    pub(super) fn new(key: &'static str) -> Self {
        Self {
            key,
            args: Vec::new(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    pub(super) fn unwritable(path: &Path, error: &io::Error) -> Self {
        Self::new("unwritable")
            .with("path", path.display())
            .with("reason", error)
    }

    pub(super) fn store(store: &'static str, error: impl Display) -> Self {
        Self::new("store").with("store", store).with("reason", error)
    }

    pub(super) fn text(&self, language: Language) -> String {
        let args: Vec<(&str, Arg)> = self
            .args
            .iter()
            .map(|(name, value)| (*name, value.as_str().into()))
            .collect();
        i18n::format(language, &format!("daemon-error-{}", self.key), &args)
    }
}

impl From<net::NetError> for Trouble {
    fn from(error: net::NetError) -> Self {
        match error {
            net::NetError::Occupied(address) => Self::new("port-occupied").with("address", address),
            net::NetError::Forbidden(address) => Self::new("port-forbidden").with("address", address),
            net::NetError::Listen { address, source } => {
                Self::new("port").with("address", address).with("reason", source)
            }
            net::NetError::NoSuchService(name) => Self::new("start").with("reason", name),
        }
    }
}
