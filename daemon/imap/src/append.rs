//! APPEND (RFC 9051 §6.3.12) with MULTIAPPEND (RFC 3502), BINARY (RFC 3516) and APPENDUID (RFC 4315).
//!
//! The octets go from the connection to the intake of texts as they come; no more than a piece is in memory.

use bytes::{Buf, BytesMut};
use disk::blob::Blob;
use mailbox::{Append, Appended, Flags};
use shared::Rights;
use wire::imap::render::{put_number, put_uid_sequence};
use wire::imap::{AppendArgs, AppendData, AppendPrefix, Literal, Tag, parse_append_prefix};

use crate::copy::target_missing;
use crate::place::Place;
use crate::reply::{Answer, COMPLETED, End, Outcome};
use crate::rights::flags_kept;
use crate::session::Session;

/// Octets handed to the intake at once.
const PIECE_MAX_BYTES: usize = 64 * 1024;
/// Messages of one APPEND.
const MESSAGES_MAX: usize = 1000;

/// Texts of all messages of one command: those of CATENATE count one by one.
const TEXTS_MAX: usize = 10_000;

/// An APPEND or REPLACE whose texts have come so far.
pub(crate) struct Appending {
    pub(crate) place: Place,
    /// One for each literal, in their order.
    pub(crate) texts: Vec<Blob>,
}

impl Session {
    /// A message was announced: checks what can be checked before it comes, then takes it in.
    pub(crate) async fn append_literal(&mut self, literal: Literal) -> Result<(), End> {
        let (tag, checked) = self.check_append(literal).await;
        let refused = match checked {
            Ok(()) => {
                if literal.sync {
                    self.go_ahead().await?;
                }
                match self.take_in(literal).await? {
                    Ok(text) => {
                        if let Some(appending) = &mut self.appending {
                            appending.texts.push(text);
                        }
                        return Ok(());
                    }
                    // All of the literal was read; the rest of the command is skipped.
                    Err(answer) => (answer, Some(0)),
                }
            }
            Err(answer) => (answer, (!literal.sync).then_some(literal.size)),
        };
        self.appending = None;
        let (answer, unread) = refused;
        self.framer.abandon_append(unread);
        match tag {
            Some(tag) => self.give(&answer, &tag)?,
            None => self.refuse(None, answer.text)?,
        }
        Ok(())
    }

    async fn check_append(&mut self, literal: Literal) -> (Option<Tag>, Result<(), Answer>) {
        let prefix = match parse_append_prefix(self.framer.append_skeleton(), self.enabled.utf8()) {
            Ok(prefix) => prefix,
            Err(error) => return (error.tag, Err(Answer::bad(error.reason))),
        };
        let checked = self.prepare_append(&prefix, literal).await;
        (Some(prefix.tag), checked)
    }

    async fn prepare_append(&mut self, prefix: &AppendPrefix, literal: Literal) -> Result<(), Answer> {
        let args = &prefix.args;
        let size = match args.messages.last().map(|message| &message.data) {
            // RFC 6855 §4
            Some(AppendData::Literal { utf8: true, .. }) if !self.enabled.utf8_accept => {
                return Err(Answer::bad("UTF8 needs ENABLE UTF8=ACCEPT"));
            }
            // RFC 3502 §6.3.11: an empty message gives the whole APPEND up.
            Some(AppendData::Literal { .. }) if literal.size == 0 => return Err(empty()),
            Some(AppendData::Literal { .. }) => literal.size,
            Some(AppendData::Catenate(parts)) => self.size_of_texts(parts)?,
            None => return Err(Answer::bad("message expected")),
        };
        if let Some(replaced) = prefix.replaced {
            if args.messages.len() > 1 {
                return Err(Answer::bad("one message expected"));
            }
            self.replaced_uid(replaced.uid, replaced.number)?;
        }
        match &self.appending {
            None => {
                self.appending = Some(Appending {
                    place: self.target(args.mailbox.as_str()).await?,
                    texts: Vec::new(),
                });
            }
            Some(appending) if args.messages.len() > MESSAGES_MAX || appending.texts.len() >= TEXTS_MAX => {
                return Err(Answer::no("too many messages in one APPEND").with("LIMIT"));
            }
            Some(_) => {}
        }
        let quota = self
            .appending
            .as_ref()
            .and_then(|appending| appending.place.spot.quota_bytes);
        if quota.is_some_and(|quota| size > quota) {
            return Err(Answer::no("over quota").with("OVERQUOTA"));
        }
        Ok(())
    }

    /// Reads the whole literal, whatever happens to it. An inner error: why it can't be kept.
    async fn take_in(&mut self, literal: Literal) -> Result<Result<Blob, Answer>, End> {
        let mut intake = Some(self.server.queue.intake());
        let mut refused = None;
        let mut left = literal.size;
        while left > 0 {
            if self.conn.input().is_empty() {
                let timeout = self.timeout();
                self.conn.fill(timeout).await?;
            }
            let input = self.conn.input();
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_MAX_BYTES);
            let piece = input.get(..most.min(input.len())).unwrap_or_default();
            if refused.is_none() && piece.contains(&0) {
                // A literal8 with NUL would have to be re-encoded (RFC 3516 §4.4); in a literal it is forbidden.
                refused = Some(if literal.binary {
                    Answer::no("NUL can't be stored").with("UNKNOWN-CTE")
                } else {
                    Answer::bad("NUL in literal")
                });
            }
            if let (None, Some(into)) = (&refused, &mut intake)
                && into.write(piece).await.is_err()
            {
                refused = Some(not_stored());
            }
            if refused.is_some() {
                intake = None;
            }
            let len = piece.len();
            left -= len as u64;
            self.conn.input().advance(len);
        }
        if let Some(answer) = refused {
            return Ok(Err(answer));
        }
        let Some(intake) = intake else {
            return Ok(Err(Answer::bad("no message")));
        };
        Ok(intake.finish().await.map_err(|_| not_stored()))
    }

    /// The whole command has come.
    pub(crate) async fn append_end(&mut self, args: AppendArgs) -> Outcome {
        let (place, messages) = match self.appended(args).await {
            Ok(ready) => ready,
            Err(answer) => return Ok(answer),
        };
        let (owner, folder) = (&place.spot.owner, place.folder.id);
        let here = self
            .view
            .as_mut()
            .filter(|view| view.is_of(owner.id(), folder) && view.may_read())
            .and_then(|view| view.seen().map(|seen| (view, seen)));
        let appended = match here {
            None => owner.append(folder, messages).await,
            Some((view, seen)) => {
                owner
                    .append_and_see(folder, messages, seen)
                    .await
                    .map(|(appended, changes)| {
                        view.was_seen(changes);
                        appended
                    })
            }
        };
        match appended {
            Ok(appended) => {
                let uids: Vec<u32> = appended.iter().map(|appended| appended.uid).collect();
                self.note_put(place.spot.owner.id(), place.folder.id, &uids);
                Ok(match append_uid(&appended) {
                    Some(code) => Answer::ok(COMPLETED).with(code),
                    None => Answer::ok(COMPLETED),
                })
            }
            Err(error) => Ok(target_missing(error)),
        }
    }

    /// Where the messages go, and they themselves with their texts.
    pub(crate) async fn appended(&mut self, args: AppendArgs) -> Result<(Place, Vec<Append>), Answer> {
        let (place, texts) = match self.appending.take() {
            Some(appending) => (appending.place, appending.texts),
            // Of URLs alone nothing has come yet.
            None => (self.target(args.mailbox.as_str()).await?, Vec::new()),
        };
        if args.messages.len() > MESSAGES_MAX {
            return Err(Answer::no("too many messages in one APPEND").with("LIMIT"));
        }
        let (kept, quota_bytes) = (flags_kept(place.rights), place.spot.quota_bytes);
        let keywords = place.rights.contains(Rights::WRITE);
        let now = jiff::Timestamp::now().as_second();
        let mut texts = texts.into_iter();
        let mut messages = Vec::with_capacity(args.messages.len());
        for message in args.messages {
            let text = match message.data {
                AppendData::Literal { .. } => texts.next().ok_or(Answer::bad("message expected"))?,
                AppendData::Catenate(parts) => self.catenate(&parts, &mut texts).await?,
            };
            messages.push(Append {
                text,
                // RFC 4314 §4: flags that may not be set are left out.
                flags: message.flags.system.without(Flags::ALL.without(kept)),
                keywords: if keywords {
                    message.flags.keywords.into_vec()
                } else {
                    Vec::new()
                },
                received: message
                    .date
                    .map_or((now, 0), |date| (date.unix_seconds, date.offset_minutes)),
                quota_bytes,
            });
        }
        Ok((place, messages))
    }
}

pub(crate) fn not_stored() -> Answer {
    Answer::no("the message can't be stored now, try again later").with("UNAVAILABLE")
}

pub(crate) fn empty() -> Answer {
    Answer::no("an empty message gives up the APPEND")
}

/// `APPENDUID validity uids` (RFC 4315 §3).
pub(crate) fn append_uid(appended: &[Appended]) -> Option<String> {
    let mut code = BytesMut::from(&b"APPENDUID "[..]);
    put_number(&mut code, u64::from(appended.first()?.uid_validity));
    code.extend_from_slice(b" ");
    let uids: Vec<u32> = appended.iter().map(|appended| appended.uid).collect();
    put_uid_sequence(&mut code, &uids);
    String::from_utf8(code.to_vec()).ok()
}
