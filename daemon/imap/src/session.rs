//! The session: reads commands out of the connection's buffer, one at a time, and answers them in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, BufMut};
use directory::Account;
use events::kinds::imap::ImapCommandRefused;
use mailbox::{Owner, Uid};
use net::{Conn, ConnError};
use wire::imap::{Command, Frame, Framer, Limits, ParseError, Tag, Tagged, parse_with, refusal};

use crate::Server;
use crate::append::Appending;
use crate::notify::{Notify, Pace};
use crate::patience::Patience;
use crate::reply::{Answer, BYE_ENDED, BYE_ERRORS, BYE_TIMEOUT, BYE_TOO_BIG, End, Verdict, untagged};
use crate::switched::Switched;
use crate::view::{Telling, View};

/// Refused commands one after another, after which the session ends: whoever speaks another protocol is not listened to for long.
const ERRORS_MAX: u32 = 50;
/// Limits of a client that has not logged in.
const STRANGER_LIMITS: Limits = Limits {
    line_length_max_bytes: 16 * 1024,
    literal_max_bytes: 4 * 1024,
    command_max_bytes: 24 * 1024,
    append_max_bytes: 0,
};
/// One line of a user: long UID sets are common.
const LINE_LENGTH_MAX_BYTES: usize = 256 * 1024;
const LITERAL_MAX_BYTES: u64 = 256 * 1024;
const COMMAND_MAX_BYTES: usize = 1024 * 1024;

/// The rest of a refused command that is read and let go: of a stranger, of a user.
const STRANGER_UNASKED_MAX_BYTES: u64 = 64 * 1024;
const UNASKED_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The number of the next session, of all listeners of this process.
static ORIGINS: AtomicU64 = AtomicU64::new(1);

/// Who is logged in.
pub(crate) struct User {
    pub(crate) account: Arc<Account>,
    /// The user's own mailbox; what is selected may be somebody else's, see [`View::place`].
    pub(crate) home: Owner,
    pub(crate) append_max_bytes: u64,
    pub(crate) timeout: Duration,
}

/// What the client has switched on (RFC 5161).
#[derive(Clone, Copy, Default)]
pub(crate) struct Enabled {
    pub(crate) condstore: bool,
    pub(crate) qresync: bool,
    pub(crate) rev2: bool,
    /// UTF8=ACCEPT (RFC 6855).
    pub(crate) utf8_accept: bool,
    /// UIDONLY (RFC 9586).
    pub(crate) uid_only: bool,
}

impl Enabled {
    /// Strings may be UTF-8, and mailbox names are (RFC 9051 §5.1, RFC 6855 §3).
    pub(crate) fn utf8(self) -> bool {
        self.rev2 || self.utf8_accept
    }
}

/// What may be told after a command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tell {
    /// Nothing: the selected folder has just changed.
    Nothing,
    /// All but EXPUNGE.
    NoExpunge,
    All,
}

pub(crate) struct Session {
    pub(crate) conn: Conn,
    pub(crate) server: Arc<Server>,
    pub(crate) framer: Framer,
    pub(crate) user: Option<User>,
    pub(crate) view: Option<View>,
    pub(crate) enabled: Enabled,
    pub(crate) appending: Option<Appending>,
    pub(crate) switched: Switched,
    /// What was asked for with NOTIFY; none if nothing ever was.
    pub(crate) notify: Option<Box<Notify>>,
    /// Under which changes are made, so that it isn't told of its own.
    pub(crate) origin: u64,
    pub(crate) errors: u32,
    pub(crate) patience: Patience,
}

impl Session {
    pub(crate) fn new(conn: Conn, server: Arc<Server>) -> Self {
        Self {
            conn,
            server,
            framer: Framer::new(),
            user: None,
            view: None,
            enabled: Enabled::default(),
            appending: None,
            switched: Switched::default(),
            notify: None,
            origin: ORIGINS.fetch_add(1, Ordering::Relaxed),
            errors: 0,
            patience: Patience::new(),
        }
    }

    /// Greets, serves, and takes leave.
    pub(crate) async fn run(mut self: Box<Self>) {
        self.greet();
        let end = self.serve().await;
        match end {
            End::Done | End::Resume | End::Conn(ConnError::Closed | ConnError::Tls(_) | ConnError::Io(_)) => {
            }
            End::Conn(ConnError::Timeout) => self.bye(BYE_TIMEOUT),
            End::Conn(ConnError::Ended) => self.bye(BYE_ENDED),
            End::Bye(reason) => self.bye(reason),
        }
        Box::pin(self.conn.close()).await;
    }

    fn bye(&mut self, reason: &str) {
        untagged(self.conn.output(), &format!("BYE {reason}"));
    }

    fn greet(&mut self) {
        let capabilities = self.capabilities();
        let line = format!("OK [CAPABILITY {capabilities}] BatPost IMAP ready");
        untagged(self.conn.output(), &line);
    }

    async fn serve(&mut self) -> End {
        loop {
            match self.turn().await {
                Ok(()) | Err(End::Resume) => {}
                Err(end) => return end,
            }
        }
    }

    fn limits(&self) -> Limits {
        match &self.user {
            None => STRANGER_LIMITS,
            Some(user) => Limits {
                line_length_max_bytes: LINE_LENGTH_MAX_BYTES,
                literal_max_bytes: LITERAL_MAX_BYTES,
                command_max_bytes: COMMAND_MAX_BYTES,
                append_max_bytes: user.append_max_bytes,
            },
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        match &self.user {
            None => self.patience.timeout(),
            Some(user) => user.timeout,
        }
    }

    /// What lies in the buffer decides what is done next.
    async fn turn(&mut self) -> Result<(), End> {
        let limits = self.limits();
        match self.framer.next(self.conn.input(), &limits) {
            // With a part of a command at hand the client is about to say the rest.
            Frame::NeedMore if self.is_notified() && self.conn.input().is_empty() => {
                Box::pin(self.wait_notified(false)).await?;
            }
            Frame::NeedMore => {
                let timeout = self.timeout();
                if timeout.is_zero() {
                    // However busy the stranger is.
                    return Err(End::Conn(ConnError::Timeout));
                }
                self.conn.fill(timeout).await?;
            }
            Frame::Continue { prefix_len, first } => self.literal_announced(prefix_len, first).await?,
            Frame::Command { len } => {
                let parsed = self.parse(len);
                self.conn.input().advance(len);
                self.patience.note_read();
                // An idle session shall hold no more than it must: what other commands need is on the heap while they run.
                match parsed {
                    Ok(Tagged {
                        tag,
                        command: Command::Idle,
                    }) => self.obey_idle(tag).await?,
                    parsed => Box::pin(self.obey(parsed)).await?,
                }
            }
            Frame::AppendLiteral { prefix_len, literal } => {
                self.conn.input().advance(prefix_len);
                Box::pin(self.append_literal(literal)).await?;
            }
            Frame::AppendEnd { len } => {
                self.conn.input().advance(len);
                let skeleton = self.framer.take_append();
                let parsed = parse_with(&skeleton, self.enabled.utf8());
                Box::pin(self.obey(parsed)).await?;
            }
            Frame::TooLong { tag, len } => {
                self.conn.input().advance(len);
                self.refuse(tag.as_ref(), "line too long")?;
            }
            Frame::LiteralTooBig { tag, size, sync, len } => {
                self.conn.input().advance(len);
                self.appending = None;
                // RFC 7888 §4: what comes unasked is read and let go, or the session ends.
                if !sync && size > self.unasked_max_bytes() {
                    return Err(End::Bye(BYE_TOO_BIG));
                }
                match tag {
                    // RFC 7889 §4
                    Some(tag) => Answer::no("too big").with("TOOBIG").put(self.conn.output(), &tag),
                    None => self.refuse(None, "too big")?,
                }
            }
            Frame::Skip { len } => {
                self.conn.input().advance(len);
                let max = self.unasked_max_bytes();
                self.patience.note_skipped(len, max)?;
            }
        }
        self.conn.flush_if_full().await?;
        Ok(())
    }

    fn parse(&mut self, len: usize) -> Result<Tagged, ParseError> {
        let utf8 = self.enabled.utf8();
        let input: &[u8] = self.conn.input();
        parse_with(input.get(..len).unwrap_or_default(), utf8)
    }

    /// How much of what is not wanted is read for the sake of what comes behind it.
    fn unasked_max_bytes(&self) -> u64 {
        match &self.user {
            None => STRANGER_UNASKED_MAX_BYTES,
            Some(_) => UNASKED_MAX_BYTES,
        }
    }

    /// A client waits for leave to send a literal. It gets it unless the command is wrong already (RFC 9051 §4.3).
    async fn literal_announced(&mut self, prefix_len: usize, first: bool) -> Result<(), End> {
        let utf8 = self.enabled.rev2;
        let prefix: &[u8] = self.conn.input();
        let prefix = prefix.get(..prefix_len).unwrap_or_default();
        let refused = match first {
            true if self.framer.append_skeleton().is_empty() => refusal(prefix, utf8),
            true => self.framer.append_refusal(prefix, self.enabled.utf8()),
            false => None,
        };
        match refused {
            None => self.go_ahead().await,
            Some(error) => {
                self.appending = None;
                self.conn.input().advance(prefix_len);
                self.framer.reset();
                self.refuse(error.tag.as_ref(), error.reason)
            }
        }
    }

    /// The client may send the literal that it announced.
    pub(crate) async fn go_ahead(&mut self) -> Result<(), End> {
        self.conn.output().put_slice(b"+ OK\r\n");
        Ok(self.conn.flush().await?)
    }

    async fn obey(&mut self, parsed: Result<Tagged, ParseError>) -> Result<(), End> {
        let Tagged { tag, command } = match parsed {
            Ok(tagged) => tagged,
            Err(ParseError { tag, reason }) => {
                self.appending = None;
                return self.refuse(tag.as_ref(), reason);
            }
        };
        let answer = self.dispatch(&tag, command).await?;
        self.give(&answer, &tag)
    }

    /// The answer to a command.
    pub(crate) fn give(&mut self, answer: &Answer, tag: &Tag) -> Result<(), End> {
        answer.put(self.conn.output(), tag);
        match answer.verdict {
            Verdict::Bad => self.note_refused(answer.text)?,
            // A stranger is refused nothing but logins.
            Verdict::No if self.user.is_none() => self.patience.note_login()?,
            Verdict::No | Verdict::Ok => self.errors = 0,
        }
        Ok(())
    }

    /// `tag BAD reason`, or untagged if no tag could be read.
    pub(crate) fn refuse(&mut self, tag: Option<&Tag>, reason: &'static str) -> Result<(), End> {
        match tag {
            Some(tag) => Answer::bad(reason).put(self.conn.output(), tag),
            None => untagged(self.conn.output(), &format!("BAD {reason}")),
        }
        self.note_refused(reason)
    }

    fn note_refused(&mut self, reason: &'static str) -> Result<(), End> {
        let handle = self.conn.session();
        // The command itself may hold secrets.
        handle.events().emit(
            handle.scope(),
            ImapCommandRefused {
                command: String::new(),
                reply: reason.to_owned(),
            },
        );
        self.errors += 1;
        if self.errors > ERRORS_MAX {
            Err(End::Bye(BYE_ERRORS))
        } else {
            Ok(())
        }
    }

    pub(crate) fn telling(&self, uid: bool, expunges: bool) -> Telling {
        let selected = self.notify.as_ref().map(|notify| &notify.selected);
        Telling {
            expunges,
            exists: selected.is_none_or(|selected| selected.pace != Pace::Never),
            flags: selected.is_none_or(|selected| selected.flags),
            modseq: self.enabled.condstore,
            vanished: self.enabled.qresync || self.enabled.uid_only,
            uid_only: self.enabled.uid_only,
            recent: !self.enabled.rev2,
            // RFC 5465 §5.1
            uid: uid || selected.is_some(),
        }
    }

    /// A command that enables CONDSTORE. RFC 7162 §3.1: the first one is answered with the selected mailbox's MODSEQ.
    pub(crate) fn enable_condstore(&mut self, asked: bool) {
        if !asked || std::mem::replace(&mut self.enabled.condstore, true) {
            return;
        }
        if let Some(view) = self.view.as_ref().filter(|view| view.may_read()) {
            let line = format!("OK [HIGHESTMODSEQ {}] highest", view.modseq());
            untagged(self.conn.output(), &line);
        }
    }

    /// Messages after that UID are told of more than that they are there, if the client wants it. On the heap: few do.
    async fn tell_more(&mut self, known: Uid) -> Result<(), End> {
        let items = |notify: &Notify| !notify.selected.items.is_empty();
        let view = self.view.as_ref();
        let is_kept = view.is_some_and(|view| view.contexts.is_some());
        let is_fetched =
            view.is_some_and(|view| view.last_uid() > known) && self.notify.as_deref().is_some_and(items);
        if is_kept || is_fetched {
            Box::pin(self.tell_new(known)).await?;
        }
        Ok(())
    }

    /// Learns what others have done to the selected folder and tells it, as far as it may be told now.
    pub(crate) async fn tell(&mut self, tell: Tell, uid: bool) -> Result<(), End> {
        if tell == Tell::Nothing {
            return Ok(());
        }
        // Who idles may have lost the right to hear of it.
        self.renew_rights().await;
        let telling = self.telling(uid, tell == Tell::All);
        let silenced = self.is_silenced();
        let Some(view) = &mut self.view else { return Ok(()) };
        // Whatever comes of it: who waits for a change is not to be woken by this one again.
        view.watch.borrow_and_update();
        if silenced || !view.may_read() {
            return Ok(());
        }
        let known = view.last_uid();
        let Some(news) = view.sync(telling.flags).await? else {
            view.announce_keywords(self.conn.output());
            return self.tell_more(known).await;
        };
        view.remove_from_contexts(self.conn.output(), &news);
        view.announce(self.conn.output(), &news, telling);
        let mut left = telling.flags.then_some(news);
        while let Some(news) = left {
            view.put_changed(self.conn.output(), &news, telling);
            self.conn.flush_if_full().await?;
            left = view.more(news).await;
        }
        self.tell_more(known).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an idle session holds beside its future and the selected folder's UIDs, which it shares.
    const SESSION_MAX_BYTES: usize = 1200;

    #[test]
    fn what_a_session_holds_is_small() {
        let size = size_of::<Session>();
        assert!(size <= SESSION_MAX_BYTES, "{size} bytes");
    }
}
