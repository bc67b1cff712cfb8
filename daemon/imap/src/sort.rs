//! SORT and UID SORT (RFC 5256; RFC 5267, RFC 5957).

use bytes::BufMut;
use mailbox::{ModSeq, Uid};
use wire::imap::render::put_number;
use wire::imap::{FetchItem, SearchKey, SearchReturn, SortArgs, SortKey, Tag};

use crate::contexts::Context;
use crate::esearch::{Correlator, Report};
use crate::reply::{Answer, COMPLETED, Outcome};
use crate::search::{Matched, Search, asks_modseq};
use crate::session::{Session, Tell};

/// Numbers written between two looks at how much there is to send.
pub(crate) const NUMBERS_PER_LOOK: usize = 1000;

/// What SEARCH or SORT has found, in its order.
pub(crate) struct Sequenced {
    /// How an answer without RETURN begins.
    pub(crate) word: &'static [u8],
    pub(crate) uids: Vec<Uid>,
    pub(crate) sorted_by: Option<Vec<(SortKey, bool)>>,
    pub(crate) returns: Option<SearchReturn>,
    pub(crate) with_modseq: bool,
    /// See [`Matched::kept`].
    pub(crate) kept: Option<(SearchKey, ModSeq)>,
    /// What is told of messages that come into it later (RFC 5465 §7).
    pub(crate) update_items: Vec<FetchItem>,
    /// Of ESEARCH: the answer names the mailbox, and there is none if nothing was found (RFC 7377 §2.1).
    pub(crate) named: bool,
}

impl Session {
    pub(crate) async fn sort(&mut self, tag: &Tag, uid: bool, args: SortArgs) -> Outcome {
        self.tell(Tell::NoExpunge, uid).await?;
        let with_modseq = asks_modseq(&args.search);
        let search = Search {
            charset: args.charset,
            key: args.search,
            returns: args.returns,
        };
        let Matched { uids, kept } = match self.matching(tag, search).await {
            Ok(matched) => matched,
            Err(answer) => return Ok(answer),
        };
        let Some(view) = &mut self.view else {
            return Ok(Answer::bad("no mailbox"));
        };
        let (owner, keys) = (&view.place.spot.owner, args.keys.clone());
        let sorted = match owner.sort(view.folder.id, uids, keys).await {
            Ok(sorted) => sorted,
            Err(error) => return Ok(error.into()),
        };
        let result = Sequenced {
            word: b"* SORT",
            uids: sorted,
            sorted_by: Some(args.keys),
            returns: args.returns,
            with_modseq,
            kept,
            update_items: args.update_items,
            named: false,
        };
        self.tell_result(tag, uid, result).await
    }

    /// The last steps of SEARCH and SORT: the answer, and what is kept of the result.
    pub(crate) async fn tell_result(&mut self, tag: &Tag, uid: bool, result: Sequenced) -> Outcome {
        let utf8 = self.enabled.utf8();
        let Some(view) = &mut self.view else {
            return Ok(Answer::bad("no mailbox"));
        };
        let found = match view.found(&result.uids, result.with_modseq).await {
            Ok(found) => found,
            Err(answer) => return Ok(answer),
        };
        let report = Report {
            found: &found,
            uid,
            with_modseq: result.with_modseq,
        };
        match result.returns {
            Some(returns) => {
                if returns.save {
                    view.saved = report.saved(returns);
                }
                let of = result.named.then(|| Correlator::of(view, utf8));
                if of.is_none() || !found.is_empty() {
                    report.put_esearch(self.conn.output(), tag, returns, of.as_ref());
                }
            }
            None => self.put_numbers(result.word, &report).await?,
        }
        if let Some((key, modseq)) = result.kept {
            // What the client does not know has no place in it.
            let uids = found.iter().map(|found| found.uid).collect();
            let context = Context::new(tag, uid, key, uids, result.sorted_by, result.update_items);
            self.keep_up_to_date(context, modseq);
        }
        Ok(Answer::ok(COMPLETED))
    }

    /// `* SORT 5 3 4 1 2`, with `(MODSEQ 12)` if it was asked for (RFC 7162 §3.1.6).
    async fn put_numbers(&mut self, word: &[u8], report: &Report<'_>) -> Result<(), crate::reply::End> {
        self.conn.output().put_slice(word);
        for part in report.found.chunks(NUMBERS_PER_LOOK) {
            for found in part {
                self.conn.output().put_u8(b' ');
                put_number(self.conn.output(), u64::from(report.number(found)));
            }
            self.conn.flush_if_full().await?;
        }
        let out = self.conn.output();
        if let Some(modseq) = report.highest(report.found) {
            out.put_slice(b" (MODSEQ ");
            put_number(out, modseq);
            out.put_u8(b')');
        }
        out.put_slice(b"\r\n");
        Ok(())
    }
}
