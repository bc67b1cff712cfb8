//! A peer's connection: a socket with an input and an output buffer.
//!
//! Must not know: protocols. Everything here can be cancelled between two polls without losing a byte: what was not sent is
//! in the output buffer still, what was read is in the input buffer already.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use events::Events;
use events::kinds::net::TlsFailed;
use shared::model::Protocol;
use tls::{Accepted, Acceptor, ClientCertificate, Tls};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};

use crate::compress::Compression;
use crate::service::Slot;
use crate::session::{Registry, SessionHandle};
use crate::stream::{Raw, Stream};
use crate::{
    FAREWELL_TIMEOUT, HANDSHAKE_TIMEOUT, OUTPUT_HIGH_WATER_BYTES, READ_BYTES_MAX, READ_BYTES_MIN, REST_AFTER,
    WRITE_TIMEOUT,
};

/// Why a connection can't go on. `Ended` is an administrator's or the daemon's own wish, to be told to the peer.
#[derive(Debug, thiserror::Error)]
pub enum ConnError {
    #[error("the peer closed the connection")]
    Closed,
    #[error("the peer was silent too long")]
    Timeout,
    #[error("the session was ended")]
    Ended,
    #[error("TLS: {0}")]
    Tls(String),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ConnError {
    /// The reason in a word, for [`SessionHandle::set_reason`].
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Closed => "closed by the peer",
            Self::Timeout => "timeout",
            Self::Ended => "ended",
            Self::Tls(_) => "tls",
            Self::Io(_) => "connection lost",
        }
    }
}

/// A peer's connection: a socket, plain or TLS, with an input and an output buffer. Idle connections hold no buffers.
pub struct Conn {
    stream: Stream,
    input: BytesMut,
    output: BytesMut,
    /// Something was handed to the stream that it may still hold (TLS).
    unflushed: bool,
    /// Bytes to read at once.
    read_bytes: usize,
    session: SessionHandle,
    local: SocketAddr,
    tls: Option<Tls>,
    /// What the handshake was done with.
    acceptor: Option<Acceptor>,
    compression: Option<Box<Compression>>,
}

impl Conn {
    pub(crate) fn new(raw: Raw, session: SessionHandle, local: SocketAddr, tls: Option<Tls>) -> Self {
        Self {
            stream: Stream::Plain(raw),
            input: BytesMut::new(),
            output: BytesMut::new(),
            unflushed: false,
            read_bytes: READ_BYTES_MIN,
            session,
            local,
            tls,
            acceptor: None,
            compression: None,
        }
    }

    /// A connection over memory, from loopback, without TLS: for tests of the rooms above.
    pub fn for_test(io: DuplexStream) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        Self::for_test_with(io, loopback, None, Events::none())
    }

    /// The same with a peer, TLS and events of the test's choice.
    pub fn for_test_with(io: DuplexStream, peer: SocketAddr, tls: Option<Tls>, events: Events) -> Self {
        let registry = Arc::new(Registry::new(events));
        let session = registry.enter(Arc::new(Slot::for_test()), peer, None);
        Self::new(
            Raw::Memory(io),
            session,
            SocketAddr::from((Ipv4Addr::LOCALHOST, 2)),
            tls,
        )
    }

    /// What was read and not yet consumed. Consume with `advance`/`split_to`.
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    /// Input and output at once: for answering out of the input without copying it.
    pub fn buffers(&mut self) -> (&mut BytesMut, &mut BytesMut) {
        (&mut self.input, &mut self.output)
    }

    /// Reads more into the input buffer: at least one byte, or an error. Ends with `Timeout` after `limit`, with `Ended`
    /// when the session is to end. Output is flushed before waiting.
    pub async fn fill(&mut self, limit: Duration) -> Result<usize, ConnError> {
        self.flush().await?;
        if self.session.is_ended() {
            return Err(ConnError::Ended);
        }
        // What has come already costs no timer.
        let at_once = poll_fn(|cx| match self.poll_fill(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => Poll::Ready(None),
        });
        if let Some(result) = at_once.await {
            return result;
        }
        if self.compression.as_ref().is_some_and(|layer| layer.is_awake()) && limit > REST_AFTER {
            match self.wait(REST_AFTER).await {
                Err(ConnError::Timeout) => {}
                result => return result,
            }
            if let Some(layer) = &mut self.compression {
                layer.rest();
            }
            return self.wait(limit.saturating_sub(REST_AFTER)).await;
        }
        self.wait(limit).await
    }

    /// Waits for the peer.
    async fn wait(&mut self, limit: Duration) -> Result<usize, ConnError> {
        let session = self.session.clone();
        tokio::select! {
            biased;
            result = poll_fn(|cx| self.poll_fill(cx)) => result,
            () = session.ended() => Err(ConnError::Ended),
            () = tokio::time::sleep(limit) => Err(ConnError::Timeout),
        }
    }

    /// Answers gathered and not yet sent.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// Sends what is gathered; waits at most the write timeout for a slow peer.
    pub async fn flush(&mut self) -> Result<(), ConnError> {
        if self.output.is_empty() && !self.unflushed {
            return Ok(());
        }
        let at_once = poll_fn(|cx| match self.poll_send(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => Poll::Ready(None),
        });
        if let Some(result) = at_once.await {
            return result;
        }
        if self.session.is_ended() {
            // The farewell: a peer that does not read it now goes without.
            let sent = poll_fn(|cx| self.poll_send(cx));
            return tokio::time::timeout(FAREWELL_TIMEOUT, sent)
                .await
                .map_err(|_| ConnError::Timeout)?;
        }
        let session = self.session.clone();
        tokio::select! {
            biased;
            result = poll_fn(|cx| self.poll_send(cx)) => result,
            () = session.ended() => Err(ConnError::Ended),
            () = tokio::time::sleep(WRITE_TIMEOUT) => Err(ConnError::Timeout),
        }
    }

    /// Flushes if more than the high-water mark (64 KiB) is gathered: call it inside loops that produce output.
    pub async fn flush_if_full(&mut self) -> Result<(), ConnError> {
        if self.output.len() < OUTPUT_HIGH_WATER_BYTES {
            return Ok(());
        }
        self.flush().await
    }

    /// Sends what is gathered and says goodbye to TLS and TCP. Call it last: what is just dropped may cost the peer the last answer.
    pub async fn close(mut self) {
        let said = async {
            self.flush().await?;
            self.stream.shutdown().await?;
            Ok::<(), ConnError>(())
        };
        // A peer that is gone already, or reads no more, has no use for it.
        let _ = tokio::time::timeout(FAREWELL_TIMEOUT, said).await;
    }

    /// Does the server's side of a TLS handshake. Refused (an error) if plaintext is still in the input buffer, so that
    /// nothing said before is taken for said after (RFC 3207 §6, command injection).
    pub async fn start_tls(&mut self) -> Result<(), ConnError> {
        // Boxed: a session that waits for commands does not hold the room for a handshake.
        let result = Box::pin(self.handshake()).await;
        if let Err(error) = &result
            && !matches!(error, ConnError::Ended)
        {
            let reason = error.to_string();
            self.session
                .events()
                .emit(self.session.scope(), TlsFailed { reason });
        }
        result
    }

    async fn handshake(&mut self) -> Result<(), ConnError> {
        if !self.input.is_empty() {
            return Err(ConnError::Tls(
                "commands were sent ahead of the handshake".to_owned(),
            ));
        }
        let Some(acceptor) = self.tls.as_ref().map(Tls::acceptor) else {
            return Err(ConnError::Tls("no certificate".to_owned()));
        };
        self.flush().await?;
        let Stream::Plain(raw) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(ConnError::Tls("TLS is on already".to_owned()));
        };
        self.input = BytesMut::new();
        let session = self.session.clone();
        // They look on port 443 and nowhere else (RFC 8737 §3).
        let authorities = session.protocol() == Protocol::Web;
        let accepted = tokio::select! {
            biased;
            accepted = acceptor.accept(raw, authorities) => accepted.map_err(|error| ConnError::Tls(error.to_string()))?,
            () = session.ended() => return Err(ConnError::Ended),
            () = tokio::time::sleep(HANDSHAKE_TIMEOUT) => return Err(ConnError::Timeout),
        };
        let Accepted::Session(accepted) = accepted else {
            self.session.set_reason("answered");
            return Err(ConnError::Ended);
        };
        self.stream = Stream::Tls(accepted);
        self.acceptor = Some(acceptor);
        self.session.set_tls();
        Ok(())
    }

    /// From here on both sides send DEFLATE (RFC 4978 §3). What was said before must have been flushed.
    pub fn start_deflate(&mut self) {
        if self.compression.is_none() {
            self.compression = Some(Box::new(Compression::new(self.input.split())));
        }
    }

    pub fn is_compressed(&self) -> bool {
        self.compression.is_some()
    }

    /// Whether `start_tls` can be offered: a certificate is at hand, and neither TLS nor DEFLATE, which lies above it, is on yet.
    pub fn can_start_tls(&self) -> bool {
        self.tls.is_some() && matches!(self.stream, Stream::Plain(_)) && self.compression.is_none()
    }

    pub fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// TLS, or a peer on this host (loopback): plaintext mechanisms may be used.
    pub fn is_secure(&self) -> bool {
        self.is_tls() || self.peer().ip().to_canonical().is_loopback()
    }

    /// The protocol's channel binding of that type (`tls-exporter`, `tls-server-end-point`), under TLS.
    pub fn channel_binding(&self, kind: &str) -> Option<Vec<u8>> {
        let (Stream::Tls(stream), Some(acceptor)) = (&self.stream, &self.acceptor) else {
            return None;
        };
        acceptor.channel_binding(stream.get_ref().1, kind)
    }

    /// Who the client has shown to be by a certificate, under TLS.
    pub fn client_certificate(&self) -> Option<ClientCertificate> {
        let (Stream::Tls(stream), Some(acceptor)) = (&self.stream, &self.acceptor) else {
            return None;
        };
        acceptor.client(stream.get_ref().1)
    }

    pub fn peer(&self) -> SocketAddr {
        self.session.peer()
    }

    pub fn local(&self) -> SocketAddr {
        self.local
    }

    pub fn session(&self) -> &SessionHandle {
        &self.session
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, ConnError>> {
        let Some(layer) = &mut self.compression else {
            return self.poll_read(cx);
        };
        // What came last may hold more than was inflated of it.
        let mut inflated = layer.inflate(&mut self.input, READ_BYTES_MAX).map_err(lost)?;
        while inflated == 0 {
            ready!(self.poll_read(cx))?;
            if let Some(layer) = &mut self.compression {
                inflated = layer.inflate(&mut self.input, READ_BYTES_MAX).map_err(lost)?;
            }
        }
        Poll::Ready(Ok(inflated))
    }

    /// Reads off the stream, into the input buffer or what is to be inflated into it.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, ConnError>> {
        let buffer = match &mut self.compression {
            Some(layer) => &mut layer.received,
            None => &mut self.input,
        };
        if buffer.capacity() - buffer.len() < READ_BYTES_MIN / 2 {
            buffer.reserve(self.read_bytes);
        }
        let room = buffer.capacity() - buffer.len();
        match pin!(self.stream.read_buf(buffer)).poll(cx) {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(ConnError::Closed)),
            Poll::Ready(Ok(read)) => {
                self.session.count_in(read);
                if read == room {
                    self.read_bytes = (self.read_bytes * 2).min(READ_BYTES_MAX);
                }
                Poll::Ready(Ok(read))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(lost(error))),
            Poll::Pending => {
                self.release();
                Poll::Pending
            }
        }
    }

    /// While a peer is silent it costs no buffers.
    fn release(&mut self) {
        if self.input.is_empty() {
            self.input = BytesMut::new();
            self.read_bytes = READ_BYTES_MIN;
        }
        if self.output.is_empty() {
            self.output = BytesMut::new();
        }
        if let Some(layer) = &mut self.compression {
            layer.release();
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnError>> {
        let out = match &mut self.compression {
            Some(layer) => {
                self.unflushed |= !self.output.is_empty();
                layer.deflate(&mut self.output)?;
                &mut layer.packed
            }
            None => &mut self.output,
        };
        while !out.is_empty() {
            self.unflushed = true;
            let written = match ready!(Pin::new(&mut self.stream).poll_write(cx, out)) {
                Ok(0) => return Poll::Ready(Err(ConnError::Closed)),
                Ok(written) => written,
                Err(error) => return Poll::Ready(Err(lost(error))),
            };
            self.session.count_out(written);
            out.advance(written);
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx)).map_err(lost)?;
        self.unflushed = false;
        // An emptied buffer starts at its beginning again.
        self.output.clear();
        if let Some(layer) = &mut self.compression {
            layer.packed.clear();
        }
        Poll::Ready(Ok(()))
    }
}

/// Peers that hang up without a word are no faults of ours.
fn lost(error: io::Error) -> ConnError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => ConnError::Closed,
        _ => ConnError::Io(error),
    }
}
