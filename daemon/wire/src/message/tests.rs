#![allow(clippy::unwrap_used)]

use super::*;

const NESTED: &str = "Subject: x\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\npreamble\r\n--a\r\n\r\none\r\n\r\n\
    --a\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\n\r\ntwo\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nthree\r\n--c--\r\n--b--\r\n\
    --a\r\nContent-Type: message/rfc822\r\n\r\nSubject: single\r\n\r\nfour\r\n--a--\r\nepilogue\r\n";

/// RFC 3501 §6.4.5: a user who opens an attachment gets that one and no other.
#[test]
fn sections() {
    let structure = Message::parse(NESTED.as_bytes());
    let body = |numbers: &[u32]| {
        structure
            .section(numbers)
            .map(|part| NESTED.get(part.body.clone()).unwrap().to_owned())
    };
    let cases: &[(&[u32], Option<&str>)] = &[
        (&[1], Some("one\r\n")),
        (&[2, 1], Some("two")),
        (&[2, 2, 1], Some("three")),
        (&[3, 1], Some("four")),
        (&[3], Some("Subject: single\r\n\r\nfour")),
        (&[0], None),
        (&[4], None),
        (&[1, 1], None),
        (&[2, 3], None),
        (&[3, 1, 1], None),
        (&[3, 2], None),
        (&[u32::MAX], None),
    ];
    for (numbers, expected) in cases {
        assert_eq!(body(numbers).as_deref(), *expected, "{numbers:?}");
    }
    let message = structure.section(&[2]).unwrap().message.as_ref().unwrap();
    assert!(NESTED[message.header.clone()].starts_with("Subject: in\r\n"));
    assert_eq!(structure.section(&[]), Some(&structure.root));
}

#[test]
fn sections_of_single_parts() {
    let plain = Message::parse(b"\r\nbody");
    assert_eq!(plain.section(&[1]), Some(&plain.root));
    assert_eq!((plain.section(&[2]), plain.section(&[1, 1])), (None, None));
    // A message that is itself a message: its part 1 is the inner one, whose part 1 is the text.
    let wrapped = Message::parse(b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody");
    assert_eq!(wrapped.section(&[1]), Some(&wrapped.root));
    assert_eq!(wrapped.section(&[1, 1]), wrapped.root.message.as_deref());
    assert_eq!(wrapped.section(&[1, 1, 1]), None);
}

#[test]
fn a_boundary_within_a_header_ends_the_part() {
    let text =
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nSubject: no end\r\n--a\r\n\r\nx\r\n--a--";
    let root = Message::parse(text).root;
    assert_eq!(root.children.len(), 2);
    assert_eq!(&text[root.children[0].header.clone()], b"Subject: no end\r\n");
    assert!(root.children[0].body.is_empty());
    assert_eq!(&text[root.children[1].body.clone()], b"x");
}

#[test]
fn a_multipart_without_boundary_can_be_read() {
    let text = b"Content-Type: multipart/mixed\r\n\r\nhello\r\n";
    let structure = Message::parse(text);
    assert!(structure.root.is_text() && !structure.root.is_multipart());
    assert_eq!(decode::part_text(text, &structure.root).unwrap(), "hello\r\n");
}

/// A signature over a nested multipart would not verify if the line end of the outer boundary counted as its own.
#[test]
fn a_nested_multipart_without_epilogue_ends_at_its_last_boundary() {
    for (epilogue, want) in [
        ("", "--b\r\n\r\nx\r\n--b--"),
        ("\r\n", "--b\r\n\r\nx\r\n--b--\r\n"),
        ("e\r\n", "--b\r\n\r\nx\r\n--b--\r\ne"),
    ] {
        let text = format!(
            "Content-Type: multipart/signed; boundary=a\r\n\r\n--a\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n{epilogue}--a--\r\n"
        );
        let structure = Message::parse(text.as_bytes());
        let part = structure.section(&[1]).unwrap();
        assert_eq!(&text[part.body.clone()], want, "epilogue {epilogue:?}");
    }
}
