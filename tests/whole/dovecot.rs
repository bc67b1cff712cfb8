//! Mail is fetched from a real Dovecot, over IMAP and POP3: kept over there, deleted at once, or after some days.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use batpost_tests::line::Line;
use batpost_tests::mail::fetch_all;
use batpost_tests::programs::run;
use batpost_tests::server::{Server, has, signal};
use serde_json::Value;
use tempfile::TempDir;

use crate::server;

/// Who fetches.
const USER: &str = "user1@example.test";
const DAY_S: i64 = 86_400;
/// A folder besides INBOX, and how a Maildir calls it.
const WORK: (&str, &str) = ("Работа", ".&BCAEMAQxBD4EQgQw-");

/// Ports that are free now, and different ones.
fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let listeners = [(); COUNT].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// An instance of Dovecot with directories of its own: the machine's is neither asked nor changed.
struct Dovecot {
    dir: TempDir,
    process: Child,
    imap: u16,
    imaps: u16,
    pop3: u16,
    pop3s: u16,
}

impl Dovecot {
    /// With the user `ann`, whose mail lies in a Maildir.
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        run(Command::new("chmod").arg("755").arg(dir.path()), b"");
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3"]);
        openssl.args(["-subj", "/CN=dovecot.test", "-keyout"]);
        let [key, cert] = ["key.pem", "cert.pem"].map(|name| dir.path().join(name));
        run(openssl.arg(key).arg("-out").arg(cert), b"");
        std::fs::write(dir.path().join("users"), "ann:{PLAIN}secret\n").unwrap();
        for folder in ["", WORK.1] {
            for part in ["cur", "new", "tmp"] {
                std::fs::create_dir_all(maildir(dir.path(), folder).join(part)).unwrap();
            }
        }
        run(
            Command::new("chown")
                .args(["-R", "mail:mail"])
                .arg(dir.path().join("mail")),
            b"",
        );
        let [imap, imaps, pop3, pop3s] = free_ports();
        let at = dir.path().display();
        let mut config = format!(
            "base_dir = {at}/run\nstate_dir = {at}/state\ninstance_name = batpost-test\nlog_path = {at}/log\n\
             protocols = imap pop3\nlisten = 127.0.0.1\nssl = yes\nssl_cert = <{at}/cert.pem\nssl_key = <{at}/key.pem\n\
             auth_mechanisms = plain login cram-md5 apop scram-sha-256\nmail_location = maildir:~/Maildir\n\
             mail_uid = mail\nmail_gid = mail\nfirst_valid_uid = 1\n\
             passdb {{\n  driver = passwd-file\n  args = {at}/users\n}}\n\
             userdb {{\n  driver = static\n  args = uid=mail gid=mail home={at}/mail/%n\n}}\n"
        );
        for (service, plain, encrypted) in [("imap", imap, imaps), ("pop3", pop3, pop3s)] {
            write!(
                config,
                "service {service}-login {{\n  inet_listener {service} {{\n    port = {plain}\n  }}\n  \
                 inet_listener {service}s {{\n    port = {encrypted}\n  }}\n}}\n"
            )
            .unwrap();
        }
        let file = dir.path().join("dovecot.conf");
        std::fs::write(&file, config).unwrap();
        let process = Command::new("dovecot")
            .arg("-F")
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            dir,
            process,
            imap,
            imaps,
            pop3,
            pop3s,
        }
    }

    /// With a configuration that it does not like it would be waited for in vain.
    fn still_runs(&mut self) {
        let ended = self.process.try_wait().unwrap();
        assert!(ended.is_none(), "Dovecot does not start: {ended:?}");
    }

    fn port(&self, protocol: &str, security: &str) -> u16 {
        match (protocol, security) {
            ("imap", "tls") => self.imaps,
            ("imap", _) => self.imap,
            (_, "tls") => self.pop3s,
            _ => self.pop3,
        }
    }

    fn put(&self, folder: &str, subject: &str) {
        let folder = maildir(self.dir.path(), folder);
        let text = format!("Return-Path: <bob@else.test>\nSubject: {subject}\n\n.a line\n");
        let written = folder.join("tmp").join(subject);
        std::fs::write(&written, text).unwrap();
        run(Command::new("chown").arg("mail:mail").arg(&written), b"");
        std::fs::rename(written, folder.join("new").join(subject)).unwrap();
    }

    /// The names of what lies in a folder: subject, size and flags.
    fn names(&self, folder: &str) -> Vec<String> {
        let folder = maildir(self.dir.path(), folder);
        let mut names: Vec<String> = ["new", "cur"]
            .iter()
            .flat_map(|part| std::fs::read_dir(folder.join(part)).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            eprintln!("{log}");
        }
        // It ends its processes, too, unless it has ended already.
        if matches!(self.process.try_wait(), Ok(None)) {
            signal(self.process.id(), "TERM");
            let _ = self.process.wait();
        }
    }
}

fn maildir(top: &Path, folder: &str) -> PathBuf {
    top.join("mail/ann/Maildir").join(folder)
}

fn subjects(server: &Server) -> Vec<String> {
    server.wait_for_empty_queue();
    let mut subjects: Vec<String> = fetch_all(server, USER, "pass1")
        .iter()
        .map(|text| {
            let text = String::from_utf8_lossy(text).into_owned();
            assert!(text.ends_with("\r\n\r\n.a line\r\n"), "{text}");
            let (_, rest) = text.split_once("Subject: ").unwrap();
            rest.split_once("\r\n").unwrap().0.to_owned()
        })
        .collect();
    subjects.sort();
    subjects
}

fn fetched(here: &Server) -> u64 {
    let state = here.ctl_json(&["external", "fetch", USER, "Dovecot"]);
    assert_eq!(state["problem"], Value::Null, "{state}");
    state["fetched"].as_u64().unwrap()
}

/// Lets two days go by: what is kept says when a message was fetched.
fn age(here: &mut Server) {
    here.stop();
    let database = here.data().join("config.db");
    let sql = |text: &str| -> String {
        let done = run(Command::new("sqlite3").arg(&database).arg(text), b"");
        String::from_utf8(done.stdout).unwrap()
    };
    sql(&format!("UPDATE external_seen SET at = at - {}", 2 * DAY_S));
    let mut body: Value = serde_json::from_str(&sql("SELECT body FROM external_state")).unwrap();
    for folder in body["folders"].as_object_mut().into_iter().flatten() {
        for day in folder.1["days"].as_array_mut().unwrap() {
            day[0] = Value::from(day[0].as_i64().unwrap() - 2);
        }
    }
    sql(&format!("UPDATE external_state SET body = '{body}'"));
    here.start();
}

fn is_root() -> bool {
    run(Command::new("id").arg("-u"), b"").stdout.trim_ascii() == b"0"
}

// A user would get mail of a provider twice, or not at all, or lose it over there.
#[test]
fn mail_is_fetched_from_dovecot_once_and_deleted_when_it_shall_be() {
    if !has("dovecot") || !has("sqlite3") {
        return;
    }
    if !is_root() {
        eprintln!("SKIPPED: Dovecot can be started by root only");
        return;
    }
    for (protocol, security) in [
        ("imap", "starttls"),
        ("pop3", "starttls"),
        ("imap", "tls"),
        ("pop3", "tls"),
    ] {
        let (mut here, mut there) = (server(1), Dovecot::start());
        let port = there.port(protocol, security);
        here.wait_for("Dovecot", || {
            there.still_runs();
            Line::try_connect(there.port(protocol, "starttls"))
                .is_some_and(|mut line| line.try_line().is_some())
        });
        let folders: &[&str] = if protocol == "imap" {
            &["INBOX", WORK.0]
        } else {
            &[]
        };
        add(&here, protocol, security, port, folders);
        let tried = here.ctl(&["--json", "external", "test", USER, "Dovecot"]);
        let answer: Value = serde_json::from_slice(&tried.stdout).unwrap();
        assert_eq!(answer["problem"]["code"], "external-tls", "{answer}");
        let fingerprint = answer["certificate"].as_str().unwrap();
        here.ctl_ok(&["external", "set", USER, "Dovecot", "--certificate", fingerprint]);
        // In a folder that POP3 does not know.
        let behind = if protocol == "imap" { WORK.1 } else { "" };

        there.put("", "one");
        there.put(behind, "two");
        let answer = here.ctl_json(&["external", "test", USER, "Dovecot"]);
        assert_eq!(
            (&answer["mechanism"], &answer["messages"], &answer["tls"]),
            (&"SCRAM-SHA-256".into(), &2.into(), &"TLSv1_3".into()),
            "{protocol} {security}"
        );
        assert_eq!(fetched(&here), 2, "{protocol} {security}");
        assert_eq!(subjects(&here), ["one", "two"]);
        let (first, second) = (there.names("").concat(), there.names(behind).concat());
        assert!(
            first.contains("one") && second.contains("two"),
            "{first} {second}"
        );
        // Over POP3 it is Dovecot who marks it.
        assert!(first.contains(":2,S"), "{first}");

        // What was here before is not fetched again, whatever happens to this server.
        here.kill();
        here.start();
        there.put("", "three");
        assert_eq!(fetched(&here), 1);

        here.ctl_ok(&["external", "set", USER, "Dovecot", "--delete-after", "1"]);
        age(&mut here);
        there.put("", "four");
        assert_eq!(fetched(&here), 1);
        let left = [there.names(""), there.names(behind)].concat().concat();
        assert!(left.contains("four") && !left.contains("three"), "{left}");
        assert!(!left.contains("one") && !left.contains("two"), "{left}");

        here.ctl_ok(&["external", "set", USER, "Dovecot", "--delete"]);
        here.stop();
        here.start();
        there.put(behind, "five");
        assert_eq!(fetched(&here), 1);
        assert_eq!(there.names(""), Vec::<String>::new());
        assert_eq!(there.names(behind), Vec::<String>::new());
        assert_eq!(fetched(&here), 0);
        assert_eq!(subjects(&here), ["five", "four", "one", "three", "two"]);
    }
}

/// Adds the account, which is visited by hand only.
fn add(here: &Server, protocol: &str, security: &str, port: u16, folders: &[&str]) {
    let port = port.to_string();
    let mut arguments = vec!["external", "add", USER, "Dovecot", "--protocol", protocol];
    arguments.extend(["--server", "127.0.0.1", "--port", &port, "--security", security]);
    arguments.extend(["--login", "ann", "--enabled", "false", "--password-stdin"]);
    for folder in folders {
        arguments.extend(["--source", folder]);
    }
    if protocol == "imap" {
        arguments.extend(["--mark-seen", "true"]);
    }
    let added = here.ctl_with(&arguments, "C.UTF-8", "secret\n");
    assert!(
        added.status.success(),
        "{}",
        String::from_utf8_lossy(&added.stderr)
    );
}
