//! The words of structured header fields: comments, quoted strings, atoms and tokens (RFC 5322 §3.2,
//! RFC 2045 §5.1), read forgivingly. Bytes above 127 count as letters everywhere (RFC 6532 §3.2).

/// A position in the value of a structured field.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Lexer { text, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(crate) fn bump(&mut self) {
        self.at += 1;
    }

    /// What has not been read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Steps over `byte` if it comes next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Steps over white space and comments; whether there was any.
    pub(crate) fn skip_cfws(&mut self) -> bool {
        self.cfws(&mut None)
    }

    /// The same, and keeps the text of the last comment that is not empty.
    pub(crate) fn skip_cfws_keeping(&mut self, comment: &mut Option<Vec<u8>>) -> bool {
        self.cfws(&mut Some(comment))
    }

    fn cfws(&mut self, keep: &mut Option<&mut Option<Vec<u8>>>) -> bool {
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'(' => {
                    let text = self.comment(keep.is_some());
                    if let Some(kept) = keep
                        && !text.is_empty()
                    {
                        **kept = Some(text);
                    }
                }
                _ => break,
            }
        }
        self.at > start
    }

    /// A comment with those nested in it (RFC 5322 §3.2.2). One without an end reaches to the end.
    fn comment(&mut self, keep: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => {
                    depth += 1;
                    if depth == 1 {
                        continue;
                    }
                }
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                b'\r' | b'\n' => continue,
                b'\\' => {
                    if let Some(next) = self.peek() {
                        self.at += 1;
                        if keep {
                            out.push(next);
                        }
                    }
                    continue;
                }
                _ => {}
            }
            if keep {
                out.push(byte);
            }
        }
        trim(&out).to_vec()
    }

    /// A quoted string whose opening quote comes next, without quotes, backslashes and folding
    /// (RFC 5322 §3.2.4). One without an end reaches to the end; then the answer is false.
    pub(crate) fn quoted(&mut self, out: &mut Vec<u8>) -> bool {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => return true,
                b'\\' => {
                    if let Some(next) = self.peek() {
                        self.at += 1;
                        out.push(next);
                    }
                }
                b'\r' | b'\n' => {}
                _ => out.push(byte),
            }
        }
        false
    }

    /// The longest run of bytes for which `accept` holds.
    pub(crate) fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let len = rest.iter().position(|&byte| !accept(byte)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    /// A MIME token (RFC 2045 §5.1); empty if none comes next.
    pub(crate) fn token(&mut self) -> &'a [u8] {
        self.take_while(is_token)
    }
}

/// RFC 2045 §5.1, and bytes above 127.
pub(crate) fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// What an atom is made of: RFC 5322 §3.2.3 and whatever real mail puts there that is not special.
pub(crate) fn is_atom(byte: u8) -> bool {
    ATOM[usize::from(byte)]
}

const TOKEN: [bool; 256] = all_but(b"()<>@,;:\\\"/[]?=");
const ATOM: [bool; 256] = all_but(b"()<>[]:;@\\,.\"");

/// All bytes but these, controls and the space.
const fn all_but(special: &[u8]) -> [bool; 256] {
    let mut table = [true; 256];
    let mut byte = 0;
    while byte <= b' ' as usize {
        table[byte] = false;
        byte += 1;
    }
    table[127] = false;
    let mut index = 0;
    while index < special.len() {
        table[special[index] as usize] = false;
        index += 1;
    }
    table
}

/// Without white space and line ends at both ends.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}
