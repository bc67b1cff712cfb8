//! Lists of `tag=value;` (RFC 6376 §3.2), of which signatures, keys and policies are made.

/// Tags of one list.
const TAGS_MAX_COUNT: usize = 64;

#[derive(Clone, Debug)]
pub(crate) struct Tags(Vec<(String, String)>);

impl Tags {
    /// `None` if it is no such list, or a tag stands in it twice.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut tags: Vec<(String, String)> = Vec::new();
        for part in text.split(';') {
            if part.trim().is_empty() {
                continue;
            }
            let (name, value) = part.split_once('=')?;
            let name = name.trim();
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let twice = tags.iter().any(|(known, _)| known == name);
            if name.is_empty() || !name.chars().all(plain) || twice || tags.len() >= TAGS_MAX_COUNT {
                return None;
            }
            tags.push((name.to_owned(), value.trim().to_owned()));
        }
        Some(Self(tags))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the list begins with this tag and value, as versions have to.
    pub(crate) fn begins_with(&self, name: &str, value: &str) -> bool {
        self.0
            .first()
            .is_some_and(|(known, found)| known == name && found == value)
    }

    /// A value in base64, with the white space that folding put into it.
    pub(crate) fn base64(&self, name: &str) -> Option<Vec<u8>> {
        let packed: String = self.get(name)?.split_ascii_whitespace().collect();
        wire::base64::decode(packed.as_bytes())
    }

    /// A whole number; `None` also if the tag is missing.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tags_are_found_whatever_space_is_around() {
        let tags = Tags::parse(b" v=1; a = rsa-sha256;\r\n\tb=QUJD\r\n REU=; l=12;").unwrap();
        assert!(tags.begins_with("v", "1"));
        assert_eq!(tags.get("a"), Some("rsa-sha256"));
        assert_eq!(tags.base64("b").unwrap(), b"ABCDE");
        assert_eq!(tags.number("l"), Some(12));
        for bad in ["a=1; a=2", "nothing", "=1"] {
            assert!(Tags::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
