//! APPEND and REPLACE: MULTIAPPEND, CATENATE, BINARY and UTF8 included (RFC 9051 §6.3.12; RFC 3502, 4469,
//! 3516, 6855, 8508).
//!
//! The octets of a message never stand in the command: the session streams them elsewhere, and what is parsed
//! is the *skeleton*, the command with each message literal cut out after its announcement.

use super::command::{ParseError, Tag, tag};
use super::date::{DateTime, date_time};
use super::flag::{FlagList, flag_list};
use super::lexer::{Bad, Lexer, Parsed, Resume};
use super::mailbox::{MailboxName, mailbox};
use super::set::{SeqNumber, seq_number};

/// A piece of CATENATE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatPart {
    Url(String),
    Text { size: u64 },
}

/// Where the octets of a message come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendData {
    Literal {
        size: u64,
        /// A literal8: NUL is allowed, transfer encoding may be binary.
        binary: bool,
        /// Headers in UTF-8 (RFC 6855 §4).
        utf8: bool,
    },
    Catenate(Vec<CatPart>),
}

/// One message of an APPEND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendMessage {
    pub flags: FlagList,
    pub date: Option<DateTime>,
    pub data: AppendData,
}

/// The arguments of APPEND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendArgs {
    pub mailbox: MailboxName,
    pub messages: Vec<AppendMessage>,
}

/// The arguments of REPLACE and UID REPLACE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplaceArgs {
    pub number: SeqNumber,
    pub mailbox: MailboxName,
    pub message: AppendMessage,
}

/// The message that a REPLACE replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    pub uid: bool,
    pub number: SeqNumber,
}

/// An APPEND or REPLACE as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendPrefix {
    pub tag: Tag,
    pub replaced: Option<Replaced>,
    pub args: AppendArgs,
}

/// Reads what is there of an APPEND or REPLACE whose skeleton ends with the announcement of a message
/// literal: the tag, the mailbox and the messages up to and with that one.
pub fn parse_append_prefix(skeleton: &[u8], utf8: bool) -> Result<AppendPrefix, ParseError> {
    let mut lexer = Lexer::new(skeleton, utf8);
    let tag = tag(&mut lexer).map_err(|Bad(reason)| ParseError { tag: None, reason })?;
    let (mut args, mut replaced) = (None, None);
    let result = prefix(&mut lexer, &mut replaced, &mut args);
    match (args, result) {
        (Some(args), Ok(())) => Ok(AppendPrefix { tag, replaced, args }),
        // Cut after the announcement: all that could be read was.
        (Some(args), Err(_)) if lexer.resume.position() == skeleton.len() => {
            Ok(AppendPrefix { tag, replaced, args })
        }
        (_, Err(Bad(reason))) => Err(ParseError {
            tag: Some(tag),
            reason,
        }),
        (None, Ok(())) => Err(ParseError {
            tag: Some(tag),
            reason: "mailbox expected",
        }),
    }
}

/// Why an APPEND or REPLACE whose skeleton ends with the announcement of some other literal can't go on.
pub(super) fn refusal(skeleton: &[u8], utf8: bool) -> Option<ParseError> {
    let mut lexer = Lexer::new(skeleton, utf8);
    let tag = tag(&mut lexer).ok()?;
    match prefix(&mut lexer, &mut None, &mut None) {
        Err(Bad(reason)) if !lexer.cut => Some(ParseError {
            tag: Some(tag),
            reason,
        }),
        _ => None,
    }
}

fn prefix(
    lexer: &mut Lexer<'_>,
    replaced: &mut Option<Replaced>,
    args: &mut Option<AppendArgs>,
) -> Parsed<()> {
    lexer.sp()?;
    let uid = lexer.eat_word("UID");
    if uid {
        lexer.sp()?;
    }
    let replace = lexer.eat_word("REPLACE");
    if !replace && (uid || !lexer.eat_word("APPEND")) {
        return Err(Bad("APPEND expected"));
    }
    lexer.sp()?;
    if replace {
        let number = seq_number(lexer)?;
        *replaced = Some(Replaced { uid, number });
        lexer.sp()?;
    }
    let args = args.insert(AppendArgs {
        mailbox: mailbox(lexer)?,
        messages: Vec::new(),
    });
    messages(lexer, &mut args.messages)
}

/// Whether the skeleton, read on from `from`, ends with the announcement of a message literal; and where
/// to read on after it.
pub(super) fn message_literal(skeleton: &[u8], from: Resume) -> Option<Resume> {
    let mut lexer = Lexer::at(skeleton, from.position());
    // Only the place of literals matters here, not the spelling of the mailbox.
    let result = match from {
        Resume::Start => {
            lexer.tag().ok()?;
            skip_to_messages(&mut lexer).and_then(|()| messages(&mut lexer, &mut Vec::new()))
        }
        Resume::Message(_) => messages(&mut lexer, &mut Vec::new()),
        Resume::Utf8(_) => lexer.close().and_then(|()| messages(&mut lexer, &mut Vec::new())),
        Resume::Catenate(_) => {
            cat_tail(&mut lexer, &mut Vec::new()).and_then(|()| messages(&mut lexer, &mut Vec::new()))
        }
    };
    let _ = result;
    (lexer.resume != Resume::Start && lexer.resume.position() == skeleton.len()).then_some(lexer.resume)
}

fn skip_to_messages(lexer: &mut Lexer<'_>) -> Parsed<()> {
    lexer.sp()?;
    if lexer.eat_word("UID") {
        lexer.sp()?;
    }
    if lexer.eat_word("REPLACE") {
        lexer.sp()?;
        seq_number(lexer)?;
    } else if !lexer.eat_word("APPEND") {
        return Err(Bad("APPEND expected"));
    }
    lexer.sp()?;
    lexer.astring().map(drop)
}

/// append = "APPEND" SP mailbox 1*append-message
pub(super) fn append(lexer: &mut Lexer<'_>) -> Parsed<AppendArgs> {
    lexer.sp()?;
    let mut args = AppendArgs {
        mailbox: mailbox(lexer)?,
        messages: Vec::new(),
    };
    messages(lexer, &mut args.messages)?;
    Ok(args)
}

/// replace = "REPLACE" SP seq-number SP mailbox append-message
pub(super) fn replace(lexer: &mut Lexer<'_>) -> Parsed<ReplaceArgs> {
    lexer.sp()?;
    let number = seq_number(lexer)?;
    lexer.sp()?;
    let mailbox = mailbox(lexer)?;
    let mut all = Vec::new();
    messages(lexer, &mut all)?;
    match (all.len(), all.pop()) {
        (1, Some(message)) => Ok(ReplaceArgs {
            number,
            mailbox,
            message,
        }),
        _ => Err(Bad("one message expected")),
    }
}

fn messages(lexer: &mut Lexer<'_>, out: &mut Vec<AppendMessage>) -> Parsed<()> {
    loop {
        message(lexer, out)?;
        if lexer.at_end() {
            return Ok(());
        }
    }
}

/// append-message = [SP flag-list] [SP date-time] SP append-data. It is put out before its data are read,
/// so that a cut one is seen too.
fn message(lexer: &mut Lexer<'_>, out: &mut Vec<AppendMessage>) -> Parsed<()> {
    lexer.sp()?;
    let mut flags = FlagList::default();
    if lexer.peek() == Some(b'(') {
        flags = flag_list(lexer)?;
        lexer.sp()?;
    }
    let mut date = None;
    if lexer.peek() == Some(b'"') {
        date = Some(date_time(lexer)?);
        lexer.sp()?;
    }
    if lexer.eat_word("CATENATE") {
        lexer.sp()?;
        lexer.open()?;
        out.push(AppendMessage {
            flags,
            date,
            data: AppendData::Catenate(Vec::new()),
        });
        if let Some(AppendMessage {
            data: AppendData::Catenate(parts),
            ..
        }) = out.last_mut()
        {
            cat_part(lexer, parts)?;
            cat_tail(lexer, parts)?;
        }
        return Ok(());
    }
    let utf8 = lexer.eat_word("UTF8");
    if utf8 {
        lexer.sp()?;
        lexer.open()?;
    }
    let head = lexer.literal_head()?;
    if utf8 && !head.binary {
        return Err(Bad("literal8 expected"));
    }
    lexer.resume = if utf8 {
        Resume::Utf8(lexer.position())
    } else {
        Resume::Message(lexer.position())
    };
    out.push(AppendMessage {
        flags,
        date,
        data: AppendData::Literal {
            size: head.size,
            binary: head.binary,
            utf8,
        },
    });
    if utf8 { lexer.close() } else { Ok(()) }
}

/// *(SP cat-part) ")"
fn cat_tail(lexer: &mut Lexer<'_>, parts: &mut Vec<CatPart>) -> Parsed<()> {
    while lexer.eat(b' ') {
        cat_part(lexer, parts)?;
    }
    lexer.close()
}

/// cat-part = "URL" SP astring / "TEXT" SP literal
fn cat_part(lexer: &mut Lexer<'_>, parts: &mut Vec<CatPart>) -> Parsed<()> {
    let part = match lexer.word()?.as_str() {
        "URL" => {
            lexer.sp()?;
            CatPart::Url(lexer.text()?)
        }
        "TEXT" => {
            lexer.sp()?;
            let head = lexer.literal_head()?;
            lexer.resume = Resume::Catenate(lexer.position());
            CatPart::Text { size: head.size }
        }
        _ => return Err(Bad("URL or TEXT expected")),
    };
    parts.push(part);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::flag::Flags;
    use super::*;

    fn parse(text: &str) -> Option<AppendArgs> {
        let line = format!(" {text}\r\n");
        let mut lexer = Lexer::new(line.as_bytes(), false);
        let args = append(&mut lexer).ok()?;
        lexer.end().ok()?;
        Some(args)
    }

    #[test]
    fn skeletons() {
        let args = parse("Sent (\\Seen) \" 7-Feb-1994 21:52:25 -0800\" {310}\r\n").unwrap();
        assert_eq!(args.messages[0].flags.system, Flags::SEEN);
        assert_eq!(
            args.messages[0].data,
            AppendData::Literal {
                size: 310,
                binary: false,
                utf8: false
            }
        );
        let args = parse("a {1}\r\n () {2+}\r\n ~{3}\r\n UTF8 (~{4}\r\n)").unwrap();
        assert_eq!(args.messages.len(), 4);
        assert_eq!(
            args.messages[3].data,
            AppendData::Literal {
                size: 4,
                binary: true,
                utf8: true
            }
        );
        let args = parse("a CATENATE (URL \"/x\" TEXT {3}\r\n URL {2}\r\n/y)").unwrap();
        let AppendData::Catenate(parts) = &args.messages[0].data else {
            unreachable!()
        };
        assert_eq!(parts.len(), 3);
        for bad in [
            "a",
            "a {1}",
            "a {1}\r\n x",
            "a \"bad date\" {1}\r\n",
            "a UTF8 ({1}\r\n)",
            "a CATENATE ()",
            "a {1}\r\n {2}\r\n ",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn message_literals_are_told_from_others() {
        let at = |text: &str| message_literal(text.as_bytes(), Resume::Start);
        assert!(at("a APPEND {5}\r\n").is_none());
        assert!(matches!(
            at("a APPEND {5}\r\nINBOX {9}\r\n"),
            Some(Resume::Message(_))
        ));
        assert!(matches!(
            at("a append x (\\Seen) ~{9+}\r\n"),
            Some(Resume::Message(_))
        ));
        assert!(matches!(
            at("a APPEND x CATENATE (TEXT {9}\r\n"),
            Some(Resume::Catenate(_))
        ));
        assert!(at("a APPEND x CATENATE (URL {9}\r\n").is_none());
        assert!(matches!(
            at("a UID REPLACE 4 x {9}\r\n"),
            Some(Resume::Message(_))
        ));
        assert!(at("a SEARCH TEXT {9}\r\n").is_none());

        let first = "a APPEND x CATENATE (TEXT {9}\r\n";
        let next = format!("{first} URL \"/a\" TEXT {{3}}\r\n");
        let resume = message_literal(next.as_bytes(), at(first).unwrap()).unwrap();
        let last = format!("{next}) (\\Seen) {{3}}\r\n");
        assert!(matches!(
            message_literal(last.as_bytes(), resume),
            Some(Resume::Message(_))
        ));
    }

    #[test]
    fn what_can_not_go_on_is_told_early() {
        let refused = |text: &str| refusal(text.as_bytes(), false).is_some();
        let first = "a APPEND x {1}\r\n";
        assert!(refused(&format!("{first} (\\Seen {{3}}\r\n")));
        assert!(refused(&format!("{first}{{3}}\r\n")));
        assert!(refused(&format!("{first} CATENATE (FNORD {{3}}\r\n")));
        assert!(!refused(&format!("{first} CATENATE (URL {{3}}\r\n")));
        assert!(!refused(&format!(
            "{first} (\\Seen) CATENATE (URL /x URL {{3}}\r\n"
        )));
    }

    #[test]
    fn prefixes_tell_the_mailbox_early() {
        let prefix = parse_append_prefix(b"a1 APPEND Sent (\\Seen) {9}\r\n", false).unwrap();
        let args = prefix.args;
        assert_eq!(
            (prefix.tag.as_str(), args.mailbox.as_str(), args.messages.len()),
            ("a1", "Sent", 1)
        );
        assert_eq!(prefix.replaced, None);
        let prefix = parse_append_prefix(b"a1 APPEND Sent CATENATE (URL x TEXT {9}\r\n", false).unwrap();
        assert_eq!(prefix.args.messages.len(), 1);
        let prefix = parse_append_prefix(b"a1 UID REPLACE 7 Sent {9}\r\n", false).unwrap();
        let number = SeqNumber::Number(7);
        assert_eq!(prefix.replaced, Some(Replaced { uid: true, number }));
        assert!(parse_append_prefix(b"a1 UID APPEND Sent {9}\r\n", false).is_err());
        assert!(parse_append_prefix(b"a1 APPEND Sent (\\Recent) {9}\r\n", false).is_err());
    }
}
