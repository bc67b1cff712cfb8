//! What happens in the mailbox of one owner, for those who watch all of it.
//!
//! The worker that changes an owner's mailbox puts here what it did as soon as it can be seen, and rings the bells of those who watch. A reader keeps the
//! number of the last change that it has read and asks for what came after it.
//!
//! - Of changes of messages only the last is kept of each folder, with what the folder's counters are after it: a reader that comes late finds the outcome,
//!   and nothing grows.
//! - What happens to names, rights, subscriptions and annotations is kept one by one, [`HAPPENINGS_MAX`] of it. A reader that is further behind is told
//!   that it has missed some.
//! - Who made a change is kept with it, so that nobody is told of what he has done himself.
//!
//! Of an owner whom nobody watches nothing is kept. Reading takes no worker and opens no database.
//!
//! Must not know: who may see what.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use shared::model::OwnerId;
use tokio::sync::Notify;

use crate::slot::Slot;
use crate::store::Store;
use crate::types::{FolderId, Status};

/// Changes of other things than messages that a reader may be behind.
pub const HAPPENINGS_MAX: usize = 256;

/// Who makes a change: a number of the caller's choice; 0 is nobody in particular.
pub type Origin = u64;

/// What was given on a folder: whose are which rights.
pub type Granted = Vec<(String, String)>;

/// A folder in which messages have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    pub folder: FolderId,
    pub name: Arc<str>,
    /// After the last change.
    pub status: Status,
    /// Some have come or gone.
    pub messages: bool,
    /// Flags of some were changed.
    pub flags: bool,
}

/// Something else than a change of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    Created {
        folder: FolderId,
        name: Arc<str>,
    },
    Renamed {
        folder: FolderId,
        from: Arc<str>,
        name: Arc<str>,
    },
    Removed {
        name: Arc<str>,
        granted: Granted,
    },
    Rights {
        name: Arc<str>,
        before: Granted,
        after: Granted,
    },
    Subscribed {
        name: Arc<str>,
    },
    /// `folder`: none for the mailbox itself. `user`: 0 if the entries are everybody's.
    Annotated {
        folder: Option<(FolderId, Arc<str>)>,
        user: OwnerId,
        entries: Vec<String>,
    },
}

/// What a reader has not read yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub folders: Vec<Touched>,
    /// In their order.
    pub happenings: Vec<Happening>,
    /// The reader has done something of that kind itself.
    pub own: bool,
}

/// A reader was too far behind: nobody knows any more what it has missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed;

/// One reader's place in what happens to an owner.
pub struct Feed {
    slot: Arc<Slot>,
    read: u64,
    reader: Origin,
    bell: Arc<Notify>,
}

impl Feed {
    pub(crate) fn new(slot: Arc<Slot>, reader: Origin, bell: Arc<Notify>) -> Self {
        let read = slot.with_kept(|kept| {
            kept.bells.push(Arc::clone(&bell));
            kept.last
        });
        Self {
            slot,
            read,
            reader,
            bell,
        }
    }

    /// What others have done since the last call.
    pub fn read(&mut self) -> Result<Told, Missed> {
        let (read, reader) = (self.read, self.reader);
        let (told, last) = self.slot.with_kept(|kept| (kept.after(read, reader), kept.last));
        self.read = last;
        told
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.slot.leave(&self.bell);
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Feed")
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

/// The last change of a kind.
#[derive(Clone, Copy, Default)]
struct Mark {
    at: u64,
    by: Origin,
    /// The last that was not by the same.
    before: u64,
}

impl Mark {
    fn set(&mut self, at: u64, by: Origin) {
        if by != self.by {
            self.before = self.at;
        }
        (self.at, self.by) = (at, by);
    }

    /// Whether somebody else than the reader has made one since.
    fn is_news(self, read: u64, reader: Origin) -> bool {
        let at = if self.by == reader && reader != 0 {
            self.before
        } else {
            self.at
        };
        at > read
    }
}

struct Touch {
    at: u64,
    name: Arc<str>,
    status: Status,
    messages: Mark,
    flags: Mark,
}

/// What is kept of one owner while somebody watches.
#[derive(Default)]
pub(crate) struct Kept {
    /// The number of the last change.
    last: u64,
    folders: HashMap<i64, Touch>,
    /// Folders by the numbers of their last changes.
    order: BTreeMap<u64, i64>,
    happened: VecDeque<(u64, Origin, Happening)>,
    /// The last that is not kept any more.
    dropped: u64,
    pub(crate) bells: Vec<Arc<Notify>>,
}

impl Kept {
    /// Takes in what a transaction has done.
    pub(crate) fn take(&mut self, store: &Store, pending: Pending) {
        for (by, happening) in pending.happened {
            self.last += 1;
            if let Happening::Removed { .. } = &happening {
                self.forget_removed(store);
            }
            self.happened.push_back((self.last, by, happening));
        }
        while self.happened.len() > HAPPENINGS_MAX {
            self.dropped = self.happened.pop_front().map_or(self.dropped, |oldest| oldest.0);
        }
        for touched in pending.touched {
            let Some(row) = store.folders.get(&touched.folder) else {
                continue;
            };
            self.last += 1;
            let at = self.last;
            let touch = self.folders.entry(touched.folder).or_insert_with(|| Touch {
                at: 0,
                name: Arc::from(""),
                status: Status::default(),
                messages: Mark::default(),
                flags: Mark::default(),
            });
            if *touch.name != *row.name {
                touch.name = Arc::from(row.name.as_str());
            }
            touch.status = row.status();
            self.order.remove(&touch.at);
            self.order.insert(at, touched.folder);
            touch.at = at;
            match touched.what {
                What::Messages => touch.messages.set(at, touched.by),
                What::Flags => touch.flags.set(at, touched.by),
            }
        }
        for bell in &self.bells {
            bell.notify_one();
        }
    }

    fn forget_removed(&mut self, store: &Store) {
        let order = &mut self.order;
        self.folders.retain(|folder, touch| {
            let stays = store.folders.contains_key(folder);
            if !stays {
                order.remove(&touch.at);
            }
            stays
        });
    }

    fn after(&self, read: u64, reader: Origin) -> Result<Told, Missed> {
        if self.dropped > read {
            return Err(Missed);
        }
        let from = self.happened.partition_point(|(at, ..)| *at <= read);
        let happened = self.happened.range(from..);
        let (own, others): (Vec<_>, Vec<_>) = happened.partition(|(_, by, _)| *by == reader && reader != 0);
        let mut folders = Vec::new();
        for (_, folder) in self.order.range(read.saturating_add(1)..) {
            let Some(touch) = self.folders.get(folder) else {
                continue;
            };
            let messages = touch.messages.is_news(read, reader);
            let flags = touch.flags.is_news(read, reader);
            if messages || flags {
                folders.push(Touched {
                    folder: FolderId(*folder),
                    name: Arc::clone(&touch.name),
                    status: touch.status,
                    messages,
                    flags,
                });
            }
        }
        Ok(Told {
            folders,
            happenings: others
                .into_iter()
                .map(|(.., happening)| happening.clone())
                .collect(),
            own: !own.is_empty(),
        })
    }
}

/// What the open transaction has done so far.
#[derive(Default)]
pub(crate) struct Pending {
    touched: Vec<PendingTouch>,
    happened: Vec<(Origin, Happening)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct PendingTouch {
    folder: i64,
    what: What,
    by: Origin,
}

/// What of a folder's messages has changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Messages,
    Flags,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.touched.is_empty() && self.happened.is_empty()
    }

    pub(crate) fn touch(&mut self, folder: i64, what: What, by: Origin) {
        let touch = PendingTouch { folder, what, by };
        // The last is the one most often.
        if !self.touched.iter().rev().any(|known| *known == touch) {
            self.touched.push(touch);
        }
    }

    pub(crate) fn happened(&mut self, by: Origin, happening: Happening) {
        self.happened.push((by, happening));
    }
}
