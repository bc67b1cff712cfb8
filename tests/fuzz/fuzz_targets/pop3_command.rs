//! Commands of POP3.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        let _ = wire::pop3::parse(line);
    }
    for lines in [0, 1, 10] {
        assert!(data.starts_with(wire::pop3::top(data, lines)));
    }
});
