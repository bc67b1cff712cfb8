//! METADATA commands (RFC 5464).

use super::lexer::{Bad, Lexer, Parsed};
use super::mailbox::{MailboxName, mailbox};

/// How far below an entry GETMETADATA looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MetadataDepth {
    #[default]
    Zero,
    One,
    Infinity,
}

/// The arguments of GETMETADATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataGet {
    /// `None` (written `""`) is the server.
    pub mailbox: Option<MailboxName>,
    pub max_size_bytes: Option<u64>,
    pub depth: MetadataDepth,
    /// In lower case.
    pub entries: Vec<String>,
}

/// The arguments of SETMETADATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataSet {
    pub mailbox: Option<MailboxName>,
    /// Entries in lower case; no value removes one.
    pub entries: Vec<(String, Option<Vec<u8>>)>,
}

/// getmetadata = "GETMETADATA" [SP options] SP mailbox SP entries. The RFC's examples have the options after
/// the mailbox; both are taken.
pub(super) fn get_metadata(lexer: &mut Lexer<'_>) -> Parsed<MetadataGet> {
    let mut args = MetadataGet {
        mailbox: None,
        max_size_bytes: None,
        depth: MetadataDepth::Zero,
        entries: Vec::new(),
    };
    lexer.sp()?;
    let optioned = options(lexer, &mut args)?;
    args.mailbox = target(lexer)?;
    lexer.sp()?;
    if !optioned
        && lexer.peek() == Some(b'(')
        && !lexer.rest().starts_with(b"(/")
        && !lexer.rest().starts_with(b"(\"")
    {
        options(lexer, &mut args)?;
    }
    args.entries = if lexer.peek() == Some(b'(') {
        lexer.list(entry)?
    } else {
        vec![entry(lexer)?]
    };
    Ok(args)
}

/// `"(" option *(SP option) ")" SP`, if it stands here.
fn options(lexer: &mut Lexer<'_>, args: &mut MetadataGet) -> Parsed<bool> {
    if lexer.peek() != Some(b'(') {
        return Ok(false);
    }
    lexer.list(|lexer| {
        match lexer.word()?.as_str() {
            "MAXSIZE" => {
                lexer.sp()?;
                args.max_size_bytes = Some(lexer.number64()?);
            }
            "DEPTH" => {
                lexer.sp()?;
                args.depth = match lexer.word()?.as_str() {
                    "0" => MetadataDepth::Zero,
                    "1" => MetadataDepth::One,
                    "INFINITY" => MetadataDepth::Infinity,
                    _ => return Err(Bad("unknown depth")),
                };
            }
            _ => return Err(Bad("unknown metadata option")),
        }
        Ok(())
    })?;
    lexer.sp()?;
    Ok(true)
}

/// setmetadata = "SETMETADATA" SP mailbox SP "(" entry SP value *(SP entry SP value) ")"
pub(super) fn set_metadata(lexer: &mut Lexer<'_>) -> Parsed<MetadataSet> {
    lexer.sp()?;
    let mailbox = target(lexer)?;
    lexer.sp()?;
    let entries = lexer.list(|lexer| {
        let name = entry(lexer)?;
        lexer.sp()?;
        Ok((name, lexer.nstring8()?.map(|value| value.into_owned())))
    })?;
    Ok(MetadataSet { mailbox, entries })
}

fn target(lexer: &mut Lexer<'_>) -> Parsed<Option<MailboxName>> {
    mailbox(lexer).map(|name| (!name.as_str().is_empty()).then_some(name))
}

/// RFC 5464 §4.1: begins with "/", no "*", "%", controls, empty or trailing components.
fn entry(lexer: &mut Lexer<'_>) -> Parsed<String> {
    let name = lexer.text()?;
    let fits = name.starts_with('/')
        && !name.ends_with('/')
        && !name.contains("//")
        && !name
            .bytes()
            .any(|byte| matches!(byte, 0..0x20 | 0x7f.. | b'*' | b'%'));
    if fits {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(Bad("bad entry name"))
    }
}
