//! The lexer: the terminals of the formal syntax (RFC 9051 §9) over one whole command.
//!
//! Knows characters, atoms, strings, literals and numbers; no command and no keyword.

use std::borrow::Cow;

/// A syntax error: the reason, as text for the BAD response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bad(pub(super) &'static str);

pub(super) type Parsed<T> = Result<T, Bad>;

/// Where an APPEND stood when the last message literal was met; see `append`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Resume {
    /// Nothing of a message was met yet.
    #[default]
    Start,
    /// After the literal of a whole message.
    Message(usize),
    /// After a TEXT literal within CATENATE.
    Catenate(usize),
    /// After the literal of UTF8 (…), whose parenthesis is still open.
    Utf8(usize),
}

impl Resume {
    /// The position after that literal.
    pub(super) fn position(self) -> usize {
        match self {
            Self::Start => 0,
            Self::Message(at) | Self::Catenate(at) | Self::Utf8(at) => at,
        }
    }
}

/// The announcement of a literal: `{n}`, `{n+}`, `~{n}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LiteralHead {
    pub(super) size: u64,
    pub(super) sync: bool,
    pub(super) binary: bool,
}

const ATOM: u8 = 1;
const ASTRING: u8 = 2;
const LIST: u8 = 4;
const TAG: u8 = 8;

/// Character classes, one lookup a byte.
static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        // atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials
        let mut bits = ATOM | ASTRING | LIST | TAG;
        match byte as u8 {
            b'(' | b')' | b'{' | b'"' | b'\\' => bits = 0,
            b'%' | b'*' => bits = LIST,
            b']' => bits = ASTRING | LIST | TAG,
            b'+' => bits = ATOM | ASTRING | LIST,
            _ => {}
        }
        table[byte] = bits;
        byte += 1;
    }
    table
}

/// A cursor over one whole command, literals included.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    buf: &'a [u8],
    pos: usize,
    /// Mailbox names are UTF-8 (after ENABLE UTF8=ACCEPT or IMAP4rev2), not modified UTF-7.
    pub(super) utf8: bool,
    /// Where the last message literal ended.
    pub(super) resume: Resume,
    /// A literal was met whose octets have not all come.
    pub(super) cut: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(buf: &'a [u8], utf8: bool) -> Self {
        Self {
            buf,
            pos: 0,
            utf8,
            resume: Resume::Start,
            cut: false,
        }
    }

    pub(super) fn at(buf: &'a [u8], pos: usize) -> Self {
        Self {
            buf,
            pos,
            utf8: false,
            resume: Resume::Start,
            cut: false,
        }
    }

    pub(super) fn position(&self) -> usize {
        self.pos
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.buf.get(self.pos..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.buf.get(self.pos).copied()
    }

    /// Takes `byte` if it comes next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.pos += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8, reason: &'static str) -> Parsed<()> {
        if self.eat(byte) { Ok(()) } else { Err(Bad(reason)) }
    }

    /// Exactly one space.
    pub(super) fn sp(&mut self) -> Parsed<()> {
        self.expect(b' ', "space expected")
    }

    pub(super) fn open(&mut self) -> Parsed<()> {
        self.expect(b'(', "\"(\" expected")
    }

    pub(super) fn close(&mut self) -> Parsed<()> {
        self.expect(b')', "\")\" expected")
    }

    /// Whether the arguments are over.
    pub(super) fn at_end(&self) -> bool {
        matches!(self.peek(), Some(b'\r' | b'\n') | None)
    }

    /// The CRLF that ends the command, and nothing after it.
    pub(super) fn end(&mut self) -> Parsed<()> {
        match self.rest() {
            b"\r\n" => {
                self.pos += 2;
                Ok(())
            }
            b"\n" => Err(Bad("line must end with CRLF")),
            _ => Err(Bad("unexpected argument")),
        }
    }

    fn class(&mut self, class: u8) -> &'a [u8] {
        let rest = self.rest();
        let len = rest
            .iter()
            .position(|&byte| CLASS[usize::from(byte)] & class == 0)
            .unwrap_or(rest.len());
        self.pos += len;
        rest.get(..len).unwrap_or_default()
    }

    pub(super) fn tag(&mut self) -> Parsed<&'a str> {
        let tag = self.class(TAG);
        ascii(tag)
            .filter(|tag| !tag.is_empty())
            .ok_or(Bad("tag expected"))
    }

    pub(super) fn atom(&mut self) -> Parsed<&'a str> {
        let atom = self.class(ATOM);
        ascii(atom)
            .filter(|atom| !atom.is_empty())
            .ok_or(Bad("atom expected"))
    }

    /// A keyword: an atom in capitals, for matching. Longer ones than any known keyword stay unknown.
    pub(super) fn word(&mut self) -> Parsed<Word> {
        let atom = self.class(ATOM);
        if atom.is_empty() {
            return Err(Bad("keyword expected"));
        }
        Ok(Word::new(atom))
    }

    /// A keyword of letters, digits and dots only, as fetch items are (a `[` may follow).
    pub(super) fn item_word(&mut self) -> Parsed<Word> {
        let rest = self.rest();
        let len = rest
            .iter()
            .position(|&byte| !byte.is_ascii_alphanumeric() && byte != b'.' && byte != b'-')
            .unwrap_or(rest.len());
        self.pos += len;
        match rest.get(..len) {
            Some(word) if len > 0 => Ok(Word::new(word)),
            _ => Err(Bad("item expected")),
        }
    }

    /// Takes `word` if it comes next and is followed by no further atom character.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let found = rest.len() >= word.len()
            && rest
                .get(..word.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
            && rest
                .get(word.len())
                .is_none_or(|&next| CLASS[usize::from(next)] & ATOM == 0);
        if found {
            self.pos += word.len();
        }
        found
    }

    /// `list-char`s: a pattern of LIST.
    pub(super) fn list_atom(&mut self) -> Parsed<&'a [u8]> {
        let atom = self.class(LIST);
        if atom.is_empty() {
            Err(Bad("pattern expected"))
        } else {
            Ok(atom)
        }
    }

    fn digits(&mut self) -> Parsed<u64> {
        let rest = self.rest();
        let len = rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len());
        let digits = rest.get(..len).unwrap_or_default();
        self.pos += len;
        decimal(digits).ok_or(Bad("number expected"))
    }

    pub(super) fn number(&mut self) -> Parsed<u32> {
        u32::try_from(self.digits()?).map_err(|_| Bad("number too big"))
    }

    pub(super) fn nz_number(&mut self) -> Parsed<u32> {
        match self.number()? {
            0 => Err(Bad("number must not be 0")),
            number => Ok(number),
        }
    }

    /// number64 and mod-sequence values: 63 bits.
    pub(super) fn number64(&mut self) -> Parsed<u64> {
        let number = self.digits()?;
        if i64::try_from(number).is_ok() {
            Ok(number)
        } else {
            Err(Bad("number too big"))
        }
    }

    /// `{n}` CRLF, at the cursor.
    pub(super) fn literal_head(&mut self) -> Parsed<LiteralHead> {
        let binary = self.eat(b'~');
        self.expect(b'{', "literal expected")?;
        let size = self.digits()?;
        let sync = !self.eat(b'+');
        self.expect(b'}', "\"}\" expected")?;
        if self.rest().starts_with(b"\r\n") {
            self.pos += 2;
            Ok(LiteralHead { size, sync, binary })
        } else {
            Err(Bad("literal must be followed by CRLF"))
        }
    }

    /// A literal whose octets stand in the buffer.
    fn literal(&mut self, binary_allowed: bool) -> Parsed<&'a [u8]> {
        let head = self.literal_head()?;
        if head.binary && !binary_allowed {
            return Err(Bad("no literal8 here"));
        }
        let size = usize::try_from(head.size).map_err(|_| Bad("literal too big"))?;
        self.cut |= self.rest().len() <= size;
        let bytes = self.rest().get(..size).ok_or(Bad("literal cut short"))?;
        self.pos += size;
        // CHAR8 = %x01-ff
        if !head.binary && memchr::memchr(0, bytes).is_some() {
            return Err(Bad("NUL in literal"));
        }
        Ok(bytes)
    }

    /// A quoted string. Octets above 127 are let through; whoever needs text checks them.
    fn quoted(&mut self) -> Parsed<Cow<'a, [u8]>> {
        self.expect(b'"', "string expected")?;
        let rest = self.rest();
        let mut owned: Option<Vec<u8>> = None;
        let mut start = 0;
        let mut at = 0;
        while let Some(&byte) = rest.get(at) {
            match byte {
                b'"' => {
                    let tail = rest.get(start..at).unwrap_or_default();
                    self.pos += at + 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(tail),
                        Some(mut text) => {
                            text.extend_from_slice(tail);
                            Cow::Owned(text)
                        }
                    });
                }
                b'\\' => {
                    if !matches!(rest.get(at + 1), Some(b'"' | b'\\')) {
                        return Err(Bad("bad escape in quoted string"));
                    }
                    owned
                        .get_or_insert_default()
                        .extend_from_slice(rest.get(start..at).unwrap_or_default());
                    start = at + 1;
                    at += 2;
                }
                b'\r' | b'\n' | 0 => break,
                _ => at += 1,
            }
        }
        Err(Bad("quoted string not closed"))
    }

    pub(super) fn string(&mut self) -> Parsed<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal(false).map(Cow::Borrowed),
            _ => Err(Bad("string expected")),
        }
    }

    /// string / literal8
    pub(super) fn string8(&mut self) -> Parsed<Cow<'a, [u8]>> {
        if self.peek() == Some(b'~') {
            self.literal(true).map(Cow::Borrowed)
        } else {
            self.string()
        }
    }

    pub(super) fn nstring8(&mut self) -> Parsed<Option<Cow<'a, [u8]>>> {
        if self.eat_word("NIL") {
            Ok(None)
        } else {
            self.string8().map(Some)
        }
    }

    pub(super) fn astring(&mut self) -> Parsed<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => {
                let atom = self.class(ASTRING);
                if atom.is_empty() {
                    Err(Bad("string expected"))
                } else {
                    Ok(Cow::Borrowed(atom))
                }
            }
        }
    }

    /// An astring that must be UTF-8.
    pub(super) fn text(&mut self) -> Parsed<String> {
        utf8(self.astring()?)
    }

    /// `( item SP item … )`, at least one.
    pub(super) fn list<T>(&mut self, item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.open()?;
        let items = self.spaced(item)?;
        self.close()?;
        Ok(items)
    }

    /// `()` or `( item SP item … )`.
    pub(super) fn list_or_empty<T>(&mut self, item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        if self.rest().starts_with(b"()") {
            self.pos += 2;
            return Ok(Vec::new());
        }
        self.list(item)
    }

    /// `item SP item …`, at least one.
    pub(super) fn spaced<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat(b' ') {
            items.push(item(self)?);
        }
        Ok(items)
    }
}

pub(super) fn utf8(bytes: Cow<'_, [u8]>) -> Parsed<String> {
    String::from_utf8(bytes.into_owned()).map_err(|_| Bad("text is not UTF-8"))
}

/// Decimal digits, at most 19.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, &digit| {
        digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0'))
    })
}

/// The announcement with which `line` (without its line end) closes, if any.
pub(super) fn literal_at_end(line: &[u8]) -> Option<LiteralHead> {
    let inner = line.strip_suffix(b"}")?;
    let (sync, inner) = match inner.strip_suffix(b"+") {
        Some(inner) => (false, inner),
        None => (true, inner),
    };
    let digits = inner
        .iter()
        .rev()
        .take(20)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (head, digits) = inner.split_at(inner.len() - digits);
    let head = head.strip_suffix(b"{")?;
    Some(LiteralHead {
        size: decimal(digits)?,
        sync,
        binary: head.ends_with(b"~"),
    })
}

fn ascii(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// A keyword in capitals, on the stack. The longest known one has 24 letters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    bytes: [u8; WORD_MAX_BYTES],
    len: usize,
}

const WORD_MAX_BYTES: usize = 32;

impl Word {
    fn new(atom: &[u8]) -> Self {
        let mut word = Self {
            bytes: [0; WORD_MAX_BYTES],
            len: 0,
        };
        if let Some(bytes) = word.bytes.get_mut(..atom.len()) {
            bytes.copy_from_slice(atom);
            bytes.make_ascii_uppercase();
            word.len = atom.len();
        }
        word
    }

    pub(super) fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(ascii).unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
