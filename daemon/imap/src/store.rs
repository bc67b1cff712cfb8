//! STORE (RFC 9051 §6.4.6; RFC 7162 §3.1.3).
//!
//! Very many messages are changed in portions: other sessions of the owner get their turn between them, and the answer is sent as it comes. Each
//! portion has a MODSEQ of its own.

use bytes::BytesMut;
use mailbox::{FlagAction, FlagChange, Stored, Uid};
use shared::Rights;
use wire::imap::render::put_uid_set;
use wire::imap::{Flags, StoreArgs, StoreKind};

use crate::place::no_permission;
use crate::reply::{Answer, COMPLETED, End, Outcome};
use crate::rights::{FLAG_RIGHTS, flags_kept};
use crate::session::{Session, Tell};
use crate::view::View;

/// Messages of one portion: some 20 ms.
const PORTION_MESSAGES: usize = 1000;

impl Session {
    pub(crate) async fn store(&mut self, uid: bool, args: StoreArgs) -> Outcome {
        // What others have done is told first, so that what follows is this command's doing.
        self.tell(Tell::NoExpunge, uid).await?;
        // RFC 7162 §3.1: UNCHANGEDSINCE enables CONDSTORE.
        self.enable_condstore(args.unchanged_since.is_some());
        let Some(view) = &self.view else {
            return Ok(Answer::bad("no mailbox"));
        };
        if let Err(answer) = view.permit(FLAG_RIGHTS) {
            return Ok(answer);
        }
        let uids = match view.indices(&args.set, uid) {
            Ok(ranges) => view.uids_of(&ranges),
            Err(answer) => return Ok(answer),
        };
        if uids.is_empty() {
            return Ok(Answer::ok("no messages"));
        }
        let rights = view.place.rights;
        let kept = flags_kept(rights);
        let mut keywords = args.flags.keywords.into_vec();
        let named = !keywords.is_empty() || args.flags.system != Flags::NONE;
        if !rights.contains(Rights::WRITE) {
            keywords.clear();
        }
        let flags = args.flags.system.without(Flags::ALL.without(kept));
        // RFC 4314 §4: it fails only if nothing of what is named may be changed.
        if named && flags == Flags::NONE && keywords.is_empty() {
            return Ok(no_permission());
        }
        let change = FlagChange {
            action: match args.kind {
                StoreKind::Replace => FlagAction::Replace,
                StoreKind::Add => FlagAction::Add,
                StoreKind::Remove => FlagAction::Remove,
            },
            flags,
            keywords,
            unchanged_since: args.unchanged_since,
            within: (kept, rights.contains(Rights::WRITE)),
        };
        let (owner, folder) = (view.place.spot.owner.clone(), view.folder.id);
        let (mut gone, mut modified) = (0, Vec::new());
        for portion in uids.chunks(PORTION_MESSAGES) {
            let stored = match owner.store(folder, portion, change.clone()).await {
                Ok(stored) => stored,
                Err(error) => return Ok(error.into()),
            };
            gone += portion.len().saturating_sub(stored.rows.len());
            modified.extend(self.show_stored(stored, uid, args.silent).await?);
        }
        Ok(match self.modified_code(modified, uid) {
            Some(code) => Answer::ok("some messages were changed meanwhile").with(code),
            // RFC 2180 §4.2.1
            None if gone > 0 && !uid => Answer::no("some messages are gone").with("EXPUNGEISSUED"),
            None => Answer::ok(COMPLETED),
        })
    }

    /// Shows the new flags. Gives the messages that were not changed.
    async fn show_stored(&mut self, mut stored: Stored, uid: bool, silent: bool) -> Result<Vec<Uid>, End> {
        let telling = self.telling(uid, false);
        let Some(view) = &mut self.view else {
            return Ok(Vec::new());
        };
        stored.modified.sort_unstable();
        let others = view.note_stored(&stored);
        view.learn_keywords(std::mem::take(&mut stored.keywords));
        view.announce_keywords(self.conn.output());
        for row in &stored.rows {
            let Some(index) = view.index(row.uid) else {
                continue;
            };
            let failed = stored.modified.binary_search(&row.uid).is_ok();
            // What somebody else has made of it is told even so.
            let silent = silent && others.binary_search(&row.uid).is_err();
            // RFC 7162 §3.1.3: the new MODSEQ is told even if the flags are not asked for.
            if failed || (silent && !telling.modseq) {
                continue;
            }
            if silent {
                View::put_modseq_response(self.conn.output(), index, row, telling.uid_only);
            } else {
                view.put_flags_response(self.conn.output(), index, row, telling);
            }
            self.conn.flush_if_full().await?;
        }
        Ok(stored.modified)
    }

    /// RFC 7162 §3.1.3: the messages that UNCHANGEDSINCE has kept from being changed; ascending.
    fn modified_code(&self, modified: Vec<Uid>, uid: bool) -> Option<String> {
        let view = self.view.as_ref().filter(|_| !modified.is_empty())?;
        let mut code = BytesMut::from(&b"MODIFIED "[..]);
        if uid {
            put_uid_set(&mut code, modified);
        } else {
            let numbers = modified
                .into_iter()
                .filter_map(|uid| Some(view.index(uid)? as u32 + 1));
            put_uid_set(&mut code, numbers);
        }
        String::from_utf8(code.to_vec()).ok()
    }
}
