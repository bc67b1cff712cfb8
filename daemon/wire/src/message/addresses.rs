//! Address lists of header fields (RFC 5322 §3.4 and the obsolete forms of §4.4), read forgivingly.

use super::lex::{Lexer, is_atom};

/// Entries of one list; the rest is dropped.
pub const ADDRESSES_MAX_COUNT: usize = 10_000;

/// The host of an address that has none. IMAP needs a text there, since NIL means a group (RFC 3501 §7.4.2).
pub const MISSING_DOMAIN: &[u8] = b"MISSING_DOMAIN";
/// The local part of an address that has none.
pub const MISSING_MAILBOX: &[u8] = b"MISSING_MAILBOX";

/// One entry of an address list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Mailbox(Mailbox),
    GroupStart(Vec<u8>),
    GroupEnd,
}

/// An address with the name before it (or in a comment after it), as raw words: encoded words are not
/// decoded, quotes are removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mailbox {
    pub name: Option<Vec<u8>>,
    /// The source route, `@a,@b`; empty but in very old mail.
    pub route: Vec<u8>,
    pub local: Vec<u8>,
    pub domain: Vec<u8>,
}

/// The mailboxes of a list, groups opened, incomplete ones left out.
pub fn mailboxes(value: &[u8]) -> Vec<Mailbox> {
    let whole = |mailbox: &Mailbox| mailbox.local != MISSING_MAILBOX && mailbox.domain != MISSING_DOMAIN;
    entries(value)
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Mailbox(mailbox) => Some(mailbox).filter(whole),
            _ => None,
        })
        .collect()
}

/// The entries of a list in their order; groups are closed.
pub fn entries(value: &[u8]) -> Vec<Entry> {
    let mut parser = Parser {
        lexer: Lexer::new(value),
        out: Vec::new(),
        in_group: false,
    };
    while parser.out.len() < ADDRESSES_MAX_COUNT && parser.entry() {}
    if parser.in_group {
        parser.out.push(Entry::GroupEnd);
    }
    parser.out
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    out: Vec<Entry>,
    in_group: bool,
}

/// Words up to a special character, read in both ways they may turn out to be.
#[derive(Default)]
struct Words {
    /// As a display name: words separated by single spaces.
    phrase: Vec<u8>,
    /// As a local part: without white space.
    joined: Vec<u8>,
    comment: Option<Vec<u8>>,
    any: bool,
}

impl Parser<'_> {
    /// Reads one entry; false at the end.
    fn entry(&mut self) -> bool {
        let mut words = self.words();
        match self.lexer.peek() {
            None => {
                self.lone_words(words);
                return false;
            }
            Some(b'<') => self.angle(words),
            Some(b'@') => {
                self.lexer.bump();
                let domain = self.domain(&mut words.comment);
                let local = if words.any {
                    words.joined
                } else {
                    MISSING_MAILBOX.to_vec()
                };
                self.push(words.comment, Vec::new(), local, domain);
            }
            Some(b':') => {
                self.lexer.bump();
                if !self.in_group {
                    self.in_group = true;
                    self.out.push(Entry::GroupStart(words.phrase));
                }
            }
            Some(b';') => {
                self.lexer.bump();
                self.lone_words(words);
                if self.in_group {
                    self.in_group = false;
                    self.out.push(Entry::GroupEnd);
                }
            }
            Some(b',') => {
                self.lexer.bump();
                self.lone_words(words);
            }
            Some(_) => {
                self.lexer.bump();
                self.lone_words(words);
            }
        }
        true
    }

    fn words(&mut self) -> Words {
        let mut words = Words::default();
        loop {
            let gap = self.lexer.skip_cfws_keeping(&mut words.comment);
            match self.lexer.peek() {
                Some(b'"') => {
                    words.space(gap);
                    let start = words.phrase.len();
                    self.lexer.quoted(&mut words.phrase);
                    words.joined.extend_from_slice(&words.phrase[start..]);
                }
                Some(byte @ (b'.' | b'\\' | b']' | b'>')) => {
                    self.lexer.bump();
                    if matches!(byte, b']' | b'>') {
                        continue;
                    }
                    words.space(gap);
                    words.phrase.push(byte);
                    words.joined.push(byte);
                }
                Some(byte) if is_atom(byte) => {
                    words.space(gap);
                    let atom = self.lexer.take_while(is_atom);
                    words.phrase.extend_from_slice(atom);
                    words.joined.extend_from_slice(atom);
                }
                // Control bytes separate words.
                Some(byte) if byte < b' ' || matches!(byte, 127 | b'[' | b')') => self.lexer.bump(),
                _ => break,
            }
            words.any = true;
        }
        words
    }

    /// Words without an address: one is a local user, several are a name.
    fn lone_words(&mut self, words: Words) {
        if !words.any {
            return;
        }
        let is_name = words.phrase != words.joined;
        let (name, local) = if is_name {
            (Some(words.phrase), MISSING_MAILBOX.to_vec())
        } else {
            (words.comment, words.joined)
        };
        self.push(name, Vec::new(), local, MISSING_DOMAIN.to_vec());
    }

    /// `<@route:local@domain>`
    fn angle(&mut self, words: Words) {
        self.lexer.bump();
        let mut comment = words.comment;
        let mut local = self.local(&mut comment);
        let (mut domain, mut route) = (Vec::new(), Vec::new());
        let mut is_route = false;
        // RFC 5322 §4.4, obs-route.
        while local.is_empty() && matches!(self.lexer.peek(), Some(b'@' | b',')) {
            if self.lexer.eat(b'@') {
                domain = self.domain(&mut comment);
                route.extend_from_slice(if route.is_empty() { b"@" } else { b",@" });
                route.extend_from_slice(&domain);
            } else {
                self.lexer.bump();
            }
            if self.lexer.eat(b':') {
                is_route = true;
                domain.clear();
                local = self.local(&mut comment);
                break;
            }
            self.lexer.skip_cfws();
        }
        if self.lexer.eat(b'@') {
            domain = self.domain(&mut comment);
        }
        // Whatever else stands there belongs to nothing.
        self.lexer.take_while(|byte| byte != b'>' && byte != b',');
        self.lexer.eat(b'>');
        self.lexer.skip_cfws_keeping(&mut comment);
        let name = if words.phrase.is_empty() {
            comment
        } else {
            Some(words.phrase)
        };
        if local.is_empty() && domain.is_empty() && name.is_none() {
            local = MISSING_MAILBOX.to_vec();
        }
        let filled = |part: Vec<u8>, missing: &[u8]| if part.is_empty() { missing.to_vec() } else { part };
        self.push(
            name,
            if is_route { route } else { Vec::new() },
            filled(local, MISSING_MAILBOX),
            filled(domain, MISSING_DOMAIN),
        );
    }

    /// A local part without quotes and white space, up to `@`, `>` or what cannot belong to it.
    fn local(&mut self, comment: &mut Option<Vec<u8>>) -> Vec<u8> {
        let mut local = Vec::new();
        loop {
            let gap = self.lexer.skip_cfws_keeping(comment) && local.last().is_some_and(|&last| last != b'.');
            match self.lexer.peek() {
                Some(b'"') => {
                    self.lexer.quoted(&mut local);
                }
                Some(b'.') => {
                    self.lexer.bump();
                    local.push(b'.');
                }
                Some(byte) if is_atom(byte) => {
                    if gap {
                        local.push(b' ');
                    }
                    local.extend_from_slice(self.lexer.take_while(is_atom));
                }
                Some(byte @ (b'[' | b']' | b':' | b';' | b'\\')) if !local.is_empty() => {
                    self.lexer.bump();
                    local.push(byte);
                }
                _ => return local,
            }
        }
    }

    fn domain(&mut self, comment: &mut Option<Vec<u8>>) -> Vec<u8> {
        let mut domain = Vec::new();
        let mut wants_atom = true;
        loop {
            self.lexer.skip_cfws_keeping(comment);
            match self.lexer.peek() {
                // RFC 5322 §3.4.1, domain-literal.
                Some(b'[') if domain.is_empty() => {
                    let literal = self
                        .lexer
                        .take_while(|byte| !matches!(byte, b']' | b'>' | b',' | b'\r' | b'\n'));
                    domain.extend_from_slice(literal);
                    if self.lexer.eat(b']') {
                        domain.push(b']');
                    }
                    self.lexer.skip_cfws_keeping(comment);
                    break;
                }
                Some(b'.') => {
                    self.lexer.bump();
                    domain.push(b'.');
                    wants_atom = true;
                }
                Some(byte) if is_atom(byte) && wants_atom => {
                    domain.extend_from_slice(self.lexer.take_while(is_atom));
                    wants_atom = false;
                }
                _ => break,
            }
        }
        if domain.is_empty() {
            MISSING_DOMAIN.to_vec()
        } else {
            domain
        }
    }

    fn push(&mut self, name: Option<Vec<u8>>, route: Vec<u8>, local: Vec<u8>, domain: Vec<u8>) {
        self.out.push(Entry::Mailbox(Mailbox {
            name: name.filter(|name| !name.is_empty()),
            route,
            local,
            domain,
        }));
    }
}

impl Words {
    fn space(&mut self, gap: bool) {
        if gap && !self.phrase.is_empty() {
            self.phrase.push(b' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let entry = |entry: &Entry| match entry {
            Entry::Mailbox(m) => {
                format!(
                    "{}|{}|{}",
                    m.name.as_deref().map_or("-".into(), text),
                    text(&m.local),
                    text(&m.domain)
                )
            }
            Entry::GroupStart(name) => format!("{}{{", text(name)),
            Entry::GroupEnd => "}".into(),
        };
        entries(value.as_bytes())
            .iter()
            .map(entry)
            .collect::<Vec<_>>()
            .join(", ")
    }

    #[test]
    fn address_lists() {
        let cases = [
            ("", ""),
            (" , ,", ""),
            ("a@b.c", "-|a|b.c"),
            ("<a@b.c>", "-|a|b.c"),
            (
                "John Q. Public <john@x.org> , b@c",
                "John Q. Public|john|x.org, -|b|c",
            ),
            ("\"Doe, \\\"Jane\\\"\" <jane@x>", "Doe, \"Jane\"|jane|x"),
            ("a@b (Some (nested) Name)", "Some (nested) Name|a|b"),
            ("(x) a (y) . b @ c . d", "y|a.b|c.d"),
            ("\"a b\"@c", "-|a b|c"),
            ("<@r1,@r2:a@b>", "-|a|b"),
            ("G: a@b, C <c@d>; e@f", "G{, -|a|b, C|c|d, }, -|e|f"),
            ("undisclosed-recipients:;", "undisclosed-recipients{, }"),
            ("G: a@b", "G{, -|a|b, }"),
            ("root", "-|root|MISSING_DOMAIN"),
            (
                "To Whom, x",
                "To Whom|MISSING_MAILBOX|MISSING_DOMAIN, -|x|MISSING_DOMAIN",
            ),
            ("x <root>", "x|root|MISSING_DOMAIN"),
            ("<to whom . it@x>", "-|to whom.it|x"),
            ("<>", "-|MISSING_MAILBOX|MISSING_DOMAIN"),
            ("a@[127.0.0.1]", "-|a|[127.0.0.1]"),
            (
                "=?utf-8?q?a?= =?utf-8?q?b?= <a@b>",
                "=?utf-8?q?a?= =?utf-8?q?b?=|a|b",
            ),
            ("\u{438}\u{43c}\u{44f} <a@b>", "\u{438}\u{43c}\u{44f}|a|b"),
            ("\"no end <a@b>", "-|no end <a@b>|MISSING_DOMAIN"),
            ("a <b@c", "a|b|c"),
            ("a@b c@d", "-|a|b, -|c|d"),
        ];
        for (value, expected) in cases {
            assert_eq!(shown(value), expected, "{value}");
        }
    }

    #[test]
    fn mailboxes_are_complete() {
        assert_eq!(mailboxes(b"G: a@b;, root").len(), 1);
    }
}
