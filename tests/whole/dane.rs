//! DANE with a real name server (NSD) and zones that are really signed, from a root of the test's own: mail would be read by whoever stands between,
//! or wait for ever though all is well.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use batpost_tests::mail::fetch_all;
use batpost_tests::programs::run;
use batpost_tests::server::{Server, User, has};
use serde_json::Value;
use tempfile::TempDir;

use crate::PROGRAMS;

/// Where Debian has it, which is not on every user's path.
const NSD: &str = "/usr/sbin/nsd";

/// The zones, and whether each is signed.
const DOMAINS: [(&str, bool); 5] = [
    ("right.test", true),
    ("wrong.test", true),
    // Its records were changed after they were signed: that of the certificate, that of the exchanger.
    ("forged.test", true),
    ("shady.test", true),
    ("plain.test", false),
];

/// A name server that is ended with the test.
struct Names {
    dir: TempDir,
    port: u16,
    daemon: Child,
}

impl Drop for Names {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl Names {
    /// `tlsa`: the record of the certificate that the hosts of all these domains have, on `port`.
    fn start(port: u16, tlsa: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut root = String::from("@ SOA ns. p. 1 3600 600 86400 60\n@ NS ns.\nns. A 127.0.0.1\n");
        for (domain, signed) in DOMAINS {
            let right = if domain == "right.test" {
                tlsa
            } else {
                "3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
            };
            let text = format!(
                "@ SOA ns p 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n@ MX 10 mx\nmx A 127.0.0.1\n_{port}._tcp.mx TLSA {right}\n\
                 _smtp._tls TXT \"v=TLSRPTv1; rua=mailto:u@{domain}\"\n"
            );
            let key = zone(dir.path(), domain, &text, signed);
            let _ = write!(root, "{domain}. NS ns.{domain}.\nns.{domain}. A 127.0.0.1\n");
            if signed {
                root += &std::fs::read_to_string(dir.path().join(format!("{key}.ds"))).unwrap();
            }
        }
        change(dir.path(), "forged.test", "00112233", "33221100");
        change(dir.path(), "shady.test", "MX\t10 ", "MX\t20 ");
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
        for domain in DOMAINS.iter().map(|(domain, _)| *domain).chain(["."]) {
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

/// The host of all these domains, with a user `u` in each.
fn host() -> Server {
    let mut host = Server::initialised(PROGRAMS);
    host.start();
    host.ctl_ok(&["setting", "set", "server.hostname", "mx.right.test"]);
    let mut csv = String::from("address,password\n");
    for (domain, _) in DOMAINS {
        let _ = writeln!(csv, "u@{domain},pass");
    }
    let list = host.data().join("users.csv");
    std::fs::write(&list, csv).unwrap();
    host.ctl_ok(&["user", "import", &list.to_string_lossy(), "--create-domains"]);
    host
}

/// The whole certificate of a server, as a TLSA record has it.
fn tlsa(server: &Server) -> String {
    let pem = std::fs::read_to_string(server.data().join("tls/cert.pem")).unwrap();
    let lines = pem.lines().skip(1).take_while(|line| !line.starts_with("---"));
    let der = STANDARD.decode(lines.collect::<String>()).unwrap();
    let hex = der.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("3 0 0 {hex}")
}

fn submit(server: &Server, to: &str) {
    let mut smtp = server.connect("submission");
    smtp.smtp("", "220");
    smtp.smtp("EHLO client.test", "250");
    smtp.smtp(&format!("AUTH PLAIN {}", User::numbered(1).plain()), "235");
    smtp.smtp("MAIL FROM:<user1@example.test>", "250");
    smtp.smtp(&format!("RCPT TO:<{to}>"), "250");
    smtp.smtp("DATA", "354");
    smtp.send_raw(b"From: user1@example.test\r\nSubject: hello\r\n\r\nhello\r\n.\r\n");
    smtp.smtp("", "250");
    smtp.smtp("QUIT", "221");
}

fn texts(host: &Server, domain: &str) -> Vec<String> {
    let texts = fetch_all(host, &format!("u@{domain}"), "pass");
    texts
        .iter()
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect()
}

/// The report in a mail.
fn report(text: &str) -> Value {
    let (_, body) = text.rsplit_once("base64\r\n\r\n").unwrap();
    let (body, _) = body.split_once("\r\n--").unwrap();
    let packed = STANDARD.decode(body.replace("\r\n", "")).unwrap();
    serde_json::from_slice(&run(Command::new("gzip").arg("-dc"), &packed).stdout).unwrap()
}

#[test]
fn signed_zones_decide_which_certificate_is_right() {
    if !(has("ldns-signzone") && has("gzip") && (Path::new(NSD).is_file() || has("nsd"))) {
        return;
    }
    let host = host();
    let smtp = host.port_of("smtp");
    let names = Names::start(smtp, &tlsa(&host));
    let mut server = Server::initialised(PROGRAMS);
    let path = server.data().join("batpost.toml");
    let mut config = std::fs::read_to_string(&path).unwrap();
    let anchor = names.dir.path().join("anchor");
    write!(
        config,
        "\n[dns]\nservers = [\"127.0.0.1:{}\"]\ntrust_anchor = {anchor:?}\n",
        names.port
    )
    .unwrap();
    std::fs::write(&path, config).unwrap();
    server.start();
    server.add_users(1);
    for (key, value) in [
        ("outgoing.dane", "true"),
        ("outgoing.port", &smtp.to_string()),
        ("tls-report.send", "true"),
    ] {
        server.ctl_ok(&["setting", "set", key, value]);
    }
    for (domain, _) in DOMAINS {
        submit(&server, &format!("u@{domain}"));
    }
    let mut rows = Value::Null;
    server.wait_for("three messages put off, the others gone", || {
        rows = server.ctl_json(&["queue", "list"]);
        let rows = rows["rows"].as_array().unwrap();
        rows.len() == 3
            && rows
                .iter()
                .all(|row| row["attempts"].as_u64() >= Some(1) && row["next_try"].is_i64())
    });
    for row in rows["rows"].as_array().unwrap() {
        let reply = row["last_reply"].as_str().unwrap();
        let to = row["recipients"][0].as_str().unwrap();
        let why = match to {
            "u@wrong.test" => "TLSA records name",
            "u@forged.test" | "u@shady.test" => "",
            _ => panic!("{row}"),
        };
        assert!(
            reply.starts_with("451 4.7.5") && reply.contains(why),
            "{to}: {reply}"
        );
    }
    for domain in ["right.test", "plain.test"] {
        let texts = texts(&host, domain);
        assert_eq!(texts.len(), 1, "{domain}");
        // Both are encrypted; only the first had to be.
        assert!(texts[0].contains("with ESMTPS"), "{}", texts[0]);
    }

    // Whoever can mend it is told, though the way to them is the one that is broken.
    let key = [
        "dkim",
        "add",
        "example.test",
        "--algorithm",
        "ed25519",
        "--selector",
        "s",
    ];
    server.ctl_json(&key);
    server.ctl_ok(&["dkim", "enable", "example.test", "--selector", "s"]);
    assert_eq!(server.ctl_json(&["report", "list"])["total"], 5);
    server.wait_for("the key is known", || {
        server.ctl_ok(&["report", "send", "--kind", "tls"]);
        server.ctl_json(&["report", "list"])["total"] == 0
    });
    for (domain, count, policy, result) in [
        ("right.test", 2, "tlsa", None),
        ("plain.test", 2, "no-policy-found", None),
        ("wrong.test", 1, "tlsa", Some("tlsa-invalid")),
        ("forged.test", 1, "tlsa", Some("dnssec-invalid")),
        ("shady.test", 1, "tlsa", Some("dnssec-invalid")),
    ] {
        let mut found = Vec::new();
        host.wait_for("the report", || {
            found = texts(&host, domain);
            found.len() == count
        });
        let told = found
            .iter()
            .find(|text| text.contains("TLS-Report-Domain"))
            .unwrap();
        let told = &report(told)["policies"][0];
        assert_eq!(told["policy"]["policy-type"], policy, "{domain}: {told}");
        let failure = &told["failure-details"][0]["result-type"];
        assert_eq!(failure.as_str(), result, "{domain}: {told}");
    }
}
