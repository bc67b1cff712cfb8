use proptest::prelude::*;

use super::*;

fn reason(line: &str) -> Option<&'static str> {
    parse(format!("{line}\r\n").as_bytes())
        .err()
        .map(|error| error.reason)
}

/// What must be taken; one of each command and its forms.
const GOOD: &[&str] = &[
    "a CAPABILITY",
    "a.1 nOOp",
    "]7 LOGOUT",
    "a ID NIL",
    "a ID ()",
    "a ID (\"name\" \"x\" \"version\" NIL)",
    "a STARTTLS",
    "a AUTHENTICATE PLAIN",
    "a AUTHENTICATE plain =",
    "a AUTHENTICATE PLAIN AGEAYg==",
    "a LOGIN user@example.test {3+}\r\np w",
    "a LOGIN \"u\" \"\"",
    "a ENABLE CONDSTORE utf8=accept",
    "a SELECT inbox",
    "a SELECT {5}\r\nINBOX (CONDSTORE)",
    "a EXAMINE &BB8EMAQ,BDoEMA-",
    "a CREATE \"a b\" (USE (\\Sent))",
    "a DELETE x",
    "a RENAME x y",
    "a SUBSCRIBE x",
    "a UNSUBSCRIBE x",
    "a LIST \"\" *",
    "a LIST (SPECIAL-USE) \"\" \"*\" RETURN (SUBSCRIBED)",
    "a LSUB \"\" %",
    "a NAMESPACE",
    "a STATUS x (MESSAGES SIZE DELETED-STORAGE)",
    "a APPEND x (\\Seen) {1}\r\n",
    "a IDLE",
    "a COMPRESS DEFLATE",
    "a UNAUTHENTICATE",
    "a SETACL x fred -rw",
    "a GETACL x",
    "a DELETEACL x fred",
    "a LISTRIGHTS x fred",
    "a MYRIGHTS x",
    "a GETQUOTA \"\"",
    "a GETQUOTAROOT x",
    "a SETQUOTA \"\" (STORAGE 512 MESSAGE 0)",
    "a SETQUOTA \"\" ()",
    "a GETMETADATA (DEPTH 1 MAXSIZE 10) \"\" (/shared/comment)",
    "a GETMETADATA x (MAXSIZE 10) /shared/comment",
    "a SETMETADATA x (/shared/comment \"a\" /private/comment NIL)",
    "a NOTIFY NONE",
    "a NOTIFY SET STATUS (selected (MessageNew (UID FLAGS) MessageExpunge))",
    "a NOTIFY SET (subtree (a b) (MessageNew MessageExpunge)) (mailboxes x NONE)",
    "a CHECK",
    "a CLOSE",
    "a UNSELECT",
    "a EXPUNGE",
    "a UID EXPUNGE 1:*",
    "a SEARCH ALL",
    "a UID SEARCH RETURN () UID 1",
    "a SORT (REVERSE DATE SUBJECT) UTF-8 ALL",
    "a UID SORT RETURN (COUNT) (ARRIVAL) US-ASCII SEEN",
    "a THREAD references UTF-8 ALL",
    "a FETCH 1 FAST",
    "a UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)",
    "a STORE 1 FLAGS ()",
    "a COPY 1,2 x",
    "a UID MOVE $ x",
    "a REPLACE 4 x {3}\r\n",
    "a UID REPLACE 4 x (\\Seen) {3+}\r\n",
];

/// What must be refused.
const BAD: &[&str] = &[
    "",
    "a",
    "a ",
    " NOOP",
    "a  NOOP",
    "a NOOP ",
    "a NOOP x",
    "a+b NOOP",
    "* NOOP",
    "( NOOP",
    "a FOO",
    "a UID",
    "a UID NOOP",
    "a UID EXPUNGE",
    "a LOGIN u",
    "a LOGIN u p x",
    "a LOGIN  u p",
    "a LOGIN u \"p",
    "a LOGIN u \"p\\x\"",
    "a ENABLE",
    "a SELECT",
    "a SELECT &",
    "a SELECT \"&AOk\"",
    "a SELECT \"a\u{e9}\"",
    "a SELECT INBOX x",
    "a RENAME x",
    "a LIST \"\"",
    "a STATUS x",
    "a STATUS x ()",
    "a STATUS x (FOO)",
    "a NOTIFY SET (selected (MessageNew",
    "a FETCH 1 (FLAGS",
    "a FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)",
    "a SETACL x fred +RW",
    "a GETMETADATA x (/shared//x)",
    "a AUTHENTICATE PLAIN =  ",
    "a CREATE \"a\tb\"",
];

#[test]
fn good_and_bad() {
    for line in GOOD {
        assert_eq!(reason(line), None, "{line}");
    }
    for line in BAD {
        assert!(reason(line).is_some(), "{line}");
    }
}

#[test]
fn errors_carry_the_tag() {
    let error = parse(b"a7 FETCH x FLAGS\r\n").unwrap_err();
    assert_eq!(error.tag.unwrap().as_str(), "a7");
    assert_eq!(error.reason, "bad message set");
    assert_eq!(parse(b"+x NOOP\r\n").unwrap_err().tag, None);
    assert_eq!(parse(b"a NOOP\n").unwrap_err().reason, "line must end with CRLF");
    assert!(parse(b"a NOOP").is_err());
    assert!(parse(b"a NOOP\r\n\r\n").is_err());
    assert!(parse(b"a NO\rOP\r\n").is_err());
    assert!(parse(b"a LOGIN u \"\0\"\r\n").is_err());
}

#[test]
fn mailbox_names_follow_the_mode() {
    let name = |command: &str, utf8| match parse_with(command.as_bytes(), utf8).map(|tagged| tagged.command) {
        Ok(Command::Delete(name)) => Some(name.into_string()),
        _ => None,
    };
    assert_eq!(name("a DELETE &BB8-\r\n", false).as_deref(), Some("П"));
    assert_eq!(name("a DELETE &BB8-\r\n", true).as_deref(), Some("&BB8-"));
    assert_eq!(name("a DELETE \"П\"\r\n", true).as_deref(), Some("П"));
    assert_eq!(name("a DELETE \"П\"\r\n", false), None);
    assert_eq!(name("a DELETE inBox\r\n", false).as_deref(), Some("INBOX"));
}

#[test]
fn secrets_stay_hidden() {
    let tagged = parse(b"a LOGIN user hunter2\r\n").unwrap();
    assert!(!format!("{tagged:?}").contains("hunter2"));
    let Command::Login { password, .. } = tagged.command else {
        unreachable!()
    };
    assert_eq!(password.expose(), b"hunter2");
}

proptest! {
    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
        let _ = parse_with(&bytes, true);
    }

    #[test]
    fn never_panics_on_nearly_good(
        which in 0..GOOD.len(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()
    ) {
        let mut line = format!("{}\r\n", GOOD[which]).into_bytes();
        let at = at.index(line.len());
        if cut { line.truncate(at); } else { line[at] = byte; }
        let _ = parse(&line);
        let _ = super::super::append::parse_append_prefix(&line, false);
    }
}
