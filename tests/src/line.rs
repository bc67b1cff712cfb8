//! A connection that a test speaks over line by line.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// How long a peer may be silent before a test fails. Not a measure of anything: it only ends a test that would hang.
const SILENCE: Duration = Duration::from_mins(5);

pub struct Line {
    reader: BufReader<TcpStream>,
}

impl Line {
    pub fn connect(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the port is open");
        Self::over(stream)
    }

    /// The same; `None` if nobody listens.
    pub fn try_connect(port: u16) -> Option<Self> {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .ok()
            .map(Self::over)
    }

    pub fn over(stream: TcpStream) -> Self {
        stream
            .set_read_timeout(Some(SILENCE))
            .expect("a timeout can be set");
        stream.set_nodelay(true).expect("an option can be set");
        Self {
            reader: BufReader::new(stream),
        }
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.reader
            .get_mut()
            .write_all(bytes)
            .expect("the peer takes what is sent");
    }

    /// The same, but a peer that has closed is no failure.
    pub fn try_send_raw(&mut self, bytes: &[u8]) -> bool {
        self.reader.get_mut().write_all(bytes).is_ok()
    }

    pub fn send(&mut self, line: &str) {
        self.send_raw(format!("{line}\r\n").as_bytes());
    }

    /// The next line with its end; `None` once the peer has closed.
    pub fn raw_line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        match self.reader.read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => Some(line),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("the peer said nothing: {error}"),
        }
    }

    /// The next line without its end; `None` once the peer has closed.
    pub fn try_line(&mut self) -> Option<Vec<u8>> {
        let mut line = self.raw_line()?;
        while line.last().is_some_and(|byte| *byte == b'\n' || *byte == b'\r') {
            line.pop();
        }
        Some(line)
    }

    pub fn line(&mut self) -> String {
        let line = self.try_line().expect("the peer closed the connection");
        String::from_utf8_lossy(&line).into_owned()
    }

    /// The next line that begins so; `None` if the peer closes before. What is between is let go.
    pub fn try_until(&mut self, beginning: &str) -> Option<String> {
        loop {
            let line = String::from_utf8_lossy(&self.try_line()?).into_owned();
            if line.starts_with(beginning) {
                return Some(line);
            }
        }
    }

    /// Exactly that many bytes (a literal).
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.reader
            .read_exact(&mut bytes)
            .expect("the peer sends what it announced");
        bytes
    }

    /// Reads lines until one begins so; that one.
    pub fn until(&mut self, beginning: &str) -> String {
        loop {
            let line = self.line();
            if line.starts_with(beginning) {
                return line;
            }
        }
    }

    /// Sends a line and reads until an answer begins so.
    pub fn ask(&mut self, line: &str, beginning: &str) -> String {
        self.send(line);
        self.until(beginning)
    }

    /// A whole SMTP reply, its lines joined; it must begin so.
    pub fn smtp(&mut self, line: &str, code: &str) -> String {
        if !line.is_empty() {
            self.send(line);
        }
        let mut all = String::new();
        loop {
            let reply = self.line();
            assert!(
                reply.starts_with(code),
                "{line:?}: expected {code}, got {reply:?}"
            );
            all.push_str(&reply);
            if reply.as_bytes().get(3) != Some(&b'-') {
                return all;
            }
            all.push('\n');
        }
    }
}
