//! SEARCH: keys, charset and RETURN options (RFC 9051 §6.4.4; RFC 4731, 5032, 5182, 7162, 8474, 8514, 9394).

use std::borrow::Cow;

use super::date::{Date, date};
use super::fetch::{FetchItem, item};
use super::flag::Flags;
use super::lexer::{Bad, Lexer, Parsed, utf8};
use super::set::{SequenceSet, sequence_set};
use crate::message::charset;

/// Names of ASCII (RFC 2978) that the table of encodings holds for windows-1252.
const ASCII_NAMES: [&str; 5] = ["US-ASCII", "ASCII", "ANSI_X3.4-1968", "ISO-IR-6", "CSASCII"];

/// How deep keys may nest.
pub const SEARCH_DEPTH_MAX: usize = 64;

/// Which part of a message a text is looked for in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextField {
    /// BCC, CC, FROM, TO, SUBJECT and HEADER alike: the name of the field, as written.
    Header(String),
    /// The decoded text of the body parts.
    Body,
    /// Header and body.
    Text,
}

/// A search key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchKey {
    All,
    And(Vec<SearchKey>),
    Or(Box<SearchKey>, Box<SearchKey>),
    Not(Box<SearchKey>),
    /// A system flag that is set, or (false) is not.
    Flag(Flags, bool),
    /// RECENT, or (false) OLD.
    Recent(bool),
    /// RECENT UNSEEN.
    New,
    Keyword(String, bool),
    Sequence(SequenceSet),
    Uid(SequenceSet),
    Text(TextField, String),
    Before(Date),
    On(Date),
    Since(Date),
    SentBefore(Date),
    SentOn(Date),
    SentSince(Date),
    Larger(u64),
    Smaller(u64),
    /// Internal date at least that many seconds ago (RFC 5032).
    Older(u32),
    Younger(u32),
    /// The modification sequence is at least that (RFC 7162); an entry name, if given, is let go.
    ModSeq(u64),
    EmailId(String),
    ThreadId(String),
    SavedBefore(Date),
    SavedOn(Date),
    SavedSince(Date),
    SaveDateSupported,
}

/// In which charset the texts were written. They are UTF-8 here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charset {
    /// None was given: UTF-8.
    Unstated,
    Known,
    /// The texts are unusable: the answer is NO [BADCHARSET].
    Unknown(String),
}

/// Messages by their place in a result: positive from the first, negative from the last (RFC 9394).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialRange {
    pub from: i64,
    pub to: i64,
}

/// RETURN (…) (RFC 4731).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SearchReturn {
    pub min: bool,
    pub max: bool,
    pub all: bool,
    pub count: bool,
    pub save: bool,
    pub partial: Option<PartialRange>,
    /// The result is kept up to date (RFC 5267).
    pub update: bool,
    /// The client will ask again.
    pub context: bool,
}

/// A whole SEARCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchProgram {
    /// Set if RETURN was written: the answer is an ESEARCH. `RETURN ()` means ALL.
    pub returns: Option<SearchReturn>,
    /// What is told of messages that come into a result that is kept up to date (RFC 5465 §7).
    pub update_items: Vec<FetchItem>,
    pub charset: Charset,
    pub key: SearchKey,
}

/// search = "SEARCH" [search-return-opts] SP search-program
pub(super) fn search(lexer: &mut Lexer<'_>) -> Parsed<SearchProgram> {
    let (returns, update_items) = returns(lexer)?;
    lexer.sp()?;
    let mut texts = Texts {
        encoding: encoding_rs::UTF_8,
        unknown: None,
    };
    let stated = lexer.eat_word("CHARSET");
    if stated {
        lexer.sp()?;
        texts = charset(lexer)?;
        lexer.sp()?;
    }
    let key = keys(lexer, &texts)?;
    Ok(SearchProgram {
        returns,
        update_items,
        charset: if stated {
            texts.charset()
        } else {
            Charset::Unstated
        },
        key,
    })
}

/// The search of SORT and THREAD: `charset SP keys`.
pub(super) fn search_with_charset(lexer: &mut Lexer<'_>) -> Parsed<(Charset, SearchKey)> {
    let texts = charset(lexer)?;
    lexer.sp()?;
    let key = keys(lexer, &texts)?;
    Ok((texts.charset(), key))
}

/// `[SP "RETURN" SP "(" … ")"]`, with the items of UPDATE.
pub(super) fn returns(lexer: &mut Lexer<'_>) -> Parsed<(Option<SearchReturn>, Vec<FetchItem>)> {
    let before = lexer.clone();
    if !(lexer.eat(b' ') && lexer.eat_word("RETURN")) {
        *lexer = before;
        return Ok((None, Vec::new()));
    }
    lexer.sp()?;
    let mut options = SearchReturn::default();
    let mut items = Vec::new();
    lexer.list_or_empty(|lexer| return_option(lexer, &mut options, &mut items))?;
    // RFC 4731 §3.1: an empty list means ALL.
    if options == SearchReturn::default() {
        options.all = true;
    }
    // RFC 9394 §3.1: PARTIAL and ALL exclude each other.
    if options.partial.is_some() && options.all {
        return Err(Bad("PARTIAL and ALL together"));
    }
    Ok((Some(options), items))
}

fn return_option(
    lexer: &mut Lexer<'_>,
    options: &mut SearchReturn,
    items: &mut Vec<FetchItem>,
) -> Parsed<()> {
    match lexer.word()?.as_str() {
        "MIN" => options.min = true,
        "MAX" => options.max = true,
        "ALL" => options.all = true,
        "COUNT" => options.count = true,
        "SAVE" => options.save = true,
        // RFC 5267 §5
        "UPDATE" if !options.update => {
            options.update = true;
            // RFC 5465 §8: modifier-update
            let mut ahead = lexer.clone();
            if ahead.eat(b' ') && ahead.peek() == Some(b'(') {
                *items = ahead.list(item)?;
                *lexer = ahead;
            }
        }
        "CONTEXT" if !options.context => options.context = true,
        "PARTIAL" if options.partial.is_none() => {
            lexer.sp()?;
            options.partial = Some(partial_range(lexer)?);
        }
        _ => return Err(Bad("unknown return option")),
    }
    Ok(())
}

/// partial-range = number ":" number, both positive or both negative
pub(super) fn partial_range(lexer: &mut Lexer<'_>) -> Parsed<PartialRange> {
    let end = |lexer: &mut Lexer<'_>| {
        let last = lexer.eat(b'-');
        lexer.nz_number().map(|number| {
            if last {
                -i64::from(number)
            } else {
                i64::from(number)
            }
        })
    };
    let from = end(lexer)?;
    lexer.expect(b':', "\":\" expected")?;
    let to = end(lexer)?;
    if (from < 0) == (to < 0) {
        Ok(PartialRange { from, to })
    } else {
        Err(Bad("bad partial range"))
    }
}

/// How the texts of this search are decoded.
struct Texts {
    encoding: &'static encoding_rs::Encoding,
    unknown: Option<String>,
}

impl Texts {
    fn charset(self) -> Charset {
        self.unknown.map_or(Charset::Known, Charset::Unknown)
    }

    fn text(&self, lexer: &mut Lexer<'_>) -> Parsed<String> {
        let bytes = lexer.astring()?;
        if self.unknown.is_some() {
            return Ok(String::new());
        }
        if self.encoding == encoding_rs::UTF_8 {
            return utf8(bytes);
        }
        self.encoding
            .decode_without_bom_handling_and_without_replacement(&bytes)
            .map(Cow::into_owned)
            .ok_or(Bad("text does not fit its charset"))
    }
}

fn charset(lexer: &mut Lexer<'_>) -> Parsed<Texts> {
    let name = lexer.text()?;
    let encoding = match charset::lookup(name.as_bytes()) {
        // The table is made for the web, where ASCII means something else. It is a part of UTF-8.
        Some(_) if ASCII_NAMES.iter().any(|ascii| name.eq_ignore_ascii_case(ascii)) => {
            Some(encoding_rs::UTF_8)
        }
        // UTF-16 cannot stand on a line, nor in a literal without NUL.
        Some(encoding) if !encoding.is_ascii_compatible() && encoding != encoding_rs::ISO_2022_JP => None,
        encoding => encoding,
    };
    Ok(Texts {
        encoding: encoding.unwrap_or(encoding_rs::UTF_8),
        unknown: encoding.is_none().then_some(name),
    })
}

/// search-key *(SP search-key)
fn keys(lexer: &mut Lexer<'_>, texts: &Texts) -> Parsed<SearchKey> {
    lexer.spaced(|lexer| key(lexer, texts, 0)).map(and)
}

fn and(mut keys: Vec<SearchKey>) -> SearchKey {
    match (keys.len(), keys.pop()) {
        (1, Some(key)) => key,
        (_, Some(key)) => {
            keys.push(key);
            SearchKey::And(keys)
        }
        (_, None) => SearchKey::All,
    }
}

fn key(lexer: &mut Lexer<'_>, texts: &Texts, depth: usize) -> Parsed<SearchKey> {
    if depth >= SEARCH_DEPTH_MAX {
        return Err(Bad("search nests too deep"));
    }
    match lexer.peek() {
        Some(b'(') => return lexer.list(|lexer| key(lexer, texts, depth + 1)).map(and),
        Some(b'0'..=b'9' | b'*' | b'$') => return sequence_set(lexer).map(SearchKey::Sequence),
        _ => {}
    }
    let word = lexer.word()?;
    let word = word.as_str();
    if let Some(key) = simple_key(word) {
        return Ok(key);
    }
    lexer.sp()?;
    match word {
        "NOT" => Ok(SearchKey::Not(Box::new(key(lexer, texts, depth + 1)?))),
        "OR" => {
            let first = key(lexer, texts, depth + 1)?;
            lexer.sp()?;
            Ok(SearchKey::Or(
                Box::new(first),
                Box::new(key(lexer, texts, depth + 1)?),
            ))
        }
        "BCC" | "CC" | "FROM" | "TO" | "SUBJECT" => Ok(SearchKey::Text(
            TextField::Header(word.to_owned()),
            texts.text(lexer)?,
        )),
        "HEADER" => {
            let name = lexer.text()?;
            lexer.sp()?;
            Ok(SearchKey::Text(TextField::Header(name), texts.text(lexer)?))
        }
        "BODY" => Ok(SearchKey::Text(TextField::Body, texts.text(lexer)?)),
        "TEXT" => Ok(SearchKey::Text(TextField::Text, texts.text(lexer)?)),
        "KEYWORD" => keyword(lexer).map(|keyword| SearchKey::Keyword(keyword, true)),
        "UNKEYWORD" => keyword(lexer).map(|keyword| SearchKey::Keyword(keyword, false)),
        "UID" => sequence_set(lexer).map(SearchKey::Uid),
        _ => valued_key(lexer, word),
    }
}

fn keyword(lexer: &mut Lexer<'_>) -> Parsed<String> {
    lexer.atom().map(str::to_owned)
}

fn simple_key(word: &str) -> Option<SearchKey> {
    Some(match word {
        "ALL" => SearchKey::All,
        "ANSWERED" => SearchKey::Flag(Flags::ANSWERED, true),
        "DELETED" => SearchKey::Flag(Flags::DELETED, true),
        "DRAFT" => SearchKey::Flag(Flags::DRAFT, true),
        "FLAGGED" => SearchKey::Flag(Flags::FLAGGED, true),
        "SEEN" => SearchKey::Flag(Flags::SEEN, true),
        "UNANSWERED" => SearchKey::Flag(Flags::ANSWERED, false),
        "UNDELETED" => SearchKey::Flag(Flags::DELETED, false),
        "UNDRAFT" => SearchKey::Flag(Flags::DRAFT, false),
        "UNFLAGGED" => SearchKey::Flag(Flags::FLAGGED, false),
        "UNSEEN" => SearchKey::Flag(Flags::SEEN, false),
        "NEW" => SearchKey::New,
        "OLD" => SearchKey::Recent(false),
        "RECENT" => SearchKey::Recent(true),
        "SAVEDATESUPPORTED" => SearchKey::SaveDateSupported,
        _ => return None,
    })
}

fn valued_key(lexer: &mut Lexer<'_>, word: &str) -> Parsed<SearchKey> {
    Ok(match word {
        "BEFORE" => SearchKey::Before(date(lexer)?),
        "ON" => SearchKey::On(date(lexer)?),
        "SINCE" => SearchKey::Since(date(lexer)?),
        "SENTBEFORE" => SearchKey::SentBefore(date(lexer)?),
        "SENTON" => SearchKey::SentOn(date(lexer)?),
        "SENTSINCE" => SearchKey::SentSince(date(lexer)?),
        "SAVEDBEFORE" => SearchKey::SavedBefore(date(lexer)?),
        "SAVEDON" => SearchKey::SavedOn(date(lexer)?),
        "SAVEDSINCE" => SearchKey::SavedSince(date(lexer)?),
        "LARGER" => SearchKey::Larger(lexer.number64()?),
        "SMALLER" => SearchKey::Smaller(lexer.number64()?),
        "OLDER" => SearchKey::Older(lexer.nz_number()?),
        "YOUNGER" => SearchKey::Younger(lexer.nz_number()?),
        "EMAILID" => SearchKey::EmailId(object_id(lexer)?),
        "THREADID" => SearchKey::ThreadId(object_id(lexer)?),
        "MODSEQ" => mod_seq(lexer)?,
        _ => return Err(Bad("unknown search key")),
    })
}

/// RFC 7162 §3.1.5: search-modsequence = "MODSEQ" [search-modseq-ext] SP mod-sequence-valzer. The entry
/// name asks for a flag's own sequence, which is the message's here (§3.1.5 allows that).
fn mod_seq(lexer: &mut Lexer<'_>) -> Parsed<SearchKey> {
    if lexer.peek() == Some(b'"') {
        let entry = lexer.string()?;
        if !entry.to_ascii_lowercase().starts_with(b"/flags/") {
            return Err(Bad("unknown entry name"));
        }
        lexer.sp()?;
        if !(lexer.eat_word("all") || lexer.eat_word("priv") || lexer.eat_word("shared")) {
            return Err(Bad("unknown entry type"));
        }
        lexer.sp()?;
    }
    lexer.number64().map(SearchKey::ModSeq)
}

/// objectid = 1*255(ALPHA / DIGIT / "_" / "-") (RFC 8474 §7)
fn object_id(lexer: &mut Lexer<'_>) -> Parsed<String> {
    let id = lexer.text()?;
    let fits = id.len() <= 255
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if fits && !id.is_empty() {
        Ok(id)
    } else {
        Err(Bad("bad object id"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<SearchProgram> {
        let line = format!(" {text}\r\n");
        let mut lexer = Lexer::new(line.as_bytes(), false);
        let program = search(&mut lexer).ok()?;
        lexer.end().ok()?;
        Some(program)
    }

    fn header(name: &str, text: &str) -> SearchKey {
        SearchKey::Text(TextField::Header(name.into()), text.into())
    }

    #[test]
    fn keys_as_in_the_rfc() {
        let key = parse("FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"").unwrap().key;
        let since = SearchKey::Since(Date {
            year: 1994,
            month: 2,
            day: 1,
        });
        let not = SearchKey::Not(Box::new(header("FROM", "Smith")));
        assert_eq!(
            key,
            SearchKey::And(vec![SearchKey::Flag(Flags::FLAGGED, true), since, not])
        );

        let key = parse("or (unseen 1:3) header X-A {1+}\r\nb").unwrap().key;
        let SearchKey::Or(first, second) = key else {
            unreachable!("{key:?}")
        };
        assert!(matches!(*first, SearchKey::And(ref keys) if keys.len() == 2));
        assert_eq!(*second, header("X-A", "b"));
        assert_eq!(parse("HEADER Subject \"\"").unwrap().key, header("Subject", ""));
        assert_eq!(
            parse("MODSEQ \"/flags/\\\\draft\" all 620162338").unwrap().key,
            SearchKey::ModSeq(620_162_338)
        );
        assert_eq!(parse("$").unwrap().key, SearchKey::Sequence(SequenceSet::Saved));
    }

    #[test]
    fn charsets() {
        assert_eq!(
            parse("CHARSET UTF-8 TO \"Жук\"").unwrap().key,
            header("TO", "Жук")
        );
        let line = [
            b" CHARSET KOI8-R SUBJECT \"".as_slice(),
            &[0xd6, 0xd5, 0xcb],
            b"\"\r\n",
        ]
        .concat();
        let got = search(&mut Lexer::new(&line, false)).unwrap();
        assert_eq!(got.key, header("SUBJECT", "жук"));
        let line = b" CHARSET iso-2022-jp SUBJECT {7}\r\n\x1b$BF|K\\\r\n";
        let got = search(&mut Lexer::new(&line[..], false)).unwrap();
        assert_eq!(got.key, header("SUBJECT", "\u{65e5}\u{672c}"));
        for (name, text, expected) in [
            (
                "windows-1251",
                b"\xe6\xf3\xea".as_slice(),
                "\u{436}\u{443}\u{43a}",
            ),
            ("cp1251", b"\xe6\xf3\xea", "\u{436}\u{443}\u{43a}"),
            ("GB18030", b"\xc8\xd5\xb1\xbe", "\u{65e5}\u{672c}"),
            ("Shift_JIS", b"\x93\xfa\x96\x7b", "\u{65e5}\u{672c}"),
            ("ASCII", "\u{436}".as_bytes(), "\u{436}"),
        ] {
            let line = [b" CHARSET ", name.as_bytes(), b" SUBJECT \"", text, b"\"\r\n"].concat();
            let got = search(&mut Lexer::new(&line, false)).unwrap();
            assert_eq!(got.key, header("SUBJECT", expected), "{name}");
        }
        let line = b" CHARSET UTF-8 SUBJECT \"\xff\"\r\n";
        assert!(search(&mut Lexer::new(&line[..], false)).is_err());
        let got = parse("CHARSET X-NONE SUBJECT a").unwrap();
        assert_eq!(got.charset, Charset::Unknown("X-NONE".into()));
        assert_eq!(
            parse("CHARSET UTF-16LE SUBJECT a").unwrap().charset,
            Charset::Unknown("UTF-16LE".into())
        );
    }

    #[test]
    fn return_options() {
        let options = |text: &str| parse(text).and_then(|program| program.returns);
        assert!(options("RETURN () ALL").unwrap().all);
        let got = options("RETURN (MIN MAX COUNT SAVE) ALL").unwrap();
        assert!(got.min && got.max && got.count && got.save && !got.all);
        assert_eq!(
            options("RETURN (PARTIAL -1:-100) ALL").unwrap().partial,
            Some(PartialRange { from: -1, to: -100 })
        );
        let got = options("RETURN (UPDATE CONTEXT COUNT) ALL").unwrap();
        assert!(got.update && got.context && got.count && !got.all);
        for bad in [
            "RETURN (UPDATE UPDATE) ALL",
            "RETURN (PARTIAL 1:-1) ALL",
            "RETURN (ALL PARTIAL 1:2) ALL",
            "RETURN (FOO) ALL",
            "RETURN ()",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn refused() {
        for bad in [
            "",
            "FOO",
            "NOT",
            "OR ALL",
            "(ALL",
            "ALL)",
            "()",
            "ALL  ALL",
            "FROM",
            "SINCE yesterday",
            "UID a",
            "KEYWORD \\Seen",
            "LARGER -1",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert!(parse(&format!("{}ALL", "NOT ".repeat(SEARCH_DEPTH_MAX - 1))).is_some());
        assert!(parse(&format!("{}ALL", "NOT ".repeat(SEARCH_DEPTH_MAX))).is_none());
        assert!(parse(&format!("{}ALL{}", "(".repeat(100_000), ")".repeat(100_000))).is_none());
    }
}
