//! FETCH (RFC 9051 §6.4.5; RFC 3516, 7162): what is asked for, batch by batch.
//!
//! Flags and UIDs come from the session's view; all else from the store in batches of bounded size. A large text is
//! never in memory as a whole, unless a part within it is asked for.

mod item;
mod source;

use bytes::BufMut;
use mailbox::{Fetched, FlagAction, FlagChange, Row, Uid, Want};
use shared::Rights;
use wire::imap::render::put_number;
use wire::imap::{FetchArgs, FetchItem, Flags, SectionText};

use crate::reply::{Answer, COMPLETED, End, Outcome};
use crate::session::{Session, Tell};

/// UIDs asked for at once.
const BATCH_MAX_MESSAGES: usize = 1000;

/// A FETCH made ready.
struct Plan {
    items: Vec<FetchItem>,
    want: Want,
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
    fn new(args: FetchArgs, uid: bool) -> Self {
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
        let seen = items.iter().any(FetchItem::sets_seen);
        let with_flags = items.contains(&FetchItem::Flags);
        Self {
            items,
            want,
            seen,
            with_flags,
        }
    }

    /// Whether the view alone answers it.
    fn is_local(&self) -> bool {
        self.want == Want::default() && !self.seen
    }
}

fn add_wanted(want: &mut Want, item: &FetchItem) {
    match item {
        FetchItem::Uid | FetchItem::Flags | FetchItem::ModSeq | FetchItem::ThreadId | FetchItem::SaveDate => {
        }
        FetchItem::InternalDate | FetchItem::Rfc822Size | FetchItem::EmailId => want.facts = true,
        FetchItem::Envelope => want.envelope = true,
        FetchItem::BodyStructure => want.structure = true,
        FetchItem::Rfc822Header => want.header = true,
        FetchItem::BodySection { section, .. } if section.part.is_empty() => match section.text {
            SectionText::Header | SectionText::HeaderFields { .. } => want.header = true,
            SectionText::All => want.text = true,
            SectionText::Text | SectionText::Mime => (want.header, want.text) = (true, true),
        },
        FetchItem::Rfc822Text => (want.header, want.text) = (true, true),
        FetchItem::Body
        | FetchItem::BodySection { .. }
        | FetchItem::Rfc822
        | FetchItem::Binary { .. }
        | FetchItem::BinarySize { .. }
        | FetchItem::Preview { .. } => want.text = true,
    }
}

fn is_offered(item: &FetchItem) -> bool {
    !matches!(
        item,
        FetchItem::Preview { .. } | FetchItem::SaveDate | FetchItem::EmailId | FetchItem::ThreadId
    )
}

impl Session {
    pub(crate) async fn fetch(&mut self, uid: bool, args: FetchArgs) -> Outcome {
        self.tell(Tell::NoExpunge, uid).await?;
        if args.vanished || args.partial.is_some() || !args.items.iter().all(is_offered) {
            return Ok(Answer::bad("this is not offered"));
        }
        // RFC 7162 §3.1: asking for MODSEQ enables CONDSTORE.
        self.enabled.condstore |= args.changed_since.is_some() || args.items.contains(&FetchItem::ModSeq);
        let Some(view) = &self.view else {
            return Ok(Answer::bad("no mailbox"));
        };
        let ranges = match view.indices(&args.set, uid) {
            Ok(ranges) => ranges,
            Err(answer) => return Ok(answer),
        };
        let since = args.changed_since.unwrap_or(0);
        let changed = args.changed_since.is_none();
        let rows = view.rows_of(&ranges).filter(|row| changed || row.modseq > since);
        let uids: Vec<Uid> = rows.map(|row| row.uid).collect();
        let plan = Plan::new(args, uid);
        let done = if plan.is_local() {
            self.fetch_local(&plan, &uids).await?
        } else {
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

    /// Flags, UIDs and MODSEQs out of the view.
    async fn fetch_local(&mut self, plan: &Plan, uids: &[Uid]) -> Result<Done, End> {
        let recent = !self.enabled.rev2;
        for batch in uids.chunks(BATCH_MAX_MESSAGES) {
            let Some(view) = &self.view else { break };
            let out = self.conn.output();
            let mut index = batch.first().and_then(|&first| view.index(first)).unwrap_or(0);
            for &uid in batch {
                // UIDs ascend, as the rows do.
                while view.rows.get(index).is_some_and(|row| row.uid < uid) {
                    index += 1;
                }
                let Some(row) = view.rows.get(index) else { break };
                item::open(out, index);
                for (at, wanted) in plan.items.iter().enumerate() {
                    if at > 0 {
                        out.put_u8(b' ');
                    }
                    item::put_local(out, wanted, view, row, recent);
                }
                out.put_slice(b")\r\n");
            }
            self.conn.flush_if_full().await?;
            // A long listing must not keep others from their turn.
            tokio::task::yield_now().await;
        }
        Ok(Done::default())
    }

    /// What the store has to give.
    async fn fetch_stored(&mut self, plan: &Plan, uids: &[Uid]) -> Result<Done, End> {
        let mut done = Done::default();
        let mut left = uids;
        while let Some(batch) = left
            .get(..left.len().min(BATCH_MAX_MESSAGES))
            .filter(|batch| !batch.is_empty())
        {
            let Some(view) = &self.view else {
                break;
            };
            let Ok(fetched) = view
                .place
                .spot
                .owner
                .fetch(view.folder.id, batch, plan.want)
                .await
            else {
                done.unavailable = true;
                break;
            };
            let Some(last) = fetched.last().map(|fetched| fetched.row.uid) else {
                done.missing = true;
                left = left.get(batch.len()..).unwrap_or_default();
                continue;
            };
            let asked = batch.partition_point(|&uid| uid <= last);
            done.missing |= fetched.len() < asked;
            let marked = if plan.seen {
                self.mark_seen(&fetched).await?
            } else {
                Vec::new()
            };
            for message in &fetched {
                let newly_seen = marked.binary_search(&message.row.uid).is_ok();
                self.put_message(plan, message, newly_seen, &mut done).await?;
                self.conn.flush_if_full().await?;
            }
            left = left.get(asked..).unwrap_or_default();
        }
        Ok(done)
    }

    /// Sets \Seen on what is about to be shown and did not have it. Gives those UIDs, ascending.
    async fn mark_seen(&mut self, fetched: &[Fetched]) -> Result<Vec<Uid>, End> {
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
        if let Ok(stored) = view.place.spot.owner.store(view.folder.id, &uids, change).await {
            for row in stored.rows {
                view.put_row(row);
            }
            return Ok(uids);
        }
        Ok(Vec::new())
    }

    /// One FETCH response.
    async fn put_message(
        &mut self,
        plan: &Plan,
        message: &Fetched,
        newly_seen: bool,
        done: &mut Done,
    ) -> Result<(), End> {
        let Some(view) = &self.view else { return Ok(()) };
        let Some(index) = view.index(message.row.uid) else {
            return Ok(());
        };
        let mut source = source::Source::new(message, self.server.disk.clone());
        // What can fail is read before the first word of the response is said.
        if !source.prepare(plan.items.iter(), plan.want.header).await {
            done.unavailable = true;
            return Ok(());
        }
        if plan
            .items
            .iter()
            .any(|wanted| source.has_unknown_encoding(wanted))
        {
            done.unknown_encoding = true;
            return Ok(());
        }
        let recent = !self.enabled.rev2;
        item::open(self.conn.output(), index);
        for (at, wanted) in plan.items.iter().enumerate() {
            if at > 0 {
                self.conn.output().put_u8(b' ');
            }
            match source.streamed(wanted) {
                Some(range) => {
                    item::put_section_name(self.conn.output(), wanted);
                    source.stream(&mut self.conn, range).await?;
                }
                None => {
                    let Some(view) = &self.view else { return Ok(()) };
                    let Some(row) = view.rows.get(index) else {
                        return Ok(());
                    };
                    item::put(self.conn.output(), wanted, view, row, message, &source, recent);
                }
            }
        }
        // RFC 9051 §6.4.5: a flag that this has changed is told.
        if newly_seen
            && !plan.with_flags
            && let Some(view) = &self.view
            && let Some(row) = view.rows.get(index)
        {
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
