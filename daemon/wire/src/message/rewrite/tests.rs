//! What everybody would lose while a message made for it is walked through: a processor. Work is counted, not timed.

use super::*;

/// Bytes looked at or moved for one byte of text.
const WORK_MAX: usize = 16;

/// Opens everything and changes nothing.
struct Same;

impl Rules for Same {
    fn opens(&self, head: &Head<'_>) -> bool {
        head.content.subtype != "signed"
    }

    fn begin(&mut self, head: &Head<'_>, _opened: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(head.header);
    }

    fn body(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(bytes);
    }

    fn end_body(&mut self, _out: &mut Vec<u8>) {}

    fn between(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(bytes);
    }
}

/// What it takes to walk through a text in pieces of this length, without its end.
fn work(text: &[u8], len: usize) -> usize {
    let mut walk = Walk::new(Same);
    let mut out = Vec::new();
    for piece in text.chunks(len) {
        walk.feed(piece, &mut out);
    }
    let work = walk.work.get();
    walk.finish(&mut out);
    assert!(out == text, "the text is another one");
    work
}

const MIXED: &str = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
const SIGNED: &str = "Content-Type: multipart/signed; boundary=b\r\n\r\n";

/// (what it begins with, what is repeated, how often, what it ends with)
const FLOODS: [(&str, &str, usize, &str); 14] = [
    (MIXED, "--b\r\n", 50_000, "\r\nx"),
    (SIGNED, "--b\r\n", 50_000, "\r\nx"),
    (MIXED, "--b\r\nX: y\r\n", 20_000, "\r\n"),
    (MIXED, "--b\r\n\r\n\r\n", 20_000, ""),
    (MIXED, "--a\r\n", 50_000, "\r\n--b--\r\n"),
    (SIGNED, "--a\r\n", 50_000, "\r\n--b--\r\n"),
    (
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
        "--a\r\n",
        80_000,
        "\r\n",
    ),
    (
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
        "X: y\r\n",
        80_000,
        "\r\n",
    ),
    ("", "X: y\r\n", 80_000, "\r\n"),
    ("X: ", "y", 400_000, ""),
    (MIXED, "-", 200_000, ""),
    (MIXED, "\r\n-", 80_000, ""),
    (
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b",
        " ",
        200_000,
        "\r\n\r\nx",
    ),
    ("", "Content-Type: message/rfc822\r\n\r\n", 10_000, ""),
];

#[test]
fn the_work_grows_with_the_text_and_no_faster() {
    for (begin, repeated, count, end) in FLOODS {
        let text = format!("{begin}{}{end}", repeated.repeat(count)).into_bytes();
        for len in [text.len(), 64 * 1024, 997, 1] {
            let work = work(&text, len);
            let most = WORK_MAX * text.len();
            assert!(
                work <= most,
                "{repeated:?} after {begin:?} in pieces of {len}: {work} > {most}"
            );
        }
    }
}

/// Where a piece ends would decide what a reader finds.
#[test]
fn a_boundary_line_without_end_is_one_in_pieces_of_any_size() {
    let padding = " ".repeat(2 * BOUNDARY_LINE_BYTES);
    let text = format!("{MIXED}--b{padding}\r\nX: y\r\n\r\nbody\r\n--b--{padding}\r\n");
    let places = |len: usize| {
        let mut walk = Walk::new(Same);
        let mut out = Vec::new();
        let mut places = Vec::new();
        for piece in text.as_bytes().chunks(len) {
            walk.feed(piece, &mut out);
            places.push(walk.place);
        }
        places.dedup();
        assert_eq!(walk.boundaries.len(), 0);
        walk.finish(&mut out);
        assert!(out == text.as_bytes());
        places
    };
    assert_eq!(
        places(1),
        [
            Place::Header,
            Place::Between,
            Place::Header,
            Place::Body,
            Place::Between
        ]
    );
    for len in [2, 100, text.len()] {
        assert_eq!(places(len).last(), Some(&Place::Between));
    }
}
