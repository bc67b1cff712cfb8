//! LOGIN and AUTHENTICATE (RFC 9051 §6.2.2, §6.2.3).

use std::fmt;

use super::lexer::{Bad, Lexer, Parsed};

/// Something that no log and no error may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// The arguments of AUTHENTICATE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticate {
    /// In capitals.
    pub mechanism: String,
    /// The initial response, still in base64 (RFC 4959); `=` became empty.
    pub initial: Option<Secret>,
}

/// authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp]
pub(super) fn authenticate(lexer: &mut Lexer<'_>) -> Parsed<Authenticate> {
    lexer.sp()?;
    let mechanism = lexer.atom()?.to_ascii_uppercase();
    let mut initial = None;
    if lexer.eat(b' ') {
        let text = lexer.atom().map_err(|_| Bad("initial response expected"))?;
        let text = if text == "=" { "" } else { text };
        initial = Some(Secret(text.as_bytes().to_vec()));
    }
    Ok(Authenticate { mechanism, initial })
}

/// login = "LOGIN" SP userid SP password
pub(super) fn login(lexer: &mut Lexer<'_>) -> Parsed<(Vec<u8>, Secret)> {
    lexer.sp()?;
    let user = lexer.astring()?.into_owned();
    lexer.sp()?;
    Ok((user, Secret(lexer.astring()?.into_owned())))
}
