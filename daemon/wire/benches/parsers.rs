//! The parsers of the hot paths: microseconds for each call, median of several rounds.
//!
//! Run with `cargo bench -p batpost-wire`.

use std::hint::black_box;
use std::time::Instant;

use batpost_wire::{imap, message, smtp};

const ROUNDS: usize = 15;
const CALLS: u32 = 2000;

fn measure(name: &str, mut call: impl FnMut()) {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                call();
            }
            start.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("{name:32} {:8.3} µs", rounds[ROUNDS / 2]);
}

fn main() {
    measure("smtp RCPT TO", || {
        black_box(smtp::parse(black_box(b"RCPT TO:<ivan.petrov@example.test>"))).ok();
    });
    let mut lines = String::from("From: a@example.test\r\nSubject: =?utf-8?B?0J/RgNC40LLQtdGC?=\r\n\r\n");
    while lines.len() < 4096 {
        lines.push_str("A line of text as people write them, neither long nor short.\r\n");
    }
    let mail = lines.clone().into_bytes();
    lines.push_str(".\r\n");
    measure("smtp DATA, 4 KiB", || {
        let mut text = Vec::with_capacity(8192);
        black_box(smtp::Unstuffer::new().feed(black_box(lines.as_bytes()), &mut text));
        black_box(&text);
    });
    measure("message summary, 4 KiB", || {
        black_box(message::Summary::of(black_box(&mail)));
    });
    measure("imap FETCH envelope", || {
        let command = b"a1 UID FETCH 1:500 (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)\r\n";
        black_box(imap::parse(black_box(command))).ok();
    });
    measure("imap SEARCH", || {
        let command = b"a2 UID SEARCH OR FROM ivan (UNSEEN SINCE 1-Jan-2026) NOT SUBJECT \"report\"\r\n";
        black_box(imap::parse(black_box(command))).ok();
    });
}
