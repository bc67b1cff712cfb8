//! SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3; RFC 7162 §3.1).

use bytes::BufMut;
use wire::imap::SelectArgs;
use wire::imap::render::put_mailbox;

use crate::reply::{Answer, Outcome, untagged, untagged_number};
use crate::session::Session;
use crate::view::View;

impl Session {
    pub(crate) async fn select(&mut self, args: SelectArgs, examine: bool) -> Outcome {
        // RFC 9051 §6.3.2: whatever was selected is not any more, even if this fails.
        if self.view.take().is_some() {
            self.conn.session().set_state("authenticated");
            untagged(self.conn.output(), "OK [CLOSED] the previous mailbox is closed");
        }
        if args.qresync.is_some() {
            return Ok(Answer::bad("QRESYNC is not enabled"));
        }
        self.enabled.condstore |= args.condstore;
        let Some(user) = &self.user else {
            return Ok(Answer::bad("no user"));
        };
        let mut watch = user.owner.watch();
        watch.borrow_and_update();
        let selected = match user.owner.select(args.mailbox.as_str(), !examine).await {
            Ok(selected) => selected,
            Err(error) => return Ok(error.into()),
        };
        let status = selected.status;
        let rev2 = self.enabled.rev2;
        let view = View::new(selected, examine, watch);
        let out = self.conn.output();
        view.put_flags_known(out);
        untagged_number(out, view.rows.len() as u64, "EXISTS");
        if rev2 {
            out.put_slice(b"* LIST () \"/\" ");
            put_mailbox(out, &view.folder.name, true);
            out.put_slice(b"\r\n");
        } else {
            untagged_number(out, view.recent_count(), "RECENT");
            let unseen = view
                .rows
                .iter()
                .position(|row| !row.flags.contains(wire::imap::Flags::SEEN));
            if let Some(index) = unseen.filter(|_| status.unseen > 0) {
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
        self.view = Some(view);
        self.conn.session().set_state("selected");
        Ok(if examine {
            Answer::ok("EXAMINE completed").with("READ-ONLY")
        } else {
            Answer::ok("SELECT completed").with("READ-WRITE")
        })
    }
}
