//! NOTIFY (RFC 5465): a client says of which events in which mailboxes it wants to hear, and hears of them while it says nothing.
//!
//! | file | what |
//! |---|---|
//! | `filter.rs` | which events of which mailboxes are wanted |
//! | `watch.rs` | whose mailboxes are watched, and what this user may see in them; follows rights, groups and subscriptions |
//! | `tell.rs` | what has happened, in words |
//!
//! Waiting. Between two commands, and in IDLE, a session with NOTIFY waits for the client, for the selected folder's `watch`, for the *bell* that the
//! mailboxes of all owners ring that it watches, and, if shared folders are wanted, for changes of the directory; all at once, without a task or a
//! timer of its own. A session without NOTIFY waits as it always did; its future knows nothing of this but a pointer.
//!
//! What is kept. For each watched owner a place in its feed (`mailbox::Feed`), which is a number; the feed itself is one for all sessions. The
//! client's wishes, at most [`FILTER_MAX_BYTES`], and [`OWNERS_MAX`] owners. Events are never queued for a client: of messages the feed has the outcome,
//! whenever it is read; of all else it keeps a bounded number, and who is further behind (because he doesn't read, or a command took long) is told
//! NOTIFICATIONOVERFLOW (§5.8) and has NOTIFY NONE from then on. The databases of owners are opened to show names and first STATUS responses only.
//!
//! The selected mailbox goes the way it always does, through `View`: what the client has numbers for changes only where it is told so. NOTIFY decides
//! when (`Pace`), whether flags and new messages are told at all, and what is fetched of new ones. What was not told because it was not wanted is held in
//! mind (`View::sync`), so that the next NOTIFY SET tells it.
//!
//! Attacks on this design, and what holds against them:
//! - An event between NOTIFY SET and its STATUS responses: feeds are begun before anything is read. It is told twice rather than never.
//! - An event between two NOTIFY SETs: the new feeds begin before the old ones are read for the last time.
//! - A folder that is made, renamed and removed before the session comes to it: names are looked up when they are told, each once; the line says what is
//!   true then, not what was true when the event happened.
//! - A folder that is no more, under whose name another one stands: making and renaming count as a change of messages, so that its UIDVALIDITY is told.
//! - Rights that are taken: who may see what is looked up after the events were read, never before. A change of rights carries what was before and after
//!   it, so that appearing and vanishing follow from it alone; a change of groups is compared with the identity that the session had before.
//! - Somebody who begins to share: the directory's hint comes before the rights do, and the feed begins with the hint; rights that were given in between
//!   are found when the feed begins.
//! - One's own doing (§5): changes carry the session that made them; its own feed leaves them out.
//! - 10,000 sessions on one public tree: a change costs one entry in the feed and a bell for each session; each formats a line out of shared memory.
//! - A session under COMPRESS or TLS: nothing here knows of them; `Conn` may be left between two polls.
//!
//! Must not know: how mail is stored.

mod filter;
mod tell;
mod watch;

use std::sync::Arc;

use bytes::BytesMut;
use directory::Identity;
use shared::Rights;
use tokio::sync::watch as channel;
use wire::imap::FetchItem;

use crate::reply::{Answer, COMPLETED, End, Outcome, untagged};
use crate::session::{Session, Tell};
use filter::OfSelected;
pub(crate) use filter::{Filter, Pace};
use watch::Watched;

/// Names of mailboxes that a client asks for, and those that it has subscribed if it asks for them.
const FILTER_MAX_BYTES: usize = 64 * 1024;
/// Owners whose mailboxes one session watches.
const OWNERS_MAX: usize = 500;

/// RFC 5465 §3.1: names all that are offered.
const BAD_EVENT: &str = "BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange \
     ServerMetadataChange)";

/// What a client has asked for with its last NOTIFY.
pub(crate) struct Notify {
    pub(crate) selected: OfSelected,
    filter: Filter,
    /// The user's own mailbox first; nothing if no mailbox but the selected one is wanted.
    watched: Vec<Watched>,
    bell: Arc<tokio::sync::Notify>,
    /// Only if its changes matter.
    directory: Option<channel::Receiver<u64>>,
    /// The directory could not be asked when it had changed.
    is_stale: bool,
    /// Who this user was when last looked at.
    identity: Option<Arc<Identity>>,
    /// Whom to ask for help, as last looked at: the one entry of the server that is not the user's own.
    admin: Box<str>,
    /// The command that runs takes messages out of the selected mailbox; its answer tells which.
    expunging: bool,
}

impl Notify {
    fn nothing() -> Self {
        Self {
            selected: OfSelected::NOTHING,
            filter: Filter::default(),
            watched: Vec::new(),
            bell: Arc::default(),
            directory: None,
            is_stale: false,
            identity: None,
            admin: Box::default(),
            expunging: false,
        }
    }
}

fn overflow() -> Answer {
    Answer::no("too much is asked for").with("NOTIFICATIONOVERFLOW")
}

impl Session {
    pub(crate) async fn notify(&mut self, args: wire::imap::Notify) -> Outcome {
        let (status, groups) = match args {
            wire::imap::Notify::Set { status, groups } => (status, groups),
            wire::imap::Notify::None => {
                self.notify = Some(Box::new(Notify::nothing()));
                return Ok(Answer::ok(COMPLETED));
            }
        };
        let Ok((selected, filter)) = filter::filter(groups) else {
            return Ok(Answer::no("this event is not offered").with(BAD_EVENT));
        };
        // RFC 7162 §3.1: asking for MODSEQ enables CONDSTORE.
        self.enable_condstore(selected.items.contains(&FetchItem::ModSeq));
        let mut new = match self.begin_watching(selected, filter).await {
            Ok(new) => Box::new(new),
            Err(answer) => return Ok(answer),
        };
        self.put_inaccessible(&new).await?;
        if status && let Err(answer) = self.put_first_statuses(&mut new).await? {
            return Ok(answer);
        }
        // What is due under the old wishes; and, as after NOOP, all that the selected mailbox has (RFC 5465 §3.1).
        self.tell_others().await?;
        self.notify = None;
        self.tell(Tell::All, true).await?;
        self.notify = Some(new);
        Ok(Answer::ok(COMPLETED))
    }

    /// Whether there is more to wait for than the client.
    pub(crate) fn is_notified(&self) -> bool {
        let notify = self.notify.as_ref();
        notify.is_some_and(|notify| notify.selected.pace != Pace::Never || !notify.watched.is_empty())
    }

    /// Nothing is to be told of the selected mailbox, but for what the command that runs has taken out of it.
    pub(crate) fn is_silenced(&self) -> bool {
        let notify = self.notify.as_ref();
        notify.is_some_and(|notify| notify.selected.pace == Pace::Never && !notify.expunging)
    }

    /// A command begins or ends that answers with what it has taken out of the selected mailbox.
    pub(crate) fn set_expunging(&mut self, expunging: bool) {
        if let Some(notify) = &mut self.notify {
            notify.expunging = expunging;
        }
    }

    /// Tells what has happened. `idle`: what is gone may be told.
    async fn tell_noticed(&mut self, idle: bool) -> Result<(), End> {
        self.tell_others().await?;
        let pace = self.notify.as_ref().map(|notify| notify.selected.pace);
        match pace {
            Some(Pace::AtOnce) => self.tell(Tell::All, true).await?,
            Some(Pace::Delayed) if !idle => self.tell(Tell::NoExpunge, true).await?,
            Some(Pace::Delayed) | None => self.tell(Tell::All, true).await?,
            Some(Pace::Never) => {}
        }
        Ok(self.conn.flush().await?)
    }

    /// Tells what has happened, then waits for the client or for something to happen.
    pub(crate) async fn wait_notified(&mut self, idle: bool) -> Result<(), End> {
        // On the heap while it is done: who waits shall hold no more than waiting takes.
        Box::pin(self.tell_noticed(idle)).await?;
        let timeout = self.timeout();
        let (Some(notify), view) = (&self.notify, &self.view) else {
            return Ok(());
        };
        let is_told = notify.selected.pace != Pace::Never;
        let selected = view.as_ref().filter(|_| is_told);
        tokio::select! {
            filled = self.conn.fill(timeout) => filled.map(drop)?,
            () = crate::idle::changed(selected.map(|view| &view.watch)) => {}
            () = notify.bell.notified() => {}
            () = changed(notify.directory.as_ref()) => {}
        }
        Ok(())
    }

    /// Tells what has happened in mailboxes that are not selected. What can't be found out now is told later, or is lost to this client as it would
    /// be if it were not allowed.
    pub(crate) async fn tell_others(&mut self) -> Result<(), End> {
        let Some(mut notify) = self.notify.take() else {
            return Ok(());
        };
        let told = self.tell_watched(&mut notify).await;
        if told? {
            self.notify = Some(notify);
        } else {
            untagged(
                self.conn.output(),
                "OK [NOTIFICATIONOVERFLOW] too much has happened, as after NOTIFY NONE",
            );
            self.notify = Some(Box::new(Notify::nothing()));
        }
        Ok(())
    }

    /// RFC 5465 §3.1: mailboxes that were named and may be listed, but not read.
    async fn put_inaccessible(&mut self, notify: &Notify) -> Result<(), End> {
        for name in notify.filter.names() {
            if let Ok(place) = self.find(name).await
                && place.rights.contains(Rights::LOOKUP)
                && !place.rights.contains(Rights::READ)
            {
                let utf8 = self.enabled.utf8();
                let out: &mut BytesMut = self.conn.output();
                crate::list::put_line(out, "LIST", &["\\NoAccess"], &place.name(), utf8);
                self.conn.flush_if_full().await?;
            }
        }
        Ok(())
    }
}

/// Waits for a change of the directory without taking note of it.
async fn changed(directory: Option<&channel::Receiver<u64>>) {
    if let Some(mut directory) = directory.cloned()
        && directory.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a session holds for NOTIFY beside what any other holds while it waits, if it watches its user's own mailbox alone.
    const WAITING_MAX_BYTES: usize = 1280;

    fn size_of_future<'a, F>(_: impl FnOnce(&'a mut Session) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn who_waits_holds_little() {
        let waiting = size_of_future(|session| session.wait_notified(false));
        let kept = size_of::<Notify>() + size_of::<Watched>() + size_of::<tokio::sync::Notify>();
        assert!(waiting + kept <= WAITING_MAX_BYTES, "{waiting} + {kept} bytes");
    }
}
