//! One message as it comes in: header first, then the body piece by piece, then the questions.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use dns::Dns;
use ring::digest::Digest;
use shared::{Address, DomainName};
use tokio::time::Instant;
use wire::message::header_end;

use crate::arc::Chain;
use crate::canonical::{BodyHash, Form};
use crate::dkim::{Signature, told};
use crate::dmarc;
use crate::fields::Fields;
use crate::questions::Questions;
use crate::results::{Dkim, Outcome, Results, Spf};
use crate::spf;
use crate::tags::Tags;

/// Signatures of one message that are looked at, from the top; the others are told as `neutral`.
const SIGNATURES_MAX_COUNT: usize = 8;
/// Signatures of one message that are told at all.
const SIGNATURES_TOLD_MAX_COUNT: usize = 16;

/// Whether the peer may send for the reverse-path's domain, or the name in EHLO where that is empty.
pub async fn sender_policy(
    dns: &Dns,
    peer: IpAddr,
    helo: &str,
    sender: Option<&Address>,
    deadline: Instant,
) -> Spf {
    spf::check(peer, helo, sender, &Questions::new(dns, deadline)).await
}

/// A message on its way in.
pub struct Reading {
    /// Empty if nothing in it was signed.
    header: Vec<u8>,
    signatures: Vec<Checked>,
    chain: Chain,
    bodies: Vec<BodyHash>,
    from: Option<DomainName>,
    forged: usize,
}

/// A canonical body by its form and length, and its hash, if it is as long as that.
type Body = ((Form, Option<u64>), Option<Digest>);

/// A signature, or why it is none that can be checked.
struct Checked {
    tags: Option<Tags>,
    signature: Result<Signature, (Outcome, &'static str)>,
}

impl Reading {
    /// `text`: the header and perhaps some of the body. `server`: this server's name, which nobody else puts into Authentication-Results.
    pub fn new(text: &[u8], server: &str) -> Self {
        let (header, body) = text.split_at(header_end(text));
        let fields = Fields::new(header);
        let signatures: Vec<Checked> = fields
            .named("dkim-signature")
            .take(SIGNATURES_TOLD_MAX_COUNT)
            .enumerate()
            .map(|(at, field)| {
                let tags = Tags::parse(field.value);
                let signature = match &tags {
                    _ if at >= SIGNATURES_MAX_COUNT => Err((Outcome::Neutral, "not looked at")),
                    Some(tags) => Signature::parse(fields.raw(field), tags, false),
                    None => Err((Outcome::Neutral, "syntax error")),
                };
                Checked { tags, signature }
            })
            .collect();
        let chain = Chain::read(&fields);
        let mut bodies: Vec<BodyHash> = Vec::new();
        let signed = signatures
            .iter()
            .filter_map(|checked| checked.signature.as_ref().ok());
        for signature in signed.chain(chain.message()) {
            let (form, limit) = (signature.body_form, signature.limit);
            if !bodies.iter().any(|known| known.is(form, limit)) {
                bodies.push(BodyHash::new(form, limit));
            }
        }
        let mut reading = Self {
            from: author(&fields),
            forged: forged(&fields, server),
            header: if bodies.is_empty() {
                Vec::new()
            } else {
                header.to_vec()
            },
            signatures,
            chain,
            bodies,
        };
        reading.feed(body);
        reading
    }

    /// The next piece of the body. Costs nothing if nothing is signed.
    pub fn feed(&mut self, bytes: &[u8]) {
        for body in &mut self.bodies {
            body.feed(bytes);
        }
    }

    /// The text is complete: asks DNS until `deadline`.
    pub async fn finish(self, dns: &Dns, spf: Spf, deadline: Instant) -> Results {
        let questions = Questions::new(dns, deadline);
        let fields = Fields::new(&self.header);
        let bodies: Vec<Body> = self
            .bodies
            .into_iter()
            .map(|body| (body.what(), body.finish()))
            .collect();
        let now = now();
        let signatures = async {
            let mut told = Vec::with_capacity(self.signatures.len());
            for checked in &self.signatures {
                told.push(check(checked, &fields, &bodies, &questions, now).await);
            }
            told
        };
        let chain = async {
            let body = self
                .chain
                .message()
                .and_then(|signature| body_of(signature, &bodies));
            self.chain.check(&fields, body, &questions, now).await
        };
        let policy = dmarc::policy(self.from.as_ref(), &questions);
        let (dkim, arc, policy) = tokio::join!(signatures, chain, policy);
        let mut results = Results {
            spf,
            dkim,
            arc,
            forged: self.forged,
            ..Results::default()
        };
        results.dmarc = dmarc::judge(self.from, policy, &results, &questions).await;
        results
    }
}

async fn check(
    checked: &Checked,
    fields: &Fields<'_>,
    bodies: &[Body],
    questions: &Questions,
    now: u64,
) -> Dkim {
    let (result, reason) = match &checked.signature {
        Ok(signature) => {
            let body = body_of(signature, bodies);
            signature.check(fields, body, questions, now).await
        }
        Err((result, reason)) => (*result, *reason),
    };
    told(checked.tags.as_ref(), result, reason)
}

fn body_of<'a>(signature: &Signature, bodies: &'a [Body]) -> Option<&'a Digest> {
    let wanted = (signature.body_form, signature.limit);
    let (_, digest) = bodies.iter().find(|(what, _)| *what == wanted)?;
    digest.as_ref()
}

/// The one domain in From (RFC 7489 §6.6.1); `None` if there is none or more than one.
pub(crate) fn author(fields: &Fields<'_>) -> Option<DomainName> {
    let mut found: Option<DomainName> = None;
    for field in fields.named("from") {
        for mailbox in wire::message::addresses::mailboxes(field.value) {
            let domain = std::str::from_utf8(&mailbox.domain).ok()?;
            let domain = DomainName::parse(domain).ok()?;
            if found.as_ref().is_some_and(|known| *known != domain) {
                return None;
            }
            found = Some(domain);
        }
    }
    found
}

/// Fields that say to be this server's own results (RFC 8601 §5).
fn forged(fields: &Fields<'_>, server: &str) -> usize {
    let own = |value: &[u8]| {
        let value = String::from_utf8_lossy(value);
        let name = value.split(';').next().unwrap_or_default().trim();
        let name = name.split_ascii_whitespace().next().unwrap_or_default();
        name.trim_matches('"').eq_ignore_ascii_case(server)
    };
    fields
        .named("authentication-results")
        .filter(|field| own(field.value))
        .count()
}

/// Unix seconds.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |past| past.as_secs())
}
