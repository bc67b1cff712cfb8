//! IDLE (RFC 9051 §6.3.13): tells changes as they happen, until DONE.

use bytes::BufMut;
use wire::imap::{Command, Framer, Line, Tag};

use crate::reply::{Answer, COMPLETED, End, Outcome};
use crate::session::{Session, Tell};

/// DONE and its line end, with room for a client that sends spaces.
const DONE_MAX_BYTES: usize = 64;

impl Session {
    /// From the command to its answer.
    pub(crate) async fn obey_idle(&mut self, tag: Tag) -> Result<(), End> {
        if let Some(view) = &mut self.view {
            (view.ahead, view.known) = (None, None);
        }
        let answer = match self.allowed(&Command::Idle) {
            Ok(()) => self.idle().await?,
            Err(answer) => answer,
        };
        Box::pin(self.tell(Tell::All, false)).await?;
        self.give(&answer, &tag)
    }

    async fn idle(&mut self) -> Outcome {
        Box::pin(self.renew_rights()).await;
        self.conn.output().put_slice(b"+ idling\r\n");
        self.conn.session().set_state("idle");
        let line = loop {
            match Framer::line(self.conn.input(), DONE_MAX_BYTES) {
                Line::NeedMore => self.wait().await?,
                Line::TooLong => return Err(End::Bye("DONE expected")),
                Line::Line { text_len, len } => {
                    let line = self.conn.input().split_to(len);
                    break line
                        .get(..text_len)
                        .is_some_and(|text| text.eq_ignore_ascii_case(b"DONE"));
                }
            }
        };
        self.conn.session().set_state(if self.view.is_some() {
            "selected"
        } else {
            "authenticated"
        });
        Ok(if line {
            Answer::ok(COMPLETED)
        } else {
            Answer::bad("DONE expected")
        })
    }

    /// Tells what there is, then waits for the client or for a change.
    async fn wait(&mut self) -> Result<(), End> {
        // RFC 5465 §4: IDLE tells what NOTIFY asks for, no more and no less.
        if self.notify.is_some() {
            return Box::pin(self.wait_notified(true)).await;
        }
        Box::pin(self.tell(Tell::All, false)).await?;
        let timeout = self.timeout();
        match &self.view {
            None => self.conn.fill(timeout).await.map(drop)?,
            Some(view) => {
                self.conn.flush().await?;
                tokio::select! {
                    filled = self.conn.fill(timeout) => filled.map(drop)?,
                    () = changed(Some(&view.watch)) => {}
                }
            }
        }
        Ok(())
    }
}

/// Waits for a change without taking note of it: `View::sync` does that.
pub(crate) async fn changed(watch: Option<&tokio::sync::watch::Receiver<mailbox::FolderNow>>) {
    // A clone has seen what the original has seen.
    if let Some(mut watch) = watch.cloned()
        && watch.changed().await.is_ok()
    {
        return;
    }
    // Nothing is selected; or the store was closed, and the session will be ended soon.
    std::future::pending::<()>().await;
}
