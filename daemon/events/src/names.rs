//! The names of channels and severities, as scripts see them.

use crate::{Channel, Severity};

const CHANNELS: [(Channel, &str); 8] = [
    (Channel::Smtp, "smtp"),
    (Channel::Pop3, "pop3"),
    (Channel::Imap, "imap"),
    (Channel::Delivery, "delivery"),
    (Channel::Security, "security"),
    (Channel::Errors, "errors"),
    (Channel::Drivers, "drivers"),
    (Channel::Application, "application"),
];

impl Channel {
    pub fn name(self) -> &'static str {
        CHANNELS
            .iter()
            .find(|(channel, _)| *channel == self)
            .map_or("application", |(_, name)| name)
    }

    /// The names of all channels.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CHANNELS.iter().map(|(_, name)| *name)
    }
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}
