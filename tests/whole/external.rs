//! Mail in mailboxes elsewhere: one server fetches from another, over POP3 and IMAP.

use batpost_tests::mail::{fetch_all, send};
use batpost_tests::server::Server;
use serde_json::Value;

use crate::server;

/// Who fetches.
const USER: &str = "user1@example.test";

/// Fetches for user 1 from user 1 of another server; visited by hand only.
fn account(here: &Server, there: &Server, name: &str, service: &str, more: &[&str]) {
    let protocol = &service[..4];
    let port = there.port_of(service).to_string();
    let mut arguments = vec![
        "external",
        "add",
        USER,
        name,
        "--protocol",
        protocol,
        "--server",
        "127.0.0.1",
    ];
    arguments.extend([
        "--port",
        &port,
        "--login",
        USER,
        "--enabled",
        "false",
        "--password-stdin",
    ]);
    arguments.extend(more);
    let added = here.ctl_with(&arguments, "C.UTF-8", "pass1\n");
    assert!(
        added.status.success(),
        "{}",
        String::from_utf8_lossy(&added.stderr)
    );
}

fn subjects(server: &Server) -> Vec<String> {
    server.wait_for_empty_queue();
    let texts = fetch_all(server, USER, "pass1");
    let subject = |text: &Vec<u8>| {
        let text = String::from_utf8_lossy(text).into_owned();
        text.split("Subject: ")
            .nth(1)
            .unwrap()
            .split("\r\n")
            .next()
            .unwrap()
            .to_owned()
    };
    let mut subjects: Vec<String> = texts.iter().map(subject).collect();
    subjects.sort();
    subjects
}

fn put(there: &Server, subject: &str) {
    let text = format!("From: <bob@else.test>\r\nSubject: {subject}\r\n\r\n.a line\r\n");
    send(there, "bob@else.test", &[USER], text.as_bytes());
    there.wait_for_empty_queue();
}

fn fetched(here: &Server, name: &str) -> u64 {
    let state = here.ctl_json(&["external", "fetch", USER, name]);
    assert_eq!(state["problem"], Value::Null, "{state}");
    state["fetched"].as_u64().unwrap()
}

// A user would get everything twice, or nothing, or lose over there what is not here.
#[test]
fn mail_is_fetched_from_another_server_once() {
    for (service, mechanism) in [("pop3s", "SCRAM-SHA-256"), ("imaps", "SCRAM-SHA-256")] {
        let (mut here, there) = (server(1), server(1));
        put(&there, "one");
        put(&there, "two");
        account(&here, &there, "Other", service, &[]);
        // The certificate is one that nobody vouches for: it is looked at and named.
        let refused = here.ctl(&["--json", "external", "test", USER, "other"]);
        assert!(!refused.status.success());
        let answer: Value = serde_json::from_slice(&refused.stdout).unwrap();
        assert_eq!(answer["problem"]["code"], "external-tls", "{answer}");
        let fingerprint = answer["certificate"].as_str().unwrap();
        here.ctl_ok(&["external", "set", USER, "Other", "--certificate", fingerprint]);
        let answer = here.ctl_json(&["external", "test", USER, "Other"]);
        assert_eq!(
            (&answer["mechanism"], &answer["messages"]),
            (&Value::from(mechanism), &Value::from(2))
        );

        assert_eq!(fetched(&here, "Other"), 2, "{service}");
        assert_eq!(subjects(&here), ["one", "two"]);
        assert_eq!(subjects(&there).len(), 2, "they stay over there");
        // Nothing comes twice, whatever happens to the server that fetches.
        here.kill();
        here.start();
        put(&there, "three");
        assert_eq!(fetched(&here, "Other"), 1, "{service}");
        here.stop();
        here.start();
        here.ctl_ok(&["external", "set", USER, "Other", "--delete"]);
        assert_eq!(fetched(&here, "Other"), 0, "{service}");
        assert_eq!(subjects(&here), ["one", "three", "two"]);
        assert_eq!(
            subjects(&there),
            Vec::<String>::new(),
            "what is here is deleted over there"
        );
        let text = String::from_utf8(fetch_all(&here, USER, "pass1").remove(0)).unwrap();
        assert!(
            text.starts_with("Return-Path: <bob@else.test>\r\nReceived: from 127.0.0.1 ("),
            "{text}"
        );
    }
}

#[test]
fn accounts_are_seen_changed_and_removed_from_the_command_line() {
    let (here, there) = (server(1), server(1));
    put(&there, "one");
    account(
        &here,
        &there,
        "Old mail",
        "imap",
        &[
            "--security",
            "none",
            "--into",
            "Old",
            "--every",
            "60",
            "--delete-after",
            "30",
        ],
    );
    let shown = here.ctl_ok(&["external", "show", USER, "old mail"]);
    for part in ["127.0.0.1:", "delete-after 30", "Old", "60", "imap"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("pass1"));
    assert_eq!(fetched(&here, "old mail"), 1);
    here.wait_for_empty_queue();
    let folders = here.ctl_json(&["folder", "list", USER]);
    let old = folders["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "Old")
        .unwrap();
    assert_eq!(old["messages"], 1);
    let wrong = here.ctl_with(
        &["external", "set", USER, "Old mail", "--password-stdin"],
        "C.UTF-8",
        "wrong\n",
    );
    assert!(wrong.status.success());
    let failed = here.ctl(&["external", "fetch", USER, "Old mail"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stdout).contains("refuses the login"));
    let listed = here.ctl_ok(&["external", "list", "--user", USER]);
    assert!(listed.contains("refuses the login"), "{listed}");
    let russian = here.ctl_with(&["external", "list"], "ru_RU.UTF-8", "");
    assert!(String::from_utf8_lossy(&russian.stdout).contains("отказывает во входе"));
    here.ctl_ok(&["external", "remove", USER, "Old mail"]);
    assert_eq!(here.ctl_json(&["external", "list"])["total"], 0);
    let gone = here.ctl(&["external", "fetch", USER, "Old mail"]);
    assert_eq!(gone.status.code(), Some(1));
}

// Who has mail forwarded would not get what lies elsewhere, or would get it in circles.
#[test]
fn fetched_mail_is_forwarded_like_any_other() {
    let (here, there) = (server(2), server(1));
    put(&there, "one");
    account(&here, &there, "Other", "imap", &["--security", "none"]);
    let other = "user2@example.test";
    here.ctl_ok(&["user", "set", USER, "--forward", other, "--keep-copy", "true"]);
    assert_eq!(fetched(&here, "Other"), 1);
    assert_eq!(subjects(&here), ["one"]);
    let forwarded = fetch_all(&here, other, "pass2");
    let [text] = forwarded.as_slice() else {
        panic!("{} messages", forwarded.len());
    };
    let text = String::from_utf8_lossy(text);
    assert!(text.contains("Delivered-To: user1@example.test\r\n"), "{text}");
    assert!(text.ends_with("Subject: one\r\n\r\n.a line\r\n"), "{text}");
    // Forwarded back to the mailbox that it came from, it is left there.
    send(&there, "bob@else.test", &[USER], text.as_bytes());
    there.wait_for_empty_queue();
    assert_eq!(fetched(&here, "Other"), 0);
    let state = here.ctl_json(&["external", "show", USER, "Other"]);
    assert_eq!(state["state"]["skipped_total"], 1, "{state}");
    assert_eq!(subjects(&here), ["one"]);
}
