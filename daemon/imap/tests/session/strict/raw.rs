//! Lines that are no commands at all.

use crate::support::*;

/// Octets as they are, and how each line of the answer begins.
type Raw = (&'static [u8], &'static [&'static str]);

/// Lines that are no commands at all.
const RAW: &[Raw] = &[
    (b"\r\n", &["* BAD"]),
    (b" \r\n", &["* BAD"]),
    (b" a NOOP\r\n", &["* BAD"]),
    (b"* NOOP\r\n", &["* BAD"]),
    (b"+ NOOP\r\n", &["* BAD"]),
    (b"a+b NOOP\r\n", &["* BAD"]),
    (b"a(b NOOP\r\n", &["* BAD"]),
    (b"a\"b NOOP\r\n", &["* BAD"]),
    (b"a{b NOOP\r\n", &["* BAD"]),
    (b"a%b NOOP\r\n", &["* BAD"]),
    (b"a\\b NOOP\r\n", &["* BAD"]),
    (b"\xd0\xbf NOOP\r\n", &["* BAD"]),
    (b"a\x00b NOOP\r\n", &["* BAD"]),
    (b"a]b NOOP\r\n", &["a]b OK"]),
    (b"a NOOP\n", &["a BAD"]),
    (b"a NOOP\r\r\n", &["a BAD"]),
    (b"a NO\rOP\r\n", &["a BAD"]),
    (b"a NOOP\x00\r\n", &["a BAD"]),
    (b"a \x00\r\n", &["a BAD"]),
    (b"a LOGIN \"a\x00\" b\r\n", &["a BAD"]),
    (b"a LOGIN \"a\rb\" b\r\n", &["a BAD"]),
    (b"a LOGIN \xff\xfe b\r\n", &["a BAD"]),
    (b"a LOGIN \"\xff\xfe\" b\r\n", &["a NO"]),
    (b"a LOGIN {1+}\r\n\x00 b\r\n", &["a BAD"]),
    (b"a LOGIN {1+}\r\na {1+}\r\nb\r\n", &["a NO"]),
    (b"a LOGIN {0+}\r\n {0+}\r\n\r\n", &["a NO"]),
    (b"a LOGIN {1+}\r\nab b\r\n", &["a BAD"]),
    (b"a LOGIN {1+}x\r\n", &["a BAD"]),
    (b"a LOGIN {1+} \r\n", &["a BAD"]),
    (b"a LOGIN { 1+}\r\n", &["a BAD"]),
    (b"a LOGIN {+}\r\n", &["a BAD"]),
    (b"a LOGIN ~{1+}\r\na b\r\n", &["a BAD"]),
    (b"a LOGIN {1}\r\n", &["+ "]),
    (b"a {1}\r\n", &["+ "]),
    (b"b\r\n", &["a NO"]),
    (
        b"a NOOP\r\nb NOOP\r\nc FNORD\r\nd NOOP\r\n",
        &["a OK", "b OK", "c BAD", "d OK"],
    ),
    (b"a ID {3+}\r\nNIL\r\n", &["a BAD"]),
];

#[tokio::test]
async fn lines_that_are_none() {
    let world = World::new().await;
    let mut client = world.connect().await;
    for (octets, answers) in RAW {
        client.send_bytes(octets).await;
        for expected in *answers {
            let line = client.line().await;
            assert!(
                line.starts_with(expected),
                "{}: expected {expected}, got {line}",
                String::from_utf8_lossy(octets)
            );
        }
    }
    client.ok("NOOP").await;
}
