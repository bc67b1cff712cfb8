//! Certificates that the server gets by itself, from a real authority on this host (pebble), which verifies the names as one on the Internet does.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use batpost_tests::programs::{run, try_run};
use batpost_tests::server::{Server, has};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::PROGRAMS;

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server, the authority, and the DNS that both ask.
struct House {
    server: Server,
    folder: TempDir,
    dns_management: u16,
    _running: [Running; 2],
}

/// Ports that are free: all held until all are found.
fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

fn spawn(command: &mut Command) -> Running {
    let output = command.stdout(Stdio::null()).stderr(Stdio::null());
    Running(output.spawn().expect("it runs"))
}

/// A certificate for the authority's own address.
fn make_own_certificate(folder: &Path) {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=authority",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ]);
    run(&mut command, b"");
}

impl House {
    /// None where a program is missing. `life`: of a certificate, in seconds.
    fn open(life: u64, external_account: bool) -> Option<Self> {
        if !["openssl", "pebble", "pebble-challtestsrv"].into_iter().all(has) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        make_own_certificate(folder.path());
        // Ports are looked for when their program starts: until then somebody else may get them.
        let [dns, dns_management] = free_ports();
        let names = spawn(Command::new("pebble-challtestsrv").args([
            "-defaultIPv4",
            "127.0.0.1",
            "-defaultIPv6",
            "",
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-dns01",
            &format!("127.0.0.1:{dns}"),
            "-management",
            &format!("127.0.0.1:{dns_management}"),
        ]));
        let mut server = Server::initialised(PROGRAMS);
        let path = server.data().join("batpost.toml");
        let mut config = std::fs::read_to_string(&path).unwrap();
        config = config.replacen("[listen]", "[listen]\nweb = true", 1);
        write!(config, "\n[dns]\nservers = [\"127.0.0.1:{dns}\"]\n").unwrap();
        std::fs::write(&path, config).unwrap();
        server.start();

        let [api, management] = free_ports();
        let at = folder.path().to_owned();
        let own = |name: &str| at.join(name).to_str().unwrap().to_owned();
        let wanted = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{api}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": own("cert.pem"),
            "privateKey": own("key.pem"),
            "httpPort": server.port(80),
            "tlsPort": server.port(443),
            "externalAccountBindingRequired": external_account,
            "externalAccountMACKeys": {"account-7": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"},
            "certificateValidityPeriod": life,
        }});
        std::fs::write(own("pebble.json"), wanted.to_string()).unwrap();
        let authority = spawn(
            Command::new("pebble")
                .args([
                    "-config",
                    &own("pebble.json"),
                    "-dnsserver",
                    &format!("127.0.0.1:{dns}"),
                ])
                // No pauses; and every third nonce is not good, as with an authority of many machines.
                .envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "30")])
                .env("PEBBLE_AUTHZREUSE", "0"),
        );
        for port in [api, dns, dns_management] {
            server.wait_for("authority", || {
                TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
            });
        }
        let house = Self {
            server,
            folder,
            dns_management,
            _running: [names, authority],
        };
        house.set("acme.directory", &format!("https://127.0.0.1:{api}/dir"));
        house.set("acme.authority", &own("cert.pem"));
        house.set("acme.contact", "postmaster@example.test");
        Some(house)
    }

    fn set(&self, key: &str, value: &str) {
        self.server.ctl_ok(&["setting", "set", key, value]);
    }

    /// Where the authority finds that name.
    fn lead(&self, name: &str, address: &str) {
        let body = json!({"host": format!("{name}."), "addresses": [address]}).to_string();
        let mut line = TcpStream::connect((Ipv4Addr::LOCALHOST, self.dns_management)).unwrap();
        let head = format!(
            "POST /add-a HTTP/1.1\r\nHost: dns\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        line.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        line.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// A program that puts records into the DNS, and writes down what it was called with.
    fn dns_command(&self) -> PathBuf {
        let path = self.folder.path().join("records");
        let calls = self.folder.path().join("calls");
        let text = format!(
            "#!/bin/sh\necho \"$@\" >> '{}'\ncase $1 in\nadd) curl -fsS -d \"{{\\\"host\\\":\\\"$2.\\\",\\\"value\\\":\\\"$3\\\"}}\" http://127.0.0.1:{port}/set-txt ;;\n\
             *) curl -fsS -d \"{{\\\"host\\\":\\\"$2.\\\"}}\" http://127.0.0.1:{port}/clear-txt ;;\nesac\n",
            calls.display(),
            port = self.dns_management,
        );
        std::fs::write(&path, text).unwrap();
        run(Command::new("chmod").arg("700").arg(&path), b"");
        path
    }

    fn calls(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default()
    }

    fn order(&self, name: &str) -> Value {
        let orders = self.server.ctl_json(&["certificate", "orders"]);
        let mut orders = orders.as_array().unwrap().clone();
        orders.retain(|order| order["names"][0] == name);
        orders.pop().unwrap_or_default()
    }

    /// The account's file; there is one.
    fn account(&self) -> String {
        let files = std::fs::read_dir(self.server.data().join("acme")).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        let mut accounts: Vec<_> = paths
            .filter(|path| path.to_str().unwrap().contains("account"))
            .collect();
        assert_eq!(accounts.len(), 1);
        std::fs::read_to_string(accounts.pop().unwrap()).unwrap()
    }

    /// The names in the certificate that a mail program is shown, and who vouches for it.
    fn shown(&self, name: &str) -> String {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-servername", name]);
        command.args(["-connect", &format!("127.0.0.1:{}", self.server.port_of("imaps"))]);
        let said = try_run(&mut command, b"a LOGOUT\r\n");
        let text = try_run(
            Command::new("openssl").args(["x509", "-noout", "-issuer", "-ext", "subjectAltName"]),
            &said.stdout,
        );
        String::from_utf8_lossy(&text.stdout).into_owned()
    }
}

const DAY_S: u64 = 86_400;

// Without it, somebody would have to fetch and carry certificates by hand every few weeks.
#[test]
fn acme_by_the_web_gets_a_certificate_and_a_newer_one_without_disturbing_anybody() {
    let Some(mut house) = House::open(90 * DAY_S, false) else {
        return;
    };
    let names = "Mail.example.test,imap.example.test";
    let refused = house.server.ctl(&["certificate", "obtain", names]);
    assert_eq!(refused.status.code(), Some(1), "the terms are not agreed to");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("acme.agree-terms"), "{said}");
    house.set("acme.agree-terms", "true");

    let mut line = house.server.connect("imap");
    line.line();
    assert!(!house.shown("imap.example.test").contains("Pebble"));
    house.server.ctl_ok(&["certificate", "obtain", names]);
    let shown = house.shown("imap.example.test");
    assert!(
        shown.contains("Pebble") && shown.contains("DNS:imap.example.test"),
        "{shown}"
    );
    assert!(house.shown("mail.example.test").contains("DNS:mail.example.test"));
    let first = house.order("mail.example.test");
    assert_eq!(first["names"], json!(["mail.example.test", "imap.example.test"]));
    let left = first["not_after"].as_i64().unwrap() - first["next_try"].as_i64().unwrap();
    let day = i64::try_from(DAY_S).unwrap();
    assert!((26 * day..=31 * day).contains(&left), "{left} s before its end");
    line.ask("a NOOP", "a OK");

    // What is wanted is known after a restart, and the account too.
    let account = house.account();
    drop(line);
    house.server.kill();
    house.server.start();
    let known = house.order("mail.example.test");
    // An authority that advises when to renew may have moved the next try.
    for what in ["names", "id", "not_after", "failures"] {
        assert_eq!(known[what], first[what], "{what}");
    }
    house.server.ctl_ok(&["certificate", "obtain", names]);
    let second = house.order("mail.example.test");
    assert_ne!(second["id"], first["id"]);
    assert_eq!(house.account(), account);
    let rows = house.server.ctl_json(&["certificate", "list"]);
    let ids: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["id"]).collect();
    assert_eq!(
        ids,
        [&json!(""), &second["id"]],
        "the newer one takes the place of the older"
    );

    // The account's key is another one, and the authority takes what is signed with it; what is revoked is replaced at once.
    house.server.ctl_ok(&["certificate", "rekey"]);
    assert_ne!(house.account(), account);
    let unknown = house
        .server
        .ctl(&["certificate", "revoke", "mail.example.test", "--reason", "whim"]);
    assert_eq!(unknown.status.code(), Some(1));
    let serial = second["id"].clone();
    house.server.ctl_ok(&[
        "certificate",
        "revoke",
        "mail.example.test",
        "--reason",
        "superseded",
    ]);
    house.server.wait_for("another certificate", || {
        house.order("mail.example.test")["id"] != serial
    });

    // A name that leads elsewhere: the authority's own words, and another try later.
    house.lead("away.example.test", "127.0.0.2");
    let failed = house.server.ctl(&["certificate", "obtain", "away.example.test"]);
    assert_eq!(failed.status.code(), Some(1));
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    let order = house.order("away.example.test");
    let reason = order["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("away.example.test: ") && reason.contains("127.0.0.2"),
        "{reason}"
    );
    assert!(said.contains(reason), "{said}");
    assert_eq!((&order["failures"], &order["id"]), (&json!(1), &json!("")));
    house
        .server
        .ctl_ok(&["certificate", "forget", "mail.example.test"]);
    assert_eq!(house.order("mail.example.test"), Value::Null);
    assert!(house.shown("imap.example.test").contains("Pebble"), "it stays");
}

#[test]
fn acme_by_a_handshake_gets_a_certificate() {
    let Some(house) = House::open(90 * DAY_S, true) else {
        return;
    };
    house.set("acme.agree-terms", "true");
    house.set("acme.challenge", "tls-alpn-01");
    let refused = house.server.ctl(&["certificate", "obtain", "mail.example.test"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("acme.external-account"), "{said}");
    house.set("acme.external-account", "account-7");
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\n";
    std::fs::write(house.server.data().join("keys/acme"), key).unwrap();
    house
        .server
        .ctl_ok(&["certificate", "obtain", "mail.example.test"]);
    assert!(house.shown("mail.example.test").contains("Pebble"));
}

#[test]
fn acme_by_the_dns_gets_a_certificate_for_all_hosts_of_a_domain() {
    let Some(house) = House::open(90 * DAY_S, false) else {
        return;
    };
    if !has("curl") {
        return;
    }
    house.set("acme.agree-terms", "true");
    house.set("acme.challenge", "dns-01");
    house.set("acme.dns-command", "/nonexistent/program");
    let failed = house.server.ctl(&["certificate", "obtain", "*.example.test"]);
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(said.contains("/nonexistent/program"), "{said}");
    assert_eq!(house.order("*.example.test")["failures"], 1);
    house.set("acme.dns-command", house.dns_command().to_str().unwrap());
    house
        .server
        .ctl_ok(&["certificate", "obtain", "*.example.test", "example.test"]);
    let shown = house.shown("any.example.test");
    assert!(
        shown.contains("DNS:*.example.test") && shown.contains("DNS:example.test"),
        "{shown}"
    );
    assert_eq!(house.order("*.example.test")["failures"], 0);
    let calls = house.calls();
    for (verb, count) in [("add", 2), ("remove", 2)] {
        let start = format!("{verb} _acme-challenge.example.test ");
        assert_eq!(
            calls.lines().filter(|call| call.starts_with(&start)).count(),
            count,
            "{calls}"
        );
    }
}

// A certificate that nobody renews ends on a Sunday.
#[test]
fn acme_renews_by_itself() {
    let Some(house) = House::open(36, false) else {
        return;
    };
    house.set("acme.agree-terms", "true");
    let mut follow = Command::new(PROGRAMS.batpostctl)
        .arg("--data")
        .arg(house.server.data())
        .args(["log", "follow"])
        .env("LC_ALL", "C.UTF-8")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(follow.stdout.take().unwrap());
    let _follow = Running(follow);
    house
        .server
        .ctl_ok(&["certificate", "obtain", "mail.example.test"]);
    let mut obtained = log
        .lines()
        .map(Result::unwrap)
        .filter(|line| line.contains("Certificate for mail.example.test obtained"));
    // Whether or not the first one was told already.
    let first = house.order("mail.example.test")["id"].clone();
    let renewed = |_: &String| house.order("mail.example.test")["id"] != first;
    assert!(obtained.any(|line| renewed(&line)));
    assert!(house.shown("mail.example.test").contains("Pebble"));
}
