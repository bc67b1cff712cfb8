//! Rewrites a message for a host that takes only ASCII (RFC 6152 §3 leaves this to whoever sends): the same parts, decoded the same.
//!
//! It takes two passes over the text, neither of which holds it: a [`Survey`] finds the bodies with 8-bit octets in them, what each would
//! cost in quoted-printable and base64, and whether it is UTF-8; [`SevenBit`] writes them. A body without 8-bit octets stays as it is.
//! Multiparts and messages are never encoded but taken apart (RFC 2045 §6.4); message/global, which may be (RFC 6532 §3.7), is one body.
//! A body that does not say what it is becomes text/plain, with the charset UTF-8 if it is that, else `unknown-8bit` (RFC 1428 §3).
//! Header fields get encoded words and parameters of RFC 2231; where their grammar has none (`fields` says more), and between the parts,
//! which nobody is shown (RFC 2046 §5.1.1), octets become `?`.
//!
//! What can't be written so passes as it is: what is signed or encrypted, which no one on the way may change (RFC 1847 §2.1), other
//! types of message/*, bodies in encodings that nobody knows, addresses. **Whoever reads what comes out looks for 8-bit octets in it**:
//! if there are any, the message can't be sent to such a host.
//!
//! Must not know: hosts, and how the text is framed on the wire.

mod fields;

use std::sync::Arc;

use fields::ascii_fields;

use super::decode::Encoding;
use super::encoders::{Base64, Quoted};
use super::header::headers;
use super::rewrite::{Head, Rules, Walk, relabel};
use super::transfer::Transfer;

/// Bodies of one message of which the first pass notes anything; those beyond are all written in quoted-printable.
const FINDINGS_MAX_COUNT: usize = 1000;

/// The first pass.
#[derive(Debug)]
pub struct Survey {
    walk: Walk<Tally>,
    /// What a walk writes; nobody reads it.
    scratch: Vec<u8>,
    eight_bit: bool,
}

/// What the first pass found.
#[derive(Clone, Debug)]
pub struct Plan {
    eight_bit: bool,
    findings: Arc<[Finding]>,
}

/// The second pass, in pieces of any size.
#[derive(Debug)]
pub struct SevenBit {
    walk: Walk<Writer>,
}

impl Default for Survey {
    fn default() -> Self {
        Self {
            walk: Walk::new(Tally::default()),
            scratch: Vec::new(),
            eight_bit: false,
        }
    }
}

impl Survey {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn feed(&mut self, piece: &[u8]) {
        self.eight_bit |= !piece.is_ascii();
        self.walk.feed(piece, &mut self.scratch);
        self.scratch.clear();
    }

    pub fn finish(mut self) -> Plan {
        let tally = self.walk.finish(&mut self.scratch);
        Plan {
            eight_bit: self.eight_bit,
            findings: tally.findings.into(),
        }
    }
}

impl Plan {
    /// The message is ASCII already.
    pub fn is_seven_bit(&self) -> bool {
        !self.eight_bit
    }
}

impl SevenBit {
    pub fn new(plan: &Plan) -> Self {
        Self {
            walk: Walk::new(Writer {
                findings: plan.findings.clone(),
                at: 0,
                body: Body::Plain,
                needs_line_end: false,
            }),
        }
    }

    /// Takes the next piece; what is certain is appended to `out`. The header comes in one.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.walk.feed(piece, out);
    }

    /// What is left when all has come.
    pub fn finish(self, out: &mut Vec<u8>) {
        self.walk.finish(out);
    }
}

/// What is known of one body before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Finding {
    eight_bit: bool,
    utf8: bool,
    /// Base64 is shorter than quoted-printable.
    base64: bool,
}

impl Finding {
    /// Of a body that was not looked at: quoted-printable says everything.
    const UNKNOWN: Self = Self {
        eight_bit: true,
        utf8: false,
        base64: false,
    };
}

/// Both passes take the same parts for bodies.
fn opens(head: &Head<'_>) -> bool {
    let opaque =
        head.content.type_ == "multipart" && matches!(head.content.subtype.as_str(), "signed" | "encrypted");
    let encoded = Encoding::from_name(&head.encoding) != Encoding::Identity;
    !opaque && !encoded && !head.content.is("message", "global")
}

#[derive(Debug, Default)]
struct Tally {
    findings: Vec<Finding>,
    bytes: u64,
    escapes: u64,
    eight_bit: bool,
    utf8: Utf8,
}

impl Rules for Tally {
    fn opens(&self, head: &Head<'_>) -> bool {
        opens(head)
    }

    fn begin(&mut self, _head: &Head<'_>, _opened: bool, _out: &mut Vec<u8>) {
        (self.bytes, self.escapes, self.eight_bit) = (0, 0, false);
        self.utf8 = Utf8::default();
    }

    fn body(&mut self, bytes: &[u8], _out: &mut Vec<u8>) {
        self.bytes += bytes.len() as u64;
        self.escapes += Quoted::escapes(bytes) as u64;
        self.eight_bit |= !bytes.is_ascii();
        self.utf8.feed(bytes);
    }

    fn end_body(&mut self, _out: &mut Vec<u8>) {
        if self.findings.len() >= FINDINGS_MAX_COUNT {
            return;
        }
        let quoted = self.bytes + 2 * self.escapes;
        // With a soft line end (three characters) after 75; of base64 whole lines count, so that short texts stay readable.
        let (quoted, base64) = (quoted + quoted / 25, self.bytes.div_ceil(57) * 78);
        self.findings.push(Finding {
            eight_bit: self.eight_bit,
            utf8: self.utf8.holds(),
            base64: base64 < quoted,
        });
    }

    fn between(&mut self, _bytes: &[u8], _out: &mut Vec<u8>) {}
}

/// Whether what comes in pieces is UTF-8.
#[derive(Debug, Default)]
struct Utf8 {
    /// The beginning of a character, at most three octets.
    rest: Vec<u8>,
    broken: bool,
}

impl Utf8 {
    fn feed(&mut self, bytes: &[u8]) {
        if self.broken || (self.rest.is_empty() && bytes.is_ascii()) {
            return;
        }
        self.rest.extend_from_slice(bytes);
        match std::str::from_utf8(&self.rest) {
            Ok(_) => self.rest = Vec::new(),
            Err(error) if error.error_len().is_none() => {
                self.rest = self.rest.get(error.valid_up_to()..).unwrap_or_default().to_vec();
            }
            Err(_) => (self.broken, self.rest) = (true, Vec::new()),
        }
    }

    fn holds(&self) -> bool {
        !self.broken && self.rest.is_empty()
    }
}

#[derive(Debug)]
struct Writer {
    findings: Arc<[Finding]>,
    /// Bodies so far.
    at: usize,
    body: Body,
    /// The last body is in base64, whose lines have none at the end.
    needs_line_end: bool,
}

#[derive(Debug)]
enum Body {
    Plain,
    Quoted(Quoted),
    Base64(Base64),
    /// It was encoded, with octets in it that have no place there: decoded and encoded anew.
    Anew(Transfer, Base64),
}

impl Rules for Writer {
    fn opens(&self, head: &Head<'_>) -> bool {
        opens(head)
    }

    fn begin(&mut self, head: &Head<'_>, opened: bool, out: &mut Vec<u8>) {
        self.body = Body::Plain;
        let mut header = ascii_fields(head.header);
        if !opened {
            let finding = self.findings.get(self.at).copied().unwrap_or(Finding::UNKNOWN);
            self.at += 1;
            if finding.eight_bit && may_be_encoded(head) {
                self.encode(head, finding, &mut header);
            }
        }
        // RFC 2045 §6.2: what is left of it is 7bit.
        let raised = [&b"8bit"[..], b"binary", b"8-bit"];
        let raised = raised.iter().any(|name| head.encoding.eq_ignore_ascii_case(name));
        if raised && matches!(self.body, Body::Plain) {
            let mut relabelled = Vec::new();
            if relabel(&header, "7bit", &mut relabelled) {
                header = relabelled;
            }
        }
        out.extend_from_slice(&header);
    }

    fn body(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.body {
            Body::Plain => out.extend_from_slice(bytes),
            Body::Quoted(quoted) => quoted.push(bytes, out),
            Body::Base64(lines) => lines.push(bytes, out),
            Body::Anew(transfer, lines) => {
                let mut decoded = Vec::new();
                transfer.push(bytes, &mut decoded);
                lines.push(&decoded, out);
            }
        }
    }

    fn end_body(&mut self, out: &mut Vec<u8>) {
        let body = std::mem::replace(&mut self.body, Body::Plain);
        self.needs_line_end = matches!(body, Body::Base64(_) | Body::Anew(..));
        match body {
            Body::Plain => {}
            Body::Quoted(mut quoted) => quoted.finish(out),
            Body::Base64(mut lines) => lines.finish(out),
            Body::Anew(transfer, mut lines) => {
                let mut decoded = Vec::new();
                transfer.finish(&mut decoded);
                lines.push(&decoded, out);
                lines.finish(out);
            }
        }
    }

    fn between(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        // A boundary line right after another has no line end before it.
        if std::mem::take(&mut self.needs_line_end) && !bytes.starts_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
        }
        out.extend(
            bytes
                .iter()
                .map(|byte| if byte.is_ascii() { *byte } else { b'?' }),
        );
    }

    /// Message data ends with a line end; that of base64 stands for nothing.
    fn end_message(&mut self, out: &mut Vec<u8>) {
        if self.needs_line_end && !out.ends_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
        }
    }
}

impl Writer {
    /// Decides how a body is written, and makes its header say so.
    fn encode(&mut self, head: &Head<'_>, finding: Finding, header: &mut Vec<u8>) {
        self.body = match (Encoding::from_name(&head.encoding), Transfer::new(&head.encoding)) {
            (Encoding::Identity, _) if finding.base64 => Body::Base64(Base64::default()),
            (Encoding::Identity, _) => Body::Quoted(Quoted::default()),
            (_, Some(transfer)) => Body::Anew(transfer, Base64::default()),
            // RFC 2045 §6.4: what it says can't be guessed.
            (_, None) => return,
        };
        let encoding = match self.body {
            Body::Quoted(_) => "quoted-printable",
            _ => "base64",
        };
        let mut more = String::new();
        let named = |name: &str| headers(head.header).any(|field| field.is(name));
        if head.of_message && !named("MIME-Version") {
            more.push_str("MIME-Version: 1.0\r\n");
        }
        if !named("Content-Type") {
            let charset = if finding.utf8 { "utf-8" } else { "unknown-8bit" };
            more.extend(["Content-Type: text/plain; charset=", charset, "\r\n"]);
        }
        let mut relabelled = Vec::new();
        if relabel(header, encoding, &mut relabelled) {
            *header = relabelled;
        } else {
            more.extend(["Content-Transfer-Encoding: ", encoding, "\r\n"]);
        }
        let end = headers(header).last().map_or(0, |field| field.range.end);
        // A header may end with the text, in the middle of a line.
        let end = if header.get(..end).is_some_and(|fields| fields.ends_with(b"\n")) {
            end
        } else {
            0
        };
        header.splice(end..end, more.into_bytes());
    }
}

/// RFC 2045 §6.4, RFC 2046 §5.2: multiparts and messages may not, but those of international mail (RFC 6532 §3.7, RFC 6533 §5).
fn may_be_encoded(head: &Head<'_>) -> bool {
    match head.content.type_.as_str() {
        "multipart" => false,
        "message" => head.content.subtype.starts_with("global"),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
