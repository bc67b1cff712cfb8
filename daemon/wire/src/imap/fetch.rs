//! FETCH: items, sections and modifiers (RFC 9051 §6.4.5; RFC 3516, 7162, 8474, 8514, 8970, 9394).

use smallvec::SmallVec;

use super::lexer::{Bad, Lexer, Parsed};
use super::search::{PartialRange, partial_range};
use super::set::{SequenceSet, sequence_set};

/// What of a section is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionText {
    /// The whole part or message.
    All,
    Header,
    /// HEADER.FIELDS, or with `not` HEADER.FIELDS.NOT. Names as written.
    HeaderFields {
        names: Vec<String>,
        not: bool,
    },
    Text,
    Mime,
}

/// What stands between `[` and `]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Part numbers from 1; none means the message itself.
    pub part: SmallVec<[u32; 4]>,
    pub text: SectionText,
}

/// `<offset.count>`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partial {
    pub offset: u64,
    pub count: u64,
}

/// One item of FETCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchItem {
    Uid,
    Flags,
    InternalDate,
    Rfc822Size,
    Envelope,
    /// BODY without a section: the structure without its extension data.
    Body,
    BodyStructure,
    BodySection {
        section: Section,
        partial: Option<Partial>,
        peek: bool,
    },
    Rfc822,
    Rfc822Header,
    Rfc822Text,
    Binary {
        part: SmallVec<[u32; 4]>,
        partial: Option<Partial>,
        peek: bool,
    },
    BinarySize {
        part: SmallVec<[u32; 4]>,
    },
    ModSeq,
    EmailId,
    ThreadId,
    SaveDate,
    Preview {
        lazy: bool,
    },
}

impl FetchItem {
    /// Whether fetching it sets `\Seen`.
    pub fn sets_seen(&self) -> bool {
        match self {
            Self::BodySection { peek, .. } | Self::Binary { peek, .. } => !peek,
            Self::Rfc822 | Self::Rfc822Text => true,
            _ => false,
        }
    }
}

/// The arguments of FETCH and UID FETCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchArgs {
    pub set: SequenceSet,
    /// Macros are put as their items.
    pub items: Vec<FetchItem>,
    pub changed_since: Option<u64>,
    /// With `changed_since` on UID FETCH: report what is gone too (RFC 7162 §3.2.6).
    pub vanished: bool,
    pub partial: Option<PartialRange>,
}

/// fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" … ")") [fetch-modifiers]
pub(super) fn fetch(lexer: &mut Lexer<'_>) -> Parsed<FetchArgs> {
    lexer.sp()?;
    let set = sequence_set(lexer)?;
    lexer.sp()?;
    let items = if lexer.peek() == Some(b'(') {
        lexer.list(item)?
    } else if let Some(items) = fetch_macro(lexer) {
        items
    } else {
        vec![item(lexer)?]
    };
    let mut args = FetchArgs {
        set,
        items,
        changed_since: None,
        vanished: false,
        partial: None,
    };
    if lexer.eat(b' ') {
        lexer.list(|lexer| modifier(lexer, &mut args))?;
    }
    if args.vanished && args.changed_since.is_none() {
        return Err(Bad("VANISHED without CHANGEDSINCE"));
    }
    Ok(args)
}

/// Macros stand alone, never in a list.
fn fetch_macro(lexer: &mut Lexer<'_>) -> Option<Vec<FetchItem>> {
    let fast = || vec![FetchItem::Flags, FetchItem::InternalDate, FetchItem::Rfc822Size];
    let mut items = fast();
    if lexer.eat_word("FAST") {
        return Some(items);
    }
    items.push(FetchItem::Envelope);
    if lexer.eat_word("ALL") {
        return Some(items);
    }
    items.push(FetchItem::Body);
    lexer.eat_word("FULL").then_some(items)
}

fn modifier(lexer: &mut Lexer<'_>, args: &mut FetchArgs) -> Parsed<()> {
    match lexer.word()?.as_str() {
        "CHANGEDSINCE" if args.changed_since.is_none() => {
            lexer.sp()?;
            args.changed_since = Some(lexer.number64()?);
        }
        "VANISHED" => args.vanished = true,
        "PARTIAL" if args.partial.is_none() => {
            lexer.sp()?;
            args.partial = Some(partial_range(lexer)?);
        }
        _ => return Err(Bad("unknown fetch modifier")),
    }
    Ok(())
}

/// fetch-att; also what NOTIFY's MessageNew takes.
pub(super) fn item(lexer: &mut Lexer<'_>) -> Parsed<FetchItem> {
    let word = lexer.item_word()?;
    Ok(match word.as_str() {
        "UID" => FetchItem::Uid,
        "FLAGS" => FetchItem::Flags,
        "INTERNALDATE" => FetchItem::InternalDate,
        "RFC822.SIZE" => FetchItem::Rfc822Size,
        "ENVELOPE" => FetchItem::Envelope,
        "BODYSTRUCTURE" => FetchItem::BodyStructure,
        "RFC822" => FetchItem::Rfc822,
        "RFC822.HEADER" => FetchItem::Rfc822Header,
        "RFC822.TEXT" => FetchItem::Rfc822Text,
        "MODSEQ" => FetchItem::ModSeq,
        "EMAILID" => FetchItem::EmailId,
        "THREADID" => FetchItem::ThreadId,
        "SAVEDATE" => FetchItem::SaveDate,
        "PREVIEW" => preview(lexer)?,
        "BODY" if lexer.peek() != Some(b'[') => FetchItem::Body,
        "BODY" => body(lexer, false)?,
        "BODY.PEEK" => body(lexer, true)?,
        "BINARY" => binary(lexer, false)?,
        "BINARY.PEEK" => binary(lexer, true)?,
        "BINARY.SIZE" => FetchItem::BinarySize {
            part: binary_part(lexer)?,
        },
        _ => return Err(Bad("unknown fetch item")),
    })
}

fn body(lexer: &mut Lexer<'_>, peek: bool) -> Parsed<FetchItem> {
    let section = section(lexer)?;
    Ok(FetchItem::BodySection {
        section,
        partial: partial(lexer)?,
        peek,
    })
}

fn binary(lexer: &mut Lexer<'_>, peek: bool) -> Parsed<FetchItem> {
    let part = binary_part(lexer)?;
    Ok(FetchItem::Binary {
        part,
        partial: partial(lexer)?,
        peek,
    })
}

/// section-binary = "[" [section-part] "]"
fn binary_part(lexer: &mut Lexer<'_>) -> Parsed<SmallVec<[u32; 4]>> {
    lexer.expect(b'[', "\"[\" expected")?;
    let mut part = SmallVec::new();
    if lexer.peek() != Some(b']') {
        part.push(lexer.nz_number()?);
        while lexer.eat(b'.') {
            part.push(lexer.nz_number()?);
        }
    }
    lexer.expect(b']', "\"]\" expected")?;
    Ok(part)
}

/// RFC 8970 §3.1: PREVIEW [SP "(" "LAZY" ")"]
fn preview(lexer: &mut Lexer<'_>) -> Parsed<FetchItem> {
    let mut ahead = lexer.clone();
    if !(ahead.eat(b' ') && ahead.eat(b'(') && ahead.eat_word("LAZY")) {
        return Ok(FetchItem::Preview { lazy: false });
    }
    ahead.close()?;
    *lexer = ahead;
    Ok(FetchItem::Preview { lazy: true })
}

/// A section as it stands between the brackets, there as a whole.
pub(super) fn section_of(text: &str) -> Option<Section> {
    let bracketed = format!("[{text}]");
    let mut lexer = Lexer::new(bracketed.as_bytes(), false);
    let found = section(&mut lexer).ok()?;
    (lexer.rest().is_empty() && !text.is_empty()).then_some(found)
}

/// section = "[" [section-spec] "]"
fn section(lexer: &mut Lexer<'_>) -> Parsed<Section> {
    lexer.expect(b'[', "\"[\" expected")?;
    let mut part = SmallVec::new();
    let mut text = SectionText::All;
    if lexer.peek() != Some(b']') {
        loop {
            if lexer.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                part.push(lexer.nz_number()?);
                if lexer.eat(b'.') {
                    continue;
                }
            } else {
                text = section_text(lexer, !part.is_empty())?;
            }
            break;
        }
    }
    lexer.expect(b']', "\"]\" expected")?;
    Ok(Section { part, text })
}

fn section_text(lexer: &mut Lexer<'_>, of_part: bool) -> Parsed<SectionText> {
    let not = match lexer.item_word()?.as_str() {
        "HEADER" => return Ok(SectionText::Header),
        "TEXT" => return Ok(SectionText::Text),
        "MIME" if of_part => return Ok(SectionText::Mime),
        "HEADER.FIELDS" => false,
        "HEADER.FIELDS.NOT" => true,
        _ => return Err(Bad("unknown section")),
    };
    lexer.sp()?;
    let names = lexer.list(Lexer::text)?;
    Ok(SectionText::HeaderFields { names, not })
}

/// partial = "<" number64 "." nz-number64 ">" (RFC 9051 §9; 32 bits in RFC 3501)
fn partial(lexer: &mut Lexer<'_>) -> Parsed<Option<Partial>> {
    if !lexer.eat(b'<') {
        return Ok(None);
    }
    let offset = lexer.number64()?;
    lexer.expect(b'.', "\".\" expected")?;
    let count = lexer.number64()?;
    if count == 0 {
        return Err(Bad("number must not be 0"));
    }
    lexer.expect(b'>', "\">\" expected")?;
    Ok(Some(Partial { offset, count }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<FetchArgs> {
        let line = format!(" {text}\r\n");
        let mut lexer = Lexer::new(line.as_bytes(), false);
        let args = fetch(&mut lexer).ok()?;
        lexer.end().ok()?;
        Some(args)
    }

    #[test]
    fn items() {
        let args = parse("2:4 (FLAGS body[HEADER.FIELDS (DATE \"FROM\")] UID)").unwrap();
        assert_eq!(args.items.len(), 3);
        let names = vec!["DATE".to_owned(), "FROM".to_owned()];
        let section = Section {
            part: SmallVec::new(),
            text: SectionText::HeaderFields { names, not: false },
        };
        assert_eq!(
            args.items[1],
            FetchItem::BodySection {
                section,
                partial: None,
                peek: false
            }
        );
        assert!(args.items[1].sets_seen());

        let args = parse("1 BODY.PEEK[4.2.1.MIME]<0.2048>").unwrap();
        let section = Section {
            part: SmallVec::from_slice(&[4, 2, 1]),
            text: SectionText::Mime,
        };
        let partial = Some(Partial {
            offset: 0,
            count: 2048,
        });
        assert_eq!(
            args.items,
            [FetchItem::BodySection {
                section,
                partial,
                peek: true
            }]
        );
        assert!(!args.items[0].sets_seen());

        assert_eq!(parse("1 FULL").unwrap().items.len(), 5);
        assert_eq!(parse("1 all").unwrap().items.len(), 4);
        assert_eq!(
            parse("1 (BODY BODYSTRUCTURE)").unwrap().items,
            [FetchItem::Body, FetchItem::BodyStructure]
        );
        assert_eq!(
            parse("1 (PREVIEW (LAZY) UID)").unwrap().items[0],
            FetchItem::Preview { lazy: true }
        );
        assert_eq!(parse("1 (PREVIEW UID)").unwrap().items.len(), 2);
        assert_eq!(parse("1 BINARY.SIZE[1.2]").unwrap().items.len(), 1);
        assert!(!FetchItem::Rfc822Header.sets_seen());
    }

    #[test]
    fn modifiers() {
        let args = parse("1:* (UID FLAGS) (CHANGEDSINCE 12345 VANISHED)").unwrap();
        assert_eq!((args.changed_since, args.vanished), (Some(12345), true));
        let args = parse("1:* UID (PARTIAL -1:-30)").unwrap();
        assert_eq!(args.partial, Some(PartialRange { from: -1, to: -30 }));
    }

    #[test]
    fn refused() {
        for bad in [
            "1",
            "1 ()",
            "1 (ALL)",
            "1 FLAGS UID",
            "1 (FLAGS UID",
            "1 BODY[",
            "1 BODY[]]",
            "1 BODY[MIME]",
            "1 BODY[0]",
            "1 BODY[1.]",
            "1 BODY[1.FOO]",
            "1 BODY[HEADER.FIELDS ()]",
            "1 BODY[]<0>",
            "1 BODY[]<0.0>",
            "1 BODY[]<.1>",
            "a FLAGS",
            "1 (FLAGS  UID)",
            "1 FLAGS (VANISHED)",
            "1 FLAGS (FOO)",
            "1 FLAGS ()",
            "0 FLAGS",
            "1 BODY.PEEK",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
