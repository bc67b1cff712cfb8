//! What an IMAP server says to whoever fetches mail from it.

use wire::imap::client::{Fetch, Follows, Response, challenge, code, literal, quoted, response};

/// The longest name of a FETCH item that is held.
const HELD_MAX_BYTES: usize = 65_536;

pub fn run(data: &[u8]) {
    // The pieces of one response follow each other, as if the literals between them had been read.
    let mut fetch = Fetch::default();
    for line in data.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let items = match response(line) {
            Some(Response::Fetch(items)) => {
                fetch = Fetch::default();
                items
            }
            Some(Response::Continue(text)) => {
                let _ = challenge(text);
                line
            }
            Some(Response::Tagged { text, .. } | Response::Condition { text, .. }) => {
                if let Some((name, rest)) = code(&text) {
                    assert!(name.len() + rest.len() <= text.len() * 3);
                }
                line
            }
            _ => line,
        };
        match fetch.piece(items) {
            // A literal ends its piece, and is the one that the line names.
            Some(Follows::Text(bytes) | Follows::Literal(bytes)) => assert_eq!(literal(items), Some(bytes)),
            Some(Follows::Nothing) => fetch = Fetch::default(),
            None => {}
        }
        assert!(
            fetch
                .quoted
                .as_ref()
                .is_none_or(|text| text.len() <= HELD_MAX_BYTES.max(data.len()))
        );
        if let Ok(text) = std::str::from_utf8(line)
            && let Some(quoted) = quoted(text)
        {
            assert!(!quoted.contains(['\r', '\n']), "a command of its own: {quoted:?}");
        }
    }
}
