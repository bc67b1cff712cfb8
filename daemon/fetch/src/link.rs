//! A connection to another server: lines and bytes in, bytes out, TLS. Everything has a time, and nothing grows with what comes.
//!
//! Must not know: POP3 or IMAP.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::Timeouts;
use crate::problem::Problem;

/// Bytes of one read.
const READ_BYTES: usize = 16 * 1024;

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

pub(crate) struct Link {
    stream: Stream,
    input: BytesMut,
    timeouts: Timeouts,
    /// The visit's end, come what may.
    deadline: Instant,
    pub(crate) peer: SocketAddr,
}

impl Link {
    pub(crate) async fn connect(
        peer: SocketAddr,
        timeouts: Timeouts,
        deadline: Instant,
    ) -> Result<Self, Problem> {
        let limit = deadline.min(Instant::now() + timeouts.connect);
        let unreachable = |reason: String| Problem::Unreachable {
            host: peer.to_string(),
            reason,
        };
        let connected = timeout_at(limit, TcpStream::connect(peer)).await;
        let stream = connected
            .map_err(|_| unreachable("no answer in time".to_owned()))?
            .map_err(|error| unreachable(error.to_string()))?;
        // Without it commands may wait a moment, no more.
        let _ = stream.set_nodelay(true);
        Ok(Self {
            stream: Stream::Plain(stream),
            input: BytesMut::new(),
            timeouts,
            deadline,
            peer,
        })
    }

    /// The handshake. What was said before it and read after it would be somebody else's (RFC 2595 §4).
    pub(crate) async fn start_tls(self, config: Arc<ClientConfig>, host: &str) -> Result<Self, Problem> {
        let limit = self.limit();
        let Stream::Plain(stream) = self.stream else {
            return Err(Problem::Tls("it is on already".to_owned()));
        };
        if !self.input.is_empty() {
            return Err(Problem::Tls("plaintext before the handshake".to_owned()));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|error| Problem::Tls(error.to_string()))?;
        let shaken = timeout_at(limit, TlsConnector::from(config).connect(name, stream)).await;
        let tls = shaken
            .map_err(|_| Problem::Timeout)?
            .map_err(|error| Problem::Tls(error.to_string()))?;
        Ok(Self {
            stream: Stream::Tls(Box::new(tls)),
            input: BytesMut::new(),
            timeouts: self.timeouts,
            deadline: self.deadline,
            peer: self.peer,
        })
    }

    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// TLS, or a program of this machine.
    pub(crate) fn is_secure(&self) -> bool {
        self.is_tls() || self.peer.ip().to_canonical().is_loopback()
    }

    /// The version of TLS; empty without.
    pub(crate) fn tls_version(&self) -> String {
        match &self.stream {
            Stream::Plain(_) => String::new(),
            Stream::Tls(stream) => {
                let version = stream.get_ref().1.protocol_version();
                version
                    .and_then(|version| version.as_str())
                    .unwrap_or("TLS")
                    .to_owned()
            }
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let limit = self.limit();
        let sent = timeout_at(limit, async {
            match &mut self.stream {
                Stream::Plain(stream) => stream.write_all(bytes).await,
                Stream::Tls(stream) => {
                    stream.write_all(bytes).await?;
                    stream.flush().await
                }
            }
        });
        sent.await
            .map_err(|_| Problem::Timeout)?
            .map_err(|_| Problem::Closed)
    }

    /// The next line, without its end.
    pub(crate) async fn line(&mut self, max_bytes: usize) -> Result<Vec<u8>, Problem> {
        let mut searched = 0;
        loop {
            let rest = self.input.get(searched..).unwrap_or_default();
            if let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
                let line = self.input.split_to(searched + at + 1);
                if line.len() > max_bytes {
                    return Err(Problem::garbage(&line));
                }
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                return Ok(line.strip_suffix(b"\r").unwrap_or(line).to_vec());
            }
            searched = self.input.len();
            if searched > max_bytes {
                return Err(Problem::garbage(&self.input));
            }
            self.fill().await?;
        }
    }

    /// What has come and was not taken; [`Self::fill`] reads more.
    pub(crate) fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    /// Takes at most that many bytes of what comes, and at least one.
    pub(crate) async fn some(&mut self, max_bytes: u64) -> Result<BytesMut, Problem> {
        if self.input.is_empty() {
            self.fill().await?;
        }
        let len = usize::try_from(max_bytes)
            .unwrap_or(usize::MAX)
            .min(self.input.len());
        Ok(self.input.split_to(len))
    }

    /// Throws away bytes.
    pub(crate) async fn discard(&mut self, mut bytes: u64) -> Result<(), Problem> {
        while bytes > 0 {
            if self.input.is_empty() {
                self.fill().await?;
            }
            let len = usize::try_from(bytes).unwrap_or(usize::MAX).min(self.input.len());
            self.input.advance(len);
            bytes -= len as u64;
        }
        Ok(())
    }

    pub(crate) async fn fill(&mut self) -> Result<(), Problem> {
        let limit = self.limit();
        self.input.reserve(READ_BYTES);
        let read = timeout_at(limit, async {
            let mut input = (&mut self.input).limit(READ_BYTES);
            match &mut self.stream {
                Stream::Plain(stream) => stream.read_buf(&mut input).await,
                Stream::Tls(stream) => stream.read_buf(&mut input).await,
            }
        });
        match read.await {
            Err(_) => Err(Problem::Timeout),
            Ok(Ok(0) | Err(_)) => Err(Problem::Closed),
            Ok(Ok(_)) => Ok(()),
        }
    }

    /// One more answer is waited for, whatever the visit's end.
    pub(crate) fn grant_answer(&mut self) {
        self.deadline = self.deadline.max(Instant::now() + self.timeouts.answer);
    }

    fn limit(&self) -> Instant {
        self.deadline.min(Instant::now() + self.timeouts.answer)
    }
}
