//! The chain of servers that a message says it came through (RFC 8617 §5.2).

use std::collections::BTreeMap;

use ring::digest::Digest;
use shared::DomainName;
use wire::message::Field;

use crate::canonical::{self, Form};
use crate::dkim::Signature;
use crate::fields::{Fields, without_signature};
use crate::key::{Algorithm, Key, KeyError};
use crate::questions::Questions;
use crate::results::{Arc, Outcome};
use crate::tags::Tags;

/// RFC 8617 §5.1.1.1: more sets than this are no chain.
pub(crate) const SETS_MAX_COUNT: u64 = 50;

pub(crate) const RESULTS: &str = "arc-authentication-results";
pub(crate) const MESSAGE: &str = "arc-message-signature";
pub(crate) const SEAL: &str = "arc-seal";

/// What one server put on top: its results, its signature of the message, its seal over both and all before.
#[derive(Clone, Debug, Default)]
struct Set {
    results: Option<Vec<u8>>,
    message: Option<Vec<u8>>,
    seal: Option<(Vec<u8>, Seal)>,
}

#[derive(Clone, Debug)]
struct Seal {
    algorithm: Algorithm,
    domain: DomainName,
    selector: String,
    signature: Vec<u8>,
    verdict: String,
}

/// The chain as far as it can be judged without DNS.
pub(crate) enum Chain {
    None,
    /// It is broken, or a server before has found it so; with the number of its last set.
    Broken(u64),
    Whole {
        sets: Vec<WholeSet>,
        /// The newest signature of the message.
        message: Box<Signature>,
    },
}

/// A set with nothing missing.
pub(crate) struct WholeSet {
    results: Vec<u8>,
    message: Vec<u8>,
    seal_raw: Vec<u8>,
    seal: Seal,
}

impl Chain {
    pub(crate) fn read(fields: &Fields<'_>) -> Self {
        let mut sets: BTreeMap<u64, Set> = BTreeMap::new();
        let mut sound = true;
        for name in [RESULTS, MESSAGE, SEAL] {
            for field in fields.named(name) {
                sound &= gather(&mut sets, name, field, fields.raw(field)).is_some();
            }
        }
        let Some(last) = sets.keys().next_back().copied() else {
            return if sound { Self::None } else { Self::Broken(1) };
        };
        if !sound || last > SETS_MAX_COUNT || sets.len() as u64 != last {
            return Self::Broken(last.min(SETS_MAX_COUNT));
        }
        match whole(sets, fields) {
            Some((sets, message)) => Self::Whole {
                sets,
                message: Box::new(message),
            },
            None => Self::Broken(last),
        }
    }

    /// The signature whose hash of the body has to fit.
    pub(crate) fn message(&self) -> Option<&Signature> {
        match self {
            Self::Whole { message, .. } => Some(message),
            Self::None | Self::Broken(_) => None,
        }
    }

    pub(crate) async fn check(
        &self,
        fields: &Fields<'_>,
        body: Option<&Digest>,
        questions: &Questions,
        now: u64,
    ) -> Arc {
        let (sets, message) = match self {
            Self::None => return Arc::new(Outcome::None, 0, None),
            Self::Broken(last) => return Arc::new(Outcome::Fail, *last, None),
            Self::Whole { sets, message } => (sets, message),
        };
        let last = sets.len() as u64;
        let signer = sets.last().map(|set| set.seal.domain.clone());
        let of = |result| Arc::new(result, last, signer.clone());
        match message.check(fields, body, questions, now).await.0 {
            Outcome::Pass => {}
            Outcome::TempError => return of(Outcome::TempError),
            _ => return of(Outcome::Fail),
        }
        for (at, set) in sets.iter().enumerate().rev() {
            let seal = &set.seal;
            let domain = seal.domain.as_str();
            let key = match Key::find(questions, &seal.selector, domain, seal.algorithm).await {
                Ok(key) => key,
                Err(KeyError::Temporary) => return of(Outcome::TempError),
                Err(_) => return of(Outcome::Fail),
            };
            if !key.confirms(&sealed(&sets[..=at]), &seal.signature) {
                return of(Outcome::Fail);
            }
        }
        of(Outcome::Pass)
    }

    /// The fields of all sets in canonical form, as the next seal covers them (RFC 8617 §5.1.2).
    pub(crate) fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Self::Whole { sets, .. } = self {
            for set in sets {
                for raw in [&set.results, &set.message, &set.seal_raw] {
                    canonical::field(Form::Relaxed, raw, &mut out);
                }
            }
        }
        out
    }
}

fn gather(sets: &mut BTreeMap<u64, Set>, name: &str, field: &Field<'_>, raw: &[u8]) -> Option<()> {
    if name == RESULTS {
        // `i=` comes first, what follows is no list of tags (RFC 8617 §4.1.1).
        let text = std::str::from_utf8(field.value).ok()?;
        let first = text.split(';').next()?.trim();
        let instance = first.strip_prefix('i')?.trim_start().strip_prefix('=')?;
        let set = sets.entry(instance.trim().parse().ok().filter(|i| *i > 0)?);
        return fill(&mut set.or_default().results, raw.to_vec());
    }
    let tags = Tags::parse(field.value)?;
    let set = sets.entry(tags.number("i").filter(|i| *i > 0)?).or_default();
    if name == MESSAGE {
        return fill(&mut set.message, raw.to_vec());
    }
    // RFC 8617 §4.1.3: a seal that covers anything else is none.
    if tags.get("h").is_some() || tags.get("bh").is_some() {
        return None;
    }
    let seal = Seal {
        algorithm: Algorithm::parse(tags.get("a")?)?,
        domain: DomainName::parse(tags.get("d")?).ok()?,
        selector: tags.get("s")?.to_owned(),
        signature: tags.base64("b")?,
        verdict: tags.get("cv")?.to_ascii_lowercase(),
    };
    fill(&mut set.seal, (raw.to_vec(), seal))
}

/// Once only.
fn fill<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

/// RFC 8617 §5.2, steps 2 and 3.
fn whole(sets: BTreeMap<u64, Set>, fields: &Fields<'_>) -> Option<(Vec<WholeSet>, Signature)> {
    let mut out = Vec::with_capacity(sets.len());
    for (instance, set) in sets {
        let (seal_raw, seal) = set.seal?;
        if seal.verdict != if instance == 1 { "none" } else { "pass" } {
            return None;
        }
        out.push(WholeSet {
            results: set.results?,
            message: set.message?,
            seal_raw,
            seal,
        });
    }
    let newest = &out.last()?.message;
    let newest = fields
        .named(MESSAGE)
        .find(|field| fields.raw(field) == newest.as_slice())?;
    let tags = Tags::parse(newest.value)?;
    let message = Signature::parse(fields.raw(newest), &tags, true).ok()?;
    Some((out, message))
}

/// What the seal of the last of these sets covers.
fn sealed(sets: &[WholeSet]) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, set) in sets.iter().enumerate() {
        canonical::field(Form::Relaxed, &set.results, &mut out);
        canonical::field(Form::Relaxed, &set.message, &mut out);
        if at + 1 == sets.len() {
            out.extend(without_signature(&set.seal_raw, Form::Relaxed));
        } else {
            canonical::field(Form::Relaxed, &set.seal_raw, &mut out);
        }
    }
    out
}
