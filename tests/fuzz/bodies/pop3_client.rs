//! What a POP3 server says to whoever fetches mail from it: whatever size the pieces of a text have, it comes off the wire the same.

use wire::pop3::client::{Status, Unstuffer, listed, status, timestamp, unique};

pub fn run(data: &[u8]) {
    let Some((&size, rest)) = data.split_first() else {
        return;
    };
    for line in rest.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(Status::Ok(text)) = status(line)
            && let Some(found) = timestamp(&text)
        {
            assert!(found.starts_with('<') && found.ends_with('>'));
        }
        assert!(listed(line).is_none_or(|(number, _)| number > 0));
        if let Some((number, id)) = unique(line) {
            assert!(number > 0 && !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
    let whole = unstuffed(rest, rest.len().max(1));
    assert_eq!(whole, unstuffed(rest, usize::from(size).max(1)));
    // What was stuffed here comes back, and what stands behind its end is left.
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let lines: Vec<u8> = rest
        .split(is_end)
        .flat_map(|line| [line, b"\r\n"].concat())
        .collect();
    let mut stuffed = Vec::new();
    wire::pop3::stuff(&lines, &mut stuffed);
    let end = stuffed.len();
    stuffed.extend_from_slice(rest);
    assert_eq!(unstuffed(&stuffed, usize::from(size).max(1)), (lines, end, true));
}

/// The text, how much of the input it took, and whether it has ended.
fn unstuffed(input: &[u8], size: usize) -> (Vec<u8>, usize, bool) {
    let (mut unstuffer, mut out, mut consumed) = (Unstuffer::new(), Vec::new(), 0);
    for piece in input.chunks(size) {
        let fed = unstuffer.feed(piece, &mut out);
        consumed += fed.consumed;
        if fed.ended {
            return (out, consumed, true);
        }
        assert_eq!(fed.consumed, piece.len());
    }
    (out, consumed, false)
}
