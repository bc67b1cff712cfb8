//! A handle on one owner's mailbox: every call becomes a job of the owner's worker.

mod append;
mod folders;
mod order;

use std::sync::Arc;

use journal::RecordId;
use shared::model::OwnerId;
use tokio::sync::{Notify, oneshot};
use wire::imap::SearchKey;

use crate::core::{Until, stopped};
use crate::ctx::Ctx;
use crate::feed::{Feed, Origin};
use crate::index::{self, Answer};
use crate::read::{changes, fetch, preview, search, select, sizes};
use crate::record::Op;
use crate::slot::Slot;
use crate::store::Store;
use crate::types::{
    Append, Appended, Changes, Checked, Copied, Fetched, FlagChange, FolderId, ModSeq, Portion, Row,
    Selected, SizeRow, Stored, Transfer, Uid, Want,
};
use crate::write::{copy, expunge, flags, replace};
use crate::{Handle, MailboxError, Result, check, replay};

/// A portion of messages that is being read.
#[derive(Debug)]
pub struct Fetching {
    answer: oneshot::Receiver<Result<Portion>>,
}

impl Fetching {
    pub async fn portion(self) -> Result<Portion> {
        self.answer.await.map_err(|_| stopped())?
    }
}

/// A handle on one owner's mailbox. Calls of one owner take effect in the order in which they were made.
#[derive(Clone)]
pub struct Owner {
    pub(crate) handle: Arc<Handle>,
    pub(crate) slot: Arc<Slot>,
    pub(crate) origin: Origin,
}

impl Owner {
    /// The same handle in somebody's name: who watches under that name is not told of what is done with it.
    #[must_use]
    pub fn by(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    pub fn id(&self) -> OwnerId {
        self.slot.id
    }

    /// `claim_recent`: SELECT claims the recent messages for its session, EXAMINE does not.
    pub async fn select(&self, name: &str, claim_recent: bool) -> Result<Selected> {
        let (name, slot) = (name.to_owned(), Arc::clone(&self.slot));
        self.run(move |ctx| select::select(ctx, &slot, &name, claim_recent))
            .await
    }

    /// What a session does not know that was told of all changes up to `since` and of messages up to the UID `known`.
    pub async fn changes(
        &self,
        folder: FolderId,
        since: ModSeq,
        known: Uid,
        claim_recent: bool,
    ) -> Result<Changes> {
        self.run(move |ctx| changes::changes(ctx, folder, since, known, claim_recent))
            .await
    }

    /// The rows of the messages in ascending ranges of UIDs whose MODSEQ is greater than `since`, a bounded number of them; and the UID to go on
    /// with, if these are not all.
    pub async fn rows(
        &self,
        folder: FolderId,
        ranges: Vec<(Uid, Uid)>,
        since: ModSeq,
    ) -> Result<(Vec<Row>, Option<Uid>)> {
        self.run(move |ctx| changes::rows(ctx, folder, &ranges, since))
            .await
    }

    /// The ranges of UIDs that went after a MODSEQ, ascending; `None`: it is not known any more what went so long ago.
    pub async fn expunged(&self, folder: FolderId, since: ModSeq) -> Result<Option<Vec<(Uid, Uid)>>> {
        self.run(move |ctx| changes::expunged(ctx, folder, since)).await
    }

    /// Sees a new value after every change of any of the owner's folders (sent once the change is visible). Costs nothing while
    /// nothing happens and keeps no database open.
    pub fn watch(&self) -> tokio::sync::watch::Receiver<u64> {
        self.slot.watch()
    }

    /// What others than this handle's origin do to the mailbox from now on; `bell` is rung when there is something to read. Opens nothing.
    pub fn feed(&self, bell: &Arc<Notify>) -> Feed {
        Feed::new(Arc::clone(&self.slot), self.origin, Arc::clone(bell))
    }

    /// Messages in the order of `uids` (ascending); those that are gone are left out. Stops when the texts gathered pass about
    /// 1 MiB or 1,000 messages: the caller asks again for UIDs after the last one. A text that is damaged or lost is `None`.
    pub async fn fetch(&self, folder: FolderId, uids: &[Uid], want: Want) -> Result<Vec<Fetched>> {
        let uids = uids.to_vec();
        self.run(move |ctx| fetch::fetch(ctx, folder, &uids, want)).await
    }

    /// What a listing of sizes needs, in the order of the UIDs, from `from` on. Stops after 10,000: the caller asks again for those
    /// after the last one.
    pub async fn sizes(&self, folder: FolderId, from: Uid) -> Result<Vec<SizeRow>> {
        self.run(move |ctx| sizes::sizes(ctx, folder, from)).await
    }

    /// The same in portions of about `bytes_max`, of which one can be read while its caller does something else.
    pub async fn begin_fetch(
        &self,
        folder: FolderId,
        uids: Vec<Uid>,
        want: Want,
        bytes_max: usize,
    ) -> Result<Fetching> {
        let portion = move |ctx: &mut Ctx<'_>| fetch::portion(ctx, folder, &uids, want, bytes_max);
        let answer = self.handle.core.start(&self.slot, portion).await?;
        Ok(Fetching { answer })
    }

    /// Previews (RFC 8970) of some messages from the first of `uids` (ascending) on; those that are gone are left out. `None`: there is none yet
    /// (`lazy`: only what is known is given), or the text is lost. The caller asks again for UIDs after the last one.
    pub async fn previews(
        &self,
        folder: FolderId,
        uids: &[Uid],
        lazy: bool,
    ) -> Result<Vec<(Uid, Option<String>)>> {
        let uids = uids.to_vec();
        self.run(move |ctx| preview::previews(ctx, folder, &uids, lazy))
            .await
    }

    /// Changes flags. The record is in the journal but its sync is not waited for (at most a second of flag changes is lost at a power cut; nothing at a crash
    /// of the daemon).
    pub async fn store(&self, folder: FolderId, uids: &[Uid], change: FlagChange) -> Result<Stored> {
        let uids = uids.to_vec();
        let call = move |ctx: &mut Ctx<'_>| {
            let before = ctx.store.records.len();
            let stored = flags::store(ctx, folder, &uids, &change)?;
            let record = ctx.store.records.get(before..).and_then(<[_]>::last);
            let until = record.map_or(Until::Now, |(record, _)| Until::Written(*record));
            Ok((stored, until))
        };
        self.run_until(call).await
    }

    /// Removes the messages among `uids` (all, if `None`) that have \Deleted. Durable when it returns.
    pub async fn expunge(&self, folder: FolderId, uids: Option<&[Uid]>) -> Result<Vec<Uid>> {
        expunge::in_portions(&self.handle.core, &self.end(folder), uids, true).await
    }

    /// Removes messages whatever their flags (POP3's QUIT). Durable when it returns.
    pub async fn remove_messages(&self, folder: FolderId, uids: &[Uid]) -> Result<Vec<Uid>> {
        expunge::in_portions(&self.handle.core, &self.end(folder), Some(uids), false).await
    }

    /// RFC 8508: appends a message to a folder and removes another one; a crash leaves both done or neither. `None`: the one to be replaced is gone, and
    /// nothing was done. Durable when it returns.
    pub async fn replace(
        &self,
        folder: FolderId,
        uid: Uid,
        to: &Owner,
        target: FolderId,
        message: Append,
    ) -> Result<Option<Appended>> {
        if self.id() == to.id() {
            return self
                .run_durable(move |ctx| replace::within(ctx, folder, uid, target, message))
                .await;
        }
        let from = self.end(folder);
        let to = to.clone().by(self.origin).end(target);
        replace::between(&self.handle.core, from, uid, to, message).await
    }

    /// All or nothing. Durable when it returns.
    pub async fn copy(&self, folder: FolderId, uids: &[Uid], to: &Owner, target: FolderId) -> Result<Copied> {
        self.transfer(folder, uids, to, target, Transfer::COPY).await
    }

    /// The target is durable before the source is expunged. Durable when it returns.
    pub async fn move_to(
        &self,
        folder: FolderId,
        uids: &[Uid],
        to: &Owner,
        target: FolderId,
    ) -> Result<Copied> {
        self.transfer(folder, uids, to, target, Transfer::MOVE).await
    }

    /// The UIDs of the messages that match, ascending. Sequence sets in `key` have been replaced by UID sets. Strings are
    /// UTF-8, matched as substrings without regard to case over decoded text (RFC 3501 §6.4.4). `now`: Unix seconds, for YOUNGER and OLDER.
    pub async fn search(&self, folder: FolderId, key: Arc<SearchKey>, now: i64) -> Result<Vec<Uid>> {
        let answer = Arc::new(self.ask_index(&key).await?);
        let mut found = Vec::new();
        let mut from = 0;
        loop {
            let (key, answer) = (Arc::clone(&key), Arc::clone(&answer));
            let (more, next) = self
                .run(move |ctx| search::portion(ctx, folder, &key, &answer, now, from))
                .await?;
            found.extend(more);
            match next {
                Some(next) => from = next,
                None => return Ok(found),
            }
        }
    }

    /// Somebody has opened this mailbox and may search it: its texts are indexed when it is left alone.
    pub fn expect_searches(&self) {
        self.handle.core.index.opened(&self.slot);
    }

    /// Indexes all texts that are there, now.
    pub async fn index(&self) -> Result<()> {
        let (handle, slot) = (Arc::clone(&self.handle), Arc::clone(&self.slot));
        let indexed = tokio::task::spawn_blocking(move || index::work(&handle.core, &slot));
        indexed
            .await
            .map_err(|error| MailboxError::Unavailable(error.to_string()))?
    }

    /// Removes the index and makes it anew, now.
    async fn rebuild_index(&self) -> Result<()> {
        self.run(index::clear).await?;
        self.index().await
    }

    /// What the index knows of a search's needles.
    async fn ask_index(&self, key: &SearchKey) -> Result<Answer> {
        let background = &self.handle.core.index;
        if !index::asks_texts(key) || index::asks_few(key) || !background.is_on() {
            return Ok(Answer::default());
        }
        background.searched(&self.slot);
        let Some(mut answer) = Answer::to(key) else {
            return Ok(Answer::default());
        };
        loop {
            let asked = self.run(move |ctx| {
                let whole = answer.ask(&ctx.store.conn)?;
                Ok((answer, whole))
            });
            match asked.await? {
                (asked, true) => return Ok(asked),
                (asked, false) => answer = asked,
            }
        }
    }

    /// Verifies checksums, counters and links; repairs if asked.
    pub async fn check(&self, repair: bool) -> Result<Checked> {
        let mut checked = self.run(move |ctx| check::database(ctx, repair)).await?;
        if repair
            && checked
                .problems
                .iter()
                .any(|(problem, _)| problem.code == index::DAMAGED)
        {
            self.rebuild_index().await?;
        }
        let mut from = 0;
        while let Some(next) = {
            let (problems, next) = self.run(move |ctx| check::texts(ctx, repair, from)).await?;
            checked.problems.extend(problems);
            next
        } {
            from = next;
        }
        Ok(checked)
    }

    /// Removes the mailbox with all mail.
    pub async fn destroy(&self) -> Result<()> {
        let id = self.id();
        self.run_durable(|ctx| Ok(((), Some(ctx.record(&Op::Destroy, None)?))))
            .await?;
        let handle = Arc::clone(&self.handle);
        let slot = Arc::clone(&self.slot);
        let removed = tokio::task::spawn_blocking(move || {
            handle.core.close_slot(&slot);
            handle.core.shares.forget(id);
            replay::remove_mailbox(&handle.core, id)
        });
        removed
            .await
            .map_err(|error| MailboxError::Unavailable(error.to_string()))?
    }

    /// Copies (all or nothing) or moves (the target is durable before the source is expunged). Durable when it returns.
    pub async fn transfer(
        &self,
        folder: FolderId,
        uids: &[Uid],
        to: &Owner,
        target: FolderId,
        how: Transfer,
    ) -> Result<Copied> {
        if self.id() != to.id() {
            let from = self.end(folder);
            let to = to.clone().by(self.origin).end(target);
            return copy::between(&self.handle.core, from, to, uids, how).await;
        }
        copy::in_portions(&self.handle.core, &self.end(folder), uids, target, how).await
    }

    /// For operations that take several jobs.
    fn end(&self, folder: FolderId) -> copy::End {
        copy::End {
            slot: Arc::clone(&self.slot),
            folder,
            origin: self.origin,
        }
    }

    fn glance<T>(&self, look: impl FnOnce(&Store) -> Option<T>) -> Option<T> {
        self.handle.core.glance(&self.slot, look)
    }

    async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Ctx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let call = in_the_name_of(self.origin, call);
        self.handle.core.run(&self.slot, call).await
    }

    /// The same, and waits until the record is durable.
    async fn run_durable<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Ctx<'_>) -> Result<(T, Option<RecordId>)> + Send + 'static,
    ) -> Result<T> {
        let call = move |ctx: &mut Ctx<'_>| {
            let (result, record) = call(ctx)?;
            Ok((result, record.map_or(Until::Now, Until::Durable)))
        };
        self.run_until(call).await
    }

    async fn run_until<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Ctx<'_>) -> Result<(T, Until)> + Send + 'static,
    ) -> Result<T> {
        let call = in_the_name_of(self.origin, call);
        let answer = self.handle.core.start_until(&self.slot, call).await?;
        answer.await.map_err(|_| stopped())?
    }
}

/// A job that is done for somebody.
pub(crate) fn in_the_name_of<T>(
    origin: Origin,
    call: impl FnOnce(&mut Ctx<'_>) -> Result<T>,
) -> impl FnOnce(&mut Ctx<'_>) -> Result<T> {
    move |ctx| {
        ctx.store.origin = origin;
        let result = call(ctx);
        ctx.store.origin = 0;
        result
    }
}
