//! A message on its way in: what this server puts on top, the limit while it comes, and the queue's door.
//!
//! The reverse-path is that of Return-Path if there is a good one, else the null one; either way nobody is told if the message can't be
//! delivered here (NOTIFY=NEVER): whoever wrote it has sent it elsewhere.

use std::fmt::Write;

use events::MessageId;
use queue::{Envelope, Intake, Notify, Origin, Queue, Recipient};
use shared::Address;
use wire::message::date::Date;
use wire::message::{Mender, headers};

use crate::now;
use crate::problem::Problem;

/// Bytes of a header that are looked at.
const HEADER_MAX_BYTES: usize = 256 * 1024;
/// Received fields of a message that goes in circles.
const HOPS_MAX_COUNT: usize = 60;

/// Where messages of one visit come from and go to.
pub(crate) struct Way {
    pub(crate) queue: Queue,
    pub(crate) user: Address,
    pub(crate) folder: Option<String>,
    /// This server's name.
    pub(crate) hostname: String,
    /// The other server's name and address.
    pub(crate) host: String,
    pub(crate) address: std::net::IpAddr,
    /// POP3, POP3S, IMAP or IMAPS.
    pub(crate) protocol: &'static str,
    /// Names the visit in Received.
    pub(crate) visit: String,
    pub(crate) message_max_bytes: u64,
}

/// Why a message is not taken, now and later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    TooLarge,
    Loop,
    /// The connection is lost whenever it is asked for.
    BrokenOff,
}

impl Skip {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Loop => "loop",
            Self::BrokenOff => "broken-off",
        }
    }
}

#[derive(Debug)]
pub(crate) enum Arrived {
    /// It is durable.
    Taken {
        id: MessageId,
        sender: String,
        bytes: u64,
    },
    Skipped {
        skip: Skip,
        bytes: u64,
    },
}

pub(crate) struct Incoming<'a> {
    way: &'a Way,
    number: u64,
    received: i64,
    intake: Intake,
    mender: Mender,
    buffer: Vec<u8>,
    /// Whether the header's end was seen; until then the buffer holds all of it.
    head_done: bool,
    head: HeadEnd,
    sender: Option<Address>,
    eight_bit: bool,
    at_line_start: bool,
    bytes: u64,
    skip: Option<Skip>,
}

impl<'a> Incoming<'a> {
    /// `number`: of the message within the visit.
    pub(crate) fn begin(way: &'a Way, number: u64) -> Self {
        Self {
            way,
            number,
            received: now(),
            intake: way.queue.intake(),
            mender: Mender::new(),
            buffer: Vec::new(),
            head_done: false,
            head: HeadEnd::default(),
            sender: None,
            eight_bit: false,
            at_line_start: true,
            bytes: 0,
            skip: None,
        }
    }

    /// Whether more has come than a message may have: the rest need not be read.
    pub(crate) fn is_over(&self) -> bool {
        self.bytes > self.way.message_max_bytes
    }

    pub(crate) async fn feed(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.bytes += bytes.len() as u64;
        if self.is_over() {
            self.skip.get_or_insert(Skip::TooLarge);
        }
        if self.skip.is_some() {
            self.buffer.clear();
            return Ok(());
        }
        self.eight_bit |= !bytes.is_ascii();
        self.mender.feed(bytes, &mut self.buffer);
        if self.head_done {
            return self.write().await;
        }
        if self.head.is_within(&self.buffer) || self.buffer.len() > HEADER_MAX_BYTES {
            self.take_head().await?;
        }
        Ok(())
    }

    /// The message is complete: it becomes durable.
    pub(crate) async fn finish(mut self) -> Result<Arrived, Problem> {
        if !self.head_done && self.skip.is_none() {
            self.take_head().await?;
        }
        if let Some(skip) = self.skip {
            return Ok(Arrived::Skipped {
                skip,
                bytes: self.bytes,
            });
        }
        if !self.at_line_start {
            self.intake.write(b"\r\n").await?;
        }
        let text = self.intake.finish().await?;
        let sender = self.sender.as_ref().map(ToString::to_string).unwrap_or_default();
        let smtputf8 =
            !self.way.user.is_ascii() || self.sender.as_ref().is_some_and(|sender| !sender.is_ascii());
        let envelope = Envelope {
            sender: self.sender,
            recipients: vec![Recipient {
                address: self.way.user.clone(),
                notify: Some(Notify::default()),
                original: None,
            }],
            origin: Origin::Fetched,
            user: None,
            smtputf8,
            eight_bit: self.eight_bit,
            require_tls: false,
            folder: self.way.folder.clone(),
            return_full: None,
            envelope_id: None,
            session: 0,
            received: self.received,
        };
        let committed = self.way.queue.commit(envelope, text).await?;
        Ok(Arrived::Taken {
            id: MessageId(committed.id().0),
            sender,
            bytes: self.bytes,
        })
    }

    async fn take_head(&mut self) -> Result<(), Problem> {
        self.head_done = true;
        let user = self.way.user.to_string();
        let by = format!("by {} with ", self.way.hostname);
        let (mut received, mut delivered, mut ours) = (0, false, false);
        for field in headers(&self.buffer) {
            if field.is("Received") {
                received += 1;
                ours = ours || holds(field.value, by.as_bytes());
            }
            delivered |=
                field.is("Delivered-To") && field.value.trim_ascii().eq_ignore_ascii_case(user.as_bytes());
            if field.is("Return-Path") && self.sender.is_none() {
                self.sender = return_path(field.value);
            }
        }
        // Forwarded by this very user of this server before: it would go round for ever.
        if (delivered && ours) || received > HOPS_MAX_COUNT {
            self.skip = Some(Skip::Loop);
            self.buffer.clear();
            return Ok(());
        }
        let top = self.trace();
        self.intake.write(top.as_bytes()).await?;
        self.write().await
    }

    async fn write(&mut self) -> Result<(), Problem> {
        if let Some(last) = self.buffer.last() {
            self.at_line_start = *last == b'\n';
        }
        self.intake.write(&self.buffer).await?;
        self.buffer.clear();
        Ok(())
    }

    /// Return-Path in the first line, Received in the next ones (RFC 5321 §4.4).
    fn trace(&self) -> String {
        let way = self.way;
        let sender = self.sender.as_ref().map(ToString::to_string).unwrap_or_default();
        let literal = match way.address.to_canonical() {
            std::net::IpAddr::V4(address) => format!("[{address}]"),
            std::net::IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        let mut out = String::with_capacity(320);
        // Writing to a text in memory can't fail.
        let _ = write!(
            out,
            "Return-Path: <{sender}>\r\nReceived: from {} ({literal})\r\n\tby {} with {} id {}.{}\r\n\tfor <{}>;\r\n\t{}\r\n",
            way.host,
            way.hostname,
            way.protocol,
            way.visit,
            self.number,
            way.user,
            Date::utc(self.received).rfc5322(),
        );
        out
    }
}

/// Looks for the blank line that ends a header which comes in pieces: at each byte once, however small the pieces are.
#[derive(Default)]
struct HeadEnd {
    /// Where the line begins that is not complete yet.
    line: usize,
    /// Where there may be a line end that was not seen.
    from: usize,
}

impl HeadEnd {
    /// `text`: all that has come, each line of it ended by CRLF.
    fn is_within(&mut self, text: &[u8]) -> bool {
        while let Some(at) = memchr::memchr(b'\n', text.get(self.from..).unwrap_or_default()) {
            let end = self.from + at + 1;
            if text.get(self.line..end) == Some(b"\r\n") {
                return true;
            }
            (self.line, self.from) = (end, end);
        }
        self.from = text.len();
        false
    }
}

fn holds(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len())
        .any(|window| window.eq_ignore_ascii_case(what))
}

/// `<address>`; the null path and what is no address are none.
fn return_path(value: &[u8]) -> Option<Address> {
    let value = std::str::from_utf8(value.trim_ascii()).ok()?;
    let inner = value.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'))?;
    // Two of them would be one of an odd name.
    if inner.contains(['<', '>']) {
        return None;
    }
    Address::parse(inner).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // A header in pieces of a byte would be read anew with each of them: one message, and a processor is busy for minutes.
    #[test]
    fn each_byte_of_a_header_is_looked_at_once() {
        let long = [b"Subject: ".to_vec(), vec![b'x'; 20_000], b"\r\n\r\n".to_vec()].concat();
        let short = [b"A: b\r\n".repeat(4000), b"\r\n".to_vec()].concat();
        for text in [&long, &short, &b"\r\n".to_vec()] {
            let (mut head, mut looked_at) = (HeadEnd::default(), 0);
            for len in 1..text.len() {
                looked_at += len - head.from;
                assert!(!head.is_within(&text[..len]), "{len}");
            }
            assert!(head.is_within(text));
            assert!(looked_at <= text.len(), "{looked_at}");
        }
        assert!(!HeadEnd::default().is_within(b"A: b\r\n c\r\n"));
        assert!(HeadEnd::default().is_within(b"A: b\r\n\r\nbody"));
    }

    #[test]
    fn only_a_good_return_path_is_taken_over() {
        for (value, expected) in [
            (b" <a@b.test>" as &[u8], Some("a@b.test")),
            (b" <>", None),
            (b" a@b.test", None),
            (b" <a@b.test> <c@d.test>", None),
            (b" <a b>", None),
            (b" \xff", None),
        ] {
            let found = return_path(value).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{}", value.escape_ascii());
        }
    }
}
