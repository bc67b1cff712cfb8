//! LIST (RFC 9051 §6.3.9; RFC 5258, 5819, 6154).

use std::collections::{BTreeMap, HashSet};

use bytes::{BufMut, BytesMut};
use mailbox::{Folder, FolderId};
use wire::imap::render::put_mailbox;
use wire::imap::{ListArgs, ListReturn, ListSelect, list_match};

use crate::namespace::DELIMITER;
use crate::reply::{Answer, COMPLETED, End, Outcome, untagged};
use crate::session::Session;

/// A name that a listing may show.
#[derive(Default)]
pub(crate) struct Entry {
    /// No folder: a level above one, or a subscription without one.
    pub(crate) id: Option<FolderId>,
    pub(crate) special_use: Option<String>,
    pub(crate) subscribed: bool,
    pub(crate) children: bool,
    /// A name below it is subscribed.
    pub(crate) child_subscribed: bool,
}

/// The tree of all names, with the levels that no folder stands for.
pub(crate) fn tree(folders: &[Folder], subscriptions: &[String]) -> BTreeMap<String, Entry> {
    let mut names: BTreeMap<String, Entry> = BTreeMap::new();
    let subscribed: HashSet<&str> = subscriptions.iter().map(String::as_str).collect();
    for folder in folders {
        let entry = names.entry(folder.name.clone()).or_default();
        entry.id = Some(folder.id);
        entry.special_use.clone_from(&folder.special_use);
        for above in levels_above(&folder.name) {
            names.entry(above.to_owned()).or_default().children = true;
        }
    }
    for &name in &subscribed {
        names.entry(name.to_owned()).or_default().subscribed = true;
        for above in levels_above(name) {
            names.entry(above.to_owned()).or_default().child_subscribed = true;
        }
    }
    names
}

/// `a/b` and `a` for `a/b/c`.
fn levels_above(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices(DELIMITER)
        .filter_map(|(at, _)| name.get(..at))
        .filter(|above| !above.is_empty())
}

/// Sorted by name, INBOX first.
pub(crate) fn in_order(names: &BTreeMap<String, Entry>) -> impl Iterator<Item = (&String, &Entry)> {
    let inbox = names.get_key_value("INBOX");
    inbox
        .into_iter()
        .chain(names.iter().filter(|(name, _)| *name != "INBOX"))
}

impl Session {
    pub(crate) async fn list(&mut self, args: ListArgs) -> Outcome {
        // RFC 9051 §6.3.9: an empty pattern asks for the delimiter.
        if !args.is_extended() && args.patterns.iter().all(String::is_empty) {
            untagged(self.conn.output(), "LIST (\\Noselect) \"/\" \"\"");
            return Ok(Answer::ok(COMPLETED));
        }
        let Some(user) = &self.user else {
            return Ok(Answer::bad("no user"));
        };
        let owner = user.home.clone();
        let folders = match owner.folders().await {
            Ok(folders) => folders,
            Err(error) => return Ok(error.into()),
        };
        let subscriptions = match owner.subscriptions().await {
            Ok(subscriptions) => subscriptions,
            Err(error) => return Ok(error.into()),
        };
        let names = tree(&folders, &subscriptions);
        let listing = Listing {
            extended: args.is_extended(),
            select: args.select.unwrap_or_default(),
            returns: args.returns.unwrap_or_default(),
            patterns: args
                .patterns
                .iter()
                .map(|pattern| format!("{}{pattern}", args.reference))
                .collect(),
            utf8: self.enabled.rev2,
        };
        for (name, entry) in in_order(&names) {
            if !listing.shows(name, entry) {
                continue;
            }
            listing.put(self.conn.output(), name, entry);
            if let (Some(id), false) = (entry.id, listing.returns.status.is_empty()) {
                self.list_status(&listing, name, id).await?;
            }
            self.conn.flush_if_full().await?;
        }
        Ok(Answer::ok(COMPLETED))
    }

    /// RFC 5819: a STATUS after each LIST. A folder that can't be asked is left without.
    async fn list_status(&mut self, listing: &Listing, name: &str, id: FolderId) -> Result<(), End> {
        let Some(user) = &self.user else { return Ok(()) };
        if let Ok(status) = user.home.status(id).await {
            let line = crate::status::Line {
                items: &listing.returns.status,
                status: &status,
                append_max_bytes: user.append_max_bytes,
                utf8: listing.utf8,
            };
            line.put(self.conn.output(), name);
        }
        Ok(())
    }
}

/// What a LIST asks for.
struct Listing {
    extended: bool,
    select: ListSelect,
    returns: ListReturn,
    patterns: Vec<String>,
    utf8: bool,
}

impl Listing {
    fn shows(&self, name: &str, entry: &Entry) -> bool {
        let wanted = if self.select.subscribed || self.select.special_use {
            let itself = (!self.select.subscribed || entry.subscribed)
                && (!self.select.special_use || entry.special_use.is_some());
            itself || self.shows_for_children(entry)
        } else {
            // A level that no folder stands for is there for its children.
            entry.id.is_some() || entry.children
        };
        wanted
            && self
                .patterns
                .iter()
                .any(|pattern| list_match(pattern, name, DELIMITER))
    }

    /// RFC 5258 §3.5
    fn shows_for_children(&self, entry: &Entry) -> bool {
        self.select.recursive_match && self.select.subscribed && entry.child_subscribed
    }

    fn put(&self, out: &mut BytesMut, name: &str, entry: &Entry) {
        let mut attributes: Vec<&str> = Vec::new();
        if entry.id.is_none() {
            // RFC 5258 §3: \NonExistent implies \Noselect.
            attributes.push(if self.extended {
                "\\NonExistent"
            } else {
                "\\Noselect"
            });
        }
        attributes.push(if entry.children {
            "\\HasChildren"
        } else {
            "\\HasNoChildren"
        });
        if entry.subscribed && (self.select.subscribed || self.returns.subscribed) {
            attributes.push("\\Subscribed");
        }
        attributes.extend(entry.special_use.as_deref());
        put_line(out, "LIST", &attributes, name, self.utf8);
        // RFC 5258 §3.5: only if it tells something that the line itself does not.
        if self.shows_for_children(entry) {
            out.truncate(out.len() - 2);
            out.put_slice(b" (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n");
        }
    }
}

/// `* LIST (attributes) "/" name`
pub(crate) fn put_line(out: &mut BytesMut, word: &str, attributes: &[&str], name: &str, utf8: bool) {
    out.put_slice(b"* ");
    out.put_slice(word.as_bytes());
    out.put_slice(b" (");
    for (at, attribute) in attributes.iter().enumerate() {
        if at > 0 {
            out.put_u8(b' ');
        }
        out.put_slice(attribute.as_bytes());
    }
    out.put_slice(b") \"/\" ");
    put_mailbox(out, name, utf8);
    out.put_slice(b"\r\n");
}
