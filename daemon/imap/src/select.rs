//! SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3; RFC 7162 §3.1).

use bytes::BufMut;
use shared::Rights;
use wire::imap::SelectArgs;
use wire::imap::render::put_mailbox;

use crate::reply::{Answer, Outcome, uid_required, untagged, untagged_number};
use crate::session::Session;
use crate::view::{View, is_read_only};

impl Session {
    pub(crate) async fn select(&mut self, args: SelectArgs, examine: bool) -> Outcome {
        self.before_leaving().await?;
        // RFC 9051 §6.3.2: whatever was selected is not any more, even if this fails.
        if self.view.take().is_some() {
            self.conn.session().set_state("authenticated");
            untagged(self.conn.output(), "OK [CLOSED] the previous mailbox is closed");
        }
        // RFC 7162 §3.2.5
        if args.qresync.is_some() && !self.enabled.qresync {
            return Ok(Answer::bad("QRESYNC is not enabled"));
        }
        let matches = args.qresync.as_ref().and_then(|known| known.matches.as_ref());
        if self.enabled.uid_only && matches.is_some() {
            return Ok(uid_required());
        }
        self.enabled.condstore |= args.condstore;
        let place = match self.place(args.mailbox.as_str(), Rights::READ).await {
            Ok(place) => place,
            Err(answer) => return Ok(answer),
        };
        let owner = place.spot.owner.clone();
        let claim_recent = !is_read_only(&place, examine);
        let selected = match owner.select(&place.spot.inner, claim_recent).await {
            Ok(selected) => selected,
            Err(error) => return Ok(error.into()),
        };
        owner.expect_searches();
        let (status, first_unseen) = (selected.status, selected.first_unseen);
        let (rev2, uid_only) = (self.enabled.rev2, self.enabled.uid_only);
        let view = View::new(selected, place, examine);
        let out = self.conn.output();
        view.put_flags_known(out);
        untagged_number(out, view.len() as u64, "EXISTS");
        if rev2 {
            out.put_slice(b"* LIST () \"/\" ");
            put_mailbox(out, &view.place.name(), true);
            out.put_slice(b"\r\n");
        } else {
            untagged_number(out, view.recent_count(), "RECENT");
            // RFC 9586 §3.2: it would be a message number.
            let first_unseen = first_unseen.filter(|_| !uid_only);
            if let Some(index) = first_unseen.and_then(|uid| view.index(uid)) {
                untagged(out, &format!("OK [UNSEEN {}] first unseen", index + 1));
            }
        }
        untagged(
            out,
            &format!("OK [UIDVALIDITY {}] UIDs valid", status.uid_validity),
        );
        untagged(out, &format!("OK [UIDNEXT {}] next UID", status.uid_next));
        untagged(
            out,
            &format!("OK [HIGHESTMODSEQ {}] highest", status.highest_modseq),
        );
        let read_only = view.read_only;
        let id = mailbox::mailbox_id(view.place.spot.owner.id(), view.folder.id);
        untagged(out, &format!("OK [MAILBOXID ({id})] id of the mailbox"));
        self.view = Some(view);
        self.conn.session().set_state("selected");
        if let Some(known) = &args.qresync {
            self.resync(known, status.uid_next).await?;
        }
        let text = if examine {
            "EXAMINE completed"
        } else {
            "SELECT completed"
        };
        Ok(Answer::ok(text).with(if read_only { "READ-ONLY" } else { "READ-WRITE" }))
    }
}
