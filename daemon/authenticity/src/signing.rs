//! Signing mail that leaves: the header at once, the body as it streams by (RFC 6376 §5).

use std::sync::Arc;

use shared::DomainName;
use wire::message::header_end;

use crate::canonical::{BodyHash, Form, field};
use crate::fields::Fields;
use crate::reading::author;
use crate::secret::SigningKey;

/// What is signed of a header, each as often as it is there.
const SIGNED: &[&str] = &[
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
];
/// What is signed once more than it is there, so that nobody can add one (RFC 6376 §8.15).
const OVERSIGNED: &[&str] = &["from", "to", "subject", "date"];
/// Fields of one name that are signed.
const SAME_NAME_MAX_COUNT: usize = 20;
/// Characters of a line of a field that is made here.
const LINE_CHARS: usize = 72;

/// The one domain in From of a message; `None` if there is none, or more than one.
pub fn author_domain(header: &[u8]) -> Option<DomainName> {
    author(&Fields::new(header))
}

/// A message that is being signed.
pub struct Signing {
    keys: Arc<[SigningKey]>,
    /// The names that are signed, with colons.
    names: String,
    /// What is signed of the header, in canonical form.
    header: Vec<u8>,
    body: BodyHash,
}

impl Signing {
    /// `text`: the header and perhaps some of the body.
    pub fn new(text: &[u8], keys: Arc<[SigningKey]>) -> Self {
        let (header, body) = text.split_at(header_end(text));
        let fields = Fields::new(header);
        let names = signed_names(&fields);
        let mut signing = Self {
            keys,
            header: fields.signed(names.iter().copied(), Form::Relaxed),
            names: names.join(":"),
            body: BodyHash::new(Form::Relaxed, None),
        };
        signing.feed(body);
        signing
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.body.feed(bytes);
    }

    /// The fields to be put on top, one for each key that signs. `now`: Unix seconds.
    pub fn finish(self, now: u64) -> Vec<u8> {
        let Some(body) = self.body.finish() else {
            return Vec::new();
        };
        let body = wire::base64::encode(body.as_ref());
        let mut out = Vec::new();
        for key in self.keys.iter() {
            let tags = format!(
                "DKIM-Signature: v=1; a={}; c=relaxed/relaxed;\r\n\td={}; s={}; t={now};\r\n\th={};\r\n\tbh={body};\r\n\tb=",
                key.pair.algorithm().name(),
                key.domain,
                key.selector,
                folded_names(&self.names),
            );
            if let Some(field) = sign(key, &self.header, tags) {
                out.extend_from_slice(field.as_bytes());
            }
        }
        out
    }
}

/// The names to be signed, in order.
pub(crate) fn signed_names(fields: &Fields<'_>) -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in SIGNED {
        let there = fields.named(name).take(SAME_NAME_MAX_COUNT).count();
        let more = usize::from(OVERSIGNED.contains(name));
        names.extend(std::iter::repeat_n(*name, there + more));
    }
    names
}

/// Completes a field that ends in `b=`; `covered` is what the signature covers besides.
pub(crate) fn sign(key: &SigningKey, covered: &[u8], mut tags: String) -> Option<String> {
    let mut message = covered.to_vec();
    field(Form::Relaxed, tags.as_bytes(), &mut message);
    // RFC 6376 §3.7: without the last line end.
    message.truncate(message.len().saturating_sub(2));
    let signature = wire::base64::encode(&key.pair.sign(&message)?);
    let mut rest = signature.as_str();
    while let Some((line, after)) = rest.split_at_checked(LINE_CHARS) {
        tags.push_str(line);
        tags.push_str("\r\n\t");
        rest = after;
    }
    tags.push_str(rest);
    // Base64 never ends at a line's end with nothing after it but white space, which would be an empty continuation line.
    let end = tags.trim_end().len();
    tags.truncate(end);
    tags.push_str("\r\n");
    Some(tags)
}

/// A list with colons on lines of a readable length.
pub(crate) fn folded_names(names: &str) -> String {
    let mut out = String::with_capacity(names.len() + 16);
    let mut line = 0;
    for (at, name) in names.split(':').enumerate() {
        if at > 0 {
            out.push(':');
            line += 1;
        }
        if line + name.len() > LINE_CHARS {
            out.push_str("\r\n\t");
            line = 0;
        }
        out.push_str(name);
        line += name.len();
    }
    out
}
