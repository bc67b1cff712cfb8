//! The limits of a session, with their units; from the settings where an administrator may change them.

use std::time::Duration;

use shared::Address;
use shared::settings::Settings;

/// The longest line of a command, CRLF included (AUTH with an initial response, RFC 4954 §4).
pub(crate) const LINE_MAX_BYTES: usize = wire::smtp::COMMAND_MAX_BYTES;
/// How much of a line without an end is read and thrown away before the session is closed.
pub(crate) const LINE_SKIP_MAX_BYTES: usize = 1024 * 1024;
/// How much of a header is looked at; a longer one is taken, but what comes after is not counted.
pub(crate) const HEADER_MAX_BYTES: usize = 256 * 1024;
/// Received fields of a message that has lost its way (RFC 5321 §6.3 asks for at least 100 as the threshold of a simple count; 50
/// hosts in a row are a loop nowadays).
pub(crate) const RECEIVED_MAX_COUNT: usize = 50;
/// How much more than the size limit is read in order to answer in good order.
pub(crate) const OVERRUN_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Message data must come at this rate on the average, after a start of twice the timeout.
pub(crate) const DATA_RATE_MIN_BYTES_PER_SECOND: u64 = 1024;

#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) hostname: Box<str>,
    /// Where `<postmaster>` without a domain goes (RFC 5321 §4.5.1): the first of these that is here.
    pub(crate) postmasters: Vec<Address>,
    pub(crate) message_max_bytes: u64,
    pub(crate) recipients_max: usize,
    pub(crate) errors_max: u64,
    /// Commands since the last message, or since the greeting, that led to none.
    pub(crate) commands_max: u64,
    /// Time since the last message, or since the greeting.
    pub(crate) patience: Duration,
    /// Whether From must be an address that the user may send with.
    pub(crate) check_from: bool,
    /// Whether users who logged in are told by VRFY and EXPN who exists.
    pub(crate) verify: bool,
    pub(crate) timeout: Duration,
    /// Whether senders are checked, those of own networks too, and how long DNS may take for it.
    pub(crate) sender_checks: bool,
    pub(crate) sender_checks_own: bool,
    pub(crate) sender_checks_timeout: Duration,
}

impl Limits {
    pub(crate) fn read(settings: &Settings) -> Self {
        let hostname = settings.text("server.hostname");
        let postmasters = match Address::parse(settings.text("server.postmaster")) {
            Ok(address) => vec![address],
            // Until somebody is named: that of the server's name, or of the domain that the name is in.
            Err(_) => [Some(hostname), hostname.split_once('.').map(|(_, domain)| domain)]
                .into_iter()
                .flatten()
                .filter_map(|domain| Address::parse(&format!("postmaster@{domain}")).ok())
                .collect(),
        };
        Self {
            hostname: hostname.into(),
            postmasters,
            message_max_bytes: settings.number("smtp.message-size-max"),
            recipients_max: usize::try_from(settings.number("smtp.recipients-max")).unwrap_or(usize::MAX),
            errors_max: settings.number("smtp.errors-max"),
            commands_max: settings.number("smtp.commands-max"),
            patience: Duration::from_secs(settings.number("smtp.patience")),
            check_from: settings.flag("submission.check-from"),
            verify: settings.flag("smtp.verify"),
            timeout: Duration::from_secs(settings.number("smtp.timeout")),
            sender_checks: settings.flag("smtp.sender-checks"),
            sender_checks_own: settings.flag("smtp.sender-checks-own"),
            sender_checks_timeout: Duration::from_secs(settings.number("smtp.sender-checks-timeout")),
        }
    }
}
