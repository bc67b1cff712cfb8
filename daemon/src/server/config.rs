//! `batpost.toml`: where the server listens and where its databases are. Everything else is settings in a database.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use disk::SharedDisk;
use drivers::{Database, Mapping, Placement};
use serde::{Deserialize, Serialize};
use shared::model::Protocol;

use super::trouble::Trouble;

/// The file's name in the data directory.
pub(super) const FILE: &str = "batpost.toml";

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) listen: Listen,
    /// Where names of remote domains are looked up; tests script it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dns: Option<dns::Config>,
    #[serde(default = "main_database")]
    pub(super) databases: BTreeMap<String, Database>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) placing: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) mapping: BTreeMap<String, Mapping>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listen {
    /// Addresses that every service listens on.
    #[serde(default = "everywhere")]
    pub(super) addresses: Vec<IpAddr>,
    /// Added to the standard ports.
    #[serde(default)]
    pub(super) port_offset: u16,
    /// Ports 80 and 443 too, for mail programs that ask how an account is set up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) web: bool,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            addresses: everywhere(),
            port_offset: 0,
            web: false,
        }
    }
}

fn everywhere() -> Vec<IpAddr> {
    vec![
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    ]
}

fn main_database() -> BTreeMap<String, Database> {
    Placement::default().databases
}

/// A port of a service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Port {
    pub(super) service: &'static str,
    pub(super) protocol: Protocol,
    pub(super) number: u16,
    /// TLS from the first byte.
    pub(super) tls: bool,
}

const fn port(service: &'static str, protocol: Protocol, number: u16, tls: bool) -> Port {
    Port {
        service,
        protocol,
        number,
        tls,
    }
}

/// The standard ports (RFC 5321, 6409, 8314, 2033, 1939, 9051). LMTP has none of its own; 24 is the private mail system's.
pub(super) const PORTS: [Port; 10] = [
    port("smtp", Protocol::Smtp, 25, false),
    port("submission", Protocol::Submission, 587, false),
    port("submission", Protocol::Submission, 465, true),
    port("lmtp", Protocol::Lmtp, 24, false),
    port("pop3", Protocol::Pop3, 110, false),
    port("pop3", Protocol::Pop3, 995, true),
    port("imap", Protocol::Imap, 143, false),
    port("imap", Protocol::Imap, 993, true),
    port("web", Protocol::Web, 80, false),
    port("web", Protocol::Web, 443, true),
];

impl Config {
    /// Reads the file of a data directory.
    pub(super) fn read(disk: &SharedDisk, data: &Path) -> Result<Self, Trouble> {
        let path = data.join(FILE);
        let bytes = match disk.read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Trouble::new("not-initialised").with("data", data.display()));
            }
            Err(error) => return Err(damaged(&path, error)),
        };
        let text = String::from_utf8(bytes).map_err(|error| damaged(&path, error))?;
        toml::from_str(&text).map_err(|error| damaged(&path, one_line(&error, &text)))
    }

    pub(super) fn write(&self, disk: &SharedDisk, data: &Path) -> Result<(), Trouble> {
        let path = data.join(FILE);
        let text = toml::to_string_pretty(self).map_err(|error| damaged(&path, error))?;
        disk.write_atomic(&path, text.as_bytes())
            .map_err(|error| Trouble::unwritable(&path, &error))
    }

    pub(super) fn placement(&self) -> Placement {
        Placement {
            databases: self.databases.clone(),
            placing: self.placing.clone(),
            mapping: self.mapping.clone(),
        }
    }

    /// The addresses of a port. LMTP is for this host alone; the web's ports may be another program's.
    pub(super) fn addresses(&self, port: Port) -> Vec<SocketAddr> {
        let number = port.number.saturating_add(self.listen.port_offset);
        if port.protocol == Protocol::Lmtp {
            return vec![SocketAddr::from((Ipv4Addr::LOCALHOST, number))];
        }
        if port.protocol == Protocol::Web && !self.listen.web {
            return Vec::new();
        }
        self.listen
            .addresses
            .iter()
            .map(|address| SocketAddr::new(*address, number))
            .collect()
    }
}

fn damaged(path: &Path, reason: impl std::fmt::Display) -> Trouble {
    Trouble::new("config")
        .with("path", path.display())
        .with("reason", reason)
}

/// What is wrong and on which line; the parser's own account takes several lines.
fn one_line(error: &toml::de::Error, text: &str) -> String {
    let line = error
        .span()
        .map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
    match line {
        Some(line) => format!("{line}: {}", error.message()),
        None => error.message().to_owned(),
    }
}

/// Where the packaged service keeps its data.
#[cfg(windows)]
pub(crate) fn default_data() -> PathBuf {
    std::env::var_os("ProgramData")
        .map_or_else(|| PathBuf::from(r"C:\ProgramData"), PathBuf::from)
        .join("BatPost")
}

/// Where the packaged service keeps its data.
#[cfg(not(windows))]
pub(crate) fn default_data() -> PathBuf {
    PathBuf::from("/var/lib/batpost")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_example_that_people_read_is_understood_and_says_all_there_is() {
        let page = include_str!("../../docs/configuration.md");
        let example = page.split("```toml").nth(1).unwrap().split("```").next().unwrap();
        let config: Config = toml::from_str(example).unwrap();
        assert_eq!(config.listen.addresses, everywhere());
        assert_eq!(config.placing["users"], "people");
        assert!(config.mapping["user"].read_only);
        assert_eq!(config.dns.unwrap().servers.len(), 1);
    }

    #[test]
    fn what_is_wrong_in_the_file_is_told_with_its_line() {
        let text = "[listen]\nport_offset = 1\nnonsense = 2\n";
        let error = toml::from_str::<Config>(text).unwrap_err();
        let told = one_line(&error, text);
        assert!(told.starts_with("3: ") && told.contains("nonsense"), "{told}");
    }

    #[test]
    fn lmtp_is_for_this_host_alone() {
        let lmtp = PORTS.into_iter().find(|port| port.service == "lmtp").unwrap();
        let config = Config::default();
        assert!(
            config
                .addresses(lmtp)
                .iter()
                .all(|address| address.ip().is_loopback())
        );
    }
}
