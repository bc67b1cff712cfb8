//! The settings of a server: one definition of each feeds validation, defaults, the configurator and the documentation.
//!
//! A setting's label and help are the Fluent messages `setting-<key with dots as hyphens>` and `…-help`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Refusal, networks, switches};

/// The longest list of rules.
const SWITCHES_LENGTH_MAX_BYTES: usize = 4096;
const NETWORKS_LENGTH_MAX_BYTES: usize = 4096;

/// What a setting may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text {
        length_max: usize,
    },
    Flag,
    /// A whole number in `unit` within the bounds.
    Number {
        min: u64,
        max: u64,
        unit: Unit,
    },
    /// `en`, `ru`.
    Language,
    /// Addresses and networks: see [`crate::networks`].
    Networks,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Capabilities that are not offered to some: see [`crate::switches`].
    Switches,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Count,
    Bytes,
    Seconds,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub key: &'static str,
    pub kind: Kind,
    pub default: &'static str,
}

const fn text(key: &'static str, default: &'static str) -> Setting {
    Setting {
        key,
        kind: Kind::Text { length_max: 255 },
        default,
    }
}

const fn number(key: &'static str, default: &'static str, min: u64, max: u64, unit: Unit) -> Setting {
    Setting {
        key,
        kind: Kind::Number { min, max, unit },
        default,
    }
}

const fn flag(key: &'static str, default: &'static str) -> Setting {
    Setting {
        key,
        kind: Kind::Flag,
        default,
    }
}

/// Every setting there is, in the order in which people see them.
pub const SETTINGS: &[Setting] = &[
    text("server.hostname", "localhost"),
    Setting {
        key: "server.language",
        kind: Kind::Language,
        default: "en",
    },
    Setting {
        key: "server.own-networks",
        kind: Kind::Networks,
        default: "",
    },
    text("server.postmaster", ""),
    number("smtp.message-size-max", "52428800", 1024, 1 << 40, Unit::Bytes),
    number("smtp.recipients-max", "1000", 1, 100_000, Unit::Count),
    number("smtp.errors-max", "20", 1, 10_000, Unit::Count),
    number("smtp.commands-max", "500", 20, 1_000_000, Unit::Count),
    number("smtp.timeout", "300", 10, 3600, Unit::Seconds),
    number("smtp.patience", "3600", 60, 86_400, Unit::Seconds),
    Setting {
        key: "smtp.verify",
        kind: Kind::Flag,
        default: "false",
    },
    flag("smtp.sender-checks", "true"),
    flag("smtp.sender-checks-own", "false"),
    number("smtp.sender-checks-timeout", "20", 1, 300, Unit::Seconds),
    number("smtp.sessions-max", "2000", 1, 1_000_000, Unit::Count),
    Setting {
        key: "submission.check-from",
        kind: Kind::Flag,
        default: "true",
    },
    number("submission.sessions-max", "2000", 1, 1_000_000, Unit::Count),
    number("lmtp.sessions-max", "500", 1, 1_000_000, Unit::Count),
    number("imap.sessions-max", "20000", 1, 1_000_000, Unit::Count),
    number("imap.timeout", "1860", 1800, 86_400, Unit::Seconds),
    Setting {
        key: "imap.capabilities-off",
        kind: Kind::Switches,
        default: "",
    },
    Setting {
        key: "imap.index",
        kind: Kind::Flag,
        default: "true",
    },
    number("pop3.sessions-max", "5000", 1, 1_000_000, Unit::Count),
    number("pop3.timeout", "600", 600, 86_400, Unit::Seconds),
    number("pop3.login-delay", "0", 0, 86_400, Unit::Seconds),
    number("pop3.expire-days", "0", 0, 36_500, Unit::Count),
    text("pop3.implementation", "BatPost"),
    number("web.sessions-max", "500", 1, 1_000_000, Unit::Count),
    Setting {
        key: "mta-sts.publish",
        kind: Kind::Flag,
        default: "false",
    },
    Setting {
        key: "net.proxies",
        kind: Kind::Networks,
        default: "",
    },
    number("net.sessions-per-address-max", "200", 1, 1_000_000, Unit::Count),
    Setting {
        key: "tls.client-certificates",
        kind: Kind::Flag,
        default: "false",
    },
    text("acme.directory", ""),
    flag("acme.agree-terms", "false"),
    text("acme.contact", ""),
    Setting {
        key: "acme.challenge",
        kind: Kind::Choice(&["http-01", "tls-alpn-01", "dns-01"]),
        default: "http-01",
    },
    text("acme.dns-command", ""),
    number("acme.dns-wait", "120", 0, 3600, Unit::Seconds),
    text("acme.external-account", ""),
    text("acme.authority", ""),
    text("oauth.issuer", ""),
    text("oauth.audience", ""),
    text("oauth.user-claim", "email"),
    text("oauth.keys", ""),
    text("oauth.introspection-url", ""),
    text("oauth.client-id", ""),
    number("fetch.concurrency", "10", 1, 1000, Unit::Count),
    text("outgoing.smarthost", ""),
    text("outgoing.smarthost-user", ""),
    number("outgoing.port", "25", 1, 65_535, Unit::Count),
    number("outgoing.concurrency", "100", 1, 10_000, Unit::Count),
    number("outgoing.host-concurrency", "10", 1, 1000, Unit::Count),
    number("outgoing.host-rate", "0", 0, 60_000, Unit::Count),
    number("outgoing.keep-time", "10", 0, 300, Unit::Seconds),
    number("outgoing.keep-messages", "100", 1, 10_000, Unit::Count),
    number("outgoing.rest-first", "60", 1, 86_400, Unit::Seconds),
    number("outgoing.rest-max", "3600", 1, 86_400, Unit::Seconds),
    Setting {
        key: "outgoing.mta-sts",
        kind: Kind::Flag,
        default: "true",
    },
    Setting {
        key: "outgoing.dane",
        kind: Kind::Flag,
        default: "false",
    },
    flag("forward.srs", "true"),
    flag("tls-report.send", "false"),
    flag("dmarc.reports", "false"),
    text("dmarc.organization", ""),
    text("dmarc.contact", ""),
    number("queue.lifetime", "432000", 60, 8_640_000, Unit::Seconds),
    number("queue.warn-after", "14400", 0, 8_640_000, Unit::Seconds),
    number("queue.retry-first", "300", 1, 86_400, Unit::Seconds),
    number("queue.retry-max", "14400", 1, 864_000, Unit::Seconds),
    number("log.keep-days", "30", 1, 36_500, Unit::Count),
];

/// The setting of that key.
pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

impl Setting {
    /// Checks a value as a person or program gave it; returns it in its canonical form.
    pub fn validate(&self, value: &str) -> Result<String, Refusal> {
        let bad = || {
            Refusal::new("setting-invalid")
                .with("setting", self.key)
                .with("value", value)
                .field(self.key)
        };
        match self.kind {
            Kind::Text { length_max }
                if value.len() <= length_max && !value.chars().any(char::is_control) =>
            {
                Ok(value.trim().to_owned())
            }
            Kind::Text { .. } => Err(bad()),
            Kind::Flag => match value {
                "true" | "false" => Ok(value.to_owned()),
                _ => Err(bad()),
            },
            Kind::Number { min, max, .. } => {
                let number: u64 = value.trim().parse().map_err(|_| bad())?;
                if (min..=max).contains(&number) {
                    return Ok(number.to_string());
                }
                Err(Refusal::new("setting-out-of-range")
                    .with("setting", self.key)
                    .with("value", number)
                    .with("min", min)
                    .with("max", max)
                    .field(self.key))
            }
            Kind::Choice(words) if words.contains(&value.trim()) => Ok(value.trim().to_owned()),
            Kind::Choice(_) => Err(bad()),
            Kind::Switches => {
                if value.len() > SWITCHES_LENGTH_MAX_BYTES || value.chars().any(char::is_control) {
                    return Err(bad());
                }
                switches::parse(value).map_err(|refusal| refusal.field(self.key))?;
                Ok(value.trim().to_owned())
            }
            Kind::Networks => {
                if value.len() > NETWORKS_LENGTH_MAX_BYTES || value.chars().any(char::is_control) {
                    return Err(bad());
                }
                networks::list(value).map_err(|refusal| refusal.field(self.key))?;
                Ok(value.trim().to_owned())
            }
            Kind::Language => match value {
                "en" | "ru" => Ok(value.to_owned()),
                _ => Err(bad()),
            },
        }
    }
}

/// The values of all settings; what is not set has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    values: BTreeMap<String, String>,
}

impl Settings {
    /// The value of a setting, its default if it was never set.
    pub fn text(&self, key: &str) -> &str {
        self.values
            .get(key)
            .map(String::as_str)
            .or_else(|| find(key).map(|s| s.default))
            .unwrap_or_default()
    }

    /// The number of a setting; 0 for a key that is not a number's.
    pub fn number(&self, key: &str) -> u64 {
        self.text(key).parse().unwrap_or_default()
    }

    pub fn flag(&self, key: &str) -> bool {
        self.text(key) == "true"
    }

    /// Sets a value after checking it.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), Refusal> {
        let setting = find(key).ok_or_else(|| Refusal::new("setting-unknown").with("setting", key))?;
        self.values.insert(key.to_owned(), setting.validate(value)?);
        Ok(())
    }

    /// Sets a value that was stored. What was taken in before it was checked as strictly stays as it is.
    pub fn restore(&mut self, key: &str, value: &str) {
        if self.set(key, value).is_err() && find(key).is_some_and(|setting| setting.kind == Kind::Networks) {
            self.values.insert(key.to_owned(), value.to_owned());
        }
    }

    /// What differs from the defaults.
    pub fn changed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_default_is_valid_and_canonical() {
        for setting in SETTINGS {
            assert_eq!(
                setting.validate(setting.default).unwrap(),
                setting.default,
                "{}",
                setting.key
            );
        }
    }

    #[test]
    fn a_value_out_of_range_is_refused_and_names_the_field() {
        let mut settings = Settings::default();
        let refusal = settings.set("outgoing.port", "70000").unwrap_err();
        assert_eq!(refusal.code, "setting-out-of-range");
        assert_eq!(refusal.field.as_deref(), Some("outgoing.port"));
        assert_eq!(settings.number("outgoing.port"), 25);
        settings.set("outgoing.port", " 2525 ").unwrap();
        assert_eq!(settings.number("outgoing.port"), 2525);
    }
}
