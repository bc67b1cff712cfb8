//! A session: its state, the reading of lines, and which command goes where.

use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use events::kinds::pop3::Pop3CommandRefused;
use net::{Conn, ConnError};
use wire::pop3::{COMMAND_MAX_BYTES, Command, parse};

use crate::lang::Language;
use crate::maildrop::Maildrop;
use crate::replies::Text;
use crate::{
    Server, apop, auth, capa, dele, lang, list, noop, pass, quit, replies, retr, rset, stat, stls, top, uidl,
    user, utf8,
};

/// Errors of a client before the session is closed.
const ERRORS_MAX: u32 = 20;

/// After so much silence of the client what was read ahead for it is let go.
const REST_AFTER: Duration = Duration::from_secs(2);

/// What follows a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Go,
    /// The last reply was given: close.
    Close,
}

pub(crate) struct Session {
    pub(crate) conn: Conn,
    pub(crate) server: Arc<Server>,
    pub(crate) language: Language,
    /// The client has said UTF8 (RFC 6856 §2).
    pub(crate) utf8: bool,
    /// Whom USER named.
    pub(crate) user: Option<String>,
    /// What APOP's digest is made over, where it is offered.
    pub(crate) timestamp: Option<String>,
    /// There is one in the TRANSACTION state (RFC 1939 §5).
    pub(crate) maildrop: Option<Box<Maildrop>>,
    timeout: Duration,
    errors: u32,
}

/// Serves a session to its end.
pub(crate) async fn run(conn: Conn, server: Arc<Server>) {
    let settings = server.directory.settings();
    let timeout = Duration::from_secs(settings.number("pop3.timeout"));
    let hostname = settings.text("server.hostname").to_owned();
    drop(settings);
    let language = Language::default();
    let timestamp = server
        .directory
        .offers("APOP")
        .then(|| apop::timestamp(&hostname))
        .flatten();
    let mut session = Session {
        conn,
        server,
        language,
        utf8: false,
        user: None,
        timestamp,
        maildrop: None,
        timeout,
        errors: 0,
    };
    let timestamp = session.timestamp.as_ref();
    let timestamp = timestamp.map_or_else(String::new, |timestamp| format!(" {timestamp}"));
    session.raw(&format!("+OK {hostname} BatPost POP3{timestamp}\r\n"));
    let last_word = match session.converse().await {
        Ok(()) => {
            session.conn.session().set_reason("quit");
            None
        }
        Err(error) => {
            session.conn.session().set_reason(error.reason());
            match error {
                ConnError::Ended => Some(replies::CLOSING),
                ConnError::Timeout => Some(replies::TIMEOUT),
                ConnError::Closed | ConnError::Tls(_) | ConnError::Io(_) => return,
            }
        }
    };
    // RFC 1939 §6: a session that ends without QUIT removes nothing.
    session.maildrop = None;
    if let Some(text) = last_word {
        session.err(text);
    }
    session.conn.close().await;
}

impl Session {
    /// Gathers bytes of an answer; they are sent when everything that came was answered.
    pub(crate) fn raw(&mut self, text: &str) {
        self.conn.output().extend_from_slice(text.as_bytes());
    }

    pub(crate) fn ok(&mut self, text: Text) {
        self.status("+OK ", text);
    }

    pub(crate) fn err(&mut self, text: Text) {
        self.errors += 1;
        self.status("-ERR ", text);
    }

    fn status(&mut self, status: &str, text: Text) {
        let words = text.in_language(self.language);
        for part in [status, text.code, words, "\r\n"] {
            self.raw(part);
        }
    }

    /// The next line, CRLF included, which the caller consumes; `None`: it is longer than any line may be, and was answered.
    pub(crate) async fn line(&mut self) -> Result<Option<usize>, ConnError> {
        let deadline = tokio::time::Instant::now() + self.timeout;
        loop {
            if let Some(at) = memchr::memchr(b'\n', self.conn.input()) {
                if at < COMMAND_MAX_BYTES {
                    return Ok(Some(at + 1));
                }
                self.conn.input().advance(at + 1);
                self.err(replies::LINE_TOO_LONG);
                return Ok(None);
            }
            if self.conn.input().len() >= COMMAND_MAX_BYTES {
                // Nothing that this long has an end is said by a mail program.
                self.err(replies::LINE_TOO_LONG);
                self.conn.flush().await?;
                return Err(ConnError::Closed);
            }
            // The limit is for the line, not for each of its bytes.
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let left = left.max(Duration::from_millis(1));
            let holds_texts = self
                .maildrop
                .as_ref()
                .is_some_and(|maildrop| maildrop.holds_texts());
            if !holds_texts || left <= REST_AFTER {
                self.conn.fill(left).await?;
                continue;
            }
            match (self.conn.fill(REST_AFTER).await, &mut self.maildrop) {
                (Err(ConnError::Timeout), Some(maildrop)) => maildrop.rest(),
                (result, _) => result.map(drop)?,
            }
        }
    }

    async fn converse(&mut self) -> Result<(), ConnError> {
        loop {
            self.conn.session().set_state(if self.maildrop.is_some() {
                "TRANSACTION"
            } else {
                "AUTHORIZATION"
            });
            let errors = self.errors;
            let Some(end) = self.line().await? else {
                if self.errors > ERRORS_MAX {
                    self.err(replies::TOO_MANY_ERRORS);
                    return Ok(());
                }
                self.conn.flush_if_full().await?;
                continue;
            };
            let command = parse(self.conn.input().get(..end).unwrap_or_default());
            self.conn.input().advance(end);
            let next = match command {
                Ok(command) => self.execute(command).await?,
                Err(error) => {
                    self.err(replies::syntax(error));
                    let handle = self.conn.session();
                    let refused = Pop3CommandRefused {
                        command: String::new(),
                        reply: error.text.to_owned(),
                    };
                    handle.events().emit(handle.scope(), refused);
                    Next::Go
                }
            };
            if next == Next::Close {
                return Ok(());
            }
            if self.errors > errors && self.errors > ERRORS_MAX {
                self.err(replies::TOO_MANY_ERRORS);
                return Ok(());
            }
            self.conn.flush_if_full().await?;
        }
    }

    /// Each command's state is boxed: a session that waits for the next one holds none of it.
    async fn execute(&mut self, command: Command) -> Result<Next, ConnError> {
        match (command, self.maildrop.is_some()) {
            (Command::Capa, _) => capa::capa(self),
            (Command::Lang { tag }, _) => lang::lang(self, tag.as_deref()),
            (Command::Quit, _) => return Ok(Box::pin(quit::quit(self)).await),
            (Command::User { name }, false) => user::user(self, name),
            (Command::Pass { password }, false) => return Ok(Box::pin(pass::pass(self, &password)).await),
            (Command::Apop { name, digest }, false) => {
                return Ok(Box::pin(apop::apop(self, &name, &digest)).await);
            }
            (Command::Auth { mechanism, initial }, false) => {
                return Box::pin(auth::auth(self, mechanism.as_deref(), initial.as_deref())).await;
            }
            (Command::Stls, false) => return Box::pin(stls::stls(self)).await,
            (Command::Utf8, false) => utf8::utf8(self),
            (Command::Stat, true) => stat::stat(self),
            (Command::List { number }, true) => Box::pin(list::list(self, number)).await?,
            (Command::Uidl { number }, true) => Box::pin(uidl::uidl(self, number)).await?,
            (Command::Retr { number }, true) => Box::pin(retr::retr(self, number)).await?,
            (Command::Top { number, lines }, true) => Box::pin(top::top(self, number, lines)).await?,
            (Command::Dele { number }, true) => dele::dele(self, number),
            (Command::Noop, true) => noop::noop(self),
            (Command::Rset, true) => rset::rset(self),
            _ => self.err(replies::NOT_NOW),
        }
        Ok(Next::Go)
    }
}
