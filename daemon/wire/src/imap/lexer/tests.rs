use super::*;

#[test]
fn strings_and_literals() {
    let cases: [(&[u8], Option<&[u8]>); 12] = [
        (b"atom]", Some(b"atom]")),
        (b"\"\"", Some(b"")),
        (b"\"a\\\"b\\\\\"", Some(b"a\"b\\")),
        (b"{3}\r\na b", Some(b"a b")),
        (b"{3+}\r\nabc", Some(b"abc")),
        (b"{0}\r\n", Some(b"")),
        (b"{4}\r\nabc", None),
        (b"{3}\nabc", None),
        (b"\"a", None),
        (b"\"a\\b\"", None),
        (b"~{1}\r\na", None),
        (b"{99999999999999999999}\r\n", None),
    ];
    for (input, expected) in cases {
        let mut lexer = Lexer::new(input, false);
        let got = lexer.astring().ok().filter(|_| lexer.rest().is_empty());
        assert_eq!(got.as_deref(), expected, "{}", String::from_utf8_lossy(input));
    }
}

#[test]
fn literal_announcements() {
    type Case = (&'static [u8], Option<(u64, bool, bool)>);
    let cases: [Case; 8] = [
        (b"a LOGIN {5}", Some((5, true, false))),
        (b"a LOGIN {5+}", Some((5, false, false))),
        (b"a APPEND x ~{5+}", Some((5, false, true))),
        (b"{0}", Some((0, true, false))),
        (b"5}", None),
        (b"{}", None),
        (b"{+}", None),
        (b"{12345678901234567890}", None),
    ];
    for (line, expected) in cases {
        let got = literal_at_end(line).map(|head| (head.size, head.sync, head.binary));
        assert_eq!(got, expected, "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn numbers() {
    assert_eq!(Lexer::new(b"4294967295", false).number().unwrap(), u32::MAX);
    assert!(Lexer::new(b"4294967296", false).number().is_err());
    assert!(Lexer::new(b"0", false).nz_number().is_err());
    assert_eq!(
        Lexer::new(b"9223372036854775807", false).number64().unwrap(),
        i64::MAX as u64
    );
    assert!(Lexer::new(b"9223372036854775808", false).number64().is_err());
}
