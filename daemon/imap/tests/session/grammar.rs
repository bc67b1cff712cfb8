//! Every line that the server says is read by somebody else's grammar as well (imap-codec): a client that takes the RFC at its word must not
//! stumble. What that grammar does not know stands in a table.

use imap_codec::decode::Decoder;
use imap_codec::{GreetingCodec, ResponseCodec};

/// A part of a line, and the RFC of what the other grammar does not know.
const UNKNOWN: &[(&str, &str)] = &[
    ("* ESEARCH (TAG ", "4731, 5267, 9394"),
    ("* ACL ", "4314"),
    ("* LISTRIGHTS ", "4314"),
    ("* MYRIGHTS ", "4314"),
    ("(\"CHILDINFO\" (\"SUBSCRIBED\"))", "5258"),
    ("* LIST (", "6855: names in UTF-8"),
    (
        "* STATUS ",
        "6855, 7889, 8474: names in UTF-8, limits, identifiers",
    ),
    ("MAILBOXID (", "8474"),
    ("EMAILID (", "8474"),
    ("THREADID (", "8474"),
    ("PREVIEW ", "8970"),
    ("SAVEDATE ", "8514"),
    ("BODY[]<9223372036854775807>", "9051 §9: 63 bits"),
    (" UIDFETCH (", "9586"),
    ("BINARY[", "3516: parts of a part"),
    ("* QUOTA ", "9208 §4.2.1: nothing is limited"),
];

/// Panics if it is no response.
pub(crate) fn check(line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    if ResponseCodec::default()
        .decode(line)
        .is_ok_and(|(rest, _)| rest.is_empty())
        || GreetingCodec::default()
            .decode(line)
            .is_ok_and(|(rest, _)| rest.is_empty())
    {
        return;
    }
    let known = UNKNOWN.iter().any(|(part, _)| text.contains(part));
    assert!(known, "no response of IMAP: {text:?}");
}
