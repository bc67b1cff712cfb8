//! What is offered in each state, exactly; and nothing that no test has tried.
//!
//! Whoever adds a capability writes its name into a line `# tests: NAME …` of the dialogue that tries its commands, or
//! `//! # tests: NAME …` of a file of `daemon/imap/tests/session`, or of a program of `tests/clients`; what takes a value
//! (`APPENDLIMIT=1`) by what stands before it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use batpost_tests::programs::run;
use batpost_tests::server::{User, has};

const ALWAYS: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE";
const LOGINS: &str =
    "AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-1 AUTH=DIGEST-MD5 AUTH=CRAM-MD5 AUTH=PLAIN AUTH=LOGIN";
/// Only where there is TLS to bind them to.
const BOUND_LOGINS: &str = "AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-1-PLUS";

/// The names of `* CAPABILITY …` or of a response code.
fn names(line: &str) -> Vec<String> {
    let (_, rest) = line.split_once("CAPABILITY ").unwrap();
    let list = rest.split(']').next().unwrap();
    let names: Vec<String> = list.split(' ').map(str::to_owned).collect();
    let once: BTreeSet<&String> = names.iter().collect();
    assert_eq!(once.len(), names.len(), "a name stands twice: {line}");
    names
}

/// The names in lines `# tests:` of the files of a folder and those below it.
fn tested(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(tested(&path));
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for line in text.lines() {
            let line = line.trim_start_matches("//!").trim_start();
            if let Some(list) = line.strip_prefix("# tests: ") {
                names.extend(list.split_whitespace().map(str::to_owned));
            }
        }
    }
    names
}

#[test]
fn each_state_offers_what_holds_in_it() {
    let server = crate::server(1);
    let user = User::numbered(1);
    let mut imap = server.connect("imap");
    // On this host a password may be said without TLS.
    let greeting = imap.line();
    let plain = names(&greeting);
    assert_eq!(plain.join(" "), format!("{ALWAYS} STARTTLS {LOGINS}"));
    assert_eq!(names(&imap.ask("a CAPABILITY", "* CAPABILITY")), plain);
    let answer = imap.ask(&format!("b LOGIN {} {}", user.address, user.password), "b OK");
    let logged_in = names(&answer);
    assert_eq!(names(&imap.ask("c CAPABILITY", "* CAPABILITY")), logged_in);
    assert!(logged_in.join(" ").starts_with(&format!("{ALWAYS} ")), "{answer}");
    for name in &logged_in {
        let early = name.starts_with("AUTH=") || name == "STARTTLS" || name == "LOGINDISABLED";
        assert!(!early, "{name} is of no use after the login");
    }

    if has("openssl") {
        let mut client = Command::new("openssl");
        let address = format!("127.0.0.1:{}", server.port_of("imaps"));
        client.args(["s_client", "-quiet", "-connect", &address]);
        let said = run(&mut client, b"a CAPABILITY\r\nb LOGOUT\r\n");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let line = said
            .lines()
            .find(|line| line.starts_with("* CAPABILITY"))
            .unwrap();
        assert_eq!(names(line).join(" "), format!("{ALWAYS} {BOUND_LOGINS} {LOGINS}"));
    }

    let top = crate::top();
    let mut tests = Vec::new();
    for folder in ["tests/dialogues", "daemon/imap/tests/session", "tests/clients"] {
        tests.extend(tested(&top.join(folder)));
    }
    let offered = plain.iter().chain(&logged_in);
    let untested: BTreeSet<&String> = offered
        .filter(|name| {
            let bare = name.split('=').next().unwrap_or_default();
            !tests.iter().any(|test| test == *name || test == bare)
        })
        .collect();
    assert!(untested.is_empty(), "offered, but named by no test: {untested:?}");
}

#[test]
fn every_login_lets_in_whom_it_should() {
    if !has("python3") {
        return;
    }
    let server = crate::server(1);
    let user = User::numbered(1);
    let mut command = Command::new("python3");
    command.arg(crate::top().join("tests/clients/logins.py"));
    command.arg(server.port_of("imaps").to_string());
    let done = run(command.args([&user.address, &user.password]), b"");
    assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "ok");
}
