//! GETMETADATA and SETMETADATA (RFC 5464).
//!
//! Entries of a folder lie with its owner; the private ones of each user apart. Entries of the server that are private lie in the user's own
//! mailbox; the shared ones are the administrator's.

use bytes::{BufMut, BytesMut};
use mailbox::{Annotation, FolderId, MailboxError, Owner, OwnerId};
use shared::Rights;
use wire::imap::render::{put_astring, put_literal_head, put_mailbox, put_nstring};
use wire::imap::{MailboxName, MetadataDepth, MetadataGet, MetadataSet};

use crate::place::{Place, Spot, no_permission, no_such_mailbox};
use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::Session;
use crate::tree::Seen;

/// A value.
const VALUE_MAX_BYTES: usize = 16 * 1024;
/// The name of an entry.
const ENTRY_MAX_BYTES: usize = 256;
/// Entries of one command.
const ENTRIES_MAX: usize = 100;

const PRIVATE: &str = "/private";
const SHARED: &str = "/shared";
/// RFC 5464 §6.2.1: whom to ask for help.
const ADMIN: &str = "/shared/admin";

type Values = Vec<(String, Option<Vec<u8>>)>;

/// Where entries are: a folder, or the server.
struct Holder {
    owner: Owner,
    folder: Option<FolderId>,
    /// As the client knows it; empty: the server.
    name: String,
    rights: Rights,
}

/// RFC 5464 §3.3: one of these, and `l`.
const ANNOTATING: Rights = Rights::READ
    .with(Rights::SEEN)
    .with(Rights::WRITE)
    .with(Rights::INSERT)
    .with(Rights::POST);

fn may_annotate(place: &Place) -> Result<(), Answer> {
    if !place.rights.contains(Rights::LOOKUP) {
        return Err(no_such_mailbox());
    }
    place.permit(ANNOTATING)
}

/// Whether it lies in one of the two trees; `below`: and is not the top of it.
fn is_known(entry: &str, below: bool) -> bool {
    entry.len() <= ENTRY_MAX_BYTES
        && [PRIVATE, SHARED].into_iter().any(|tree| {
            entry
                .strip_prefix(tree)
                .is_some_and(|rest| rest.starts_with('/') || (rest.is_empty() && !below))
        })
}

/// Whether an entry is asked for (RFC 5464 §4.2.2).
fn is_asked(entry: &str, asked: &str, depth: MetadataDepth) -> bool {
    match entry.strip_prefix(asked) {
        Some("") => true,
        Some(below) if below.starts_with('/') => match depth {
            MetadataDepth::Zero => false,
            MetadataDepth::One => !below.get(1..).unwrap_or_default().contains('/'),
            MetadataDepth::Infinity => true,
        },
        _ => false,
    }
}

/// `* METADATA name (entry value …)`
fn put(out: &mut BytesMut, name: &str, values: &Values, utf8: bool) {
    if values.is_empty() {
        return;
    }
    out.put_slice(b"* METADATA ");
    if name.is_empty() {
        out.put_slice(b"\"\"");
    } else {
        put_mailbox(out, name, utf8);
    }
    let mut between: &[u8] = b" (";
    for (entry, value) in values {
        out.put_slice(between);
        between = b" ";
        put_astring(out, entry.as_bytes());
        out.put_u8(b' ');
        match value {
            // RFC 5464 §5: NUL needs a literal8.
            Some(value) if value.contains(&0) => {
                put_literal_head(out, value.len() as u64, true);
                out.put_slice(value);
            }
            value => put_nstring(out, value.as_deref()),
        }
    }
    out.put_slice(b")\r\n");
}

impl Session {
    pub(crate) async fn get_metadata(&mut self, args: MetadataGet) -> Outcome {
        if args.entries.len() > ENTRIES_MAX || !args.entries.iter().all(|entry| is_known(entry, false)) {
            return Ok(Answer::bad("bad entry name"));
        }
        let holder = match self.holder(args.mailbox.as_ref()).await {
            Ok(holder) => holder,
            Err(answer) => return Ok(answer),
        };
        let (values, long) = match self.values(&holder, &args).await {
            Ok(values) => values,
            Err(answer) => return Ok(answer),
        };
        let utf8 = self.enabled.utf8();
        put(self.conn.output(), &holder.name, &values, utf8);
        Ok(match long {
            0 => Answer::ok(COMPLETED),
            // RFC 5464 §4.2.1
            long => Answer::ok(COMPLETED).with(format!("METADATA LONGENTRIES {long}")),
        })
    }

    /// RFC 9590: entries of a folder that LIST shows. One that may not be asked for has none.
    pub(crate) async fn list_metadata(&mut self, name: &str, spot: &Spot, seen: &Seen, entries: &[String]) {
        if !seen.rights.intersects(ANNOTATING) {
            return;
        }
        let holder = Holder {
            owner: spot.owner.clone(),
            folder: Some(seen.id),
            name: name.to_owned(),
            rights: seen.rights,
        };
        let args = MetadataGet {
            mailbox: None,
            max_size_bytes: None,
            depth: MetadataDepth::Zero,
            entries: entries.iter().map(|entry| entry.to_ascii_lowercase()).collect(),
        };
        if let Ok((values, _)) = self.values(&holder, &args).await {
            let utf8 = self.enabled.utf8();
            put(self.conn.output(), name, &values, utf8);
        }
    }

    /// The entries that are asked for, and the size of the largest that is too long to be shown.
    async fn values(&self, holder: &Holder, args: &MetadataGet) -> Result<(Values, usize), Answer> {
        let Some(user) = &self.user else {
            return Err(Answer::bad("log in first"));
        };
        let (asked, depth) = (args.entries.clone(), args.depth);
        let wanted = move |entry: &str| asked.iter().any(|asked| is_asked(entry, asked, depth));
        let mut found = holder
            .owner
            .annotations(holder.folder, user.account.owner, wanted)
            .await?;
        let settings = self.server.directory.settings();
        let admin = settings.text("server.postmaster");
        let asks_admin = args.entries.iter().any(|asked| is_asked(ADMIN, asked, depth));
        if holder.folder.is_none() && asks_admin && !admin.is_empty() {
            found.push((ADMIN.to_owned(), format!("mailto:{admin}").into_bytes()));
        }
        let mut long = 0;
        let mut values = Values::new();
        for (entry, value) in found {
            if args.max_size_bytes.is_some_and(|max| value.len() as u64 > max) {
                long = long.max(value.len());
            } else {
                values.push((entry, Some(value)));
            }
        }
        // What is asked for by its name and is not there is NIL.
        if depth == MetadataDepth::Zero && long == 0 {
            for entry in &args.entries {
                if !values.iter().any(|(known, _)| known == entry) {
                    values.push((entry.clone(), None));
                }
            }
        }
        Ok((values, long))
    }

    pub(crate) async fn set_metadata(&mut self, args: MetadataSet) -> Outcome {
        Ok(match self.annotate(args).await {
            Ok(()) => Answer::ok(COMPLETED),
            Err(answer) => answer,
        })
    }

    async fn annotate(&self, args: MetadataSet) -> Result<(), Answer> {
        if !args.entries.iter().all(|(entry, _)| is_known(entry, true)) {
            return Err(Answer::bad("bad entry name"));
        }
        let too_many = || Answer::no("too many entries").with("METADATA TOOMANY");
        if args.entries.len() > ENTRIES_MAX {
            return Err(too_many());
        }
        let too_long = |value: &Vec<u8>| value.len() > VALUE_MAX_BYTES;
        if args
            .entries
            .iter()
            .any(|(_, value)| value.as_ref().is_some_and(too_long))
        {
            return Err(
                Answer::no("the value is too long").with(format!("METADATA MAXSIZE {VALUE_MAX_BYTES}"))
            );
        }
        let holder = self.holder(args.mailbox.as_ref()).await?;
        let user = self.user.as_ref().map_or(OwnerId(0), |user| user.account.owner);
        let mut entries = Vec::with_capacity(args.entries.len());
        for (entry, value) in args.entries {
            let is_shared = entry.starts_with(SHARED);
            // What all see is changed by those who may change what all see.
            if is_shared && !holder.rights.contains(Rights::WRITE) {
                return Err(no_permission());
            }
            let user = if is_shared { OwnerId(0) } else { user };
            entries.push(Annotation { user, entry, value });
        }
        let set = holder.owner.annotate(holder.folder, entries).await;
        set.map_err(|error| match error {
            MailboxError::NotAllowed(_) => too_many(),
            error => error.into(),
        })
    }

    async fn holder(&self, name: Option<&MailboxName>) -> Result<Holder, Answer> {
        let Some(name) = name else {
            let spot = self.spot("INBOX").await?;
            return Ok(Holder {
                owner: spot.owner,
                folder: None,
                name: String::new(),
                rights: Rights::NONE,
            });
        };
        let place = self.find(name.as_str()).await?;
        may_annotate(&place)?;
        Ok(Holder {
            name: place.name(),
            folder: Some(place.folder.id),
            rights: place.rights,
            owner: place.spot.owner,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depths() {
        use MetadataDepth::{Infinity, One, Zero};
        for (entry, asked, depth, expected) in [
            ("/shared/a", "/shared/a", Zero, true),
            ("/shared/a/b", "/shared/a", Zero, false),
            ("/shared/a/b", "/shared/a", One, true),
            ("/shared/a/b/c", "/shared/a", One, false),
            ("/shared/a/b/c", "/shared/a", Infinity, true),
            ("/shared/ab", "/shared/a", Infinity, false),
            ("/private/a", "/private", One, true),
        ] {
            assert_eq!(
                is_asked(entry, asked, depth),
                expected,
                "{entry} {asked} {depth:?}"
            );
        }
        assert!(is_known("/shared", false) && !is_known("/shared", true) && !is_known("/sharedx/a", true));
    }
}
