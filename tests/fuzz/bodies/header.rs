//! Header fields alone: encoded words, parameters, addresses, dates, subjects. Whatever they hold, something can be shown.

use wire::message::{addresses, date, decode};

pub fn run(data: &[u8]) {
    let text = decode::header_text(data);
    assert!(!text.contains('\0') || data.contains(&0) || data.contains(&b'='));
    let _ = addresses::mailboxes(data);
    let _ = addresses::entries(data);
    if let Some(date) = date::parse(data) {
        let written = date.rfc5322();
        let again = date::parse(written.as_bytes());
        assert_eq!(again.map(|again| again.rfc5322()), Some(written));
    }
    let _ = date::parse_internal(data);
    for name in [
        "Subject",
        "From",
        "Content-Type",
        "Content-Disposition",
        "Date",
        "Content-Language",
    ] {
        let mut whole = format!("{name}: ").into_bytes();
        whole.extend_from_slice(data);
        whole.extend_from_slice(b"\r\n\r\nbody\r\n");
        super::message::run(&whole);
    }
}
