//! LIST (RFC 9051 §6.3.9; RFC 5258, 5819, 6154, 8440, 9590).

use std::collections::HashMap;

use bytes::{BufMut, BytesMut};
use shared::Rights;
use wire::imap::render::put_mailbox;
use wire::imap::{ListArgs, ListReturn, ListSelect, list_match};

use crate::acl::put_my_rights;
use crate::namespace::DELIMITER;
use crate::reply::{Answer, COMPLETED, Outcome, untagged};
use crate::session::Session;
use crate::tree::{Entry, Seen, Tree, levels_above};

impl Session {
    pub(crate) async fn list(&mut self, args: ListArgs) -> Outcome {
        // RFC 9051 §6.3.9: an empty pattern asks for the delimiter.
        if !args.is_extended() && args.patterns.iter().all(String::is_empty) {
            untagged(self.conn.output(), "LIST (\\Noselect) \"/\" \"\"");
            return Ok(Answer::ok(COMPLETED));
        }
        let patterns: Vec<String> = args
            .patterns
            .iter()
            .map(|pattern| format!("{}{pattern}", args.reference))
            .collect();
        let tree = match self.tree(&patterns).await {
            Ok(tree) => tree,
            Err(answer) => return Ok(answer),
        };
        let listing = Listing {
            extended: args.is_extended(),
            select: args.select.unwrap_or_default(),
            returns: args.returns.unwrap_or_default(),
            patterns,
            utf8: self.enabled.utf8(),
        };
        let parents = listing.parents(&tree);
        for (name, entry) in tree.in_order() {
            let below = parents.get(name.as_str()).copied();
            if !listing.shows(name, entry, below) {
                continue;
            }
            listing.put(self.conn.output(), name, entry, below);
            if let Some(seen) = &entry.folder {
                if listing.returns.my_rights {
                    put_my_rights(self.conn.output(), name, seen.rights, listing.utf8);
                }
                self.list_status(&listing, &tree, name, seen).await;
                let entries = &listing.returns.metadata;
                if let (Some(spot), false) = (tree.owners.get(seen.owner), entries.is_empty()) {
                    self.list_metadata(name, spot, seen, entries).await;
                }
            }
            self.conn.flush_if_full().await?;
        }
        Ok(Answer::ok(COMPLETED))
    }

    /// RFC 5819: a STATUS after each LIST. A folder that can't be asked, or may not be read, is left without.
    async fn list_status(&mut self, listing: &Listing, tree: &Tree, name: &str, seen: &Seen) {
        let (Some(user), Some(spot)) = (&self.user, tree.owners.get(seen.owner)) else {
            return;
        };
        if listing.returns.status.is_empty() || !seen.rights.contains(Rights::READ) {
            return;
        }
        let items = &listing.returns.status;
        let deleted = crate::status::deleted_bytes(items, &spot.owner, seen.id).await;
        if let (Ok(status), Ok(deleted_bytes)) = (spot.owner.status(seen.id).await, deleted) {
            let line = crate::status::Line {
                items,
                status: &status,
                deleted_bytes,
                append_max_bytes: user.append_max_bytes,
                mailbox_id: mailbox::mailbox_id(spot.owner.id(), seen.id),
                utf8: listing.utf8,
            };
            line.put(self.conn.output(), name);
        }
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

/// What a LIST with RECURSIVEMATCH finds below a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    /// All that meets the criteria is listed itself.
    Listed,
    /// Something meets the criteria and is not listed.
    Unlisted,
}

impl Listing {
    fn shows(&self, name: &str, entry: &Entry, below: Option<Below>) -> bool {
        let wanted = if self.select.subscribed || self.select.special_use {
            // RFC 5258 §3.5: for its children only if one of them is not listed itself.
            self.meets(entry) || below == Some(Below::Unlisted)
        } else {
            // A level that no folder stands for is there for its children.
            entry.folder.is_some() || entry.children
        };
        wanted && self.matches(name)
    }

    /// The selection criteria.
    fn meets(&self, entry: &Entry) -> bool {
        (!self.select.subscribed || entry.subscribed)
            && (!self.select.special_use || entry.special_use.is_some())
    }

    fn matches(&self, name: &str) -> bool {
        let mut patterns = self.patterns.iter();
        patterns.any(|pattern| list_match(pattern, name, DELIMITER))
    }

    /// The names that have something below them that meets the criteria.
    fn parents<'a>(&self, tree: &'a Tree) -> HashMap<&'a str, Below> {
        let mut parents = HashMap::new();
        if !(self.select.recursive_match && self.select.subscribed) {
            return parents;
        }
        for (name, _) in tree.in_order().filter(|(_, entry)| self.meets(entry)) {
            let below = if self.matches(name) {
                Below::Listed
            } else {
                Below::Unlisted
            };
            for above in levels_above(name) {
                let known = parents.entry(above).or_insert(below);
                if below == Below::Unlisted {
                    *known = below;
                }
            }
        }
        parents
    }

    fn put(&self, out: &mut BytesMut, name: &str, entry: &Entry, below: Option<Below>) {
        let mut attributes: Vec<&str> = Vec::new();
        if entry.folder.is_none() {
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
        // RFC 5258 §3.5
        if below.is_some() {
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
