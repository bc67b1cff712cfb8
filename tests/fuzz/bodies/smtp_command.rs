//! Commands of SMTP, and replies of other servers.

use wire::smtp::{ReplyParser, parse, xtext_decode, xtext_encode};

pub fn run(data: &[u8]) {
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        let _ = parse(line);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let encoded = xtext_encode(text);
        assert!(encoded.bytes().all(|byte| (b'!'..=b'~').contains(&byte)));
        // Control characters are encoded, but not taken back.
        let there = (!text.chars().any(char::is_control)).then_some(text);
        assert_eq!(xtext_decode(encoded.as_bytes()).as_deref(), there);
    }
    let mut parser = ReplyParser::default();
    for line in data.split(|byte| *byte == b'\n') {
        let _ = parser.line(line);
    }
}
