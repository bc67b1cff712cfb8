//! One visit of an external account: what is there, what of it is new, and what is to be deleted over there.
//!
//! The order that loses nothing: the message is durable in the queue, then the mark that it was fetched is, then it may be deleted over there. A
//! crash between the first two fetches it once more.

use std::time::Duration;

use directory::{ExternalAccount, Resolution};
use events::Scope;
use events::kinds::fetch::{ExternalMessage, ExternalSkipped};
use shared::external::{ExternalAfter, ExternalProtocol};
use shared::protocol::ExternalAnswer;
use tokio::time::Instant;

use crate::connect::{Security, connect};
use crate::imap::Imap;
use crate::intake::{Skip, Way};
use crate::link::Link;
use crate::memory::Memory;
use crate::pop3::Pop3;
use crate::problem::Problem;
use crate::{Inner, now};

/// How long a test of an account may take.
const TEST_MAX: Duration = Duration::from_mins(1);

pub(crate) struct Visit<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) account: &'a ExternalAccount,
    pub(crate) memory: &'a mut Memory,
    pub(crate) way: Way,
    /// Bytes that the mailbox has room for; `None`: any number.
    room: Option<u64>,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    /// Messages that the other server refused.
    pub(crate) refusals: usize,
    /// What went wrong first without ending the visit.
    trouble: Option<Problem>,
    /// After that no message is begun.
    ends: Instant,
    has_begun: bool,
}

/// Visits an account; what was fetched is in the memory's state whatever the outcome. A visit that came to its end may have met something that
/// people should know of.
pub(crate) async fn visit(
    inner: &Inner,
    account: &ExternalAccount,
    memory: &mut Memory,
) -> Result<Option<Problem>, Problem> {
    let timeouts = inner.parts.timeouts;
    let ends = Instant::now() + timeouts.visit;
    // The last message that is begun has a time of its own: a visit that is cut off deletes nothing over POP3 (RFC 1939 §6).
    let deadline = ends + timeouts.message;
    let room = room(inner, account).await?;
    let password = account.password.as_deref().ok_or(Problem::NoPassword)?;
    let external = &account.external;
    let security = Security::new(&inner.parts.tls, external).await?;
    let link = connect(&inner.parts.dns, external, &security, timeouts, deadline).await?;
    let settings = inner.parts.directory.settings();
    let mut visit = Visit {
        inner,
        account,
        way: way(
            inner,
            account,
            &link,
            settings.text("server.hostname"),
            settings.number("smtp.message-size-max"),
        ),
        memory,
        room,
        messages: 0,
        bytes: 0,
        refusals: 0,
        trouble: None,
        ends,
        has_begun: false,
    };
    let done = match external.protocol {
        ExternalProtocol::Pop3 => {
            let opened = Pop3::open(link, &security).await;
            match opened {
                Ok(mut pop3) => match pop3.log_in(external.mechanism, &external.login, password).await {
                    Ok(()) => crate::visit_pop3::visit(&mut visit, pop3).await,
                    Err(problem) => Err(problem),
                },
                Err(problem) => Err(problem),
            }
        }
        ExternalProtocol::Imap => {
            let opened = Imap::open(link, &security).await;
            match opened {
                Ok(mut imap) => match imap.log_in(external.mechanism, &external.login, password).await {
                    Ok(()) => crate::visit_imap::visit(&mut visit, imap).await,
                    Err(problem) => Err(problem),
                },
                Err(problem) => Err(problem),
            }
        }
    };
    let (messages, bytes, trouble) = (visit.messages, visit.bytes, visit.trouble.take());
    memory.state.fetched = messages;
    memory.state.fetched_bytes = bytes;
    memory.state.fetched_total += messages;
    done.map(|()| trouble)
}

/// Connects and logs in.
pub(crate) async fn test(inner: &Inner, account: &ExternalAccount) -> ExternalAnswer {
    let mut answer = ExternalAnswer::default();
    let security = match Security::new(&inner.parts.tls, &account.external).await {
        Ok(security) => security,
        Err(problem) => {
            answer.problem = Some(problem.refusal());
            return answer;
        }
    };
    let tested = try_out(inner, account, &security, &mut answer).await;
    answer.certificate = security.shown().unwrap_or_default();
    answer.problem = tested.err().map(|problem| problem.refusal());
    answer
}

async fn try_out(
    inner: &Inner,
    account: &ExternalAccount,
    security: &Security,
    answer: &mut ExternalAnswer,
) -> Result<(), Problem> {
    let external = &account.external;
    let deadline = Instant::now() + TEST_MAX;
    let link = connect(
        &inner.parts.dns,
        external,
        security,
        inner.parts.timeouts,
        deadline,
    )
    .await?;
    answer.server = format!("{} [{}]:{}", external.host, link.peer.ip(), link.peer.port());
    let password = account.password.as_deref();
    match external.protocol {
        ExternalProtocol::Pop3 => {
            let mut pop3 = Pop3::open(link, security).await?;
            answer.tls = pop3.link.tls_version();
            let password = password.ok_or(Problem::NoPassword)?;
            pop3.log_in(external.mechanism, &external.login, password).await?;
            pop3.mechanism.clone_into(&mut answer.mechanism);
            answer.messages = pop3.count().await?;
            pop3.quit().await
        }
        ExternalProtocol::Imap => {
            let mut imap = Imap::open(link, security).await?;
            answer.tls = imap.link.tls_version();
            let password = password.ok_or(Problem::NoPassword)?;
            imap.log_in(external.mechanism, &external.login, password).await?;
            imap.mechanism.clone_into(&mut answer.mechanism);
            for folder in external.sources() {
                answer.messages += u64::from(imap.select(&folder, false).await?.messages);
            }
            imap.log_out().await;
            Ok(())
        }
    }
}

fn way(inner: &Inner, account: &ExternalAccount, link: &Link, hostname: &str, message_max_bytes: u64) -> Way {
    let external = &account.external;
    // Whatever it is in the end: a visit that STARTTLS fails for fetches nothing.
    let encrypted = external.security != shared::external::ExternalSecurity::None;
    Way {
        queue: inner.parts.queue.clone(),
        user: external.user.clone(),
        folder: Some(external.into.clone()).filter(|folder| !folder.is_empty()),
        hostname: hostname.to_owned(),
        host: external.host.clone(),
        address: link.peer.ip(),
        protocol: match (external.protocol, encrypted) {
            (ExternalProtocol::Pop3, false) => "POP3",
            (ExternalProtocol::Pop3, true) => "POP3S",
            (ExternalProtocol::Imap, false) => "IMAP",
            (ExternalProtocol::Imap, true) => "IMAPS",
        },
        visit: format!("{:x}.{:x}", now(), inner.next_visit()),
        message_max_bytes,
    }
}

/// Bytes that the user's mailbox has room for. Mail that does not fit stays where it is: here it would wait in the queue until it is given up.
async fn room(inner: &Inner, account: &ExternalAccount) -> Result<Option<u64>, Problem> {
    let resolved = inner.parts.directory.resolve(&account.external.user).await?;
    let Resolution::Deliver { accounts, .. } = resolved else {
        return Err(Problem::UserDisabled);
    };
    let own = accounts.iter().find(|found| found.owner == account.owner);
    let Some(quota) = own.and_then(|own| own.quota_bytes) else {
        return Ok(None);
    };
    let used = inner.parts.mailboxes.owner(account.owner).used_bytes().await;
    let used = used.map_err(|error| Problem::Store(error.to_string()))?;
    Ok(Some(quota.saturating_sub(used)))
}

impl Visit<'_> {
    /// Whether the server is being stopped: what is not fetched comes with the next visit.
    pub(crate) fn is_stopped(&self) -> bool {
        *self.inner.stopped.borrow()
    }

    /// Whether another message may be begun, or deleted. The first one may in any case, so that each visit comes further.
    pub(crate) fn goes_on(&mut self) -> bool {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        !self.is_stopped() && (is_first || Instant::now() < self.ends)
    }

    /// Something went wrong that does not end the visit.
    pub(crate) fn meets(&mut self, problem: Problem) {
        self.trouble.get_or_insert(problem);
    }

    /// A message was asked for, and the visit ends. `true`: that message ends every visit, and is left out.
    pub(crate) fn breaks_off(&mut self, message: &str, problem: &Problem) -> bool {
        matches!(problem, Problem::Timeout | Problem::Closed | Problem::Garbage(_))
            && self.memory.breaks_off(message)
    }

    pub(crate) fn after(&self) -> ExternalAfter {
        self.account.external.after
    }

    /// Whether a message of that size may come.
    pub(crate) fn fits(&self, bytes: u64) -> bool {
        self.room.is_none_or(|room| bytes <= room)
    }

    pub(crate) fn took(&mut self, id: events::MessageId, sender: String, bytes: u64) {
        self.messages += 1;
        self.bytes += bytes;
        self.room = self.room.map(|room| room.saturating_sub(bytes));
        let event = ExternalMessage {
            user: self.account.external.user.to_string(),
            account: self.account.external.name.clone(),
            sender,
            size: bytes,
        };
        self.inner.parts.events.emit(Scope::message(id), event);
    }

    /// `message`: what the other server calls it.
    pub(crate) fn skipped(&mut self, message: &str, skip: Skip, bytes: u64) {
        self.memory.state.skipped_total += 1;
        let event = ExternalSkipped {
            user: self.account.external.user.to_string(),
            account: self.account.external.name.clone(),
            message: message.to_owned(),
            reason: skip.word().to_owned(),
            size: bytes,
        };
        self.inner.parts.events.emit(Scope::default(), event);
    }

    /// Makes durable what is known now.
    pub(crate) async fn keep(
        &self,
        seen: &[directory::ExternalSeen],
        forgotten: &[String],
    ) -> Result<(), Problem> {
        let directory = &self.inner.parts.directory;
        let kept = directory
            .keep_external(self.account, seen, forgotten, None)
            .await?;
        if kept { Ok(()) } else { Err(Problem::Gone) }
    }

    /// The same with the positions in the folders.
    pub(crate) async fn keep_positions(&self) -> Result<(), Problem> {
        let directory = &self.inner.parts.directory;
        let kept = directory
            .keep_external(self.account, &[], &[], Some(&self.memory.render()))
            .await?;
        if kept { Ok(()) } else { Err(Problem::Gone) }
    }
}
