//! Answers of users who are away (RFC 3834), sent when a message was stored in their mailbox.
//!
//! An answer is for a person who wrote to the user by name, once in so many days: never for lists, bulk mail, robots, bounces and answers
//! (RFC 3834 §2), and it has the null reverse-path, so that nothing answers it. It is committed together with a mark on its cause, so that a crash
//! repeats none. Who was answered is noted in the directory after that.
//!
//! Must not know: who may send as whom beyond what `directory` says, how a message was received.

use std::collections::HashSet;
use std::fmt::Write;
use std::sync::Arc;

use directory::Account;
use disk::blob::Blob;
use events::Scope;
use events::kinds::delivery::VacationAnswered;
use events::kinds::store::StoreFailed;
use parking_lot::Mutex;
use queue::{Envelope, Job, Origin, QueueError};
use shared::model::{OwnerId, Vacation};
use shared::{Address, DomainName};
use wire::message::addresses::mailboxes;
use wire::message::date::Date;
use wire::message::{decode, field, headers, unfold};

use crate::report::{base64_lines, encoded_words, one_line};
use crate::{Inner, now, text};

/// Addresses of To and Cc that are looked at.
const ADDRESSED_MAX_COUNT: usize = 100;
/// Bytes of a Message-ID that is referred to.
const MESSAGE_ID_MAX_BYTES: usize = 500;
/// Characters of the subject that is taken over.
const SUBJECT_MAX_CHARS: usize = 200;

/// Who is being answered now, so that two messages at once get one answer.
#[derive(Debug, Default)]
pub(crate) struct Answering {
    now: Mutex<HashSet<(OwnerId, String)>>,
}

/// Ends with the answer.
struct Turn<'a> {
    of: &'a Answering,
    key: (OwnerId, String),
}

impl Answering {
    fn begin(&self, owner: OwnerId, to: &Address) -> Option<Turn<'_>> {
        let key = (owner, to.key());
        let first = self.now.lock().insert(key.clone());
        // Only whoever begins has a turn to drop, and none is dropped under the lock.
        first.then(|| Turn { of: self, key })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.of.now.lock().remove(&self.key);
    }
}

/// Answers a message that was stored for `account`, if it is to be answered.
pub(crate) async fn answer(inner: &Arc<Inner>, job: &mut Job, account: &Account) -> Result<(), QueueError> {
    let now = now();
    let Some(vacation) = account.vacation.as_ref().filter(|vacation| vacation.is_on(now)) else {
        return Ok(());
    };
    let Some(sender) = job.envelope.sender.clone() else {
        return Ok(());
    };
    // It was sent to another mailbox, perhaps long ago: that one answers for itself.
    if job.envelope.origin == Origin::Fetched {
        return Ok(());
    }
    let mark = format!("vacation {}", account.owner.0);
    if job.has_mark(&mark) || is_robot(&sender) || sender.key() == account.address.key() {
        return Ok(());
    }
    let Some(_turn) = inner.answering.begin(account.owner, &sender) else {
        return Ok(());
    };
    let directory = &inner.parts.directory;
    let answered = directory.is_answered(account.owner, &sender, vacation.days, now);
    // A directory that can't be asked now: better no answer than a second one.
    if answered.await.unwrap_or(true) {
        return Ok(());
    }
    let Ok(header) = text::header(&inner.parts.disk, &job.text).await else {
        return Ok(());
    };
    if is_automatic(&header) || !is_addressed(inner, account, &header).await {
        return Ok(());
    }
    let own = Envelope::from_server(std::slice::from_ref(&sender), job.envelope.session, now);
    let envelope = Envelope {
        smtputf8: own.smtputf8 || !account.address.is_ascii(),
        ..own
    };
    let hostname = directory.settings().text("server.hostname").to_owned();
    let id = format!("{now:x}.{}.{}@{hostname}", job.id, account.owner.0);
    let text = render(account, vacation, &sender, &header, &id, now);
    let text = Blob::Bytes(text.into_bytes().into());
    let committed = inner
        .parts
        .queue
        .commit_from(job, &[mark], envelope, text)
        .await?;
    drop(committed);
    let noted = directory.note_answer(account.owner, &sender, vacation.days, now);
    if let Err(error) = noted.await {
        let failed = StoreFailed {
            store: "vacation".to_owned(),
            reason: error.to_string(),
        };
        inner.parts.events.emit(Scope::message(job.id), failed);
    }
    let event = VacationAnswered {
        user: account.address.to_string(),
        recipient: sender.to_string(),
    };
    inner.parts.events.emit(Scope::message(job.id), event);
    Ok(())
}

/// Addresses behind which nobody reads (RFC 3834 §2).
fn is_robot(sender: &Address) -> bool {
    let local = sender.local().to_lowercase();
    let names = [
        "mailer-daemon",
        "listserv",
        "majordomo",
        "noreply",
        "no-reply",
        "donotreply",
    ];
    let starts = [
        "owner-", "noreply", "no-reply", "bounce", "srs0=", "srs1=", "prvs=",
    ];
    let ends = [
        "-request",
        "-owner",
        "-bounces",
        "-relay",
        "-noreply",
        "-no-reply",
    ];
    names.contains(&local.as_str())
        || starts.iter().any(|start| local.starts_with(start))
        || ends.iter().any(|end| local.ends_with(end))
}

/// Whether the header says that no person wrote it to a person.
fn is_automatic(header: &[u8]) -> bool {
    headers(header).any(|field| {
        let value = unfold(field.value).trim_ascii().to_ascii_lowercase();
        let is = |name: &str| field.is(name);
        match () {
            // RFC 3834 §5: anything but "no".
            () if is("Auto-Submitted") => !value.starts_with(b"no") || value.starts_with(b"not"),
            () if is("Precedence") => matches!(value.as_slice(), b"bulk" | b"list" | b"junk"),
            () if is("X-Auto-Response-Suppress") => [&b"all"[..], b"oof", b"autoreply"]
                .iter()
                .any(|word| contains(&value, word)),
            () if is("Return-Path") => value == b"<>",
            () => {
                field.name.len() > 5
                    && field
                        .name
                        .get(..5)
                        .is_some_and(|name| name.eq_ignore_ascii_case(b"List-"))
            }
        }
    })
}

fn contains(value: &[u8], word: &[u8]) -> bool {
    value.windows(word.len()).any(|window| window == word)
}

/// Whether the user is named as one of those whom the message is for (RFC 3834 §2).
async fn is_addressed(inner: &Inner, account: &Account, header: &[u8]) -> bool {
    let fields = ["To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"];
    let named = headers(header).filter(|field| fields.iter().any(|name| field.is(name)));
    let named = named
        .flat_map(|field| mailboxes(field.value))
        .take(ADDRESSED_MAX_COUNT);
    for mailbox in named.collect::<Vec<_>>() {
        let domain = std::str::from_utf8(&mailbox.domain).ok();
        let domain = domain.and_then(|domain| DomainName::parse(domain).ok());
        let (Some(domain), Ok(local)) = (domain, std::str::from_utf8(&mailbox.local)) else {
            continue;
        };
        let Ok(address) = Address::from_parts(local, domain) else {
            continue;
        };
        // A directory that can't be asked now: better no answer than a wrong one.
        if let Ok(true) = inner.parts.directory.is_address_of(account, &address).await {
            return true;
        }
    }
    false
}

fn render(account: &Account, vacation: &Vacation, to: &Address, header: &[u8], id: &str, now: i64) -> String {
    let subject = if vacation.subject.trim().is_empty() {
        let of = field(header, "Subject")
            .map(decode::header_text)
            .unwrap_or_default();
        let of: String = of.chars().take(SUBJECT_MAX_CHARS).collect();
        // RFC 3834 §3.1.5
        format!("Auto: {}", of.trim())
    } else {
        vacation.subject.clone()
    };
    let mut out = String::new();
    // Writing to a text in memory can't fail, here and below.
    let _ = write!(
        out,
        "Return-Path: <>\r\nFrom: <{}>\r\nTo: <{to}>\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{id}>\r\n",
        account.address,
        encoded_words(&subject),
        Date::utc(now).rfc5322(),
    );
    let cause = field(header, "Message-ID").map(|value| unfold(value).into_owned());
    let cause = cause.and_then(|value| String::from_utf8(value).ok());
    if let Some(cause) = cause.filter(|cause| cause.starts_with('<') && cause.len() <= MESSAGE_ID_MAX_BYTES) {
        let cause = one_line(&cause);
        let _ = write!(out, "In-Reply-To: {cause}\r\nReferences: {cause}\r\n");
    }
    let body = vacation.text.replace("\r\n", "\n").replace('\n', "\r\n");
    let _ = write!(
        out,
        "Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64_lines(body.as_bytes()),
    );
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The second of two messages at once ends the first one's turn, or waits for a lock that it holds itself.
    #[test]
    fn one_message_at_a_time_is_answered() {
        let answering = Answering::default();
        let [olga, ivan] = ["olga@b.test", "ivan@b.test"].map(|it| Address::parse(it).unwrap());
        let turn = answering.begin(OwnerId(1), &olga);
        assert!(turn.is_some());
        for _ in 0..2 {
            assert!(answering.begin(OwnerId(1), &olga).is_none());
        }
        assert!(answering.begin(OwnerId(1), &ivan).is_some());
        assert!(answering.begin(OwnerId(2), &olga).is_some());
        drop(turn);
        assert!(answering.begin(OwnerId(1), &olga).is_some());
    }

    /// Two robots would write to each other for ever, or a list would hear of everybody's holidays.
    #[test]
    fn robots_lists_and_bulk_mail_get_no_answer() {
        for (header, automatic) in [
            ("Subject: hello\r\n\r\n", false),
            ("Auto-Submitted: no\r\n\r\n", false),
            ("Auto-Submitted: auto-replied\r\n\r\n", true),
            ("Auto-Submitted:\r\n auto-generated (cron)\r\n\r\n", true),
            ("Precedence: Bulk\r\n\r\n", true),
            ("Precedence: first-class\r\n\r\n", false),
            ("list-unsubscribe: <mailto:x@y.test>\r\n\r\n", true),
            ("X-Auto-Response-Suppress: DR, OOF\r\n\r\n", true),
            ("Listing: x\r\n\r\n", false),
        ] {
            assert_eq!(is_automatic(header.as_bytes()), automatic, "{header}");
        }
        for (sender, robot) in [
            ("anna@b.test", false),
            ("MAILER-DAEMON@b.test", true),
            ("news-bounces@b.test", true),
            ("bounces+17@b.test", true),
            ("owner-list@b.test", true),
            ("list-request@b.test", true),
            ("downers-grove@b.test", false),
        ] {
            assert_eq!(is_robot(&Address::parse(sender).unwrap()), robot, "{sender}");
        }
    }
}
