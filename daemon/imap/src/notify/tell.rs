//! What has happened in mailboxes that are not selected, in words: LIST, METADATA and STATUS responses (RFC 5465 §5).

use bytes::BufMut;
use mailbox::{FolderId, Happening, OwnerId, Status, Told, mailbox_id};
use shared::Rights;
use wire::imap::StatusItem;
use wire::imap::render::{put_astring, put_mailbox};

use super::filter::{Events, Filter};
use super::watch::{Begun, SEEING};
use super::{FILTER_MAX_BYTES, Notify};
use crate::list::put_line;
use crate::reply::{Answer, End};
use crate::session::Session;
use crate::status;
use crate::tree::{Entry, Tree};

/// RFC 5464 §6.2.1
const ADMIN: &str = "/shared/admin";

/// Names, responses and counters that are to be told.
#[derive(Default)]
pub(super) struct Due {
    names: Vec<Name>,
    /// The mailbox (empty: the server) and the entries that have changed.
    metadata: Vec<(String, Vec<String>)>,
    statuses: Vec<Counters>,
    /// The user's subscriptions have changed.
    resubscribed: bool,
}

/// A name with which something has happened.
struct Name {
    now: String,
    old: Option<String>,
    /// Names are not wanted; that it can't be reached any more is told all the same.
    only_access: bool,
}

struct Counters {
    name: String,
    id: String,
    status: Status,
    wanted: Events,
}

impl Due {
    /// Each name once, with its last old name.
    fn name(&mut self, name: String, old: Option<String>) {
        self.names.retain(|known| known.now != name);
        self.names.push(Name {
            now: name,
            old,
            only_access: false,
        });
    }

    /// RFC 5465 §5.4, §5.9: a mailbox that one may see now is as one that was made, one that one may not see any more as one that was removed.
    pub(super) fn visibility(&mut self, filter: &Filter, name: String, had: Rights, has: Rights) {
        let seen = |rights: Rights| {
            let lookup = rights.contains(Rights::LOOKUP);
            (lookup, lookup && rights.contains(Rights::READ))
        };
        if seen(had) == seen(has) {
            return;
        }
        let wanted = filter.wanted(&name);
        if wanted.has(Events::NAMES) {
            self.name(name, None);
        } else if wanted.has(Events::MESSAGES.with(Events::FLAGS))
            && !self.names.iter().any(|known| known.now == name)
        {
            self.names.push(Name {
                now: name,
                old: None,
                only_access: true,
            });
        }
    }
}

impl Session {
    /// Reads all feeds and tells what is wanted of it. False: too much has happened.
    pub(super) async fn tell_watched(&mut self, notify: &mut Notify) -> Result<bool, End> {
        let mut due = Due::default();
        for at in 0..notify.watched.len() {
            let Some(watched) = notify.watched.get_mut(at) else {
                break;
            };
            let Ok(told) = watched.feed.read() else {
                return Ok(false);
            };
            if told == Told::default() {
                continue;
            }
            // What may be seen is asked for after the events were read.
            if told.happenings.is_empty() && !told.own {
                watched.know().await;
            } else {
                watched.look().await;
            }
            let begun = if told.happenings.is_empty() {
                None
            } else {
                watched.take_begun()
            };
            due.resubscribed |= told.own && watched.spot.is_own();
            self.gather(notify, at, told, begun.as_ref(), &mut due);
        }
        if due.resubscribed
            && notify.filter.asks_subscribed()
            && let Some(user) = &self.user
            && let Ok(subscribed) = user.home.subscriptions().await
        {
            notify.filter.subscribed = subscribed;
            notify.is_stale = true;
            if notify.filter.weight() > FILTER_MAX_BYTES {
                return Ok(false);
            }
        }
        let mut turned = std::mem::take(&mut notify.is_stale);
        if let Some(directory) = &mut notify.directory
            && directory.has_changed().unwrap_or(false)
        {
            directory.mark_unchanged();
            turned = true;
        }
        if turned {
            self.tell_of_admin(notify, &mut due);
            match self.look_around(notify, &mut due).await {
                Ok(()) => {}
                Err(answer) if answer.code.as_deref() == Some("NOTIFICATIONOVERFLOW") => return Ok(false),
                Err(_) => notify.is_stale = true,
            }
        }
        self.put_due(due).await?;
        Ok(true)
    }

    fn tell_of_admin(&self, notify: &mut Notify, due: &mut Due) {
        let now = self.admin();
        if now != notify.admin && notify.filter.wants_any(Events::SERVER_METADATA) {
            due.metadata.push((String::new(), vec![ADMIN.to_owned()]));
        }
        notify.admin = now;
    }

    /// Of what has happened to one owner, what is wanted and may be seen.
    fn gather(&self, notify: &Notify, at: usize, told: Told, begun: Option<&Begun>, due: &mut Due) {
        let Some(watched) = notify.watched.get(at) else {
            return;
        };
        let identity = notify.identity.as_deref();
        let spot = &watched.spot;
        let rights = |folder: FolderId| watched.rights(identity, folder);
        let given = |granted: &[(String, String)]| match identity {
            _ if spot.is_own() => Rights::ALL,
            Some(identity) => identity.rights(granted),
            None => Rights::NONE,
        };
        let known = |name: &str| begun.map_or(Rights::NONE, |begun| begun.rights(identity, name));
        for happening in told.happenings {
            match happening {
                Happening::Created { name, .. } if known(&name).contains(Rights::LOOKUP) => {}
                Happening::Created { folder, name } => {
                    let name = spot.client_name(&name);
                    if notify.filter.wanted(&name).has(Events::NAMES)
                        && rights(folder).contains(Rights::LOOKUP)
                    {
                        due.name(name, None);
                    }
                }
                Happening::Renamed { folder, from, name } => {
                    let (old, name) = (spot.client_name(&from), spot.client_name(&name));
                    let wanted = notify.filter.wanted(&name).with(notify.filter.wanted(&old));
                    if wanted.has(Events::NAMES) && rights(folder).contains(Rights::LOOKUP) {
                        due.name(name, Some(old));
                    }
                }
                Happening::Removed { name, granted } => {
                    let name = spot.client_name(&name);
                    if notify.filter.wanted(&name).has(Events::NAMES)
                        && given(&granted).contains(Rights::LOOKUP)
                    {
                        due.name(name, None);
                    }
                }
                Happening::Rights { name, before, after } => {
                    // What was told already is so since the feed has begun.
                    let had = known(&name);
                    let had = if had == Rights::NONE { given(&before) } else { had };
                    let name = spot.client_name(&name);
                    due.visibility(&notify.filter, name, had, given(&after));
                }
                // Subscriptions of others are theirs.
                Happening::Subscribed { name } if spot.is_own() => {
                    due.resubscribed = true;
                    if notify.filter.wanted(&name).has(Events::SUBSCRIPTIONS) {
                        due.name(name.to_string(), None);
                    }
                }
                Happening::Subscribed { .. } => {}
                Happening::Annotated { user, .. } if user != OwnerId(0) && !self.is_user(user) => {}
                Happening::Annotated {
                    folder: None,
                    entries,
                    ..
                } => {
                    if spot.is_own() && notify.filter.wants_any(Events::SERVER_METADATA) {
                        due.metadata.push((String::new(), entries));
                    }
                }
                Happening::Annotated {
                    folder: Some((folder, name)),
                    entries,
                    ..
                } => {
                    let name = spot.client_name(&name);
                    if notify.filter.wanted(&name).has(Events::METADATA) && rights(folder).contains(SEEING) {
                        due.metadata.push((name, entries));
                    }
                }
            }
        }
        for touched in told.folders {
            let name = spot.client_name(&touched.name);
            let wanted = notify.filter.wanted(&name);
            let is_wanted = (touched.messages && wanted.has(Events::MESSAGES))
                || (touched.flags && wanted.has(Events::FLAGS));
            if is_wanted
                && rights(touched.folder).contains(SEEING)
                && !self.is_selected(spot.owner.id(), touched.folder)
            {
                due.statuses.push(Counters {
                    name,
                    id: mailbox_id(spot.owner.id(), touched.folder),
                    status: touched.status,
                    wanted,
                });
            }
        }
    }

    fn is_user(&self, owner: OwnerId) -> bool {
        self.user.as_ref().is_some_and(|user| user.account.owner == owner)
    }

    /// RFC 5465 §6: all groups but SELECTED are about mailboxes that are not selected.
    fn is_selected(&self, owner: OwnerId, folder: FolderId) -> bool {
        let view = self.view.as_ref();
        view.is_some_and(|view| view.folder.id == folder && view.place.spot.owner.id() == owner)
    }

    async fn put_due(&mut self, due: Due) -> Result<(), End> {
        let utf8 = self.enabled.utf8();
        if !due.names.is_empty() {
            let names: Vec<String> = due.names.iter().map(|name| name.now.clone()).collect();
            // What can't be looked up now the client finds out with its next LIST.
            if let Ok(tree) = self.tree(&names).await {
                for name in &due.names {
                    self.put_name(&tree, name);
                    self.conn.flush_if_full().await?;
                }
            }
        }
        for (name, entries) in &due.metadata {
            let out = self.conn.output();
            out.put_slice(b"* METADATA ");
            if name.is_empty() {
                out.put_slice(b"\"\"");
            } else {
                put_mailbox(out, name, utf8);
            }
            // RFC 5464 §4.4.2: which entries, not what is in them now.
            for entry in entries {
                out.put_u8(b' ');
                put_astring(out, entry.as_bytes());
            }
            out.put_slice(b"\r\n");
            self.conn.flush_if_full().await?;
        }
        for counters in &due.statuses {
            self.put_counters(counters);
            self.conn.flush_if_full().await?;
        }
        Ok(())
    }

    /// RFC 5465 §5.4, §5.5: attributes are what they are now.
    fn put_name(&mut self, tree: &Tree, name: &Name) {
        let entry = tree.get(&name.now);
        let folder = entry.and_then(|entry| entry.folder);
        let mut attributes: Vec<&str> = Vec::new();
        match folder {
            None if name.only_access => attributes.push("\\NoAccess"),
            None => attributes.push("\\NonExistent"),
            Some(seen) if !seen.rights.contains(Rights::READ) => attributes.push("\\NoAccess"),
            Some(_) => {}
        }
        let children = entry.is_some_and(|entry| entry.children);
        match (folder, children) {
            (_, true) => attributes.push("\\HasChildren"),
            (Some(_), false) => attributes.push("\\HasNoChildren"),
            (None, false) => {}
        }
        if entry.is_some_and(|entry| entry.subscribed) {
            attributes.push("\\Subscribed");
        }
        attributes.extend(entry.and_then(|entry: &Entry| entry.special_use.as_deref()));
        let utf8 = self.enabled.utf8();
        let out = self.conn.output();
        put_line(out, "LIST", &attributes, &name.now, utf8);
        if let Some(old) = &name.old {
            out.truncate(out.len() - 2);
            out.put_slice(b" (\"OLDNAME\" (");
            put_mailbox(out, old, utf8);
            out.put_slice(b"))\r\n");
        }
    }

    fn put_counters(&mut self, counters: &Counters) {
        let mut items = vec![StatusItem::Messages, StatusItem::UidNext, StatusItem::UidValidity];
        if counters.wanted.has(Events::FLAGS) {
            items.push(StatusItem::Unseen);
        }
        // RFC 5465 §5.1 to §5.3
        if self.enabled.condstore || counters.wanted.has(Events::FLAGS) {
            items.push(StatusItem::HighestModSeq);
        }
        let line = status::Line {
            items: &items,
            status: &counters.status,
            deleted_bytes: 0,
            append_max_bytes: 0,
            mailbox_id: counters.id.clone(),
            utf8: self.enabled.utf8(),
        };
        line.put(self.conn.output(), &counters.name);
    }

    /// RFC 5465 §3.1: the counters from which on the client is told. An inner error: why they can't be told.
    pub(super) async fn put_first_statuses(
        &mut self,
        notify: &mut Notify,
    ) -> Result<Result<(), Answer>, End> {
        let of_messages = Events::MESSAGES.with(Events::FLAGS);
        let identity = notify.identity.clone();
        for watched in &mut notify.watched {
            let below = if watched.spot.is_own() {
                ""
            } else {
                &watched.spot.root
            };
            if !notify.filter.wanted_below(below).has(of_messages) {
                continue;
            }
            watched.know().await;
            let statuses = match watched.spot.owner.statuses().await {
                Ok(statuses) => statuses,
                Err(error) => return Ok(Err(error.into())),
            };
            for (folder, status) in statuses {
                let name = watched.spot.client_name(&folder.name);
                let wanted = notify.filter.wanted(&name);
                let owner = watched.spot.owner.id();
                if wanted.has(of_messages)
                    && watched.rights(identity.as_deref(), folder.id).contains(SEEING)
                    && !self.is_selected(owner, folder.id)
                {
                    let id = mailbox_id(owner, folder.id);
                    self.put_counters(&Counters {
                        name,
                        id,
                        status,
                        wanted,
                    });
                    self.conn.flush_if_full().await?;
                }
            }
        }
        Ok(Ok(()))
    }
}
