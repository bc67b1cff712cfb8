//! Real servers at the other end: Postfix, there and back, and its `smtp-sink`, which behaves as it is told.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use batpost_tests::line::Line;
use batpost_tests::mail::fetch_all;
use batpost_tests::programs::run;
use batpost_tests::server::{Server, has};
use tempfile::TempDir;

use crate::PROGRAMS;
use crate::remote::{submit, submit_text};

/// A port that is free now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A server of which mail for these domains goes to these ports.
fn server(domains: &[(&str, u16)], users: usize) -> Server {
    let mut server = Server::initialised(PROGRAMS);
    let path = server.data().join("batpost.toml");
    let mut config = std::fs::read_to_string(&path).unwrap();
    config.push_str("\n[dns.overrides]\n");
    for (domain, port) in domains {
        writeln!(config, "\"{domain}\" = \"127.0.0.1:{port}\"").unwrap();
    }
    std::fs::write(&path, config).unwrap();
    server.start();
    server.add_users(users);
    server
}

/// What lies in a user's INBOX.
fn inbox(server: &Server, number: usize) -> Vec<String> {
    fetch_all(
        server,
        &format!("user{number}@example.test"),
        &format!("pass{number}"),
    )
    .iter()
    .map(|text| String::from_utf8_lossy(text).into_owned())
    .collect()
}

/// An instance of Postfix with directories of its own.
struct Postfix {
    dir: TempDir,
    port: u16,
    runs: bool,
}

impl Postfix {
    /// Takes mail for `postfix.test`, whose addresses are the aliases, and hands what is for `example.test` to that port.
    fn new(aliases: &[(&str, &str)], back: u16, key: &Path) -> Self {
        let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
        let at = |name: &str| dir.path().join(name);
        for name in ["conf", "queue", "data"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        run(Command::new("chmod").arg("755").arg(dir.path()), b"");
        run(Command::new("chown").arg("postfix").arg(at("data")), b"");
        for name in ["cert.pem", "key.pem"] {
            std::fs::copy(key.join(name), at(name)).unwrap();
        }
        let aliases: Vec<String> = aliases
            .iter()
            .map(|(from, to)| format!("{{ {from} = {to} }}"))
            .collect();
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\n\
             maillog_file = {at}/log\nmaillog_file_prefixes = {at}\nmyhostname = mx.postfix.test\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmydestination =\nalias_maps =\nalias_database =\n\
             local_transport = error:nobody lives here\nmynetworks = 127.0.0.0/8\nrelay_domains = example.test\n\
             smtpd_relay_restrictions = permit_mynetworks, reject\nsmtpd_recipient_restrictions = reject_unlisted_recipient\n\
             smtpd_peername_lookup = no\nvirtual_alias_domains = postfix.test\n\
             virtual_alias_maps = inline:{{ {aliases} }}\n\
             transport_maps = inline:{{ {{ example.test = smtp:[127.0.0.1]:{back} }} }}\n\
             smtp_dns_support_level = disabled\nsmtp_tls_security_level = encrypt\nsmtpd_tls_security_level = may\n\
             smtpd_tls_received_header = yes\n\
             smtpd_tls_cert_file = {at}/cert.pem\nsmtpd_tls_key_file = {at}/key.pem\nmessage_size_limit = 100000\n\
             minimal_backoff_time = 1s\nqueue_run_delay = 1s\n",
            at = dir.path().display(),
            aliases = aliases.join(", "),
        );
        std::fs::write(at("conf/main.cf"), main).unwrap();
        let mut master = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
        for (name, kind, unprivileged, program) in [
            ("pickup", "unix n", "n", "pickup"),
            ("cleanup", "unix n", "n", "cleanup"),
            ("qmgr", "unix n", "n", "qmgr"),
            ("tlsmgr", "unix -", "n", "tlsmgr"),
            ("rewrite", "unix -", "n", "trivial-rewrite"),
            ("bounce", "unix -", "n", "bounce"),
            ("defer", "unix -", "n", "bounce"),
            ("trace", "unix -", "n", "bounce"),
            ("proxymap", "unix -", "n", "proxymap"),
            ("smtp", "unix -", "n", "smtp"),
            ("relay", "unix -", "n", "smtp"),
            ("error", "unix -", "n", "error"),
            ("retry", "unix -", "n", "error"),
            ("anvil", "unix -", "n", "anvil"),
            ("scache", "unix -", "n", "scache"),
            ("postlog", "unix-dgram n", "n", "postlogd"),
        ] {
            writeln!(
                master,
                "{name} {kind} - {unprivileged} - {} {program}",
                processes(program)
            )
            .unwrap();
        }
        std::fs::write(at("conf/master.cf"), master).unwrap();
        Self {
            dir,
            port,
            runs: false,
        }
    }

    fn conf(&self) -> PathBuf {
        self.dir.path().join("conf")
    }

    fn start(&mut self) {
        run(
            Command::new("postfix").arg("-c").arg(self.conf()).arg("start"),
            b"",
        );
        self.runs = true;
    }
}

/// How many processes of a program there may be; Postfix insists on it.
fn processes(program: &str) -> &'static str {
    match program {
        "pickup" | "qmgr" | "tlsmgr" | "anvil" | "scache" | "postlogd" => "1",
        "cleanup" | "bounce" => "0",
        _ => "-",
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if self.runs {
            let stopped = Command::new("postfix")
                .arg("-c")
                .arg(self.conf())
                .arg("stop")
                .output();
            if stopped.is_ok_and(|done| !done.status.success()) || std::thread::panicking() {
                let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
                eprintln!("{log}");
            }
        }
    }
}

fn is_root() -> bool {
    run(Command::new("id").arg("-u"), b"").stdout.trim_ascii() == b"0"
}

#[test]
fn mail_goes_to_postfix_and_comes_back_over_tls() {
    if !has("postfix") {
        return;
    }
    if !is_root() {
        eprintln!("SKIPPED: Postfix can be started by root only");
        return;
    }
    let key = tempfile::tempdir().unwrap();
    let [cert, private] = ["cert.pem", "key.pem"].map(|name| key.path().join(name));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3"]);
    openssl.args(["-subj", "/CN=mx.postfix.test", "-keyout"]);
    run(openssl.arg(private).arg("-out").arg(cert), b"");
    // Its port is known before the server's is, and the other way round.
    let mut server = Server::initialised(PROGRAMS);
    let aliases = [
        ("back@postfix.test", "user2@example.test"),
        ("lost@postfix.test", "nobody@example.test"),
    ];
    let mut postfix = Postfix::new(&aliases, server.port_of("smtp"), key.path());
    let path = server.data().join("batpost.toml");
    let mut config = std::fs::read_to_string(&path).unwrap();
    write!(
        config,
        "\n[dns.overrides]\n\"postfix.test\" = \"127.0.0.1:{}\"\n",
        postfix.port
    )
    .unwrap();
    std::fs::write(&path, config).unwrap();
    server.start();
    server.add_users(2);

    // Nobody is there yet: it waits, and goes when an administrator says so.
    let id = submit(&server, "user1@example.test", "back@postfix.test");
    server.wait_for("message put off", || {
        let row = server.ctl_json(&["queue", "list"])["rows"][0].clone();
        row["attempts"].as_u64() >= Some(1) && row["next_try"].is_i64()
    });
    postfix.start();
    server.wait_for("Postfix listens", || {
        Line::try_connect(postfix.port).is_some_and(|mut line| line.try_until("220").is_some())
    });
    server.ctl_ok(&["queue", "retry", &id]);
    server.wait_for("the message came back", || !inbox(&server, 2).is_empty());
    let [text] = inbox(&server, 2).try_into().unwrap();
    assert!(
        text.ends_with("Subject: to the remote\r\n\r\n.a line\r\n"),
        "{text}"
    );
    assert!(
        text.contains("by mx.postfix.test (Postfix) with ESMTPS"),
        "{text}"
    );
    assert!(text.contains("(using TLSv1.3"), "{text}");
    assert!(
        text.starts_with("Return-Path: <user1@example.test>\r\n"),
        "{text}"
    );

    // Refused there, refused here after Postfix took it, and too large for it.
    submit(&server, "user1@example.test", "unknown@postfix.test");
    submit(&server, "user1@example.test", "lost@postfix.test");
    let large = format!("Subject: large\r\n\r\n{}", "0123456789abcdef\r\n".repeat(6000));
    submit_text(&server, "user1@example.test", "back@postfix.test", &large);
    server.wait_for("three reports", || inbox(&server, 1).len() == 3);
    let reports = inbox(&server, 1);
    for part in [
        "rfc822;unknown@postfix.test\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        "rfc822;back@postfix.test\r\nAction: failed\r\nStatus: 5.3.4\r\n",
        "Final-Recipient: rfc822; nobody@example.test",
    ] {
        let found = reports.iter().filter(|report| report.contains(part)).count();
        assert_eq!(found, 1, "{part}: {reports:?}");
    }
    server.wait_for_empty_queue();
    assert_eq!(inbox(&server, 2).len(), 1);
}

/// `smtp-sink`, with a file for each message that it took.
struct Sink {
    child: Child,
    port: u16,
    taken: TempDir,
}

impl Sink {
    fn start(manner: &[&str]) -> Self {
        let (port, taken) = (free_port(), tempfile::tempdir().unwrap());
        let mut sink = Command::new("smtp-sink");
        if is_root() {
            run(Command::new("chmod").arg("777").arg(taken.path()), b"");
            sink.args(["-u", "nobody"]);
        }
        let child = sink
            .args(manner)
            .args(["-d", "m."])
            .current_dir(taken.path())
            .arg(format!("127.0.0.1:{port}"))
            .arg("100")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut sink = Self { child, port, taken };
        sink.wait_until_it_listens();
        sink
    }

    fn wait_until_it_listens(&mut self) {
        while Line::try_connect(self.port).is_none() {
            assert!(self.child.try_wait().unwrap().is_none(), "smtp-sink has ended");
            std::thread::yield_now();
        }
    }

    /// Messages that it took.
    fn count(&self) -> usize {
        std::fs::read_dir(self.taken.path()).unwrap().count()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn hosts_of_every_manner_get_their_mail_once() {
    if !has("smtp-sink") {
        return;
    }
    let sinks = [
        // All of ESMTP; plain SMTP after EHLO was refused; without pipelining and eight bits; one message a connection at a time.
        Sink::start(&[]),
        Sink::start(&["-e"]),
        Sink::start(&["-p", "-8"]),
        Sink::start(&["-m", "1"]),
    ];
    let domains: Vec<(String, u16)> = sinks
        .iter()
        .enumerate()
        .map(|(number, sink)| (format!("sink{number}.test"), sink.port))
        .collect();
    let (refuses, later, hangs_up) = (
        Sink::start(&["-f", "RCPT"]),
        Sink::start(&["-r", "DATA"]),
        Sink::start(&["-q", "MAIL"]),
    );
    let mut all: Vec<(&str, u16)> = domains
        .iter()
        .map(|(name, port)| (name.as_str(), *port))
        .collect();
    all.extend([
        ("refuses.test", refuses.port),
        ("later.test", later.port),
        ("hangs-up.test", hangs_up.port),
    ]);
    let server = server(&all, 1);
    for _ in 0..20 {
        for (domain, _) in &domains {
            submit(&server, "user1@example.test", &format!("anna@{domain}"));
        }
    }
    server.wait_for_empty_queue();
    for sink in &sinks {
        assert_eq!(sink.count(), 20);
    }
    submit(&server, "user1@example.test", "anna@refuses.test");
    server.wait_for("a report", || inbox(&server, 1).len() == 1);
    submit(&server, "user1@example.test", "anna@later.test");
    submit(&server, "user1@example.test", "anna@hangs-up.test");
    let mut rows = serde_json::Value::Null;
    server.wait_for("both wait", || {
        rows = server.ctl_json(&["queue", "list"]);
        let waits = |row: &serde_json::Value| row["attempts"].as_u64() >= Some(1) && row["next_try"].is_i64();
        rows["total"] == 2 && rows["rows"].as_array().unwrap().iter().all(waits)
    });
    let replies: Vec<&str> = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["last_reply"].as_str().unwrap())
        .collect();
    assert!(
        replies.iter().any(|reply| reply.starts_with("450 4.3.0")),
        "{replies:?}"
    );
    assert!(
        replies.iter().any(|reply| reply.starts_with("451 4.4.")),
        "{replies:?}"
    );
    assert!(inbox(&server, 1)[0].contains("Action: failed\r\nStatus: 5.3.0\r\n"));
}
