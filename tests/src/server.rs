//! A daemon on a directory and ports of its own, ended with the test.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use base64::Engine as _;
use tempfile::TempDir;

use crate::line::Line;

/// The standard ports that a server opens.
const PORTS: [u16; 10] = [24, 25, 80, 110, 143, 443, 465, 587, 993, 995];

/// The programs under test.
#[derive(Clone, Copy)]
pub struct Programs {
    pub batpostd: &'static str,
    pub batpostctl: &'static str,
}

/// A user of a server under test.
#[derive(Clone, Debug)]
pub struct User {
    pub address: String,
    pub password: String,
}

impl User {
    /// User number `number` of [`Server::with_users`].
    pub fn numbered(number: usize) -> Self {
        Self {
            address: format!("user{number}@example.test"),
            password: format!("pass{number}"),
        }
    }

    /// The response to the mechanism PLAIN (RFC 4616), in base64.
    pub fn plain(&self) -> String {
        let text = format!("\0{}\0{}", self.address, self.password);
        base64::engine::general_purpose::STANDARD.encode(text)
    }
}

/// A data directory with users, and the daemon on it while it runs.
pub struct Server {
    pub programs: Programs,
    dir: TempDir,
    pub offset: u16,
    daemon: Option<Child>,
    /// What the running daemon prints: a closed pipe would be an error of its own.
    output: Option<BufReader<ChildStdout>>,
}

impl Server {
    /// A running server with the domain `example.test` and users `user1`… with passwords `pass1`….
    pub fn with_users(programs: Programs, users: usize) -> Self {
        let mut server = Self::initialised(programs);
        server.start();
        server.add_users(users);
        server
    }

    /// Makes the domain `example.test` with users `user1`….
    pub fn add_users(&self, users: usize) {
        let mut csv = String::from("address,password\n");
        for number in 1..=users {
            let _ = writeln!(csv, "user{number}@example.test,pass{number}");
        }
        let file = self.dir.path().join("users.csv");
        std::fs::write(&file, csv).expect("the list of users is written");
        self.ctl_ok(&["user", "import", &file.to_string_lossy(), "--create-domains"]);
    }

    /// A data directory on free ports; the daemon does not run yet.
    pub fn initialised(programs: Programs) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let offset = free_offset();
        let server = Self {
            programs,
            dir,
            offset,
            daemon: None,
            output: None,
        };
        let done = Command::new(programs.batpostd)
            .args([
                "init",
                "--hostname",
                "mail.example.test",
                "--bind",
                "127.0.0.1",
                "--port-offset",
            ])
            .arg(offset.to_string())
            .arg("--data")
            .arg(server.data())
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("batpostd runs");
        assert!(
            done.status.success(),
            "init: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        server
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Starts the daemon and waits until its ports are open.
    pub fn start(&mut self) {
        let mut child = Command::new(self.programs.batpostd)
            .arg("run")
            .arg("--data")
            .arg(self.data())
            .env("LC_ALL", "C.UTF-8")
            .stdout(Stdio::piped())
            .spawn()
            .expect("batpostd runs");
        let mut first = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("its output is piped"));
        out.read_line(&mut first).expect("its output can be read");
        assert!(
            first.starts_with("BatPost "),
            "the daemon did not start: {first:?}"
        );
        self.daemon = Some(child);
        self.output = Some(out);
    }

    /// SIGKILL: nothing is flushed, nothing is said.
    pub fn kill(&mut self) {
        let mut child = self.daemon.take().expect("the daemon runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }

    /// Stops it cleanly.
    pub fn stop(&mut self) {
        self.ctl_ok(&["shutdown"]);
        let status = self
            .daemon
            .take()
            .expect("the daemon runs")
            .wait()
            .expect("it ends");
        assert!(status.success(), "the daemon ended with {status}");
    }

    /// Waits until the daemon has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let mut child = self.daemon.take().expect("the daemon runs");
        child.wait().expect("it ends")
    }

    pub fn process(&self) -> u32 {
        self.daemon.as_ref().expect("the daemon runs").id()
    }

    /// The port of a service by its standard number.
    pub fn port(&self, standard: u16) -> u16 {
        standard + self.offset
    }

    /// The standard number of a service.
    pub fn port_of(&self, service: &str) -> u16 {
        let standard = match service {
            "lmtp" => 24,
            "smtp" => 25,
            "submission" => 587,
            "submissions" => 465,
            "pop3" => 110,
            "pop3s" => 995,
            "imap" => 143,
            "imaps" => 993,
            other => panic!("no service {other}"),
        };
        self.port(standard)
    }

    pub fn connect(&self, service: &str) -> Line {
        Line::connect(self.port_of(service))
    }

    /// Runs batpostctl, in English.
    pub fn ctl(&self, arguments: &[&str]) -> Output {
        self.ctl_with(arguments, "C.UTF-8", "")
    }

    pub fn ctl_with(&self, arguments: &[&str], locale: &str, input: &str) -> Output {
        let mut child = Command::new(self.programs.batpostctl)
            .arg("--data")
            .arg(self.data())
            .args(arguments)
            .env("LC_ALL", locale)
            .env("LANG", locale)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("batpostctl runs");
        // A verb that reads nothing may end before this is written.
        let _ = child
            .stdin
            .take()
            .expect("its input is piped")
            .write_all(input.as_bytes());
        child.wait_with_output().expect("batpostctl ends")
    }

    /// Runs batpostctl and expects it to succeed; what it printed.
    pub fn ctl_ok(&self, arguments: &[&str]) -> String {
        let done = self.ctl(arguments);
        let (out, err) = (
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr),
        );
        assert!(done.status.success(), "batpostctl {arguments:?}: {out}{err}");
        out.into_owned()
    }

    /// The same with `--json`, parsed.
    pub fn ctl_json(&self, arguments: &[&str]) -> serde_json::Value {
        let mut all = vec!["--json"];
        all.extend(arguments);
        serde_json::from_str(&self.ctl_ok(&all)).expect("JSON")
    }

    /// Waits until the queue is empty: asks again until it is, or fails after very many times.
    pub fn wait_for_empty_queue(&self) {
        self.wait_for("an empty queue", || {
            self.ctl_json(&["queue", "list"])["total"] == 0
        });
    }

    /// Asks until it is so. The limit only keeps a broken server from holding the tests for ever.
    pub fn wait_for(&self, what: &str, mut so: impl FnMut() -> bool) {
        let end = std::time::Instant::now() + std::time::Duration::from_mins(10);
        while !so() {
            assert!(std::time::Instant::now() < end, "no {what} came");
            std::thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.daemon.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Between the offsets of two servers of one process. No two of [`PORTS`] differ by a multiple of it: a server that is not listening yet, or not at the
/// moment, finds its ports free when it does, however many others have started.
const OFFSET_STEP: u16 = 31;
const OFFSETS_COUNT: u16 = 645;

/// A number that, added to each standard port, gives a free one. Servers of one process never share a port.
pub fn free_offset() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let seed = u16::try_from(std::process::id() % 200).unwrap_or_default();
    for _ in 0..500 {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Below the ports that the system gives to outgoing connections (32768 and above on Linux).
        let offset = 10_000 + seed % OFFSET_STEP + (seed * 3 + number) % OFFSETS_COUNT * OFFSET_STEP;
        if PORTS
            .iter()
            .all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port + offset)).is_ok())
        {
            return offset;
        }
    }
    panic!("no free ports");
}

/// Sends a signal by its name.
#[cfg(unix)]
pub fn signal(process: u32, name: &str) {
    let command = format!("kill -{name} {process}");
    let status = Command::new("sh")
        .args(["-c", &command])
        .status()
        .expect("sh runs");
    assert!(status.success(), "{command}");
}

/// Whether a program is installed; says so if it is not, and fails where `tests/run` has installed all (`BATPOST_CLIENTS`).
pub fn has(program: &str) -> bool {
    let found = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder: PathBuf| is_program(&folder.join(program)))
    });
    if !found {
        assert!(
            std::env::var_os("BATPOST_CLIENTS").is_none(),
            "{program} is not installed"
        );
        eprintln!("SKIPPED: {program} is not installed");
    }
    found
}

/// Whether something could be done that not every account may do (`what`: in a sentence, "this account may not …"); says so if it could not, and
/// fails where `tests/run` has found that it may (`BATPOST_ROOT`).
pub fn may(done: bool, what: &str) -> bool {
    if !done {
        let expected = std::env::var_os("BATPOST_ROOT").is_some();
        assert!(!expected, "this account may not {what}");
        eprintln!("SKIPPED: this account may not {what}");
    }
    done
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_of_one_process_share_no_port() {
        for (at, a) in PORTS.iter().enumerate() {
            for b in &PORTS[at + 1..] {
                assert_ne!(a.abs_diff(*b) % OFFSET_STEP, 0, "{a} and {b}");
            }
        }
        let highest = 10_000 + OFFSETS_COUNT * OFFSET_STEP;
        assert!(PORTS.iter().all(|port| highest + port < 32_768));
    }
}
