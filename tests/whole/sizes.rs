//! Messages larger than 4 GiB: their sizes are told as they are. Nobody waits for such a mail here, so an ordinary one is made to look like it.

use std::path::PathBuf;
use std::process::Command;

use batpost_tests::{mail, programs, server};

const SIZE: &str = "5000000001";

/// The only mailbox with mail.
fn mailbox(server: &server::Server) -> PathBuf {
    let folders = |path: PathBuf| {
        let entries = std::fs::read_dir(path).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let mut found: Vec<PathBuf> = folders(server.data().join("mail"))
        .into_iter()
        .flat_map(folders)
        .map(|owner| owner.join("mail.db"))
        .filter(|file| file.exists())
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// A size that wraps at 4 GiB makes clients cut messages, or fetch them for ever.
#[test]
fn sizes_above_four_gibibytes_are_told() {
    if !server::has("sqlite3") {
        return;
    }
    let mut server = crate::server(1);
    mail::send(
        &server,
        "",
        &["user1@example.test"],
        b"Subject: large\r\n\r\nbody\r\n",
    );
    server.wait_for_empty_queue();
    server.stop();
    let update = format!(
        "UPDATE message SET size = {SIZE}; UPDATE meta SET size = {SIZE}; UPDATE folder SET bytes = {SIZE} WHERE messages = 1;"
    );
    programs::run(Command::new("sqlite3").arg(mailbox(&server)).arg(update), b"");
    server.start();

    let mut pop3 = server.connect("pop3");
    pop3.until("+OK");
    pop3.ask("USER user1@example.test", "+OK");
    pop3.ask("PASS pass1", "+OK");
    pop3.ask("STAT", &format!("+OK 1 {SIZE}"));
    pop3.ask("LIST 1", &format!("+OK 1 {SIZE}"));
    pop3.ask("QUIT", "+OK");

    let mut imap = server.connect("imap");
    imap.until("* OK");
    imap.ask("a LOGIN user1@example.test pass1", "a OK");
    let status = imap.ask("b STATUS INBOX (SIZE)", "* STATUS");
    assert!(status.contains(&format!("(SIZE {SIZE})")), "{status}");
    imap.until("b OK");
    imap.ask("c SELECT INBOX", "c OK");
    let fetched = imap.ask("d FETCH 1 RFC822.SIZE", "* 1 FETCH");
    assert!(fetched.contains(&format!("(RFC822.SIZE {SIZE})")), "{fetched}");
    imap.until("d OK");
    imap.ask("e SEARCH LARGER 4294967296 SMALLER 5000000002", "* SEARCH 1");
    imap.until("e OK");
    imap.ask("f SEARCH LARGER 5000000001", "* SEARCH");
    imap.until("f OK");
}
