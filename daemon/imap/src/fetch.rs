//! FETCH (RFC 9051 §6.4.5; RFC 3516, 7162): what is asked for, batch by batch.
//!
//! UIDs come from the session's view; flags and all else from the store in portions of bounded size, of which the next is read while
//! one is sent (`ahead.rs`). A large text is never in memory as a whole (`source.rs`).

mod ahead;
mod dress;
mod item;
mod source;

use std::ops::Range;

use bytes::BufMut;
use mailbox::{Fetched, FlagAction, FlagChange, ModSeq, Row, Shown, Uid, Want};
use shared::Rights;
use smallvec::SmallVec;
use wire::imap::render::put_number;
use wire::imap::{FetchArgs, FetchItem, Flags, PartialRange, SectionText, SequenceSet};

use crate::esearch;
use crate::reply::{Answer, COMPLETED, End, Outcome};
use crate::session::{Session, Tell};
use crate::view::open_fetch;
pub(crate) use ahead::Ahead;
pub(crate) use source::{Known, fields};
use source::{Source, Trouble, Value};

/// UIDs told at once.
const BATCH_MAX_MESSAGES: usize = 1000;

/// A FETCH made ready.
struct Plan {
    items: Vec<FetchItem>,
    want: Want,
    /// Previews are asked for: only those that are known?
    preview: Option<bool>,
    /// Sets \Seen.
    seen: bool,
    with_flags: bool,
}

/// What came of it.
#[derive(Default)]
struct Done {
    missing: bool,
    unknown_encoding: bool,
    unavailable: bool,
    damaged: bool,
}

impl Plan {
    /// `utf8`: headers in UTF-8 are shown as they are (RFC 6855).
    fn new(args: FetchArgs, uid: bool, utf8: bool) -> Self {
        let mut items = args.items;
        // RFC 9051 §6.4.9: UID FETCH always tells the UID; RFC 7162 §3.1.4.1: CHANGEDSINCE the MODSEQ.
        for (wanted, item) in [
            (uid, FetchItem::Uid),
            (args.changed_since.is_some(), FetchItem::ModSeq),
        ] {
            if wanted && !items.contains(&item) {
                items.insert(0, item);
            }
        }
        let mut want = Want::default();
        for item in &items {
            add_wanted(&mut want, item);
        }
        want.downgraded = !utf8 && items.iter().any(shows_headers);
        let lazy = |item: &FetchItem| match item {
            FetchItem::Preview { lazy } => Some(*lazy),
            _ => None,
        };
        let preview = items.iter().filter_map(lazy).reduce(|a, b| a && b);
        let seen = items.iter().any(FetchItem::sets_seen);
        let with_flags = items.contains(&FetchItem::Flags);
        Self {
            items,
            want,
            preview,
            seen,
            with_flags,
        }
    }

    /// Whether the rows alone answer it.
    fn is_of_rows(&self) -> bool {
        self.want == Want::default() && !self.seen
    }

    /// Whether the view alone answers it.
    fn is_local(&self) -> bool {
        self.items.iter().all(|item| *item == FetchItem::Uid)
    }
}

fn add_wanted(want: &mut Want, item: &FetchItem) {
    match item {
        FetchItem::Uid | FetchItem::Flags | FetchItem::ModSeq => {}
        FetchItem::ThreadId => want.thread = true,
        FetchItem::SaveDate => want.saved = true,
        FetchItem::InternalDate | FetchItem::Rfc822Size | FetchItem::EmailId | FetchItem::Preview { .. } => {
            want.facts = true;
        }
        FetchItem::Envelope => want.envelope = true,
        FetchItem::Body | FetchItem::BodyStructure => want.structure = true,
        FetchItem::Rfc822Header => want.header = true,
        FetchItem::BodySection { section, .. } if section.part.is_empty() => match section.text {
            SectionText::Header | SectionText::HeaderFields { .. } => want.header = true,
            SectionText::All | SectionText::Text | SectionText::Mime => want.text = true,
        },
        FetchItem::Rfc822Text
        | FetchItem::BodySection { .. }
        | FetchItem::Rfc822
        | FetchItem::Binary { .. }
        | FetchItem::BinarySize { .. } => want.text = true,
    }
}

/// Whether headers in UTF-8 would show in it.
fn shows_headers(item: &FetchItem) -> bool {
    !matches!(
        item,
        FetchItem::Uid
            | FetchItem::Flags
            | FetchItem::ModSeq
            | FetchItem::InternalDate
            | FetchItem::EmailId
            | FetchItem::ThreadId
            | FetchItem::SaveDate
            | FetchItem::Preview { .. }
    )
}

/// Those messages of some ranges that stand in this part of all.
fn part_of(ranges: &[Range<usize>], partial: PartialRange) -> Vec<Range<usize>> {
    let part = esearch::portion(partial, ranges.iter().map(ExactSizeIterator::len).sum());
    let mut passed = 0;
    let cut = ranges.iter().map(|range| {
        let from = part.start.saturating_sub(passed).min(range.len());
        let to = part.end.saturating_sub(passed).min(range.len());
        passed += range.len();
        range.start + from..range.start + to
    });
    cut.filter(|range| !range.is_empty()).collect()
}

impl Session {
    pub(crate) async fn fetch(&mut self, uid: bool, args: FetchArgs) -> Outcome {
        self.tell(Tell::NoExpunge, uid).await?;
        // RFC 7162 §3.2.6
        if args.vanished && !(uid && self.enabled.qresync) {
            return Ok(Answer::bad("this is not offered"));
        }
        // RFC 7162 §3.1: asking for MODSEQ enables CONDSTORE.
        self.enable_condstore(args.changed_since.is_some() || args.items.contains(&FetchItem::ModSeq));
        if args.vanished {
            let saved = self.view.as_ref().map(|view| view.saved.clone());
            let uids = match &args.set {
                SequenceSet::Saved => saved.unwrap_or_default(),
                // What went may have been the last.
                set @ SequenceSet::Ranges(_) => set.resolve(Uid::MAX),
            };
            let since = args.changed_since.unwrap_or(0);
            self.put_earlier(&uids, since, None).await?;
        }
        let Some(view) = &self.view else {
            return Ok(Answer::bad("no mailbox"));
        };
        let ranges = match view.indices(&args.set, uid) {
            Ok(ranges) => ranges,
            Err(answer) => return Ok(answer),
        };
        let since = args.changed_since.unwrap_or(0);
        let all = args.changed_since.is_none();
        // RFC 9394 §3.3: of what would be told, only this part.
        let partial = args.partial;
        let ranges = match partial.filter(|_| all) {
            Some(partial) => part_of(&ranges, partial),
            None => ranges,
        };
        // RFC 9586 §3.3: the response begins with it.
        let tells_uid = uid && !self.enabled.uid_only;
        let plan = Plan::new(args, tells_uid, self.enabled.utf8_accept);
        let done = if all && plan.is_local() {
            let uids = view.uids_of(&ranges);
            self.fetch_local(&plan, &uids).await?
        } else if plan.is_of_rows() && (all || partial.is_none()) {
            self.fetch_rows(&plan, &ranges, since).await?
        } else {
            let uids = if all {
                view.uids_of(&ranges)
            } else {
                let changed = match self.changed(&ranges, since).await {
                    Ok(uids) => uids,
                    Err(error) => return Ok(error.into()),
                };
                let part = partial.map(|partial| esearch::portion(partial, changed.len()));
                part.map(|part| changed.get(part).unwrap_or_default().to_vec())
                    .unwrap_or(changed)
            };
            self.fetch_stored(&plan, &uids).await?
        };
        Ok(match done {
            Done {
                unavailable: true, ..
            } => Answer::no("some messages can't be read now, try again later").with("UNAVAILABLE"),
            Done { damaged: true, .. } => {
                Answer::no("some messages are damaged, the administrator was told").with("CORRUPTION")
            }
            // RFC 3516 §4.3
            Done {
                unknown_encoding: true,
                ..
            } => Answer::no("unknown encoding").with("UNKNOWN-CTE"),
            // RFC 2180 §4.1.2; UIDs that are gone are no error.
            Done { missing: true, .. } if !uid => Answer::no("some messages are gone").with("EXPUNGEISSUED"),
            _ => Answer::ok(COMPLETED),
        })
    }

    /// Tells of messages what nobody has asked for with FETCH. Nothing is changed by it; what can't be read is left out.
    pub(crate) async fn fetch_told(&mut self, items: Vec<FetchItem>, uids: &[Uid]) -> Result<(), End> {
        let args = FetchArgs {
            set: SequenceSet::Saved,
            items,
            // RFC 7162 §3.1: once it is switched on each FETCH response tells the MODSEQ.
            changed_since: self.enabled.condstore.then_some(0),
            vanished: false,
            partial: None,
        };
        let mut plan = Plan::new(args, !self.enabled.uid_only, self.enabled.utf8_accept);
        plan.seen = false;
        let _unread = if plan.is_local() {
            self.fetch_local(&plan, uids).await?
        } else {
            self.fetch_stored(&plan, uids).await?
        };
        if let Some(view) = &mut self.view {
            view.ahead = None;
        }
        Ok(())
    }

    /// UIDs out of the view.
    async fn fetch_local(&mut self, plan: &Plan, uids: &[Uid]) -> Result<Done, End> {
        let uid_only = self.enabled.uid_only;
        for batch in uids.chunks(BATCH_MAX_MESSAGES) {
            let Some(view) = &self.view else { break };
            let out = self.conn.output();
            let mut numbers = view.numbers();
            for &uid in batch {
                let Some(index) = numbers.index(uid) else { continue };
                let row = Row {
                    uid,
                    modseq: 0,
                    flags: Flags::NONE,
                    keywords: 0,
                };
                item::put_row(out, index, &plan.items, view, &row, (false, uid_only));
            }
            self.conn.flush_if_full().await?;
            // A long listing must not keep others from their turn.
            tokio::task::yield_now().await;
        }
        Ok(Done::default())
    }

    /// Flags, UIDs and MODSEQs out of the store's rows.
    async fn fetch_rows(&mut self, plan: &Plan, ranges: &[Range<usize>], since: ModSeq) -> Result<Done, End> {
        let mut done = Done::default();
        let (recent, uid_only) = (!self.enabled.rev2, self.enabled.uid_only);
        let mut left = self
            .view
            .as_ref()
            .map(|view| view.uid_ranges(ranges))
            .unwrap_or_default();
        let mut shown = 0;
        while !left.is_empty() {
            let Some(view) = &self.view else {
                break;
            };
            let Ok((rows, next)) = view
                .place
                .spot
                .owner
                .rows(view.folder.id, left.clone(), since)
                .await
            else {
                done.unavailable = true;
                break;
            };
            let out = self.conn.output();
            let mut numbers = view.numbers();
            for row in &rows {
                if let Some(index) = numbers.index(row.uid) {
                    item::put_row(out, index, &plan.items, view, row, (recent, uid_only));
                    shown += 1;
                }
            }
            self.conn.flush_if_full().await?;
            left = ranges_from(left, next);
        }
        done.missing = since == 0 && shown < ranges.iter().map(ExactSizeIterator::len).sum::<usize>();
        Ok(done)
    }

    /// The UIDs of those that have changed since.
    async fn changed(&self, ranges: &[Range<usize>], since: ModSeq) -> mailbox::Result<Vec<Uid>> {
        let mut uids = Vec::new();
        let Some(view) = &self.view else {
            return Ok(uids);
        };
        let mut left = view.uid_ranges(ranges);
        while !left.is_empty() {
            let (rows, next) = view
                .place
                .spot
                .owner
                .rows(view.folder.id, left.clone(), since)
                .await?;
            let mut numbers = view.numbers();
            uids.extend(
                rows.iter()
                    .map(|row| row.uid)
                    .filter(|&uid| numbers.index(uid).is_some()),
            );
            left = ranges_from(left, next);
        }
        Ok(uids)
    }

    /// What the store has to give.
    async fn fetch_stored(&mut self, plan: &Plan, uids: &[Uid]) -> Result<Done, End> {
        let mut done = Done::default();
        let mut left = uids;
        if let Some(view) = &mut self.view {
            let now = view.watch.borrow().modseq;
            view.ahead.get_or_insert_default().as_of(now);
        }
        while !left.is_empty() {
            let Some(view) = &mut self.view else {
                break;
            };
            let (folder, owner) = (view.folder.id, &view.place.spot.owner);
            let ahead = view.ahead.get_or_insert_default();
            let Ok((mut messages, count)) = ahead.next(owner, folder, left, plan.want).await else {
                done.unavailable = true;
                break;
            };
            done.missing |= messages.len() < count;
            left = left.get(count..).unwrap_or_default();
            ahead.go_on(owner, folder, left).await;
            let (disk, known) = (&self.server.disk, view.known.as_deref());
            let Ok(mut large) = dress::dress(plan, owner, folder, disk, known, &mut messages).await else {
                done.unavailable = true;
                break;
            };
            let marked = if plan.seen {
                self.mark_seen(&messages).await?
            } else {
                Vec::new()
            };
            for mut message in messages {
                let at = marked.binary_search_by_key(&message.row.uid, |row| row.uid);
                if let Some(row) = at.ok().and_then(|at| marked.get(at)) {
                    message.row = *row;
                }
                let shown = large.iter().position(|(uid, _)| *uid == message.row.uid);
                let shown = shown.map(|at| large.swap_remove(at).1);
                self.put_message(plan, &message, shown, at.is_ok(), &mut done)
                    .await?;
                self.conn.flush_if_full().await?;
            }
        }
        if let Some(view) = &mut self.view
            && let (Some(&first), Some(&last)) = (uids.first(), uids.last())
        {
            view.read_on((first, last, uids.len())).await;
        }
        Ok(done)
    }

    /// Sets \Seen on what is about to be shown and did not have it. Gives those rows, ascending.
    async fn mark_seen(&mut self, fetched: &[Fetched]) -> Result<Vec<Row>, End> {
        let Some(view) = &mut self.view else {
            return Ok(Vec::new());
        };
        let unseen = |row: &Row| !row.flags.contains(Flags::SEEN);
        let uids: Vec<Uid> = fetched
            .iter()
            .filter(|message| unseen(&message.row))
            .map(|message| message.row.uid)
            .collect();
        if view.permit(Rights::SEEN).is_err() || uids.is_empty() {
            return Ok(Vec::new());
        }
        let change = FlagChange {
            action: FlagAction::Add,
            flags: Flags::SEEN,
            keywords: Vec::new(),
            unchanged_since: None,
            within: FlagChange::ALL,
        };
        // If it can't be set now the message is shown all the same.
        let Ok(stored) = view.place.spot.owner.store(view.folder.id, &uids, change).await else {
            return Ok(Vec::new());
        };
        view.note_stored(&stored);
        Ok(stored.rows)
    }

    /// One FETCH response.
    async fn put_message(
        &mut self,
        plan: &Plan,
        message: &Fetched,
        shown: Option<Shown>,
        newly_seen: bool,
        done: &mut Done,
    ) -> Result<(), End> {
        if plan.want.text && message.text.is_none() || plan.want.header && message.header.is_none() {
            done.damaged = true;
            return Ok(());
        }
        let Some(view) = &mut self.view else { return Ok(()) };
        let Some(index) = view.index(message.row.uid) else {
            return Ok(());
        };
        let mut source = Source::new(message, shown, view.known.take(), &self.server.disk);
        // What can fail is read before the first word of the response is said.
        let mut values: SmallVec<[Value; 8]> = SmallVec::new();
        for wanted in &plan.items {
            match source.value(wanted).await {
                Ok(value) => values.push(value),
                Err(Trouble::Unavailable) => done.unavailable = true,
                Err(Trouble::UnknownEncoding) => done.unknown_encoding = true,
            }
        }
        if values.len() < plan.items.len() {
            return Ok(());
        }
        let recent = !self.enabled.rev2;
        let uid_only = self.enabled.uid_only;
        open_fetch(self.conn.output(), index, message.row.uid, uid_only);
        for (at, (wanted, value)) in plan.items.iter().zip(&values).enumerate() {
            if at > 0 {
                self.conn.output().put_u8(b' ');
            }
            match value {
                Value::Plain => item::put(self.conn.output(), wanted, view, message, recent),
                Value::Range(range) => {
                    item::put_head(self.conn.output(), wanted, range.end - range.start);
                    source.stream(&mut self.conn, range.clone()).await?;
                }
                Value::Decoded(part) => {
                    item::put_head(self.conn.output(), wanted, part.range.end - part.range.start);
                    source.stream_decoded(&mut self.conn, part).await?;
                }
                value => item::put_value(self.conn.output(), wanted, value),
            }
        }
        view.known = source.into_known();
        // RFC 9051 §6.4.5: a flag that this has changed is told.
        if newly_seen && !plan.with_flags {
            let row = &message.row;
            let out = self.conn.output();
            out.put_u8(b' ');
            if self.enabled.condstore && !plan.items.contains(&FetchItem::ModSeq) {
                out.put_slice(b"MODSEQ (");
                put_number(out, row.modseq);
                out.put_slice(b") ");
            }
            view.put_flags_item(out, row, recent);
        }
        self.conn.output().put_slice(b")\r\n");
        Ok(())
    }
}

/// What is left of ascending ranges from a UID on.
pub(crate) fn ranges_from(ranges: Vec<(Uid, Uid)>, next: Option<Uid>) -> Vec<(Uid, Uid)> {
    let Some(next) = next else {
        return Vec::new();
    };
    let left = ranges.into_iter().filter(|range| range.1 >= next);
    left.map(|(first, last)| (first.max(next), last)).collect()
}
