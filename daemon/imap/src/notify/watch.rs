//! Whose mailboxes a session watches, and what this user may see in them.

use std::sync::Arc;

use directory::Identity;
use mailbox::{Feed, Folder, FolderId, RightsTable};
use shared::Rights;

use super::filter::{Events, Filter, OfSelected};
use super::tell::Due;
use super::{FILTER_MAX_BYTES, Notify, OWNERS_MAX, overflow};
use crate::place::{Spot, directory_unavailable};
use crate::reply::Answer;
use crate::session::Session;

/// RFC 5465 §5: what all events need. A name alone needs the first.
pub(super) const SEEING: Rights = Rights::LOOKUP.with(Rights::READ);

/// An owner's folders and rights, shared with the store and other sessions.
type Listing = (Arc<Vec<Folder>>, Arc<RightsTable>);

/// An owner's mailbox that is watched.
pub(super) struct Watched {
    pub(super) spot: Spot,
    pub(super) feed: Feed,
    /// As last looked at; never of one's own mailbox, in which all is allowed. None if it was not needed yet, or could not be read.
    listing: Option<Listing>,
    /// What was told as newly shared when the feed had begun already: its first events may say the same.
    begun: Option<Listing>,
}

impl Watched {
    fn new(spot: Spot, notify: &Notify) -> Self {
        Self {
            feed: spot.owner.feed(&notify.bell),
            spot,
            listing: None,
            begun: None,
        }
    }

    /// Looks again, if it is somebody else's.
    pub(super) async fn look(&mut self) {
        if !self.spot.is_own() {
            self.listing = self.spot.owner.folders_and_rights().await.ok();
        }
    }

    /// The same unless it is known.
    pub(super) async fn know(&mut self) {
        if self.listing.is_none() {
            self.look().await;
        }
    }

    /// What may be done with a folder, as far as is known.
    pub(super) fn rights(&self, identity: Option<&Identity>, folder: FolderId) -> Rights {
        if self.spot.is_own() {
            return Rights::ALL;
        }
        rights_in(self.listing.as_ref(), identity, folder)
    }

    /// What was told as newly shared; once, before the first events are looked at.
    pub(super) fn take_begun(&mut self) -> Option<Begun> {
        self.begun.take().map(Begun)
    }

    /// The folders as last looked at, with their names for this client.
    fn folders(&self) -> impl Iterator<Item = (FolderId, String)> {
        let folders = self.listing.iter().flat_map(|(folders, _)| folders.iter());
        folders.map(|folder| (folder.id, self.spot.client_name(&folder.name)))
    }
}

fn rights_in(listing: Option<&Listing>, identity: Option<&Identity>, folder: FolderId) -> Rights {
    let granted = listing.and_then(|(_, table)| table.get(&folder));
    match (identity, granted) {
        (Some(identity), Some(granted)) => identity.rights(granted),
        _ => Rights::NONE,
    }
}

/// See [`Watched::take_begun`].
pub(super) struct Begun(Listing);

impl Begun {
    /// What was told of a folder of the owner.
    pub(super) fn rights(&self, identity: Option<&Identity>, name: &str) -> Rights {
        let folder = self.0.0.iter().find(|folder| folder.name == name);
        folder.map_or(Rights::NONE, |folder| {
            rights_in(Some(&self.0), identity, folder.id)
        })
    }
}

impl Session {
    /// Begins the feeds of what is wanted. Nothing is told yet.
    pub(super) async fn begin_watching(
        &self,
        selected: OfSelected,
        filter: Filter,
    ) -> Result<Notify, Answer> {
        let Some(user) = &self.user else {
            return Err(Answer::bad("log in first"));
        };
        let mut notify = Notify {
            selected,
            filter,
            ..Notify::nothing()
        };
        if notify.filter.is_empty() {
            return Ok(notify);
        }
        let home = self.spot("INBOX").await?;
        // Most watch nobody else.
        notify.watched = Vec::with_capacity(1);
        notify.watched.push(Watched::new(home, &notify));
        if notify.filter.asks_subscribed() {
            notify.filter.subscribed = user.home.subscriptions().await?;
        }
        if notify.filter.weight() > FILTER_MAX_BYTES {
            return Err(overflow());
        }
        let of_server = notify.filter.wants_any(Events::SERVER_METADATA);
        if of_server || notify.filter.leaves_home() {
            notify.directory = Some(self.server.directory.watch());
            notify.admin = self.admin();
        }
        if notify.filter.leaves_home() {
            let identity = self.server.directory.identity(&user.account).await;
            notify.identity = Some(identity.map_err(|_| directory_unavailable())?);
            for spot in self.sharers_wanted(&notify).await? {
                self.watch_another(&mut notify, spot).await?;
            }
        }
        Ok(notify)
    }

    pub(super) fn admin(&self) -> Box<str> {
        self.server.directory.settings().text("server.postmaster").into()
    }

    async fn watch_another(&self, notify: &mut Notify, spot: Spot) -> Result<(), Answer> {
        if notify.watched.len() >= OWNERS_MAX {
            return Err(overflow());
        }
        let names = notify.filter.wanted_below(&spot.root).has(Events::NAMES);
        let mut watched = Watched::new(spot, notify);
        if names {
            // To know what vanishes one must know what was there.
            watched.look().await;
        }
        notify.watched.push(watched);
        Ok(())
    }

    /// The other owners who share anything that may be wanted.
    async fn sharers_wanted(&self, notify: &Notify) -> Result<Vec<Spot>, Answer> {
        let Some(user) = &self.user else {
            return Ok(Vec::new());
        };
        let sharers = self.server.directory.sharers(&user.account).await;
        let sharers = sharers.map_err(|_| directory_unavailable())?;
        let spots = sharers.iter().map(|whose| self.spot_of(whose));
        Ok(spots
            .filter(|spot| notify.filter.wanted_below(&spot.root) != Events::NONE)
            .collect())
    }

    /// The directory, or the subscriptions, have changed: others may share now, or no more, and the user may be in other groups.
    pub(super) async fn look_around(&self, notify: &mut Notify, due: &mut Due) -> Result<(), Answer> {
        let Some(user) = &self.user else { return Ok(()) };
        if !notify.filter.leaves_home() {
            return Ok(());
        }
        let identity = self.server.directory.identity(&user.account).await;
        let identity = identity.map_err(|_| directory_unavailable())?;
        let wanted = self.sharers_wanted(notify).await?;
        let before = notify.identity.replace(Arc::clone(&identity));
        let is_same = |watched: &Watched, spot: &Spot| {
            watched.spot.owner.id() == spot.owner.id() && watched.spot.root == spot.root
        };
        let (stay, gone): (Vec<Watched>, Vec<Watched>) = std::mem::take(&mut notify.watched)
            .into_iter()
            .partition(|watched| watched.spot.is_own() || wanted.iter().any(|spot| is_same(watched, spot)));
        notify.watched = stay;
        for watched in &gone {
            for (folder, name) in watched.folders() {
                let had = watched.rights(before.as_deref(), folder);
                due.visibility(&notify.filter, name, had, Rights::NONE);
            }
        }
        if before.as_deref() != Some(&*identity) {
            for watched in notify.watched.iter_mut().filter(|watched| !watched.spot.is_own()) {
                watched.look().await;
                for (folder, name) in watched.folders() {
                    let had = watched.rights(before.as_deref(), folder);
                    let has = watched.rights(Some(&identity), folder);
                    due.visibility(&notify.filter, name, had, has);
                }
            }
        }
        for spot in wanted {
            if notify.watched.iter().any(|watched| is_same(watched, &spot)) {
                continue;
            }
            self.watch_another(notify, spot).await?;
            if let Some(watched) = notify.watched.last_mut() {
                watched.know().await;
                watched.begun.clone_from(&watched.listing);
            }
            if let Some(watched) = notify.watched.last() {
                for (folder, name) in watched.folders() {
                    let has = watched.rights(Some(&identity), folder);
                    due.visibility(&notify.filter, name, Rights::NONE, has);
                }
            }
        }
        Ok(())
    }
}
