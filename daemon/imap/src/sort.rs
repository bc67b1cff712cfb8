//! SORT and UID SORT (RFC 5256; RFC 5267, RFC 5957).

use bytes::BufMut;
use wire::imap::render::put_number;
use wire::imap::{SortArgs, Tag};

use crate::contexts::Context;
use crate::esearch::Report;
use crate::reply::{Answer, COMPLETED, Outcome};
use crate::search::{Matched, Search, asks_modseq};
use crate::session::{Session, Tell};

/// Numbers written between two looks at how much there is to send.
pub(crate) const NUMBERS_PER_LOOK: usize = 1000;

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
        let sorted = match view
            .place
            .spot
            .owner
            .sort(view.folder.id, uids, args.keys.clone())
            .await
        {
            Ok(sorted) => sorted,
            Err(error) => return Ok(error.into()),
        };
        let found = match view.found(&sorted, with_modseq).await {
            Ok(found) => found,
            Err(answer) => return Ok(answer),
        };
        let report = Report {
            found: &found,
            uid,
            with_modseq,
        };
        match args.returns {
            Some(returns) => {
                if returns.save {
                    view.saved = report.saved(returns);
                }
                report.put_esearch(self.conn.output(), tag, returns);
            }
            None => self.put_numbers(b"* SORT", &report).await?,
        }
        if let Some((key, modseq)) = kept {
            let sorted = found.iter().map(|found| found.uid).collect();
            self.keep_up_to_date(Context::new(tag, uid, key, sorted, Some(args.keys)), modseq);
        }
        Ok(Answer::ok(COMPLETED))
    }

    /// `* SORT 5 3 4 1 2`, with `(MODSEQ 12)` if it was asked for (RFC 7162 §3.1.6).
    pub(crate) async fn put_numbers(
        &mut self,
        word: &[u8],
        report: &Report<'_>,
    ) -> Result<(), crate::reply::End> {
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
