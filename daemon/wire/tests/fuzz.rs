//! Each fuzz target on its kept seeds and on what a generator makes of them: a short run of what libFuzzer does for hours
//! (`tests/fuzz/run`). What failed once is kept as a seed below `tests/fuzz/seeds`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

extern crate batpost_wire as wire;

#[path = "../../../tests/fuzz/bodies/mod.rs"]
#[allow(unreachable_pub, reason = "libFuzzer's programs use them too")]
mod bodies;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Inputs made of each target's seeds; more with `BATPOST_FUZZ`.
const MADE_COUNT: u64 = 4000;
/// The longest input.
const INPUT_MAX_BYTES: usize = 4096;

/// What parsers stumble over.
const PIECES: [&[u8]; 40] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\"",
    b"\\",
    b"(",
    b")",
    b"{",
    b"}",
    b"{3}\r\n",
    b"{3+}\r\n",
    b"~{3+}\r\n",
    b"{0}\r\n",
    b"{99999999999999999999}",
    b"NIL",
    b"*",
    b"%",
    b"$",
    b":",
    b",",
    b"0",
    b"4294967295",
    b"4294967296",
    b"-1",
    b"<0.1>",
    b"[",
    b"]",
    b"&",
    b"&AOk-",
    b"=?utf-8?B?",
    b"?=",
    b"=?x*en?q?=",
    b"--b\r\n",
    b"--b--\r\n",
    b"\xff",
    b"\xd0\xbf",
    b"\xed\xa0\x80",
    b".\r\n",
];

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

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &Path, extension: Option<&str>) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.is_file()
                && (extension.is_none() || path.extension().and_then(|end| end.to_str()) == extension)
        })
        .collect();
    files.sort();
    files
}

/// The kept inputs of a target.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let folder = top().join("tests/fuzz/seeds").join(target);
    files(&folder, None)
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// What clients say in the dialogues whose names begin so, a script each.
fn said(beginnings: &[&str]) -> Vec<Vec<u8>> {
    let scripts = files(&top().join("tests/dialogues"), Some("txt"));
    let wanted = scripts.iter().filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        beginnings.iter().any(|beginning| name.starts_with(beginning))
    });
    wanted
        .map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let lines = text
                .lines()
                .filter_map(|line| line.split_once("> ").map(|(_, said)| said));
            lines
                .flat_map(|line| [line.as_bytes(), b"\r\n"].concat())
                .collect()
        })
        .collect()
}

fn mails() -> Vec<Vec<u8>> {
    let all = files(&top().join("tests/corpus"), Some("eml"));
    all.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// An input made of a seed, sometimes of two.
fn made(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = seeds[dice.roll(seeds.len())].clone();
    if input.len() > INPUT_MAX_BYTES {
        let from = dice.roll(input.len() - INPUT_MAX_BYTES);
        input = input[from..from + INPUT_MAX_BYTES].to_vec();
    }
    for _ in 0..=dice.roll(6) {
        let (at, to) = (dice.roll(input.len() + 1), dice.roll(input.len() + 1));
        let (at, to) = (at.min(to), at.max(to));
        match dice.roll(7) {
            0 if at < input.len() => input[at] ^= 1 << dice.roll(8),
            1 if at < input.len() => input[at] = dice.roll(256) as u8,
            2 => drop(input.splice(at..at, PIECES[dice.roll(PIECES.len())].iter().copied())),
            3 => drop(input.drain(at..to.min(at + 16))),
            4 => {
                let again = input[at..to.min(at + 64)].to_vec();
                drop(input.splice(to..to, again));
            }
            5 => {
                let other = &seeds[dice.roll(seeds.len())];
                let (from, until) = (dice.roll(other.len() + 1), dice.roll(other.len() + 1));
                let piece = &other[from.min(until)..until.max(from).min(from.min(until) + 256)];
                drop(input.splice(at..at, piece.iter().copied()));
            }
            _ => input.truncate(to),
        }
    }
    input.truncate(INPUT_MAX_BYTES);
    input
}

fn fuzz(target: &str, run: fn(&[u8]), mut seeds: Vec<Vec<u8>>) {
    seeds.extend(kept(target));
    assert!(seeds.len() > 1, "{target} has no seeds");
    let try_one = |input: &[u8], what: &str| {
        let done = catch_unwind(AssertUnwindSafe(|| run(input)));
        assert!(
            done.is_ok(),
            "{target}, {what}: {:?}",
            String::from_utf8_lossy(input)
        );
    };
    for (number, seed) in seeds.iter().enumerate() {
        try_one(seed, &format!("kept input {number}"));
    }
    let more = std::env::var("BATPOST_FUZZ")
        .ok()
        .and_then(|count| count.parse().ok());
    let first: u64 = std::env::var("BATPOST_FUZZ_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    let count = more.unwrap_or(MADE_COUNT);
    eprintln!("{target}: seeds {first} to {}", first + count);
    for seed in first..first + count {
        let input = made(&seeds, &mut Dice::new(seed));
        try_one(&input, &format!("BATPOST_FUZZ_SEED={seed} BATPOST_FUZZ=1"));
    }
}

/// A target whose first byte is a choice: each seed with some choices.
fn with_choices(seeds: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let choices = [1, 7, b'~'].into_iter();
    let seeds = &seeds;
    choices
        .flat_map(|choice| seeds.iter().map(move |seed| [&[choice][..], seed].concat()))
        .collect()
}

/// The arguments in the dialogues, behind the byte that chooses their command.
fn arguments() -> Vec<Vec<u8>> {
    let said = said(&["imap"]).concat();
    let text = String::from_utf8_lossy(&said).into_owned();
    let mut seeds = Vec::new();
    for line in text
        .lines()
        .filter_map(|line| line.split_once(' ').map(|(_, command)| command))
    {
        for (choice, command) in bodies::imap_arguments::COMMANDS.iter().enumerate() {
            if let Some(arguments) = line.get(command.len()..).and_then(|rest| rest.strip_prefix(' '))
                && line.to_ascii_uppercase().starts_with(command)
            {
                seeds.push([&[choice as u8][..], arguments.as_bytes()].concat());
            }
        }
    }
    seeds
}

#[test]
fn addresses() {
    fuzz("address", bodies::address::run, Vec::new());
}

#[test]
fn base64() {
    fuzz("base64", bodies::base64::run, Vec::new());
}

#[test]
fn headers() {
    fuzz("header", bodies::header::run, Vec::new());
}

#[test]
fn imap_arguments() {
    fuzz("imap_arguments", bodies::imap_arguments::run, arguments());
}

#[test]
fn imap_servers() {
    fuzz("imap_client", bodies::imap_client::run, Vec::new());
}

#[test]
fn imap_commands() {
    fuzz(
        "imap_command",
        bodies::imap_command::run,
        with_choices(said(&["imap"])),
    );
}

#[test]
fn imap_names() {
    fuzz("imap_names", bodies::imap_names::run, Vec::new());
}

#[test]
fn messages() {
    fuzz("message", bodies::message::run, mails());
}

#[test]
fn pop3_servers() {
    fuzz("pop3_client", bodies::pop3_client::run, with_choices(mails()));
}

#[test]
fn pop3_commands() {
    fuzz("pop3_command", bodies::pop3_command::run, said(&["pop3"]));
}

#[test]
fn logins() {
    fuzz("sasl", bodies::sasl::run, Vec::new());
}

#[test]
fn smtp_commands() {
    fuzz(
        "smtp_command",
        bodies::smtp_command::run,
        said(&["smtp", "lmtp", "submission"]),
    );
}

#[test]
fn seven_bit() {
    fuzz("seven_bit", bodies::seven_bit::run, with_choices(mails()));
}

#[test]
fn smtp_data() {
    fuzz("smtp_data", bodies::smtp_data::run, with_choices(mails()));
}

/// A parser without a target would be forgotten: each target that libFuzzer has is run here, and the other way round.
#[test]
fn every_target_is_here() {
    let names = |folder: &str| -> Vec<String> {
        let mut names: Vec<String> = files(&top().join("tests/fuzz").join(folder), Some("rs"))
            .iter()
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .filter(|name| name != "mod")
            .collect();
        names.sort();
        names
    };
    let targets = names("fuzz_targets");
    assert_eq!(targets, names("bodies"));
    let here = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz.rs")).unwrap();
    let manifest = std::fs::read_to_string(top().join("tests/fuzz/Cargo.toml")).unwrap();
    for target in targets {
        assert!(
            here.contains(&format!("\"{target}\",")),
            "{target} is not run here"
        );
        assert!(
            manifest.contains(&format!("name = \"{target}\"")),
            "{target} is no program of its own"
        );
    }
}
