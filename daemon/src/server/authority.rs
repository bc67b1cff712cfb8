//! What the settings say about certificates that the server gets by itself.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use acme::{Kind, Options, Parts};
use directory::Directory;
use disk::SharedDisk;
use dns::Dns;
use events::Events;
use tls::Tls;

use super::assemble::secret_file;
use super::config::Config;

pub(super) fn parts(
    config: &Config,
    disk: &SharedDisk,
    data: &Path,
    (directory, tls, dns): (&Directory, &Tls, &Dns),
    events: &Events,
) -> Parts {
    let directory = directory.clone();
    Parts {
        disk: disk.clone(),
        dir: data.join("acme"),
        tls: tls.clone(),
        dns: dns.clone(),
        events: events.clone(),
        options: Arc::new(move || options(&directory)),
        external_key: secret_file(disk, data, "acme"),
        web: config.listen.web,
    }
}

/// Of the moment in which it is asked for.
fn options(directory: &Directory) -> Options {
    let settings = directory.settings();
    let text = |key: &str| settings.text(key).trim().to_owned();
    let contact = text("acme.contact");
    let addresses = contact
        .split([',', ' ', ';'])
        .filter(|address| !address.is_empty());
    Options {
        directory: text("acme.directory"),
        contact: addresses
            .map(|address| format!("mailto:{}", address.trim_start_matches("mailto:")))
            .collect(),
        agree: settings.flag("acme.agree-terms"),
        challenge: Kind::of_word(settings.text("acme.challenge")).unwrap_or_default(),
        dns_command: text("acme.dns-command"),
        dns_wait: Duration::from_secs(settings.number("acme.dns-wait")),
        authority: text("acme.authority"),
        external_account: text("acme.external-account"),
    }
}
