//! Commands of IMAP read by us and by somebody else's grammar (imap-codec): both understand one or neither does, and what the
//! other one has understood means the same to us when it writes it down in its own way.
//!
//! Where we differ on purpose, or where the other one does not know an extension, a line of a table below says so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

extern crate batpost_wire as wire;

use std::path::Path;

use arbitrary::{Arbitrary, Unstructured};
use imap_codec::CommandCodec;
use imap_codec::decode::Decoder;
use imap_codec::encode::Encoder;
use imap_codec::imap_types::command::Command as Theirs;
use wire::imap::{Frame, Framer, Limits, Tagged, parse_with};

/// Commands made out of the other grammar, and out of lines of dialogues.
const MADE_COUNT: u64 = 20_000;
/// Octets that one of them is made of.
const ENTROPY_MAX_BYTES: usize = 512;

const LIMITS: Limits = Limits {
    line_length_max_bytes: 1 << 20,
    literal_max_bytes: 1 << 20,
    command_max_bytes: 1 << 20,
    append_max_bytes: 1 << 20,
};

/// How we read one command, literals included, or why not.
fn ours(command: &[u8]) -> Result<Tagged, &'static str> {
    let (mut framer, mut rest) = (Framer::new(), command);
    loop {
        match framer.next(rest, &LIMITS) {
            Frame::Continue { .. } => {}
            Frame::Command { len } if len == rest.len() => {
                return parse_with(rest, false).map_err(|error| error.reason);
            }
            Frame::AppendLiteral { prefix_len, literal } => {
                rest = rest.get(prefix_len + literal.size as usize..).ok_or(NOT_ONE)?;
            }
            Frame::AppendEnd { len } if len == rest.len() => {
                return parse_with(&framer.take_append(), false).map_err(|error| error.reason);
            }
            _ => return Err(NOT_ONE),
        }
    }
}

/// Not one whole command.
const NOT_ONE: &str = "not one command";

fn theirs(command: &[u8]) -> Option<Theirs<'_>> {
    match CommandCodec::default().decode(command) {
        Ok(([], command)) => Some(command),
        _ => None,
    }
}

/// A part of the command in capitals, and why only we know it.
const ONLY_OURS: &[(&str, &str)] = &[
    (
        "AUTHENTICATE ",
        "an initial response that is no base64 is refused later, with the SASL exchange",
    ),
    ("UNAUTHENTICATE", "RFC 8437"),
    ("STARTTLS", "knows it, but not among its commands"),
    ("COMPRESS ", "an unknown mechanism is refused with NO"),
    ("ACL ", "RFC 4314"),
    ("LISTRIGHTS ", "RFC 4314"),
    ("MYRIGHTS ", "RFC 4314"),
    ("MYRIGHTS)", "RFC 8440"),
    ("CANCELUPDATE ", "RFC 5267"),
    (" NOTIFY ", "RFC 5465"),
    (" ESEARCH ", "RFC 7377"),
    ("RETURN (", "RFC 4731, 5258, 5267, 5819, 9394"),
    ("(PARTIAL ", "RFC 9394"),
    ("LIST (", "RFC 5258"),
    ("LIST \"\" (", "RFC 5258"),
    ("CREATE ", "RFC 6154: USE"),
    (" CATENATE (", "RFC 4469"),
    (" UTF8 (", "RFC 6855"),
    ("REPLACE ", "RFC 8508"),
    ("PREVIEW", "RFC 8970"),
    ("SAVED", "RFC 8514"),
    ("EMAILID", "RFC 8474"),
    ("THREADID", "RFC 8474"),
    ("MAILBOXID", "RFC 8474"),
    ("APPENDLIMIT", "RFC 7889"),
    (" $", "RFC 5182: the saved result"),
    ("THREAD ", "a charset is an astring, as in SEARCH"),
    ("SORT (", "a charset is an astring, as in SEARCH"),
    ("]<", "RFC 9051 §9, partial: 64 bits"),
    ("LARGER ", "RFC 9051 §9: 64 bits"),
    ("SMALLER ", "RFC 9051 §9: 64 bits"),
];

/// Our reason to refuse, a part of the command in capitals, and why we are right.
const ONLY_THEIRS: &[(&str, &str, &str)] = &[
    (
        "mailbox name is not modified UTF-7",
        "",
        "RFC 3501 §5.1.3; nor are control characters taken",
    ),
    (
        "keyword expected",
        " ()",
        "RFC 9051 §9, status: one item at least",
    ),
    ("item expected", "FETCH ", "RFC 9051 §9, fetch: one item at least"),
    (
        "flag cannot be set",
        "",
        "RFC 9051 §2.3.2: no system flags but those of the standard",
    ),
    ("bad entry name", "METADATA ", "RFC 5464 §3.1"),
    (
        "unknown thread algorithm",
        "THREAD ",
        "RFC 5256 §3: only what CAPABILITY names",
    ),
    ("VANISHED needs UID FETCH", "", "RFC 7162 §3.2.6"),
    ("VANISHED without CHANGEDSINCE", "", "RFC 7162 §3.2.6"),
    (
        "unknown fetch modifier",
        " VANISHED ",
        "RFC 4466 §2.4: none twice",
    ),
    ("\")\" expected", "UNCHANGEDSINCE ", "RFC 4466 §2.5: none twice"),
    (
        "unknown select parameter",
        " QRESYNC ",
        "RFC 4466 §2.1: none twice",
    ),
    (
        "only numbers in a known set",
        "QRESYNC ",
        "RFC 7162 §7, known-uids: no `*`",
    ),
    ("number expected", "", "RFC 7162 §7: 63 bits"),
    ("number too big", "", "RFC 7162 §7: 63 bits"),
    (
        "text is not UTF-8",
        "",
        "RFC 9051 §4.3: what is looked up by name or searched for is text",
    ),
    (
        "initial response expected",
        "AUTHENTICATE ",
        "RFC 4959 §3: an empty one is `=`",
    ),
];

/// Why the two don't agree.
fn difference(command: &[u8]) -> Option<String> {
    match (ours(command), theirs(command)) {
        (Err(_), None) => None,
        (Ok(_), None) => {
            // RFC 9051 §4.3: strings in UTF-8 are read from everybody.
            let command = String::from_utf8_lossy(command).to_ascii_uppercase();
            let known = !command.is_ascii() || ONLY_OURS.iter().any(|(part, _)| command.contains(part));
            (!known).then(|| "only we understand".to_owned())
        }
        (Err(reason), Some(_)) => {
            let written = String::from_utf8_lossy(command).to_ascii_uppercase();
            let known = |&(known, part, _): &(&str, &str, &str)| known == reason && written.contains(part);
            (!ONLY_THEIRS.iter().any(known)).then(|| format!("only they understand; we: {reason}"))
        }
        (Ok(first), Some(theirs)) => {
            let written = CommandCodec::default().encode(&theirs).dump();
            (ours(&written) != Ok(first))
                .then(|| format!("they mean {:?}", String::from_utf8_lossy(&written)))
        }
    }
}

fn agree(commands: impl IntoIterator<Item = Vec<u8>>) {
    let mut wrong = Vec::new();
    for command in commands {
        if let Some(why) = difference(&command) {
            wrong.push(format!("{why}: {:?}", String::from_utf8_lossy(&command)));
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} commands\n{}", wrong.len(), wrong.join("\n"));
}

/// What clients say in the dialogues, a command each.
fn said() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/dialogues");
    let mut commands = Vec::new();
    let files = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    // The same commands for the same dice everywhere.
    files.sort();
    for path in files {
        if !path.file_name().unwrap().to_string_lossy().starts_with("imap") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text
            .lines()
            .filter_map(|line| line.split_once("> ").map(|(_, said)| said));
        // A line that goes on after a literal is no command.
        commands.extend(
            lines
                .filter(|line| !line.ends_with('}'))
                .map(|line| format!("{line}\r\n").into_bytes()),
        );
    }
    commands
}

/// A small generator, so that a number is a story.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % sides.max(1) as u64) as usize
    }
}

#[test]
fn dialogues() {
    let said = said();
    assert!(said.len() > 500);
    agree(said);
}

/// What the other grammar can say.
#[test]
fn made_commands() {
    let made = (1..=MADE_COUNT).filter_map(|seed| {
        let mut dice = Dice::new(seed);
        let octets: Vec<u8> = (0..ENTROPY_MAX_BYTES).map(|_| dice.roll(256) as u8).collect();
        let command = Theirs::arbitrary(&mut Unstructured::new(&octets)).ok()?;
        Some(CommandCodec::default().encode(&command).dump())
    });
    let made: Vec<Vec<u8>> = made.collect();
    eprintln!("{} commands", made.len());
    assert!(made.len() > MADE_COUNT as usize / 20);
    agree(made);
}

/// Lines of the dialogues with an octet or a word out of its place.
#[test]
fn commands_with_mistakes() {
    const PIECES: [&str; 24] = [
        " ", "  ", "(", ")", "\"", "\\", "*", "%", "[", "]", "{", "}", "NIL", "0", "1:*", ",", ":", "<0.1>",
        "-", "+", "a", ".", "1", "\t",
    ];
    let said = said();
    agree((1..=MADE_COUNT).map(|seed| {
        let mut dice = Dice::new(seed);
        let mut command = said[dice.roll(said.len())].clone();
        let at = dice.roll(command.len() - 1);
        let to = (at + dice.roll(5)).min(command.len() - 2).max(at);
        let piece = PIECES[dice.roll(PIECES.len())].bytes();
        match dice.roll(3) {
            0 => drop(command.splice(at..at, piece)),
            1 => drop(command.splice(at..to, piece)),
            _ => drop(command.drain(at..to)),
        }
        command
    }));
}
