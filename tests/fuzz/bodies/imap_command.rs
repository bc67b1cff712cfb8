//! Commands of IMAP as they come from a stranger, in pieces: framed, parsed, and never a panic. Names come back as they were.

use wire::imap::{Frame, Framer, Limits, decode_utf7, encode_utf7, parse_append_prefix, parse_with};

const LIMITS: Limits = Limits {
    line_length_max_bytes: 8 * 1024,
    literal_max_bytes: 4 * 1024,
    command_max_bytes: 16 * 1024,
    append_max_bytes: 1 << 20,
};

pub fn run(data: &[u8]) {
    let (Some((&piece, input)), mut framer) = (data.split_first(), Framer::new()) else {
        return;
    };
    let mut buffer = Vec::new();
    for piece in input.chunks(usize::from(piece).max(1)) {
        buffer.extend_from_slice(piece);
        while step(&mut framer, &mut buffer) {}
    }
    if let Some(name) = decode_utf7(input) {
        assert_eq!(
            decode_utf7(encode_utf7(&name).as_bytes()).as_deref(),
            Some(&*name)
        );
    }
}

/// Whether the framer got further.
fn step(framer: &mut Framer, buffer: &mut Vec<u8>) -> bool {
    let taken = match framer.next(buffer, &LIMITS) {
        Frame::NeedMore | Frame::Continue { .. } => return false,
        Frame::Command { len } => {
            let _ = parse_with(&buffer[..len], len % 2 == 0);
            len
        }
        Frame::AppendLiteral { prefix_len, literal } => {
            let _ = parse_append_prefix(framer.append_skeleton(), false);
            // A message that has not come whole is given up, as a session does with one that it will not take.
            let rest = buffer.len() - prefix_len;
            if literal.size > rest as u64 {
                framer.abandon_append((!literal.sync).then_some(literal.size));
                prefix_len
            } else {
                prefix_len + literal.size as usize
            }
        }
        Frame::AppendEnd { len } => {
            let _ = parse_with(&framer.take_append(), false);
            len
        }
        Frame::TooLong { len, .. } | Frame::LiteralTooBig { len, .. } | Frame::Skip { len } => len,
    };
    buffer.drain(..taken);
    taken > 0
}
