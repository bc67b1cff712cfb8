//! A session: its state, the reading of lines, and which command goes where.

use std::fmt::Write;
use std::sync::Arc;

use bytes::Buf;
use directory::Account;
use events::kinds::smtp::SmtpRefused;
use net::{Conn, ConnError};
use queue::Envelope;
use tokio::time::Instant;
use wire::smtp::{Command, parse};

use crate::check::Check;
use crate::judge::Objection;
use crate::limits::{LINE_MAX_BYTES, LINE_SKIP_MAX_BYTES, Limits};
use crate::text::Text;
use crate::{
    Role, Server, auth, bdat, data, ehlo, expn, help, mail, noop, quit, rcpt, replies, rset, starttls, vrfy,
};

/// What follows a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Go,
    /// The last reply was given: close.
    Close,
    /// Close, and say nothing more.
    Drop,
}

pub(crate) struct Session {
    pub(crate) conn: Conn,
    pub(crate) server: Arc<Server>,
    pub(crate) role: Role,
    pub(crate) limits: Arc<Limits>,
    pub(crate) greeting: Option<Greeting>,
    pub(crate) account: Option<Arc<Account>>,
    pub(crate) transaction: Option<Box<Transaction>>,
    /// Transactions so far, for ids.
    pub(crate) transactions: u32,
    errors: u64,
    /// Commands since the last message, or since the greeting, that lead to none by themselves.
    commands: u64,
    /// When the last message was taken, or the session began.
    since: Instant,
}

/// What the client said of itself.
pub(crate) struct Greeting {
    pub(crate) name: Box<str>,
    /// EHLO or LHLO, not HELO.
    pub(crate) extended: bool,
}

/// A mail transaction (RFC 5321 §3.3): from MAIL to the end of the data.
pub(crate) struct Transaction {
    pub(crate) envelope: Envelope,
    /// BODY=BINARYMIME: only chunks may carry the text (RFC 3030 §3).
    pub(crate) binary: bool,
    /// What is being found out about the sender, until the text begins.
    pub(crate) check: Option<Box<Check>>,
    /// The text as far as it came, once BDAT has begun.
    pub(crate) chunks: Option<Text>,
}

/// Serves a session to its end.
pub(crate) async fn run(conn: Conn, server: Arc<Server>, role: Role) {
    let limits = server.limits();
    let mut session = Session {
        conn,
        server,
        role,
        limits,
        greeting: None,
        account: None,
        transaction: None,
        transactions: 0,
        errors: 0,
        commands: 0,
        since: Instant::now(),
    };
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
    if let Some(reply) = last_word {
        session.reply(reply);
    }
    session.conn.close().await;
}

impl Session {
    /// Gathers a reply; it is sent when everything that came was answered.
    pub(crate) fn reply(&mut self, reply: &str) {
        self.conn.output().extend_from_slice(reply.as_bytes());
    }

    /// A message was taken: the client is worth its connection.
    pub(crate) fn earned(&mut self) {
        self.commands = 0;
        self.since = Instant::now();
    }

    /// A refusal that counts as an error of the client's.
    pub(crate) fn refuse(&mut self, reply: &str) {
        self.errors += 1;
        self.reply(reply);
    }

    /// A refusal of a sender, recipient or message, which is an event.
    pub(crate) fn refuse_told(&mut self, stage: &'static str, subject: String, reply: &str) {
        self.refuse(reply);
        self.tell_refused(stage, subject, reply);
    }

    pub(crate) fn tell_refused(&self, stage: &'static str, subject: String, reply: &str) {
        let reply = reply.trim_end().to_owned();
        let handle = self.conn.session();
        handle.events().emit(
            handle.scope(),
            SmtpRefused {
                stage: stage.to_owned(),
                subject,
                reply,
            },
        );
    }

    /// What `policy` has against a sender or recipient.
    pub(crate) fn object(&mut self, stage: &'static str, subject: String, objection: Objection) -> Next {
        match objection {
            Objection::Reply(reply) => {
                self.refuse_told(stage, subject, &reply);
                // A reply that says that the connection closes (RFC 5321 §3.8).
                if reply.starts_with("421") {
                    Next::Close
                } else {
                    Next::Go
                }
            }
            Objection::Drop => Next::Drop,
        }
    }

    /// The next line, CRLF included, which the caller consumes; `None`: it is longer than any line may be, and was answered.
    pub(crate) async fn line(&mut self) -> Result<Option<usize>, ConnError> {
        // Who says something now and then, but sends nothing, has no more time than the patience.
        let deadline = (Instant::now() + self.limits.timeout).min(self.since + self.limits.patience);
        loop {
            if let Some(at) = memchr::memchr(b'\n', self.conn.input()) {
                if at < LINE_MAX_BYTES {
                    return Ok(Some(at + 1));
                }
                self.conn.input().advance(at + 1);
                self.refuse(replies::LINE_TOO_LONG);
                return Ok(None);
            }
            if self.conn.input().len() >= LINE_MAX_BYTES {
                self.skip_line(deadline).await?;
                self.refuse(replies::LINE_TOO_LONG);
                return Ok(None);
            }
            // The limit is for the line, not for each of its bytes.
            self.fill_until(deadline).await?;
        }
    }

    /// Throws a line away that has no end in sight.
    async fn skip_line(&mut self, deadline: Instant) -> Result<(), ConnError> {
        let mut skipped = 0;
        loop {
            let input = self.conn.input();
            if let Some(at) = memchr::memchr(b'\n', input) {
                input.advance(at + 1);
                return Ok(());
            }
            skipped += input.len();
            input.clear();
            if skipped > LINE_SKIP_MAX_BYTES {
                return Err(ConnError::Closed);
            }
            self.fill_until(deadline).await?;
        }
    }

    async fn fill_until(&mut self, deadline: Instant) -> Result<(), ConnError> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ConnError::Timeout);
        }
        self.conn.fill(left).await.map(drop)
    }

    /// Greets and answers commands until one of both sides has enough.
    async fn converse(&mut self) -> Result<(), ConnError> {
        if self.role == Role::Lmtp && !self.conn.peer().ip().to_canonical().is_loopback() {
            self.reply(replies::LOOPBACK_ONLY);
            return Ok(());
        }
        let protocol = if self.role == Role::Lmtp { "LMTP" } else { "ESMTP" };
        let hostname = self.limits.clone();
        // Writing to a buffer in memory can't fail.
        let _ = write!(
            self.conn.output(),
            "220 {} {protocol} BatPost\r\n",
            hostname.hostname
        );
        loop {
            self.conn.session().set_state("");
            let Some(end) = self.line().await? else { continue };
            let command = parse(self.conn.input().get(..end).unwrap_or_default());
            self.conn.input().advance(end);
            let idle = !matches!(
                command,
                Ok(Command::Rcpt { .. } | Command::Data | Command::Bdat { .. } | Command::Quit)
            );
            self.commands += u64::from(idle);
            if self.commands > self.limits.commands_max {
                self.reply(replies::TOO_MANY_COMMANDS);
                return Ok(());
            }
            let next = match command {
                Ok(command) => self.execute(command).await?,
                Err(error) => {
                    let mut reply = Vec::with_capacity(64);
                    error.reply().render(&mut reply);
                    self.errors += 1;
                    self.conn.output().extend_from_slice(&reply);
                    Next::Go
                }
            };
            match next {
                Next::Go => {}
                Next::Close => return Ok(()),
                Next::Drop => return Err(ConnError::Closed),
            }
            if self.errors > self.limits.errors_max {
                self.reply(replies::TOO_MANY_ERRORS);
                return Ok(());
            }
            self.conn.flush_if_full().await?;
        }
    }

    /// Each command's state is boxed: a session that waits for the next one holds none of it.
    async fn execute(&mut self, command: Command) -> Result<Next, ConnError> {
        match command {
            Command::Ehlo { name } => ehlo::ehlo(self, &name),
            Command::Helo { name } => ehlo::helo(self, &name),
            Command::Lhlo { name } => ehlo::lhlo(self, &name),
            Command::Mail { path, params } => return Ok(Box::pin(mail::mail(self, &path, params)).await),
            Command::Rcpt { path, params } => return Ok(Box::pin(rcpt::rcpt(self, &path, params)).await),
            Command::Data => return Box::pin(data::data(self)).await,
            Command::Bdat { size, last } => return Box::pin(bdat::bdat(self, size, last)).await,
            Command::Auth { mechanism, initial } => {
                return Box::pin(auth::auth(self, &mechanism, initial.as_deref())).await;
            }
            Command::StartTls => return Box::pin(starttls::starttls(self)).await,
            Command::Quit => return Ok(quit::quit(self)),
            Command::Rset => rset::rset(self),
            Command::Noop => noop::noop(self),
            Command::Vrfy { text } => Box::pin(vrfy::vrfy(self, &text)).await,
            Command::Expn { text } => Box::pin(expn::expn(self, &text)).await,
            Command::Help { .. } => help::help(self),
        }
        Ok(Next::Go)
    }
}
