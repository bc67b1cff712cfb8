//! What the rights on the selected folder allow (RFC 4314 §4), and keeping them up to date.

use mailbox::Owner;
use shared::Rights;
use wire::imap::Flags;

use crate::place::{directory_unavailable, no_permission};
use crate::reply::Answer;
use crate::session::Session;
use crate::view::is_read_only;

/// Any of these changes flags.
pub(crate) const FLAG_RIGHTS: Rights = Rights::SEEN.with(Rights::DELETED).with(Rights::WRITE);

/// System flags that somebody with these rights can set.
pub(crate) fn flags_kept(rights: Rights) -> Flags {
    let mut flags = Flags::NONE;
    for (right, these) in [
        (Rights::SEEN, Flags::SEEN),
        (Rights::DELETED, Flags::DELETED),
        (
            Rights::WRITE,
            Flags::ALL.without(Flags::SEEN).without(Flags::DELETED),
        ),
    ] {
        if rights.contains(right) {
            flags = flags.with(these);
        }
    }
    flags
}

/// Why rights were not changed.
struct Refused(Answer);

impl From<mailbox::MailboxError> for Refused {
    fn from(error: mailbox::MailboxError) -> Self {
        Self(error.into())
    }
}

impl From<directory::ChangeError> for Refused {
    fn from(_: directory::ChangeError) -> Self {
        Self(directory_unavailable())
    }
}

impl Session {
    /// Takes note of rights on the selected folder that were given or taken since the last command. One's own folder is always one's own.
    pub(crate) async fn renew_rights(&mut self) {
        let Some(view) = self.view.as_ref().filter(|view| !view.place.spot.is_own()) else {
            return;
        };
        // Both are read before the rights are: what changes in between is seen the next time.
        let as_of = (view.watch.borrow().rights, self.server.directory.epoch());
        if as_of == view.rights_as_of {
            return;
        }
        let place = &view.place;
        let rights = match place.spot.owner.rights().await {
            Ok(table) => self.rights_in(&place.spot, &table, &view.folder).await,
            Err(error) => Err(error.into()),
        };
        let Some(view) = &mut self.view else { return };
        match rights {
            Ok(rights) => {
                view.rights_as_of = as_of;
                if rights != view.place.rights {
                    view.place.rights = rights;
                    view.read_only = is_read_only(&view.place, !view.to_write);
                    // The flags that are kept are others now.
                    view.tell_keywords();
                }
            }
            // What can't be found out now is not allowed now, and found out the next time.
            Err(_) => view.place.rights = Rights::NONE,
        }
    }

    /// Changes rights of an owner and what the directory knows of them. `gains`: who may be given some.
    pub(crate) async fn change_shares(
        &self,
        owner: &Owner,
        gains: Option<&str>,
        change: impl Future<Output = mailbox::Result<()>>,
    ) -> Result<(), Answer> {
        let change = async {
            change.await?;
            Ok(owner.identifiers().await?)
        };
        let changed = self.server.directory.change_shares(owner.id(), gains, change);
        changed.await.map_err(|refused: Refused| refused.0)
    }

    /// Whether the selected folder may be used at all, and with any of these rights.
    pub(crate) fn check_view(&self, any: Rights) -> Result<(), Answer> {
        match &self.view {
            Some(view) if view.place.rights.intersects(any) => Ok(()),
            _ => Err(no_permission()),
        }
    }
}
