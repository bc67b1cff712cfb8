//! Names and patterns of mailboxes, sets of numbers: each has one spelling, and matching has an end.

use wire::imap::{MailboxName, SequenceSet, decode_utf7, encode_utf7, list_match};

pub fn run(data: &[u8]) {
    if let Some(name) = decode_utf7(data) {
        assert_eq!(encode_utf7(&name).as_bytes(), data);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        assert_eq!(decode_utf7(encode_utf7(text).as_bytes()).as_deref(), Some(text));
        let name = MailboxName::new(text);
        assert_eq!(MailboxName::new(name.as_str()), name);
        let (pattern, name) = text.split_at(text.floor_char_boundary(text.len() / 2));
        let matched = list_match(pattern, name, '/');
        if !pattern.contains(['*', '%']) && !pattern.eq_ignore_ascii_case("INBOX") {
            assert_eq!(matched, pattern == name, "{pattern:?} {name:?}");
        }
        assert!(list_match("*", text, '/'));
    }
    if let Some(set) = SequenceSet::parse(data) {
        for max in [0, 1, 7, u32::MAX] {
            let resolved = set.resolve(max).clamp(max);
            let mut last = 0;
            for &(from, to) in resolved.ranges() {
                assert!(last < from && from <= to && to <= max);
                last = to;
            }
        }
    }
}
