//! The answers to commands. All texts of the protocol are here or beside their command; they are English constants.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use mailbox::MailboxError;
use net::ConnError;
use wire::imap::Tag;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    No,
    Bad,
}

/// The tagged answer to a command.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    /// The response code without its brackets (RFC 9051 §7.1).
    pub(crate) code: Option<Cow<'static, str>>,
    pub(crate) text: &'static str,
}

/// What a command ends with: its answer, or the end of the session.
pub(crate) type Outcome = Result<Answer, End>;

/// Why a session is over.
#[derive(Debug)]
pub(crate) enum End {
    Conn(ConnError),
    /// The client was told all it is to be told.
    Done,
    /// Not over: the command has answered by itself.
    Resume,
    /// Say `* BYE` with this.
    Bye(&'static str),
}

impl From<ConnError> for End {
    fn from(error: ConnError) -> Self {
        Self::Conn(error)
    }
}

pub(crate) const BYE_TIMEOUT: &str = "[UNAVAILABLE] idle for too long";
pub(crate) const BYE_ENDED: &str = "[UNAVAILABLE] the server ends this session";
pub(crate) const BYE_ERRORS: &str = "too many errors";
pub(crate) const BYE_TOO_BIG: &str = "[TOOBIG] too much in one piece";
pub(crate) const BYE_LOGINS: &str = "too many failed logins";
pub(crate) const BYE_FOLDER_GONE: &str = "the selected mailbox was removed";
pub(crate) const COMPLETED: &str = "completed";

impl Answer {
    pub(crate) fn ok(text: &'static str) -> Self {
        Self {
            verdict: Verdict::Ok,
            code: None,
            text,
        }
    }

    pub(crate) fn no(text: &'static str) -> Self {
        Self {
            verdict: Verdict::No,
            code: None,
            text,
        }
    }

    pub(crate) fn bad(text: &'static str) -> Self {
        Self {
            verdict: Verdict::Bad,
            code: None,
            text,
        }
    }

    pub(crate) fn with(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    pub(crate) fn put(&self, out: &mut BytesMut, tag: &Tag) {
        out.put_slice(tag.as_str().as_bytes());
        out.put_slice(match self.verdict {
            Verdict::Ok => b" OK ",
            Verdict::No => b" NO ",
            Verdict::Bad => b" BAD ",
        });
        if let Some(code) = &self.code {
            out.put_u8(b'[');
            out.put_slice(code.as_bytes());
            out.put_slice(b"] ");
        }
        out.put_slice(self.text.as_bytes());
        out.put_slice(b"\r\n");
    }
}

/// RFC 5530 codes.
impl From<MailboxError> for Answer {
    fn from(error: MailboxError) -> Self {
        match error {
            MailboxError::NoSuchFolder => Self::no("no such mailbox").with("NONEXISTENT"),
            MailboxError::FolderExists => Self::no("the mailbox exists already").with("ALREADYEXISTS"),
            MailboxError::NotAllowed(_) => Self::no("this mailbox can't be changed so").with("CANNOT"),
            MailboxError::InvalidName => Self::no("invalid mailbox name").with("CANNOT"),
            MailboxError::OverQuota => Self::no("over quota").with("OVERQUOTA"),
            MailboxError::TooManyKeywords => Self::no("too many keywords in this mailbox").with("LIMIT"),
            MailboxError::TooMany(what) => Self::no(what).with("LIMIT"),
            MailboxError::Unavailable(_) | MailboxError::Full(_) | MailboxError::SyncFailed(_) => {
                Self::no("the mailbox can't be reached now, try again later").with("UNAVAILABLE")
            }
            MailboxError::Damaged(_) => {
                Self::no("the mailbox is damaged, the administrator was told").with("CORRUPTION")
            }
        }
    }
}

/// RFC 9586 §3.1
pub(crate) fn uid_required() -> Answer {
    Answer::bad("message numbers are not known after ENABLE UIDONLY").with("UIDREQUIRED")
}

/// An untagged line.
pub(crate) fn untagged(out: &mut BytesMut, text: &str) {
    out.put_slice(b"* ");
    out.put_slice(text.as_bytes());
    out.put_slice(b"\r\n");
}

/// `* number word`
pub(crate) fn untagged_number(out: &mut BytesMut, number: u64, word: &str) {
    out.put_slice(b"* ");
    wire::imap::render::put_number(out, number);
    out.put_u8(b' ');
    out.put_slice(word.as_bytes());
    out.put_slice(b"\r\n");
}
