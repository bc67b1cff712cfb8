//! A disk that fails under the running daemon: everything new is put off, and the daemon goes on by itself when the disk does.

use std::process::Command;

use batpost_tests::line::Line;
use batpost_tests::server::Server;

/// Lets the daemon's files grow no further, or as far as they like: the nearest thing to a failing disk that needs no rights.
fn limit_files(server: &Server, limit: &str) {
    let done = Command::new("prlimit")
        .arg(format!("--pid={}", server.process()))
        .arg(format!("--fsize={limit}:"))
        .status();
    assert!(done.expect("prlimit runs").success());
}

/// Tries to send one message; the code of the first answer that is no success, or 250.
fn send(server: &Server, number: usize) -> String {
    let Some(mut line) = Line::try_connect(server.port_of("smtp")) else {
        return "refused".to_owned();
    };
    let message = format!("Message-ID: <{number}@remote.test>\r\nSubject: {number}\r\n\r\nbody\r\n.");
    let steps = [
        ("", "220"),
        ("EHLO remote.test", "250"),
        ("MAIL FROM:<>", "250"),
        ("RCPT TO:<user1@example.test>", "250"),
        ("DATA", "354"),
        (message.as_str(), "250"),
    ];
    for (command, wanted) in steps {
        if !command.is_empty() && !line.try_send_raw(format!("{command}\r\n").as_bytes()) {
            return "lost".to_owned();
        }
        let answer = loop {
            match line.try_line() {
                None => return "lost".to_owned(),
                Some(answer) if answer.get(3) == Some(&b'-') => {}
                Some(answer) => break String::from_utf8_lossy(&answer).into_owned(),
            }
        };
        if !answer.starts_with(wanted) {
            return answer.chars().take(3).collect();
        }
    }
    "250".to_owned()
}

#[test]
fn a_failing_disk_puts_mail_off_and_the_daemon_recovers_by_itself() {
    let server = crate::server(1);
    let mut acknowledged = 0;
    for number in 0..10 {
        assert_eq!(send(&server, number), "250");
        acknowledged += 1;
    }
    limit_files(&server, "0");
    let mut number = 10;
    server.wait_for("4xx", || {
        number += 1;
        match send(&server, number).as_str() {
            "250" => acknowledged += 1,
            "451" | "452" => return true,
            other => panic!("a failing disk was answered with {other}"),
        }
        false
    });
    // Reading goes on, and nothing is acknowledged.
    assert!(matches!(send(&server, 1000).as_str(), "451" | "452"));
    limit_files(&server, "unlimited");
    server.wait_for("acceptance", || {
        number += 1;
        // While the store is opened anew the ports are closed for a moment.
        match send(&server, number).as_str() {
            "250" => acknowledged += 1,
            "451" | "452" | "421" | "refused" | "lost" => return false,
            other => panic!("a disk that works again was answered with {other}"),
        }
        true
    });
    // What could not be delivered meanwhile would wait for its next try.
    server.ctl_ok(&["queue", "retry"]);
    server.wait_for_empty_queue();
    let mut pop3 = server.connect("pop3");
    pop3.until("+OK");
    pop3.ask("USER user1@example.test", "+OK");
    pop3.ask("PASS pass1", "+OK");
    let stat = pop3.ask("STAT", "+OK");
    let count = stat.split(' ').nth(1).expect("a count");
    // What was put off may have been taken before the failure was known, never the other way round.
    assert!(
        count.parse::<usize>().unwrap() >= acknowledged,
        "{stat}, {acknowledged} acknowledged"
    );
    let log = server.ctl_ok(&["--json", "log", "show"]);
    assert!(log.contains("store-resumed"), "{log}");
}
