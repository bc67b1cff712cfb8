//! Messages and records that somebody broke at random: nothing panics, and what goes on top of a message stays one field.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use batpost_authenticity::{Reading, Sealing, Secret, sender_policy};
use dns::{Dns, Scripted};
use shared::Address;
use tokio::time::Instant;

const TEXTS: &[&str] = &[
    include_str!("vectors/arc-2.eml"),
    include_str!("vectors/mixed-rsa.eml"),
    include_str!("vectors/simple-ed25519.eml"),
];
const KEYS: &str = include_str!("vectors/keys.txt");
const RECORDS: &[&str] = &[
    "v=spf1 mx/24//64 a:%{ir}.%{v}.%{l1r-}.%{d2}.a.test ip4:192.0.2.0/24 ip6:2001:db8::/32 include:%{d}.b.test exists:%{p}.c.test -all",
    "v=DMARC1; p=reject; sp=none; adkim=s; aspf=r; pct=50; rua=mailto:a@a.test!10m,mailto:b@b.test; psd=n",
];
const ROUNDS: u32 = 1500;

/// The same numbers each time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    /// Changes, removes, doubles and inserts.
    fn broken(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = text.to_vec();
        for _ in 0..=self.below(6) {
            if out.is_empty() {
                out = text.to_vec();
            }
            let at = self.below(out.len());
            match self.below(5) {
                0 => out[at] = self.below(256) as u8,
                1 => drop(out.drain(at..(at + self.below(20)).min(out.len()))),
                2 => out.extend_from_within(at..),
                3 => {
                    let piece = [
                        &b";"[..],
                        b"=",
                        b"\r\n",
                        b":",
                        b"%{",
                        b"\xff",
                        b" ",
                        b"/",
                        b"b=",
                        b"i=9",
                    ];
                    out.splice(at..at, piece[self.below(piece.len())].iter().copied());
                }
                _ => out.truncate(at.max(1)),
            }
        }
        out
    }
}

#[tokio::test]
async fn broken_messages_and_records_break_nothing() {
    let mut numbers = Numbers(0x5eed);
    let secret = Secret::generate(batpost_authenticity::Algorithm::Ed25519Sha256).unwrap();
    let domain = shared::DomainName::parse("here.test").unwrap();
    for round in 0..ROUNDS {
        let mut table = Scripted::new();
        for line in KEYS.lines() {
            let (name, text) = line.split_once(' ').unwrap();
            let text = if round % 3 == 0 {
                numbers.broken(text.as_bytes())
            } else {
                text.into()
            };
            table = table.with_txt(name, &String::from_utf8_lossy(&text));
        }
        for name in ["signer.test", "_dmarc.signer.test", "_dmarc.test"] {
            let record = RECORDS[numbers.below(RECORDS.len())];
            let record = numbers.broken(record.as_bytes());
            table = table.with_txt(name, &String::from_utf8_lossy(&record));
        }
        let dns = Dns::scripted(table);
        let deadline = Instant::now() + Duration::from_mins(1);
        let sender = Address::parse("a+b@signer.test").unwrap();
        let peer = "2001:db8::1".parse().unwrap();
        let spf = sender_policy(&dns, peer, "\u{1}x..y", Some(&sender), deadline).await;
        let text = TEXTS[numbers.below(TEXTS.len())];
        let text = numbers.broken(text.as_bytes());
        let cut = numbers.below(text.len());
        let mut reading = Reading::new(&text[..cut], "mx.here.test");
        reading.feed(&text[cut..]);
        let field = reading.finish(&dns, spf, deadline).await.field("mx.here.test");
        let lines: Vec<&str> = field.split("\r\n").collect();
        assert!(
            lines[0].starts_with("Authentication-Results: mx.here.test"),
            "{field:?}"
        );
        assert!(
            lines[1..lines.len() - 1]
                .iter()
                .all(|line| line.starts_with('\t')),
            "{field:?}"
        );
        assert!(
            !field
                .bytes()
                .any(|byte| byte < b' ' && !b"\r\n\t".contains(&byte)),
            "{field:?}"
        );
        let key = batpost_authenticity::SigningKey::open(&domain, "s", &secret.private).unwrap();
        let whole = [field.as_bytes(), &text].concat();
        if let Some(sealing) = Sealing::new(&whole, "mx.here.test", [key].into()) {
            drop(sealing.finish(1));
        }
    }
}
