//! STATUS (RFC 9051 §6.3.11; RFC 8474).

use bytes::{BufMut, BytesMut};
use mailbox::{FolderId, Owner, Status, mailbox_id};
use shared::Rights;
use wire::imap::render::{put_mailbox, put_number};
use wire::imap::{MailboxName, StatusItem};

use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::Session;

impl Session {
    pub(crate) async fn status(&mut self, name: &MailboxName, items: &[StatusItem]) -> Outcome {
        // RFC 7162 §3.1.2: asking for HIGHESTMODSEQ enables CONDSTORE.
        self.enable_condstore(items.contains(&StatusItem::HighestModSeq));
        let Some(user) = &self.user else {
            return Ok(Answer::bad("no user"));
        };
        let place = match self.place(name.as_str(), Rights::READ).await {
            Ok(place) => place,
            Err(answer) => return Ok(answer),
        };
        let status = match place.spot.owner.status(place.folder.id).await {
            Ok(status) => status,
            Err(error) => return Ok(error.into()),
        };
        let deleted_bytes = match deleted_bytes(items, &place.spot.owner, place.folder.id).await {
            Ok(bytes) => bytes,
            Err(error) => return Ok(error.into()),
        };
        let (limit, utf8) = (user.append_max_bytes, self.enabled.utf8());
        let line = Line {
            items,
            status: &status,
            deleted_bytes,
            append_max_bytes: limit,
            mailbox_id: mailbox_id(place.spot.owner.id(), place.folder.id),
            utf8,
        };
        line.put(self.conn.output(), &place.name());
        Ok(Answer::ok(COMPLETED))
    }
}

/// Counted only if it is asked for: it is no counter of the folder.
pub(crate) async fn deleted_bytes(
    items: &[StatusItem],
    owner: &Owner,
    folder: FolderId,
) -> mailbox::Result<u64> {
    if items.contains(&StatusItem::DeletedStorage) {
        owner.deleted_bytes(folder).await
    } else {
        Ok(0)
    }
}

/// What a STATUS response needs.
pub(crate) struct Line<'a> {
    pub(crate) items: &'a [StatusItem],
    pub(crate) status: &'a Status,
    pub(crate) deleted_bytes: u64,
    pub(crate) append_max_bytes: u64,
    /// RFC 8474 §4.
    pub(crate) mailbox_id: String,
    pub(crate) utf8: bool,
}

impl Line<'_> {
    pub(crate) fn put(&self, out: &mut BytesMut, name: &str) {
        out.put_slice(b"* STATUS ");
        put_mailbox(out, name, self.utf8);
        out.put_slice(b" (");
        for (at, &item) in self.items.iter().enumerate() {
            if at > 0 {
                out.put_u8(b' ');
            }
            out.put_slice(item.name().as_bytes());
            out.put_u8(b' ');
            if item == StatusItem::MailboxId {
                out.put_slice(format!("({})", self.mailbox_id).as_bytes());
            } else {
                put_number(out, self.number(item));
            }
        }
        out.put_slice(b")\r\n");
    }

    fn number(&self, item: StatusItem) -> u64 {
        let status = self.status;
        match item {
            StatusItem::Messages => status.messages,
            StatusItem::Recent => status.recent,
            StatusItem::UidNext => u64::from(status.uid_next),
            StatusItem::UidValidity => u64::from(status.uid_validity),
            StatusItem::Unseen => status.unseen,
            StatusItem::Deleted => status.deleted,
            StatusItem::Size => status.bytes,
            StatusItem::HighestModSeq => status.highest_modseq,
            StatusItem::AppendLimit => self.append_max_bytes,
            // RFC 9208 §5.1: in units of 1,024 bytes.
            StatusItem::DeletedStorage => self.deleted_bytes.div_ceil(1024),
            StatusItem::MailboxId => 0,
        }
    }
}
