//! Mail programs that people use, against the server: curl, swaks, mbsync, fetchmail, mutt, Python. Each is skipped, visibly, where it is missing.

use std::path::Path;
use std::process::Command;

use batpost_tests::mail::{fetch_all, send};
use batpost_tests::programs::{run, try_run};
use batpost_tests::server::{Server, User, has};

const USER: &str = "user1@example.test";
const PASSWORD: &str = "pass1";
const MESSAGE: &[u8] =
    b"From: user1@example.test\r\nTo: user1@example.test\r\nSubject: journey\r\n\r\n.first\r\nlast\r\n";

/// What user 1 has, as text.
fn inbox(server: &Server) -> Vec<String> {
    server.wait_for_empty_queue();
    let all = fetch_all(server, USER, PASSWORD);
    all.iter()
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect()
}

fn curl(server: &Server, scheme: &str, service: &str, path: &str) -> Command {
    let mut command = Command::new("curl");
    let url = format!("{scheme}://127.0.0.1:{}{path}", server.port_of(service));
    command.args([
        "--silent",
        "--show-error",
        "--insecure",
        "--max-time",
        "60",
        "--url",
        &url,
    ]);
    command
}

fn with_user(mut command: Command, user: &User) -> Command {
    command.args(["--user", &format!("{}:{}", user.address, user.password)]);
    command
}

#[test]
fn curl_sends_and_reads() {
    if !has("curl") {
        return;
    }
    let server = crate::server(1);
    let user = User::numbered(1);
    let envelope = ["--mail-from", USER, "--mail-rcpt", USER, "--upload-file", "-"];
    run(
        curl(&server, "smtp", "smtp", "/client.test").args(envelope),
        MESSAGE,
    );
    for (scheme, service, options) in [
        ("smtp", "submission", &["--login-options", "AUTH=PLAIN"][..]),
        ("smtp", "submission", &["--login-options", "AUTH=LOGIN"]),
        ("smtp", "submission", &["--login-options", "AUTH=CRAM-MD5"]),
        ("smtp", "submission", &["--login-options", "AUTH=SCRAM-SHA-256"]),
        ("smtp", "submission", &["--ssl-reqd"]),
        ("smtps", "submissions", &[]),
    ] {
        let mut command = with_user(curl(&server, scheme, service, "/client.test"), &user);
        // A curl without SASL-GSSAPI's library knows no SCRAM.
        let done = try_run(command.args(envelope).args(options), MESSAGE);
        let unknown = options.contains(&"AUTH=SCRAM-SHA-256") && done.status.code() == Some(67);
        if unknown {
            eprintln!("SKIPPED: this curl does not know SCRAM-SHA-256");
            run(
                with_user(curl(&server, scheme, service, "/client.test"), &user).args(envelope),
                MESSAGE,
            );
            continue;
        }
        assert!(
            done.status.success(),
            "{options:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    let wrong = User {
        password: "wrong".to_owned(),
        ..user.clone()
    };
    let done = try_run(
        with_user(curl(&server, "smtp", "submission", "/c.test"), &wrong).args(envelope),
        MESSAGE,
    );
    assert_eq!(done.status.code(), Some(67), "a wrong password was taken");
    let messages = inbox(&server);
    assert_eq!(messages.len(), 7);
    for message in &messages {
        assert!(
            message.contains("Subject: journey\r\n\r\n.first\r\nlast\r\n"),
            "{message}"
        );
    }

    for (scheme, service, options) in [
        ("imap", "imap", &[][..]),
        ("imap", "imap", &["--ssl-reqd", "--login-options", "AUTH=PLAIN"]),
        ("imap", "imap", &["--login-options", "AUTH=CRAM-MD5"]),
        ("imaps", "imaps", &[]),
        ("pop3", "pop3", &["--login-options", "AUTH=PLAIN"]),
        ("pop3", "pop3", &["--ssl-reqd"]),
        ("pop3", "pop3", &["--login-options", "AUTH=CRAM-MD5"]),
        ("pop3s", "pop3s", &[]),
    ] {
        let path = if scheme.starts_with("imap") {
            "/INBOX;MAILINDEX=1"
        } else {
            "/1"
        };
        let done = run(
            with_user(curl(&server, scheme, service, path), &user).args(options),
            b"",
        );
        assert_eq!(
            String::from_utf8_lossy(&done.stdout),
            messages[0],
            "{scheme} {options:?}"
        );
    }
    // IMAP tells the size first, so curl wants a file.
    let file = server.data().join("draft.eml");
    std::fs::write(&file, MESSAGE).unwrap();
    let mut append = with_user(curl(&server, "imap", "imap", "/Drafts"), &user);
    run(append.arg("--upload-file").arg(&file), b"");
    let mut search = with_user(curl(&server, "imap", "imap", "/Drafts?SUBJECT%20journey"), &user);
    let found = run(&mut search, b"");
    assert_eq!(String::from_utf8_lossy(&found.stdout).trim(), "* SEARCH 1");
}

#[test]
fn swaks_sends() {
    if !has("swaks") {
        return;
    }
    let server = crate::server(1);
    let swaks = |service: &str, options: &[&str]| {
        let mut command = Command::new("swaks");
        command
            .args([
                "--server",
                "127.0.0.1",
                "--port",
                &server.port_of(service).to_string(),
            ])
            .args(["--from", USER, "--to", USER, "--timeout", "60", "--hide-all"])
            .args(options);
        try_run(&mut command, b"")
    };
    for (service, options) in [
        ("smtp", &[][..]),
        ("smtp", &["--tls"]),
        (
            "submission",
            &[
                "--auth",
                "CRAM-MD5",
                "--auth-user",
                USER,
                "--auth-password",
                PASSWORD,
            ],
        ),
        (
            "submission",
            &[
                "--tls",
                "--auth",
                "LOGIN",
                "--auth-user",
                USER,
                "--auth-password",
                PASSWORD,
            ],
        ),
        (
            "submissions",
            &[
                "--tls-on-connect",
                "--auth",
                "PLAIN",
                "--auth-user",
                USER,
                "--auth-password",
                PASSWORD,
            ],
        ),
        ("lmtp", &["--protocol", "LMTP"]),
    ] {
        let done = swaks(service, options);
        // What it needs for TLS is only recommended by its package.
        if done.status.code() == Some(10) {
            eprintln!("SKIPPED: swaks {options:?} needs Net::SSLeay");
            run(
                curl(&server, "smtp", "smtp", "/client.test").args([
                    "--mail-from",
                    USER,
                    "--mail-rcpt",
                    USER,
                    "--upload-file",
                    "-",
                ]),
                MESSAGE,
            );
            continue;
        }
        assert!(done.status.success(), "{service} {options:?}: {done:?}");
    }
    // swaks: 28 is a refused login, 24 a refused recipient.
    let wrong = [
        "--auth",
        "CRAM-MD5",
        "--auth-user",
        USER,
        "--auth-password",
        "wrong",
    ];
    assert_eq!(swaks("submission", &wrong).status.code(), Some(28));
    assert_eq!(
        swaks("smtp", &["--to", "someone@elsewhere.test"]).status.code(),
        Some(24)
    );
    assert_eq!(inbox(&server).len(), 6);
}

/// The files of a Maildir that hold messages, with their flags.
fn maildir(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = ["cur", "new"]
        .iter()
        .filter_map(|part| std::fs::read_dir(dir.join(part)).ok())
        .flatten()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    names.sort();
    names
}

#[test]
fn mbsync_keeps_both_sides_the_same() {
    if !has("mbsync") {
        return;
    }
    let server = crate::server(1);
    for number in 1..=3 {
        let text = format!("Message-ID: <{number}@a.test>\r\nSubject: number {number}\r\n\r\ntext\r\n");
        send(&server, "a@b.test", &[USER], text.as_bytes());
        // One by one: messages that wait together are delivered in any order.
        inbox(&server);
    }
    let home = tempfile::tempdir().unwrap();
    let local = home.path().join("mail");
    std::fs::create_dir(&local).unwrap();
    let config = home.path().join("mbsyncrc");
    let text = format!(
        "IMAPAccount a\nHost 127.0.0.1\nPort {}\nUser {USER}\nPass {PASSWORD}\nSSLType None\nAuthMechs LOGIN\n\n\
         IMAPStore far\nAccount a\n\n\
         MaildirStore near\nPath {local}/\nInbox {local}/INBOX\nSubFolders Verbatim\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSync All\nSyncState *\n",
        server.port_of("imap"),
        local = local.display(),
    );
    std::fs::write(&config, text).unwrap();
    let sync = || {
        run(
            Command::new("mbsync")
                .arg("-c")
                .arg(&config)
                .arg("-a")
                .env("HOME", home.path()),
            b"",
        )
    };
    sync();
    let inbox_dir = local.join("INBOX");
    assert_eq!(maildir(&inbox_dir).len(), 3);
    assert!(local.join("Drafts/cur").is_dir());

    // Here: one is read, one removed, one new. There: one is flagged.
    let text_of = |name: &str| std::fs::read_to_string(name).unwrap();
    let of = |number: u32| {
        let subject = format!("Subject: number {number}");
        maildir(&inbox_dir)
            .into_iter()
            .find(|name| text_of(name).contains(&subject))
            .unwrap()
    };
    let (first, second) = (of(1), of(2));
    let flagged = |name: &str, flags: &str| {
        let base = Path::new(name)
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let base = base.split(":2,").next().unwrap().to_owned();
        inbox_dir.join("cur").join(format!("{base}:2,{flags}"))
    };
    std::fs::rename(&first, flagged(&first, "S")).unwrap();
    std::fs::remove_file(&second).unwrap();
    std::fs::write(
        inbox_dir.join("cur/1.1.here:2,"),
        "Message-ID: <4@a.test>\nSubject: number 4\n\nhere\n",
    )
    .unwrap();
    let mut imap = server.connect("imap");
    imap.until("* OK");
    imap.ask(&format!("a LOGIN {USER} {PASSWORD}"), "a OK");
    imap.ask("b SELECT INBOX", "b OK");
    imap.ask("c UID STORE 3 +FLAGS (\\Flagged)", "c OK");
    sync();
    imap.ask("d NOOP", "d OK");
    let seen = imap.ask("e UID SEARCH SEEN SUBJECT \"number 1\"", "* SEARCH");
    assert_eq!(seen, "* SEARCH 1");
    assert_eq!(
        imap.ask("f UID SEARCH SUBJECT \"number 2\"", "* SEARCH"),
        "* SEARCH"
    );
    assert_eq!(
        imap.ask("g UID SEARCH SUBJECT \"number 4\"", "* SEARCH"),
        "* SEARCH 4"
    );
    assert!(of(3).ends_with(":2,F"), "{}", of(3));

    // There: one is removed.
    imap.ask("h UID STORE 3 +FLAGS (\\Deleted)", "h OK");
    imap.ask("i EXPUNGE", "i OK");
    sync();
    assert_eq!(maildir(&inbox_dir).len(), 2);
    // And nothing moves when nothing has changed.
    let before = maildir(&inbox_dir);
    sync();
    assert_eq!(maildir(&inbox_dir), before);
}

#[test]
fn fetchmail_fetches() {
    if !has("fetchmail") {
        return;
    }
    let server = crate::server(1);
    for (protocol, service, ssl) in [
        ("POP3", "pop3", false),
        ("IMAP", "imap", false),
        ("IMAP", "imaps", true),
    ] {
        for number in 1..=2 {
            send(
                &server,
                "a@b.test",
                &[USER],
                format!("Subject: {number}\r\n\r\ntext {number}\r\n").as_bytes(),
            );
        }
        assert_eq!(inbox(&server).len(), 2);
        let home = tempfile::tempdir().unwrap();
        let (config, out) = (home.path().join("rc"), home.path().join("out"));
        let tls = if ssl {
            "ssl sslproto 'TLS1.2+' no sslcertck"
        } else {
            "sslproto ''"
        };
        let text = format!(
            "poll 127.0.0.1 protocol {protocol} port {}\n  user '{USER}' password '{PASSWORD}' {tls}\n  mda \"cat >>{}\"\n",
            server.port_of(service),
            out.display(),
        );
        std::fs::write(&config, text).unwrap();
        private(&config);
        let mut command = Command::new("fetchmail");
        command
            .arg("--fetchmailrc")
            .arg(&config)
            .args(["--nosyslog", "--invisible", "--nodetach"]);
        command
            .env("HOME", home.path())
            .env("FETCHMAILHOME", home.path())
            .env("LC_ALL", "C");
        run(&mut command, b"");
        let got = std::fs::read_to_string(&out).unwrap();
        assert!(
            got.contains("text 1") && got.contains("text 2"),
            "{protocol}: {got}"
        );
        assert_eq!(inbox(&server).len(), 0, "{protocol}: fetched mail is removed");
        // Nothing left: fetchmail says so with code 1.
        assert_eq!(try_run(&mut command, b"").status.code(), Some(1));
    }
}

/// fetchmail reads no file that others may read.
fn private(file: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = file;
}

#[test]
fn mutt_sends_and_reads() {
    if !has("mutt") {
        return;
    }
    let server = crate::server(1);
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("muttrc");
    let text = format!(
        "set from={USER}\nset realname=User\nset hostname=example.test\nset record=\nset ssl_starttls=no\nset ssl_force_tls=no\n\
         set smtp_url=\"smtp://{login}@127.0.0.1:{}/\"\nset smtp_pass={PASSWORD}\nset smtp_authenticators=plain\n\
         set imap_user={USER}\nset imap_pass={PASSWORD}\nset imap_authenticators=login\nset quit=yes\nset wait_key=no\n\
         set delete=yes\nset confirmappend=no\nset confirmcreate=no\nset folder=imap://127.0.0.1:{}/\n",
        server.port_of("submission"),
        server.port_of("imap"),
        login = USER.replace('@', "%40"),
    );
    std::fs::write(&config, text).unwrap();
    let attachment = home.path().join("attached.bin");
    std::fs::write(&attachment, [0_u8, 1, 2, 255]).unwrap();
    let mut command = Command::new("mutt");
    command
        .arg("-n")
        .arg("-F")
        .arg(&config)
        .args(["-s", "from mutt", "-a"])
        .arg(&attachment)
        .args(["--", USER]);
    run(command.env("HOME", home.path()), "привет\n".as_bytes());
    let messages = inbox(&server);
    assert_eq!(messages.len(), 1);
    assert!(
        messages[0].contains("Subject: from mutt") && messages[0].contains("attached.bin"),
        "{}",
        messages[0]
    );

    // Opens the folder, copies the message to a file, removes it and leaves.
    let saved = home.path().join("saved");
    let keys = format!(
        "push '<first-entry><copy-message>{}<enter><delete-message><quit>'",
        saved.display()
    );
    let mut command = Command::new("mutt");
    command
        .arg("-n")
        .arg("-F")
        .arg(&config)
        .arg("-f")
        .arg(format!("imap://127.0.0.1:{}/INBOX", server.port_of("imap")));
    command
        .arg("-e")
        .arg(keys)
        .env("HOME", home.path())
        .env("TERM", "xterm");
    let done = in_terminal(&command);
    let saved = std::fs::read_to_string(&saved).unwrap_or_else(|error| panic!("{error}: {done}"));
    assert!(saved.contains("Subject: from mutt"), "{saved}");
    assert_eq!(inbox(&server).len(), 0, "mutt removed it");
}

/// Runs a program that wants a terminal, by util-linux's script; what it showed.
pub(crate) fn in_terminal(command: &Command) -> String {
    let quoted = |text: &std::ffi::OsStr| format!("'{}'", text.to_string_lossy().replace('\'', "'\\''"));
    let mut line = quoted(command.get_program());
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&quoted(argument));
    }
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    for (name, value) in command.get_envs() {
        script.env(name, value.unwrap_or_default());
    }
    String::from_utf8_lossy(&run(&mut script, b"").stdout).into_owned()
}

#[test]
fn python_sends_and_reads() {
    if !has("python3") {
        return;
    }
    let server = crate::server(1);
    let mut command = Command::new("python3");
    command.arg(crate::top().join("tests/clients/python.py"));
    for service in ["smtp", "submission", "imap", "imaps", "pop3", "pop3s"] {
        command.arg(server.port_of(service).to_string());
    }
    let done = run(command.args([USER, PASSWORD]), b"");
    assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "ok");
}
