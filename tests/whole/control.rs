//! What an administrator does from the command line and scripts through the control channel.

mod channel;

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;

use batpost_tests::mail;
use batpost_tests::server::Server;
use serde_json::{Value, json};

use channel::Channel;

/// What a refused verb says, and with which code.
fn refused(server: &Server, arguments: &[&str], locale: &str) -> (i32, String) {
    let done = server.ctl_with(arguments, locale, "");
    (
        done.status.code().unwrap(),
        String::from_utf8(done.stderr).unwrap(),
    )
}

#[test]
fn every_noun_has_its_life() {
    let server = crate::server(1);
    server.ctl_ok(&["domain", "add", "second.test", "--description", "the second"]);
    let domains = server.ctl_json(&["domain", "list"]);
    assert_eq!(domains["total"], 2, "{domains}");
    assert_eq!(domains["rows"][1]["name"], "second.test");
    assert_eq!(domains["rows"][0]["users"], 1, "{domains}");
    server.ctl_ok(&["domain", "set", "second.test", "--alias", "other.test"]);
    assert_eq!(
        server.ctl_json(&["domain", "show", "second.test"])["aliases"],
        json!(["other.test"])
    );

    let added = server.ctl_with(
        &["user", "add", "anna@second.test", "--password-stdin"],
        "C.UTF-8",
        "secret\n",
    );
    assert!(added.status.success());
    server.ctl_ok(&[
        "user",
        "set",
        "anna@second.test",
        "--name",
        "Anna",
        "--quota",
        "1000000",
    ]);
    let user = server.ctl_json(&["user", "show", "anna@second.test"]);
    assert_eq!(
        (&user["name"], &user["quota_bytes"]),
        (&json!("Anna"), &json!(1_000_000)),
        "{user}"
    );
    assert_eq!(user["has_password"], true);
    assert!(!user.to_string().contains("secret"), "{user}");
    assert_eq!(server.ctl_json(&["user", "list", "--filter", "ANNA"])["total"], 1);
    assert_eq!(
        server.ctl_json(&["user", "list", "--domain", "example.test", "--limit", "1"])["total"],
        1
    );
    server.ctl_ok(&["user", "rename", "anna@second.test", "ann@second.test"]);
    let (code, _) = refused(&server, &["domain", "remove", "second.test"], "C.UTF-8");
    assert_eq!(code, 1);

    server.ctl_ok(&[
        "alias",
        "add",
        "office@second.test",
        "ann@second.test",
        "user1@example.test",
    ]);
    assert_eq!(
        server.ctl_json(&["alias", "list"])["rows"][0]["targets"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    server.ctl_ok(&["group", "add", "staff", "--member", "ann@second.test"]);
    assert_eq!(
        server.ctl_json(&["group", "list"])["rows"][0]["members"],
        json!(["ann@second.test"])
    );
    server.ctl_ok(&["folder", "add", "ann@second.test", "Projects/One"]);
    server.ctl_ok(&[
        "folder",
        "rename",
        "ann@second.test",
        "Projects/One",
        "Projects/Two",
    ]);
    let folders = server.ctl_json(&["folder", "list", "ann@second.test"]);
    let names: Vec<&str> = folders["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"INBOX") && names.contains(&"Projects/Two"),
        "{names:?}"
    );
    server.ctl_ok(&["folder", "remove", "ann@second.test", "Projects/Two"]);
    server.ctl_ok(&["allow", "add", "192.0.2.0/24", "--comment", "friends"]);
    server.ctl_ok(&["block", "add", "*@spam.test"]);
    assert_eq!(
        server.ctl_json(&["allow", "list"])["rows"][0]["pattern"],
        "192.0.2.0/24"
    );
    assert_eq!(server.ctl_json(&["block", "list"])["total"], 1);
    server.ctl_ok(&["block", "remove", "*@spam.test"]);

    server.ctl_ok(&["group", "remove", "staff"]);
    server.ctl_ok(&["alias", "remove", "office@second.test"]);
    server.ctl_ok(&["user", "remove", "ann@second.test"]);
    server.ctl_ok(&["domain", "remove", "second.test"]);
    assert_eq!(server.ctl_json(&["domain", "list"])["total"], 1);
}

// A user who can't read the server's language would not know why a message came back.
#[test]
fn a_language_is_given_and_taken_away() {
    let server = crate::server(1);
    let user = "user1@example.test";
    server.ctl_ok(&["domain", "set", "example.test", "--language", "ru"]);
    assert_eq!(
        server.ctl_json(&["domain", "show", "example.test"])["language"],
        "ru"
    );
    for (given, kept) in [("en", "en"), ("default", "")] {
        server.ctl_ok(&["user", "set", user, "--language", given]);
        assert_eq!(server.ctl_json(&["user", "show", user])["language"], kept);
    }
    let (code, _) = refused(&server, &["user", "set", user, "--language", "xx"], "C.UTF-8");
    assert_eq!(code, 2);
}

#[test]
fn the_server_shows_itself() {
    let server = crate::server(1);
    let services = server.ctl_json(&["service", "status"]);
    for row in services["rows"].as_array().unwrap() {
        assert_eq!(row["state"], "running", "{row}");
        assert!(
            row["max"].is_u64() && row["active"].is_u64() && row["total"].is_u64(),
            "{row}"
        );
    }
    let monitor = server.ctl_json(&["monitor"]);
    assert!(monitor["memory_bytes"].as_u64().unwrap() > 0, "{monitor}");
    let storage = server.ctl_json(&["storage", "show"]);
    assert!(
        storage["kinds"]
            .as_array()
            .unwrap()
            .iter()
            .any(|kind| kind["kind"] == "users"),
        "{storage}"
    );
    assert!(!storage["drivers"].as_array().unwrap().is_empty(), "{storage}");
    let settings = server.ctl_json(&["setting", "list"]);
    assert!(
        settings["values"]
            .as_array()
            .unwrap()
            .contains(&json!(["server.hostname", "mail.example.test"]))
    );
    let check = server.ctl_json(&["check"]);
    assert_eq!(check["problems"], json!([]), "{check}");
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(
            server.ctl_ok(&["completions", shell]).contains("batpostctl"),
            "{shell}"
        );
    }
    // For people, too: every table and list of facts in both languages.
    for verb in [
        &["domain", "list"][..],
        &["user", "list"],
        &["queue", "list"],
        &["session", "list"],
        &["monitor"],
    ] {
        for locale in ["C.UTF-8", "ru_RU.UTF-8"] {
            let done = server.ctl_with(verb, locale, "");
            assert!(done.status.success() && !done.stdout.is_empty(), "{verb:?}");
            assert!(
                !String::from_utf8_lossy(&done.stdout).contains("cli-"),
                "a text is missing: {done:?}"
            );
        }
    }
}

#[test]
fn what_is_refused_is_said_in_one_line_in_the_readers_language() {
    let server = crate::server(1);
    for (arguments, code, en, ru) in [
        (
            &["user", "show", "nobody@example.test"][..],
            1,
            "nobody@example.test",
            "nobody@example.test",
        ),
        (
            &["domain", "show", "nowhere.test"],
            1,
            "nowhere.test",
            "Домена nowhere.test здесь нет",
        ),
        (
            &["alias", "set", "nobody@example.test", "--enabled", "false"],
            1,
            "nobody@example.test",
            "nobody@example.test",
        ),
        (
            &["group", "set", "nobody", "--description", "x"],
            1,
            "nobody",
            "nobody",
        ),
        (&["queue", "show", "1"], 1, "queue", "Такого письма в очереди нет"),
        (
            &["domain", "add", "example.test"],
            1,
            "example.test",
            "Домен example.test уже есть",
        ),
        (
            &["domain", "add", "not a name"],
            1,
            "not a name",
            "недопустимое имя домена",
        ),
        (
            &["setting", "set", "outgoing.port", "70000"],
            1,
            "70000",
            "вне допустимых пределов",
        ),
        (
            &["setting", "set", "fnord", "1"],
            1,
            "fnord",
            "Настройки fnord нет",
        ),
        (&["service", "stop", "fnord"], 1, "fnord", "Службы fnord нет"),
        (&["session", "end", "999999"], 1, "999", "Сеанса"),
        (&["rpc", "fnord"], 1, "fnord", "fnord"),
        (&["rpc", "user.list", "{"], 1, "JSON", "не JSON"),
    ] {
        let (told_code, told) = refused(&server, arguments, "C.UTF-8");
        assert_eq!(told_code, code, "{arguments:?}: {told}");
        assert_eq!(told.lines().count(), 1, "{arguments:?}: {told}");
        assert!(told.contains(en), "{arguments:?}: {told}");
        let (told_code, told) = refused(&server, arguments, "ru_RU.UTF-8");
        assert_eq!(told_code, code, "{arguments:?}: {told}");
        assert!(told.contains(ru), "{arguments:?}: {told}");
    }
    // Usage, and no daemon.
    for arguments in [
        &["fnord"][..],
        &["user"],
        &["user", "add"],
        &["session", "end", "x"],
    ] {
        assert_eq!(refused(&server, arguments, "C.UTF-8").0, 2, "{arguments:?}");
        let (_, told) = refused(&server, arguments, "ru_RU.UTF-8");
        assert!(
            told.chars().any(|c| ('а'..='я').contains(&c)),
            "{arguments:?}: {told}"
        );
    }
    let away = tempfile::tempdir().unwrap();
    let mut command = Command::new(server.programs.batpostctl);
    let done = command
        .arg("--data")
        .arg(away.path())
        .args(["user", "list"])
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(3));
    assert_eq!(String::from_utf8(done.stderr).unwrap().lines().count(), 1);
}

#[test]
fn ten_thousand_users_are_imported_and_bad_lines_named() {
    let server = crate::server(0);
    let mut csv = String::from("address,password,name,quota,enabled\n");
    for number in 1..=10_000 {
        match number {
            // The password "secret", as another server kept it.
            1..=9_990 => writeln!(
                csv,
                "u{number}@big.test,{{SSHA}}hVrLCXjGGGkHkRVLzUd3DhTsNwNzYWx0c2FsdA==,User {number},,true"
            ),
            9_991 => writeln!(csv, "not-an-address,x,,,"),
            9_992 => writeln!(csv, "u1@big.test,x,,,"),
            9_993 => writeln!(csv, "q@big.test,x,,lots,"),
            _ => writeln!(csv, "p{number}@big.test,plain{number},,,"),
        }
        .unwrap();
    }
    let file = server.data().join("import.csv");
    std::fs::write(&file, csv).unwrap();
    let file = file.to_string_lossy();
    let done = server.ctl(&["--json", "user", "import", &file, "--create-domains"]);
    // Something was refused, so the code says so; the rest is there.
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["imported"], 9_997, "{report}");
    let lines: Vec<u64> = report["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [9_992, 9_993, 9_994], "{report}");
    assert_eq!(
        server.ctl_json(&["user", "list", "--domain", "big.test"])["total"],
        9_997
    );
    let mut imap = server.connect("imap");
    imap.until("* OK");
    imap.ask("a LOGIN p10000@big.test plain10000", "a OK");
    let (code, told) = refused(&server, &["user", "import", &file], "ru_RU.UTF-8");
    assert_eq!(code, 1);
    assert!(
        told.lines().count() > 100 && told.contains("u1000@big.test"),
        "{}",
        told.len()
    );
}

#[test]
fn a_change_of_an_old_state_is_refused() {
    let server = crate::server(1);
    let mut channel = Channel::open(&server, "ru");
    let mut domain = channel.call("domain.get", json!({"name": "example.test"}))["result"].clone();
    domain["description"] = json!("mine");
    let changed = channel.call("domain.set", json!({"domain": domain}));
    assert!(
        changed["result"]["revision"].as_u64() > domain["revision"].as_u64(),
        "{changed}"
    );
    domain["description"] = json!("too late");
    let stale = channel.call("domain.set", json!({"domain": domain}));
    assert_eq!(stale["error"]["data"]["code"], "revision-stale", "{stale}");
    let now = channel.call("domain.get", json!({"name": "example.test"}));
    assert_eq!(now["result"]["description"], "mine");
}

#[test]
fn garbage_costs_only_who_sends_it() {
    let server = crate::server(0);
    let mut channel = Channel::silent(&server);
    channel.write("fnord");
    assert_eq!(channel.read().unwrap()["error"]["code"], -32_700);
    let early = channel.call("user.list", json!({}));
    assert_eq!(early["error"]["code"], -32_600, "{early}");
    let hello = channel.call(
        "hello",
        json!({"version": {"major": 99, "minor": 0}, "client": "test"}),
    );
    assert!(hello["error"].is_object(), "{hello}");
    let mut channel = Channel::open(&server, "en");
    assert_eq!(channel.call("fnord", json!({}))["error"]["code"], -32_601);
    assert_eq!(
        channel.call("user.get", json!({"address": 7}))["error"]["code"],
        -32_602
    );
    assert_eq!(channel.call("user.get", json!([]))["error"]["code"], -32_602);
    channel.write("{\"jsonrpc\":\"2.0\"}");
    channel.write("[]");
    channel.write("\u{0}\u{1}");
    for _ in 0..3 {
        assert!(channel.read().unwrap()["error"].is_object());
    }
    assert!(channel.call("user.list", json!({}))["result"].is_object());
    server.ctl_ok(&["domain", "list"]);
}

#[test]
fn subscribers_are_told_what_happens() {
    let server = crate::server(1);
    let mut channel = Channel::open(&server, "ru");
    let channels = json!({"channels": ["monitor", "log", "queue", "changes"]});
    assert!(channel.call("subscribe", channels)["result"].is_object());
    let bad = channel.call("subscribe", json!({"channels": ["fnord"]}));
    assert_eq!(bad["error"]["data"]["code"], "channel-unknown", "{bad}");
    channel.notified(|message| message["method"] == "monitor" && message["params"]["services"].is_array());
    server.ctl_ok(&["domain", "add", "new.test"]);
    let change = channel.notified(|message| message["method"] == "changes");
    assert_eq!(change["params"]["kind"], "domain", "{change}");
    let id = mail::send(
        &server,
        "a@b.test",
        &["user1@example.test"],
        b"Subject: x\r\n\r\n",
    );
    // Which of the two comes first is not said.
    let (mut row, mut accepted) = (None, false);
    while row.is_none() || !accepted {
        let told = channel.notified(|message| ["log", "queue"].map(Value::from).contains(&message["method"]));
        if told["method"] == "queue" {
            accepted |= told["params"]["accepted_total"] == 1;
        } else if told["params"]["message"] == id.as_str() {
            row = Some(told);
        }
    }
    let row = row.unwrap();
    assert!(
        row["params"]["text"]
            .as_str()
            .unwrap()
            .chars()
            .any(|c| ('а'..='я').contains(&c)),
        "{row}"
    );
}

#[test]
fn a_session_that_is_ended_ends() {
    let server = crate::server(1);
    let mut imap = server.connect("imap");
    imap.until("* OK");
    imap.ask("a LOGIN user1@example.test pass1", "a OK");
    let rows = server.ctl_json(&["session", "list"]);
    assert_eq!(rows["total"], 1, "{rows}");
    let row = &rows["rows"][0];
    assert_eq!(
        (&row["service"], &row["protocol"], &row["user"]),
        (&json!("imap"), &json!("imap"), &json!("user1@example.test")),
        "{row}"
    );
    assert!(row["peer"].as_str().unwrap().starts_with("127.0.0.1"), "{row}");
    assert_eq!(row["tls"], false);
    server.ctl_ok(&["session", "end", &row["id"].to_string()]);
    imap.until("* BYE");
    assert!(imap.try_line().is_none());
    server.wait_for("end of the session", || {
        server.ctl_json(&["session", "list"])["total"] == 0
    });
}

#[test]
fn a_service_stops_pauses_and_starts() {
    let server = crate::server(1);
    let port = server.port_of("pop3");
    let open = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    let mut inside = server.connect("pop3");
    inside.until("+OK");
    server.ctl_ok(&["service", "pause", "pop3"]);
    inside.ask("CAPA", "+OK");
    inside.until(".");
    assert_eq!(state(&server, "pop3"), "paused");
    server.ctl_ok(&["service", "stop", "pop3"]);
    assert!(!open(), "the port is open");
    while inside.try_line().is_some() {}
    assert_eq!(state(&server, "pop3"), "stopped");
    server.connect("imap").until("* OK");
    server.ctl_ok(&["service", "start", "pop3"]);
    assert_eq!(state(&server, "pop3"), "running");
    server.connect("pop3").until("+OK");
}

fn state(server: &Server, service: &str) -> String {
    let rows = server.ctl_json(&["service", "status"]);
    let row = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["service"] == service);
    row.unwrap()["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_message_is_followed_through_all_logs() {
    let server = crate::server(1);
    let id = mail::send(
        &server,
        "a@b.test",
        &["user1@example.test"],
        b"Subject: x\r\n\r\n",
    );
    server.wait_for_empty_queue();
    let mut rows = Value::Null;
    server.wait_for("rows of both rooms", || {
        rows = server.ctl_json(&["log", "show", "--message", &id]);
        ["smtp", "delivery"].iter().all(|channel| {
            rows["rows"]
                .as_array()
                .unwrap()
                .iter()
                .any(|row| row["channel"] == *channel && row["message"] == id.as_str())
        })
    });
    let session = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|row| row["session"].as_u64())
        .unwrap();
    let of_session = server.ctl_json(&["log", "show", "--session", &session.to_string()]);
    assert!(
        of_session["rows"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["message"] == id.as_str()),
        "{of_session}"
    );
    let russian = server.ctl_with(&["log", "show", "--message", &id], "ru_RU.UTF-8", "");
    assert!(
        String::from_utf8(russian.stdout)
            .unwrap()
            .chars()
            .any(|c| ('а'..='я').contains(&c))
    );
}
