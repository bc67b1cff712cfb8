use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    line_length_max_bytes: 64,
    literal_max_bytes: 20,
    command_max_bytes: 128,
    append_max_bytes: 1000,
};

/// What a session would do with a stream that arrives in pieces, written down.
fn run(stream: &[u8], piece: usize) -> Vec<String> {
    let mut framer = Framer::new();
    let (mut buf, mut log) = (Vec::new(), Vec::new());
    let mut literal = 0usize;
    for chunk in stream.chunks(piece) {
        buf.extend_from_slice(chunk);
        loop {
            let taken = literal.min(buf.len());
            buf.drain(..taken);
            literal -= taken;
            if literal > 0 {
                break;
            }
            let frame = framer.next(&buf, &LIMITS);
            let text = |len: usize| String::from_utf8_lossy(&buf[..len]).into_owned();
            let len = match frame {
                Frame::NeedMore => break,
                Frame::Continue { .. } => {
                    log.push("+".to_owned());
                    0
                }
                Frame::Command { len } => {
                    log.push(text(len));
                    len
                }
                Frame::AppendLiteral {
                    prefix_len,
                    literal: announced,
                } => {
                    log.push(format!("append {}", announced.size));
                    literal = announced.size as usize;
                    prefix_len
                }
                Frame::AppendEnd { len } => {
                    log.push(String::from_utf8_lossy(&framer.take_append()).into_owned());
                    len
                }
                Frame::TooLong { tag, len } => {
                    log.push(format!(
                        "long {}",
                        tag.map(|tag| tag.to_string()).unwrap_or_default()
                    ));
                    len
                }
                Frame::LiteralTooBig { tag, size, sync, len } => {
                    log.push(format!(
                        "big {} {size} {sync}",
                        tag.map(|tag| tag.to_string()).unwrap_or_default()
                    ));
                    len
                }
                Frame::Skip { len } => len,
            };
            buf.drain(..len);
        }
    }
    log
}

fn expect(stream: &str, expected: &[&str]) {
    for piece in [1, 2, 3, 7, 64, 10_000] {
        let log = run(stream.as_bytes(), piece);
        // A line cut off by its limit is noticed at different places, never twice.
        assert_eq!(log, expected, "in pieces of {piece}: {stream}");
    }
}

#[test]
fn commands_and_literals() {
    expect("a NOOP\r\nb NOOP\r\n", &["a NOOP\r\n", "b NOOP\r\n"]);
    expect(
        "a LOGIN {1}\r\nu {2+}\r\npw\r\nb",
        &["+", "a LOGIN {1}\r\nu {2+}\r\npw\r\n"],
    );
    // A line end within a literal ends nothing.
    expect("a LOGIN {4+}\r\n\r\n{9 x\r\n", &["a LOGIN {4+}\r\n\r\n{9 x\r\n"]);
    expect("a NOOP\nb NOOP\r\n", &["a NOOP\n", "b NOOP\r\n"]);
    expect("\r\n", &["\r\n"]);
}

#[test]
fn messages_are_cut_out() {
    expect(
        "a APPEND x (\\Seen) {5}\r\n1\r\n45\r\nb NOOP\r\n",
        &["append 5", "a APPEND x (\\Seen) {5}\r\n\r\n", "b NOOP\r\n"],
    );
    expect(
        "a APPEND {1+}\r\nx {3+}\r\nabc ~{2}\r\nde\r\n",
        &["append 3", "append 2", "a APPEND {1+}\r\nx {3+}\r\n ~{2}\r\n\r\n"],
    );
    expect(
        "a APPEND x CATENATE (TEXT {3+}\r\nabc URL {1+}\r\nq TEXT {1+}\r\nz)\r\n",
        &[
            "append 3",
            "append 1",
            "a APPEND x CATENATE (TEXT {3+}\r\n URL {1+}\r\nq TEXT {1+}\r\n)\r\n",
        ],
    );
}

#[test]
fn above_the_limits() {
    let long = "x".repeat(65);
    expect(
        &format!("a LOGIN {long} {{3+}}\r\nabc d\r\nb NOOP\r\n"),
        &["long a", "b NOOP\r\n"],
    );
    expect(
        &format!("a LOGIN {long} {{3}}\r\nb NOOP\r\n"),
        &["long a", "b NOOP\r\n"],
    );
    expect("a LOGIN {21}\r\nb NOOP\r\n", &["big a 21 true", "b NOOP\r\n"]);
    expect(
        "a LOGIN {21+}\r\n123456789012345678901 x {2+}\r\nab c\r\nb NOOP\r\n",
        &["big a 21 false", "b NOOP\r\n"],
    );
    expect(
        "a APPEND x {1001}\r\nb NOOP\r\n",
        &["big a 1001 true", "b NOOP\r\n"],
    );
    let three = "{20+}\r\n12345678901234567890 ".repeat(3);
    expect(
        &format!("a SEARCH OR SUBJECT x TEXT {three}{{20+}}\r\n12345678901234567890\r\nb NOOP\r\n"),
        &["big a 20 false", "b NOOP\r\n"],
    );
    expect(
        "a LOGIN {99999999999999999999999}\r\nb NOOP\r\n",
        &["a LOGIN {99999999999999999999999}\r\n", "b NOOP\r\n"],
    );
}

#[test]
fn an_append_may_be_abandoned() {
    let mut framer = Framer::new();
    let mut buf = b"a APPEND x {5+}\r\n12345 (\\Seen) {2+}\r\n67\r\nb NOOP\r\n".to_vec();
    let Frame::AppendLiteral { prefix_len, .. } = framer.next(&buf, &LIMITS) else {
        unreachable!()
    };
    assert_eq!(framer.append_skeleton(), b"a APPEND x {5+}\r\n");
    buf.drain(..prefix_len);
    framer.abandon_append(Some(5));
    while let Frame::Skip { len } = framer.next(&buf, &LIMITS) {
        buf.drain(..len);
    }
    assert_eq!(buf, b"b NOOP\r\n");
    assert_eq!(framer.next(&buf, &LIMITS), Frame::Command { len: 8 });
}

#[test]
fn lines() {
    assert_eq!(Framer::line(b"DONE\r\nx", 64), Line::Line { text_len: 4, len: 6 });
    assert_eq!(Framer::line(b"DONE\n", 64), Line::Line { text_len: 4, len: 5 });
    assert_eq!(Framer::line(b"DO", 64), Line::NeedMore);
    assert_eq!(Framer::line(&[b'x'; 65], 64), Line::TooLong);
}

proptest! {
    #[test]
    fn the_cut_of_the_stream_does_not_matter(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "a NOOP\r\n", "b LOGIN {1+}\r\n", "b LOGIN {3}\r\n", "c APPEND x ", "{4+}\r\n", " {2}\r\n", "ab", "\r\n", "\"", "(", ")", "~",
            ]), 0..12),
        piece in 1usize..20,
    ) {
        let stream = parts.concat();
        let whole = run(stream.as_bytes(), 10_000);
        prop_assert_eq!(run(stream.as_bytes(), piece), whole);
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), piece in 1usize..40) {
        run(&bytes, piece);
    }
}
