//! The control protocol, spoken through `batpostctl stdio`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use batpost_tests::server::Server;
use serde_json::{Value, json};

/// Ends a test that would wait for ever for something among notifications.
const PATIENCE: Duration = Duration::from_mins(5);

/// A connection to the daemon.
pub(super) struct Channel {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next: u64,
}

impl Channel {
    pub(super) fn silent(server: &Server) -> Self {
        let mut child = Command::new(server.programs.batpostctl)
            .arg("--data")
            .arg(server.data())
            .arg("stdio")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
            next: 1,
        }
    }

    pub(super) fn open(server: &Server, language: &str) -> Self {
        let mut channel = Self::silent(server);
        let hello = json!({"version": {"major": 1, "minor": 0}, "client": "test", "language": language});
        let answer = channel.call("hello", hello);
        assert_eq!(answer["result"]["hostname"], "mail.example.test", "{answer}");
        channel
    }

    pub(super) fn write(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
        self.input.flush().unwrap();
    }

    /// The next message; `None` once the daemon has hung up.
    pub(super) fn read(&mut self) -> Option<Value> {
        let mut line = String::new();
        if self.output.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        Some(serde_json::from_str(&line).unwrap())
    }

    /// Asks and reads up to the answer.
    pub(super) fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.next;
        self.next += 1;
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string());
        loop {
            let message = self.read().expect("an answer");
            if message["id"] == id {
                return message;
            }
        }
    }

    /// Reads up to a notification that is so.
    pub(super) fn notified(&mut self, so: impl Fn(&Value) -> bool) -> Value {
        let since = Instant::now();
        loop {
            let message = self.read().expect("a notification");
            assert!(since.elapsed() < PATIENCE, "no such notification came");
            if message.get("id").is_none_or(Value::is_null) && so(&message) {
                return message;
            }
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
