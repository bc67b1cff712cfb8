//! Addresses in paths and in header fields.

use wire::address::{parse_host, parse_mailbox, parse_path};
use wire::message::addresses;

pub fn run(data: &[u8]) {
    if let Ok((path, rest)) = parse_path(data) {
        assert!(data.ends_with(rest));
        // What is written is what was read.
        let written = format!("<{path}>");
        let (again, rest) = parse_path(written.as_bytes()).expect("what was written is a path");
        assert!(rest.is_empty());
        assert_eq!(again, path);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = parse_mailbox(text);
        let _ = parse_host(text);
    }
    let _ = addresses::mailboxes(data);
    let _ = addresses::entries(data);
}
