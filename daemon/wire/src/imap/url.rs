//! IMAP URLs as CATENATE takes them (RFC 5092 §11, RFC 4469 §3): relative to the session, naming one message or a piece of it.

use super::fetch::{Section, section_of};
use super::mailbox::MailboxName;

/// The longest URL that is looked at.
const URL_MAX_BYTES: usize = 8 * 1024;

/// `/mailbox;UIDVALIDITY=n/;UID=n/;SECTION=s/;PARTIAL=o.c`; without a mailbox the selected one is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageUrl {
    pub mailbox: Option<MailboxName>,
    pub uid_validity: Option<u32>,
    pub uid: u32,
    pub section: Option<Section>,
    /// Offset, and the number of octets if it does not reach to the end.
    pub partial: Option<(u32, Option<u32>)>,
}

impl MessageUrl {
    /// `None`: it is no such URL. URLs with another host, with a search or with an authorisation (URLAUTH) are none.
    pub fn parse(url: &str) -> Option<Self> {
        if url.len() > URL_MAX_BYTES
            || url.contains('?')
            || !url.bytes().all(|byte| byte.is_ascii_graphic() || byte >= 0x80)
        {
            return None;
        }
        let (mailbox, mut rest) = match url.strip_prefix('/') {
            Some(after) => {
                let end = after.find(';')?;
                let (name, rest) = after.split_at(end);
                (name.strip_suffix('/').unwrap_or(name), rest)
            }
            None => ("", url),
        };
        // "//host/…"
        if mailbox.starts_with('/') {
            return None;
        }
        let mailbox = if mailbox.is_empty() {
            None
        } else {
            Some(MailboxName::new(unescape(mailbox)?))
        };
        let mut found = Self {
            mailbox,
            uid_validity: None,
            uid: 0,
            section: None,
            partial: None,
        };
        while !rest.is_empty() {
            let after = rest.strip_prefix(';')?;
            let end = after.find(';').unwrap_or(after.len());
            let (parameter, next) = after.split_at(end);
            // Between two parameters a slash may stand.
            let parameter = if next.is_empty() {
                parameter
            } else {
                parameter.strip_suffix('/').unwrap_or(parameter)
            };
            found.set(parameter)?;
            rest = next;
        }
        (found.uid > 0).then_some(found)
    }

    /// Each once, in the order of the grammar.
    fn set(&mut self, parameter: &str) -> Option<()> {
        let (name, value) = parameter.split_once('=')?;
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("UIDVALIDITY") && self.uid_validity.is_none() && self.uid == 0 && self.mailbox.is_some() {
            self.uid_validity = Some(nz_number(value)?);
        } else if is("UID") && self.uid == 0 {
            self.uid = nz_number(value)?;
        } else if is("SECTION") && self.uid > 0 && self.section.is_none() && self.partial.is_none() {
            self.section = Some(section_of(&unescape(value)?)?);
        } else if is("PARTIAL") && self.uid > 0 && self.partial.is_none() {
            let (offset, count) = match value.split_once('.') {
                Some((offset, count)) => (offset, Some(nz_number(count)?)),
                None => (value, None),
            };
            self.partial = Some((number(offset)?, count));
        } else {
            return None;
        }
        Some(())
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn nz_number(text: &str) -> Option<u32> {
    number(text).filter(|number| *number > 0)
}

/// Percent-encoded UTF-8 (RFC 5092 §8). Control characters name nothing.
fn unescape(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%' {
            let digits = text.get(at + 1..at + 3)?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            out.push(u8::from_str_radix(digits, 16).ok()?);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    let decoded = String::from_utf8(out).ok()?;
    (!decoded.chars().any(char::is_control)).then_some(decoded)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::fetch::SectionText;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_of_the_rfc() {
        let url = MessageUrl::parse("/Drafts;UIDVALIDITY=385759045/;UID=20/;section=1.2").unwrap();
        assert_eq!(url.mailbox.unwrap().as_str(), "Drafts");
        assert_eq!((url.uid_validity, url.uid), (Some(385_759_045), 20));
        assert_eq!(url.section.unwrap().part.as_slice(), [1, 2]);
        let url = MessageUrl::parse("/inbox/;UID=113330;section=HEADER").unwrap();
        assert_eq!(url.mailbox.unwrap().as_str(), "INBOX");
        assert_eq!(url.section.unwrap().text, SectionText::Header);
        let url = MessageUrl::parse("/a/b%20%D1%8F;UID=1/;PARTIAL=5.10").unwrap();
        assert_eq!(url.mailbox.unwrap().as_str(), "a/b я");
        assert_eq!(url.partial, Some((5, Some(10))));
        for selected in [";UID=3;PARTIAL=0", "/;UID=3;PARTIAL=0"] {
            let url = MessageUrl::parse(selected).unwrap();
            assert_eq!((url.mailbox, url.uid, url.partial), (None, 3, Some((0, None))));
        }
        let url = MessageUrl::parse(";UID=3/;SECTION=HEADER.FIELDS%20(DATE%20FROM)").unwrap();
        assert!(
            matches!(url.section.unwrap().text, SectionText::HeaderFields { names, .. } if names.len() == 2)
        );
    }

    #[test]
    fn no_such_urls() {
        for bad in [
            "",
            "/",
            "/INBOX",
            "/INBOX;UIDVALIDITY=1",
            "/INBOX;UID=0",
            "/INBOX;UID=x",
            "/INBOX;UID=1;UID=2",
            "/INBOX;UID=1;SECTION=",
            "/INBOX;UID=1;SECTION=FNORD",
            "/INBOX;UID=1;PARTIAL=1.0",
            "/INBOX;UID=1;PARTIAL=.1",
            "/INBOX;UID=1;URLAUTH=anonymous:internal",
            "/INBOX?SUBJECT%20x;UID=1",
            "/IN%0ABOX;UID=1",
            "/IN%ZZBOX;UID=1",
            "/IN%+1BOX;UID=1",
            "/%FF;UID=1",
            "INBOX;UID=1",
            "imap://user@host/INBOX;UID=1",
            "//host/INBOX;UID=1",
            ";UIDVALIDITY=1;UID=1",
            "/INBOX;UID=1 ",
        ] {
            assert_eq!(MessageUrl::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(url in "[/;=%.a-zA-Zé0-9]{0,40}") {
            let _ = MessageUrl::parse(&url);
            let _ = MessageUrl::parse(&format!("/x;UID=1;{url}"));
        }
    }
}
