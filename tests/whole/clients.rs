//! More mail programs, each at its real work: neomutt, getmail, mpop, offlineimap, Python's IMAPClient, node's ImapFlow.
//! `tests/run` installs them; where it did (`BATPOST_CLIENTS`), one that is missing is a failure.

use std::path::{Path, PathBuf};
use std::process::Command;

use batpost_tests::mail::{fetch_all, send};
use batpost_tests::programs::{run, try_run};
use batpost_tests::server::{Server, has};

const USER: &str = "user1@example.test";
const PASSWORD: &str = "pass1";

/// A server on whose first user's INBOX lie that many messages.
fn server_with(messages: usize) -> Server {
    let server = crate::server(1);
    deliver(&server, messages);
    server
}

fn deliver(server: &Server, messages: usize) {
    for number in 1..=messages {
        let text = format!(
            "From: a@b.test\r\nSubject: number {number}\r\nMessage-ID: <{number}@b.test>\r\n\r\ntext {number}\r\n.dot\r\n"
        );
        send(server, "a@b.test", &[USER], text.as_bytes());
        // One by one: messages that wait together are delivered in any order.
        server.wait_for_empty_queue();
    }
}

fn left(server: &Server) -> usize {
    fetch_all(server, USER, PASSWORD).len()
}

/// Where `tests/run` puts what comes from pip and npm.
pub(crate) fn installed(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("../clients")
        .join(path);
    if path.exists() {
        return Some(path);
    }
    let wanted = std::env::var_os("BATPOST_CLIENTS").is_some();
    assert!(!wanted, "{} is not installed", path.display());
    eprintln!("SKIPPED: {} is not installed", path.display());
    None
}

/// The Python of `tests/run`, if it has these modules.
pub(crate) fn python_with(modules: &str) -> Option<PathBuf> {
    let python = installed("venv/bin/python")?;
    let mut command = Command::new(&python);
    command.args(["-c", &format!("import {modules}")]);
    lacks_nothing(&mut command, &format!("Python's {modules}")).then_some(python)
}

/// Whether something is there that a program shows by ending well; says so if it is not, as [`has`] does.
pub(crate) fn lacks_nothing(command: &mut Command, what: &str) -> bool {
    let there = try_run(command, b"").status.success();
    if !there {
        let wanted = std::env::var_os("BATPOST_CLIENTS").is_some();
        assert!(!wanted, "{what} is not installed");
        eprintln!("SKIPPED: {what} is not installed");
    }
    there
}

/// Writes a file that only its owner reads.
pub(crate) fn write_private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// The texts of all files below a folder.
fn texts(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(texts(&path));
        } else {
            all.push(std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n"));
        }
    }
    all
}

/// An empty Maildir.
pub(crate) fn maildir(path: &Path) {
    for part in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(path.join(part)).unwrap();
    }
}

fn assert_whole(texts: &[String], count: usize, program: &str) {
    assert_eq!(texts.len(), count, "{program}: {texts:?}");
    for number in 1..=count {
        let body = format!("\n\ntext {number}\n.dot\n");
        assert!(
            texts.iter().any(|text| text.contains(&body)),
            "{program}: {texts:?}"
        );
    }
}

#[test]
fn mpop_fetches_and_deletes() {
    if !has("mpop") {
        return;
    }
    for (tls, service) in [
        ("off", "pop3"),
        ("on\ntls_starttls on", "pop3"),
        ("on\ntls_starttls off", "pop3s"),
    ] {
        let server = server_with(3);
        let home = tempfile::tempdir().unwrap();
        let (config, folder) = (home.path().join("rc"), home.path().join("mail"));
        maildir(&folder);
        let text = format!(
            "account a\nhost 127.0.0.1\nport {}\ntls {tls}\ntls_certcheck off\nauth plain\nuser {USER}\npassword {PASSWORD}\n\
             keep off\nuidls_file {}\ndelivery maildir {}\n",
            server.port_of(service),
            home.path().join("uidls").display(),
            folder.display(),
        );
        write_private(&config, &text);
        run(
            Command::new("mpop")
                .arg("-C")
                .arg(&config)
                .args(["-a"])
                .env("HOME", home.path()),
            b"",
        );
        assert_whole(&texts(&folder), 3, "mpop");
        assert_eq!(left(&server), 0, "mpop deletes what it has");
    }
}

#[test]
fn getmail_fetches_by_imap_and_pop3() {
    if !has("getmail") {
        return;
    }
    for (retriever, service, delete) in [
        ("SimpleIMAPRetriever", "imap", true),
        ("SimpleIMAPSSLRetriever", "imaps", true),
        ("SimplePOP3Retriever", "pop3", false),
        ("SimplePOP3SSLRetriever", "pop3s", true),
    ] {
        let server = server_with(2);
        let home = tempfile::tempdir().unwrap();
        let (config, folder) = (home.path().join("rc"), home.path().join("mail"));
        std::fs::create_dir(&folder).unwrap();
        // It delivers into no Maildir as root, so it hands each message to a shell.
        let text = format!(
            "[retriever]\ntype = {retriever}\nserver = 127.0.0.1\nport = {}\nusername = {USER}\npassword = {PASSWORD}\n\n\
             [destination]\ntype = MDA_external\npath = /bin/sh\narguments = (\"-c\", \"cat >{}/$$\")\n\
             allow_root_commands = true\nunixfrom = false\n\n\
             [options]\ndelete = {delete}\nread_all = false\ndelivered_to = false\nreceived = false\n",
            server.port_of(service),
            folder.display(),
        );
        write_private(&config, &text);
        let fetch = || {
            let mut command = Command::new("getmail");
            command
                .arg("--getmaildir")
                .arg(home.path())
                .arg("--rcfile")
                .arg(&config);
            run(command.env("HOME", home.path()), b"");
        };
        fetch();
        assert_whole(&texts(&folder), 2, retriever);
        assert_eq!(left(&server), if delete { 0 } else { 2 }, "{retriever}");
        // What stays is known by its UIDL and not fetched again.
        fetch();
        assert_eq!(texts(&folder).len(), 2, "{retriever}");
    }
}

#[test]
fn offlineimap_keeps_both_sides_the_same() {
    if !has("offlineimap") {
        return;
    }
    let server = server_with(3);
    let home = tempfile::tempdir().unwrap();
    let (config, folder) = (home.path().join("rc"), home.path().join("mail"));
    let text = format!(
        "[general]\naccounts = a\nmetadata = {home}/meta\nmaxsyncaccounts = 1\nui = quiet\n\n\
         [Account a]\nlocalrepository = near\nremoterepository = far\n\n\
         [Repository near]\ntype = Maildir\nlocalfolders = {mail}\n\n\
         [Repository far]\ntype = IMAP\nremotehost = 127.0.0.1\nremoteport = {port}\nremoteuser = {USER}\nremotepass = {PASSWORD}\n\
         ssl = no\nstarttls = no\nauth_mechanisms = CRAM-MD5, PLAIN\n",
        home = home.path().display(),
        mail = folder.display(),
        port = server.port_of("imap"),
    );
    write_private(&config, &text);
    let sync = || {
        let mut command = Command::new("offlineimap");
        run(
            command.arg("-o").arg("-c").arg(&config).env("HOME", home.path()),
            b"",
        );
    };
    sync();
    let inbox = folder.join("INBOX");
    assert_whole(&texts(&inbox), 3, "offlineimap");
    assert!(folder.join("Drafts/cur").is_dir());

    // Here: one is read, one is removed. There: one is flagged, one is new.
    let file = |number: u32| {
        let subject = format!("Subject: number {number}\n");
        let names = ["new", "cur"].map(|part| std::fs::read_dir(inbox.join(part)).unwrap());
        names
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .find(|path| {
                std::fs::read_to_string(path)
                    .unwrap()
                    .replace("\r\n", "\n")
                    .contains(&subject)
            })
    };
    let first = file(1).unwrap();
    let name = first.file_name().unwrap().to_string_lossy().into_owned();
    let base = name.split(":2,").next().unwrap();
    std::fs::rename(&first, inbox.join("cur").join(format!("{base}:2,S"))).unwrap();
    std::fs::remove_file(file(2).unwrap()).unwrap();
    let mut imap = server.connect("imap");
    imap.until("* OK");
    imap.ask(&format!("a LOGIN {USER} {PASSWORD}"), "a OK");
    imap.ask("b SELECT INBOX", "b OK");
    imap.ask("c UID STORE 3 +FLAGS (\\Flagged)", "c OK");
    send(
        &server,
        "a@b.test",
        &[USER],
        b"Subject: number 4\r\n\r\ntext 4\r\n",
    );
    server.wait_for_empty_queue();
    sync();
    imap.ask("d NOOP", "d OK");
    assert_eq!(imap.ask("e UID SEARCH SEEN", "* SEARCH"), "* SEARCH 1");
    assert_eq!(imap.ask("f UID SEARCH ALL", "* SEARCH"), "* SEARCH 1 3 4");
    let flagged = file(3).unwrap();
    assert!(flagged.to_string_lossy().ends_with('F'), "{}", flagged.display());
    assert!(file(4).is_some());

    // There: one is removed. Then nothing moves any more.
    imap.ask("g UID STORE 3 +FLAGS (\\Deleted)", "g OK");
    imap.ask("h EXPUNGE", "h OK");
    sync();
    assert!(file(3).is_none());
    sync();
    assert_eq!(texts(&inbox).len(), 2);
}

#[test]
fn neomutt_reads_and_sorts_mail() {
    if !has("neomutt") {
        return;
    }
    let server = server_with(2);
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("rc");
    let saved = home.path().join("saved");
    let port = server.port_of("imap");
    let text = format!(
        "set from={USER}\nset ssl_starttls=no\nset ssl_force_tls=no\nset imap_user={USER}\nset imap_pass={PASSWORD}\n\
         set imap_authenticators=plain\nset quit=yes\nset wait_key=no\nset delete=yes\nset confirmappend=no\nset confirmcreate=no\n\
         set folder=imap://127.0.0.1:{port}/\nset imap_idle=yes\nset header_cache={}\n",
        home.path().join("cache").display(),
    );
    std::fs::write(&config, text).unwrap();
    // The first is copied to a file and moved into another folder, the second is flagged.
    let keys = format!(
        "push '<first-entry><copy-message>{}<enter><save-message>=Archive<enter><next-entry><flag-message><sync-mailbox><quit>'",
        saved.display()
    );
    let mut command = Command::new("neomutt");
    command
        .arg("-n")
        .arg("-F")
        .arg(&config)
        .arg("-f")
        .arg(format!("imap://127.0.0.1:{port}/INBOX"));
    command
        .arg("-e")
        .arg(keys)
        .env("HOME", home.path())
        .env("TERM", "xterm");
    let done = crate::journeys::in_terminal(&command);
    let text = std::fs::read_to_string(&saved).unwrap_or_else(|error| panic!("{error}: {done}"));
    assert!(text.contains("Subject: number 1"), "{text}");
    let mut imap = server.connect("imap");
    imap.until("* OK");
    imap.ask(&format!("a LOGIN {USER} {PASSWORD}"), "a OK");
    imap.ask("b SELECT INBOX", "b OK");
    assert_eq!(imap.ask("c UID SEARCH FLAGGED", "* SEARCH"), "* SEARCH 2");
    assert_eq!(imap.ask("d UID SEARCH ALL", "* SEARCH"), "* SEARCH 2");
    imap.ask("e SELECT Archive", "e OK");
    assert_eq!(
        imap.ask("f SEARCH SUBJECT \"number 1\"", "* SEARCH"),
        "* SEARCH 1"
    );
}

#[test]
fn imapclient_works_a_day() {
    let Some(python) = python_with("imapclient") else {
        return;
    };
    let server = crate::server(1);
    let mut command = Command::new(python);
    command.arg(crate::top().join("tests/clients/imapclient_journey.py"));
    for service in ["imap", "imaps"] {
        command.arg(server.port_of(service).to_string());
    }
    let done = run(command.args([USER, PASSWORD]), b"");
    assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "ok");
}

#[test]
fn imapflow_works_a_day() {
    let Some(modules) = installed("node/node_modules").filter(|_| has("node")) else {
        return;
    };
    let server = crate::server(1);
    let mut command = Command::new("node");
    command
        .arg(crate::top().join("tests/clients/imapflow.mjs"))
        .arg(modules);
    for service in ["imap", "imaps"] {
        command.arg(server.port_of(service).to_string());
    }
    let done = try_run(command.args([USER, PASSWORD]), b"");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "ok");
}
