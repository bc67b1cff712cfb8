//! DANE with a real name server (NSD) and zones that are really signed, from a root of the test's own: mail would be read by whoever stands between,
//! or wait for ever though all is well.

mod between;
mod names;

use std::fmt::Write as _;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use batpost_tests::mail::fetch_all;
use batpost_tests::programs::run;
use batpost_tests::server::{Server, User, has};
use serde_json::Value;

use self::between::{Between, Lie};
use self::names::{Domain, Names, can_sign};
use crate::PROGRAMS;

/// A record of a certificate that nobody has.
const WRONG: &str = "3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The host of these domains, with a user `u` in each.
fn host(domains: &[&str]) -> Server {
    let mut host = Server::initialised(PROGRAMS);
    host.start();
    host.ctl_ok(&["setting", "set", "server.hostname", "mx.right.test"]);
    let mut csv = String::from("address,password\n");
    for domain in domains {
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

/// A server that sends with DANE, asks the name server on `port` and believes the root's key of `names`. `smtp`: the port of other hosts.
fn asking(port: u16, names: &Names, smtp: u16) -> Server {
    let mut server = Server::initialised(PROGRAMS);
    let path = server.data().join("batpost.toml");
    let mut config = std::fs::read_to_string(&path).unwrap();
    let anchor = names.anchor();
    write!(
        config,
        "\n[dns]\nservers = [\"127.0.0.1:{port}\"]\ntrust_anchor = \"{}\"\n",
        anchor.display()
    )
    .unwrap();
    std::fs::write(&path, config).unwrap();
    server.start();
    server.add_users(1);
    for (key, value) in [("outgoing.dane", "true"), ("outgoing.port", &smtp.to_string())] {
        server.ctl_ok(&["setting", "set", key, value]);
    }
    server
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
    if !(can_sign() && has("gzip")) {
        return;
    }
    let all = [
        "right.test",
        "wrong.test",
        "forged.test",
        "shady.test",
        "plain.test",
    ];
    let host = host(&all);
    let (smtp, right) = (host.port_of("smtp"), tlsa(&host));
    let domains = all.map(|name| Domain {
        name,
        signed: name != "plain.test",
        tlsa: if name == "right.test" { &right } else { WRONG },
        // After they were signed: the record of the certificate, that of the exchanger.
        change: match name {
            "forged.test" => Some(("00112233", "33221100")),
            "shady.test" => Some(("MX\t10 ", "MX\t20 ")),
            _ => None,
        },
    });
    let names = Names::start(smtp, &domains);
    let server = asking(names.port, &names, smtp);
    server.ctl_ok(&["setting", "set", "tls-report.send", "true"]);
    for domain in all {
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
    host.wait_for_empty_queue();
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

/// Whoever stands between us and the name servers could have mail go to himself, or in the clear, by saying that there is nothing to go by.
#[test]
fn who_stands_between_and_denies_records_only_has_mail_wait() {
    if !can_sign() {
        return;
    }
    let lies = Lie::ALL.map(|lie| (lie.domain(), lie));
    let mut all = vec!["honest.test", "plain.test"];
    all.extend(lies.iter().map(|(domain, _)| *domain));
    let host = host(&all);
    let (smtp, right) = (host.port_of("smtp"), tlsa(&host));
    let domains: Vec<Domain<'_>> = all
        .iter()
        .map(|name| Domain {
            name,
            signed: *name != "plain.test",
            tlsa: &right,
            change: None,
        })
        .collect();
    let names = Names::start(smtp, &domains);
    let between = Between::start(names.port);
    let mut server = asking(between.port, &names, smtp);
    for domain in &all {
        submit(&server, &format!("u@{domain}"));
    }
    let mut rows = Value::Null;
    server.wait_for("the messages put off, two gone", || {
        rows = server.ctl_json(&["queue", "list"]);
        let rows = rows["rows"].as_array().unwrap();
        rows.len() == lies.len()
            && rows
                .iter()
                .all(|row| row["attempts"].as_u64() >= Some(1) && row["next_try"].is_i64())
    });
    for row in rows["rows"].as_array().unwrap() {
        let reply = row["last_reply"].as_str().unwrap();
        assert!(
            reply.starts_with("451 4.7.5"),
            "{}: {reply}",
            row["recipients"][0]
        );
    }
    host.wait_for_empty_queue();
    for domain in ["honest.test", "plain.test"] {
        assert_eq!(texts(&host, domain).len(), 1, "{domain}");
    }
    // It was for the lies alone.
    assert_eq!(between.told(), lies.len());
    between.be_honest();
    server.stop();
    server.start();
    server.ctl_ok(&["queue", "retry"]);
    server.wait_for_empty_queue();
    host.wait_for_empty_queue();
    for domain in all {
        assert_eq!(texts(&host, domain).len(), 1, "{domain}");
    }
}
