//! Outgoing mail: taken by a remote host, refused by it, or put off; the sender is told, the administrator sees and steers.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

use batpost_tests::line::Line;
use batpost_tests::mail::{fetch_all, stuffed};
use batpost_tests::server::{Server, User};
use serde_json::Value;

use crate::PROGRAMS;

/// A message that the remote host took.
struct Taken {
    from: String,
    to: Vec<String>,
    text: Vec<u8>,
}

/// A remote host. Recipients whose names begin with `no` are refused, with `later` put off while `busy`.
struct Remote {
    port: u16,
    busy: Arc<AtomicBool>,
    taken: Receiver<Taken>,
}

impl Remote {
    fn start() -> Self {
        Self::offering(&["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES"])
    }

    fn offering(offers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let busy = Arc::new(AtomicBool::new(true));
        let (send, taken) = mpsc::channel();
        let shared = busy.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (busy, send) = (shared.clone(), send.clone());
                std::thread::spawn(move || converse(Line::over(stream.unwrap()), offers, &busy, &send));
            }
        });
        Self { port, busy, taken }
    }
}

fn converse(mut line: Line, offers: &[&str], busy: &AtomicBool, send: &Sender<Taken>) -> Option<()> {
    let hello = format!("250-remote.test\r\n250-{}\r\n250 HELP", offers.join("\r\n250-"));
    line.send("220 remote.test ESMTP");
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let command = String::from_utf8(line.try_line()?).unwrap();
        let path = command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let verb: String = command.chars().take(4).collect::<String>().to_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => hello.as_str(),
            "MAIL" => {
                (from, to) = (path, Vec::new());
                "250 2.1.0 Ok"
            }
            "RCPT" if path.starts_with("no") => "550 5.1.1 Nobody of that name",
            "RCPT" if path.starts_with("later") && busy.load(Ordering::SeqCst) => "451 4.2.1 Try again later",
            "RCPT" => {
                to.push(path);
                "250 2.1.5 Ok"
            }
            "DATA" if to.is_empty() => "554 5.5.1 No recipients",
            "DATA" => {
                line.send("354 Go ahead");
                let mut text = Vec::new();
                loop {
                    let next = line.raw_line()?;
                    if next == b".\r\n" {
                        break;
                    }
                    text.extend_from_slice(next.strip_prefix(b".").unwrap_or(&next));
                }
                let (from, to) = (from.clone(), std::mem::take(&mut to));
                // The test may be over.
                let _ = send.send(Taken { from, to, text });
                "250 2.0.0 Taken"
            }
            "QUIT" => {
                line.try_send_raw(b"221 2.0.0 Bye\r\n");
                return None;
            }
            "RSET" | "NOOP" => "250 2.0.0 Ok",
            _ => "502 5.5.1 Not implemented",
        };
        if !line.try_send_raw(format!("{answer}\r\n").as_bytes()) {
            return None;
        }
    }
}

/// A server whose mail for `remote.test` goes to that host.
fn server(remote: &Remote, users: usize) -> Server {
    let mut server = Server::initialised(PROGRAMS);
    let path = server.data().join("batpost.toml");
    let mut config = std::fs::read_to_string(&path).unwrap();
    write!(
        config,
        "\n[dns.overrides]\n\"remote.test\" = \"127.0.0.1:{}\"\n",
        remote.port
    )
    .unwrap();
    std::fs::write(&path, config).unwrap();
    server.start();
    server.add_users(users);
    server
}

/// Sends as user 1; the queue id.
pub(crate) fn submit(server: &Server, from: &str, to: &str) -> String {
    submit_text(server, from, to, "Subject: to the remote\r\n\r\n.a line\r\n")
}

pub(crate) fn submit_text(server: &Server, from: &str, to: &str, text: &str) -> String {
    let mut smtp = server.connect("submission");
    smtp.smtp("", "220");
    smtp.smtp("EHLO client.test", "250");
    smtp.smtp(&format!("AUTH PLAIN {}", User::numbered(1).plain()), "235");
    smtp.smtp(&format!("MAIL FROM:<{from}>"), "250");
    smtp.smtp(&format!("RCPT TO:<{to}>"), "250");
    smtp.smtp("DATA", "354");
    // A bounce has no sender, and yet an author.
    let author = if from.is_empty() {
        User::numbered(1).address
    } else {
        from.to_owned()
    };
    smtp.send_raw(&stuffed(format!("From: <{author}>\r\n{text}").as_bytes()));
    let answer = smtp.smtp("", "250");
    smtp.smtp("QUIT", "221");
    answer.rsplit(' ').next().unwrap().to_owned()
}

fn inbox(server: &Server) -> Vec<String> {
    let messages = fetch_all(server, "user1@example.test", "pass1");
    messages
        .iter()
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect()
}

/// The queue's rows once the only message in it was tried and put off.
fn waiting(server: &Server) -> Value {
    let mut rows = Value::Null;
    server.wait_for("message put off", || {
        rows = server.ctl_json(&["queue", "list"]);
        // While it is being tried there is no next try.
        rows["rows"][0]["attempts"].as_u64() >= Some(1) && rows["rows"][0]["next_try"].is_i64()
    });
    rows
}

#[test]
fn mail_for_a_remote_host_reaches_it() {
    let remote = Remote::start();
    let server = server(&remote, 1);
    submit(&server, "user1@example.test", "anna@remote.test");
    let taken = remote.taken.recv().unwrap();
    assert_eq!(taken.from, "user1@example.test");
    assert_eq!(taken.to, ["anna@remote.test"]);
    let text = String::from_utf8(taken.text).unwrap();
    assert!(text.starts_with("Received: from client.test"), "{text}");
    assert!(
        text.ends_with("Subject: to the remote\r\n\r\n.a line\r\n"),
        "{text}"
    );
    assert!(!text.contains("Return-Path:"), "{text}");
    server.wait_for_empty_queue();
    assert_eq!(inbox(&server), Vec::<String>::new());
}

/// What a user wrote would arrive with every eighth bit gone, or not at all.
#[test]
fn a_host_that_takes_only_seven_bits_gets_a_text_that_reads_the_same() {
    let remote = Remote::offering(&["PIPELINING"]);
    let server = server(&remote, 1);
    let sender = "user1@example.test";
    submit_text(
        &server,
        sender,
        "anna@remote.test",
        "Subject: Привет\r\n\r\nÀ bientôt\r\n",
    );
    let text = String::from_utf8(remote.taken.recv().unwrap().text).unwrap();
    assert!(text.is_ascii(), "{text}");
    let says = [
        "Subject: =?UTF-8?B?0J/RgNC40LLQtdGC?=\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
        "\r\n\r\n=C3=80 bient=C3=B4t\r\n",
    ];
    assert!(says.iter().all(|part| text.contains(part)), "{text}");
    server.wait_for("the administrator is told", || {
        let told = server.ctl_ok(&["log", "show", "--channel", "delivery"]);
        told.contains("takes only 7-bit text")
    });
    // What is signed is not changed: the sender hears of it.
    let signed = "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\né\r\n--b--\r\n";
    submit_text(&server, sender, "anna@remote.test", signed);
    server.wait_for_empty_queue();
    let reports = inbox(&server);
    assert!(reports[0].contains("\r\nStatus: 5.6.3\r\n"), "{reports:?}");
    assert!(remote.taken.try_recv().is_err());
}

/// Whoever set up signing would find that nothing is signed.
#[test]
fn a_key_that_is_made_and_enabled_signs() {
    let remote = Remote::start();
    let server = server(&remote, 1);
    let key = server.ctl_json(&[
        "dkim",
        "add",
        "example.test",
        "--algorithm",
        "ed25519",
        "--selector",
        "s",
    ]);
    assert_eq!(key["record_name"], "s._domainkey.example.test");
    let record = key["record"].as_str().unwrap();
    assert!(record.starts_with("v=DKIM1; k=ed25519; p="), "{record}");
    assert!(server.ctl_ok(&["dkim", "show", "example.test"]).contains(record));
    let signed = || {
        submit(&server, "user1@example.test", "anna@remote.test");
        let text = String::from_utf8(remote.taken.recv().unwrap().text).unwrap();
        text.starts_with(
            "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n\td=example.test; s=s; ",
        )
    };
    assert!(!signed(), "before the record is published");
    server.ctl_ok(&["dkim", "enable", "example.test", "--selector", "s"]);
    server.wait_for("the change is known", signed);
    server.ctl_ok(&["dkim", "remove", "example.test", "--selector", "s"]);
    server.wait_for("the change is known", || !signed());
    assert!(
        !server
            .ctl(&["dkim", "enable", "example.test", "--selector", "s"])
            .status
            .success()
    );
}

#[test]
fn a_refusal_comes_back_to_the_sender_in_his_language() {
    let remote = Remote::start();
    let server = server(&remote, 1);
    submit(&server, "user1@example.test", "nobody@remote.test");
    server.wait_for_empty_queue();
    server.ctl_ok(&["setting", "set", "server.language", "ru"]);
    submit(&server, "user1@example.test", "nobody@remote.test");
    server.wait_for_empty_queue();
    let reports = inbox(&server);
    assert_eq!(reports.len(), 2, "{reports:?}");
    for report in &reports {
        assert!(report.starts_with("Return-Path: <>\r\n"), "{report}");
        for part in [
            "multipart/report",
            "report-type=delivery-status",
            "message/delivery-status",
            "Final-Recipient: rfc822;",
            "Action: failed",
            "Status: 5.1.1",
            "550 5.1.1 Nobody of that name",
            "Subject: to the remote",
        ] {
            assert!(report.contains(part), "{part:?} is not in {report}");
        }
    }
    assert!(reports[0].contains("Subject: Your message"), "{}", reports[0]);
    assert!(
        reports[1].contains("Subject: =?UTF-8?") || reports[1].contains("Subject: =?utf-8?"),
        "{}",
        reports[1]
    );
    // Nothing was ever sent on behalf of nobody.
    assert!(remote.taken.try_recv().is_err());
}

#[test]
fn what_is_put_off_waits_and_can_be_steered() {
    let remote = Remote::start();
    let server = server(&remote, 1);
    let id = submit(&server, "user1@example.test", "later@remote.test");
    let rows = waiting(&server);
    assert_eq!(rows["total"], 1, "{rows}");
    let row = &rows["rows"][0];
    assert_eq!(row["id"], id.as_str(), "{row}");
    assert_eq!(row["sender"], "user1@example.test");
    assert_eq!(row["held"], false);
    assert!(
        row["last_reply"].as_str().unwrap().starts_with("451 4.2.1"),
        "{row}"
    );
    assert!(row["next_try"].as_i64() > row["arrived"].as_i64(), "{row}");

    let shown = server.ctl_json(&["queue", "show", &id]);
    assert_eq!(shown["states"][0]["address"], "later@remote.test", "{shown}");
    assert_eq!(shown["states"][0]["state"], "waiting", "{shown}");
    let read = server.ctl_ok(&["queue", "read", &id]);
    assert!(read.contains("Subject: to the remote"), "{read}");

    assert_eq!(server.ctl_json(&["queue", "hold", &id])["count"], 1);
    assert_eq!(server.ctl_json(&["queue", "show", &id])["held"], true);
    remote.busy.store(false, Ordering::SeqCst);
    // Even "retry everything" leaves what is held; nothing happens, so there is nothing to wait for but the answer.
    server.ctl_ok(&["queue", "retry"]);
    assert_eq!(server.ctl_json(&["queue", "show", &id])["held"], true);
    assert!(remote.taken.try_recv().is_err());

    assert_eq!(server.ctl_json(&["queue", "release", &id])["count"], 1);
    server.ctl_ok(&["queue", "retry", &id]);
    assert_eq!(remote.taken.recv().unwrap().to, ["later@remote.test"]);
    server.wait_for_empty_queue();
    assert_eq!(server.ctl(&["queue", "show", &id]).status.code(), Some(1));
    assert_eq!(inbox(&server), Vec::<String>::new());
}

#[test]
fn what_is_put_off_survives_a_restart_and_a_kill() {
    let remote = Remote::start();
    let mut server = server(&remote, 1);
    let id = submit(&server, "user1@example.test", "later@remote.test");
    waiting(&server);
    server.stop();
    server.start();
    assert_eq!(server.ctl_json(&["queue", "show", &id])["id"], id.as_str());
    server.kill();
    server.start();
    assert_eq!(server.ctl_json(&["queue", "show", &id])["id"], id.as_str());
    remote.busy.store(false, Ordering::SeqCst);
    server.ctl_ok(&["queue", "retry"]);
    assert_eq!(remote.taken.recv().unwrap().to, ["later@remote.test"]);
    server.wait_for_empty_queue();
    assert!(remote.taken.try_recv().is_err(), "it was sent twice");
}

#[test]
fn what_an_administrator_removes_is_gone_and_the_sender_may_be_told() {
    let remote = Remote::start();
    let server = server(&remote, 1);
    for (bounce, reports) in [(false, 0), (true, 1)] {
        let id = submit(&server, "user1@example.test", "later@remote.test");
        waiting(&server);
        let mut command = vec!["queue", "remove", &id];
        command.extend(bounce.then_some("--bounce"));
        server.ctl_ok(&command);
        server.wait_for_empty_queue();
        assert_eq!(inbox(&server).len(), reports);
    }
    // What is gone already is no error, but is not counted.
    assert_eq!(server.ctl_json(&["queue", "remove", "ffffffff"])["count"], 0);
}

#[test]
fn a_bounce_never_causes_another() {
    let remote = Remote::start();
    let server = server(&remote, 1);
    submit(&server, "", "nobody@remote.test");
    server.wait_for_empty_queue();
    assert_eq!(inbox(&server), Vec::<String>::new());
    assert!(remote.taken.try_recv().is_err());
    let told = server.ctl_ok(&["log", "show", "--channel", "delivery"]);
    assert!(told.contains("nobody@remote.test"), "{told}");
}

/// An administrator with a full queue finds nothing in it, saves nothing of it, or can't get it past a host that is down.
#[test]
fn the_queue_is_searched_sorted_exported_and_sent_another_way() {
    let (remote, other) = (Remote::start(), Remote::start());
    other.busy.store(false, Ordering::SeqCst);
    let server = server(&remote, 1);
    let ids = [
        ("later-one", "long, far longer than the others"),
        ("later-two", "brief"),
        ("later-three", "of medium size"),
    ]
    .map(|(name, text)| {
        let text = format!("Subject: {name}\r\n\r\n{text}\r\n");
        submit_text(
            &server,
            "user1@example.test",
            &format!("{name}@remote.test"),
            &text,
        )
    });
    server.wait_for("messages put off", || {
        let rows = server.ctl_json(&["queue", "list"]);
        let rows = rows["rows"].as_array().cloned().unwrap_or_default();
        rows.len() == 3
            && rows
                .iter()
                .all(|row| row["next_try"].is_i64() && row["attempts"] != 0)
    });
    let [one, two, three] = &ids;
    for (arguments, total, expected) in [
        (&["--filter", "later-TWO"][..], 1, &[two][..]),
        (&["--filter", "451 4.2.1"], 3, &[one, two, three]),
        (&["--filter", "nobody"], 0, &[]),
        (&["--sort", "size"], 3, &[two, three, one]),
        (&["--sort", "size", "--descending"], 3, &[one, three, two]),
        (&["--sort", "size", "--offset", "1", "--limit", "1"], 3, &[three]),
    ] {
        let rows = server.ctl_json(&[&["queue", "list"][..], arguments].concat());
        let shown: Vec<&str> = rows["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_str().unwrap())
            .collect();
        assert_eq!(rows["total"], total, "{arguments:?}: {rows}");
        assert_eq!(shown, expected, "{arguments:?}");
    }

    let folder = server.data().join("exported");
    let path = folder.to_string_lossy();
    assert_eq!(server.ctl_json(&["queue", "export", &path, two])["count"], 1);
    assert!(!folder.join(format!("{one}.eml")).exists(), "only what was named");
    assert_eq!(server.ctl_json(&["queue", "export", &path])["count"], 3);
    for (id, name) in ids.iter().zip(["later-one", "later-two", "later-three"]) {
        let text = std::fs::read_to_string(folder.join(format!("{id}.eml"))).unwrap();
        assert!(text.contains(&format!("Subject: {name}\r\n")), "{text}");
        let known = std::fs::read(folder.join(format!("{id}.json"))).unwrap();
        let known: Value = serde_json::from_slice(&known).unwrap();
        assert_eq!(
            known["states"][0]["address"],
            format!("{name}@remote.test"),
            "{known}"
        );
    }

    let to = format!("127.0.0.1:{}", other.port);
    assert_eq!(server.ctl_json(&["queue", "route", two, "--to", &to])["count"], 1);
    server.ctl_ok(&["queue", "retry", two]);
    assert_eq!(other.taken.recv().unwrap().to, ["later-two@remote.test"]);
    server.wait_for("two messages", || {
        server.ctl_json(&["queue", "list"])["total"] == 2
    });
    // Without a host it goes where its domain says again. What is held is not tried meanwhile.
    server.ctl_ok(&["queue", "hold", one]);
    assert_eq!(server.ctl_json(&["queue", "route", one, "--to", &to])["count"], 1);
    assert_eq!(server.ctl_json(&["queue", "show", one])["route"], to.as_str());
    assert_eq!(server.ctl_json(&["queue", "route", one])["count"], 1);
    server.ctl_ok(&["queue", "release", one]);
    remote.busy.store(false, Ordering::SeqCst);
    server.ctl_ok(&["queue", "retry"]);
    let taken = [remote.taken.recv().unwrap(), remote.taken.recv().unwrap()];
    let mut to: Vec<&str> = taken.iter().map(|taken| taken.to[0].as_str()).collect();
    to.sort_unstable();
    assert_eq!(to, ["later-one@remote.test", "later-three@remote.test"]);
    server.wait_for_empty_queue();
    assert!(other.taken.try_recv().is_err(), "it was sent twice");
}
