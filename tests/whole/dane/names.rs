//! A name server (NSD) with zones that are really signed, from a root of the test's own.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use batpost_tests::programs::run;
use batpost_tests::server::has;
use tempfile::TempDir;

/// Where Debian has it, which is not on every user's path.
const NSD: &str = "/usr/sbin/nsd";

/// Whether this machine has what [`Names`] needs.
pub(super) fn can_sign() -> bool {
    has("ldns-signzone") && (Path::new(NSD).is_file() || has("nsd"))
}

/// A domain with one exchanger, `mx`, on this machine.
#[derive(Clone, Copy)]
pub(super) struct Domain<'a> {
    pub(super) name: &'a str,
    pub(super) signed: bool,
    /// What it says of the exchanger's certificate.
    pub(super) tlsa: &'a str,
    /// What is changed after it was signed, and into what.
    pub(super) change: Option<(&'a str, &'a str)>,
}

/// A name server that is ended with the test.
pub(super) struct Names {
    dir: TempDir,
    pub(super) port: u16,
    daemon: Child,
}

impl Drop for Names {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl Names {
    /// `smtp`: the port of the exchangers.
    pub(super) fn start(smtp: u16, domains: &[Domain<'_>]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut root = String::from("@ SOA ns. p. 1 3600 600 86400 60\n@ NS ns.\nns. A 127.0.0.1\n");
        for domain in domains {
            let (name, tlsa) = (domain.name, domain.tlsa);
            let text = format!(
                "@ SOA ns p 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n@ MX 10 mx\nmx A 127.0.0.1\n_{smtp}._tcp.mx TLSA {tlsa}\n\
                 _smtp._tls TXT \"v=TLSRPTv1; rua=mailto:u@{name}\"\n"
            );
            let key = zone(dir.path(), name, &text, domain.signed);
            let _ = write!(root, "{name}. NS ns.{name}.\nns.{name}. A 127.0.0.1\n");
            if domain.signed {
                root += &std::fs::read_to_string(dir.path().join(format!("{key}.ds"))).unwrap();
            }
            if let Some((from, to)) = domain.change {
                change(dir.path(), name, from, to);
            }
        }
        let key = zone(dir.path(), ".", &root, true);
        std::fs::copy(dir.path().join(format!("{key}.key")), dir.path().join("anchor")).unwrap();

        // The port could be taken in between, by nobody who asks for a free one.
        let port = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let at = dir.path().display();
        let mut config = format!(
            "server:\n ip-address: 127.0.0.1@{port}\n username: \"\"\n zonesdir: \"{at}\"\n database: \"\"\n pidfile: \"{at}/pid\"\n \
             zonelistfile: \"{at}/list\"\n xfrdfile: \"{at}/xfrd\"\n server-count: 1\nremote-control:\n control-enable: no\n"
        );
        for domain in domains.iter().map(|domain| domain.name).chain(["."]) {
            let _ = write!(
                config,
                "zone:\n name: \"{domain}\"\n zonefile: \"{}\"\n",
                file(domain)
            );
        }
        std::fs::write(dir.path().join("nsd.conf"), config).unwrap();
        let mut daemon = Command::new(NSD)
            .args(["-d", "-c", "nsd.conf"])
            .current_dir(dir.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(daemon.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        while let Some(Ok(line)) = lines.next() {
            if line.contains("nsd started") {
                break;
            }
            said.push(line);
        }
        assert!(daemon.try_wait().unwrap().is_none(), "{said:?}");
        // What it says from now on must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { dir, port, daemon }
    }

    /// The file with the root's key.
    pub(super) fn anchor(&self) -> PathBuf {
        self.dir.path().join("anchor")
    }
}

/// The file of a zone that is served.
fn file(domain: &str) -> String {
    format!("zone-{domain}.signed")
}

/// Writes a zone, signed if it is to be; the name of its key.
fn zone(dir: &Path, domain: &str, text: &str, signed: bool) -> String {
    let origin = if domain == "." {
        ".".to_owned()
    } else {
        format!("{domain}.")
    };
    let text = format!("$ORIGIN {origin}\n$TTL 60\n{text}");
    if !signed {
        std::fs::write(dir.join(file(domain)), text).unwrap();
        return String::new();
    }
    let plain = file(domain).replace(".signed", "");
    std::fs::write(dir.join(&plain), text).unwrap();
    let mut command = Command::new("ldns-keygen");
    command
        .args(["-a", "ECDSAP256SHA256", "-k", &origin])
        .current_dir(dir);
    let key = String::from_utf8(run(&mut command, b"").stdout)
        .unwrap()
        .trim()
        .to_owned();
    run(
        Command::new("ldns-signzone")
            .args([&plain, &key])
            .current_dir(dir),
        b"",
    );
    key
}

/// Changes a record under its signature.
fn change(dir: &Path, domain: &str, from: &str, to: &str) {
    let path = dir.join(file(domain));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}
