//! The text of a message on its way in: trace fields go on top, the header is looked at, the limits are kept while it comes.
//!
//! Must not know: how it was framed on the wire.

use std::sync::Arc;
use std::time::Duration;

use authenticity::Results;
use disk::blob::Blob;
use net::ConnError;
use queue::{Intake, QueueError};
use tokio::time::Instant;
use wire::message::{Reencoder, headers};
use wire::smtp::{Checker, Fault};

use crate::check::Check;
use crate::from::{Objection, Writer};
use crate::limits::{DATA_RATE_MIN_BYTES_PER_SECOND, HEADER_MAX_BYTES, RECEIVED_MAX_COUNT};
use crate::session::{Session, Transaction};
use crate::{replies, trace};

/// Why a text is not taken. It is read to its end all the same.
#[derive(Clone, Debug)]
enum Refusal {
    TooLarge,
    Loop,
    From(Objection),
    Header,
    Fault(Fault),
    Queue,
}

pub(crate) struct Text {
    intake: Intake,
    /// What came last; the header as long as its end was not seen.
    buffer: Vec<u8>,
    /// What goes on top, until the header's end was seen.
    head: Option<Head>,
    /// Bytes that came, without what is put on top.
    bytes: u64,
    max_bytes: u64,
    refusal: Option<Refusal>,
    /// What is being found out about the sender: its field goes on top once the text is complete.
    check: Option<Box<Check>>,
    /// Looks at chunks, which come without dots.
    chunks: Checker,
    /// Writes a binary text anew.
    reencoder: Option<Box<Reencoder>>,
}

/// A text that is taken.
pub(crate) struct Finished {
    pub(crate) blob: Blob,
    /// Bytes that came.
    pub(crate) bytes: u64,
    /// What was found out about its sender.
    pub(crate) results: Option<Arc<Results>>,
}

struct Head {
    trace: Vec<u8>,
    /// Date and Message-ID of a message that has none (RFC 6409 §8), for a user's message.
    missing: Option<(String, String)>,
    /// Whose From it must be.
    writer: Option<Writer>,
    /// Where the search for the header's end goes on.
    searched: usize,
}

impl Text {
    pub(crate) fn begin(session: &Session, transaction: &mut Transaction) -> Self {
        let check = transaction.check.take();
        let Transaction { envelope, binary, .. } = transaction;
        let missing = session
            .account
            .is_some()
            .then(|| trace::missing(session, envelope));
        let account = session.account.as_ref().filter(|_| session.limits.check_from);
        let writer = account.map(|account| Writer::new(&session.server.directory, account));
        Self {
            intake: session.server.queue.intake(),
            buffer: Vec::with_capacity(4096),
            head: Some(Head {
                trace: trace::fields(session, envelope),
                missing,
                writer,
                searched: 0,
            }),
            bytes: 0,
            max_bytes: session.limits.message_max_bytes,
            refusal: None,
            check,
            chunks: Checker::new(),
            reencoder: binary.then(Box::default),
        }
    }

    /// Content is appended here; then `absorb` is called.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        self.refusal.get_or_insert(Refusal::Fault(fault));
    }

    /// Appends a part of a chunk, as it is. What may not stand in a line may not stand here either (RFC 5321 §2.3.8), but in the binary parts
    /// of BINARYMIME, which are encoded.
    pub(crate) fn take_raw(&mut self, bytes: &[u8]) {
        let from = self.buffer.len();
        match &mut self.reencoder {
            Some(reencoder) => reencoder.feed(bytes, &mut self.buffer),
            None => self.buffer.extend_from_slice(bytes),
        }
        self.look_at_chunk(from);
    }

    fn look_at_chunk(&mut self, from: usize) {
        if let Some(fault) = self.chunks.feed(self.buffer.get(from..).unwrap_or_default()) {
            self.fault(fault);
        }
    }

    /// Takes in what is in the buffer.
    pub(crate) async fn absorb(&mut self) {
        let new = match &self.head {
            Some(_) => self.buffer.len() as u64,
            None => self.bytes + self.buffer.len() as u64,
        };
        if new > self.max_bytes {
            self.refusal.get_or_insert(Refusal::TooLarge);
        }
        if self.refusal.is_some() {
            self.buffer.clear();
            return;
        }
        if let Some(head) = &mut self.head {
            if !head.is_complete(&self.buffer) {
                return;
            }
            self.take_head().await;
        } else {
            self.bytes = new;
            if let Some(check) = &mut self.check {
                check.feed(&self.buffer);
            }
            self.write_buffer().await;
        }
    }

    /// The whole text, or the reply that says why not.
    pub(crate) async fn finish(mut self) -> Result<Finished, &'static str> {
        if let Some(reencoder) = self.reencoder.take() {
            let from = self.buffer.len();
            reencoder.finish(&mut self.buffer);
            self.look_at_chunk(from);
            self.absorb().await;
        }
        if let Some(fault) = std::mem::take(&mut self.chunks).finish() {
            self.fault(fault);
        }
        if self.head.is_some() && self.refusal.is_none() {
            self.take_head().await;
        }
        if let Some(reply) = self.refusal() {
            return Err(reply);
        }
        let (blob, results) = match self.check.take() {
            None => (self.intake.finish().await, None),
            Some(check) => {
                let (top, results) = check.finish().await;
                (self.intake.finish_under(&top).await, Some(Arc::new(results)))
            }
        };
        Ok(Finished {
            blob: blob.map_err(|_| replies::QUEUE_UNAVAILABLE)?,
            bytes: self.bytes,
            results,
        })
    }

    /// The reply for a text that is not taken, as far as it is known.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        self.refusal.as_ref().map(|refusal| match refusal {
            Refusal::TooLarge => replies::TOO_LARGE,
            Refusal::Loop => replies::LOOP,
            Refusal::From(Objection::NotAllowed) => replies::NOT_YOUR_FROM,
            Refusal::From(Objection::DirectoryUnavailable) => replies::DIRECTORY_UNAVAILABLE,
            Refusal::Header => replies::LARGE_HEADER,
            Refusal::Fault(Fault::Nul) => replies::NUL,
            Refusal::Fault(Fault::BareCr | Fault::BareLf) => replies::BAD_LINE_ENDS,
            Refusal::Queue => replies::QUEUE_UNAVAILABLE,
        })
    }

    /// Whether line ends were not what they seem to others.
    pub(crate) fn is_smuggling(&self) -> bool {
        matches!(self.refusal, Some(Refusal::Fault(Fault::BareCr | Fault::BareLf)))
    }

    /// The header is known: what goes on top is written, and then what came.
    async fn take_head(&mut self) {
        let Some(head) = self.head.take() else { return };
        let mut received = 0;
        let (mut date, mut message_id) = (false, false);
        for field in headers(&self.buffer) {
            received += usize::from(field.is("Received"));
            date |= field.is("Date");
            message_id |= field.is("Message-ID");
        }
        if received > RECEIVED_MAX_COUNT {
            self.refusal = Some(Refusal::Loop);
            self.buffer.clear();
            return;
        }
        // What stands below is not looked at, so it might say anything.
        if head.writer.is_some() && !self.has_whole_header() {
            self.refusal = Some(Refusal::Header);
            self.buffer.clear();
            return;
        }
        if let Some(writer) = &head.writer
            && let Err(objection) = writer.check(&self.buffer).await
        {
            self.refusal = Some(Refusal::From(objection));
            self.buffer.clear();
            return;
        }
        let mut top = head.trace;
        if let Some((missing_date, missing_id)) = head.missing {
            if !date {
                top.extend_from_slice(missing_date.as_bytes());
            }
            if !message_id {
                top.extend_from_slice(missing_id.as_bytes());
            }
        }
        self.bytes = self.buffer.len() as u64;
        if let Some(check) = &mut self.check {
            check.read(&self.buffer, top);
        } else {
            let written = self.intake.write(&top).await;
            self.note(written);
        }
        self.write_buffer().await;
    }

    /// Whether the header in the buffer is all of it: it is not longer than what is looked at, or the text ends with it.
    fn has_whole_header(&self) -> bool {
        self.buffer.len() <= HEADER_MAX_BYTES
            || self.buffer.starts_with(b"\r\n")
            || memchr::memmem::find(&self.buffer, b"\r\n\r\n").is_some()
    }

    async fn write_buffer(&mut self) {
        if self.refusal.is_none() {
            let written = self.intake.write(&self.buffer).await;
            self.note(written);
        }
        self.buffer.clear();
    }

    fn note(&mut self, written: Result<(), QueueError>) {
        if written.is_err() {
            self.refusal = Some(Refusal::Queue);
        }
    }
}

impl Head {
    /// Whether the buffer holds the whole header, or all of it that is looked at.
    fn is_complete(&mut self, buffer: &[u8]) -> bool {
        if buffer.starts_with(b"\r\n") || buffer.len() > HEADER_MAX_BYTES {
            return true;
        }
        let from = self.searched;
        self.searched = buffer.len().saturating_sub(3);
        memchr::memmem::find(buffer.get(from..).unwrap_or_default(), b"\r\n\r\n").is_some()
    }
}

/// How fast a text must come: each read within the timeout, and all of them at a rate that holds up nobody for ever.
pub(crate) struct Pace {
    began: Instant,
    bytes: u64,
    timeout: Duration,
}

impl Pace {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            began: Instant::now(),
            bytes: 0,
            timeout,
        }
    }

    pub(crate) fn came(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How long the next bytes may take.
    pub(crate) fn limit(&self) -> Result<Duration, ConnError> {
        let all = self.timeout * 2 + Duration::from_secs(self.bytes / DATA_RATE_MIN_BYTES_PER_SECOND);
        let left = all.saturating_sub(self.began.elapsed());
        if left.is_zero() {
            return Err(ConnError::Timeout);
        }
        Ok(left.min(self.timeout))
    }
}
