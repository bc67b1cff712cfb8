//! What a reader behind an old host would lose: parts, characters, or the message.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::message::{Message, Part, decode};

fn written(text: &[u8], len: usize) -> Vec<u8> {
    let mut survey = Survey::new();
    for piece in text.chunks(len) {
        survey.feed(piece);
    }
    let mut writer = SevenBit::new(&survey.finish());
    let mut out = Vec::new();
    for piece in text.chunks(len) {
        writer.feed(piece, &mut out);
    }
    writer.finish(&mut out);
    out
}

fn shown(text: &[u8]) -> String {
    String::from_utf8(written(text, text.len().max(1))).unwrap()
}

/// All leaves, decoded.
fn leaves(text: &[u8]) -> Vec<Vec<u8>> {
    let structure = Message::parse(text);
    let mut found = Vec::new();
    structure.root.walk(&mut |part: &Part| {
        if part.children.is_empty() && part.message.is_none() {
            let body = &text[part.body.clone()];
            let decoded = decode::transfer(body, &part.encoding);
            found.push(decoded.map_or_else(|| body.to_vec(), std::borrow::Cow::into_owned));
        }
    });
    found
}

const LETTER: &str = "From: ann@example.test\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=\"=E9\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    préambule\r\n--=E9\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    Un café = 1 €\r\n-- \r\n--\u{e9}\r\n\r\n--=E9\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: 8BIT\r\n\r\nПривет, мир! Привет, мир!\r\n--=E9\r\nContent-Type: text/plain\r\n\
    Content-Transfer-Encoding: 8bit\r\n\r\nplain = plain\r\n--=E9\r\nContent-Type: message/rfc822\r\n\r\n\
    Subject: à propos\r\nTo: Zoë <z@b.test>\r\n\r\nnaïve\r\n--=E9--\r\népilogue\r\n";

/// A letter would arrive damaged, or not at all.
#[test]
fn bodies_are_encoded_and_composites_relabelled() {
    let expected = "From: ann@example.test\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"=E9\"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
        pr??ambule\r\n--=E9\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n\
        Un caf=C3=A9 =3D 1 =E2=82=AC\r\n=2D-=20\r\n=2D-=C3=A9\r\n\r\n--=E9\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
        0J/RgNC40LLQtdGCLCDQvNC40YAhINCf0YDQuNCy0LXRgiwg0LzQuNGAIQ==\r\n--=E9\r\nContent-Type: text/plain\r\n\
        Content-Transfer-Encoding: 7bit\r\n\r\nplain = plain\r\n--=E9\r\nContent-Type: message/rfc822\r\n\r\n\
        Subject: =?UTF-8?B?w6AgcHJvcG9z?=\r\nTo: =?UTF-8?B?Wm/Dqw==?= <z@b.test>\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        na=C3=AFve\r\n--=E9--\r\n??pilogue\r\n";
    assert_eq!(shown(LETTER.as_bytes()), expected);
    assert_eq!(leaves(expected.as_bytes()), leaves(LETTER.as_bytes()));
    for len in 1..70 {
        assert_eq!(written(LETTER.as_bytes(), len), expected.as_bytes(), "{len}");
    }
}

/// Mail of old programs has no MIME at all; what is in it must be readable all the same.
#[test]
fn a_text_without_mime_says_what_it_is() {
    let rest = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: \
        quoted-printable\r\n\r\nH=C3=A9?\r\n";
    assert_eq!(
        shown("Subject: x\r\n\r\nHé?\r\n".as_bytes()),
        format!("Subject: x\r\n{rest}")
    );
    let guess = rest.replace("utf-8", "unknown-8bit").replace("=C3=A9", "=E9");
    assert_eq!(
        shown(b"Subject: x\r\n\r\nH\xe9?\r\n"),
        format!("Subject: x\r\n{guess}")
    );
    assert_eq!(shown(b"\r\nH\xe9?\r\n"), guess);
}

/// Another program's mistake is no reason to lose the mail.
#[test]
fn octets_that_an_encoding_does_not_allow_are_encoded_anew() {
    let text = "MIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\né=3D=\r\nx\r\n";
    let out = written(text.as_bytes(), 7);
    assert!(out.is_ascii());
    assert!(out.ends_with(b"Content-Transfer-Encoding: base64\r\n\r\nw6k9eA0K\r\n"));
    assert_eq!(leaves(&out), leaves(text.as_bytes()));
}

/// International mail that was returned goes back as it was.
#[test]
fn a_global_message_is_one_body() {
    let text = "Content-Type: message/global\r\nMIME-Version: 1.0\r\n\r\nFrom: é@é.test\r\n\r\né\r\n";
    let out = shown(text.as_bytes());
    assert_eq!(
        out,
        "Content-Type: message/global\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        From: =C3=A9@=C3=A9.test\r\n\r\n=C3=A9\r\n"
    );
}

/// A signature that no longer holds looks like forgery, and a half of an address leads nowhere.
#[test]
fn what_must_not_be_changed_stays() {
    let same = [
        "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\né\r\n--b--\r\n",
        "Content-Type: message/partial; id=a; number=1\r\n\r\né\r\n",
        "Content-Type: multipart/mixed\r\n\r\né\r\n",
        "Content-Transfer-Encoding: x-own\r\n\r\né\r\n",
        "To: é@é.test\r\n\r\n",
        "Subject: all in ASCII\r\n\r\nx\r\n",
        "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\ny\r\n--b--\r\n",
    ];
    for text in same {
        assert_eq!(shown(text.as_bytes()), text);
    }
    let boundary = "Content-Type: multipart/mixed; boundary=\"é\"\r\n";
    let text = format!("{boundary}\r\n--é\r\n\r\nx\r\n--é--\r\n");
    assert!(shown(text.as_bytes()).starts_with(boundary));
    let digest =
        "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\né\r\n--b--\r\n";
    assert!(shown(digest.as_bytes()).contains("--b\r\n\r\nSubject: x\r\nMIME-Version: 1.0\r\n"));
}

/// A signature must not break because its boundary, or a line of what is signed, begins as the boundary around it does.
#[test]
fn what_is_signed_stays_whatever_its_boundary_is() {
    let signed = "Content-Type: multipart/signed; boundary=b1\r\n\r\n--b1\r\nContent-Type: multipart/mixed; boundary=b12\r\n\r\n\
        --b12\r\nContent-Transfer-Encoding: 8bit\r\n\r\né\r\n--b, é\r\n--b12--\r\n--b1\r\nX: é\r\n--b1\r\n\r\né\r\n--b1--\r\n";
    let text = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{signed}--b \t\r\n\r\né\r\n--b--\r\n"
    );
    for len in [1, 2, 3, 7, 64, text.len()] {
        let out = String::from_utf8(written(text.as_bytes(), len)).unwrap();
        assert!(
            out.contains(&format!("--b\r\n{signed}--b \t\r\n")),
            "{len}: {out}"
        );
        assert!(out.ends_with("\r\n\r\n=C3=A9\r\n--b--\r\n"), "{len}: {out}");
    }
}

/// Any number of parts takes the same memory, and none is lost.
#[test]
fn many_parts_and_little_memory() {
    let mut text = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    for number in 0..3 * FINDINGS_MAX_COUNT {
        let body = if number % 2 == 0 { "é" } else { "e" };
        text.extend_from_slice(format!("--b\r\nX: {number}\r\n\r\n{body}\r\n").as_bytes());
    }
    text.extend_from_slice(b"--b--\r\n");
    let mut survey = Survey::new();
    survey.feed(&text);
    assert_eq!(survey.finish().findings.len(), FINDINGS_MAX_COUNT);
    let out = written(&text, 1000);
    assert!(out.is_ascii());
    assert_eq!(
        memchr::memmem::find_iter(&out, "\r\n\r\ne\r\n").count(),
        3 * FINDINGS_MAX_COUNT / 2
    );
    assert_eq!(
        memchr::memmem::find_iter(&out, "=C3=A9\r\n").count(),
        3 * FINDINGS_MAX_COUNT / 2
    );
}

fn part() -> impl Strategy<Value = Vec<u8>> {
    let header = proptest::sample::select(vec![
        "",
        "Content-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: 8bit\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
        "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n",
        "Content-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Transfer-Encoding: binary\r\n",
        "Content-Type: multipart/digest; boundary=c\r\n\r\n--c\r\n\r\nX: y\r\n",
    ]);
    let line = proptest::sample::select(vec![
        "plain",
        "--c--",
        "--b=F",
        "\t",
        "a =C3=A9=",
        "é",
        "Привет, Привет, Привет",
        "QUJD",
        "-- ",
        "",
    ]);
    (header, proptest::collection::vec(line, 0..6), any::<bool>()).prop_map(|(header, lines, raw)| {
        let mut part = format!("{header}\r\n{}", lines.join("\r\n")).into_bytes();
        if raw {
            part.extend_from_slice(b"--b\xff --\xfe");
        }
        part
    })
}

proptest! {
    #[test]
    fn any_message_is_ascii_and_reads_the_same(parts in proptest::collection::vec(part(), 1..5), len in 1usize..200) {
        let mut text = b"Subject: s\xc3\xa9\r\nContent-Type: multipart/mixed; boundary=\"b=FF\"\r\n\r\nhello\r\n".to_vec();
        for part in &parts {
            text.extend_from_slice(b"--b=FF\r\n");
            text.extend_from_slice(part);
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(b"--b=FF--\r\n");
        let out = written(&text, len);
        prop_assert!(out.is_ascii());
        prop_assert_eq!(leaves(&out), leaves(&text));
        prop_assert!(out.split(|byte| *byte == b'\n').all(|line| line.len() <= 999));
    }
}
