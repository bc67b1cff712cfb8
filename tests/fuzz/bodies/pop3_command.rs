//! Commands of POP3.

pub fn run(data: &[u8]) {
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        let _ = wire::pop3::parse(line);
    }
    for lines in [0, 1, 10] {
        assert!(data.starts_with(wire::pop3::top(data, lines)));
    }
}
