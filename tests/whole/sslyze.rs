//! sslyze looks at every port that speaks TLS, as who examines a mail server does, and finds nothing. The certificate is one of an
//! authority of the test's own that sslyze is told to trust, so that all it may have to say is about the server.
//!
//! `tests/run` installs it. LMTP is not looked at: sslyze says EHLO only. It is the same TLS there.

use std::path::Path;
use std::process::Command;

use batpost_tests::programs::{run, try_run};
use batpost_tests::server::{Server, has};
use serde_json::Value;

use crate::clients::installed;

const NAME: &str = "mail.example.test";

/// What sslyze is asked for in one go: how TLS is begun there, and the standard ports.
const PORTS: [(Option<&str>, &[u16]); 4] = [
    (None, &[443, 465, 993, 995]),
    (Some("smtp"), &[25, 587]),
    (Some("imap"), &[143]),
    (Some("pop3"), &[110]),
];

fn openssl(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("openssl");
    run(command.current_dir(folder).args(arguments), b"");
}

/// An authority (`ca.pem`) and what it signed for the server (`cert.pem`, `key.pem`).
fn certify(folder: &Path) {
    let new = [
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    let authority = [
        "-x509",
        "-days",
        "30",
        "-subj",
        "/CN=Authority",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-addext",
        "keyUsage=critical,keyCertSign",
    ];
    openssl(folder, &[&new[..], &authority].concat());
    let subject = format!("/CN={NAME}");
    let request = ["-subj", &subject, "-keyout", "key.pem", "-out", "request.pem"];
    openssl(folder, &[&new[..], &request].concat());
    let extensions = format!(
        "subjectAltName=DNS:{NAME}\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
         extendedKeyUsage=serverAuth\n"
    );
    std::fs::write(folder.join("extensions"), extensions).unwrap();
    let sign = [
        "x509",
        "-req",
        "-in",
        "request.pem",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "90",
        "-extfile",
        "extensions",
        "-out",
        "cert.pem",
    ];
    openssl(folder, &sign);
}

/// A server on all ports, those of the web too, that shows the certificate made in the folder.
fn server(folder: &Path) -> Server {
    let mut server = crate::web_server();
    server.start();
    certify(folder);
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
    server.ctl_ok(&[
        "certificate",
        "add",
        certificate.to_str().unwrap(),
        key.to_str().unwrap(),
    ]);
    server
}

// Who looks at the server from outside would show its administrator a fault, or find one that lets him in.
#[test]
fn sslyze_finds_nothing_on_any_port() {
    let Some(sslyze) = installed("venv/bin/sslyze").filter(|_| has("openssl")) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    for (starttls, ports) in PORTS {
        let report = folder.path().join("report.json");
        let mut command = Command::new(&sslyze);
        command.arg("--json_out").arg(&report);
        command
            .arg("--certinfo_ca_file")
            .arg(folder.path().join("ca.pem"));
        // What Mozilla recommends for servers that old programs too must reach; and what it says nothing of.
        command.args(["--mozilla_config", "intermediate", "--resum", "--early_data"]);
        // It gives a connection a few seconds: not so many at once.
        command.arg("--slow_connection");
        if let Some(protocol) = starttls {
            command.args(["--starttls", protocol]);
        }
        for port in ports {
            command.arg(format!("{NAME}:{}{{127.0.0.1}}", server.port(*port)));
        }
        // It fails where anything is not as Mozilla wants it, and says what.
        let said = run(&mut command, b"").stdout;
        let said = String::from_utf8_lossy(&said);
        assert_eq!(said.matches("OK - Compliant").count(), ports.len(), "{said}");
        let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
        let looked_at = report["server_scan_results"].as_array().unwrap();
        assert_eq!(looked_at.len(), ports.len());
        for port in looked_at {
            assert_clean(port);
        }
    }
}

/// Nothing that sslyze looks for, each named here, so that a thing it could not look at is no "all is well".
fn assert_clean(port: &Value) {
    let at = &port["server_location"]["port"];
    let result = |scan: &str| {
        let scanned = &port["scan_result"][scan];
        assert_eq!(scanned["status"], "COMPLETED", "{at} {scan}: {scanned}");
        scanned["result"].clone()
    };
    for (scan, key, good) in [
        ("ssl_2_0_cipher_suites", "is_tls_version_supported", false),
        ("ssl_3_0_cipher_suites", "is_tls_version_supported", false),
        ("tls_1_0_cipher_suites", "is_tls_version_supported", false),
        ("tls_1_1_cipher_suites", "is_tls_version_supported", false),
        ("tls_1_2_cipher_suites", "is_tls_version_supported", true),
        ("tls_1_3_cipher_suites", "is_tls_version_supported", true),
        ("tls_compression", "supports_compression", false),
        // What is sent early can be sent again by whoever saw it.
        ("tls_1_3_early_data", "supports_early_data", false),
        ("openssl_ccs_injection", "is_vulnerable_to_ccs_injection", false),
        ("heartbleed", "is_vulnerable_to_heartbleed", false),
        ("tls_fallback_scsv", "supports_fallback_scsv", true),
        ("session_renegotiation", "supports_secure_renegotiation", true),
        (
            "session_renegotiation",
            "is_vulnerable_to_client_renegotiation_dos",
            false,
        ),
        ("tls_extended_master_secret", "supports_ems_extension", true),
    ] {
        assert_eq!(result(scan)[key], good, "{at} {scan} {key}");
    }
    assert_eq!(
        result("robot")["robot_result"],
        "NOT_VULNERABLE_RSA_NOT_SUPPORTED",
        "{at}"
    );
    // It takes a ticket for ignored that the server renews when it is used, as ours does: see below for tickets.
    let resumption = result("session_resumption");
    assert_eq!(
        resumption["session_id_resumption_result"], "FULLY_SUPPORTED",
        "{at}"
    );
    for version in ["tls_1_2_cipher_suites", "tls_1_3_cipher_suites"] {
        let accepted = result(version)["accepted_cipher_suites"].clone();
        for suite in accepted.as_array().unwrap() {
            let name = suite["cipher_suite"]["name"].as_str().unwrap();
            assert!(
                name.contains("_GCM_") || name.contains("CHACHA20_POLY1305"),
                "{at} {name}"
            );
            // A key for this one connection: who steals the server's later still can't read what was recorded.
            assert!(suite["ephemeral_key"].is_object(), "{at} {name}");
        }
    }
    let deployments = result("certificate_info")["certificate_deployments"].clone();
    let trusted = |deployment: &Value| {
        let paths = deployment["path_validation_results"].as_array().unwrap();
        paths.iter().any(|path| path["was_validation_successful"] == true)
    };
    assert!(
        deployments.as_array().unwrap().iter().all(trusted),
        "{at}: {deployments}"
    );
}

// Each look for new mail would cost a phone a whole handshake.
#[test]
fn openssl_resumes_a_session_by_its_ticket() {
    if !has("openssl") {
        return;
    }
    let server = crate::server(1);
    let folder = tempfile::tempdir().unwrap();
    for version in ["-tls1_2", "-tls1_3"] {
        let connect = |how: &str| {
            let mut command = Command::new("openssl");
            command.current_dir(folder.path());
            command.args([
                "s_client",
                "-ign_eof",
                version,
                how,
                "ticket",
                "-servername",
                NAME,
            ]);
            command.args(["-connect", &format!("127.0.0.1:{}", server.port_of("imaps"))]);
            let said = try_run(&mut command, b"a LOGOUT\r\n").stdout;
            String::from_utf8_lossy(&said).into_owned()
        };
        let first = connect("-sess_out");
        assert!(
            first.contains("New, TLSv1") && first.contains("TLS session ticket:"),
            "{first}"
        );
        let second = connect("-sess_in");
        assert!(second.contains("Reused, TLSv1"), "{version}: {second}");
    }
}
