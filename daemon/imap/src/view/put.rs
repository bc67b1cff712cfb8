//! How flags, MODSEQs and losses of the selected folder are written.
//!
//! Must not know: when they are told.

use bytes::{BufMut, BytesMut};
use mailbox::{Row, Uid};
use shared::Rights;
use smallvec::SmallVec;
use wire::imap::ResolvedSet;
use wire::imap::render::{put_flags, put_number, put_set};

use super::View;
use super::news::{News, Telling};

/// Ranges of one VANISHED.
const VANISHED_RANGES_MAX: usize = 1000;

impl View {
    /// The flags of changed messages that the client knows.
    pub(crate) fn put_changed(&self, out: &mut BytesMut, news: &News, telling: Telling) {
        let mut numbers = self.numbers();
        for row in &news.rows {
            if let Some(index) = numbers.index(row.uid) {
                self.put_flags_response(out, index, row, telling);
            }
        }
    }

    /// `* n FETCH (FLAGS (…))`
    pub(crate) fn put_flags_response(&self, out: &mut BytesMut, index: usize, row: &Row, telling: Telling) {
        open_fetch(out, index, row.uid, telling.uid_only);
        if (telling.uid || telling.modseq) && !telling.uid_only {
            out.put_slice(b"UID ");
            put_number(out, u64::from(row.uid));
            out.put_u8(b' ');
        }
        if telling.modseq {
            out.put_slice(b"MODSEQ (");
            put_number(out, row.modseq);
            out.put_slice(b") ");
        }
        self.put_flags_item(out, row, telling.recent);
        out.put_slice(b")\r\n");
    }

    /// `* n FETCH (UID u MODSEQ (m))`
    pub(crate) fn put_modseq_response(out: &mut BytesMut, index: usize, row: &Row, uid_only: bool) {
        open_fetch(out, index, row.uid, uid_only);
        if !uid_only {
            out.put_slice(format!("UID {} ", row.uid).as_bytes());
        }
        out.put_slice(format!("MODSEQ ({}))\r\n", row.modseq).as_bytes());
    }

    /// `FLAGS (…)`
    pub(crate) fn put_flags_item(&self, out: &mut BytesMut, row: &Row, recent: bool) {
        out.put_slice(b"FLAGS ");
        let bits = row.keywords;
        let keywords = self
            .keywords
            .iter()
            .enumerate()
            .filter(|&(bit, _)| bits.checked_shr(bit as u32).unwrap_or(0) & 1 == 1)
            .map(|(_, keyword)| keyword.as_str());
        let keywords: SmallVec<[&str; 4]> = if bits == 0 {
            SmallVec::new()
        } else {
            keywords.collect()
        };
        put_flags(out, row.flags, keywords, recent && self.is_recent(row.uid));
    }

    /// `* FLAGS (…)` and `* OK [PERMANENTFLAGS (…)]`
    pub(crate) fn put_flags_known(&self, out: &mut BytesMut) {
        let known = || self.keywords.iter().map(String::as_str);
        out.put_slice(b"* FLAGS ");
        put_flags(out, wire::imap::Flags::ALL, known(), false);
        out.put_slice(b"\r\n* OK [PERMANENTFLAGS ");
        let rights = self.place.rights;
        if self.read_only {
            put_flags(out, wire::imap::Flags::NONE, [], false);
        } else if rights.contains(Rights::WRITE) {
            // RFC 9051 §7.1: \* says that new keywords can be made.
            let more = self.keywords.len() < mailbox::KEYWORDS_PER_FOLDER_MAX;
            let flags = crate::rights::flags_kept(rights);
            put_flags(out, flags, known().chain(more.then_some("\\*")), false);
        } else {
            put_flags(out, crate::rights::flags_kept(rights), [], false);
        }
        out.put_slice(b"] flags that are kept\r\n");
    }
}

/// `* n FETCH (`, or `* uid UIDFETCH (` (RFC 9586 §3.3).
pub(crate) fn open_fetch(out: &mut BytesMut, index: usize, uid: Uid, uid_only: bool) {
    out.put_slice(b"* ");
    if uid_only {
        put_number(out, u64::from(uid));
        out.put_slice(b" UIDFETCH (");
    } else {
        put_number(out, index as u64 + 1);
        out.put_slice(b" FETCH (");
    }
}

/// `* VANISHED 3:5,7`, as many as it takes.
pub(crate) fn put_vanished(out: &mut BytesMut, word: &str, gone: &[(Uid, Uid)]) {
    for some in gone.chunks(VANISHED_RANGES_MAX) {
        out.put_slice(b"* ");
        out.put_slice(word.as_bytes());
        put_set(out, &ResolvedSet::from_sorted(some.iter().copied()));
        out.put_slice(b"\r\n");
    }
}
