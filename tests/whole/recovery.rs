//! A disk that fails or is full under the running daemon: everything new is put off, whoever looks after the server is told, and the daemon
//! goes on by itself when the disk does. Nothing acknowledged is lost.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use batpost_tests::line::Line;
use batpost_tests::server::{Server, has, may, signal};

use crate::PROGRAMS;

/// Bytes of a text that lies in a file of its own, and of one that the journal takes.
const LARGE_BYTES: usize = 200_000;
const SMALL_BYTES: usize = 60_000;
/// More messages than any journal of a small disk takes.
const MESSAGES_MAX: usize = 2000;

/// A sender who counts what was acknowledged.
struct Sender<'a> {
    server: &'a Server,
    sent: usize,
    acknowledged: usize,
}

impl<'a> Sender<'a> {
    fn new(server: &'a Server) -> Self {
        Self {
            server,
            sent: 0,
            acknowledged: 0,
        }
    }

    /// Sends one message with so many bytes of text; whether it was acknowledged. Put off is the only other answer.
    fn send(&mut self, bytes: usize) -> bool {
        self.sent += 1;
        match send(self.server, self.sent, bytes).as_str() {
            "250" => self.acknowledged += 1,
            // While the store is opened anew the ports are closed for a moment.
            "451" | "452" | "421" | "refused" | "lost" => return false,
            other => panic!("a message was answered with {other}"),
        }
        true
    }

    fn send_until_put_off(&mut self, bytes: usize) {
        for _ in 0..MESSAGES_MAX {
            if !self.send(bytes) {
                return;
            }
        }
        panic!("nothing was put off");
    }

    fn send_until_taken(&mut self, bytes: usize) {
        let server = self.server;
        server.wait_for("acceptance", || self.send(bytes));
    }

    /// All that was acknowledged is in the mailbox, and hardly more: what was put off may have been taken before the failure was known.
    fn has_arrived(&self) {
        self.server.wait_for("an empty queue", || {
            // What could not be delivered meanwhile would wait for its next try; and what is being tried now may yet fail.
            self.server.ctl_ok(&["queue", "retry"]);
            self.server.ctl_json(&["queue", "list"])["total"] == 0
        });
        let mut pop3 = self.server.connect("pop3");
        pop3.until("+OK");
        pop3.ask("USER user1@example.test", "+OK");
        pop3.ask("PASS pass1", "+OK");
        let stat = pop3.ask("STAT", "+OK");
        let count = stat.split(' ').nth(1).expect("a count");
        let count: usize = count.parse().expect("a number");
        assert!(
            (self.acknowledged..=self.sent).contains(&count),
            "{stat}, {} acknowledged of {}",
            self.acknowledged,
            self.sent
        );
    }
}

/// Tries to send one message; the code of the first answer that is no success, or 250.
fn send(server: &Server, number: usize, bytes: usize) -> String {
    let Some(mut line) = Line::try_connect(server.port_of("smtp")) else {
        return "refused".to_owned();
    };
    let text = format!("{}\r\n", "x".repeat(70)).repeat(bytes / 72 + 1);
    let message = format!("Message-ID: <{number}@remote.test>\r\nSubject: {number}\r\n\r\n{text}.");
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

/// How often the log tells that.
fn told(server: &Server, code: &str) -> usize {
    let log = server.ctl_ok(&["--json", "log", "show", "--limit", "10000"]);
    log.matches(&format!("\"{code}\"")).count()
}

/// The daemon's calls of the system fail as long as this lives.
struct Failing(Child);

impl Failing {
    /// `calls`: names with commas between them. `None`, visibly: this account may not hold another program's calls up.
    fn of(server: &Server, calls: &str, error: &str) -> Option<Self> {
        let mut strace = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:error={error}")])
            .args(["-p", &server.process().to_string()])
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace runs");
        let mut first = String::new();
        let said = strace.stderr.take().expect("its errors are piped");
        let mut said = BufReader::new(said);
        said.read_line(&mut first).expect("it says something");
        if !may(first.contains("attached"), "attach to another program") {
            let _ = strace.wait();
            return None;
        }
        // A full pipe would stop it, and the daemon with it.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Some(Self(strace))
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        signal(self.0.id(), "INT");
        let _ = self.0.wait();
    }
}

/// Lets the daemon's files grow no further, or as far as they like.
struct Limited<'a>(&'a Server);

impl<'a> Limited<'a> {
    fn of(server: &'a Server) -> Option<Self> {
        limit_files(server, "0");
        Some(Self(server))
    }
}

impl Drop for Limited<'_> {
    fn drop(&mut self) {
        limit_files(self.0, "unlimited");
    }
}

fn limit_files(server: &Server, limit: &str) {
    let done = Command::new("prlimit")
        .arg(format!("--pid={}", server.process()))
        .arg(format!("--fsize={limit}:"))
        .status();
    assert!(done.expect("prlimit runs").success());
}

/// A small disk of its own for one folder of the data directory.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, visibly: this account may not mount.
    fn mount(path: PathBuf, mebibytes: usize) -> Option<Self> {
        std::fs::create_dir_all(&path).expect("the folder is made");
        let done = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={mebibytes}m,mode=700"),
                "tmpfs",
            ])
            .arg(&path)
            .status();
        may(done.expect("mount runs").success(), "mount a disk").then_some(Self(path))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    fn fill(&self) {
        let mut file = File::create(self.filler()).expect("the filler is made");
        for size in [1 << 16, 1 << 12] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).expect("the filler is removed");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// With a small disk mounted at that folder of the data directory before the first start.
fn on_small_disk(folder: &str, mebibytes: usize) -> Option<(Server, SmallDisk)> {
    let mut server = Server::initialised(PROGRAMS);
    let disk = SmallDisk::mount(server.data().join(folder), mebibytes)?;
    server.start();
    server.add_users(1);
    Some((server, disk))
}

/// Mail would be acknowledged and lost, refused for good, or put off until somebody restarts the server.
fn fails_and_recovers<T>(server: &Server, fail: impl FnOnce() -> Option<T>) {
    let mut sender = Sender::new(server);
    for _ in 0..10 {
        assert!(sender.send(10));
    }
    let Some(failing) = fail() else { return };
    sender.send_until_put_off(10);
    // Nothing is acknowledged while it lasts.
    assert!(!sender.send(10));
    drop(failing);
    sender.send_until_taken(10);
    sender.has_arrived();
    for code in ["store-stopped", "store-resumed"] {
        assert!(told(server, code) > 0, "{code}");
    }
}

#[test]
fn a_disk_that_takes_no_more_puts_mail_off_and_the_daemon_recovers_by_itself() {
    let server = crate::server(1);
    fails_and_recovers(&server, || Limited::of(&server));
}

#[test]
fn a_sync_that_fails_puts_mail_off_and_the_daemon_recovers_by_itself() {
    if !has("strace") {
        return;
    }
    let server = crate::server(1);
    fails_and_recovers(&server, || Failing::of(&server, "fsync,fdatasync", "EIO"));
}

#[test]
fn a_disk_that_can_only_be_read_puts_mail_off_and_the_daemon_recovers_by_itself() {
    if !has("strace") {
        return;
    }
    let server = crate::server(1);
    // Not every machine has all of them.
    let calls = "pwrite64,ftruncate,fallocate,fsync,fdatasync,?mkdir,mkdirat,?rename,?renameat,renameat2,?link,linkat,?unlink,unlinkat";
    fails_and_recovers(&server, || Failing::of(&server, calls, "EROFS"));
}

#[test]
fn a_full_disk_under_the_queue_is_told_once_and_mail_is_taken_when_there_is_room() {
    let Some((server, disk)) = on_small_disk("queue", 48) else {
        return;
    };
    let mut sender = Sender::new(&server);
    assert!(sender.send(SMALL_BYTES));
    disk.fill();
    assert!(!sender.send(LARGE_BYTES), "there was no room for its file");
    server.wait_for("alarm", || told(&server, "disk-full") == 1);
    // What fits into the journal as it is, is taken.
    sender.send_until_put_off(SMALL_BYTES);
    assert!(!sender.send(LARGE_BYTES));
    disk.make_room();
    sender.send_until_taken(LARGE_BYTES);
    sender.send_until_taken(SMALL_BYTES);
    server.wait_for("end of the alarm", || told(&server, "disk-room") == 1);
    assert_eq!(told(&server, "disk-full"), 1, "once, whoever met it");
    assert_eq!(told(&server, "store-stopped"), 0, "nothing had to be opened anew");
    sender.has_arrived();
}

#[test]
fn a_full_disk_under_the_mailboxes_is_told_once_and_mail_arrives_when_there_is_room() {
    let Some((server, disk)) = on_small_disk("mail", 32) else {
        return;
    };
    let mut sender = Sender::new(&server);
    assert!(sender.send(SMALL_BYTES));
    server.wait_for_empty_queue();
    disk.fill();
    // The mailboxes' files may have some room of their own left.
    server.wait_for("message that waits", || {
        if sender.sent < 40 {
            assert!(sender.send(SMALL_BYTES), "the queue has room");
        }
        let rows = server.ctl_json(&["queue", "list"]);
        let mut rows = rows["rows"].as_array().unwrap().iter();
        rows.any(|row| row["attempts"].as_u64() > Some(0))
    });
    server.wait_for("alarm", || told(&server, "disk-full") == 1);
    disk.make_room();
    server.wait_for("end of the alarm", || told(&server, "disk-room") == 1);
    sender.has_arrived();
    assert_eq!(told(&server, "disk-full"), 1, "once, whoever met it");
}
