//! What a job works with: its owner's open mailbox, and the way to change it.
//!
//! A change is decided, written into the journal, and applied, in this order and by the same code that a replay uses. Numbers are given
//! from blocks whose reservation was durable before.

use std::time::Duration;

use disk::blob::Blob;
use events::Scope;
use events::kinds::store::MailboxDamaged;
use journal::{Journal, JournalError, RecordId};

use crate::core::Core;
use crate::record::{self, Op};
use crate::store::Store;
use crate::{JOURNAL_KIND, KEYWORDS_PER_FOLDER_MAX, MailboxError, Result, SMALL_TEXT_MAX_BYTES, apply};

/// UIDs of one reservation.
const UID_BLOCK: u64 = 1000;
/// MODSEQs of one reservation.
const MODSEQ_BLOCK: u64 = 10_000;
/// A worker waits so often for room in the journal …
const ROOM_TRIES_MAX: u32 = 2000;
/// … and so long each time.
const ROOM_WAIT: Duration = Duration::from_millis(1);

pub(crate) struct Ctx<'a> {
    pub(crate) core: &'a Core,
    pub(crate) store: &'a mut Store,
    /// The queue's records from here on outlive what this transaction does.
    pub(crate) replayable_from: u64,
}

impl Ctx<'_> {
    /// Writes an operation into the journal and applies it. `text`: that of a [`Op::Place`].
    pub(crate) fn record(&mut self, op: &Op, text: Option<&Blob>) -> Result<RecordId> {
        let id = self.append(op, text)?;
        self.apply(id, op, text)?;
        Ok(id)
    }

    /// The same, durable before anybody can see it.
    pub(crate) fn record_durably(&mut self, op: &Op) -> Result<RecordId> {
        let id = self.append(op, None)?;
        if let Err(error) = self.core.journal.durable_blocking(id) {
            let error = MailboxError::from(error);
            self.store.broken = Some(error.clone());
            return Err(error);
        }
        self.apply(id, op, None)?;
        Ok(id)
    }

    fn append(&mut self, op: &Op, text: Option<&Blob>) -> Result<RecordId> {
        if let Some(reason) = self.core.durability.failure() {
            return Err(MailboxError::Unavailable(reason));
        }
        let mut head = Vec::with_capacity(64);
        let at = crate::now();
        self.store.recorded_at = Some(at);
        let parts = record::encode(self.store.owner, at, op, &mut head);
        let bytes = parts.iter().map(|part| part.len()).sum::<usize>();
        let id = append_when_there_is_room(&self.core.journal, &parts, waits(op))?;
        let text_bytes = text.map_or(0, |text| (text.len() as usize).min(SMALL_TEXT_MAX_BYTES));
        self.store.texts_bytes += bytes + text_bytes;
        self.store.commit_now |= matches!(op, Op::Append(append) if append.source.is_some());
        self.store.records.push((id, text.cloned()));
        Ok(id)
    }

    fn apply(&mut self, id: RecordId, op: &Op, text: Option<&Blob>) -> Result<()> {
        let applied = apply::apply(self.core, self.store, id, op, text);
        if let Err(error) = &applied {
            self.store.broken = Some(error.clone());
        }
        applied
    }

    /// Takes `count` MODSEQs: the first of them.
    pub(crate) fn take_modseqs(&mut self, count: u64) -> Result<u64> {
        let last = self.store.state.modseq + count;
        if last > self.store.state.modseq_reserved {
            let upto = last + MODSEQ_BLOCK;
            self.record_durably(&Op::Reserve { folder: 0, upto })?;
        }
        let first = self.store.state.modseq + 1;
        self.store.state.modseq = last;
        self.store.state.dirty = true;
        Ok(first)
    }

    pub(crate) fn take_modseq(&mut self) -> Result<u64> {
        self.take_modseqs(1)
    }

    /// Takes `count` UIDs of a folder: the first of them.
    pub(crate) fn take_uids(&mut self, folder: i64, count: u32) -> Result<u32> {
        let row = self.store.folder_mut(folder).ok_or(MailboxError::NoSuchFolder)?;
        // RFC 3501 §2.3.1.1: 32 bits. A folder that has used them up takes nothing more.
        let next = row
            .uid_next
            .checked_add(count)
            .ok_or(MailboxError::NotAllowed("the folder has no UIDs left"))?;
        if next > row.uid_reserved {
            let upto = (u64::from(next) + UID_BLOCK).min(u64::from(u32::MAX));
            self.record_durably(&Op::Reserve { folder, upto })?;
        }
        let row = self.store.folder_mut(folder).ok_or(MailboxError::NoSuchFolder)?;
        let first = row.uid_next;
        row.uid_next = next;
        row.dirty = true;
        Ok(first)
    }

    /// The bits of keywords in a folder, and those that it has yet to learn.
    pub(crate) fn keyword_bits(
        &self,
        folder: i64,
        keywords: &[String],
        learn: bool,
    ) -> Result<(u64, Vec<String>)> {
        let known = &self
            .store
            .folders
            .get(&folder)
            .ok_or(MailboxError::NoSuchFolder)?
            .keywords;
        let mut new: Vec<String> = Vec::new();
        let mut bits = 0_u64;
        for keyword in keywords {
            let same = |name: &String| name.eq_ignore_ascii_case(keyword);
            let bit = match known.iter().position(same) {
                Some(bit) => bit,
                None => match new.iter().position(same) {
                    Some(bit) => known.len() + bit,
                    None if !learn => continue,
                    None => {
                        // A space would end the name where the names are kept.
                        if keyword.is_empty() || keyword.contains(char::is_whitespace) {
                            return Err(MailboxError::NotAllowed("a keyword is an atom"));
                        }
                        new.push(keyword.clone());
                        known.len() + new.len() - 1
                    }
                },
            };
            if bit >= KEYWORDS_PER_FOLDER_MAX {
                return Err(MailboxError::TooManyKeywords);
            }
            bits |= 1 << bit;
        }
        Ok((bits, new))
    }

    /// Tells, once while the mailbox is open, that something in it is damaged.
    pub(crate) fn tell_damage(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.store.damage_told, true) {
            let event = MailboxDamaged {
                owner: self.store.owner.0.to_string(),
                reason: reason.to_owned(),
            };
            self.core.events.emit(Scope::default(), event);
        }
    }

    /// Whether the owner may fill `more` bytes.
    pub(crate) fn check_quota(&self, quota: Option<u64>, more: u64) -> Result<()> {
        match quota {
            Some(quota) if self.store.used_bytes().saturating_add(more) > quota => {
                Err(MailboxError::OverQuota)
            }
            _ => Ok(()),
        }
    }
}

/// Whether somebody waits until the record of an operation is durable.
fn waits(op: &Op) -> bool {
    !matches!(op, Op::Place(_) | Op::Flags { .. } | Op::Mark)
}

/// The journal takes a bounded number of bytes that are not written yet. Blocks the worker until it takes ours.
fn append_when_there_is_room(journal: &Journal, parts: &[&[u8]], waits: bool) -> Result<RecordId> {
    for _ in 0..ROOM_TRIES_MAX {
        let appended = if waits {
            journal.append_to_sync(JOURNAL_KIND, parts)
        } else {
            journal.append(JOURNAL_KIND, parts)
        };
        match appended {
            Err(JournalError::Busy) => std::thread::sleep(ROOM_WAIT),
            appended => return Ok(appended?),
        }
    }
    Err(JournalError::Busy.into())
}
