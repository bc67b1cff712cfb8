//! The arguments of each command of IMAP: the first byte chooses the command. What was read is whole, and never a panic.

use wire::imap::{parse_with, refusal};

/// What the arguments stand behind.
pub const COMMANDS: [&str; 35] = [
    "ID",
    "AUTHENTICATE",
    "LOGIN",
    "ENABLE",
    "SELECT",
    "CREATE",
    "DELETE",
    "RENAME",
    "LIST",
    "LSUB",
    "STATUS",
    "APPEND",
    "COMPRESS",
    "GETACL",
    "SETACL",
    "DELETEACL",
    "LISTRIGHTS",
    "GETQUOTA",
    "GETQUOTAROOT",
    "SETQUOTA",
    "GETMETADATA",
    "SETMETADATA",
    "NOTIFY",
    "ESEARCH",
    "UID EXPUNGE",
    "SEARCH",
    "SORT",
    "THREAD",
    "FETCH",
    "UID FETCH",
    "STORE",
    "UID COPY",
    "MOVE",
    "REPLACE",
    "EXAMINE",
];

pub fn run(data: &[u8]) {
    let Some((&choice, arguments)) = data.split_first() else {
        return;
    };
    let Some(command) = COMMANDS.get(usize::from(choice) % COMMANDS.len()) else {
        return;
    };
    for utf8 in [false, true] {
        let mut line = format!("a {command} ").into_bytes();
        line.extend_from_slice(arguments);
        line.extend_from_slice(b"\r\n");
        match parse_with(&line, utf8) {
            Ok(tagged) => {
                assert_eq!(tagged.tag.as_str(), "a");
                // What is right as a whole was not wrong before its literal came.
                let first = line.iter().position(|byte| *byte == b'}').map_or(0, |at| at + 3);
                // A brace at the end of the line is none.
                let is_prefix = |prefix: &&[u8]| prefix.ends_with(b"}\r\n") && prefix.len() < line.len();
                if let Some(prefix) = line.get(..first).filter(is_prefix) {
                    assert_eq!(refusal(prefix, utf8), None, "{}", String::from_utf8_lossy(&line));
                }
            }
            Err(error) => assert!(!error.reason.is_empty()),
        }
    }
}
