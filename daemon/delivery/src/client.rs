//! A connection to another host that speaks SMTP or LMTP: replies in, commands out, TLS.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use wire::smtp::reply::{REPLY_LINE_MAX_BYTES, Reply, ReplyError, ReplyParser};

use crate::Timeouts;

/// Bytes of one read.
const READ_BYTES: usize = 4096;

/// How the library calls an error of the system that it has no name for.
const UNKNOWN_TO_RUST: &str = "uncategorized error";

#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("no answer in time")]
    Timeout,
    /// Each answer came in time, and all together did not.
    #[error("it took too long in all")]
    TooSlow,
    #[error("the connection was closed")]
    Closed,
    #[error("{}", in_words(.0))]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Garbage(#[from] ReplyError),
    #[error("an endless line")]
    LineTooLong,
    /// Questions and answers have lost each other: what is answered next is anybody's guess.
    #[error("an answer that fits no question: {0}")]
    OutOfStep(Reply),
    #[error("TLS: {0}")]
    Tls(String),
    /// Not the connection: what is to be sent can't be read here.
    #[error("the text can't be read: {}", in_words(.0))]
    Text(std::io::Error),
}

/// What stands in reports and in the queue: the same words whatever the system's language and numbers are.
fn in_words(error: &std::io::Error) -> String {
    let words = error.kind().to_string();
    if error.raw_os_error().is_some() && words != UNKNOWN_TO_RUST {
        words
    } else {
        error.to_string()
    }
}

/// What a host offers in its answer to EHLO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offers {
    pub(crate) size: Option<u64>,
    pub(crate) pipelining: bool,
    pub(crate) eight_bit: bool,
    pub(crate) utf8: bool,
    pub(crate) starttls: bool,
    pub(crate) dsn: bool,
    pub(crate) require_tls: bool,
    pub(crate) auth: Vec<String>,
}

impl Offers {
    /// RFC 6531 §3.1: who offers SMTPUTF8 must take 8 bits as well.
    pub(crate) fn takes_eight_bit(&self) -> bool {
        self.eight_bit || self.utf8
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

pub(crate) struct Client {
    stream: Stream,
    input: Vec<u8>,
    pub(crate) timeouts: Timeouts,
    /// It speaks LMTP (RFC 2033).
    pub(crate) lmtp: bool,
    given_up: bool,
    /// When what is being done must be over, however lively the host is.
    deadline: Option<Instant>,
    /// Where it is spoken from.
    pub(crate) own: Option<IpAddr>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, timeouts: Timeouts) -> Result<Self, ClientError> {
        let limit = (timeouts.connect, ClientError::Timeout);
        let stream = within(limit, async { Ok(TcpStream::connect(address).await?) }).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            own: stream.local_addr().ok().map(|own| own.ip()),
            stream: Stream::Plain(stream),
            input: Vec::new(),
            timeouts,
            lmtp: false,
            given_up: false,
            deadline: None,
        })
    }

    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// From now on everything must be done by then; `None`: each answer has its own limit, and no more.
    pub(crate) fn done_by(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// What is left until then.
    pub(crate) fn left(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// The shorter of the limits, and what it is called to be over it.
    fn limit(&self, own: Duration) -> (Duration, ClientError) {
        match self.left() {
            Some(left) if left < own => (left, ClientError::TooSlow),
            _ => (own, ClientError::Timeout),
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8], limit: Duration) -> Result<(), ClientError> {
        within(self.limit(limit), async {
            match &mut self.stream {
                Stream::Plain(stream) => stream.write_all(bytes).await?,
                Stream::Tls(stream) => {
                    stream.write_all(bytes).await?;
                    stream.flush().await?;
                }
            }
            Ok(())
        })
        .await
    }

    /// The next whole reply.
    pub(crate) async fn reply(&mut self, limit: Duration) -> Result<Reply, ClientError> {
        within(self.limit(limit), async {
            let mut parser = ReplyParser::new();
            loop {
                while let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = self.input.drain(..=end).collect();
                    if let Some(reply) = parser.line(&line)? {
                        // RFC 5321 §4.2.1: it closes the connection.
                        self.given_up |= reply.code == 421;
                        return Ok(reply);
                    }
                }
                if self.input.len() > REPLY_LINE_MAX_BYTES {
                    return Err(ClientError::LineTooLong);
                }
                let mut buffer = [0; READ_BYTES];
                let read = match &mut self.stream {
                    Stream::Plain(stream) => stream.read(&mut buffer).await?,
                    Stream::Tls(stream) => stream.read(&mut buffer).await?,
                };
                if read == 0 {
                    return Err(ClientError::Closed);
                }
                self.input
                    .extend_from_slice(buffer.get(..read).unwrap_or_default());
            }
        })
        .await
    }

    /// A command of one line and its reply.
    pub(crate) async fn command(&mut self, line: &str) -> Result<Reply, ClientError> {
        let limit = self.timeouts.command;
        self.send(format!("{line}\r\n").as_bytes(), limit).await?;
        self.reply(limit).await
    }

    /// Says EHLO, or HELO to a host that does not know EHLO (RFC 5321 §3.2).
    pub(crate) async fn hello(&mut self, own_name: &str) -> Result<(Reply, Offers), ClientError> {
        let word = if self.lmtp { "LHLO" } else { "EHLO" };
        let reply = self.command(&format!("{word} {own_name}")).await?;
        if reply.is_positive() {
            let offers = offers(&reply);
            return Ok((reply, offers));
        }
        if !reply.is_permanent() || self.lmtp {
            return Ok((reply, Offers::default()));
        }
        let reply = self.command(&format!("HELO {own_name}")).await?;
        Ok((reply, Offers::default()))
    }

    /// The handshake after STARTTLS was answered with 220.
    pub(crate) async fn start_tls(self, config: Arc<ClientConfig>, host: &str) -> Result<Self, ClientError> {
        let limit = self.limit(self.timeouts.command);
        let Stream::Plain(stream) = self.stream else {
            return Err(ClientError::Closed);
        };
        if !self.input.is_empty() {
            // Said before the handshake, meant to be read after it (RFC 3207 §6).
            return Err(ClientError::Tls("plaintext after STARTTLS".to_owned()));
        }
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| ClientError::Tls(error.to_string()))?;
        let connector = TlsConnector::from(config);
        let tls = within(limit, async {
            connector
                .connect(name, stream)
                .await
                .map_err(|error| ClientError::Tls(error.to_string()))
        });
        Ok(Self {
            stream: Stream::Tls(Box::new(tls.await?)),
            input: Vec::new(),
            timeouts: self.timeouts,
            lmtp: self.lmtp,
            given_up: false,
            deadline: self.deadline,
            own: self.own,
        })
    }

    /// Whether it is still there, ready for another transaction.
    pub(crate) async fn reset(&mut self) -> bool {
        const RESET_WAIT: Duration = Duration::from_secs(10);
        self.send(b"RSET\r\n", RESET_WAIT).await.is_ok()
            && self
                .reply(RESET_WAIT)
                .await
                .is_ok_and(|reply| reply.is_positive())
            && !self.given_up
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// Nothing more can be said: the connection is only to be closed.
    pub(crate) fn give_up(&mut self) {
        self.given_up = true;
    }

    /// Says good-bye without waiting long for the answer.
    pub(crate) async fn quit(mut self) {
        const QUIT_WAIT: Duration = Duration::from_secs(5);
        if !self.given_up && self.send(b"QUIT\r\n", QUIT_WAIT).await.is_ok() {
            let _ = self.reply(QUIT_WAIT).await;
        }
    }
}

async fn within<T>(
    (limit, late): (Duration, ClientError),
    work: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    timeout(limit, work).await.unwrap_or(Err(late))
}

fn offers(reply: &Reply) -> Offers {
    let mut offers = Offers::default();
    for line in reply.lines.iter().skip(1) {
        let mut words = line.split_ascii_whitespace();
        let Some(keyword) = words.next() else { continue };
        match keyword.to_ascii_uppercase().as_str() {
            // RFC 1870 §4: 0 says that there is no fixed limit.
            "SIZE" => {
                offers.size = words
                    .next()
                    .and_then(|size| size.parse().ok())
                    .filter(|size| *size > 0);
            }
            "PIPELINING" => offers.pipelining = true,
            "8BITMIME" => offers.eight_bit = true,
            "SMTPUTF8" => offers.utf8 = true,
            "STARTTLS" => offers.starttls = true,
            "DSN" => offers.dsn = true,
            "REQUIRETLS" => offers.require_tls = true,
            "AUTH" => offers.auth = words.map(str::to_ascii_uppercase).collect(),
            _ => {}
        }
    }
    offers
}
