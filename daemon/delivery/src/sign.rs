//! Signs mail that leaves (DKIM, RFC 6376) with the keys of its author's domain: once for each try, reading the text in pieces. Seals mail from
//! elsewhere that is forwarded (ARC, RFC 8617).
//!
//! Signed is what users of this server and the server itself wrote. What came from elsewhere and is only forwarded is not, whatever its From says:
//! a signature would vouch for it.

use std::collections::HashMap;
use std::sync::Arc;

use authenticity::{Sealing, Signing, SigningKey, author_domain};
use directory::{Directory, Unavailable};
use events::kinds::delivery::SigningKeyUnusable;
use events::{Events, Scope};
use parking_lot::Mutex;
use queue::{Envelope, Job, Origin};
use shared::DomainName;

use crate::{Inner, now, text};

/// Domains whose keys are kept open, those without any among them.
const DOMAINS_KEPT_MAX_COUNT: usize = 10_000;

/// Open keys by domain.
#[derive(Default)]
pub(crate) struct Signers {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    keys: HashMap<DomainName, Arc<[SigningKey]>>,
    /// Rises when keys change: what was asked for before is not kept.
    changes: u64,
}

impl Signers {
    /// Keys or domains have changed.
    pub(crate) fn forget(&self) {
        let mut known = self.known.lock();
        known.keys.clear();
        known.changes += 1;
    }

    /// The active keys of a domain.
    pub(crate) async fn of(
        &self,
        directory: &Directory,
        events: &Events,
        domain: &DomainName,
    ) -> Result<Arc<[SigningKey]>, Unavailable> {
        let before = {
            let known = self.known.lock();
            if let Some(keys) = known.keys.get(domain) {
                return Ok(keys.clone());
            }
            known.changes
        };
        let secrets = directory.dkim_secrets(domain).await?;
        let mut keys = Vec::with_capacity(secrets.len());
        for (key, private) in secrets {
            let open = private.and_then(|private| SigningKey::open(domain, &key.selector, &private));
            match open {
                Some(open) => keys.push(open),
                None => events.emit(
                    Scope::default(),
                    SigningKeyUnusable {
                        domain: domain.to_string(),
                        selector: key.selector,
                    },
                ),
            }
        }
        let keys: Arc<[SigningKey]> = keys.into();
        let mut known = self.known.lock();
        if known.changes == before {
            if known.keys.len() >= DOMAINS_KEPT_MAX_COUNT {
                known.keys.clear();
            }
            known.keys.insert(domain.clone(), keys.clone());
        }
        Ok(keys)
    }
}

/// The signatures to be put on top of a message; nothing if its author is nobody of ours. `header`: the text's, of which `skip` bytes stay
/// here. `None`: keys or text can't be read now.
pub(crate) async fn fields(inner: &Inner, job: &Job, header: &[u8], skip: usize) -> Option<Vec<u8>> {
    let Some(keys) = keys_for(inner, &job.envelope, header).await.ok()? else {
        return Some(Vec::new());
    };
    let mut signing = Signing::new(header.get(skip..).unwrap_or_default(), keys);
    each_piece(inner, job, header.len() as u64, |piece| signing.feed(piece)).await?;
    Some(signing.finish(now().unsigned_abs()))
}

/// The keys that sign a message with that header; `None`: it is not signed.
pub(crate) async fn keys_for(
    inner: &Inner,
    envelope: &Envelope,
    header: &[u8],
) -> Result<Option<Arc<[SigningKey]>>, Unavailable> {
    let own = matches!(envelope.origin, Origin::Submission | Origin::Server);
    // A header that is not looked at to its end can't be signed.
    if !own || header.len() >= text::HEADER_MAX_BYTES {
        return Ok(None);
    }
    let Some(author) = author_domain(header) else {
        return Ok(None);
    };
    let keys = keys(inner, &author).await?;
    Ok((!keys.is_empty()).then_some(keys))
}

/// The seal of mail from elsewhere that a domain forwards (RFC 8617), to be put on top; nothing if the domain has no key or the mail was not
/// checked when it came. `None`: keys or text can't be read now.
pub(crate) async fn seal(inner: &Inner, job: &Job, header: &[u8], by: &DomainName) -> Option<Vec<u8>> {
    if job.envelope.origin != Origin::Smtp || header.len() >= text::HEADER_MAX_BYTES {
        return Some(Vec::new());
    }
    let keys = inner.signers.of(&inner.parts.directory, &inner.parts.events, by);
    let keys = keys.await.ok()?;
    if keys.is_empty() {
        return Some(Vec::new());
    }
    let settings = inner.parts.directory.settings();
    let skip = text::return_path_len(&job.envelope, header);
    let checked = header.get(skip..).unwrap_or_default();
    let Some(mut sealing) = Sealing::new(checked, settings.text("server.hostname"), keys) else {
        return Some(Vec::new());
    };
    each_piece(inner, job, header.len() as u64, |piece| sealing.feed(piece)).await?;
    Some(sealing.finish(now().unsigned_abs()).unwrap_or_default())
}

/// Reads the text from there to its end. `None`: it can't be read now.
async fn each_piece(inner: &Inner, job: &Job, from: u64, mut take: impl FnMut(&[u8])) -> Option<()> {
    let mut at = from;
    loop {
        let piece = text::piece(&inner.parts.disk, &job.text, at, text::PIECE_BYTES);
        let piece = piece.await.ok()?;
        if piece.is_empty() {
            return Some(());
        }
        at += piece.len() as u64;
        take(&piece);
    }
}

/// Whether what is written in the name of that domain is signed.
pub(crate) async fn has_key(inner: &Inner, author: Option<&DomainName>) -> bool {
    match author {
        Some(author) => keys(inner, author).await.is_ok_and(|keys| !keys.is_empty()),
        None => false,
    }
}

/// The keys of the domain, or of the nearest one above it that has some: that is aligned too (RFC 7489 §3.1.1), and the server's own name
/// is often below the domain that it serves.
async fn keys(inner: &Inner, author: &DomainName) -> Result<Arc<[SigningKey]>, Unavailable> {
    let mut domain = author.clone();
    loop {
        let keys = inner
            .signers
            .of(&inner.parts.directory, &inner.parts.events, &domain)
            .await?;
        let above = domain.as_str().split_once('.').map(|(_, above)| above);
        match above.filter(|above| keys.is_empty() && above.contains('.')) {
            Some(above) => match DomainName::parse(above) {
                Ok(above) => domain = above,
                Err(_) => return Ok(keys),
            },
            None => return Ok(keys),
        }
    }
}
